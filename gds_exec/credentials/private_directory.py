"""A directory that only its owner reads, and files in it that are whole or absent.

All work goes by a descriptor of the directory, so that nobody can exchange it under us.
"""

from __future__ import annotations

import os
import stat

from gds_exec.lean import suppress
from gds_exec.session import with_checksum
from gds_exec.signals import all_blocked

TEMPORARY_SUFFIX = ".tmp"


class NotPrivate(Exception):
    """The directory is not ours alone, and must not be used."""


def open_private_directory(path: str) -> int:
    """Return a descriptor of the directory, made if need be and mode 0700.

    A link is followed only to a directory that is ours and private already. Raise `NotPrivate`
    for one that is somebody else's, and `OSError` where none can be had.
    """
    path = os.path.abspath(path)
    if not os.path.lexists(path):
        _make(path)
    is_link = os.path.islink(path)
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if is_link else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        _check(path, os.fstat(descriptor), is_link=is_link)
        if not is_link:
            os.fchmod(descriptor, 0o700)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def write_checked(directory: int, name: str, text: str, *, is_durable: bool = True) -> None:
    """Write a text with a checksum, as `write_atomically` does; `read_checked_text` reads it."""
    write_atomically(directory, name, with_checksum(text), is_durable=is_durable)


def write_atomically(directory: int, name: str, text: str, *, is_durable: bool = True) -> None:
    """Write a 0600 file of that name into the cache, as `replace_file` does."""
    from gds_exec.child.process_info import process_mark  # runs that only read do not need it

    temporary = f"{process_mark(os.getpid())}.{os.urandom(16).hex()}{TEMPORARY_SUFFIX}"
    replace_file(directory, name, text.encode(), temporary=temporary, is_durable=is_durable)


def replace_file(
    directory: int | None,
    name: str,
    content: bytes,
    *,
    temporary: str,
    is_private: bool = True,
    is_durable: bool = True,
) -> None:
    """Write a file by way of the name `temporary`: whoever looks finds the old file or the new one, whole.

    That holds after a crash of the machine too, unless `is_durable` is false. The mode is 0600, or by the
    umask if the file is not private.
    """
    with all_blocked():  # a signal that kills us now must not leave keys under the temporary name
        try:
            write_new_file(
                temporary, content, directory=directory, is_private=is_private, is_durable=is_durable
            )
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=directory)
            raise
        if is_durable and directory is not None:
            with suppress(
                OSError
            ):  # some FUSE file systems cannot sync a directory: the file is in its place
                os.fsync(directory)


def write_new_file(
    path: str,
    content: bytes,
    *,
    directory: int | None = None,
    is_private: bool = True,
    is_durable: bool = False,
) -> None:
    """Write a file that must not be there yet, with the mode and the durability of `replace_file`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600 if is_private else 0o666, dir_fd=directory)
    try:
        if is_private:
            os.fchmod(descriptor, 0o600)  # whatever the umask is
        _write_all(descriptor, content)
        if is_durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make(path: str) -> None:
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    # `sudo -E` keeps the user's HOME: root must not leave files there that they cannot remove.
    if os.stat(path).st_uid not in {0, os.geteuid()}:
        raise NotPrivate(f"{path} belongs to another user")
    for directory in reversed(missing):
        with suppress(FileExistsError):
            os.mkdir(directory, 0o700)
            os.chmod(directory, 0o700)  # whatever the umask is


def _check(path: str, status: os.stat_result, *, is_link: bool) -> None:
    if status.st_uid != os.geteuid():
        raise NotPrivate(f"{path} belongs to another user")
    if is_link and stat.S_IMODE(status.st_mode) & 0o077:
        raise NotPrivate(f"{path} is a link to a directory that others can read")


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
