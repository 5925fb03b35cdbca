"""One holder at a time across processes, by `flock` on files that are never deleted.

The kernel frees a lock when its holder dies. A holder that is stopped keeps it, so those who
wait look at the holder's state and take the next place rather than wait for `fg`. Of all who
wait on one terminal one tells the person, and nobody does while a question stands there.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time

from gds_exec.errors import GdsExecError, LockTimeout
from gds_exec.lean import Value, contextmanager, suppress
from gds_exec.session import read_private_text
from gds_exec.terminal import raising_suspended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

_POLL_SECONDS = 0.05
_TOLD_AFTER_SECONDS = 1.0
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def _is_stopped(pid: int) -> bool:
    from gds_exec.child.process_info import is_stopped  # only for who waits

    return is_stopped(pid)


class Holder(Value):
    """Who holds a lock: a process, and the terminal it speaks to (0 for none)."""

    pid: int
    terminal: int = 0


class Locks:
    """The locks of one directory, as this process takes them."""

    def __init__(
        self,
        directory: int | None,
        *,
        me: Holder,
        timeout_seconds: float,
        tell: Callable[[Holder], None],
        warn: Callable[[str], None],
        is_stopped: Callable[[int], bool] = _is_stopped,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._directory = directory
        self._me = me
        self._timeout_seconds = timeout_seconds
        self._tell = tell
        self._warn = warn
        self._is_stopped = is_stopped
        self._clock = clock
        self._sleep = sleep
        self._passed: list[Holder] = []
        self._failed: list[int] = []
        self.has_waited = False

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold the lock of that name, waiting for it if need be.

        When a `GdsExecError` comes out of it the lock is kept until the next is taken, or the process
        ends: what is wrong can be said before another process asks its question.

        Raise `LockTimeout` when another running process keeps it for longer than is allowed. Where
        there can be no lock (no directory, NFS without lockd), go on without one.
        """
        self._release_failed()
        descriptor = self._take(name)
        try:
            yield
        except GdsExecError:
            if descriptor is not None:
                self._failed.append(descriptor)
                descriptor = None
            raise
        finally:
            self._passed.clear()
            if descriptor is not None:
                _release(descriptor)

    def mention_passed(self) -> None:
        """Say, before the work that they were to do, which stopped processes were passed."""
        for holder in self._passed:
            self._warn(f"gds-exec (pid {holder.pid}) is stopped: going on without it")
        self._passed.clear()

    def _release_failed(self) -> None:
        while self._failed:
            _release(self._failed.pop())

    def _take(self, name: str) -> int | None:
        """Return a descriptor that holds the lock, or `None` where there can be none.

        All who pass a stopped holder meet at the next place: they must not ask all at once.
        """
        started = self._clock()
        try:
            for place in range(sys.maxsize) if self._directory is not None else ():
                descriptor = self._take_place(_file_name(name, place), started)
                if descriptor is not None:
                    return descriptor
        except OSError as error:
            self._warn(f"going on without a lock: {error.strerror}")
        return None

    def _take_place(self, file_name: str, started: float) -> int | None:
        """Return a descriptor that holds the lock of this file, or `None` if a stopped process holds it."""
        descriptor = os.open(file_name, _FLAGS, 0o600, dir_fd=self._directory)
        try:
            with suppress(OSError):
                os.fchmod(descriptor, 0o600)  # whatever the umask is
            with raising_suspended():
                is_mine = self._acquire(descriptor, file_name, started)
        except BaseException:  # Ctrl-Z may come when the lock is ours already
            os.close(descriptor)
            raise
        if not is_mine:
            os.close(descriptor)
            return None
        _note(descriptor, f"{self._me.pid} {self._me.terminal}")
        return descriptor

    def _acquire(self, descriptor: int, file_name: str, started: float) -> bool:
        known, known_since = None, started
        with _Teller(self._directory, self._me.terminal, self._tell) as teller:
            while not _is_locked_now(descriptor):
                self.has_waited = True
                now = self._clock()
                holder = self._holder(file_name)
                if holder != known:
                    known, known_since = holder, now
                if holder is not None and now - known_since > _TOLD_AFTER_SECONDS:
                    if not self._is_stopped(holder.pid):
                        teller.tell_once(holder)
                    elif self._holder(file_name) == holder:  # one that stops by Ctrl-Z lets go before
                        self._passed.append(holder)
                        return False
                if now - started > self._timeout_seconds:
                    raise _timed_out(holder, self._timeout_seconds)
                self._sleep(_POLL_SECONDS)
        return True

    def _holder(self, file_name: str) -> Holder | None:
        if self._directory is None:
            return None
        words = (read_private_text(self._directory, file_name) or "").split()
        if len(words) != 2 or not all(word.isdigit() for word in words):
            return None
        return Holder(int(words[0]), int(words[1]))


class _Teller:
    """Tells the person of whom we wait for, unless another who waits on the same terminal does."""

    def __init__(self, directory: int | None, terminal: int, tell: Callable[[Holder], None]) -> None:
        self._directory = directory
        self._terminal = terminal
        self._tell = tell
        self._is_done = False
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def tell_once(self, holder: Holder) -> None:
        if not self._is_done and self._is_ours():
            self._is_done = True
            self._tell(holder)

    def _is_ours(self) -> bool:
        if not self._terminal:
            return True
        try:
            if self._descriptor is None:
                name = f"terminal-{self._terminal}.telling"
                self._descriptor = os.open(name, _FLAGS, 0o600, dir_fd=self._directory)
                os.fchmod(self._descriptor, 0o600)  # whatever the umask is
            return _is_locked_now(self._descriptor)
        except OSError:
            return True  # better told twice than not at all; and the lock itself is no worse for it


def _file_name(name: str, place: int) -> str:
    return f"{name}.{place}.lock" if place else f"{name}.lock"


def _is_locked_now(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _release(descriptor: int) -> None:
    _note(descriptor, "")
    os.close(descriptor)


def _note(descriptor: int, text: str) -> None:
    # What it says only serves those who wait: on a full disk the lock holds all the same.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode("ascii"), 0)


def _timed_out(holder: Holder | None, seconds: float) -> LockTimeout:
    who = f"gds-exec (pid {holder.pid})" if holder else "another gds-exec"
    return LockTimeout(
        f"{who} has been busy getting this session for {seconds:.0f} s",
        hint="answer its question or end it; --wait (GDS_EXEC_WAIT) sets how long to wait",
    )
