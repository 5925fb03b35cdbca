"""The AWS credentials file, written: a profile at a time, whole or not at all.

Only what a person asks for by name is written there, and nobody but its owner can read it then.
"""

from __future__ import annotations

import fcntl
import os
import stat

from gds_exec.child.process_info import process_mark
from gds_exec.config.aws_ini import parse
from gds_exec.credentials.leftovers import UNFINISHED_SUFFIX
from gds_exec.delivery.written_profile import with_profile, without_profile
from gds_exec.errors import BrokenFile, OutputFailed, UnknownRole
from gds_exec.lean import contextmanager, suppress
from gds_exec.redaction import show
from gds_exec.signals import all_blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def write_profile(path: str, name: str, settings: Mapping[str, str]) -> None:
    """Write the settings into `[name]` of the credentials file at `path`, which is made if need be.

    A link stays one: the file that it leads to is written. Raise `OutputFailed`, or `BrokenFile`, where
    the file is left as it was.
    """
    _change(path, lambda text: with_profile(text, name, settings))


def remove_profile(path: str, name: str) -> None:
    """Remove what `write_profile` wrote into `[name]` of the credentials file at `path`.

    Raise `UnknownRole` if there is no such section, and `OutputFailed` or `BrokenFile` as `write_profile`.
    """
    missing = UnknownRole(
        f"no profile is named '{show(name)}' in {show(path)}",
        hint="check the name, and the path in AWS_SHARED_CREDENTIALS_FILE",
    )

    def without(text: str) -> str:
        changed = without_profile(text, name)
        if changed is None:
            raise missing
        return changed

    if not os.path.exists(path):
        raise missing
    _change(path, without)


def _change(path: str, change: Callable[[str], str]) -> None:
    target = os.path.realpath(path)
    try:
        with _locked_directory(os.path.dirname(target)) as directory, all_blocked():
            text = _read(directory, os.path.basename(target), path=path)
            _replace(directory, os.path.basename(target), change(text).encode())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputFailed(f"{show(path)} cannot be written: {reason}") from error


@contextmanager
def _locked_directory(path: str) -> Iterator[int]:
    """Yield a descriptor of the directory, made if need be; no other gds-exec writes into it inside."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # The directory's own lock leaves no file behind. NFS has none for what is open to be read only.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _read(directory: int, name: str, *, path: str) -> str:
    """Return the text of the file, none where there is no file; raise for one that we must not write."""
    try:
        status = os.stat(name, dir_fd=directory)
    except FileNotFoundError:
        _check_owner(os.fstat(directory), path)
        return ""
    if not stat.S_ISREG(status.st_mode):
        raise OutputFailed(f"{show(path)} cannot be written: it is not a regular file")
    _check_owner(status, path)
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory), "rb") as file:
        return _checked(file.read(), path)


def _check_owner(status: os.stat_result, path: str) -> None:
    # `sudo -E` keeps the user's HOME: root must not leave a file there that they cannot read.
    if status.st_uid not in {0, os.geteuid()}:
        raise OutputFailed(f"{show(path)} cannot be written: it belongs to another user")


def _checked(content: bytes, path: str) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = None
    if text is None:  # raised outside the handler: a UnicodeDecodeError carries the whole file
        raise BrokenFile(f"{show(path)} is not UTF-8")
    parse(text, path=path)
    return text


def _replace(directory: int, name: str, content: bytes) -> None:
    temporary = f".{name}.{process_mark(os.getpid())}{UNFINISHED_SUFFIX}"
    try:
        _write(directory, temporary, content)
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=directory)
        raise
    with suppress(OSError):  # some FUSE file systems cannot sync a directory: the file is in its place
        os.fsync(directory)


def _write(directory: int, name: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(name, flags, 0o600, dir_fd=directory), "wb") as file:
        os.fchmod(file.fileno(), 0o600)  # whatever the umask is
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
