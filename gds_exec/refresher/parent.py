"""With a terminal: the keeper is the command's parent, and behaves as if it were not there."""

from __future__ import annotations

import os
import termios

from gds_exec.child.prctl import let_go
from gds_exec.child.supervisor import Supervisor
from gds_exec.environment import endpoint_environment
from gds_exec.lean import suppress
from gds_exec.refresher.endpoint import bind, new_token
from gds_exec.refresher.loop import Keeping, recorded
from gds_exec.refresher.paused_prompt import can_ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gds_exec.refresher.handoff import Handover
    from gds_exec.terminal import Mode, Terminal

_STANDARD_ERROR = 2


def keep_command(
    handover: Handover,
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
    interlude = _Interlude(terminal if handover.may_ask else None, name)
    with recorded(handover, name):
        return _keep(handover, argv, path, environ, interlude=interlude, say=say, inherited=inherited)


def _keep(
    handover: Handover,
    argv: Sequence[str],
    path: str,
    environ: Mapping[str, str],
    *,
    interlude: _Interlude,
    say: Callable[[str], None],
    inherited: Sequence[int],
) -> int:
    listener, token = bind(), new_token()
    keeping = Keeping(handover, environ, listener=listener, token=token, say=say, interlude=interlude)
    supervisor = interlude.supervisor = Supervisor(keeping.selector)
    supervisor.on_passed = keeping.heed
    child_environ = endpoint_environment(
        environ,
        handover.briefing,
        url=keeping.url,
        token=token,
        config_file=handover.private_files[0] if handover.private_files else None,
        credentials_file=handover.private_files[1] if handover.private_files else None,
    )
    try:
        supervisor.start(argv, path, child_environ, mask=handover.blocked_signals)
        let_go(number for number in inherited if number != _STANDARD_ERROR)
        while supervisor.status is None:
            keeping.turn()
    finally:
        supervisor.close()  # first, for it is part of the other's loop
        keeping.close()
    return supervisor.status


class _Interlude:
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
