"""What is handed out by whoever comes back for a session: the decisions, with a provider that is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from gds_exec.credentials.cache import SessionCache, open_cache
from gds_exec.credentials.silent_refresh import freshest
from gds_exec.errors import AwsUnreachable, GdsExecError, NobodyToAsk
from gds_exec.session import SessionCredentials
from tests.fakes import NOON, Clock, Said, a_session, never

HOUR = 3600
KEY = "key"
END = NOON + HOUR
HELD = a_session("0001")
NEW = a_session("0002", issued=END - 600)
UNREACHABLE = AwsUnreachable("AWS cannot be reached")
NOBODY = NobodyToAsk("a code is needed, and there is nobody to ask")

Answer = SessionCredentials | BaseException


class FakeProvider:
    """A provider whose answers are told beforehand: without a person, and with one."""

    def __init__(
        self,
        held: SessionCredentials | None,
        *,
        silently: Answer = NOBODY,
        with_person: Answer = NOBODY,
        kept_under: str | None = KEY,
    ) -> None:
        self._held = held
        self._answers = {False: silently, True: with_person}
        self.kept_under = kept_under
        self.asked: list[bool] = []

    def held(self) -> SessionCredentials | None:
        return self._held

    def retrieve(self, *, with_person: bool = True) -> SessionCredentials:
        self.asked.append(with_person)
        answer = self._answers[with_person]
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Caller:
    """Whoever wants a session, at a moment with so many seconds left of the one that is held."""

    def __init__(self, cache: SessionCache) -> None:
        self.cache = cache
        self.clock = Clock()
        self.noticed = Said()

    def gets(self, provider: FakeProvider, *, left: int) -> SessionCredentials:
        self.clock.now = END - left
        return freshest(provider, self.cache, notice=self.noticed, now=self.clock)  # type: ignore[arg-type]

    @property
    def put_off_seconds(self) -> float:
        return max(0, self.cache.put_off_until(KEY) - self.clock.now)


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    return Caller(open_cache(str(tmp_path / "cache"), warn=never))


def test_what_can_be_had_without_a_person_is_had_without_one(caller: Caller) -> None:
    provider = FakeProvider(HELD, silently=NEW)

    assert caller.gets(provider, left=800) is NEW
    assert provider.asked == [False]
    assert (caller.put_off_seconds, caller.noticed.lines) == (0, [])


def test_a_person_is_not_asked_while_there_is_time(caller: Caller) -> None:
    provider = FakeProvider(HELD, with_person=NEW)

    assert caller.gets(provider, left=800) is HELD
    assert provider.asked == [False]
    assert caller.put_off_seconds == 30
    assert caller.noticed.lines == []


def test_a_person_is_asked_where_little_time_is_left(caller: Caller) -> None:
    provider = FakeProvider(HELD, with_person=NEW)

    assert caller.gets(provider, left=200) is NEW
    assert provider.asked == [False, True]
    assert caller.put_off_seconds == 0


def test_a_person_is_asked_where_nothing_is_held(caller: Caller) -> None:
    provider = FakeProvider(None, with_person=NEW, kept_under=None)

    assert caller.gets(provider, left=0) is NEW


@pytest.mark.parametrize("error", [UNREACHABLE, NOBODY])
def test_who_has_nothing_is_told_why(caller: Caller, error: GdsExecError) -> None:
    with pytest.raises(type(error), match=error.message):
        caller.gets(FakeProvider(None, silently=error, with_person=error, kept_under=None), left=0)

    assert caller.noticed.lines == []


def test_a_failure_is_said_and_what_is_held_does(caller: Caller) -> None:
    provider = FakeProvider(HELD, silently=UNREACHABLE)

    assert caller.gets(provider, left=240) is HELD
    assert provider.asked == [False]
    assert caller.noticed.lines == ["the session was not renewed: AWS cannot be reached"]
    assert caller.put_off_seconds == 30


def test_a_person_who_declines_keeps_what_is_held_and_is_left_alone_for_longer(caller: Caller) -> None:
    provider = FakeProvider(HELD, with_person=NobodyToAsk("no MFA code was given"))

    assert caller.gets(provider, left=200) is HELD
    assert caller.noticed.lines == ["the session was not renewed: no MFA code was given"]
    assert caller.put_off_seconds == 100


def test_a_person_who_interrupts_the_question_is_left_alone_too(caller: Caller) -> None:
    with pytest.raises(KeyboardInterrupt):
        caller.gets(FakeProvider(HELD, with_person=KeyboardInterrupt()), left=200)

    assert caller.put_off_seconds == 100


def test_a_session_that_ended_while_the_person_was_asked_is_not_handed_out(caller: Caller) -> None:
    class Slow(FakeProvider):
        def retrieve(self, *, with_person: bool = True) -> SessionCredentials:
            caller.clock.advance(300)
            return super().retrieve(with_person=with_person)

    with pytest.raises(NobodyToAsk):
        caller.gets(Slow(HELD), left=200)


def test_what_has_been_put_off_is_not_tried_by_the_next_process_either(caller: Caller) -> None:
    caller.gets(FakeProvider(HELD, silently=UNREACHABLE), left=240)
    next_one = FakeProvider(HELD, silently=NEW)

    assert caller.gets(next_one, left=240 - 29) is HELD
    assert next_one.asked == []
    assert caller.gets(next_one, left=240 - 31) is NEW


def test_who_has_nothing_is_not_put_off(caller: Caller) -> None:
    caller.gets(FakeProvider(HELD, silently=UNREACHABLE), left=240)

    assert caller.gets(FakeProvider(None, silently=NEW), left=230) is NEW


def test_a_session_that_no_cache_keeps_is_tried_for_each_time(caller: Caller) -> None:
    for left in (240, 239):
        provider = FakeProvider(HELD, silently=UNREACHABLE, kept_under=None)
        assert caller.gets(provider, left=left) is HELD
        assert provider.asked == [False]
