"""`gds-exec renew [ROLE]...`: fresh sessions for what runs, and for what is to come."""

from __future__ import annotations

import time

from gds_exec import process_registry
from gds_exec.cli.commands.shell import role_shell_of
from gds_exec.cli.runtime import put_together
from gds_exec.cli.wiring import wired_cache
from gds_exec.environment import callers_environment
from gds_exec.errors import UsageError
from gds_exec.hidden_subcommands import upgraded_shell
from gds_exec.invocation import Invocation, read_session_arguments, session_arguments
from gds_exec.options import SCOPE_ROWS, duration_text
from gds_exec.output import Messages
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from gds_exec.cli.runtime import Run
    from gds_exec.process_registry import Running


def renew(invocations: Sequence[Invocation], environ: Mapping[str, str]) -> None:
    """Renew the session of each role, in the way the running commands asked for it.

    Open shells and refreshed commands find it in the cache.
    """
    for asked in invocations:
        for invocation in _requests(asked, environ):
            _renew(invocation, environ)


def renew_this_shell(asked: Invocation, environ: Mapping[str, str], *, changed: AbstractSet[str]) -> None:
    """Renew the session of the role shell that called us, and tell the shell.

    The session is the one that the shell was opened with, except for the fields of `asked` in `changed`.
    """
    record = role_shell_of(environ)
    if record is None:
        raise UsageError("no role given", hint="gds-exec renew ROLE; only a role shell needs no ROLE")
    opened = _read(record.arguments).but(role=record.role)
    _renew(_as_asked(with_changes(opened, asked, changed), asked), environ, shell=record)


def with_changes(opened: Invocation, asked: Invocation, changed: AbstractSet[str]) -> Invocation:
    """Return what a shell was opened with, with the changed fields of `asked`. A scope changes as a whole."""
    scope = {row.field for row in SCOPE_ROWS}
    fields = changed if scope.isdisjoint(changed) else changed | scope
    return opened.but(**{name: getattr(asked, name) for name in fields})


def _requests(asked: Invocation, environ: Mapping[str, str]) -> list[Invocation]:
    """Return the requests for this role's sessions that are in use, or else the request of now."""
    arguments = session_arguments(asked)
    if arguments != session_arguments(Invocation(role=asked.role)):
        return [_as_asked(asked, asked)]
    cache = wired_cache(callers_environment(environ), messages=Messages(quiet=True))
    in_use = [] if cache.directory is None else process_registry.all_running(cache.directory)
    # A process of another version may have options that we cannot read. It says so itself.
    found = {
        record.key: read_session_arguments(record.arguments) for record in in_use if record.role == asked.role
    }
    requests = [invocation for invocation in found.values() if invocation is not None]
    return [_as_asked(one, asked) for one in requests or [_read(arguments)]]


def _renew(invocation: Invocation, environ: Mapping[str, str], *, shell: Running | None = None) -> None:
    run = put_together(invocation, environ)
    session = run.retrieve()
    if run.cache.directory is not None:
        _tell_shells(run, run.cache.directory, shell)
    left = duration_text(round(session.seconds_left(time.time()) / 60) * 60)
    run.messages.notice(f"the session of {show(invocation.role)} is fresh: {left} left")


def _tell_shells(run: Run, directory: int, this_shell: Running | None) -> None:
    """Tell each role shell that uses this session, and this shell, which may have used another."""
    key = run.provider.kept_under
    if this_shell is not None and key is not None:
        arguments = session_arguments(run.invocation)
        process_registry.note(directory, this_shell.but(key=key, arguments=arguments))
    for record in process_registry.all_running(directory):
        if record.kind == process_registry.SHELL and record.key == key:
            process_registry.tell(directory, record)


def _as_asked(session: Invocation, asked: Invocation) -> Invocation:
    """Return a request for that session anew, with the way of asking from `asked`."""
    how = {name: getattr(asked, name) for name in ("mfa_code", "no_input", "quiet", "wait_seconds")}
    return session.but(**how, new_session=True)


def _read(arguments: Sequence[str]) -> Invocation:
    invocation = read_session_arguments(arguments)
    if invocation is None:
        raise upgraded_shell()
    return invocation
