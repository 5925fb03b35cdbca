"""What the place has to begin with is found in the variables alone; nothing is fetched."""

from __future__ import annotations

import pytest

from gds_exec.config.environment_sources import (
    Candidate,
    after_profiles,
    asked_for,
    before_profiles,
    candidates,
    container_role,
    environment_keys,
    hint_at_permission,
    instance_role,
    surveyed,
    web_identity_token,
)
from gds_exec.config.sources import (
    CONTAINER,
    ENVIRONMENT,
    GITHUB,
    INSTANCE,
    PROFILE,
    TOKEN_COMMAND,
    TOKEN_FILE,
    WEB_IDENTITY,
    ContainerRole,
    EnvironmentKeys,
    InstanceRole,
    Source,
    StoredKeys,
    WantedSource,
    WebIdentityToken,
)
from gds_exec.errors import BrokenProfile, NoAccessKey

ANY = WantedSource()
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a-secret"}
SESSION = KEYS | {"AWS_SESSION_TOKEN": "a-token"}
TOKEN = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"}
ACTIONS = {"GITHUB_ACTIONS": "true"}
MINTING = ACTIONS | {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://actions.example/token?v=2",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-request-token",
}
TASK = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"}
POD = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials"}
OUTER = {"GDS_EXEC_OUTER_ROLE": "outer"}
NO_INSTANCE = {"AWS_EC2_METADATA_DISABLED": "TRUE"}

IN_ENVIRONMENT = EnvironmentKeys("AKIAEXAMPLE", "a-secret")
IN_FILE = WebIdentityToken(TOKEN_FILE, "/run/token")
MINTED = WebIdentityToken(GITHUB)
OF_TASK = ContainerRole("/v2/credentials/1", is_path=True)
OF_POD = ContainerRole("http://169.254.170.23/v1/credentials")
PRINTED = WebIdentityToken(TOKEN_COMMAND, "print-token")


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        pytest.param({}, None, id="none"),
        pytest.param(KEYS, IN_ENVIRONMENT, id="keys"),
        pytest.param(SESSION, EnvironmentKeys("AKIAEXAMPLE", "a-secret", "a-token"), id="keys of a session"),
        pytest.param(
            KEYS | {"AWS_SECURITY_TOKEN": "old"},
            EnvironmentKeys("AKIAEXAMPLE", "a-secret", "old"),
            id="the token's old name",
        ),
        pytest.param(KEYS | {"AWS_SESSION_TOKEN": ""}, IN_ENVIRONMENT, id="an empty token"),
        pytest.param({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "x"}, None, id="an empty key id"),
        pytest.param(
            SESSION | OUTER,
            EnvironmentKeys("AKIAEXAMPLE", "a-secret", "a-token", "outer"),
            id="an outer role's keys",
        ),
        pytest.param(POD | OUTER, OF_POD.but(outer_role="outer"), id="an outer role's endpoint"),
        pytest.param(POD, None, id="a container's endpoint is no keys"),
        pytest.param(OUTER, None, id="an outer role without anything"),
    ],
)
def test_keys_in_the_environment_are_found(environ: dict[str, str], found: Source | None) -> None:
    assert environment_keys(environ) == found


@pytest.mark.parametrize("secret", [{}, {"AWS_SECRET_ACCESS_KEY": ""}])
def test_half_a_key_is_refused_as_botocore_does(secret: dict[str, str]) -> None:  # matrix 119
    with pytest.raises(BrokenProfile, match="AWS_SECRET_ACCESS_KEY is not"):
        environment_keys({"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", **secret})


