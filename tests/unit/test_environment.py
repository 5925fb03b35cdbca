import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gds_exec.environment import (
    Briefing,
    callers_environment,
    child_environment,
    effective_region,
    endpoint_environment,
    is_false,
    is_github_actions,
    is_true_to_aws,
    without_outer_role,
)
from gds_exec.session import AccessKey, SessionCredentials

SESSION = SessionCredentials(
    AccessKey("ASIAEXAMPLE", "fresh-secret", "fresh-token"), issued=1_767_319_445, expiration=1_767_323_045
)
LONG_LIVED = SessionCredentials.long_lived(AccessKey("AKIAEXAMPLE", "long-secret"), now=0)


def environment(
    environ: dict[str, str], session: SessionCredentials = SESSION, **kwargs: str
) -> dict[str, str]:
    return child_environment(environ, session, Briefing(**{"role": "a-role", **kwargs}))


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


def endpoint(environ: dict[str, str], *, region: str | None = None, **kwargs: str) -> dict[str, str]:
    where = {"url": "http://127.0.0.1:1234/", "token": "a-token", **kwargs}
    return endpoint_environment(environ, Briefing("a-role", region=region), **where)


def test_an_endpoint_is_set_in_place_of_keys() -> None:
    assert {name: value for name, value in endpoint({}).items() if not name.startswith("GDS_EXEC_ROLE_")} == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1234/",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a-token",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SDK_LOAD_CONFIG": "1",
        "BOTO_CONFIG": "/dev/null",
        "GDS_EXEC_ROLE": "a-role",
    }


COMPETING = pytest.mark.parametrize(
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
        "GDS_EXEC_EXPIRES_AT",
        "GDS_EXEC_MFA_CODE",
        "GDS_EXEC_PROGRAM",
        "GDS_EXEC_PROMPT",
        "GDS_EXEC_RENEW_AT",
        "GDS_EXEC_SHELL",
    ],
)


@COMPETING
def test_what_would_compete_is_unset_and_not_blanked(name: str) -> None:  # matrix 94
    assert name not in environment({name: "stale"})


@COMPETING
def test_what_would_compete_with_an_endpoint_is_unset_or_its_own(name: str) -> None:  # matrix 94
    assert endpoint({name: "stale"}).get(name) == endpoint({}).get(name)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_keys_of_the_callers_do_not_stand_beside_an_endpoint(name: str) -> None:
    assert name not in endpoint({name: "stale"})


def test_an_endpoint_leaves_the_callers_files_unless_there_are_copies() -> None:
    files = {"AWS_CONFIG_FILE": "c", "AWS_SHARED_CREDENTIALS_FILE": "s"}
    kept, copied = endpoint(files), endpoint(files, config_file="/p/c", credentials_file="/p/s")

    assert {name: kept[name] for name in files} == files
    assert [copied[name] for name in files] == ["/p/c", "/p/s"]


@pytest.mark.parametrize(
    ("environ", "upper", "lower"),
    [
        pytest.param({}, None, None, id="no proxy"),
        pytest.param({"NO_PROXY": "a"}, "a", None, id="no proxy, exceptions all the same"),
        pytest.param({"HTTPS_PROXY": ""}, None, None, id="a blank proxy"),
        pytest.param({"HTTPS_PROXY": "p"}, "127.0.0.1", "127.0.0.1", id="a proxy"),
        pytest.param({"http_proxy": "p"}, "127.0.0.1", "127.0.0.1", id="a proxy in lower case"),
        pytest.param({"ALL_PROXY": "p"}, "127.0.0.1", "127.0.0.1", id="a proxy for all"),
        pytest.param(
            {"HTTP_PROXY": "p", "NO_PROXY": "a", "no_proxy": "b"}, "a,127.0.0.1", "b,127.0.0.1", id="both"
        ),
        pytest.param(
            {"HTTP_PROXY": "p", "no_proxy": "b"}, "b,127.0.0.1", "b,127.0.0.1", id="the other spelling too"
        ),
        pytest.param({"HTTP_PROXY": "p", "NO_PROXY": ""}, "127.0.0.1", "127.0.0.1", id="blank"),
        pytest.param({"HTTP_PROXY": "p", "NO_PROXY": "*"}, "*", None, id="everything is an exception"),
        pytest.param(
            {"HTTP_PROXY": "p", "NO_PROXY": "a, 127.0.0.1 ,b"}, "a, 127.0.0.1 ,b", None, id="there already"
        ),
        pytest.param(
            {"HTTP_PROXY": "p", "NO_PROXY": "127.0.0.10"},
            "127.0.0.10,127.0.0.1",
            "127.0.0.10,127.0.0.1",
            id="there in part",
        ),
        pytest.param(
            {"HTTP_PROXY": "p", "NO_PROXY": "*", "no_proxy": "b"}, "*", "b,127.0.0.1", id="one of the two"
        ),
    ],
)
def test_what_is_sent_to_the_endpoint_goes_through_no_proxy(  # matrix 109
    environ: dict[str, str], upper: str | None, lower: str | None
) -> None:
    child = endpoint(environ)

    assert (child.get("NO_PROXY"), child.get("no_proxy")) == (upper, lower)


