"""Copies of AWS's files that a command reads in their place, while it runs.

They hold no access keys, but all other settings, so only their owner can read them.
"""

from __future__ import annotations

import os

from gds_exec.child.process_info import process_mark
from gds_exec.credentials.private_directory import write_new_file
from gds_exec.lean import Value, contextmanager, suppress
from gds_exec.session import COPY_SUFFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gds_exec.refresher.handoff import Handoff


class PrivateFiles(Value):
    """The paths of the two copies; None for a file that needs no copy."""

    config: str | None
    credentials: str | None


def write_private_files(directory: str, *, config: bytes | None, credentials: bytes | None) -> PrivateFiles:
    """Write each text that is not None to a new file, mode 0600, in a directory that is already private.

    Their names begin with the mark of this process, so no sweep removes them while it lives.

    Raise `OSError` where that cannot be; nothing is left behind then.
    """
    stem = os.path.join(os.path.abspath(directory), f"{process_mark(os.getpid())}.{os.urandom(16).hex()}")
    contents = [
        (stem + suffix, text) for suffix, text in zip(COPY_SUFFIXES, (config, credentials), strict=True)
    ]
    files = PrivateFiles(*(path if text is not None else None for path, text in contents))
    try:
        for path, text in contents:
            if text is not None:
                write_new_file(path, text)
    except BaseException:
        remove_private_files(files, with_directory=False)
        raise
    return files


def remove_private_files(files: PrivateFiles, *, with_directory: bool) -> None:
    """Remove both, as far as they are there, and their directory, if that was made for them alone."""
    paths = [path for path in (files.config, files.credentials) if path is not None]
    for path in paths:
        with suppress(OSError):
            os.unlink(path)
    if with_directory:
        with suppress(OSError):
            os.rmdir(os.path.dirname(paths[0]))


@contextmanager
def private_files_of(handoff: Handoff) -> Iterator[None]:
    """Remove the command's copies of the AWS files at the end of the block, even after an error."""
    try:
        yield
    finally:
        if handoff.private_files is not None:
            files = PrivateFiles(*handoff.private_files)
            remove_private_files(files, with_directory=handoff.cache_directory is None)
