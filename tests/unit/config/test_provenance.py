"""How what set a setting is looked up, and how it reads."""

from __future__ import annotations

import pytest

from gds_exec.config.provenance import (
    ARGUMENT,
    DEFAULT,
    FILE,
    OPTION,
    VARIABLE,
    TracedSetting,
    from_option,
    from_variable,
)


@pytest.mark.parametrize(
    ("setting", "origin"),
    [
        (TracedSetting("a", "1", FILE, "/home/a/.aws/config", 3), "/home/a/.aws/config, line 3"),
        (TracedSetting("a", "1", VARIABLE, "AWS_REGION"), "AWS_REGION"),
        (TracedSetting("a", "1", OPTION, "--region"), "--region"),
        (TracedSetting("a", "1", ARGUMENT), "the command line"),
        (TracedSetting("a", "1", DEFAULT), "default"),
        (TracedSetting("a", "1", VARIABLE, "A\x1bB"), r"A\x1bB"),
    ],
)
def test_an_origin_reads_as_a_person_would_say_it(setting: TracedSetting, origin: str) -> None:
    assert setting.origin == origin


@pytest.mark.parametrize(
    ("environ", "value"), [({}, None), ({"AWS_REGION": ""}, None), ({"AWS_REGION": "eu-west-2"}, "eu-west-2")]
)
def test_a_variable_counts_if_it_says_something(environ: dict[str, str], value: str | None) -> None:
    found = from_variable("region", "AWS_REGION", environ)

    assert (found and found.value) == value


@pytest.mark.parametrize(
    ("value", "spoken", "is_variable"),
    [
        pytest.param("github", "github", True, id="the same text"),
        pytest.param("github", "container", False, id="another text"),
        pytest.param(3600, "60m", True, id="the same time in other words"),
        pytest.param(3600, "soon", False, id="no time"),
        pytest.param(True, "1", True, id="a truth"),
        pytest.param(True, "off", False, id="an untruth"),
        pytest.param(True, "", False, id="nothing"),
    ],
)
def test_an_option_is_the_variable_s_where_that_says_the_same(
    value: object, spoken: str, is_variable: bool
) -> None:
    found = from_option("some_setting", value, {"GDS_EXEC_SOME_SETTING": spoken})

    origin = "GDS_EXEC_SOME_SETTING" if is_variable else "--some-setting"
    assert found.origin == origin
