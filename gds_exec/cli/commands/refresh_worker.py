"""A short-lived process that renews the session of a running command, for its keeper.

    python -P -m gds_exec.cli.commands.refresh_worker silently OPTION...
    python -P -m gds_exec.cli.commands.refresh_worker asking PID[,PID] COMMAND OPTION...

It prints the new session as the cache keeps it. One that asks pauses the command meanwhile, whose
pid is the first (the others are of no concern): it prints the pids of whom it pauses before it does.
"""

from __future__ import annotations

import os
import sys

from gds_exec.child.prctl import forbid_inspection
from gds_exec.cli.runtime import put_together
from gds_exec.error_boundary import guarded, leave
from gds_exec.errors import NobodyToAsk, UsageError
from gds_exec.execute import environment_as_given
from gds_exec.invocation import read_session_arguments
from gds_exec.lean import suppress
from gds_exec.output import Messages, printing
from gds_exec.refresher.handoff import ASKING
from gds_exec.session import serialise
from gds_exec.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping
    from typing import NoReturn

    from gds_exec.invocation import Invocation
    from gds_exec.session import SessionCredentials

    Environ = Mapping[str, str]
else:
    import _signal as signal

_PATIENCE_SECONDS = 60  # for which a command can be paused


def main() -> NoReturn:
    """Renew a session as the arguments say."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own way of it is an exception
    how, *arguments = sys.argv[1:]
    environ = environment_as_given()
    forbid_inspection()
    if how == ASKING:
        pids, command, *options = arguments
        leave(guarded(lambda: _ask(options, environ, pids=pids, command=command)))
    with suppress(OSError):  # we have one already, where it could be had from the start
        os.setsid()  # no terminal: no helper is to read there what is typed for the command
    leave(guarded(lambda: _renew(arguments, environ)))


def _renew(options: list[str], environ: Environ) -> None:
    run = put_together(_invocation(options), environ, messages=Messages(quiet=True), renewing=True)
    _print(run.provider.retrieve(with_person=False))


def _ask(options: list[str], environ: Environ, *, pids: str, command: str) -> None:
    from gds_exec.child.pausing import pausing
    from gds_exec.child.prctl import end_with
    from gds_exec.refresher.paused_prompt import Busy, Interlude

    end_with(os.getppid(), by=signal.SIGTERM)  # who is paused is to go on, and the terminal to be put right
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)  # who then reads from the background stops its whole group
    command_pid, *spared = map(int, pids.split(","))
    interlude = Interlude(
        command=command,
        reason="for its session ends soon",
        pausing=lambda: pausing(command_pid, spare=spared, announce=_announce),
    )
    run = put_together(
        _invocation(options).but(wait_seconds=_PATIENCE_SECONDS),
        environ,
        messages=Messages(quiet=True),
        renewing=True,
        open_terminal=lambda: Terminal.open(preparation=interlude.around),
        is_guest=True,
    )
    try:
        _print(run.provider.retrieve())
    except Busy:
        raise NobodyToAsk("the terminal is in use, and an MFA code is needed") from None


def _invocation(options: list[str]) -> Invocation:
    invocation = read_session_arguments(options)
    if invocation is None:
        raise UsageError("this process is for gds-exec itself")
    return invocation


def _announce(pids: list[int]) -> None:
    with printing():
        sys.stdout.write(f"{' '.join(map(str, pids))}\n")


def _print(session: SessionCredentials) -> None:
    with printing():
        sys.stdout.write(serialise(session))


if __name__ == "__main__":
    main()
