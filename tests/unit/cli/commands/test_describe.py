"""A role described from files, options and cache alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gds_exec.cli.commands.describe import describe
from gds_exec.cli.source_wiring import wired_source
from gds_exec.credentials.request import Origin, cache_key
from gds_exec.errors import UnknownRole
from gds_exec.invocation import Invocation
from tests.unit.cli.offline import ARN, DEVICE, NOWHERE, Offline

HALF_A_MINUTE = 30  # more than a test takes, and less than changes the minutes
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    return Offline(tmp_path)


@pytest.fixture
def said(offline: Offline, capsys: Captured) -> Any:
    """Describe a role, and return what was printed as YAML reads it."""

    def say(role: str, environ: dict[str, str] | None = None, **asked: Any) -> dict[str, Any]:
        invocation = Invocation(role=role, **asked)
        describe(invocation, {**offline.environ, **(environ or {})})
        found: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
        return found

    return say


def test_a_role_is_described_in_lines_of_key_and_value(offline: Offline, capsys: Captured) -> None:
    describe(Invocation(role="prod"), offline.environ)

    assert capsys.readouterr().out == (
        "role: prod\n"
        f"arn: {ARN}prod\n"
        'account: "222222222222"\n'
        "region: eu-west-2\n"
        "source_profile: base\n"
        "source: profile base\n"
        f"mfa_device: {DEVICE}\n"
        "duration: 1h (default)\n"
        "session: none, a code is needed\n"
    )


def test_the_same_is_said_as_json(offline: Offline, capsys: Captured) -> None:
    describe(Invocation(role="prod", as_json=True), offline.environ)

    assert json.loads(capsys.readouterr().out) == {
        "role": "prod",
        "arn": f"{ARN}prod",
        "account": "222222222222",
        "region": "eu-west-2",
        "source_profile": "base",
        "source": "profile base",
        "mfa_device": DEVICE,
        "duration_seconds": 3600,
        "duration_from": "default",
        "session": {"state": "none", "expiration": None, "seconds_left": None, "needs_code": True},
    }


def test_a_cached_session_is_told_with_the_time_that_is_left(offline: Offline, said: Any) -> None:
    offline.keep("prod", left=43 * 60 + HALF_A_MINUTE)

    assert said("prod")["session"] == "cached, 43m left"


def test_a_cached_session_says_as_json_when_it_ends(offline: Offline, capsys: Captured) -> None:
    offline.keep("prod", left=3600)

    describe(Invocation(role="prod", as_json=True), offline.environ)

    session = json.loads(capsys.readouterr().out)["session"]
    assert (session["state"], session["needs_code"]) == ("cached", False)
    assert 3600 - HALF_A_MINUTE < session["seconds_left"] <= 3600
    assert session["expiration"].endswith("Z")


@pytest.mark.parametrize(
    ("role", "steps", "left", "state"),
    [
        pytest.param("prod", 1, 40_000, "none, no code is needed", id="MFA session"),
        pytest.param("prod", 2, 60, "none, a code is needed", id="too little left"),
        pytest.param("inner", 1, 40_000, "none, no code is needed", id="MFA session of a chain"),
        pytest.param("inner", 2, 3600, "none, no code is needed", id="half a chain"),
        pytest.param("inner", 3, 600 + HALF_A_MINUTE, "cached, 10m left", id="a whole chain"),
    ],
)
def test_what_is_cached_on_the_way_decides_whether_a_code_is_needed(
    offline: Offline, said: Any, role: str, steps: int, left: int, state: str
) -> None:
    offline.keep(role, steps=steps, left=left)

    assert said(role)["session"] == state


def test_keys_without_a_role_have_no_session(said: Any) -> None:
    assert said("base") == {
        "role": "base",
        "arn": None,
        "account": None,
        "region": None,
        "source_profile": "base",
        "source": "profile base",
        "mfa_device": None,
        "duration": None,
        "session": "none, the keys are used as they are",
    }


@pytest.mark.parametrize(
    ("settings", "asked", "duration"),
    [
        pytest.param("", {}, "1h (default)", id="default"),
        pytest.param("duration_seconds = 7200", {}, "2h (profile)", id="profile"),
        pytest.param(
            "duration_seconds = 7200", {"duration_seconds": 28_800}, "8h (asked)", id="asked over profile"
        ),
        pytest.param("", {"min_remaining_seconds": 7200}, "2h (minimum)", id="raised by a minimum"),
        pytest.param("gds_exec_min_remaining = 2h", {}, "2h (minimum)", id="raised by the profile's minimum"),
        pytest.param(
            "", {"duration_seconds": 1800, "min_remaining_seconds": 1800}, "30m (asked)", id="both the same"
        ),
    ],
)
def test_what_set_the_duration_is_said(
    offline: Offline, said: Any, settings: str, asked: dict[str, Any], duration: str
) -> None:
    offline.write(prod=settings)

    assert said("prod", **asked)["duration"] == duration


def test_a_duration_that_aws_cuts_short_is_the_one_that_is_had(said: Any) -> None:
    assert said("inner", duration_seconds=28_800)["duration"] == "1h (limit)"


@pytest.mark.parametrize(
    ("environ", "asked", "region"),
    [
        ({}, {}, "eu-west-2"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, {}, "eu-west-1"),
        ({"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-1"}, {}, "eu-west-3"),
        ({"AWS_REGION": "eu-west-3"}, {"region": "us-east-1"}, "us-east-1"),
    ],
)
def test_the_region_is_the_one_that_a_command_would_see(
    said: Any, environ: dict[str, str], asked: dict[str, str], region: str
) -> None:
    assert said("prod", environ, **asked)["region"] == region


def test_a_role_is_described_by_its_arn_too(said: Any) -> None:
    found = said("012345678901/a")

    assert (found["role"], found["account"]) == ("012345678901/a", "012345678901")
    assert found["session"] == "none, no code is needed"


def test_the_device_that_once_opened_a_role_is_told_with_its_session(offline: Offline, said: Any) -> None:
    run = offline.run("open")
    tried = cache_key(
        Origin(wired_source(run.profile, {}).identity, NOWHERE), run.provider.outlook().plan.requests
    )
    offline.write(open=f"mfa_serial = {DEVICE}")
    offline.keep("open", left=1800 + HALF_A_MINUTE)
    offline.write(open="")
    run.cache.keep_device(tried, DEVICE)

    found = said("open")

    assert (found["mfa_device"], found["session"]) == (DEVICE, "cached, 30m left")


def test_a_name_that_could_steer_the_terminal_is_read_back_from_its_escapes(  # matrix 82
    offline: Offline, capsys: Captured
) -> None:
    name = "odd\x1b[31m\u202e[bold]"
    offline.config.write_text(f"[profile {name}]\nrole_arn = {ARN}odd\nsource_profile = base\n")

    describe(Invocation(role=name), offline.environ)

    out = capsys.readouterr().out
    assert yaml.safe_load(out)["role"] == name
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_a_role_that_nothing_has_is_an_error(offline: Offline) -> None:
    with pytest.raises(UnknownRole, match="no profile is named 'nope'"):
        describe(Invocation(role="nope"), offline.environ)
