"""The hidden subcommand `refresh-worker`: renew the session of a running command, for its refresher.

It prints the new session as the cache keeps it. `silently` means that nobody is asked. A worker that asks
pauses the command meanwhile, and first prints the pids that it pauses.
"""

from __future__ import annotations

import os
import sys

from gds_exec.cli.runtime import put_together
from gds_exec.credentials.mfa_sources import RENEWAL
from gds_exec.errors import NobodyToAsk
from gds_exec.hidden_subcommands import upgraded_command
from gds_exec.invocation import read_session_arguments
from gds_exec.lean import suppress
from gds_exec.output import Messages, printing
from gds_exec.refresher.handoff import ASKING, PAUSED, SILENTLY
from gds_exec.session import serialise
from gds_exec.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping

    from gds_exec.invocation import Invocation
    from gds_exec.session import SessionCredentials

    Environ = Mapping[str, str]
else:
    import _signal as signal

_PATIENCE_SECONDS = 60  # for which a command can be paused


def renew_for_refresher(arguments: list[str], environ: Environ) -> int:
    """Renew a session as the arguments say, and print it."""
    how, *rest = arguments or [""]
    options = [argument for argument in rest if argument.startswith("-")]
    if how == ASKING:
        _ask(options, environ, dict(field.split("=", 1) for field in rest if field not in options))
    elif how == SILENTLY:
        _renew(options, environ)
    else:
        raise upgraded_command()
    return 0


def _renew(options: list[str], environ: Environ) -> None:
    with suppress(OSError):  # we already lead a session
        os.setsid()  # no terminal: no helper is to read there what is typed for the command
    run = put_together(_invocation(options), environ, messages=Messages(quiet=True), occasion=RENEWAL)
    _print(run.provider.retrieve(with_person=False))


def _ask(options: list[str], environ: Environ, fields: Mapping[str, str]) -> None:
    from gds_exec.child.pausing import pausing
    from gds_exec.child.prctl import end_with
    from gds_exec.refresher.paused_prompt import Busy, PausedPrompt

    end_with(os.getppid(), by=signal.SIGTERM)  # who is paused is to go on, and the terminal to be put right
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)  # who then reads from the background stops its whole group
    if {"pause", "spare", "command"} - fields.keys():
        raise upgraded_command()
    command_pid, spared = int(fields["pause"]), [int(pid) for pid in fields["spare"].split()]
    paused_prompt = PausedPrompt(
        command=fields["command"],
        reason="for its session ends soon",
        pausing=lambda: pausing(command_pid, spare=spared, announce=_announce),
    )
    run = put_together(
        _invocation(options).but(wait_seconds=_PATIENCE_SECONDS),
        environ,
        messages=Messages(quiet=True),
        open_terminal=lambda: Terminal.open(preparation=paused_prompt.around),
        occasion=RENEWAL.but(is_guest=True),
    )
    try:
        _print(run.provider.retrieve())
    except Busy:
        raise NobodyToAsk("the terminal is in use, and an MFA code is needed") from None


def _invocation(options: list[str]) -> Invocation:
    invocation = read_session_arguments(options)
    if invocation is None:
        raise upgraded_command()
    return invocation


def _announce(pids: list[int]) -> None:
    with printing():
        sys.stdout.write("".join(f"{PAUSED}={pid}\n" for pid in pids))


def _print(session: SessionCredentials) -> None:
    with printing():
        sys.stdout.write(serialise(session))