@pytest.mark.parametrize(
    ("wanted", "environ", "found"),
    [
        pytest.param(ANY, {}, None, id="none"),
        pytest.param(ANY, TOKEN, IN_FILE, id="AWS's variable"),
        pytest.param(ANY, MINTING, MINTED, id="minted by GitHub"),
        pytest.param(ANY, MINTING | TOKEN, IN_FILE, id="AWS's variable before GitHub"),
        pytest.param(ANY.but(token=PRINTED), MINTING | TOKEN, PRINTED, id="the one that was named"),
        pytest.param(ANY, {"AWS_ROLE_ARN": "arn"}, None, id="AWS_ROLE_ARN alone means nothing"),
        pytest.param(ANY, {"AWS_WEB_IDENTITY_TOKEN_FILE": ""}, None, id="empty"),
        pytest.param(ANY, ACTIONS, None, id="GitHub without the permission"),
        pytest.param(
            ANY, MINTING | {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}, None, id="GitHub without a request token"
        ),
        pytest.param(
            ANY.but(audience="https://ours"),
            MINTING,
            MINTED.but(audience="https://ours"),
            id="an audience of ours",
        ),
        pytest.param(
            ANY.but(audience="https://ours"), TOKEN, IN_FILE, id="an audience that is GitHub's alone"
        ),
    ],
)
def test_a_web_identity_token_is_the_named_one_or_aws_s_or_the_ci_s(
    wanted: WantedSource, environ: dict[str, str], found: Source | None
) -> None:
    assert web_identity_token(wanted, environ) == found


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        pytest.param({}, None, id="none"),
        pytest.param(TASK, OF_TASK, id="path"),
        pytest.param(POD, OF_POD, id="URL"),
        pytest.param(TASK | POD, OF_TASK, id="the path first, as botocore has it"),
        pytest.param(POD | OUTER, OF_POD.but(outer_role="outer"), id="an outer role's"),
    ],
)
def test_a_container_has_a_path_or_a_url(environ: dict[str, str], found: Source | None) -> None:
    assert container_role(environ) == found


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        pytest.param({}, InstanceRole(), id="perhaps it has one"),
        pytest.param({"AWS_EC2_METADATA_DISABLED": "false"}, InstanceRole(), id="not turned off"),
        pytest.param(NO_INSTANCE, None, id="turned off"),
        pytest.param(
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"},
            InstanceRole("http://127.0.0.1:1"),
            id="elsewhere",
        ),
    ],
)
def test_an_instance_is_asked_unless_that_is_turned_off(
    environ: dict[str, str], found: Source | None
) -> None:
    assert instance_role(environ) == found


EVERYTHING = KEYS | MINTING | TOKEN | TASK


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (ENVIRONMENT, IN_ENVIRONMENT),
        (WEB_IDENTITY, IN_FILE),
        (GITHUB, MINTED),
        (CONTAINER, OF_TASK),
        (INSTANCE, InstanceRole()),
    ],
)
def test_a_kind_that_was_asked_for_is_the_only_one_looked_at(kind: str, found: Source) -> None:
    wanted = WantedSource(kind)

    assert wanted.is_outside_files
    assert asked_for(wanted, EVERYTHING) == found


def test_a_token_that_was_named_is_asked_for_without_its_kind() -> None:
    wanted = WantedSource(token=PRINTED)

    assert wanted.is_outside_files
    assert asked_for(wanted, EVERYTHING) == PRINTED


@pytest.mark.parametrize("kind", [None, PROFILE])
def test_what_the_files_have_will_do_where_nothing_else_is_asked_for(kind: str | None) -> None:
    assert not WantedSource(kind).is_outside_files


@pytest.mark.parametrize("kind", [WEB_IDENTITY, GITHUB, CONTAINER, INSTANCE])
def test_half_a_key_does_not_stand_in_the_way_of_another_kind(kind: str) -> None:
    half = EVERYTHING | {"AWS_SECRET_ACCESS_KEY": ""}

    assert asked_for(WantedSource(kind), half) == asked_for(WantedSource(kind), EVERYTHING)


@pytest.mark.parametrize(
    ("kind", "environ", "message", "hint"),
    [
        (ENVIRONMENT, MINTING, "no keys in the environment", "set AWS_ACCESS_KEY_ID"),
        (WEB_IDENTITY, KEYS, "no web identity token", "--web-identity-token-file"),
        (WEB_IDENTITY, ACTIONS, "no web identity token", "permissions: id-token: write"),
        (GITHUB, TOKEN, "GitHub mints no web identity token", "permissions: id-token: write"),
        (CONTAINER, KEYS, "this container has no role", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        (INSTANCE, NO_INSTANCE, "metadata is not to be asked", "unset AWS_EC2_METADATA_DISABLED"),
    ],
)
def test_what_was_asked_for_and_is_not_here_says_how_it_would_be(  # matrix 66
    kind: str, environ: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(NoAccessKey, match=message) as failure:
        asked_for(WantedSource(kind), environ)

    assert hint in str(failure.value.hint)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param(KEYS | TOKEN | MINTING, IN_ENVIRONMENT, id="keys before a token"),
        pytest.param(TOKEN | TASK, IN_FILE, id="a token before a container"),
        pytest.param(TASK, None, id="a container only after the profiles"),
    ],
)
def test_a_bare_role_begins_with_keys_or_a_token(environ: dict[str, str], found: Source | None) -> None:
    assert before_profiles(ANY, environ) == found


