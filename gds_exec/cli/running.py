"""`gds-exec ROLE -- COMMAND`: from what was asked to becoming the command."""

from __future__ import annotations

import os
import sys
import time

from gds_exec.child.refusal import check_format
from gds_exec.child.replacement import find_command
from gds_exec.cli.messages import Messages, debug
from gds_exec.cli.wiring import wired_cache, wired_files, wired_provider
from gds_exec.config.profiles import find_profile
from gds_exec.delivery.environment import callers_environment
from gds_exec.errors import UsageError
from gds_exec.warm import become

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from gds_exec.invocation import Invocation


def run_as_role(invocation: Invocation, environ: Mapping[str, str]) -> NoReturn:
    """Become the command, with the role's credentials in its environment."""
    environ = callers_environment(environ)
    command = _find_command(invocation, environ)
    messages = Messages(quiet=invocation.quiet)
    read_at = time.time()
    files = wired_files(environ)
    profile = find_profile(files, invocation.role, environ=environ, source_profile=invocation.source_profile)
    for warning in profile.warnings:
        messages.warn(warning)
    cache = wired_cache(environ, messages=messages)
    provider = wired_provider(profile, invocation, environ, cache=cache, messages=messages)
    session = provider.retrieve()
    if provider.kept_under is not None and messages.is_silent:
        from gds_exec.cli.remembering import remember_shortcut

        remember_shortcut(
            cache,
            invocation,
            environ,
            files,
            key=provider.kept_under,
            session=session,
            region=profile.region,
            read_at=read_at,
        )
    debug(f"becoming {os.path.basename(command)}")
    become(command, invocation, environ, session, region=profile.region)


def _find_command(invocation: Invocation, environ: Mapping[str, str]) -> str:
    """Return the file to execute, found before anything is asked."""
    name = invocation.command[0] if invocation.command else _shell(invocation, environ)
    path = find_command(name, path=environ.get("PATH"))
    check_format(path)
    return path


def _shell(invocation: Invocation, environ: Mapping[str, str]) -> str:
    from gds_exec.child.user_shell import user_shell

    if not (invocation.shell or _is_at_terminal()):
        raise UsageError(
            "there is no command to run, and no terminal for a shell",
            hint="gds-exec ROLE -- COMMAND [ARG]...",
        )
    return user_shell(environ)


def _is_at_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
