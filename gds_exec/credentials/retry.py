"""Asking again, a little later each time, where what went wrong may pass."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    Answer = TypeVar("Answer")


def patiently(
    ask: Callable[[], Answer],
    *,
    longest_waits_seconds: Sequence[float],
    is_passing: Callable[[Exception], bool],
    sleep: Callable[[float], object],
    fraction: Callable[[], float],
) -> Answer:
    """Return what `ask` returns, asked once more after each wait while what it raises may pass."""
    for longest_seconds in longest_waits_seconds:
        try:
            return ask()
        except Exception as error:
            if not is_passing(error):
                raise
        # A random part of it, so that those who were turned away together do not return together.
        sleep(fraction() * longest_seconds)
    return ask()
