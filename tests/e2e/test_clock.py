"""Clocks that are wrong, that jump, or that merely went on: rows 38 to 44."""

import json
import subprocess
import time
from calendar import timegm

import pytest

from .expectations import assert_ours
from .fake_time import at_clock
from .observations import calls_of, codes_sent
from .world import GDS_EXEC, SHOW_KEY, World, needs

HOUR = 3600
SHOW_EXPIRATION = ("sh", "-c", 'echo "$AWS_CREDENTIAL_EXPIRATION"')

needs_faketime = needs("faketime")


def run_at(world: World, offset_seconds: int, *argv: str) -> subprocess.CompletedProcess[bytes]:
    """Run gds-exec with a clock that is `offset_seconds` ahead of ours, or behind."""
    return world.run_program(
        *at_clock(f"{offset_seconds:+d}s"), GDS_EXEC, *argv, environ={"DONT_FAKE_MONOTONIC": "1"}
    )


def run_later(world: World, seconds: int, *argv: str) -> subprocess.CompletedProcess[bytes]:
    """Run gds-exec when that much time has passed, for AWS too."""
    world.aws.clock_offset = seconds
    return run_at(world, seconds, *argv)


def key_of(done: subprocess.CompletedProcess[bytes]) -> bytes:
    """The access key id that SHOW_KEY printed."""
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.startswith(b"ASIA")
    return done.stdout


def expiration_of(done: subprocess.CompletedProcess[bytes]) -> int:
    """The moment that SHOW_EXPIRATION printed."""
    assert done.returncode == 0, done.stderr.decode()
    return timegm(time.strptime(done.stdout.decode().strip(), "%Y-%m-%dT%H:%M:%SZ"))


@needs_faketime
@pytest.mark.matrix(38)
@pytest.mark.parametrize(
    ("offset_seconds", "difference"),
    [
        pytest.param(2 * HOUR, "120 min ahead of AWS's", id="two-hours-ahead"),
        pytest.param(-2 * HOUR, "120 min behind AWS's", id="two-hours-behind"),
    ],
)
def test_wrong_clock_is_named_with_its_difference_and_costs_no_code(
    world: World, offset_seconds: int, difference: str
) -> None:
    world.add_role("admin")
    done = run_at(world, offset_seconds, "admin", "--mfa-code", world.code(), "--", "true")
    assert_ours(done, 125, "clock", difference, "hint: set the clock")
    assert codes_sent(world.aws) == 0


@needs_faketime
@pytest.mark.matrix(39)
def test_expired_session_is_not_used_when_the_clock_goes_back_a_day(world: World) -> None:
    world.add_role("plain", mfa=False)
    assert world.run("plain", "--", "true").returncode == 0
    world.aws.clock_offset = 2 * HOUR
    done = run_at(world, -24 * HOUR, "plain", "--", "true")
    assert_ours(done, 125, "clock", "behind AWS's")


@pytest.mark.matrix(38)
@pytest.mark.parametrize("minutes", [-14, 14])
def test_clock_that_aws_tolerates_is_no_fault_and_its_session_is_kept(world: World, minutes: int) -> None:
    world.add_role("plain", mfa=False)
    world.aws.clock_offset = minutes * 60
    first = world.run("plain", "--", *SHOW_KEY)
    assert key_of(world.run("plain", "--", *SHOW_KEY)) == key_of(first)
    assert world.aws.count("AssumeRole") == 1


@needs_faketime
@pytest.mark.matrix(38, 39)
@pytest.mark.parametrize("minutes", [-14, 14])
def test_session_made_under_a_wrong_clock_is_not_used_expired_once_the_clock_is_right(
    world: World, minutes: int
) -> None:
    world.add_role("plain", mfa=False)
    made = key_of(run_at(world, minutes * 60, "plain", "--", *SHOW_KEY))
    assert key_of(run_later(world, HOUR + 10, "plain", "--", *SHOW_KEY)) != made


