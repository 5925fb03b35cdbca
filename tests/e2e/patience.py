"""Waiting for what another process does, for a bounded time and never for a fixed one."""

import time
from collections.abc import Callable

import psutil

_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.02


def eventually(assertion: Callable[[], None], *, seconds: float = _PATIENCE_SECONDS) -> None:
    """Return when the assertion holds; let its failure through when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            assertion()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


def await_state(pid: int, *states: str) -> None:
    """Return when the process is in one of these states, as psutil names them."""

    def is_there() -> None:
        assert psutil.Process(pid).status() in states

    eventually(is_there)
