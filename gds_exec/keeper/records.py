"""The traces that a kept command leaves on this machine, and that go with it."""

from __future__ import annotations

import os
import time

from gds_exec import running
from gds_exec.context import contextmanager, suppress
from gds_exec.credentials.session_file import open_if_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gds_exec.delivery.handover import Handover


def keep_from_sweep(handover: Handover) -> None:
    """Have the copies of AWS's files look as young as they are needed: others remove what is a day old."""
    for path in handover.private_files or ():
        with suppress(OSError):
            os.utime(path)


@contextmanager
def recorded(
    handover: Handover, program: str, *, pid: int | None = None, now: Callable[[], float] = time.time
) -> Iterator[None]:
    """Have the command listed as running while inside; then remove its record, and its copies of files."""
    directory = open_if_private(handover.cache_directory) if handover.cache_directory else None
    record = running.Running(
        pid or os.getpid(),
        running.COMMAND,
        handover.role,
        program,
        handover.key,
        handover.arguments,
        int(now()),
    )
    if directory is not None:
        running.note(directory, record)
    try:
        yield
    finally:
        if directory is not None:
            running.forget(directory, record.pid)
            os.close(directory)
        _remove_copies(handover)


def _remove_copies(handover: Handover) -> None:
    for path in handover.private_files or ():
        with suppress(OSError):
            os.unlink(path)
        if handover.cache_directory is None:  # then the directory was made for them
            with suppress(OSError):
                os.rmdir(os.path.dirname(path))
