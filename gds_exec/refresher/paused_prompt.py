"""A question on a terminal that a running command owns.

The command is paused meanwhile, with whoever else could read the answer; keys make no signals, for
those would kill it when it goes on; and what had been typed for it is given back to it.
"""

from __future__ import annotations

import fcntl
import termios

from gds_exec.child.pausing import Unstoppable
from gds_exec.lean import contextmanager
from gds_exec.signals import handling
from gds_exec.terminal import line_mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from gds_exec.terminal import Mode, Terminal

    Pausing = Callable[[], AbstractContextManager[Callable[[], None]]]
else:
    import _signal as signal

_FROM_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
_CTRL_C, _CTRL_D, _CTRL_Z = b"\x03", b"\x04", b"\x1a"


class Busy(Exception):
    """To ask now would do harm: a program wants every key, or what could read the code runs on."""


def can_ask(terminal: Terminal) -> bool:
    """Return whether a question now would neither be refused for `Busy` nor for `NotForeground`."""
    return terminal.is_foreground() and terminal.is_taking_lines()


def push(descriptor: int, key: bytes) -> None:
    """Put a key into the terminal's input as if it was typed; Linux may forbid it with an OSError."""
    fcntl.ioctl(descriptor, termios.TIOCSTI, key)


class PausedPrompt:
    """What stands round each question: a terminal takes `around` for its preparation.

    `command` is the name of what is paused, `reason` why; `pausing` is that of `child.pausing`.
    """

    def __init__(
        self, *, command: str, reason: str, pausing: Pausing, push: Callable[[int, bytes], object] = push
    ) -> None:
        self._command = command
        self._reason = reason
        self._pausing = pausing
        self._push = push

    @contextmanager
    def around(self, terminal: Terminal) -> Iterator[None]:
        """Make the terminal ready for a question while inside; raise `Busy` where that would do harm."""
        if not terminal.is_taking_lines():
            raise Busy
        # Keys lose their signals first: another gds-exec in the group then finds the terminal taken, and
        # does not stop us while we stop it. The mode, and what was typed, are back before anybody goes on.
        with (
            self._pausing() as pause,
            self._giving_back(terminal) as typed,
            terminal.in_mode(_without_signals),
        ):
            _stop_others(pause)
            typed.extend(_typed_before(terminal))
            with terminal.in_mode(_for_an_answer), self._told(terminal), _half_an_answer_forgotten(terminal):
                yield

    @contextmanager
    def _told(self, terminal: Terminal) -> Iterator[None]:
        terminal.say("")  # the command may have left its line unfinished
        terminal.say(f"gds-exec: {self._command} is paused, {self._reason}")
        try:
            yield
        finally:
            terminal.say(f"gds-exec: {self._command} goes on")

    @contextmanager
    def _giving_back(self, terminal: Terminal) -> Iterator[bytearray]:
        typed = bytearray()
        try:
            yield typed
        finally:
            # From the background it would be the shell that gets it.
            if terminal.is_foreground() and (rest := self._not_pushed(terminal, bytes(typed))):
                terminal.say(f"gds-exec: {_request_to_type_again(terminal, rest)}")

    def _not_pushed(self, terminal: Terminal, typed: bytes) -> bytes:
        # A Ctrl-C that came just before the question was the command's, not ours.
        with handling(dict.fromkeys(_FROM_THE_TERMINAL, signal.SIG_IGN)):
            for position in range(len(typed)):
                try:
                    self._push(terminal.fileno(), typed[position : position + 1])
                except OSError:
                    return typed[position:]
        return b""


def _stop_others(pause: Callable[[], None]) -> None:
    try:
        pause()
    except Unstoppable as error:
        raise Busy from error


def _typed_before(terminal: Terminal) -> bytes:
    with terminal.in_mode(_key_by_key):  # in which a line that has no end yet can be read too
        typed = terminal.read_now()
    return typed.replace(b"\0", _CTRL_D)  # as Linux keeps it


@contextmanager
def _half_an_answer_forgotten(terminal: Terminal) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if terminal.is_foreground():
            termios.tcflush(terminal.fileno(), termios.TCIFLUSH)
        raise


def _request_to_type_again(terminal: Terminal, typed: bytes) -> str:
    if not termios.tcgetattr(terminal.fileno())[3] & termios.ECHO:
        return "what was typed before is lost, type it again"  # a password, it may be
    return f"type again what was typed before: {typed.decode(errors='replace').rstrip()}"


def _without_signals(mode: Mode) -> Mode:
    return _with_local_flags(mode, mode[3] & ~termios.ISIG)


def _key_by_key(mode: Mode) -> Mode:
    return _with_local_flags(mode, mode[3] & ~termios.ICANON)


def _for_an_answer(mode: Mode) -> Mode:
    mode = line_mode(mode)
    # Without signals Ctrl-C and Ctrl-Z are keys like others, which would wait for the end of the line.
    mode[6] = [*mode[6]]
    mode[6][termios.VEOL], mode[6][termios.VEOL2] = _CTRL_C, _CTRL_Z
    return _with_local_flags(mode, (mode[3] | termios.IEXTEN) & ~termios.ISIG)


def _with_local_flags(mode: Mode, flags: int) -> Mode:
    return [*mode[:3], flags, *mode[4:]]
