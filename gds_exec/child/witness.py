"""The witness: it tells a signal that was sent to our whole process group from one sent to us alone.

It is a process of ours, in the same group, that writes down the signals that it gets. What the
terminal or `kill -- -GROUP` sends, it gets too, and so does the command; what is sent to our pid,
only we get.

Why its word can be relied on: Linux signals the members of a group from the newest to the oldest,
so it has been sent each signal before we have; and before it can answer a question the handlers of
all that it has been sent have run.
"""

from __future__ import annotations

import os
import select
import signal
import time

from gds_exec.child.prctl import end_with, let_go, open_descriptors, take_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NoReturn, Self

_NAME = "witness"
_ANSWER = 0  # among the numbers of signals that the witness writes
_PATIENCE_SECONDS = 0.5  # far more than it ever needs, but on a machine with much else to do
# Two signals to the group may be one for us, if the first was still pending, and two for the
# witness. The one that is left over must not pass for one that is sent to us alone later.
_MEMORY_SECONDS = 0.5
_READ_BYTES = 4096


class Witness:
    """The process, as its parent knows it."""

    def __init__(
        self, pid: int, *, questions: int, report: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.pid = pid
        self.report = report
        self._questions = questions
        self._now = now
        self._heard: dict[int, float] = {}
        self._unanswered = 0
        self._given_up = 0  # of the unanswered

    @classmethod
    def start(cls, numbers: Iterable[int]) -> Self:
        """Fork a witness of these signals, which are blocked, and have handlers that do nothing."""
        parent = os.getpid()
        asked, questions = os.pipe()
        report, reporting = os.pipe()
        for descriptor in (questions, report, reporting):
            os.set_blocking(descriptor, False)
        pid = os.fork()
        if pid == 0:
            _bear_witness(parent, numbers, asked, reporting)
        os.close(asked)
        os.close(reporting)
        return cls(pid, questions=questions, report=report)

    def sent_to_all(self, numbers: Iterable[int]) -> set[int] | None:
        """Return those of these signals, that we have got, which went to the whole group.

        None if the witness does not say: it has died, or was stopped.
        """
        if not self._is_up_to_date():
            return None
        since = self._now() - _MEMORY_SECONDS
        return {number for number in set(numbers) if self._heard.pop(number, since) > since}

    def hear(self) -> bool:
        """Take in what the witness has reported, when it can be read; return False if it has ended."""
        try:
            report = os.read(self.report, _READ_BYTES)
        except BlockingIOError:
            return True
        for number in report:
            if number == _ANSWER:
                self._take_answer()
            else:
                self._heard[number] = self._now()
        return bool(report)

    def end(self) -> None:
        """End the process, whatever state it is in, and forget it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.close()

    def close(self) -> None:
        """Close what connects us: the witness ends by that, if it has not ended."""
        os.close(self._questions)
        os.close(self.report)

    def _take_answer(self) -> None:
        self._unanswered -= 1
        if self._given_up:  # of what came before that question we have judged without the witness
            self._given_up -= 1
            self._heard.clear()

    def _is_up_to_date(self) -> bool:
        try:
            os.write(self._questions, b"?")
        except OSError:
            return False
        self._unanswered += 1
        deadline = self._now() + _PATIENCE_SECONDS
        while self._unanswered and _is_readable(self.report, seconds=deadline - self._now()):
            if not self.hear():
                return False
        self._given_up = self._unanswered
        return not self._unanswered


def _is_readable(descriptor: int, *, seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))


def _bear_witness(parent: int, numbers: Iterable[int], asked: int, reporting: int) -> NoReturn:
    try:
        end_with(parent)
        take_name(_NAME)
        let_go(number for number in open_descriptors() if number not in (asked, reporting))
        signal.set_wakeup_fd(reporting, warn_on_full_buffer=False)  # there each signal's number goes
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
        # Only our parent holds the other end: this ends with it, killed or not.
        while os.read(asked, 1):
            os.write(reporting, bytes((_ANSWER,)))
    finally:
        os._exit(0)
