import pytest

from gds_exec.credentials.session import AccessKey, SessionCredentials
from tests.fakes import NOON, a_session

LONG_LIVED = SessionCredentials.long_lived(AccessKey("AKIAEXAMPLE1234", "a-secret"), now=NOON)


@pytest.mark.parametrize("form", [repr, str, lambda value: f"{value}", lambda value: f"{[value]}"])
@pytest.mark.parametrize("value", [a_session("WXYZ"), a_session("WXYZ").access_key])
def test_no_form_of_credentials_shows_more_than_the_end_of_the_key_id(value: object, form: object) -> None:
    shown = form(value)  # type: ignore[operator]

    assert "WXYZ" in shown
    assert not any(part in shown for part in ("ASIA", "secret", "token"))


def test_credentials_have_no_dict_that_a_debugger_or_logger_might_print() -> None:
    assert not hasattr(a_session(), "__dict__")
    assert not hasattr(a_session().access_key, "__dict__")


@pytest.mark.parametrize(
    ("clock_offset", "now", "left"),
    [
        pytest.param(0, NOON, 3600, id="clocks agree"),
        pytest.param(0, NOON + 3601, -1, id="expired"),
        pytest.param(7200, NOON - 7200, 3600, id="our clock is behind"),
        pytest.param(-600, NOON + 600, 3000, id="our clock is ahead, or was and is right by now"),
    ],
)
def test_seconds_left_are_reckoned_by_the_clock_that_is_further_on(
    clock_offset: int, now: float, left: float
) -> None:
    assert a_session(clock_offset=clock_offset).seconds_left(now) == left


def test_long_lived_keys_never_run_out() -> None:
    assert LONG_LIVED.seconds_left(NOON + 10**9) == float("inf")
    assert LONG_LIVED.life_seconds() == float("inf")


def test_a_session_lives_from_issue_to_expiration() -> None:
    assert a_session(life=900).life_seconds() == 900


def test_keys_with_a_session_token_are_temporary() -> None:
    assert a_session().access_key.is_temporary
    assert not LONG_LIVED.access_key.is_temporary


@pytest.mark.parametrize(
    ("clock_offset", "now", "age"),
    [
        pytest.param(0, NOON, 0, id="just made"),
        pytest.param(0, NOON + 90, 90, id="clocks agree"),
        pytest.param(7200, NOON - 7200 + 90, 90, id="our clock is behind"),
        pytest.param(-600, NOON + 600 + 90, 690, id="our clock is ahead, or was and is right by now"),
    ],
)
def test_the_age_is_reckoned_by_the_clock_that_is_further_on(
    clock_offset: int, now: float, age: float
) -> None:
    assert a_session(clock_offset=clock_offset).age_seconds(now) == age


@pytest.mark.parametrize(("seconds_before", "is_from_the_future"), [(300, False), (301, True)])
def test_a_session_is_from_the_future_where_the_clock_went_back_by_more_than_5_min(
    seconds_before: int, is_from_the_future: bool
) -> None:
    assert a_session().is_from_the_future(NOON - seconds_before) is is_from_the_future
