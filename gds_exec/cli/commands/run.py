"""`gds-exec ROLE -- COMMAND`: from what was asked, whoever has read it, to becoming the command."""

from __future__ import annotations

import os
import sys

from gds_exec.cli.runtime import put_together
from gds_exec.environment import callers_environment
from gds_exec.errors import CommandNotFound, UnknownRole, UsageError
from gds_exec.exec_errors import check_format
from gds_exec.execute import find_command
from gds_exec.output import debug
from gds_exec.warm import become

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from gds_exec.invocation import Invocation


def run_as_role(invocation: Invocation, environ: Mapping[str, str]) -> NoReturn:
    """Become the command, with the role's credentials in its environment."""
    try:
        command = _find_command(invocation, callers_environment(environ))
        run = put_together(invocation, environ)
    except (CommandNotFound, UnknownRole) as error:
        from gds_exec.cli.hints import with_habit  # only a failure needs it

        raise with_habit(error, invocation) from error.__cause__
    session = run.retrieve()
    run.remember(session)
    debug(f"becoming {os.path.basename(command)}")
    wants_refresh = invocation.refresh or (run.profile.refresh and invocation.command)
    if wants_refresh and session.expiration is not None:
        from gds_exec.cli.commands.refresh import become_refreshed  # only for who stays

        become_refreshed(command, run, session)
    elif not invocation.command:
        from gds_exec.cli.commands.shell import become_role_shell

        become_role_shell(command, run, session)
    else:
        become(command, invocation.command, run.environ, session, run.briefing)


def obey(
    invocation: Invocation,
    environ: Mapping[str, str],
    *,
    run_role: Callable[[Invocation, Mapping[str, str]], object] = run_as_role,
) -> None:
    """Become the command, or do what the subcommand says."""
    if invocation.subcommand:
        from gds_exec.cli.commands.credential_process import print_document  # most runs have a command

        print_document(invocation, environ)
    else:
        run_role(invocation, environ)


def _find_command(invocation: Invocation, environ: Mapping[str, str]) -> str:
    """Return the file to execute, found before anything is asked."""
    name = invocation.command[0] if invocation.command else _shell(invocation, environ)
    if not name.isascii():
        from gds_exec.cli.hints import check_dashes  # and hardly ever this one

        check_dashes(invocation)
    path = find_command(name, path=environ.get("PATH"))
    check_format(path)
    return path


def _shell(invocation: Invocation, environ: Mapping[str, str]) -> str:
    from gds_exec.child.lookup import user_shell

    if not (invocation.shell or _is_at_terminal()):
        raise UsageError(
            "there is no command to run, and no terminal for a shell",
            hint="gds-exec ROLE -- COMMAND [ARG]..., or for eval: gds-exec ROLE -e",
        )
    return user_shell(environ)


def _is_at_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
