"""Without a terminal: the command has taken our pid, and the refresher runs beside it until it ends."""

from __future__ import annotations

import os
import selectors
import signal

from gds_exec.child.process_info import birth, exit_descriptor
from gds_exec.errors import SystemRefused
from gds_exec.refresher.endpoint import adopt
from gds_exec.refresher.handoff import READY
from gds_exec.refresher.loop import RefreshLoop, recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gds_exec.refresher.handoff import Handoff, Sidecar

# Who ends a whole service or job sends them to everyone; the command may need its session to tidy up.
_FOR_THE_COMMAND = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_STANDARD_ERROR = 2
_WATCHFUL_SECONDS = 60.0
_BLIND_SECONDS = 0.5  # where the system does not tell when another process ends


def run_sidecar(
    handoff: Handoff, beside: Sidecar, environ: Mapping[str, str], *, say: Callable[[str], None]
) -> None:
    """Serve the session to the process `beside.pid`, which becomes the command, until it ends.

    That process waits for `READY` on our standard error before it becomes the command. So it is alive when
    we open its exit descriptor, and its pid has not been reused.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where our caller ignores it no child can be waited for
    for number in _FOR_THE_COMMAND:
        signal.signal(number, signal.SIG_IGN)
    end = exit_descriptor(beside.pid)
    if end is None and (beside.birth is None or birth(beside.pid) != beside.birth):
        raise SystemRefused("/proc is hidden, so gds-exec cannot tell when the command ends")
    loop = RefreshLoop(handoff, environ, listener=adopt(beside.listener), token=beside.token, say=say)
    ended: list[bool] = []
    if end is not None:
        loop.selector.register(end, selectors.EVENT_READ, lambda: ended.append(True))
    try:
        _say_ready(beside.stderr)
        with recorded(handoff, beside.program, pid=beside.pid):
            while not ended and (end is not None or birth(beside.pid) == beside.birth):
                loop.turn(longest_seconds=_BLIND_SECONDS if end is None else _WATCHFUL_SECONDS)
    finally:
        loop.close()
        if end is not None:
            os.close(end)


def _say_ready(stderr: int) -> None:
    """Tell the waiting process that we serve; then use the real stderr. Raise `OSError` if it has ended."""
    os.write(_STANDARD_ERROR, READY)
    os.dup2(stderr, _STANDARD_ERROR, inheritable=False)
    os.close(stderr)
