"""The person at the controlling terminal, whatever stdin, stdout and stderr are.

How they are spoken to: one plain line at a time, with nothing in it that could steer the
terminal; what was typed before a question is no answer to it; the answer stays visible, so
that no way of dying leaves a silent terminal; the terminal is left as it was found; and it is
never touched from the background.
"""

from __future__ import annotations

import os
import sys
import termios
import time

from gds_exec.lean import contextmanager, suppress
from gds_exec.redaction import show
from gds_exec.signals import all_blocked, blocked, deadly_signals_unwind, handling, interruptible

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import FrameType
    from typing import Any, NoReturn, Self

    Mode = list[Any]
    Preparation = Callable[["Terminal"], AbstractContextManager[None]]
else:
    import _signal as signal

_STOPPING_THE_BACKGROUND = (signal.SIGTTIN, signal.SIGTTOU)
_DECLINING = (b"\x03", b"\x1a")  # Ctrl-C and Ctrl-Z, where they make no signals
_BRACKETED_PASTE = (b"\x1b[200~", b"\x1b[201~")
_READ_BYTES = 4096
_FOREGROUND_CHECK_SECONDS = 1.0


class Suspended(Exception):
    """Ctrl-Z was pressed: unwind, release locks, stop, start over."""


class Continued(Exception):
    """We were stopped at the question, for example by SIGSTOP. Another process may have a code by now."""


class NotForeground(Exception):
    """Another job owns the terminal: to ask now would stop us, or take its input."""


class Moot(Exception):
    """What goes on beside the question has found that no answer can help."""


@contextmanager
def prepared(terminal: Terminal) -> Iterator[None]:
    """Make the terminal ready for a question while inside, where nobody else reads from it."""
    with terminal.in_mode(line_mode):
        termios.tcflush(terminal.fileno(), termios.TCIFLUSH)
        yield


class Terminal:
    """An open terminal. `preparation` stands round each question."""

    __slots__ = ("_descriptor", "_preparation")

    def __init__(self, descriptor: int, *, preparation: Preparation = prepared) -> None:
        self._descriptor = descriptor
        self._preparation = preparation

    @classmethod
    def open(cls, path: str = "/dev/tty", *, preparation: Preparation = prepared) -> Self | None:
        """Return the terminal, or None where we have none."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return None
        return cls(descriptor, preparation=preparation)

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)

    def is_foreground(self) -> bool:
        """Return whether what is typed now is meant for us."""
        return self._foreground_group() == os.getpgrp()

    def is_taking_lines(self) -> bool:
        """Return whether lines can be edited and Ctrl-C interrupts: no program wants every key."""
        try:
            local_flags = termios.tcgetattr(self._descriptor)[3]
        except termios.error:
            return False  # hung up
        return bool(local_flags & termios.ICANON and local_flags & termios.ISIG)

    @property
    def device(self) -> int:
        """A number on which all processes of one terminal agree.

        /dev/tty has the same device number for everyone, so it is the terminal's as the kernel
        keeps it for this process; where /proc does not tell, the session's.
        """
        try:
            with open("/proc/self/stat", "rb") as file:
                after_name = file.read().rpartition(b")")[2]
        except OSError:
            return os.getsid(0)
        return int(after_name.split()[4])

    def say(self, text: str) -> None:
        """Write one line. That the person has gone is no error."""
        self._write(f"{show(text)}\n")

    def read_now(self) -> bytes:
        """Return what can be read without waiting for more."""
        typed = b""
        while _readable([self._descriptor], 0) and (piece := self._read()):
            typed += piece
        return typed

    @contextmanager
    def in_mode(self, change: Callable[[Mode], Mode]) -> Iterator[None]:
        """Change the terminal's mode while inside."""
        found = termios.tcgetattr(self._descriptor)
        try:
            termios.tcsetattr(self._descriptor, termios.TCSANOW, change(found))
            yield
        finally:
            # From the background it would be the shell's own mode that we spoil.
            if self.is_foreground():
                termios.tcsetattr(self._descriptor, termios.TCSANOW, found)

    def ask(
        self,
        prompt: str,
        *,
        timeout_seconds: float | None = None,
        meanwhile: Callable[[], int | None] | None = None,
    ) -> str | None:
        """Return the line that the person types; None if they end the input (Ctrl-D) or are gone.

        Once the question stands `meanwhile` is called, to begin what can go on beside it; if it
        returns a descriptor, the question is given up with `Moot` when that can be read from.

        Only for the main thread. Leaves the terminal as it was found before it raises `Moot`,
        `NotForeground`, `TimeoutError`, `Continued`, `KeyboardInterrupt` for Ctrl-C or `Suspended` for
        Ctrl-Z, and before a SIGTERM, SIGHUP or SIGQUIT takes its effect.
        """
        if not self.is_foreground():
            raise NotForeground
        with (
            deadly_signals_unwind(),
            interruptible(),
            raising_suspended(),
            _noting_continuation() as going_on,
        ):
            try:
                with blocked(_STOPPING_THE_BACKGROUND), self._preparation(self), self._line_ended():
                    self._write(show(prompt))
                    with all_blocked():  # an import drops what a signal's handler raises in it
                        import select  # noqa: F401  # for `_readable`

                        moot = meanwhile() if meanwhile else None
                    return self._read_line(timeout_seconds, moot, going_on)
            except termios.error:
                return None

    @contextmanager
    def _line_ended(self) -> Iterator[None]:
        """End the line of a question that is given up, so that the next message starts a new line."""
        try:
            yield
        except (KeyboardInterrupt, NotForeground, Suspended):
            raise  # the shell starts a new line itself
        except BaseException:
            self._write("\n")
            raise

    def _read_line(self, timeout_seconds: float | None, moot: int | None, going_on: int) -> str | None:
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        typed = b""
        while not typed.endswith(b"\n"):
            piece = self._read_piece(deadline, moot, going_on)
            if not piece or piece.endswith(_DECLINING):
                self._write("\n")
                return None
            typed += piece
        return _text(typed)

    def _read_piece(self, deadline: float | None, moot: int | None, going_on: int) -> bytes:
        while not self._has_input(deadline, moot, going_on):
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError
        return self._read()

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, _READ_BYTES)
        except OSError:
            return b""

    def _has_input(self, deadline: float | None, moot: int | None, going_on: int) -> bool:
        patience = _FOREGROUND_CHECK_SECONDS
        if deadline is not None:
            patience = min(patience, max(0.0, deadline - time.monotonic()))
        watched = [self._descriptor, going_on, *([] if moot is None else [moot])]
        readable = _readable(watched, patience)
        foreground_group = self._foreground_group()
        # What is typed now may be for the shell, if we were stopped and put into the background.
        if foreground_group not in {os.getpgrp(), None}:
            raise NotForeground
        if going_on in readable and foreground_group is not None:
            raise Continued
        if moot in readable:
            termios.tcflush(self._descriptor, termios.TCIFLUSH)  # half a code is nothing for the shell
            raise Moot
        return self._descriptor in readable

    def _foreground_group(self) -> int | None:
        try:
            return os.tcgetpgrp(self._descriptor)
        except OSError:
            return None  # hung up, or not our controlling terminal

    def _write(self, text: str) -> None:
        data = text.encode(os.device_encoding(self._descriptor) or "ascii", "backslashreplace")
        with blocked((signal.SIGTTOU,)), suppress(OSError):
            while data:
                data = data[os.write(self._descriptor, data) :]