@needs_faketime
@pytest.mark.matrix(40)
def test_expiry_is_judged_by_the_clock_on_the_wall(world: World) -> None:
    world.add_role("plain", mfa=False)
    made = key_of(world.run("plain", "--", *SHOW_KEY))
    assert key_of(run_later(world, HOUR // 2, "plain", "--", *SHOW_KEY)) == made
    assert key_of(run_later(world, HOUR + 1, "plain", "--", *SHOW_KEY)) != made


def _document(world: World, expiration: object) -> str:
    source = {"Version": 1, "AccessKeyId": world.user.access_key_id}
    return json.dumps({**source, "SecretAccessKey": world.user.secret_access_key, "Expiration": expiration})


def _keys_from_process(world: World, document: str) -> None:
    path = world.home / "document.json"
    path.write_text(document, encoding="utf-8")
    world.write_credentials("")
    world.write_config(f"[profile gds-users]\ncredential_process = cat {path}\n")
    world.add_role("plain", mfa=False)


@pytest.mark.matrix(41)
@pytest.mark.parametrize(
    "expiration",
    [
        "2099-01-02T03:04:05Z",
        "2099-01-02T03:04:05.678Z",
        "2099-01-02T03:04:05.678901+00:00",
        "2099-01-02T03:04:05+0000",
        "2099-01-02T03:04:05",
        None,
    ],
)
def test_expiration_is_read_in_every_form_that_programs_print(world: World, expiration: str | None) -> None:
    _keys_from_process(world, _document(world, expiration))
    done = world.run("plain", "--", "true")
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.matrix(41)
@pytest.mark.parametrize(
    ("expiration", "word"),
    [
        pytest.param("2001-01-01T00:00:00Z", "expired", id="past"),
        pytest.param("2001-01-01T00:00:00", "expired", id="past-without-zone"),
        pytest.param("0001-01-01T00:00:00+14:00", "expired", id="before-time"),
        pytest.param("tomorrow", "missing or wrong", id="words"),
        pytest.param("", "missing or wrong", id="empty"),
        pytest.param(4070908800, "missing or wrong", id="number"),
        pytest.param(["2099-01-02T03:04:05Z"], "missing or wrong", id="list"),
    ],
)
def test_expiration_that_is_past_or_no_time_is_refused(world: World, expiration: object, word: str) -> None:
    _keys_from_process(world, _document(world, expiration))
    assert_ours(world.run("plain", "--", "true"), 125, "[helper-failed]", "gds-users", word)


@needs_faketime
@pytest.mark.matrix(42)
def test_shorter_life_than_asked_for_is_believed(world: World) -> None:
    world.add_role("plain", mfa=False)
    world.aws.life_override = 1000
    before = int(world.aws.now())
    first = expiration_of(world.run("plain", "--duration", "1h", "--", *SHOW_EXPIRATION))
    assert before + 1000 <= first <= world.aws.now() + 1000
    again = run_later(world, 900, "plain", "--duration", "1h", "--", *SHOW_EXPIRATION)
    assert expiration_of(again) > first


@needs_faketime
@pytest.mark.matrix(43)
@pytest.mark.parametrize(
    ("options", "seconds_left", "calls"),
    [
        pytest.param((), 290, 2, id="less-than-5-min"),
        pytest.param((), 330, 1, id="more-than-5-min"),
        pytest.param(("--min-remaining", "50m"), 2990, 2, id="less-than-asked"),
        pytest.param(("--min-remaining", "50m"), 3030, 1, id="more-than-asked"),
        pytest.param(("--min-remaining", "10s"), 30, 1, id="less-asked-than-usual"),
    ],
)
def test_session_is_handed_over_with_its_minimum_left_or_renewed(
    world: World, options: tuple[str, ...], seconds_left: int, calls: int
) -> None:
    world.add_role("plain", mfa=False)
    assert world.run("plain", "--", "true").returncode == 0
    done = run_later(world, HOUR - seconds_left, "plain", *options, "--", *SHOW_EXPIRATION)
    assert expiration_of(done) - world.aws.now() >= (HOUR - 15 if calls == 2 else seconds_left - 15)
    assert world.aws.count("AssumeRole") == calls


@pytest.mark.matrix(41, 42)
@pytest.mark.parametrize("life", [0, -10])
def test_session_that_is_past_when_it_comes_is_refused_and_not_asked_for_for_ever(
    world: World, life: int
) -> None:
    world.add_role("plain", mfa=False)
    world.aws.life_override = life
    assert_ours(world.run("plain", "--", "true", timeout=20), 125, "the Expiration is in the past")
    assert world.aws.count("AssumeRole") == 1


@needs_faketime
@pytest.mark.matrix(43)
def test_session_just_made_is_used_whatever_its_length(world: World) -> None:
    world.add_role("plain", mfa=False)
    world.aws.life_override = 59
    assert world.run("plain", "--", "true").returncode == 0
    assert run_later(world, 50, "plain", "--", "true").returncode == 0
    assert world.aws.count("AssumeRole") == 2, "9 s of 59 are too few for the next command"


@pytest.mark.matrix(43)
@pytest.mark.parametrize(
    ("options", "life"),
    [
        pytest.param(("--min-remaining", "20m"), 1000, id="aws-gives-less"),
        pytest.param(("--duration", "15m", "--min-remaining", "20m"), 900, id="aws-gives-less-than-raised"),
    ],
)
def test_minimum_that_aws_does_not_give_is_an_error_before_the_command_starts(
    world: World, options: tuple[str, ...], life: int
) -> None:
    world.add_role("plain", mfa=False)
    world.aws.life_override = life
    done = world.run("plain", *options, "--", "echo", "started")
    assert_ours(done, 125, "[session-too-short]", "20m were", "hint: ask for less with --min-remaining")


def test_minimum_above_the_duration_raises_the_duration(world: World) -> None:
    world.add_role("plain", mfa=False, max_session=2 * HOUR)
    done = world.run("plain", "--duration", "15m", "--min-remaining", "90m", "--", "true")
    assert done.returncode == 0, done.stderr.decode()
    (call,) = calls_of(world.aws, "AssumeRole")
    assert call.parameters["DurationSeconds"] == "5400"


@pytest.mark.matrix(44)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns", "XYZ-14:59", ":nonsense", ""])
def test_time_zone_changes_neither_what_is_cached_nor_what_is_told(world: World, zone: str) -> None:
    world.add_role("plain", mfa=False)
    here = expiration_of(world.run("plain", "--", *SHOW_EXPIRATION))
    there = world.run("plain", "--", *SHOW_EXPIRATION, environ={"TZ": zone})
    assert expiration_of(there) == here
    assert world.aws.count("AssumeRole") == 1


@needs_faketime
@pytest.mark.matrix(44)
def test_session_made_up_in_the_repeated_hour_of_autumn_lasts_its_hour(world: World) -> None:
    world.add_role("plain", mfa=False)
    autumn = timegm((2027, 10, 31, 0, 30, 0)) - int(
        time.time()
    )  # 01:30 in London, and once more an hour later
    zone = {"TZ": "Europe/London", "DONT_FAKE_MONOTONIC": "1"}
    keys = []
    for seconds in (0, 3000, 3700):
        world.aws.clock_offset = autumn + seconds
        clock = at_clock(f"{autumn + seconds:+d}s")
        keys.append(key_of(world.run_program(*clock, GDS_EXEC, "plain", "--", *SHOW_KEY, environ=zone)))
    assert keys[0] == keys[1] != keys[2]
