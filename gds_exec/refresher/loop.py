"""A held session kept up and served on loopback, within one event loop, until something ends it."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time

from gds_exec.child.capture import Captured
from gds_exec.invocation import without_options
from gds_exec.lean import Value, suppress
from gds_exec.output import reason_said
from gds_exec.refresher.current_session import HeldSession
from gds_exec.refresher.endpoint import Endpoint
from gds_exec.refresher.handoff import ASKING
from gds_exec.refresher.schedule import Outcome, Upkeep
from gds_exec.session import HEADER, open_if_private, parse, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from gds_exec.refresher.handoff import Handover
    from gds_exec.session import SessionCredentials

    class Interludes(Protocol):
        """The terminal that a person can be asked on, as far as the upkeep is concerned."""

        def can_ask(self) -> bool:
            """Return whether a question now would do no harm."""

        def arguments(self) -> list[str]:
            """Return what a process has to know that is to ask."""

        def put_right(self) -> None:
            """Undo what one has left that was killed."""


_LONGEST_RENEWAL_SECONDS = 150  # a person has a minute, mfa_process another
_GRACE_SECONDS = 5
_FOR_A_PAUSED_COMMAND = (signal.SIGCONT, signal.SIGWINCH)  # which can wait
_LONGEST_TURN_SECONDS = 60.0


class Keeping:
    """The loop, the endpoint in it, and the upkeep of the session that it serves."""

    def __init__(
        self,
        handover: Handover,
        environ: Mapping[str, str],
        *,
        listener: socket.socket,
        token: str,
        say: Callable[[str], None],
        interlude: Interludes | None = None,
    ) -> None:
        self._handover = handover
        self._environ = without_options(environ)
        self._interlude = interlude
        self._renewal: _Renewal | None = None
        self.selector = selectors.DefaultSelector()
        directory = open_if_private(handover.cache_directory) if handover.cache_directory else None
        held = HeldSession(
            handover.session,
            find=lambda: None if directory is None else read(directory, handover.key),
            now=time.time,
        )
        self._upkeep = Upkeep(
            held,
            role=handover.role,
            start=self._start_renewal,
            can_ask=lambda: interlude is not None and interlude.can_ask(),
            say=say,
            now=time.time,
        )
        self._endpoint = Endpoint(self.selector, listener, token, held.answer)

    @property
    def url(self) -> str:
        """Where the session is served."""
        return self._endpoint.url

    def turn(self, *, longest_seconds: float = _LONGEST_TURN_SECONDS) -> None:
        """Wait for the next thing to happen, for so long at most, and do what it asks for."""
        for key, _ in self.selector.select(min(longest_seconds, self._seconds_to_sleep())):
            key.data()
        self._endpoint.drop_overdue()
        if self._renewal is not None:
            self._renewal.end_if_overdue(time.monotonic())
        self._upkeep.look()

    def heed(self, number: int) -> None:
        """End a question: the command has been sent a signal, and is paused."""
        if self._renewal is not None and self._renewal.is_asking and number not in _FOR_A_PAUSED_COMMAND:
            self._renewal.process.send(signal.SIGTERM)

    def close(self) -> None:
        """Serve no more, and end what was begun."""
        if self._renewal is not None:
            status, said = self._renewal.process.end(grace_seconds=_GRACE_SECONDS)
            self._tidy_up(status, _read(said)[1])
            self._renewal = None
        self._endpoint.close()
        self.selector.close()

    def _seconds_to_sleep(self) -> float:
        sleeps = [self._upkeep.seconds_to_look()]
        if (deadline := self._endpoint.seconds_to_deadline()) is not None:
            sleeps.append(deadline)
        if self._renewal is not None:
            sleeps.append(self._renewal.seconds_to_end(time.monotonic()))
        return max(0.0, min(sleeps))

    def _start_renewal(self, how: str) -> None:
        argv = [sys.executable, "-P", "-m", "gds_exec.cli.commands.refresh_worker", how]
        if how == ASKING and self._interlude is not None:
            argv += self._interlude.arguments()
        try:
            process = Captured(
                self.selector,
                [*argv, *self._handover.arguments],
                environ=self._environ,
                on_end=lambda status, said, complaint: self._finish_renewal(how, status, said, complaint),
            )
        except OSError as error:  # no more processes, or memory
            self._upkeep.take(Outcome(how, None, 125, f"it cannot be renewed: {error.strerror}"))
            return
        deadline = time.monotonic() + _LONGEST_RENEWAL_SECONDS
        self._renewal = _Renewal(process, deadline, is_asking=how == ASKING)

    def _finish_renewal(self, how: str, wait_status: int, said: bytes, complaint: bytes) -> None:
        self._renewal = None
        session, paused = _read(said)
        self._tidy_up(wait_status, paused)
        if session is not None and self._environ.get("GITHUB_ACTIONS") == "true":
            from gds_exec.output import mask_in_job_log

            mask_in_job_log(*session.access_key.parts)
        status = os.waitstatus_to_exitcode(wait_status)
        self._upkeep.take(Outcome(how, session, status, reason_said(complaint) or "the renewal failed"))

    def _tidy_up(self, wait_status: int, paused: list[int]) -> None:
        """Undo what a process that was killed could not undo itself."""
        if not os.WIFSIGNALED(wait_status):
            return
        for pid in paused:
            with suppress(OSError):
                os.kill(pid, signal.SIGCONT)
        if self._interlude is not None:
            self._interlude.put_right()


class _Renewal(Value):
    process: Captured
    deadline: float
    is_asking: bool

    def seconds_to_end(self, now: float) -> float:
        """Return after how long to look whether it is overdue."""
        return self.deadline - now if now <= self.deadline else _GRACE_SECONDS

    def end_if_overdue(self, now: float) -> None:
        """Have it tidy up and end, and where it does not, end it."""
        if now > self.deadline + _GRACE_SECONDS:
            self.process.send(signal.SIGKILL)
        elif now > self.deadline:
            self.process.send(signal.SIGTERM)


def _read(said: bytes) -> tuple[SessionCredentials | None, list[int]]:
    """Return the session, and the processes that were paused for a question."""
    announced, header, text = said.decode("ascii", "replace").partition(HEADER)
    paused = [int(word) for word in announced.split() if word.isdigit()]
    return parse(header + text), paused
