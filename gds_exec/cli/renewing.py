"""`gds-exec renew [ROLE]...`: fresh sessions for what runs, and for what is to come."""

from __future__ import annotations

import time

from gds_exec import running
from gds_exec.again import session_arguments
from gds_exec.cli.messages import Messages
from gds_exec.cli.role_shell import role_shell_of
from gds_exec.cli.run import put_together
from gds_exec.cli.wiring import wired_cache
from gds_exec.environment import callers_environment
from gds_exec.errors import UsageError
from gds_exec.invocation import Invocation, duration_text, read_plainly
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def renew(invocations: Sequence[Invocation], environ: Mapping[str, str]) -> None:
    """Renew the session of each, as what runs has asked for it; without any, that of this role shell.

    Open shells and refreshed commands find it in the cache.
    """
    if not invocations:
        _renew(_of_this_shell(environ), None, environ)
    for invocation in invocations:
        for arguments in _requests(invocation, environ):
            _renew(arguments, invocation, environ)


def _requests(invocation: Invocation, environ: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return how the sessions of this role were asked for that are in use, or else as is asked now."""
    asked = session_arguments(invocation)
    if asked != session_arguments(Invocation(role=invocation.role)):
        return [asked]
    cache = wired_cache(callers_environment(environ), messages=Messages(quiet=True))
    in_use = [] if cache.directory is None else running.all_running(cache.directory)
    found = {record.key: record.arguments for record in in_use if record.role == invocation.role}
    return list(found.values()) or [asked]


def _renew(arguments: Sequence[str], how: Invocation | None, environ: Mapping[str, str]) -> None:
    invocation = read_plainly([*arguments, "--new-session", *_manners(how)], {})
    if invocation is None:
        raise UsageError(f"this cannot be renewed: {' '.join(map(show, arguments))}")
    run = put_together(invocation, environ)
    session = run.retrieve()
    if run.cache.directory is not None:
        for record in running.all_running(run.cache.directory):
            if record.kind == running.SHELL and record.key == run.provider.kept_under:
                running.tell(run.cache.directory, record)
    left = duration_text(round(session.seconds_left(time.time()) / 60) * 60)
    run.messages.notice(f"the session of {show(invocation.role)} is fresh: {left} left")


def _manners(how: Invocation | None) -> list[str]:
    if how is None:
        return []
    code = [f"--mfa-code={how.mfa_code}"] if how.mfa_code else []
    flags = [name for name, is_set in (("--no-input", how.no_input), ("--quiet", how.quiet)) if is_set]
    return [*code, *flags, f"--wait={how.wait_seconds}"]


def _of_this_shell(environ: Mapping[str, str]) -> tuple[str, ...]:
    record = role_shell_of(environ)
    if record is None:
        raise UsageError("which role?", hint="gds-exec renew ROLE; in a role shell it is that of the shell")
    return record.arguments
