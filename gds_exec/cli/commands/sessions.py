"""`gds-exec sessions`: what is cached and what runs, with the time that is left; and `sessions clear`."""

from __future__ import annotations

import sys
import time

from gds_exec import process_registry
from gds_exec.cli import render
from gds_exec.cli.completion_names import forget_names
from gds_exec.cli.next_step import moment
from gds_exec.cli.wiring import sweep_leftovers, wired_cache, wired_files, wired_locks
from gds_exec.config.profiles import find_profile
from gds_exec.credentials.request import AssumeRoleRequest, is_answer_for
from gds_exec.environment import callers_environment
from gds_exec.options import DEFAULT_WAIT_SECONDS, duration_text
from gds_exec.output import Messages, printing
from gds_exec.redaction import show
from gds_exec.session import iso_time
from gds_exec.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gds_exec.credentials.cache import Kept
    from gds_exec.process_registry import Running

    Line = dict[str, str | int | None]


def sessions(environ: Mapping[str, str], *, as_json: bool) -> None:
    """Print the sessions that are cached and still good, and what uses one on this machine."""
    cache = wired_cache(callers_environment(environ), messages=Messages())
    now = time.time()
    kept = {found.key: found for found in cache.all_kept() if found.session.seconds_left(now) > 0}
    in_use = [] if cache.directory is None else process_registry.all_running(cache.directory)
    found = {
        "sessions": [_of_session(session, now) for session in kept.values()],
        "running": [_of_running(record, kept.get(record.key), now) for record in in_use],
    }
    with printing():
        sys.stdout.write(render.as_json(found) if as_json else _as_text(found))


def clear_sessions(environ: Mapping[str, str], *, role: str | None) -> None:
    """Forget the cached sessions, or those of one role. What runs keeps what it has until it ends.

    A renewal in flight is waited for, so that it does not bring back what has been forgotten.
    """
    environ = callers_environment(environ)
    messages = Messages()
    cache = wired_cache(environ, messages=messages)
    terminal = Terminal.open()
    locks = wired_locks(cache, terminal, messages=messages, timeout_seconds=DEFAULT_WAIT_SECONDS)
    is_meant = _meant_by(role, environ)
    # Those that open roles first: who is renewing both makes the role's after it.
    keys = [kept.key for kept in sorted(cache.all_kept(), key=_is_of_role) if is_meant(kept)]
    for key in keys:
        with locks.hold(key):
            cache.drop(key)
    sweep_leftovers(cache, environ, messages=messages, is_thorough=role is None)
    forget_names(cache)  # it has no checksum, for shells read it
    messages.notice(f"{len(keys)} cached session{'' if len(keys) == 1 else 's'} forgotten")


def _is_of_role(kept: Kept) -> bool:
    return bool(kept.session.arn)


def _meant_by(role: str | None, environ: Mapping[str, str]) -> Callable[[Kept], bool]:
    if role is None:
        return lambda _kept: True
    profile = find_profile(wired_files(environ), role, environ=environ)
    if not profile.roles:
        return lambda kept: kept.about == profile.mfa_serial
    request = AssumeRoleRequest(profile.roles[-1].role_arn, 0)
    return lambda kept: _is_of_role(kept) and is_answer_for(kept.session.arn, request)


def _of_session(kept: Kept, now: float) -> Line:
    session = kept.session
    return {
        "kind": "role" if _is_of_role(kept) else "mfa",
        "name": kept.about,
        "arn": session.arn or None,
        "expiration": moment(session),
        "seconds_left": int(session.seconds_left(now)),
    }


def _of_running(record: Running, kept: Kept | None, now: float) -> Line:
    return {
        "kind": record.kind,
        "role": record.role,
        "program": record.program,
        "pid": record.pid,
        "since": iso_time(record.since),
        "seconds_left": int(kept.session.seconds_left(now)) if kept else None,
    }


def _as_text(found: Mapping[str, list[Line]]) -> str:
    return render.aligned(_row(line) for lines in found.values() for line in lines)


def _row(line: Line) -> tuple[str, str, str, str]:
    """Return a line's kind, name, time left, and what tells it from others."""
    left = line["seconds_left"]
    detail = line["arn"] if "arn" in line else f"{line['program']} (pid {line['pid']})"
    return (
        str(line["kind"]),
        show(str(line["name"] if "name" in line else line["role"])),
        f"{duration_text(int(left) // 60 * 60)} left" if isinstance(left, int) else "not cached",
        show(str(detail or "")),
    )
