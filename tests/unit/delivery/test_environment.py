import os

import pytest

from gds_exec.credentials.session import AccessKey, SessionCredentials
from gds_exec.delivery.environment import callers_environment, child_environment

SESSION = SessionCredentials(
    AccessKey("ASIAEXAMPLE", "fresh-secret", "fresh-token"), issued=1_767_319_445, expiration=1_767_323_045
)
LONG_LIVED = SessionCredentials.long_lived(AccessKey("AKIAEXAMPLE", "long-secret"), now=0)


def environment(
    environ: dict[str, str], session: SessionCredentials = SESSION, **kwargs: str
) -> dict[str, str]:
    return child_environment(environ, session, **{"role": "a-role", "region": None, **kwargs})


def test_the_session_is_set_with_its_expiration() -> None:
    assert environment({}) == {
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "fresh-secret",
        "AWS_SESSION_TOKEN": "fresh-token",
        "AWS_CREDENTIAL_EXPIRATION": "2026-01-02T03:04:05Z",
        "GDS_EXEC_ROLE": "a-role",
    }


def test_long_lived_keys_come_without_token_and_expiration() -> None:
    stale = {"AWS_SESSION_TOKEN": "stale", "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z"}

    assert environment(stale, LONG_LIVED) == {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "long-secret",
        "GDS_EXEC_ROLE": "a-role",
    }


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ACCESS_KEY",
        "AWS_ACCOUNT_ID",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CREDENTIAL_FILE",
        "AWS_CREDENTIAL_SCOPE",
        "AWS_DEFAULT_PROFILE",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SECRET_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_EXPIRATION",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "GDS_EXEC_MFA_CODE",
    ],
)
def test_what_would_compete_is_unset_and_not_blanked(name: str) -> None:  # matrix 94
    assert name not in environment({name: "stale"})


def test_everything_else_stays_and_the_callers_mapping_is_not_changed() -> None:
    environ = {"HOME": "/home/a", "AWS_CONFIG_FILE": "c", "GDS_EXEC_DURATION": "8h", "AWS_PROFILE": "p"}
    before = dict(environ)

    child = environment(environ)

    assert {name: child[name] for name in before if name != "AWS_PROFILE"} == {
        "HOME": "/home/a",
        "AWS_CONFIG_FILE": "c",
        "GDS_EXEC_DURATION": "8h",
    }
    assert environ == before


@pytest.mark.parametrize(
    ("environ", "region", "override", "expected"),
    [
        pytest.param({}, None, None, (None, None), id="nobody set one"),
        pytest.param({}, "eu-west-2", None, ("eu-west-2", "eu-west-2"), id="the role's"),
        pytest.param({"AWS_REGION": "a"}, "eu-west-2", None, ("a", "a"), id="the caller's for every SDK"),
        pytest.param({"AWS_DEFAULT_REGION": "b"}, "eu-west-2", None, ("b", "b"), id="the caller's default"),
        pytest.param({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}, "c", None, ("a", "b"), id="both kept"),
        pytest.param({"AWS_REGION": "", "AWS_DEFAULT_REGION": "b"}, "c", None, ("b", "b"), id="one blank"),
        pytest.param({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "c", None, ("c", "c"), id="both blank"),
        pytest.param({"AWS_REGION": ""}, None, None, (None, None), id="blank and nothing better"),
        pytest.param(
            {"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}, "c", "d", ("d", "d"), id="asked for now"
        ),
    ],
)
def test_both_region_variables_are_set(  # matrix 95
    environ: dict[str, str], region: str | None, override: str | None, expected: tuple[str | None, str | None]
) -> None:
    child = child_environment(environ, SESSION, role="r", region=region, region_override=override)

    assert (child.get("AWS_REGION"), child.get("AWS_DEFAULT_REGION")) == expected


def nested(environ: dict[str, str], *, outer: str | None, inner: str | None) -> dict[str, str]:
    """What a command sees in two roles at once, whose regions are these."""
    outside = child_environment(callers_environment(environ), SESSION, role="outer", region=outer)
    return child_environment(callers_environment(outside), SESSION, role="inner", region=inner)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, "inner-1", id="the inner role's"),
        pytest.param({"AWS_REGION": "caller-1"}, "caller-1", id="the caller's"),
        pytest.param({"AWS_DEFAULT_REGION": "caller-1"}, "caller-1", id="the caller's default"),
    ],
)
def test_an_inner_role_is_not_put_into_the_region_of_the_outer(  # matrix 96
    environ: dict[str, str], expected: str
) -> None:
    child = nested(environ, outer="outer-1", inner="inner-1")

    assert (child["AWS_REGION"], child["AWS_DEFAULT_REGION"]) == (expected, expected)


def test_a_region_set_inside_the_outer_role_is_the_callers() -> None:  # matrix 96
    outside = child_environment({}, SESSION, role="outer", region="outer-1")

    assert callers_environment({**outside, "AWS_REGION": "mine-1"})["AWS_REGION"] == "mine-1"


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_the_callers_profile_comes_back_for_an_inner_role(name: str) -> None:  # matrix 96
    twice = nested({name: "mine"}, outer=None, inner=None)

    assert callers_environment(twice)["AWS_PROFILE"] == "mine"
    assert "AWS_PROFILE" not in twice


def test_a_profile_set_inside_the_outer_role_is_the_callers() -> None:  # matrix 96
    outside = child_environment({"AWS_PROFILE": "mine"}, SESSION, role="outer", region=None)

    assert callers_environment({**outside, "AWS_PROFILE": "other"})["AWS_PROFILE"] == "other"


def test_bytes_that_are_not_utf8_survive() -> None:  # matrix 91
    name, value = os.fsdecode(b"N\xff"), os.fsdecode(b"\xff\xfe")

    child = environment({name: value}, role=os.fsdecode(b"r\xe9"))

    assert os.fsencode(child[name]) == b"\xff\xfe"
    assert os.fsencode(child["GDS_EXEC_ROLE"]) == b"r\xe9"


def test_an_entry_without_a_name_is_left_out_because_execve_refuses_it() -> None:
    assert "" not in environment({"": "value"})


def test_an_outer_role_s_keys_are_not_taken_for_the_callers() -> None:  # matrix 96
    outside = child_environment({"HOME": "/home/a"}, SESSION, role="outer", region=None)

    assert callers_environment(outside) == {"HOME": "/home/a"}


def test_keys_that_no_outer_role_brought_stay() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a-secret"}

    assert callers_environment(environ) == environ
