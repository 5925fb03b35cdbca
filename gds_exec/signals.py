"""Signals for a while: other handlers, or none let through, and then as it was."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

Handler = Callable[[int, FrameType | None], object]

_DEADLY = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class _Killed(BaseException):
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def handling(handlers: Mapping[signal.Signals, Handler | signal.Handlers]) -> Iterator[None]:
    """Handle the signals so while inside; only in the main thread.

    What our caller made us ignore (nohup, a script without job control) stays ignored.
    """
    found = {number: signal.getsignal(number) for number in handlers}
    heeded = [number for number in handlers if found[number] is not signal.SIG_IGN]
    try:
        for number in heeded:
            signal.signal(number, handlers[number])
        yield
    finally:
        for number in heeded:
            signal.signal(number, found[number])


@contextmanager
def blocked(numbers: tuple[signal.Signals, ...]) -> Iterator[set[signal.Signals | int]]:
    """Hold the signals back while inside; yield those that were held back before."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield mask
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def deadly_signals_unwind() -> Iterator[None]:
    """Let a SIGTERM, SIGHUP or SIGQUIT kill us only when what is inside has been unwound.

    Only for the main thread.
    """

    def raise_killed(number: int, _frame: FrameType | None) -> NoReturn:
        # A terminal that closes often sends two: the second must not cut the unwinding short.
        for deadly in _DEADLY:
            signal.signal(deadly, signal.SIG_IGN)
        raise _Killed(number)

    try:
        with handling(dict.fromkeys(_DEADLY, raise_killed)):
            yield
    except _Killed as killed:
        signal.raise_signal(killed.number)
        raise SystemExit(128 + killed.number) from None
