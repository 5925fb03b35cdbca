"""Role shells: starting one, and renewing its session at a prompt or before a command."""

from __future__ import annotations

import os
import sys
import time

from gds_exec import process_registry
from gds_exec.child.lookup import installed_program
from gds_exec.cli.runtime import put_together
from gds_exec.cli.source_wiring import wanted_source
from gds_exec.credentials.mfa_sources import RENEWAL
from gds_exec.credentials.request import role_of
from gds_exec.credentials.silent_refresh import freshest
from gds_exec.delivery.role_shell import role_shell
from gds_exec.delivery.shell_syntax import SHELL_KINDS, shell_kind, statements
from gds_exec.environment import child_environment, credential_variables
from gds_exec.errors import NobodyToAsk, UsageError
from gds_exec.execute import replace_process
from gds_exec.expiry import expires_at, is_due, renew_at
from gds_exec.hidden_subcommands import upgraded_shell
from gds_exec.invocation import read_session_arguments, session_arguments
from gds_exec.options import duration_text
from gds_exec.output import printing
from gds_exec.redaction import show
from gds_exec.session import open_if_private
from gds_exec.warm import become

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping
    from typing import NoReturn

    from gds_exec.cli.runtime import Run
    from gds_exec.credentials.mfa_sources import Occasion
    from gds_exec.delivery.shell_syntax import ShellKind
    from gds_exec.process_registry import Running
    from gds_exec.session import SessionCredentials
else:
    import _signal as signal

RECORD = "GDS_EXEC_SHELL"
_NOT_RENEWED = 1
_DECLINED_SECONDS = 600
_HOW_TO_RENEW = "to be asked again, run: gds-exec renew"


def become_role_shell(path: str, run: Run, session: SessionCredentials) -> NoReturn:
    """Become the shell, with a hook that renews its session where it can have one."""
    kind = shell_kind(path)
    can_renew = session.expiration is not None and _is_interactive() and _finds_its_source(run)
    record = _record(path, run) if kind and can_renew else None
    if kind is None or record is None:
        if session.expiration is not None:
            run.messages.notice(f"this {os.path.basename(path)} keeps the session that it begins with")
        become(path, (path,), run.environ, session, run.briefing)
    environ = child_environment(run.environ, session, run.briefing)
    shell = role_shell(kind, path, environ=environ)
    changes = {
        **shell.changes,
        **_moments(session),
        RECORD: record,
        "GDS_EXEC_PROGRAM": installed_program(),
        "GDS_EXEC_PROMPT": _marker(run.invocation.role, session),
    }
    replace_process(path, shell.argv, _changed(environ, changes))


def renew_role_shell(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Print what gives the shell that calls us a renewed session; return 1 where there is none."""
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # the shell would wait for ever for who is stopped
    kind = checked_kind(" ".join(arguments))
    record = role_shell_of(environ)
    if record is None:
        raise UsageError("this is no role shell", hint="gds-exec ROLE opens one")
    invocation = read_session_arguments(record.arguments)
    if invocation is None:
        raise upgraded_shell()
    run = put_together(invocation, environ, occasion=_occasion(environ, now=time.time()))
    session = _renewed(record, run)
    if session is None or is_due(session, time.time()):
        return _NOT_RENEWED
    with printing():
        syntax = "fish" if kind == "fish" else "sh"
        sys.stdout.write(statements(syntax, {**credential_variables(session), **_moments(session)}))
    return 0


def role_shell_of(environ: Mapping[str, str]) -> Running | None:
    """Return the record of the role shell that we are called from. Raise `Upgraded` for another version."""
    path, _, name = environ.get(RECORD, "").rpartition("/")
    directory = open_if_private(path) if path else None
    if directory is None:
        return None
    try:
        process_registry.forget_news(directory, name)
        return process_registry.find(directory, name)
    finally:
        os.close(directory)


def _renewed(record: Running, run: Run) -> SessionCredentials | None:
    """Return the freshest session; None if none is valid and a person has just declined to give a code."""
    if run.provider.held() is None and run.cache.put_off_until(_put_off_key(record)) > time.time():
        return None
    try:
        return run.within_time(lambda: freshest(run.provider, run.cache, notice=run.messages.warn))
    except (NobodyToAsk, KeyboardInterrupt) as error:
        was_asked = error.was_asked if isinstance(error, NobodyToAsk) else True
        if was_asked and run.provider.held() is None:  # else `freshest` has put it off
            run.cache.put_off(_put_off_key(record), time.time() + _DECLINED_SECONDS)
        raise


def _put_off_key(record: Running) -> str:
    """Return a key for this shell alone: declining in one shell does not stop the question in another."""
    return f"{record.key}-{record.pid}"


def _occasion(environ: Mapping[str, str], *, now: float) -> Occasion:
    """Return why the shell asks for a code, as its marker shows it."""
    text = environ.get("GDS_EXEC_EXPIRES_AT", "")
    if not (text.isascii() and text.isdigit()):
        return RENEWAL.but(hint=_HOW_TO_RENEW)
    left = int(text) - now
    when = f"ends in {duration_text(60 * int(-(-left // 60)))}" if left > 0 else "has expired"
    return RENEWAL.but(reason=f"gds-exec: the session of this shell {when}", hint=_HOW_TO_RENEW)


def checked_kind(name: str) -> ShellKind:
    known = next((kind for kind in SHELL_KINDS if kind == name), None)
    if known is None:
        raise UsageError(
            f"there is no hook for {show(name)}", hint=f"there is one for {', '.join(SHELL_KINDS)}"
        )
    return known


def _record(path: str, run: Run) -> str | None:
    """Keep what the shell was opened with; return where, or None where that cannot be kept."""
    if run.cache.directory is None or run.cache.path is None:
        return None
    record = process_registry.this_process(
        process_registry.SHELL,
        role=run.invocation.role,
        program=os.path.basename(path),
        key=run.provider.kept_under or "",
        arguments=session_arguments(run.invocation),
    )
    name = process_registry.note(run.cache.directory, record)
    return None if name is None else os.path.join(run.cache.path, name)


def _moments(session: SessionCredentials) -> dict[str, str]:
    return {
        "GDS_EXEC_RENEW_AT": str(int(renew_at(session))),
        "GDS_EXEC_EXPIRES_AT": str(int(expires_at(session))),
    }


def _marker(role: str, session: SessionCredentials) -> str:
    name = role_of(role)[1] if role.startswith("arn:") else role
    account = session.arn.split(":")[4:5]
    return show(" ".join([name, *account]))


def _changed(environ: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in changes}
    return {**kept, **{name: value for name, value in changes.items() if value is not None}}


def _finds_its_source(run: Run) -> bool:
    """Say whether what the session began with is there again for the hook, which sees what the shell sees."""
    return run.briefing.lost_source is None or wanted_source(run.invocation).token is not None


def _is_interactive() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
