"""What a run that went the long way leaves for the next one: a shortcut to the same session."""

from __future__ import annotations

import os
import stat
import time

from gds_exec.warm import ABSENT, PACKAGE, Shortcut, arn_without_name, serialise, shortcut_name, stamp
from gds_exec.warm_names import names_file, serialise_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.credentials.cache import SessionCache
    from gds_exec.credentials.session import SessionCredentials
    from gds_exec.invocation import Invocation

# Two changes closer than this may leave the same times behind, on some file systems.
_UNSETTLED_SECONDS = 2


def remember_shortcut(
    cache: SessionCache,
    invocation: Invocation,
    environ: Mapping[str, str],
    files: AwsFiles,
    *,
    key: str,
    session: SessionCredentials,
    region: str | None,
    now: Callable[[], float] = time.time,
) -> None:
    """Remember where this session lies, if it can be known by stat alone that it will be the right one."""
    stamps = _stamps(files, now=now())
    if stamps is not None:
        shortcut = Shortcut(key, arn=arn_without_name(session), region=region or "", stamps=stamps)
        cache.keep_shortcut(shortcut_name(invocation, environ), serialise(shortcut))


def remember_names(
    cache: SessionCache,
    environ: Mapping[str, str],
    files: AwsFiles,
    names: Iterable[str],
    *,
    now: Callable[[], float] = time.time,
) -> None:
    """Remember the names of all roles, if it can be known by stat alone that they are all."""
    stamps = _stamps(files, now=now())
    if stamps is not None:
        cache.keep_shortcut(names_file(environ), serialise_names(names, stamps))


def _stamps(files: AwsFiles, *, now: float) -> dict[str, str] | None:
    """Return what stat says of every file that was read, or `None` where that does not tell a change."""
    statuses: list[tuple[str, os.stat_result | None]] = [(file.path, file.status) for file in files.read]
    statuses.append((PACKAGE, os.stat(PACKAGE)))
    if not files.is_location_plain or not all(_is_telling(status, now) for _, status in statuses):
        return None
    return {path: ABSENT if status is None else stamp(status) for path, status in statuses}


def _is_telling(status: os.stat_result | None, now: float) -> bool:
    if status is None:
        return True
    is_file = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return is_file and max(status.st_mtime, status.st_ctime) < now - _UNSETTLED_SECONDS
