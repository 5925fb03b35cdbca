"""Waiting for what another process does, for a bounded time and never for a fixed one."""

import time
from collections.abc import Callable, Sequence

import pexpect
import psutil

from .world import PROMPT

_PATIENCE_SECONDS = 60.0
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


def first_to_ask(terminals: Sequence[pexpect.spawn]) -> pexpect.spawn:
    """Return the terminal on which a code is asked for, whichever it is."""
    asking: list[pexpect.spawn] = []

    def one_asks() -> None:
        asking.extend(t for t in terminals if t.expect([PROMPT, pexpect.TIMEOUT], timeout=0.1) == 0)
        assert asking, "nobody asks for a code"

    eventually(one_asks)
    return asking[0]


def insist(terminal: pexpect.spawn, line: str, answer: str) -> None:
    """Type a line until it is answered: what is typed while a shell switches jobs may be dropped."""

    def is_answered() -> None:
        terminal.sendline(line)
        assert terminal.expect([answer, pexpect.TIMEOUT], timeout=2) == 0, terminal.before

    eventually(is_answered)