def suspend_this_process() -> None:
    """Stop as Ctrl-Z would have stopped us; return when continued."""
    with handling({signal.SIGTSTP: signal.SIG_DFL}):
        signal.raise_signal(signal.SIGTSTP)


@contextmanager
def raising_suspended() -> Iterator[None]:
    """While inside, Ctrl-Z raises `Suspended` in the main thread instead of stopping us.

    A process that is stopped keeps its locks, and everyone else waiting for them.
    """

    def raise_suspended(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Suspended

    with handling({signal.SIGTSTP: raise_suspended}):
        yield


@contextmanager
def _noting_continuation() -> Iterator[int]:
    """Yield a descriptor that becomes readable once we are continued after a stop.

    The handler raises nothing, because a terminal that hangs up also sends SIGCONT, right after SIGHUP.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def note(_number: int, _frame: FrameType | None) -> None:
        with suppress(BlockingIOError):
            os.write(writing, b".")

    try:
        with handling({signal.SIGCONT: note}):
            yield reading
    finally:
        os.close(reading)
        os.close(writing)


def _readable(descriptors: list[int], seconds: float) -> set[int]:
    import select  # when the question stands already

    if sys.platform == "darwin":  # where poll knows no terminal; but select knows no descriptor from 1024 on
        return set(select.select(descriptors, (), (), seconds)[0])
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(seconds * 1000)}


def line_mode(mode: Mode) -> Mode:
    """Return the mode in which a person types a line, and sees it."""
    # A shell that asks us from its prompt hook may have left the terminal raw, where Enter is
    # a carriage return and a line never ends.
    iflag, oflag, cflag, lflag, *rest = mode
    return [
        (iflag | termios.ICRNL) & ~(termios.IGNCR | termios.INLCR),
        oflag | termios.OPOST | termios.ONLCR,
        cflag,
        lflag | termios.ICANON | termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ISIG,
        *rest,
    ]


def _text(typed: bytes) -> str:
    for mark in _BRACKETED_PASTE:
        typed = typed.replace(mark, b"")
    return typed.removesuffix(b"\n").decode(errors="replace")
