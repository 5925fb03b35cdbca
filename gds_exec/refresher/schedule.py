"""When a running command's session is renewed, when a person is asked, and what is said where nobody is.

It decides by the wall clock at every look, for a machine may have slept; the work is done by
short-lived processes. A person is asked once, and then left alone for a while.
"""

from __future__ import annotations

from gds_exec.errors import NobodyToAsk
from gds_exec.expiry import (
    ask_again_seconds,
    is_due,
    is_valid,
    is_worth_a_question,
    renew_at,
    retry_seconds,
)
from gds_exec.lean import Value
from gds_exec.redaction import show
from gds_exec.refresher.handoff import ASKING, SILENTLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gds_exec.refresher.current_session import CurrentSession
    from gds_exec.session import SessionCredentials

_LONGEST_SLEEP_SECONDS = 60.0
_NO_DIGITS = str.maketrans("", "", "0123456789")  # seconds to wait do not make it something else
_WATCHFUL_SLEEP_SECONDS = 2.0  # while a person may renew the session from another terminal


class Outcome(Value):
    """How a renewal ended: with a session, or with an exit status and what it said."""

    how: str
    session: SessionCredentials | None
    exit_status: int
    complaint: str


class Schedule:
    """The schedule of one held session; `look` whenever something may have changed."""

    def __init__(
        self,
        held: CurrentSession,
        *,
        role: str,
        start: Callable[[str], None],
        can_ask: Callable[[], bool],
        say: Callable[[str], None],
        now: Callable[[], float],
    ) -> None:
        self._held = held
        self._role = role
        self._start = start
        self._can_ask = can_ask
        self._say = say
        self._now = now
        self._is_running = False
        self._needs_person = False
        self._has_given_up = False
        self._looked_at = 0.0
        self._not_before = 0.0
        self._not_asked_before = 0.0
        self._said: set[str] = set()

    def look(self) -> None:
        """Begin what is to be done now."""
        session, now = self._held.newest(), self._now()
        if now < self._looked_at:  # the clock was set back: what is reckoned by it would last too long
            self._not_before = self._not_asked_before = 0.0
        self._looked_at = now
        if not is_due(session, now):
            self._rest()
        elif not self._is_running:
            self._act(session, now)

    def seconds_to_look(self) -> float:
        """Return after how many seconds to look again, if nothing happens before."""
        session, now = self._held.newest(), self._now()
        if self._is_running:
            return _LONGEST_SLEEP_SECONDS
        if is_due(session, now):
            return max(0.0, min(_WATCHFUL_SLEEP_SECONDS, self._next_try(session, now) - now))
        return max(0.0, min(_LONGEST_SLEEP_SECONDS, renew_at(session) - now))

    def take(self, outcome: Outcome) -> None:
        """Note how a renewal ended."""
        self._is_running = False
        if outcome.session is not None:
            self._held.take(outcome.session)
        session, now = self._held.newest(), self._now()
        if not is_due(session, now):
            self._rest()
            return
        self._not_before = now + retry_seconds(session, now)  # also where the new one is due at once
        if outcome.session is None:
            self._note_failure(outcome, session, now)

    def _note_failure(self, outcome: Outcome, session: SessionCredentials, now: float) -> None:
        self._needs_person = outcome.exit_status == NobodyToAsk.exit_status
        with_remedy = f"{outcome.complaint}: {self._remedy()}"
        self._held.why_not_newer = with_remedy if self._needs_person else outcome.complaint
        if outcome.how == ASKING:
            self._not_asked_before = now + ask_again_seconds(session, now)
            self._has_given_up = not is_valid(session, now)  # nobody may be there, and the command waits
            self._complain(with_remedy)
        elif not self._needs_person and outcome.exit_status >= 0:  # a Ctrl-C for the command is no failure
            self._complain(outcome.complaint)

    def _rest(self) -> None:
        self._needs_person = self._has_given_up = False
        self._not_before = self._not_asked_before = 0.0
        self._said.clear()

    def _act(self, session: SessionCredentials, now: float) -> None:
        if self._needs_person and is_worth_a_question(session, now) and now >= self._not_asked_before:
            self._ask_or_tell(session, now)
        elif now >= self._not_before:
            self._begin(SILENTLY)

    def _ask_or_tell(self, session: SessionCredentials, now: float) -> None:
        if self._can_ask() and not self._has_given_up:
            self._begin(ASKING)
            return
        self._not_asked_before = now + ask_again_seconds(session, now)
        self._complain(f"an MFA code is needed: {self._remedy()}")

    def _begin(self, how: str) -> None:
        self._is_running = True
        self._start(how)

    def _next_try(self, session: SessionCredentials, now: float) -> float:
        if self._needs_person and is_worth_a_question(session, now):
            return min(self._not_before, self._not_asked_before)
        return self._not_before

    def _complain(self, why: str) -> None:
        session, now = self._held.newest(), self._now()
        if is_valid(session, now):
            text = f"the session of {show(self._role)} ends in {_rounded(session.seconds_left(now))}: {why}"
            kind = why.translate(_NO_DIGITS)
        else:
            text = kind = f"the session of {show(self._role)} has ended: {why}"
        if kind not in self._said:
            self._said.add(kind)
            self._say(text)

    def _remedy(self) -> str:
        return f"gds-exec renew {show(self._role)}, in another terminal"


def _rounded(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min" if minutes else f"{rest} s"
