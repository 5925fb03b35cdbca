"""With a terminal: the refresher is the command's parent, and behaves as if it were not there."""

from __future__ import annotations

import os
import termios

from gds_exec.child.prctl import let_go
from gds_exec.child.supervisor import Supervisor
from gds_exec.environment import endpoint_environment
from gds_exec.lean import suppress
from gds_exec.refresher.endpoint import bind, new_token
from gds_exec.refresher.loop import RefreshLoop, recorded
from gds_exec.refresher.paused_prompt import can_ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gds_exec.refresher.handoff import Handoff
    from gds_exec.terminal import Mode, Terminal

_STANDARD_ERROR = 2


def run_refreshed(
    handoff: Handoff,
    argv: Sequence[str],
    path: str,
    environ: Mapping[str, str],
    *,
    terminal: Terminal | None,
    say: Callable[[str], None],
    inherited: Sequence[int] = (),
) -> int:
    """Run the program at `path` with a session that is kept fresh; return its wait status.

    Of the `inherited` descriptors, which are the command's, only standard error stays open with us.
    Raise `CommandNotFound` or `CommandNotExecutable` where the kernel will not have it.
    """
    name = os.path.basename(path)
    paused_prompt = _PromptOfCommand(terminal if handoff.may_ask else None, name)
    with recorded(handoff, name):
        return _keep(handoff, argv, path, environ, paused_prompt=paused_prompt, say=say, inherited=inherited)


def _keep(
    handoff: Handoff,
    argv: Sequence[str],
    path: str,
    environ: Mapping[str, str],
    *,
    paused_prompt: _PromptOfCommand,
    say: Callable[[str], None],
    inherited: Sequence[int],
) -> int:
    listener, token = bind(), new_token()
    loop = RefreshLoop(handoff, environ, listener=listener, token=token, say=say, paused_prompt=paused_prompt)
    supervisor = paused_prompt.supervisor = Supervisor(loop.selector)
    supervisor.on_passed = loop.heed
    child_environ = endpoint_environment(
        environ,
        handoff.briefing,
        url=loop.url,
        token=token,
        config_file=handoff.private_files[0] if handoff.private_files else None,
        credentials_file=handoff.private_files[1] if handoff.private_files else None,
    )
    try:
        supervisor.start(argv, path, child_environ, mask=handoff.blocked_signals)
        let_go(number for number in inherited if number != _STANDARD_ERROR)
        while supervisor.status is None:
            loop.turn()
    finally:
        supervisor.close()  # first, for it is part of the other's loop
        loop.close()
    return supervisor.status


class _PromptOfCommand:
    """Asking a person at the terminal that the command has."""

    def __init__(self, terminal: Terminal | None, command: str) -> None:
        self._terminal = terminal
        self._command = command
        self._mode: Mode | None = None
        self.supervisor: Supervisor | None = None

    def can_ask(self) -> bool:
        return self._terminal is not None and can_ask(self._terminal)

    def put_right(self) -> None:
        if self._terminal is not None and self._mode is not None and self._terminal.is_foreground():
            with suppress(termios.error):
                termios.tcsetattr(self._terminal.fileno(), termios.TCSANOW, self._mode)

    def fields(self) -> list[str]:
        if self._terminal is not None:
            with suppress(termios.error):
                self._mode = termios.tcgetattr(self._terminal.fileno())
        pause, spare = (self.supervisor.pid, self.supervisor.witness_pid) if self.supervisor else (None, None)
        return [f"pause={pause}", f"spare={spare or ''}", f"command={self._command}"]
