"""Handle or block signals inside a block and restore them after it; stop together with a command."""

from __future__ import annotations

import os
import time

from gds_exec.lean import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from types import FrameType
    from typing import NoReturn

    Handler = Callable[[int, FrameType | None], object]
else:
    import _signal as signal  # which `signal` wraps in enums: a third of a bare interpreter's start

_DEADLY = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_AGAIN_SECONDS = 5.0  # more than what is inside needs to tidy up


class _Killed(BaseException):
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def handling(handlers: Mapping[int, Handler | int]) -> Iterator[None]:
    """Handle the signals so while inside; only in the main thread.

    What our caller made us ignore (nohup, a script without job control) stays ignored.
    """
    found = {number: signal.getsignal(number) for number in handlers}
    heeded = [number for number in handlers if found[number] != signal.SIG_IGN]
    try:
        for number in heeded:
            signal.signal(number, handlers[number])
        yield
    finally:
        for number in heeded:
            signal.signal(number, found[number])


def interruptible() -> AbstractContextManager[None]:
    """Let Ctrl-C raise `KeyboardInterrupt` while inside, for there is something to tidy up."""
    return handling({signal.SIGINT: signal.default_int_handler})


@contextmanager
def blocked(numbers: Iterable[int]) -> Iterator[set[int]]:
    """Hold the signals back while inside; yield those that were held back before."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield mask
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def all_blocked() -> AbstractContextManager[set[int]]:
    """Hold every signal back while inside, which a thread that is started there inherits."""
    return blocked(signal.valid_signals())


class _TimeIsUp(BaseException):  # no Exception, which some library might take for its own
    pass


@contextmanager
def time_limit(
    seconds: float | None, *, otherwise: Callable[[], Exception], again_seconds: float = _AGAIN_SECONDS
) -> Iterator[None]:
    """Raise what `otherwise` makes if what is inside takes longer; only in the main thread.

    The interpreter drops what is raised in a finalizer: while nothing has ended, it is raised again.
    """
    if seconds is None:
        yield
        return

    def raise_time_is_up(_number: int, _frame: FrameType | None) -> NoReturn:
        raise _TimeIsUp

    # Even if our caller made us ignore it, or hold it back.
    found = signal.signal(signal.SIGALRM, raise_time_is_up)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, again_seconds)
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)  # it would go on in the program that we become
    except _TimeIsUp:
        raise otherwise() from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGALRM, found)


@contextmanager
def deadly_signals_unwind() -> Iterator[None]:
    """Let a SIGTERM, SIGHUP or SIGQUIT kill us only when what is inside has been unwound.

    Only for the main thread.
    """
    unwinding_until = 0.0

    def raise_killed(number: int, _frame: FrameType | None) -> None:
        # A terminal that closes often sends two: the second must not cut the unwinding short. A later
        # one is heeded, because the interpreter drops what is raised in a finalizer.
        nonlocal unwinding_until
        now = time.monotonic()
        if now < unwinding_until:
            return
        unwinding_until = now + _AGAIN_SECONDS
        raise _Killed(number)

    try:
        with handling(dict.fromkeys(_DEADLY, raise_killed)):
            yield
    except _Killed as killed:
        signal.raise_signal(killed.number)
        raise SystemExit(128 + killed.number) from None


_STOPS = frozenset((signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU))


def job_control_stop(wait_status: int) -> int | None:
    """Return the signal by which the shell's job was stopped, if it was.

    A command that SIGSTOP has stopped will be continued alone, if ever: the shell does not see
    it, and would never continue us.
    """
    if os.WIFSTOPPED(wait_status) and os.WSTOPSIG(wait_status) in _STOPS:
        return os.WSTOPSIG(wait_status)
    return None


def stop_by(number: int) -> None:
    """Stop by this signal, whatever else we do with it; return when continued."""
    handler = signal.signal(number, signal.SIG_DFL)
    try:
        signal.raise_signal(number)
    finally:
        signal.signal(number, handler)
