"""`gds-exec ROLE -- COMMAND`: from what was asked to becoming the command."""

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from gds_exec.child.refusal import check_format
from gds_exec.child.replacement import find_command, replace_process
from gds_exec.child.user_shell import user_shell
from gds_exec.cli.messages import Messages
from gds_exec.cli.wiring import wired_files, wired_provider
from gds_exec.config.profiles import find_profile
from gds_exec.delivery.environment import callers_environment, child_environment
from gds_exec.errors import UsageError
from gds_exec.invocation import Invocation

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """The file to execute, found before anything is asked, and the arguments it gets."""

    path: str
    argv: tuple[str, ...]


def run_as_role(invocation: Invocation, environ: Mapping[str, str]) -> NoReturn:
    """Become the command, with the role's credentials in its environment."""
    environ = callers_environment(environ)
    command = _find(invocation, environ)
    messages = Messages(quiet=invocation.quiet)
    profile = find_profile(
        wired_files(environ), invocation.role, environ=environ, source_profile=invocation.source_profile
    )
    for warning in profile.warnings:
        messages.warn(warning)
    session = wired_provider(profile, invocation, environ, messages=messages).retrieve()
    child_environ = child_environment(
        environ, session, role=invocation.role, region=profile.region, region_override=invocation.region
    )
    log.debug("becoming %s", os.path.basename(command.path))
    replace_process(command.path, command.argv, child_environ)


def _find(invocation: Invocation, environ: Mapping[str, str]) -> Command:
    argv = invocation.command or (_shell(invocation, environ),)
    path = find_command(argv[0], path=environ.get("PATH"))
    check_format(path)
    return Command(path, argv)


def _shell(invocation: Invocation, environ: Mapping[str, str]) -> str:
    if not (invocation.shell or _is_at_terminal()):
        raise UsageError(
            "there is no command to run, and no terminal for a shell",
            hint="gds-exec ROLE -- COMMAND [ARG]...",
        )
    return user_shell(environ)


def _is_at_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
