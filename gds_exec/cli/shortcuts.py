"""What a run that went the long way leaves for the next one: a shortcut to the same session."""

from __future__ import annotations

import os
import stat

from gds_exec.warm import ABSENT, PACKAGE, Shortcut, arn_without_name, asked_in, file_of, serialise, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.credentials.cache import SessionCache
    from gds_exec.invocation import Invocation
    from gds_exec.session import SessionCredentials

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
    read_at: float,
) -> None:
    """Remember where this session lies, if it can be known by stat alone that it will be the right one.

    The files were read at `read_at`, or later, in seconds since the epoch.
    """
    stamps = _stamps(files, read_at=read_at)
    if stamps is not None:
        asked = asked_in(invocation, environ)
        arn = arn_without_name(session)
        shortcut = Shortcut(key, asked=asked, arn=arn, region=region or "", stamps=stamps)
        cache.keep_shortcut(file_of(asked), serialise(shortcut))


def remember_names(
    cache: SessionCache,
    environ: Mapping[str, str],
    files: AwsFiles,
    names: Iterable[str],
    *,
    read_at: float,
) -> None:
    """Remember the names of all roles, if it can be known by stat alone that they are all."""
    from gds_exec.warm_names import asked_for_names, serialise_names

    stamps = _stamps(files, read_at=read_at)
    if stamps is not None:
        asked = asked_for_names(environ)
        cache.keep_shortcut(file_of(asked), serialise_names(asked, names, stamps))


def _stamps(files: AwsFiles, *, read_at: float) -> dict[str, str] | None:
    """Return what stat says of every file that was read, or `None` where that does not tell a change."""
    statuses: list[tuple[str, os.stat_result | None]] = [(file.path, file.status) for file in files.read]
    statuses.append((PACKAGE, os.stat(PACKAGE)))
    if not files.is_location_plain or not all(_is_telling(status, read_at) for _, status in statuses):
        return None
    return {path: ABSENT if status is None else stamp(status) for path, status in statuses}


def _is_telling(status: os.stat_result | None, read_at: float) -> bool:
    if status is None:
        return True
    is_file = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return is_file and max(status.st_mtime, status.st_ctime) < read_at - _UNSETTLED_SECONDS
