"""Removing files that killed processes left behind, and files that have expired.

The name of a file that belongs to a process contains its `process_mark`. The file is removed once that
process has ended. We cannot know that if a container or another host shares the home: then the file stays
for a day. So does a file of an older version, whose name has no mark.
"""

from __future__ import annotations

import os
import time

from gds_exec.credentials.private_directory import TEMPORARY_SUFFIX
from gds_exec.lean import contextmanager, suppress
from gds_exec.session import (
    COPY_SUFFIXES,
    NEWS_SUFFIX,
    PUT_OFF_SUFFIX,
    RECORD_SUFFIX,
    SHORTCUT_SUFFIX,
    SUFFIX,
    parse,
    read,
    read_private_text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gds_exec.session import SessionCredentials

UNFINISHED_SUFFIX = ".gds-exec.tmp"  # an AWS credentials file during a write
DIRECTORY_PREFIX = "gds-exec-"  # a directory for copies, if there is no cache
_DAY_SECONDS = 86_400
_LIMIT_BYTES = 1 << 20
_OF_A_PROCESS = (TEMPORARY_SUFFIX, *COPY_SUFFIXES)
_RECORDS = (RECORD_SUFFIX, NEWS_SUFFIX)
_SHORT_LIVED = (SHORTCUT_SUFFIX, PUT_OFF_SUFFIX)
# The older format. A refresher that started before an upgrade may still use it.
_OLD_SESSION_SUFFIX = ".session1"
_OLD_SHORT_LIVED = (
    *(".shortcut1", ".putoff", ".spent", ".device"),
    *(".running1", ".running1.renewed", ".running2", ".running2.renewed"),
)


def sweep(directory: int, *, now: float | None = None, with_older_format: bool = False) -> bool:
    """Sweep a cache directory; return whether a removed file had a long-lived access key.

    A file in the older format is removed once the older version does not need it either. With
    `with_older_format`, it is removed at once.
    """
    now = time.time() if now is None else now
    has_found_key = False
    for name in _names(directory):
        is_older_format = name.endswith((_OLD_SESSION_SUFFIX, *_OLD_SHORT_LIVED))
        if (with_older_format and is_older_format) or _is_useless(directory, name, now):
            has_found_key |= _remove(directory, name)
    return has_found_key


def sweep_beside(path: str, *, now: float | None = None) -> bool:
    """Remove files that killed writers of `path` left beside it; return the same as `sweep`."""
    now = time.time() if now is None else now
    if not path:
        return False
    parent, own_name = os.path.split(os.path.realpath(path))
    has_found_key = False
    with suppress(OSError), _opened(parent) as directory:
        for name in os.listdir(directory):
            mark = name.removeprefix(f".{own_name}.")
            is_of_this_file = mark != name and name.endswith(UNFINISHED_SUFFIX)
            if is_of_this_file and _is_left_behind(directory, name, now, mark=mark):
                has_found_key |= _remove(directory, name)
    return has_found_key


def sweep_copies(parent: str, *, now: float | None = None) -> bool:
    """Remove directories of copies that killed processes left in `parent`; return the same as `sweep`.

    A directory that holds anything else stays.
    """
    now = time.time() if now is None else now
    has_found_key = False
    with suppress(OSError), _opened(os.path.realpath(parent)) as directory:
        for name in os.listdir(directory):
            mark = name.removeprefix(DIRECTORY_PREFIX)
            if mark != name and _is_mark(mark) and _is_left_behind(directory, name, now, mark=mark):
                has_found_key |= _remove_copies(directory, name)
    return has_found_key


def _remove_copies(parent: int, name: str) -> bool:
    """Remove a directory of copies, if it is ours; return whether a long-lived access key went with it."""
    has_found_key = False
    with suppress(OSError), _opened(name, inside=parent) as directory:
        if os.fstat(directory).st_uid == os.geteuid():
            for copy in _names(directory):
                has_found_key |= copy.endswith(COPY_SUFFIXES) and _remove(directory, copy)
            os.rmdir(name, dir_fd=parent)
    return has_found_key


def _names(directory: int) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []  # a failed sweep must not stop the command


@contextmanager
def _opened(path: str, *, inside: int | None = None) -> Iterator[int]:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, dir_fd=inside)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove(directory: int, name: str) -> bool:
    """Remove a file of ours; return whether a long-lived access key went with it."""
    try:
        if os.stat(name, dir_fd=directory, follow_symlinks=False).st_uid != os.geteuid():
            return False
        has_key = name.endswith(_OF_A_PROCESS) and _has_long_lived_key(_read(directory, name))
        os.unlink(name, dir_fd=directory)
    except OSError:
        return False
    return has_key


def _is_useless(directory: int, name: str, now: float) -> bool:
    if name.endswith(_OF_A_PROCESS):
        return _is_left_behind(directory, name, now, mark=name)
    if name.endswith((*_SHORT_LIVED, *_OLD_SHORT_LIVED)):
        return _is_old(directory, name, now)
    if name.endswith(_RECORDS):
        return _has_ended(name) is True  # a role shell in a container may be open for days
    if name.endswith(SUFFIX):
        # Keep it a day longer: this clock may be ahead.
        return _is_old(directory, name, now) and _has_expired(
            read(directory, name.removesuffix(SUFFIX)), now - _DAY_SECONDS
        )
    if name.endswith(_OLD_SESSION_SUFFIX):
        session = parse(read_private_text(directory, name) or "")
        return _has_expired(session, now) and (session is not None or _is_old(directory, name, now))
    return False


def _is_mark(text: str) -> bool:
    from gds_exec.child.process_info import is_mark

    return is_mark(text)


def _is_left_behind(directory: int, name: str, now: float, *, mark: str) -> bool:
    has_ended = _has_ended(mark)
    return _is_old(directory, name, now) if has_ended is None else has_ended


def _has_ended(mark: str) -> bool | None:
    from gds_exec.child.process_info import has_ended  # most runs find no file with a mark

    return has_ended(mark)


def _is_old(directory: int, name: str, now: float) -> bool:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False).st_mtime < now - _DAY_SECONDS
    except OSError:
        return False  # another process has removed it


def _has_expired(session: SessionCredentials | None, now: float) -> bool:
    """Return whether a session has expired. A damaged file counts as expired."""
    return session is None or session.seconds_left(now) < 0


def _has_long_lived_key(text: str) -> bool:
    """Return whether a section of this AWS file has an access key without a session token."""
    from gds_exec.config.aws_files import SESSION_TOKENS, STATIC_KEYS  # most runs find no file with a mark
    from gds_exec.config.ini_lines import ini_lines

    lines = list(ini_lines(text))
    secrets = {line.header for line in lines if line.key == STATIC_KEYS[1]}
    return bool(secrets.difference(line.header for line in lines if line.key in SESSION_TOKENS))


def _read(directory: int, name: str) -> str:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with open(os.open(name, flags, dir_fd=directory), "rb") as file:
            return file.read(_LIMIT_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
