"""What is asked of the source, and what is wired to give it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from gds_exec.cli.source_wiring import new_session_name, wanted_source, wired_source
from gds_exec.config.profile_values import is_session_name
from gds_exec.config.profiles import Profile
from gds_exec.config.sources import (
    GITHUB,
    SOURCES,
    TOKEN_COMMAND,
    TOKEN_FILE,
    TOKEN_VARIABLE,
    CredentialProcess,
    EnvironmentKeys,
    InstanceRole,
    KeySource,
    StoredKeys,
    WantedSource,
    WebIdentityToken,
)
from gds_exec.credentials.key_source import KeySource as FetchedKeys
from gds_exec.credentials.token_source import TokenSource
from gds_exec.errors import HelperFailed, SourceFailed, UsageError
from gds_exec.invocation import Invocation
from tests.aws.github_oidc import token_request_url
from tests.aws.sandbox import Aws as Sandbox
from tests.e2e.network import make_certificate, serve_with_tls

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2IifQ.c2ln"
JOB = {"GITHUB_REPOSITORY": "alphagov/app", "GITHUB_RUN_ID": "4711"}


def asked(**said: Any) -> Invocation:
    return Invocation(role="admin", **said)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        pytest.param({}, WantedSource(), id="nothing"),
        *(pytest.param({"source": kind}, WantedSource(kind), id=kind) for kind in SOURCES),
        pytest.param(
            {"web_identity_token_file": "/token"},
            WantedSource(token=WebIdentityToken(TOKEN_FILE, "/token")),
            id="file",
        ),
        pytest.param(
            {"web_identity_token_env": "ID_TOKEN"},
            WantedSource(token=WebIdentityToken(TOKEN_VARIABLE, "ID_TOKEN")),
            id="variable",
        ),
        pytest.param(
            {"web_identity_token_command": "print-token"},
            WantedSource(token=WebIdentityToken(TOKEN_COMMAND, "print-token")),
            id="command",
        ),
        pytest.param({"audience": "ours"}, WantedSource(audience="ours"), id="audience"),
        pytest.param(
            {"source": "github", "audience": "ours"},
            WantedSource("github", audience="ours"),
            id="GitHub's for an audience",
        ),
        pytest.param(
            {"source": "web-identity", "web_identity_token_file": "/token"},
            WantedSource("web-identity", WebIdentityToken(TOKEN_FILE, "/token")),
            id="a kind and its own token",
        ),
        pytest.param(
            {"source": "profile", "source_profile": "base"},
            WantedSource("profile"),
            id="a kind and its profile",
        ),
    ],
)
def test_one_source_may_be_asked_for(said: dict[str, Any], wanted: WantedSource) -> None:
    assert wanted_source(asked(**said)) == wanted


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (
            {"web_identity_token_file": "/token", "web_identity_token_env": "ID_TOKEN"},
            ("--web-identity-token-file", "--web-identity-token-env"),
        ),
        (
            {"web_identity_token_env": "ID_TOKEN", "web_identity_token_command": "print-token"},
            ("--web-identity-token-env", "--web-identity-token-command"),
        ),
        (
            {"web_identity_token_file": "/token", "source_profile": "base"},
            ("--web-identity-token-file", "--source-profile"),
        ),
        ({"source": "environment", "source_profile": "base"}, ("--source-profile", "--source environment")),
        ({"source": "web-identity", "source_profile": "base"}, ("--source-profile", "--source web-identity")),
        (
            {"source": "github", "web_identity_token_file": "/token"},
            ("--web-identity-token-file", "--source github"),
        ),
        (
            {"source": "profile", "web_identity_token_env": "ID_TOKEN"},
            ("--web-identity-token-env", "--source profile"),
        ),
    ],
    ids=str,
)
def test_two_sources_exclude_each_other(said: dict[str, Any], named: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match=f"{named[0]} and {named[1]} exclude each other"):
        wanted_source(asked(**said))


def with_path(environ: dict[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **environ}


def profile_of(source: KeySource | WebIdentityToken) -> Profile:
    return Profile("admin", source)


def test_a_token_is_read_or_printed_in_the_caller_s_environment() -> None:
    in_variable = wired_source(profile_of(WebIdentityToken(TOKEN_VARIABLE, "ID_TOKEN")), {"ID_TOKEN": JWT})
    printed = wired_source(
        profile_of(WebIdentityToken(TOKEN_COMMAND, "sh -c 'echo $ID_TOKEN'")),
        with_path({"ID_TOKEN": JWT}),
    )

    assert isinstance(in_variable, TokenSource)
    assert in_variable.fetch() == printed.fetch() == JWT


def test_a_command_that_has_no_token_fails_without_what_it_printed() -> None:
    failing = wired_source(
        profile_of(WebIdentityToken(TOKEN_COMMAND, "sh -c 'echo a-secret; exit 3'")), with_path({})
    )

    with pytest.raises(HelperFailed) as failure:
        failing.fetch()

    assert "a-secret" not in f"{failure.value.message}{failure.value.hint}"


PRINT_WHOM_FOR = (
    """sh -c 'printf "{\\"Version\\": 1, \\"AccessKeyId\\": \\"%s\\", \\"SecretAccessKey\\": \\"s\\"}" """
    """"$(echo $GDS_EXEC_CREDENTIAL_PROCESS | tr " " +)"'"""
)


