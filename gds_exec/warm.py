"""A role whose session is cached reaches its command here, with next to no imports.

A run that went the long way leaves a *shortcut*: a few lines in the cache. They say what was asked
and every variable that may matter, which files were read and what stat said of them, and where
the session lies. While all that holds, the session is the right one. What is not plain is
declined: nothing is guessed here, nothing fails, nothing is said.
"""

import os
import time

from gds_exec.environment import (
    CI_MARKS,
    GITHUB_URL,
    PROFILE_VARIABLES,
    REGION_VARIABLES,
    Briefing,
    callers_environment,
    child_environment,
    is_github_actions,
)
from gds_exec.execute import look_up, replace_process
from gds_exec.options import OPTIONS
from gds_exec.session import (
    SHORTCUT_SUFFIX,
    cache_path,
    from_hex,
    open_if_private,
    put_off_until,
    read,
    read_checked_text,
    remainder,
    to_hex,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

    from gds_exec.invocation import Invocation
    from gds_exec.session import SessionCredentials

PACKAGE = os.path.dirname(os.path.abspath(__file__))  # which changes when gds-exec is upgraded
ABSENT = "absent"
_HEADER = "gds-exec shortcut 2"
# All that decides which session it is; no variable that may hold a secret, for they stand in the file.
_VARIABLES = frozenset(
    (
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_IAM",
        "AWS_ENDPOINT_URL_STS",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SHARED_CREDENTIALS_FILE",
        "CI",
        "HOME",
        *PROFILE_VARIABLES,
        *REGION_VARIABLES,
    )
)
# Of these it matters whether they are set: another source than a profile, which has no shortcut, or a CI.
_MARKS = frozenset(
    (
        GITHUB_URL,
        "AWS_ACCESS_KEY_ID",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        *CI_MARKS,
    )
)


class Shortcut:
    """Where a session lies in the cache, and what must still be true for it to be the right one.

    `asked` is all that was asked for, and in which environment; `arn` is the session's without its
    name, which may differ from one renewal to the next; `stamps` are what stat said of each file, by
    its path.
    """

    __slots__ = ("arn", "asked", "key", "region", "stamps")

    def __init__(self, key: str, *, asked: str, arn: str, region: str, stamps: "Mapping[str, str]") -> None:
        self.key = key
        self.asked = asked
        self.arn = arn
        self.region = region
        self.stamps = stamps


class Cached:
    """A session that the cache has for what is asked; `region` is the role's own."""

    __slots__ = ("is_put_off", "region", "session")

    def __init__(self, session: "SessionCredentials", *, region: str | None, is_put_off: bool) -> None:
        self.session = session
        self.region = region
        self.is_put_off = is_put_off


def serve(invocation: "Invocation", environ: "Mapping[str, str]") -> None:
    """Become the command, if the cache has all that is needed; return if it has not."""
    if not invocation.command or invocation.refresh:
        return
    caller = callers_environment(environ)
    cached = find_cached(invocation, caller)
    if cached is None:
        return
    command = look_up(invocation.command[0], path=caller.get("PATH"))
    minimum = invocation.min_remaining_seconds
    if command is not None and cached.session.can_begin(time.time(), min_remaining_seconds=minimum):
        try:
            briefing = briefing_of(invocation, region=cached.region)
            become(command, invocation.command, caller, cached.session, briefing)
        except Exception:  # noqa: BLE001  # the long way ends the same, and has the words for it
            return


def find_cached(invocation: "Invocation", caller: "Mapping[str, str]") -> Cached | None:
    """Return what the cache has for this, asked in the caller's own environment, however old it is."""
    # The runner of GitHub's is told first what is to be masked.
    is_silent = not is_github_actions(caller)
    directory = open_directory(caller) if is_silent and is_plain(invocation) else None
    if directory is None:
        return None
    try:
        return _cached(directory, asked_in(invocation, caller))
    finally:
        os.close(directory)


def open_directory(caller: "Mapping[str, str]") -> int | None:
    """Return a descriptor of the cache directory, if there is one that is private."""
    path = cache_path(caller, caller.get("HOME"))
    return None if path is None else open_if_private(path)


def print_at_once(data: bytes) -> bool:
    """Write all of it to standard output; return False, with nothing written, where that cannot be."""
    rest = data
    try:
        while rest:
            rest = rest[os.write(1, rest) :]
    except OSError:
        if rest is not data:
            os._exit(125)  # to begin again would print a part of it twice
        return False  # the long way meets the same, and has the words for it
    return True


def is_plain(invocation: "Invocation") -> bool:
    """Return whether it can be known without its profile which cached session will do."""
    is_once = invocation.new_session or invocation.mfa_code or invocation.mfa_max_age_seconds
    return not (is_once or invocation.ci_tags)  # which are of this very job


def become(
    path: str,
    argv: "Sequence[str]",
    environ: "Mapping[str, str]",
    session: "SessionCredentials",
    briefing: Briefing,
) -> "NoReturn":
    """Become the command at `path` with the session in its environment, which is the caller's otherwise.

    Raise `CommandNotFound` or `CommandNotExecutable` where the kernel will not have it.
    """
    replace_process(path, argv, child_environment(environ, session, briefing))


def briefing_of(invocation: "Invocation", *, region: str | None, lost_source: str | None = None) -> Briefing:
    """Return what a command is told that was asked for so; `region` is the role's own."""
    return Briefing(
        invocation.role,
        region=region,
        region_override=invocation.region,
        lost_source=lost_source,
        may_request_tokens=invocation.pass_id_token,
    )


def asked_in(invocation: "Invocation", environ: "Mapping[str, str]") -> str:
    """Return what is asked in this environment, the caller's own, so that nothing else makes this text."""
    said = vars(invocation)  # looking up each field by its name would take longer
    wanted = [
        said.get(row.field, row.default) if row.field else environ.get(row.variable or "")
        for row in OPTIONS
        if row.in_key
    ]
    variables = sorted((name, environ[name]) for name in _VARIABLES if name in environ)
    return repr((wanted, variables, sorted(name for name in _MARKS if environ.get(name))))


def file_of(asked: str) -> str:
    """Return the name of the file for what is asked.

    Two requests with the same name do no harm, because the file also contains the request.
    """
    return f"{remainder(asked.encode('utf-8', 'surrogatepass')):064x}{SHORTCUT_SUFFIX}"


def serialise(shortcut: Shortcut) -> str:
    """Return the text of a shortcut's file: what comes from files of the user's is in hexadecimal digits."""
    facts = [to_hex(shortcut.asked), shortcut.key, to_hex(shortcut.arn), to_hex(shortcut.region)]
    return "\n".join([_HEADER, *facts, *stamp_lines(shortcut.stamps), "end", ""])


def stamp(status: os.stat_result) -> str:
    """Return what tells one state of a file from another.

    The time of its last change of state is in it for an edit of the same length whose time of
    modification has been set back, as `cp -p` and `rsync -t` do.
    """
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def arn_without_name(session: "SessionCredentials") -> str:
    """Return the ARN of the role session up to its name, which we may have made up."""
    return session.arn.rpartition("/")[0]


def stamp_lines(stamps: "Mapping[str, str]") -> list[str]:
    return [f"{to_hex(path)}={stamp}" for path, stamp in stamps.items()]


def stamps_in(lines: list[str]) -> dict[str, str]:
    """Return what `stamp_lines` wrote down. Raise `ValueError` for anything else."""
    return {from_hex(path): stamp for path, _, stamp in (line.partition("=") for line in lines)}


def still_hold(stamps: "Mapping[str, str]") -> bool:
    """Return whether stat says of every file what it said before."""
    return bool(stamps) and all(_stamp_of(path) == stamp for path, stamp in stamps.items())


def _find(directory: int, asked: str) -> Shortcut | None:
    lines = (read_checked_text(directory, file_of(asked)) or "").split("\n")
    if len(lines) < 7 or lines[:2] != [_HEADER, to_hex(asked)] or lines[-2:] != ["end", ""]:
        return None
    key, arn, region, *stamps = lines[2:-2]
    try:
        return Shortcut(
            key, asked=asked, arn=from_hex(arn), region=from_hex(region), stamps=stamps_in(stamps)
        )
    except ValueError:
        return None


def _cached(directory: int, asked: str) -> Cached | None:
    shortcut = _find(directory, asked)
    session = read(directory, shortcut.key) if shortcut and still_hold(shortcut.stamps) else None
    if shortcut is None or session is None or arn_without_name(session) != shortcut.arn:
        return None
    is_put_off = put_off_until(directory, shortcut.key) > time.time()
    return Cached(session, region=shortcut.region or None, is_put_off=is_put_off)


def _stamp_of(path: str) -> str | None:
    try:
        return stamp(os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except (OSError, ValueError):  # ValueError: a path with a NUL
        return None