def test_keys_alone_leave_the_proxies_as_they_are() -> None:
    assert "NO_PROXY" not in environment({"HTTP_PROXY": "p"})


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
    child = child_environment(environ, SESSION, Briefing("r", region=region, region_override=override))

    assert (child.get("AWS_REGION"), child.get("AWS_DEFAULT_REGION")) == expected


def nested(environ: dict[str, str], *, outer: str | None, inner: str | None) -> dict[str, str]:
    """What a command sees in two roles at once, whose regions are these."""
    outside = child_environment(callers_environment(environ), SESSION, Briefing("outer", region=outer))
    return child_environment(callers_environment(outside), SESSION, Briefing("inner", region=inner))


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
    outside = child_environment({}, SESSION, Briefing("outer", region="outer-1"))

    assert callers_environment({**outside, "AWS_REGION": "mine-1"})["AWS_REGION"] == "mine-1"


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_the_callers_profile_comes_back_for_an_inner_role(name: str) -> None:  # matrix 96
    twice = nested({name: "mine"}, outer=None, inner=None)

    assert callers_environment(twice)["AWS_PROFILE"] == "mine"
    assert "AWS_PROFILE" not in twice


def test_a_profile_set_inside_the_outer_role_is_the_callers() -> None:  # matrix 96
    outside = child_environment({"AWS_PROFILE": "mine"}, SESSION, Briefing("outer"))

    assert callers_environment({**outside, "AWS_PROFILE": "other"})["AWS_PROFILE"] == "other"


def test_bytes_that_are_not_utf8_survive() -> None:  # matrix 91
    name, value = os.fsdecode(b"N\xff"), os.fsdecode(b"\xff\xfe")

    child = environment({name: value}, role=os.fsdecode(b"r\xe9"))

    assert os.fsencode(child[name]) == b"\xff\xfe"
    assert os.fsencode(child["GDS_EXEC_ROLE"]) == b"r\xe9"


def test_an_entry_without_a_name_is_left_out_because_execve_refuses_it() -> None:
    assert "" not in environment({"": "value"})


def test_an_outer_role_s_keys_are_not_taken_for_the_callers() -> None:  # matrix 96
    outside = child_environment({"HOME": "/home/a"}, SESSION, Briefing("outer"))

    assert callers_environment(outside) == {"HOME": "/home/a"}


def test_keys_that_no_outer_role_brought_stay() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a-secret"}

    assert callers_environment(environ) == environ


def test_an_outer_role_s_endpoint_is_not_taken_for_the_callers() -> None:  # matrix 96
    environ = {"HOME": "/home/a", "HTTPS_PROXY": "p"}

    assert callers_environment(endpoint(environ, config_file="/p/c", credentials_file="/p/s")) == environ


def test_a_container_that_no_outer_role_brought_stays() -> None:
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/"}

    assert callers_environment(environ) == environ


REPLACED = (
    "AWS_CONFIG_FILE", "AWS_EC2_METADATA_DISABLED", "AWS_SDK_LOAD_CONFIG", "AWS_SHARED_CREDENTIALS_FILE",
    "BOTO_CONFIG", "NO_PROXY", "no_proxy",
)  # fmt: skip


def refreshed(environ: dict[str, str]) -> dict[str, str]:
    """What a refreshed command sees where as much is replaced as can be."""
    return endpoint({"HTTPS_PROXY": "p", **environ}, config_file="/p/c", credentials_file="/p/s")


@pytest.mark.parametrize("name", REPLACED)
@pytest.mark.parametrize("original", ["mine", ""], ids=["set", "blank"])
def test_what_an_endpoint_replaced_comes_back(name: str, original: str) -> None:  # matrix 96
    outside = refreshed({name: original})

    assert outside[name] != original
    assert callers_environment(outside)[name] == original


@pytest.mark.parametrize("name", REPLACED)
def test_what_is_changed_inside_a_refreshed_command_is_the_callers(name: str) -> None:  # matrix 96
    outside = refreshed({name: "mine"})
    unset = {other: value for other, value in outside.items() if other != name}

    assert callers_environment({**outside, name: "other"})[name] == "other"
    assert name not in callers_environment(unset)


