"""Serve the session of a running command on loopback and renew it, in one event loop."""

from __future__ import annotations

import os
import selectors
import signal
import time

from gds_exec import process_registry
from gds_exec.child.capture import Captured
from gds_exec.child.process_info import process_mark
from gds_exec.environment import is_github_actions
from gds_exec.errors import CommandNotFound, SystemRefused
from gds_exec.hidden_subcommands import subcommand_arguments, upgraded_command
from gds_exec.invocation import without_options
from gds_exec.lean import Value, contextmanager, suppress
from gds_exec.options import REFRESH_WORKER
from gds_exec.output import reason_said
from gds_exec.redaction import show
from gds_exec.refresher.current_session import CurrentSession
from gds_exec.refresher.endpoint import Endpoint
from gds_exec.refresher.handoff import ASKING, PAUSED
from gds_exec.refresher.schedule import Outcome, Schedule
from gds_exec.session import HEADER, open_if_private, parse, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping
    from typing import Protocol

    from gds_exec.refresher.handoff import Handoff
    from gds_exec.session import SessionCredentials

    class CommandPrompt(Protocol):
        """The terminal that a person can be asked on, as far as the schedule is concerned."""

        def can_ask(self) -> bool:
            """Return whether a question now would do no harm."""

        def fields(self) -> list[str]:
            """Return what a worker that asks has to know, each as NAME=VALUE."""

        def put_right(self) -> None:
            """Undo what one has left that was killed."""


_LONGEST_RENEWAL_SECONDS = 150  # a person has a minute, mfa_process another
_GRACE_SECONDS = 5
# A worker ends in 0 only with a session. A gds-exec without this subcommand takes it for a role and its
# version for a command, which it does not find.
_OF_ANOTHER_VERSION = (0, CommandNotFound.exit_status)
_FOR_A_PAUSED_COMMAND = (signal.SIGCONT, signal.SIGWINCH)  # which can wait
_LONGEST_TURN_SECONDS = 60.0


class RefreshLoop:
    """The loop, the endpoint in it, and the schedule of the session that it serves."""

    def __init__(
        self,
        handoff: Handoff,
        environ: Mapping[str, str],
        *,
        listener: socket.socket,
        token: str,
        say: Callable[[str], None],
        paused_prompt: CommandPrompt | None = None,
    ) -> None:
        self._handover = handoff
        self._environ = without_options(environ)
        self._paused_prompt = paused_prompt
        self._renewal: _Renewal | None = None
        self.selector = selectors.DefaultSelector()
        directory = open_if_private(handoff.cache_directory) if handoff.cache_directory else None
        held = CurrentSession(
            handoff.session,
            find=lambda: None if directory is None else read(directory, handoff.key),
            now=time.time,
        )
        self._schedule = Schedule(
            held,
            role=handoff.role,
            start=self._start_renewal,
            can_ask=lambda: paused_prompt is not None and paused_prompt.can_ask(),
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
        self._schedule.look()

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
        sleeps = [self._schedule.seconds_to_look()]
        if (deadline := self._endpoint.seconds_to_deadline()) is not None:
            sleeps.append(deadline)
        if self._renewal is not None:
            sleeps.append(self._renewal.seconds_to_end(time.monotonic()))
        return max(0.0, min(sleeps))

    def _start_renewal(self, how: str) -> None:
        program = self._handover.program
        fields = self._paused_prompt.fields() if how == ASKING and self._paused_prompt is not None else ()
        arguments = subcommand_arguments(REFRESH_WORKER, how, *fields, *self._handover.arguments)
        try:
            process = Captured(
                self.selector,
                [program, *arguments],
                environ=self._environ,
                on_end=lambda status, said, complaint: self._finish_renewal(how, status, said, complaint),
            )
        except OSError as error:  # gds-exec was removed, or there are no more processes or memory
            reason = f"{show(program)} cannot be started: {error.strerror}"
            self._schedule.take(Outcome(how, None, SystemRefused.exit_status, reason))
            return
        deadline = time.monotonic() + _LONGEST_RENEWAL_SECONDS
        self._renewal = _Renewal(process, deadline, is_asking=how == ASKING)

    def _finish_renewal(self, how: str, wait_status: int, said: bytes, complaint: bytes) -> None:
        self._renewal = None
        session, paused = _read(said)
        self._tidy_up(wait_status, paused)
        if session is not None and is_github_actions(self._environ):
            from gds_exec.output import mask_in_job_log

            mask_in_job_log(*session.access_key.parts)
        status = os.waitstatus_to_exitcode(wait_status)
        if session is None and status in _OF_ANOTHER_VERSION:
            reason = upgraded_command().message
        else:
            reason = reason_said(complaint) or "the renewal failed"
        self._schedule.take(Outcome(how, session, status, reason))

    def _tidy_up(self, wait_status: int, paused: list[int]) -> None:
        """Undo what a process that was killed could not undo itself."""
        if not os.WIFSIGNALED(wait_status):
            return
        for pid in paused:
            with suppress(OSError):
                os.kill(pid, signal.SIGCONT)
        if self._paused_prompt is not None:
            self._paused_prompt.put_right()


@contextmanager
def recorded(
    handoff: Handoff, program: str, *, pid: int | None = None, now: Callable[[], float] = time.time
) -> Iterator[None]:
    """List the command as running inside the block; then remove its record."""
    directory = open_if_private(handoff.cache_directory) if handoff.cache_directory else None
    record = process_registry.Running(
        process_mark(pid or os.getpid()),
        process_registry.COMMAND,
        handoff.role,
        program,
        handoff.key,
        handoff.arguments,
        int(now()),
    )
    if directory is not None:
        process_registry.note(directory, record)
    try:
        yield
    finally:
        if directory is not None:
            process_registry.forget(directory, record)
            os.close(directory)


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
    fields = [line.partition("=") for line in announced.split("\n")]
    return parse(header + text), [int(pid) for name, _, pid in fields if name == PAUSED and pid.isdigit()]
