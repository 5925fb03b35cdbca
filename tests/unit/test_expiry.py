from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.expiry import (
    ask_again_seconds,
    early_seconds,
    expires_at,
    is_due,
    is_valid,
    is_worth_a_question,
    renew_at,
    retry_seconds,
)
from gds_exec.session import AccessKey, SessionCredentials
from tests.fakes import NOON, a_session

HOUR = 3600
LONG_LIVED = SessionCredentials.long_lived(AccessKey("AKIAEXAMPLE1234", "a-secret"), now=NOON)
Decision = Callable[[SessionCredentials, float], bool]

lives = st.integers(1, 36 * HOUR)
parts_left = st.floats(0.001, 1.0)
offsets = st.integers(-300, 10_000)  # beyond it the session would be one from the future


def ask_at(session: SessionCredentials) -> float:
    """When five minutes are left, or a twelfth of a shorter life."""
    return expires_at(session) - min(300, session.life_seconds() / 12)


@pytest.mark.parametrize(
    ("life", "asked", "minimum"),
    [
        pytest.param(3600, None, 300, id="an hour"),
        pytest.param(1200, None, 300, id="20 min"),
        pytest.param(900, None, 225, id="15 min"),
        pytest.param(900, 600, 600, id="asked for"),
        pytest.param(900, 0, 0, id="nothing asked for"),
    ],
)
def test_the_minimum_is_5_min_or_a_quarter_unless_asked_for(
    life: int, asked: int | None, minimum: int
) -> None:
    session = a_session(life=life)
    last = NOON + life - minimum
    assert session.can_begin(last, min_remaining_seconds=asked)
    assert not session.can_begin(last + 1, min_remaining_seconds=asked)


@pytest.mark.parametrize(("seconds_before", "is_enough"), [(300, True), (301, False)])
def test_no_command_begins_with_a_session_from_the_future(seconds_before: int, is_enough: bool) -> None:
    assert a_session().can_begin(NOON - seconds_before, min_remaining_seconds=None) is is_enough


@pytest.mark.parametrize(
    ("life", "renewed_with", "asked_with"),
    [
        pytest.param(12 * HOUR, 900, 300, id="12 h"),
        pytest.param(HOUR, 900, 300, id="an hour"),
        pytest.param(1800, 450, 150, id="half an hour"),
        pytest.param(900, 225, 75, id="15 min"),
        pytest.param(12, 3, 1, id="12 s"),
    ],
)
def test_it_is_renewed_at_15_min_or_a_quarter_and_a_person_asked_at_5_min_or_a_twelfth(
    life: int, renewed_with: int, asked_with: int
) -> None:
    session = a_session(life=life)
    end = NOON + life
    assert not is_due(session, end - renewed_with)
    assert is_due(session, end - renewed_with + 0.1)
    assert not is_worth_a_question(session, end - asked_with)
    assert is_worth_a_question(session, end - asked_with + 0.1)


@pytest.mark.parametrize(
    ("now", "is_taken"),
    [
        pytest.param(NOON, True, id="from its first second"),
        pytest.param(NOON + HOUR - 1, True, id="to its last"),
        pytest.param(NOON + HOUR, False, id="not in the moment it ends"),
        pytest.param(NOON - 300, True, id="clocks that differ by minutes"),
        pytest.param(NOON - 301, False, id="not where the clock went back"),
    ],
)
def test_a_session_is_valid_from_issue_to_expiration(now: float, is_taken: bool) -> None:
    assert is_valid(a_session(), now) is is_taken


@pytest.mark.parametrize("decides", [is_due, is_worth_a_question])
def test_where_the_clock_went_back_it_is_high_time(decides: Decision) -> None:
    assert decides(a_session(), NOON - 301)


def test_long_lived_keys_are_always_enough() -> None:
    later = NOON + 10**9
    assert LONG_LIVED.can_begin(later, min_remaining_seconds=12 * HOUR)
    assert is_valid(LONG_LIVED, later)
    assert not is_due(LONG_LIVED, later)
    assert not is_worth_a_question(LONG_LIVED, later)
    assert renew_at(LONG_LIVED) == expires_at(LONG_LIVED) == float("inf")
    assert early_seconds(LONG_LIVED) == 0


@given(lives, offsets)
def test_the_moments_are_those_at_which_the_decisions_turn(life: int, clock_offset: int) -> None:
    session = a_session(life=life, clock_offset=clock_offset)
    a_moment = 0.001

    assert not is_due(session, renew_at(session) - a_moment)
    assert is_due(session, renew_at(session) + a_moment)
    assert not is_worth_a_question(session, ask_at(session) - a_moment)
    assert is_worth_a_question(session, ask_at(session) + a_moment)
    assert is_valid(session, expires_at(session) - a_moment)
    assert not is_valid(session, expires_at(session))


@given(lives, offsets)
def test_a_session_is_renewed_before_anybody_is_asked_and_asked_for_before_it_ends(
    life: int, clock_offset: int
) -> None:
    session = a_session(life=life, clock_offset=clock_offset)

    assert renew_at(session) < ask_at(session) < expires_at(session)


@given(lives)
def test_nobody_is_told_an_end_at_which_no_other_session_would_be_had(life: int) -> None:
    session = a_session(life=life)

    assert early_seconds(session) <= 60
    assert is_due(session, expires_at(session) - early_seconds(session))


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        pytest.param(900, 30, id="long"),
        pytest.param(80, 10, id="an eighth of what is left"),
        pytest.param(2, 1, id="a second at least"),
        pytest.param(0, 30, id="ended"),
        pytest.param(-500, 30, id="ended long ago"),
    ],
)
def test_a_renewal_that_failed_is_tried_again_several_times_before_the_end(left: int, seconds: float) -> None:
    assert retry_seconds(a_session(), NOON + HOUR - left) == seconds


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        pytest.param(300, 120, id="2 min"),
        pytest.param(180, 90, id="half of what is left"),
        pytest.param(90, 60, id="a minute at least"),
        pytest.param(2, 60, id="also just before the end"),
        pytest.param(0, 120, id="ended"),
    ],
)
def test_a_person_who_gave_no_code_is_left_alone_for_a_while(left: int, seconds: float) -> None:
    assert ask_again_seconds(a_session(), NOON + HOUR - left) == seconds


@given(lives)
def test_a_person_who_never_gives_a_code_is_asked_a_few_times_and_not_ever_more_often(life: int) -> None:
    session = a_session(life=life)
    now, questions = ask_at(session), 0
    while now < expires_at(session):
        questions += 1
        now += ask_again_seconds(session, now)

    assert questions <= 5


@given(lives, parts_left)
def test_a_failure_leaves_time_for_another_try_in_all_but_the_last_seconds(
    life: int, part_left: float
) -> None:
    session = a_session(life=life)
    left = life * part_left
    now = NOON + life - left
    if left > 2:
        assert retry_seconds(session, now) < left
