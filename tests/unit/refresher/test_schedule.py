"""When a kept session is renewed, when a person is asked, and what is said: by a clock that is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gds_exec.refresher.current_session import CurrentSession
from gds_exec.refresher.schedule import Outcome, Schedule
from gds_exec.session import SessionCredentials
from tests.fakes import NOON, Clock, Said, a_session

HOUR = 3600
END = NOON + HOUR
REMEDY = "gds-exec renew admin, in another terminal"
NOBODY = "an MFA code is needed, and nobody can be asked"


class Kept:
    """A session of an hour under schedule, whose renewals are told how they end."""

    def __init__(self, session: SessionCredentials | None = None, *, role: str = "admin") -> None:
        self.clock = Clock(END - 1000)
        self.said = Said()
        self.cached: SessionCredentials | None = None
        self.can_ask = True
        self.started: list[str] = []
        self._marks = iter(range(2, 100))
        self.held = CurrentSession(session or a_session(), find=lambda: self.cached, now=self.clock)
        self.schedule = Schedule(
            self.held,
            role=role,
            start=self.started.append,
            can_ask=lambda: self.can_ask,
            say=self.said,
            now=self.clock,
        )

    def at(self, left: float) -> list[str]:
        """Look when the first session has so many seconds left; return the renewals that were begun."""
        self.clock.now = END - left
        before = len(self.started)
        self.schedule.look()
        return self.started[before:]

    def a_new_one(self, life: int = HOUR) -> SessionCredentials:
        return a_session(f"{next(self._marks):04}", issued=int(self.clock.now), life=life)

    def succeeds(self) -> SessionCredentials:
        session = self.a_new_one()
        self.schedule.take(Outcome(self.started[-1], session, 0, ""))
        return session

    def fails(self, complaint: str = "AWS cannot be reached", *, exit_status: int = 125) -> None:
        self.schedule.take(Outcome(self.started[-1], None, exit_status, complaint))

    def needs_a_person(self, complaint: str = NOBODY) -> None:
        self.fails(complaint, exit_status=124)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.mark.parametrize(
    ("left", "begun"),
    [
        pytest.param(HOUR, [], id="fresh"),
        pytest.param(900, [], id="not due"),
        pytest.param(899, ["silently"], id="due"),
        pytest.param(10, ["silently"], id="nearly over"),
        pytest.param(-HOUR, ["silently"], id="over, as where the machine slept"),
        pytest.param(HOUR + 301, ["silently"], id="from the future, as where the clock went back"),
    ],
)
def test_it_is_renewed_silently_when_it_is_due(kept: Kept, left: float, begun: list[str]) -> None:
    assert kept.at(left) == begun
    assert kept.said.lines == []


def test_it_is_renewed_once_at_a_time(kept: Kept) -> None:
    assert kept.at(800) == ["silently"]
    assert kept.at(700) == []
    assert kept.at(10) == []


def test_what_was_renewed_is_held_and_left_in_peace(kept: Kept) -> None:
    kept.at(800)
    session = kept.succeeds()

    assert kept.held.newest() is session
    assert kept.at(799) == []
    assert kept.schedule.seconds_to_look() == 60


def test_a_renewal_that_failed_is_tried_again_later(kept: Kept) -> None:
    kept.at(800)
    kept.fails()

    assert kept.at(771) == []
    assert kept.at(769) == ["silently"]


def test_the_end_is_approached_with_more_tries(kept: Kept) -> None:
    kept.at(80)
    kept.fails()

    assert kept.at(71) == []
    assert kept.at(70) == ["silently"]


def test_a_failure_is_said_once_with_the_time_that_is_left(kept: Kept) -> None:
    for left in (800, 700, 600):
        kept.at(left)
        kept.fails()

    assert kept.said.lines == ["the session of admin ends in 13 min: AWS cannot be reached"]


def test_another_failure_is_said_too(kept: Kept) -> None:
    for left, complaint in ((800, "AWS cannot be reached"), (59, "the disk is full")):
        kept.at(left)
        kept.fails(complaint)

    assert kept.said.lines[1:] == ["the session of admin ends in 59 s: the disk is full"]


def test_the_end_is_said_once_more(kept: Kept) -> None:
    for left in (5, -5, -100):
        kept.at(left)
        kept.fails()

    assert kept.said.lines == [
        "the session of admin ends in 5 s: AWS cannot be reached",
        "the session of admin has ended: AWS cannot be reached",
    ]


def test_a_failure_that_comes_back_after_a_success_is_said_again(kept: Kept) -> None:
    kept.at(800)
    kept.fails()
    kept.at(700)
    kept.succeeds()

    kept.at(700 - HOUR + 800)
    kept.fails()

    assert len(kept.said.lines) == 2


def test_who_asks_the_endpoint_is_told_what_failed_last(kept: Kept) -> None:
    kept.at(800)
    kept.fails("the disk is full")

    assert kept.held.why_not_newer == "the disk is full"


def test_who_asks_the_endpoint_is_told_what_to_do_where_a_person_is_needed(kept: Kept) -> None:
    kept.at(800)
    kept.needs_a_person()

    assert kept.held.why_not_newer == f"{NOBODY}: {REMEDY}"


def test_a_name_cannot_steer_the_terminal() -> None:
    kept = Kept(role="\x1b[2Jadmin")
    kept.at(800)
    kept.fails()

    assert kept.said.text.startswith("the session of \\x1b[2Jadmin ends in")


def test_that_a_person_is_needed_is_not_said_while_there_is_time(kept: Kept) -> None:
    kept.at(800)
    kept.needs_a_person()

    assert kept.at(760) == ["silently"]
    assert kept.said.lines == []


def test_a_person_is_asked_where_only_that_helps_and_it_is_worth_it(kept: Kept) -> None:
    kept.at(800)
    kept.needs_a_person()

    assert kept.at(300) == ["silently"]
    kept.needs_a_person()
    assert kept.at(299) == ["asking"]


def test_nobody_is_asked_before_it_was_tried_without(kept: Kept) -> None:
    assert kept.at(100) == ["silently"]
    kept.needs_a_person()
    assert kept.at(99) == ["asking"]


def test_nobody_is_asked_where_something_else_failed(kept: Kept) -> None:
    kept.at(299)
    kept.fails()

    assert kept.at(200) == ["silently"]


def asked(kept: Kept, *, left: float) -> None:
    kept.at(left + 1)
    kept.needs_a_person()
    assert kept.at(left) == ["asking"]


def test_a_code_that_is_given_renews_the_session(kept: Kept) -> None:
    asked(kept, left=299)
    session = kept.succeeds()

    assert kept.held.newest() is session
    assert kept.at(200) == []
    assert kept.said.lines == []


def test_a_person_who_gave_no_code_is_left_alone_for_a_while(kept: Kept) -> None:
    asked(kept, left=290)
    kept.needs_a_person("no MFA code was given")

    assert kept.at(289 - 110) == ["silently"]
    kept.needs_a_person()
    assert kept.at(171) == []
    assert kept.at(170) == ["asking"]


def test_what_nobody_answered_is_said_with_what_to_do(kept: Kept) -> None:
    asked(kept, left=290)
    kept.needs_a_person("no MFA code was given")

    assert kept.said.lines == [f"the session of admin ends in 4 min: no MFA code was given: {REMEDY}"]


def test_a_question_that_failed_for_another_reason_is_not_put_again_at_once(kept: Kept) -> None:
    asked(kept, left=290)
    kept.fails("AWS cannot be reached")

    assert kept.at(255) == ["silently"]
    kept.needs_a_person()
    assert kept.at(254) == []
    assert kept.at(169) == ["asking"]


@pytest.mark.parametrize("left", [299, 5])
def test_where_nobody_can_be_asked_it_is_told_once_what_to_do(kept: Kept, left: float) -> None:
    kept.can_ask = False
    kept.at(left)
    kept.needs_a_person()

    assert [begun for later in range(100) for begun in kept.at(left - later / 200)] == []
    (line,) = kept.said.lines
    assert line.endswith(f": an MFA code is needed: {REMEDY}")


def test_whoever_can_be_asked_later_is_asked_then(kept: Kept) -> None:
    kept.can_ask = False
    kept.at(299)
    kept.needs_a_person()
    kept.at(298)
    kept.can_ask = True

    assert kept.at(200) == ["silently"]
    kept.needs_a_person()
    assert kept.at(177) == ["asking"]


def test_a_session_that_turns_up_in_the_cache_ends_the_need(kept: Kept) -> None:
    asked(kept, left=290)
    kept.needs_a_person()
    kept.cached = kept.a_new_one()

    assert kept.at(100) == []
    assert kept.held.newest() is kept.cached
    assert kept.schedule.seconds_to_look() == 60


def test_a_session_that_turned_up_while_a_renewal_failed_makes_that_no_failure(kept: Kept) -> None:
    kept.at(200)
    kept.cached = kept.a_new_one()
    kept.fails()

    assert kept.said.lines == []
    assert kept.at(100) == []


def test_the_next_session_is_tried_for_silently_again(kept: Kept) -> None:
    asked(kept, left=290)
    kept.succeeds()

    assert kept.at(290 - HOUR + 100) == ["silently"]


def test_a_new_session_that_is_due_at_once_is_not_renewed_without_end(kept: Kept) -> None:
    kept.at(800)
    kept.schedule.take(Outcome("silently", a_session("0002", issued=NOON + 60), 0, ""))

    assert kept.at(799) == []
    assert kept.at(740) == ["silently"]
    assert kept.said.lines == []


@pytest.mark.parametrize("left", [800, 290], ids=["silently", "asking"])
def test_what_is_put_off_is_not_put_off_for_longer_where_the_clock_goes_back(kept: Kept, left: float) -> None:
    kept.at(left + 1)
    kept.needs_a_person()
    if kept.at(left):
        kept.needs_a_person()

    assert len(kept.at(left + 86_400)) == 1


def sleeps(kept: Kept) -> float:
    return kept.schedule.seconds_to_look()


def due(kept: Kept) -> None:
    kept.clock.now = END - 899


def running(kept: Kept) -> None:
    kept.at(800)


def just_failed(kept: Kept) -> None:
    kept.at(800)
    kept.fails()


def failed_near_the_end(kept: Kept) -> None:
    kept.at(10)
    kept.fails()


def waiting_for_a_person(kept: Kept) -> None:
    asked(kept, left=290)
    kept.needs_a_person()


def overdue(kept: Kept) -> None:
    just_failed(kept)
    kept.clock.now += 40


@pytest.mark.parametrize(
    ("come_to", "seconds"),
    [
        pytest.param(lambda kept: None, 60, id="fresh: not for ever, for the machine may sleep"),
        pytest.param(lambda kept: kept.clock.advance(90), 10, id="until it is due"),
        pytest.param(due, 0, id="due"),
        pytest.param(running, 60, id="while a renewal runs"),
        pytest.param(just_failed, 2, id="for a session that may turn up"),
        pytest.param(failed_near_the_end, 1.25, id="until the next try"),
        pytest.param(waiting_for_a_person, 2, id="for a session that a person may have renewed"),
        pytest.param(overdue, 0, id="the next try is due"),
    ],
)
def test_for_how_long_nothing_need_be_looked_at(
    kept: Kept, come_to: Callable[[Kept], object], seconds: float
) -> None:
    come_to(kept)

    assert sleeps(kept) == pytest.approx(seconds)


@pytest.mark.parametrize("can_ask", [True, False])
def test_the_loop_never_spins(can_ask: bool) -> None:
    kept = Kept()
    kept.can_ask = can_ask
    turns = 0
    while kept.clock.now < END + 600:
        turns += 1
        begun = len(kept.started)
        kept.schedule.look()
        if len(kept.started) > begun:
            kept.needs_a_person()
        kept.clock.advance(max(kept.schedule.seconds_to_look(), 0.05))

    assert turns < 1200
    assert kept.started.count("asking") <= (10 if can_ask else 0)
    assert len(kept.said.lines) <= 4


def test_a_renewal_that_fails_before_it_has_begun_is_a_failure_like_others() -> None:
    kept = Kept()

    def fail(how: str) -> None:
        kept.schedule.take(Outcome(how, None, 125, "it cannot be renewed: Resource temporarily unavailable"))

    kept.schedule = Schedule(
        kept.held, role="admin", start=fail, can_ask=lambda: True, say=kept.said, now=kept.clock
    )
    kept.at(800)
    kept.at(799)

    assert kept.said.lines == [
        "the session of admin ends in 13 min: it cannot be renewed: Resource temporarily unavailable"
    ]
    assert sleeps(kept) == 2
