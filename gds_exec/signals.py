"""Signals for a while: other handlers, or none let through, and then as it was."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object]


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
