"""How a session would be had: the chain, what set what, what is cached, and what comes next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gds_exec.cli.commands.explain import _SOURCES, explain
from gds_exec.credentials import mfa_sources
from gds_exec.errors import SessionTooShort, UnknownRole
from gds_exec.invocation import Invocation
from tests.unit.cli.offline import ARN, DEVICE, HOUR, KEYS, Offline

HALF_A_MINUTE = 30  # more than a test takes, and less than changes the minutes
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    return Offline(tmp_path)


@pytest.fixture
def said(offline: Offline, capsys: Captured) -> Any:
    """Explain a role where nobody can be asked, and return the lines of each section by its title."""

    def say(role: str, **asked: Any) -> dict[str, list[str]]:
        explain(Invocation(role=role, no_input=True, **asked), offline.environ)
        sections = capsys.readouterr().out.split("\n\n")
        return {title: lines for title, *lines in (section.strip("\n").split("\n") for section in sections)}

    return say


def document(offline: Offline, capsys: Captured, role: str, **asked: Any) -> dict[str, Any]:
    explain(Invocation(role=role, no_input=True, **asked, as_json=True), offline.environ)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_chain_goes_from_the_keys_to_the_role(said: Any) -> None:
    assert [line.split() for line in said("inner")["chain"]] == [
        ["keys", "profile", "base"],
        ["MFA", "session", DEVICE, "12h", "not", "cached"],
        ["role", "session", f"{ARN}prod", "1h", "not", "cached"],
        ["role", "session", f"{ARN}inner", "1h", "not", "cached"],
    ]


def test_what_is_cached_is_told_of_each_step(offline: Offline, said: Any) -> None:
    offline.keep("inner", steps=1, left=11 * HOUR + HALF_A_MINUTE)
    offline.keep("inner", steps=2, left=43 * 60 + HALF_A_MINUTE)
    offline.keep("inner", steps=3, left=60 + HALF_A_MINUTE)

    _, mfa, prod, inner = said("inner")["chain"]

    assert mfa.endswith("  cached, 11h left")
    assert prod.endswith("  cached, 43m left")
    assert inner.endswith("  cached, 1m left: not used")


def test_a_session_that_has_ended_is_told_apart_from_one_that_was_never_made(
    offline: Offline, said: Any
) -> None:
    offline.keep("prod", steps=1, left=-60)

    assert said("prod")["chain"][1].endswith("  cached, and has ended")


def test_a_session_of_a_clock_that_was_ahead_is_not_used(offline: Offline, said: Any) -> None:
    offline.keep("prod", ahead=HOUR)

    assert said("prod")["chain"][2].endswith("  cached by a clock that was ahead: not used")


def test_a_new_session_is_made_beside_the_one_that_is_cached(offline: Offline, said: Any) -> None:
    offline.keep("prod", steps=1)
    offline.keep("prod")

    found = said("prod", new_session=True)

    assert found["chain"][2].endswith(" left: not used")
    assert found["next"][0].startswith("  nothing to ask: a role session of 1h is made from the cached MFA")


def test_each_setting_is_told_with_what_set_it(offline: Offline, said: Any) -> None:
    settings = [line.split("  ") for line in said("prod", duration_seconds=1800)["settings"]]
    told = {words[1]: words[-1].strip() for words in settings}

    assert told["role_arn"] == f"{offline.config}, line 2"
    assert told["region"] == f"{offline.config}, line 5"
    assert told["duration"] == "--duration"
    assert told["config_file"] == "AWS_CONFIG_FILE"


def test_without_a_source_of_codes_it_says_how_that_would_end(said: Any) -> None:
    found = said("prod")

    assert found["codes would come from"] == ["  nobody: nothing here can give one"]
    assert found["next"] == [
        f"  a code of {DEVICE} is needed, and nothing here can give one: exit status 124"
    ]


def test_sources_of_codes_are_told_in_the_order_in_which_they_are_used(offline: Offline, said: Any) -> None:
    offline.environ["GDS_EXEC_YKMAN_ACCOUNT"] = "gds"
    offline.write(prod=f"mfa_serial = {DEVICE}\nmfa_process = codes")

    assert said("prod", mfa_code="123456")["codes would come from"] == [
        "  the code that was given",
        "  the profile's mfa_process",
        "  a YubiKey, asked by ykman",
    ]


def test_every_source_of_codes_has_a_name() -> None:
    sources = {found for name, found in vars(mfa_sources).items() if name.endswith("Code")}

    assert set(_SOURCES) == sources
    assert {name for name, _ in _SOURCES.values()} == {"given", *mfa_sources.SOURCE_NAMES}


def test_what_aws_cuts_short_is_said_before_what_comes_next(said: Any) -> None:
    capped, following = said("inner", duration_seconds=28_800)["next"]

    assert capped == "  a role reached through another role lasts 1h at most: 8h were asked for"
    assert following.startswith("  a code of")


def test_keys_without_a_role_are_used_as_they_are(said: Any) -> None:
    found = said("base")

    assert found["chain"] == ["  keys  profile base"]
    assert found["next"] == [
        "  base has no role: its keys are used as they are",
        "  nothing to ask: no session is made",
    ]


def test_the_same_is_said_as_json(offline: Offline, capsys: Captured) -> None:
    offline.keep("prod", steps=1, left=11 * HOUR)

    found = document(offline, capsys, "prod")

    mfa, role = found["chain"]
    assert (mfa["kind"], mfa["name"], mfa["with_code_of"]) == ("MFA session", DEVICE, DEVICE)
    assert 11 * HOUR - HALF_A_MINUTE < mfa["seconds_left"] <= 11 * HOUR
    assert role == {
        "kind": "role session",
        "name": f"{ARN}prod",
        "duration_seconds": HOUR,
        "with_code_of": None,
        "expiration": None,
        "seconds_left": None,
    }
    assert {
        "name": "region",
        "value": "eu-west-2",
        "from": "file",
        "where": str(offline.config),
        "line": 5,
    } in found["settings"]
    assert (found["role"], found["source_profile"], found["code_sources"]) == ("prod", "base", [])
    assert found["next"].startswith(
        "nothing to ask: a role session of 1h is made from the cached MFA session"
    )


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_nothing_secret_is_told(offline: Offline, capsys: Captured, *, as_json: bool) -> None:
    offline.write(prod=f"mfa_serial = {DEVICE}\nmfa_process = oathtool a-seed")
    offline.keep("prod")

    explain(Invocation(role="prod", mfa_code="123456", as_json=as_json), offline.environ)

    said = capsys.readouterr().out
    access_key_id = KEYS.split()[3]
    secrets = ("a-secret", "a-seed", "123456", access_key_id, "secret-0001", "token-0001")
    assert [secret for secret in secrets if secret in said] == []


def test_names_that_could_steer_the_terminal_are_made_visible(  # matrix 82
    offline: Offline, capsys: Captured
) -> None:
    name = "odd\x1b[31m\u202e[bold]"
    offline.config.write_text(
        f"[profile {name}]\nrole_arn = {ARN}odd\nsource_profile = base\nregion = \x1bx\n"
    )

    explain(Invocation(role=name, no_input=True), offline.environ)

    out = capsys.readouterr().out
    assert r"\x1bx" in out
    assert "\x1b" not in out


def test_what_cannot_be_had_fails_as_the_run_would(offline: Offline) -> None:
    too_long = Invocation(role="inner", min_remaining_seconds=7200)

    with pytest.raises(SessionTooShort):
        explain(too_long, offline.environ)
    with pytest.raises(UnknownRole):
        explain(Invocation(role="nope"), offline.environ)
