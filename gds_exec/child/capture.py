"""A short-lived process of ours beside the event loop: started, heard, and told of when it has ended."""

from __future__ import annotations

import os
import selectors
import signal
import time
from contextlib import suppress
from functools import partial

from gds_exec.child.process_info import exit_descriptor
from gds_exec.execute import IGNORED_BY_PYTHON, open_nowhere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_READ_BYTES = 65_536
_POLL_SECONDS = 0.01
_LIMIT_BYTES = 262_144
# We may ignore the others too, and what is ignored would stay ignored in the process.
_DEFAULTS = (*IGNORED_BY_PYTHON, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


class Captured:
    """A process whose output goes to us; `on_end` gets its wait status and what it wrote to 1 and 2.

    What it leaves behind in the background is not waited for.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str],
        on_end: Callable[[int, bytes, bytes], None],
    ) -> None:
        self._selector = selector
        self._on_end = on_end
        self._heard: dict[int, bytearray] = {}
        self._open: list[int] = []
        self._exit: int | None = None
        self.pid = self._start(argv, environ)

    def send(self, number: int) -> None:
        """Send it a signal; if it ends by that, `on_end` is called as ever."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def end(self, *, grace_seconds: float) -> tuple[int, bytes]:
        """End it; return its wait status and what it wrote to 1. `on_end` is not called."""
        self.send(signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        while (status := self._reaped(os.WNOHANG)) is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if status is None:
            self.send(signal.SIGKILL)
            status = self._reaped(0) or 0
        for pipe in set(self._heard) & set(self._open):
            self._heard[pipe] += _rest_of(pipe)
        self._forget()
        return status, bytes(next(iter(self._heard.values())))

    def _reaped(self, options: int) -> int | None:
        pid, status = os.waitpid(self.pid, options)
        return status if pid else None

    def _start(self, argv: Sequence[str], environ: Mapping[str, str]) -> int:
        ours: list[int] = []
        theirs: list[int] = []
        nowhere = open_nowhere()
        try:
            for _ in range(2):
                reading, writing = os.pipe()
                ours.append(reading)
                theirs.append(writing)
            pid = os.posix_spawn(
                argv[0],
                list(argv),
                environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, nowhere, 0),
                    (os.POSIX_SPAWN_DUP2, theirs[0], 1),
                    (os.POSIX_SPAWN_DUP2, theirs[1], 2),
                ],
                setsigmask=(),
                setsigdef=_DEFAULTS,
            )
        except BaseException:
            for descriptor in ours:
                os.close(descriptor)
            raise
        finally:
            for descriptor in (*theirs, nowhere):
                os.close(descriptor)
        self._listen(pid, *ours)
        return pid

    def _listen(self, pid: int, *pipes: int) -> None:
        for pipe in pipes:
            os.set_blocking(pipe, False)
            self._heard[pipe] = bytearray()
            self._register(pipe, partial(self._hear, pipe))
        self._exit = exit_descriptor(pid)
        if self._exit is not None:
            self._register(self._exit, self._end)

    def _register(self, descriptor: int, act: Callable[[], None]) -> None:
        self._open.append(descriptor)
        self._selector.register(descriptor, selectors.EVENT_READ, act)

    def _hear(self, pipe: int) -> None:
        if pipe not in self._open:
            return  # closed by another callback of the same turn
        try:
            data = os.read(pipe, _READ_BYTES)
        except BlockingIOError:
            return
        if data and len(self._heard[pipe]) < _LIMIT_BYTES:
            self._heard[pipe] += data
        elif not data:
            self._drop(pipe)
            if self._exit is None and not self._open:
                self._end()

    def _end(self) -> None:
        for pipe in self._heard:
            self._hear(pipe)  # all that it wrote is there by now
        self._forget()
        _, status = os.waitpid(self.pid, 0)
        self._on_end(status, *(bytes(heard) for heard in self._heard.values()))

    def _forget(self) -> None:
        for descriptor in list(self._open):
            self._drop(descriptor)

    def _drop(self, descriptor: int) -> None:
        self._open.remove(descriptor)
        self._selector.unregister(descriptor)
        os.close(descriptor)


def _rest_of(pipe: int) -> bytes:
    try:
        return os.read(pipe, _READ_BYTES)
    except BlockingIOError:
        return b""
