from __future__ import annotations

import json

import pytest

from gds_exec.refresher.current_session import CurrentSession
from gds_exec.session import SessionCredentials
from tests.fakes import NOON, Clock, a_session, never

HOUR = 3600
ARN = "arn:aws:sts::222222222222:assumed-role/admin/"
FIRST = a_session("0001", arn=ARN + "alice-at-noon")
LATER = a_session("0002", issued=NOON + 300, arn=ARN + "alice-later")


class Cached:
    """What the cache has, and how often it was looked at."""

    def __init__(self, session: SessionCredentials | None = None) -> None:
        self.session = session
        self.looks = 0

    def __call__(self) -> SessionCredentials | None:
        self.looks += 1
        return self.session


def at(left: float) -> Clock:
    """Return a clock by which the first session has so many seconds left."""
    return Clock(NOON + HOUR - left)


def test_the_cache_is_looked_at_only_when_the_session_is_due() -> None:
    cached = Cached(LATER)
    clock = at(900)
    held = CurrentSession(FIRST, find=cached, now=clock)

    assert (held.newest(), cached.looks) == (FIRST, 0)
    clock.advance(1)
    assert (held.newest(), cached.looks) == (LATER, 1)
    assert (held.newest(), cached.looks) == (LATER, 1)


def test_a_neighbour_s_session_in_the_cache_is_not_taken() -> None:
    other = a_session("0003", issued=NOON + 900, arn=ARN.replace("/admin/", "/chief/") + "alice")

    assert CurrentSession(FIRST, find=lambda: other, now=at(100)).newest() is FIRST


def test_an_mfa_session_is_taken_for_an_mfa_session() -> None:
    first, later = a_session("0001"), a_session("0002", issued=NOON + 900)

    assert CurrentSession(first, find=lambda: later, now=at(100)).newest() is later


def test_an_older_session_in_the_cache_is_left_there() -> None:
    older = a_session("0000", issued=NOON - 60, arn=FIRST.arn)

    assert CurrentSession(FIRST, find=lambda: older, now=at(100)).newest() is FIRST


def test_what_was_renewed_is_held_if_aws_takes_it_for_longer() -> None:
    held = CurrentSession(LATER, find=never, now=at(600))

    held.take(FIRST)
    assert held.newest() is LATER
    held.take(a_session("0004", issued=NOON + HOUR - 600, life=2 * HOUR))
    assert held.newest().access_key.access_key_id.endswith("0004")


def test_where_the_clock_went_back_a_new_session_takes_the_place_of_one_that_seems_to_last() -> None:
    a_day = 86_400
    held = CurrentSession(FIRST, find=Cached(), now=Clock(NOON + 600 - a_day))
    new = a_session("0005", issued=NOON + 600, clock_offset=a_day)

    held.take(new)

    assert held.newest() is new


def test_a_valid_session_is_answered_whole() -> None:
    answer = CurrentSession(FIRST, find=Cached(), now=at(1)).answer()

    document = json.loads(answer.document)
    assert answer.status == 200
    assert {document["SecretAccessKey"], document["Token"]} == {"secret-0001", "token-0001"}


@pytest.mark.parametrize("left", [100, 3000], ids=["due", "good for long"])
def test_the_answer_is_of_the_newest_session(left: float) -> None:
    assert "token-0002" in CurrentSession(FIRST, find=lambda: LATER, now=at(left)).answer().document


def test_a_session_that_has_ended_is_answered_with_the_reason_why_there_is_no_newer() -> None:
    clock = at(0)
    held = CurrentSession(FIRST, find=Cached(), now=clock)
    assert "has not been renewed yet" in held.answer().document
    held.why_not_newer = "AWS cannot be reached"

    answer = held.answer()

    assert answer.status == 503
    assert json.loads(answer.document) == {
        "code": "SessionExpired",
        "message": "gds-exec: the session has ended: AWS cannot be reached",
    }
    assert "token-0001" not in answer.document