def test_what_a_role_shell_keeps_for_itself_is_not_obeyed_inside_it() -> None:
    shell = dict.fromkeys(
        ("GDS_EXEC_EXPIRES_AT", "GDS_EXEC_PROGRAM", "GDS_EXEC_PROMPT", "GDS_EXEC_RENEW_AT", "GDS_EXEC_SHELL"),
        "1",
    )

    assert callers_environment({**shell, "GDS_EXEC_DURATION": "8h"}) == {"GDS_EXEC_DURATION": "8h"}


NAMES = (
    "AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_REGION", "GDS_EXEC_CALLER_BOTO_CONFIG",
    "GDS_EXEC_CALLER_PROFILE", "GDS_EXEC_DURATION", "GDS_EXEC_PROMPT", "GDS_EXEC_ROLE",
    "GDS_EXEC_ROLE_BOTO_CONFIG", "GDS_EXEC_ROLE_REGION", "HOME", "HTTPS_PROXY", *REPLACED,
)  # fmt: skip
VALUES = ("", "*", "/dev/null", "127.0.0.1", "1", "a", "b", "eu-west-2", "true")
environments = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.text(max_size=3))


def that_matters(caller: dict[str, str]) -> dict[str, str]:
    """The caller's variables but for those keys, and two names of one thing made one."""
    profile = caller.get("AWS_DEFAULT_PROFILE") or caller.get("AWS_PROFILE")
    regions = caller.get("AWS_REGION"), caller.get("AWS_DEFAULT_REGION")
    rest = {
        name: value
        for name, value in caller.items()
        if not name.startswith(("AWS_ACCESS", "AWS_CONTAINER", "AWS_REGION"))
        and name not in {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_DEFAULT_REGION"}
    }
    return {**rest, "profile": profile or "", "regions": ",".join(filter(None, dict.fromkeys(regions)))}


@given(
    found=environments,
    region=st.sampled_from((None, "eu-west-2")),
    copies=st.sampled_from(({}, {"config_file": "a", "credentials_file": "b"})),
)
@example(found={"NO_PROXY": "a", "HTTPS_PROXY": "p", "BOTO_CONFIG": ""}, region=None, copies={})
def test_whatever_a_role_or_two_did_a_nested_run_finds_what_the_caller_had(  # matrix 96
    found: dict[str, str], region: str | None, copies: dict[str, str]
) -> None:
    caller = callers_environment(found)
    expected = that_matters(caller)

    for _ in range(2):
        caller = callers_environment(environment(caller, region=region))
        assert that_matters(caller) == expected
        caller = callers_environment(endpoint(caller, region=region, **copies))
        assert that_matters(caller) == expected


@given(found=environments)
def test_the_callers_environment_of_itself_is_the_same(found: dict[str, str]) -> None:
    caller = callers_environment(found)

    assert callers_environment(caller) == caller


def in_role(
    environ: dict[str, str],
    role: str,
    *,
    lost_source: str | None = "the environment",
    kept_fresh: bool = False,
) -> dict[str, str]:
    """What a command sees in this role, with keys or with an endpoint."""
    caller = callers_environment(environ)
    briefing = Briefing(role, lost_source=lost_source)
    if kept_fresh:
        return endpoint_environment(caller, briefing, url=f"http://127.0.0.1:1/{role}", token=f"of-{role}")
    return child_environment(caller, SESSION, briefing)


CALLERS_OWN = {"AWS_ACCESS_KEY_ID": "AKIACALLER", "AWS_SECRET_ACCESS_KEY": "callers", "HOME": "/home/a"}


def test_keys_stand_for_a_source_that_has_gone() -> None:  # matrix 96
    caller = callers_environment(in_role(CALLERS_OWN, "outer"))

    assert caller == {
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "fresh-secret",
        "AWS_SESSION_TOKEN": "fresh-token",
        "AWS_CREDENTIAL_EXPIRATION": "2026-01-02T03:04:05Z",
        "GDS_EXEC_OUTER_ROLE": "outer",
        "HOME": "/home/a",
    }


def test_an_endpoint_stands_for_a_source_that_has_gone() -> None:  # matrix 96
    caller = callers_environment(in_role(CALLERS_OWN, "outer", kept_fresh=True))

    assert caller == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/outer",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "of-outer",
        "GDS_EXEC_OUTER_ROLE": "outer",
        "HOME": "/home/a",
    }


@pytest.mark.parametrize("is_outer_kept_fresh", [False, True], ids=["keys", "endpoint"])
@pytest.mark.parametrize("is_inner_kept_fresh", [False, True], ids=["keys inside", "endpoint inside"])
def test_the_third_role_is_told_of_the_second_and_not_of_the_first(  # matrix 96
    is_outer_kept_fresh: bool, is_inner_kept_fresh: bool
) -> None:
    outer = in_role(CALLERS_OWN, "outer", kept_fresh=is_outer_kept_fresh)
    inner = in_role(outer, "inner", lost_source="the outer role outer", kept_fresh=is_inner_kept_fresh)

    caller = callers_environment(inner)

    assert caller["GDS_EXEC_OUTER_ROLE"] == "inner"
    assert ("AWS_CONTAINER_CREDENTIALS_FULL_URI" in caller) is is_inner_kept_fresh
    assert ("AWS_ACCESS_KEY_ID" in caller) is not is_inner_kept_fresh


