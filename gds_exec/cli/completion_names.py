"""The list of all roles that a shell completes from: a TAB reads it, and starts no Python.

Its first line says which files it is of; each other is a name, a tab, and what the role is.
"""

from __future__ import annotations

import os

from gds_exec.config.profiles import profile_names
from gds_exec.credentials.private_directory import write_atomically
from gds_exec.lean import suppress
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.config.aws_files import AwsFiles, FileRead
    from gds_exec.config.aws_ini import Section
    from gds_exec.credentials.cache import SessionCache

NAMES = "names"
_HEADER = "# gds-exec names 1"
# Two changes closer than this may leave the same times behind, on some file systems.
_UNSETTLED_SECONDS = 2
_MANY = 500  # which take 2 ms


def write_names(cache: SessionCache, files: AwsFiles, *, read_at: float) -> None:
    """Write the list, unless a shell could not know by the files' times that it is of these.

    It is dated before `read_at`, in seconds since the epoch, when the files began to be read: who edits
    one at that moment makes it old.
    """
    date = read_at - _UNSETTLED_SECONDS
    if cache.directory is None or not files.is_location_plain or _last_change(files) >= date:
        return
    with suppress(OSError):
        write_atomically(cache.directory, NAMES, _text(files), is_durable=False)
        os.utime(NAMES, (date, date), dir_fd=cache.directory)


def renew_names(cache: SessionCache, files: AwsFiles, *, read_at: float) -> None:
    """Write the list if there is none, or one that is older than the files.

    A very long one, for which a command would wait, is left to the first TAB, which asks `gds-exec roles`.
    """
    if cache.directory is None or len(files.profiles) > _MANY:
        return
    if _date(cache.directory) <= _last_change(files):
        write_names(cache, files, read_at=read_at)


def forget_names(cache: SessionCache) -> None:
    """Remove the list. The next run, or the next TAB, writes it anew."""
    if cache.directory is not None:
        with suppress(OSError):
            os.unlink(NAMES, dir_fd=cache.directory)


def _last_change(files: AwsFiles) -> float:
    return max((file.status.st_mtime for file in files.read if file.status is not None), default=0)


def _date(directory: int) -> float:
    try:
        return os.stat(NAMES, dir_fd=directory, follow_symlinks=False).st_mtime
    except OSError:
        return 0


def _text(files: AwsFiles) -> str:
    header = "\t".join([_HEADER, _path(files.config_file), _path(files.credentials_file)])
    roles = (f"{show(name)}\t{show(_what_it_is(files.profiles[name]))}" for name in profile_names(files))
    return "".join(f"{line}\n" for line in (header, *roles))


def _path(file: FileRead) -> str:
    """Return the path, or nothing for a file that was not there: once it is, the list is of other files."""
    return show(file.path) if file.status is not None else ""


def _what_it_is(section: Section) -> str:
    settings = (section.get(key) for key in ("role_arn", "source_profile"))
    return next((setting.value for setting in settings if setting and isinstance(setting.value, str)), "")
