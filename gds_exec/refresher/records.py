"""The traces that a kept command leaves on this machine, and that go with it."""

from __future__ import annotations

import os
import time

from gds_exec import process_registry
from gds_exec.child.process_info import process_mark
from gds_exec.lean import contextmanager
from gds_exec.refresher.private_files import PrivateFiles, remove_private_files
from gds_exec.session import open_if_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gds_exec.refresher.handoff import Handover


@contextmanager
def recorded(
    handover: Handover, program: str, *, pid: int | None = None, now: Callable[[], float] = time.time
) -> Iterator[None]:
    """List the command as running inside the block; then remove its record."""
    directory = open_if_private(handover.cache_directory) if handover.cache_directory else None
    record = process_registry.Running(
        process_mark(pid or os.getpid()),
        process_registry.COMMAND,
        handover.role,
        program,
        handover.key,
        handover.arguments,
        int(now()),
    )
    if directory is not None:
        process_registry.note(directory, record)
    try:
        yield
    finally:
        if directory is not None:
            process_registry.forget(directory, record)
            os.close(directory)


@contextmanager
def private_files_of(handover: Handover) -> Iterator[None]:
    """Remove the command's copies of the AWS files at the end of the block, even after an error."""
    try:
        yield
    finally:
        if handover.private_files is not None:
            files = PrivateFiles(*handover.private_files)
            remove_private_files(files, with_directory=handover.cache_directory is None)