@pytest.mark.parametrize("kept_fresh", [False, True], ids=["keys", "endpoint"])
def test_no_command_is_told_of_outer_roles_but_in_notes_for_ourselves(kept_fresh: bool) -> None:
    child = in_role(in_role(CALLERS_OWN, "outer"), "inner", lost_source=None, kept_fresh=kept_fresh)

    assert "GDS_EXEC_OUTER_ROLE" not in child
    assert "GDS_EXEC_CALLER_SOURCE" not in child
    assert callers_environment(child) == {"HOME": "/home/a"}


@pytest.mark.parametrize("kept_fresh", [False, True], ids=["keys", "endpoint"])
def test_a_source_that_the_command_sees_is_found_again_in_the_place_of_the_outer_role(
    kept_fresh: bool,
) -> None:
    child = in_role({"HOME": "/home/a"}, "outer", lost_source=None, kept_fresh=kept_fresh)

    assert callers_environment(child) == {"HOME": "/home/a"}


@pytest.mark.parametrize("kept_fresh", [False, True], ids=["keys", "endpoint"])
def test_a_helper_does_not_take_the_outer_role_s_keys_for_the_callers(kept_fresh: bool) -> None:
    caller = callers_environment(in_role(CALLERS_OWN, "outer", kept_fresh=kept_fresh))

    assert without_outer_role(caller) == {"HOME": "/home/a"}
    assert without_outer_role(CALLERS_OWN) == CALLERS_OWN


def test_a_lost_source_of_no_role_is_no_source() -> None:
    assert callers_environment({"GDS_EXEC_CALLER_SOURCE": "the environment"}) == {}


REQUEST = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-request-token"}


@pytest.mark.parametrize("may_request_tokens", [False, True])
def test_a_command_asks_github_for_tokens_only_if_it_may(may_request_tokens: bool) -> None:
    briefing = Briefing("a-role", may_request_tokens=may_request_tokens)
    with_keys = child_environment(REQUEST, SESSION, briefing)
    with_endpoint = endpoint_environment(REQUEST, briefing, url="http://127.0.0.1:1/", token="a-token")

    for child in (with_keys, with_endpoint):
        assert (REQUEST.items() <= child.items()) is may_request_tokens
        assert any(name in child for name in REQUEST) is may_request_tokens


@pytest.mark.parametrize(("said", "expected"), [("true", True), ("false", False), ("", False), (None, False)])
def test_a_job_of_github_actions_says_so_itself(said: str | None, expected: bool) -> None:
    assert is_github_actions({} if said is None else {"GITHUB_ACTIONS": said}) is expected


REGIONS = {"AWS_REGION": "of-caller", "AWS_DEFAULT_REGION": "of-caller-default"}


@pytest.mark.parametrize(
    ("environ", "asked", "of_role", "expected"),
    [
        pytest.param(REGIONS, "asked", "of-role", "asked", id="the one asked for"),
        pytest.param(REGIONS, None, "of-role", "of-caller", id="AWS_REGION"),
        pytest.param(
            {**REGIONS, "AWS_REGION": ""}, None, "of-role", "of-caller-default", id="AWS_REGION is empty"
        ),
        pytest.param({}, None, "of-role", "of-role", id="the role's"),
        pytest.param({}, None, None, None, id="none"),
    ],
)
def test_the_region_is_the_one_that_a_command_sees(
    environ: dict[str, str], asked: str | None, of_role: str | None, expected: str | None
) -> None:
    child = child_environment(environ, SESSION, Briefing("r", region=of_role, region_override=asked))

    assert effective_region(environ, asked=asked, of_role=of_role) == expected
    assert child.get("AWS_REGION") == expected


OFF = ("", "0", "f", "false", "n", "no", "off")
ON = ("1", "t", "true", "y", "yes", "on", "woodpecker")


@pytest.mark.parametrize(
    ("word", "expected"), [*((word, True) for word in OFF), *((word, False) for word in ON)]
)
def test_the_words_for_off_are_those_of_the_option_parser(word: str, expected: bool) -> None:
    assert is_false(word) is expected
    assert is_false(word.upper()) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("True", True), ("1", False), ("yes", False), ("false", False), ("", False)],
)
def test_the_aws_sdks_take_only_true_for_on(text: str, expected: bool) -> None:
    assert is_true_to_aws(text) is expected