def test_a_process_is_told_for_which_profiles_it_runs() -> None:
    source = wired_source(
        profile_of(CredentialProcess("base", PRINT_WHOM_FOR)),
        with_path({"GDS_EXEC_CREDENTIAL_PROCESS": "outer"}),
    )

    assert isinstance(source, FetchedKeys)
    assert source.session().access_key.access_key_id == "outer+admin"


def test_where_github_cannot_be_asked_its_token_fails_in_words() -> None:
    environ = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "http://actions.example/",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-request-token",
    }

    with pytest.raises(SourceFailed, match="ACTIONS_ID_TOKEN_REQUEST_URL is no https URL"):
        wired_source(profile_of(WebIdentityToken(GITHUB)), environ).fetch()


def test_github_is_asked_with_the_certificates_that_aws_is_asked_with(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "own-ca.pem")
    aws = Sandbox()
    with serve_with_tls(aws, certificate) as url:
        environ = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": token_request_url(url),
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": aws.github.request_token,
        }
        profile = profile_of(WebIdentityToken(GITHUB)).but(ca_bundle=str(certificate))

        token = wired_source(profile, environ).fetch()

    assert str(token).count(".") == 2


def test_an_instance_is_asked_as_the_variables_say() -> None:
    source = wired_source(profile_of(InstanceRole()), {"AWS_EC2_METADATA_DISABLED": "true"})

    with pytest.raises(SourceFailed, match="the instance has no role"):
        source.session()


@pytest.mark.parametrize(
    "source", [StoredKeys("base", "AKIA", "s"), EnvironmentKeys("AKIA", "s")], ids=["file", "environment"]
)
def test_keys_are_who_they_are_wherever_they_stand(source: StoredKeys | EnvironmentKeys) -> None:
    profile = profile_of(source)

    assert wired_source(profile, {}).identity == "access key AKIA"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x/1"},
            {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x/2"},
            id="GitHub's URL",
        ),
        pytest.param(JOB, JOB | {"GITHUB_RUN_ID": "4712"}, id="the job's name"),
        pytest.param({}, JOB, id="a job and none"),
    ],
)
def test_a_token_that_must_be_fetched_is_its_job_s_own(one: dict[str, str], other: dict[str, str]) -> None:
    for source in (WebIdentityToken(GITHUB), WebIdentityToken(TOKEN_COMMAND, "print-token")):
        profile = profile_of(source)

        assert wired_source(profile, one).identity == wired_source(profile, one).identity
        assert wired_source(profile, one).identity != wired_source(profile, other).identity


def test_a_token_that_lies_about_is_whose_it_says() -> None:
    profile = profile_of(WebIdentityToken(TOKEN_VARIABLE, "ID_TOKEN"))

    found = {wired_source(profile, job | {"ID_TOKEN": JWT}).identity for job in ({}, JOB)}

    assert len(found) == 1


def test_a_session_is_named_after_its_ci_job_or_else_after_the_user() -> None:
    assert new_session_name(JOB) == "alphagov-app-4711"
    by_user = new_session_name({})
    assert by_user.startswith(pwd.getpwuid(os.geteuid()).pw_name)
    assert is_session_name(by_user)
