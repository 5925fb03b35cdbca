"""A setting says where it was found, and how it reads."""

from __future__ import annotations

import pytest

from gds_exec.config.provenance import (
    ARGUMENT,
    DEFAULT,
    FILE,
    NOT_SHOWN,
    OPTION,
    VARIABLE,
    Setting,
    from_variable,
)


@pytest.mark.parametrize(
    ("setting", "origin"),
    [
        (Setting("a", "1", FILE, "/home/a/.aws/config", 3), "/home/a/.aws/config, line 3"),
        (Setting("a", "1", VARIABLE, "AWS_REGION"), "AWS_REGION"),
        (Setting("a", "1", OPTION, "--region"), "--region"),
        (Setting("a", "1", ARGUMENT), "the command line"),
        (Setting("a", "1", DEFAULT), "default"),
        (Setting("a", "1", VARIABLE, "A\x1bB"), r"A\x1bB"),
    ],
)
def test_an_origin_reads_as_a_person_would_say_it(setting: Setting, origin: str) -> None:
    assert setting.origin == origin


@pytest.mark.parametrize(
    ("environ", "value"), [({}, None), ({"AWS_REGION": ""}, None), ({"AWS_REGION": "eu-west-2"}, "eu-west-2")]
)
def test_a_variable_counts_if_it_says_something(environ: dict[str, str], value: str | None) -> None:
    found = from_variable("region", "AWS_REGION", environ)

    assert (found and found.value) == value


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        pytest.param("region", "eu-west-2", "eu-west-2", id="text"),
        pytest.param("duration", 5400, "1h30m", id="seconds"),
        pytest.param("refresh", True, "yes", id="a truth"),
        pytest.param("aws_access_key_id", "AKIAIOSFODNN7EXAMPLE", "…MPLE", id="access key of a file"),
        pytest.param("access_key_id", "AKIAIOSFODNN7EXAMPLE", "…MPLE", id="access key of the environment"),
        pytest.param("credential_process", "print a-secret", NOT_SHOWN, id="credential_process"),
        pytest.param("mfa_process", "print a-secret", NOT_SHOWN, id="mfa_process"),
        pytest.param("mfa_code", "123456", NOT_SHOWN, id="code"),
        pytest.param("web_identity_token_command", "print a-secret", NOT_SHOWN, id="token command"),
    ],
)
def test_a_value_reads_as_a_person_would_write_it_and_shows_no_secret(
    name: str, value: object, text: str
) -> None:
    setting = Setting(name, value, OPTION, "--option")

    assert setting.text == text
    assert str(value) not in repr(setting)
