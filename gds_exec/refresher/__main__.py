"""The refresher's entry: gds-exec itself, executed anew with nothing loaded, to stay for long.

    python -P -m gds_exec.refresher DESCRIPTOR PATH COMMAND [ARG]...     above the command
    python -P -m gds_exec.refresher DESCRIPTOR                           beside it

The command stands here only to be executed, and for those who look at the list of processes.
"""

from __future__ import annotations

import gc
import os
import sys

from gds_exec.child.foreground import end_like
from gds_exec.child.prctl import forbid_inspection, let_go, open_descriptors
from gds_exec.error_boundary import guarded
from gds_exec.execute import environment_as_given, open_standard_streams
from gds_exec.output import say
from gds_exec.refresher.handoff import receive
from gds_exec.refresher.private_files import private_files_of
from gds_exec.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

    from gds_exec.refresher.handoff import Handoff, Sidecar

_STANDARD_ERROR = 2


def main() -> NoReturn:
    """Keep a command's session fresh until it ends, and end as it does."""
    open_standard_streams()
    environ = environment_as_given()
    forbid_inspection()  # before the session is read
    statuses: list[int] = []
    failure = guarded(lambda: _keep(environ, *sys.argv[1:], note_status=statuses.append))
    if statuses:
        end_like(statuses[0])
    os._exit(failure)


def _keep(
    environ: Mapping[str, str], descriptor: str, *argv: str, note_status: Callable[[int], None]
) -> None:
    handoff, beside = receive(int(descriptor))
    with private_files_of(handoff):
        _keep_handed_over(handoff, beside, argv, environ, note_status)


def _keep_handed_over(
    handoff: Handoff,
    beside: Sidecar | None,
    argv: Sequence[str],
    environ: Mapping[str, str],
    note_status: Callable[[int], None],
) -> None:
    inherited = open_descriptors()
    gc.freeze()  # what is loaded now stays: it need not be looked through again and again
    if beside is not None:
        from gds_exec.refresher.sidecar import run_sidecar

        let_go(
            number for number in inherited if number not in (_STANDARD_ERROR, beside.listener, beside.stderr)
        )
        run_sidecar(handoff, beside, environ, say=say)
        return
    from gds_exec.refresher.parent import run_refreshed

    path, *command = argv
    terminal = Terminal.open()
    note_status(
        run_refreshed(
            handoff,
            command,
            path,
            environ,
            terminal=terminal,
            say=_say_to(terminal),
            inherited=inherited,
        )
    )


def _say_to(terminal: Terminal | None) -> Callable[[str], None]:
    """Return what speaks to the person, wherever the command's standard error goes."""

    def say_it(text: str) -> None:
        if terminal is not None and terminal.is_foreground():
            terminal.say(f"gds-exec: {text}")
        else:
            say(text)

    return say_it


if __name__ == "__main__":
    main()
