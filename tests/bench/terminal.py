"""A program on a terminal of its own, with somebody at it who can be timed."""

import os
import pty
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from tests.bench.timing import RunFailed, last_words

_PATIENCE_SECONDS = 120
_READ_BYTES = 65536


class Terminal:
    """The far end of a terminal on which a program runs; everything that it said is in `said`."""

    def __init__(self, descriptor: int, *, began: float) -> None:
        self.began = began
        self.said = b""
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def await_text(self, text: str) -> float:
        """Read until the program has said `text`, and return the time at which it had."""
        return self._read_until(lambda said: text.encode() in said, wanted=text)

    def await_prompt(self, words: str) -> float:
        """Read until a question that holds `words` stands there whole, and return the time."""
        return self._read_until(
            lambda said: words.encode() in said and said.endswith(b": "), wanted=f"{words}…: "
        )

    def _read_until(self, is_there: Callable[[bytes], bool], *, wanted: str) -> float:
        deadline = time.perf_counter() + _PATIENCE_SECONDS
        while not is_there(self.said):
            remaining = deadline - time.perf_counter()
            if remaining <= 0 or not self._poll.poll(remaining * 1000) or not self._read():
                words = last_words(self.said.decode(errors="replace"))
                raise RunFailed(f"“{wanted}” never came, but: {words or 'nothing'}")
        return time.perf_counter()

    def _read(self) -> bool:
        try:
            piece = os.read(self._descriptor, _READ_BYTES)
        except OSError:  # how Linux says that nobody is left at the other end
            return False
        self.said += piece
        return bool(piece)


@contextmanager
def on_terminal(argv: tuple[str, ...], *, environ: Mapping[str, str]) -> Iterator[Terminal]:
    """Start a program as the leader of a terminal of its own; wait for its end, or end it."""
    far_end, near_end = pty.openpty()
    os.set_inheritable(far_end, False)
    # The leader of a new session gets the first terminal that it opens for its own.
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.ttyname(near_end), os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_DUP2, 0, 2),
    ]
    began = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, dict(environ), file_actions=streams, setsid=True)
    try:
        yield Terminal(far_end, began=began)
    except BaseException:
        _end(pid)
        raise
    finally:
        os.waitpid(pid, 0)
        os.close(near_end)
        os.close(far_end)


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