LACKING = NoAccessKey("no profile has access keys", hint="look there")


def test_what_is_left_is_a_container_and_then_an_instance() -> None:
    assert after_profiles(TASK, otherwise=LACKING) == OF_TASK
    assert after_profiles(NO_INSTANCE, otherwise=LACKING) is None


@pytest.mark.parametrize(
    ("environ", "hint"),
    [
        pytest.param({}, "look there", id="anywhere"),
        pytest.param(MINTING, "look there", id="in a job of GitHub's that has the permission"),
        pytest.param(
            ACTIONS,
            "in GitHub Actions, give the job the permission to ask for one: "
            "`permissions: id-token: write` in the workflow",
            id="in a job of GitHub's that has not",
        ),
    ],
)
def test_a_job_of_github_s_that_lacks_the_permission_is_told_so(  # matrix 66
    environ: dict[str, str], hint: str
) -> None:
    assert hint_at_permission("look there", environ) == hint


def test_an_instance_that_is_the_last_hope_says_what_else_there_was_not() -> None:
    assert after_profiles({}, otherwise=LACKING) == InstanceRole(
        otherwise="no profile has access keys", otherwise_hint="look there"
    )


def test_all_kinds_are_surveyed_in_their_order() -> None:
    assert surveyed(ANY, EVERYTHING) == [
        (ENVIRONMENT, IN_ENVIRONMENT),
        (WEB_IDENTITY, IN_FILE),
        (GITHUB, MINTED),
        (CONTAINER, OF_TASK),
        (INSTANCE, InstanceRole()),
    ]
    assert [found for _, found in surveyed(ANY, NO_INSTANCE)] == [None] * 5


STORED = StoredKeys("both", "AKIAOTHER", "a-secret")
KEYS_HERE = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.mark.parametrize(
    ("source", "is_bare", "environ", "tried"),
    [
        pytest.param(
            STORED,
            False,
            KEYS_HERE,
            [
                Candidate("profile", "profile both", is_taken=True),
                Candidate("environment", "the environment"),
                Candidate("web-identity", None),
                Candidate("container", None),
                Candidate("instance", None),
            ],
            id="a role with a profile, that first",
        ),
        pytest.param(
            EnvironmentKeys("AKIA", "s"),
            True,
            KEYS_HERE,
            [
                Candidate("environment", "the environment", is_taken=True),
                Candidate("web-identity", None),
                Candidate("profile", None),
                Candidate("container", None),
                Candidate("instance", None),
            ],
            id="a role without one, the environment first",
        ),
        pytest.param(
            WebIdentityToken(TOKEN_FILE, "/run/token"),
            True,
            KEYS_HERE | {"GDS_EXEC_OUTER_ROLE": "outer", "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"},
            [
                Candidate("web-identity", "the web identity token in /run/token", is_taken=True),
                Candidate("environment", "the outer role outer"),
                Candidate("profile", None),
                Candidate("container", None),
                Candidate("instance", None),
            ],
            id="a role without one in an outer role, the token first",
        ),
        pytest.param(
            STORED,
            False,
            {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"},
            [
                Candidate("profile", "profile both", is_taken=True),
                Candidate("environment", None),
                Candidate("web-identity", "the web identity token in /run/token"),
                Candidate("container", None),
                Candidate("instance", "the instance"),
            ],
            id="half a key is none of the profile's concern, and hides no other source",
        ),
    ],
)
def test_what_is_tried_is_told_in_its_order(
    source: Source, is_bare: bool, environ: dict[str, str], tried: list[Candidate]
) -> None:
    assert candidates(source, is_bare=is_bare, wanted=WantedSource(), environ=environ) == tried
