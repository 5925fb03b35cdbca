"""Staying beside a command as its parent, as if we were not there.

The command is in our process group: what is sent to the group has reached it, and must not reach
it twice; what is sent to our pid is passed on. It stops and goes on as one job with us.
Everything happens in the caller's event loop, in a process of one thread.
"""

from __future__ import annotations

import os
import selectors
import signal

from gds_exec.child.spawn import spawn
from gds_exec.child.witness import Witness
from gds_exec.execute import IGNORED_BY_PYTHON
from gds_exec.lean import suppress
from gds_exec.signals import all_blocked, job_control_stop, stop_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import FrameType

_FAULTS = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}
_HEEDED = signal.valid_signals().difference(_FAULTS, IGNORED_BY_PYTHON, {signal.SIGKILL, signal.SIGSTOP})
_PASSED_ON = _HEEDED - {signal.SIGCHLD}
# To all of the group, as the kernel does.
_SENT_BY_A_TERMINAL: set[int] = {
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGWINCH,
    signal.SIGHUP,
    signal.SIGCONT,
}
_READ_BYTES = 4096


class Supervisor:
    """One command, its signals and its end; and the end of other children of ours."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.pid: int | None = None
        self.status: int | None = None  # the wait status of the command, once it has ended
        self._selector = selector
        self._arrivals, self._wakeup = os.pipe()
        self._witness: Witness | None = None
        self._on_exit: dict[int, Callable[[int], None]] = {}
        self.on_passed: Callable[[int], None] = lambda _number: None  # told of what is passed on

    @property
    def witness_pid(self) -> int | None:
        """Return the pid of the witness, who is not part of the command."""
        return self._witness.pid if self._witness is not None else None

    def start(
        self,
        argv: Sequence[str],
        path: str,
        environ: Mapping[str, str],
        *,
        mask: Iterable[int] | None = None,
    ) -> None:
        """Start the program at `path`, and take over the signals of this process for good.

        It finds those blocked that are in `mask`, or else those that are now. Only in the main thread.
        Raises `CommandNotFound` and `CommandNotExecutable`.
        """
        with all_blocked() as found:
            mask = found if mask is None else mask
            dispositions = self._take_signals()
            self.pid = spawn(path, argv, environ, mask=mask, dispositions=dispositions)
            self.on_exit(self.pid, self._note_end)
            self._call_witness()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED)  # also where our caller blocks them

    def on_exit(self, pid: int, callback: Callable[[int], None]) -> None:
        """Have the wait status of another child of ours given to `callback` when it has ended.

        To be called in the turn of the event loop in which the child is started.
        """
        self._on_exit[pid] = callback

    def close(self) -> None:
        """Let go of all but the signals: none that comes now may change how we end."""
        signal.set_wakeup_fd(-1)
        if self._witness is not None:
            self._selector.unregister(self._witness.report)
            self._witness.end()
        with suppress(KeyError):  # never started
            self._selector.unregister(self._arrivals)
        os.close(self._arrivals)
        os.close(self._wakeup)

    def _take_signals(self) -> dict[int, signal.Handlers]:
        """Have the numbers of signals written to us; return how a command is to find the signals."""
        for descriptor in (self._arrivals, self._wakeup):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        self._selector.register(self._arrivals, selectors.EVENT_READ, self._heed_signals)
        found = {number: signal.signal(number, _leave_to_the_loop) for number in sorted(_HEEDED)}
        return {
            number: signal.SIG_IGN if handler == signal.SIG_IGN else signal.SIG_DFL
            for number, handler in found.items()
        }

    def _call_witness(self) -> None:
        # After the command, so that what is sent meanwhile may come twice to a program that is just
        # being loaded, but is never lost.
        with suppress(OSError):  # no more processes: without it most is right
            self._witness = Witness.start(_PASSED_ON)
            self.on_exit(self._witness.pid, self._lose_witness)
            self._selector.register(self._witness.report, selectors.EVENT_READ, self._heed_signals)

    def _lose_witness(self, _status: int) -> None:
        if self._witness is not None:
            self._selector.unregister(self._witness.report)
            self._witness.close()
            self._witness = None

    def _heed_signals(self) -> None:
        # Whichever of the two has woken us: what was sent to all is to be found in both.
        if self._witness is not None:
            self._witness.hear()
        try:
            arrived = os.read(self._arrivals, _READ_BYTES)
        except BlockingIOError:
            return
        self._pass_on([number for number in arrived if number != signal.SIGCHLD])
        if signal.SIGCHLD in arrived:
            self._heed_children()

    def _pass_on(self, numbers: Sequence[int]) -> None:
        known_to_all = self._sent_to_all(numbers) if numbers else ()
        for number in numbers:
            if number not in known_to_all:
                self._tell_command(number)
                self.on_passed(number)

    def _sent_to_all(self, numbers: Sequence[int]) -> set[int]:
        testimony = self._witness.sent_to_all(numbers) if self._witness is not None else None
        return _SENT_BY_A_TERMINAL.intersection(numbers) if testimony is None else testimony

    def _tell_command(self, number: int) -> None:
        # As long as it is not reaped its pid is nobody else's. It may have become another user's.
        if self.pid is not None and self.status is None:
            with suppress(PermissionError):
                os.kill(self.pid, number)

    def _heed_children(self) -> None:
        for pid, callback in list(self._on_exit.items()):
            changed, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if changed and os.WIFSTOPPED(status):
                self._heed_stop(pid, status)
            elif changed:
                del self._on_exit[pid]
                callback(status)

    def _heed_stop(self, pid: int, status: int) -> None:
        number = job_control_stop(status)
        if pid == self.pid and number:
            stop_by(number)  # what continues us continues it, or is passed on

    def _note_end(self, status: int) -> None:
        self.status = status


def _leave_to_the_loop(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: that there is a handler lets the number be written to our pipe."""
