"""Each source of the first credentials says what set it, and nothing that is secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from gds_exec.config.aws_files import AwsFiles, read_aws_files
from gds_exec.config.source_provenance import Candidate, candidates, traced_source
from gds_exec.config.sources import (
    GITHUB,
    TOKEN_COMMAND,
    TOKEN_FILE,
    TOKEN_VARIABLE,
    ContainerRole,
    CredentialProcess,
    EnvironmentKeys,
    InstanceRole,
    Source,
    StoredKeys,
    WantedSource,
    WebIdentityToken,
)

CONFIG = """[profile process]
credential_process = print a-secret
[profile token]
role_arn = arn:aws:iam::222222222222:role/admin
web_identity_token_file = /run/token
[profile both]
aws_access_key_id = AKIAOTHER
aws_secret_access_key = a-secret
"""
CREDENTIALS = """[both]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = a-secret
"""


@pytest.fixture
def files(tmp_path: Path) -> AwsFiles:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(CONFIG)
    (tmp_path / ".aws" / "credentials").write_text(CREDENTIALS)
    return read_aws_files({}, home=str(tmp_path))


@pytest.mark.parametrize(
    ("source", "environ", "name", "value", "origin"),
    [
        pytest.param(
            StoredKeys("both", "AKIAIOSFODNN7EXAMPLE", "a-secret"),
            {},
            "aws_access_key_id",
            "…MPLE",
            "credentials, line 2",
            id="keys in the credentials file",
        ),
        pytest.param(
            StoredKeys("both", "AKIAOTHER", "a-secret"),
            {},
            "aws_access_key_id",
            "…THER",
            "config, line 7",
            id="keys in the config file",
        ),
        pytest.param(
            CredentialProcess("process", "print a-secret"),
            {},
            "credential_process",
            "(not shown)",
            "config, line 2",
            id="process",
        ),
        pytest.param(
            EnvironmentKeys("AKIAIOSFODNN7EXAMPLE", "a-secret", "a-secret"),
            {},
            "access_key_id",
            "…MPLE",
            "AWS_ACCESS_KEY_ID",
            id="environment",
        ),
        pytest.param(
            ContainerRole("/v2/1", is_path=True),
            {},
            "container_credentials",
            "/v2/1",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            id="container's path",
        ),
        pytest.param(
            ContainerRole("http://127.0.0.1:1/"),
            {},
            "container_credentials",
            "http://127.0.0.1:1/",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            id="container's URL",
        ),
        pytest.param(
            InstanceRole(), {}, "instance_metadata", "http://169.254.169.254/", "default", id="instance"
        ),
        pytest.param(
            InstanceRole("http://127.0.0.1:1"),
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"},
            "instance_metadata",
            "http://127.0.0.1:1",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            id="instance elsewhere",
        ),
        pytest.param(
            WebIdentityToken(TOKEN_FILE, "/run/token", profile_name="token"),
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"},
            "web_identity_token_file",
            "/run/token",
            "config, line 5",
            id="token that a profile names",
        ),
        pytest.param(
            WebIdentityToken(TOKEN_FILE, "/run/token"),
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"},
            "web_identity_token_file",
            "/run/token",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            id="token that AWS's variable names",
        ),
        pytest.param(
            WebIdentityToken(TOKEN_FILE, "/ours"),
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"},
            "web_identity_token_file",
            "/ours",
            "--web-identity-token-file",
            id="token in a file that was asked for",
        ),
        pytest.param(
            WebIdentityToken(TOKEN_FILE, "/ours"),
            {"GDS_EXEC_WEB_IDENTITY_TOKEN_FILE": "/ours"},
            "web_identity_token_file",
            "/ours",
            "GDS_EXEC_WEB_IDENTITY_TOKEN_FILE",
            id="token in a file that our variable names",
        ),
        pytest.param(
            WebIdentityToken(TOKEN_VARIABLE, "ID_TOKEN"),
            {"ID_TOKEN": "a-secret"},
            "web_identity_token_env",
            "ID_TOKEN",
            "--web-identity-token-env",
            id="token in a variable",
        ),
        pytest.param(
            WebIdentityToken(TOKEN_COMMAND, "print a-secret"),
            {},
            "web_identity_token_command",
            "(not shown)",
            "--web-identity-token-command",
            id="token of a command",
        ),
        pytest.param(
            WebIdentityToken(GITHUB, audience="ours"),
            {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-secret"},
            "web_identity_token",
            "minted for ours",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            id="token of GitHub",
        ),
    ],
)
def test_a_source_is_traced_to_what_set_it(
    files: AwsFiles, source: Source, environ: dict[str, str], name: str, value: str, origin: str
) -> None:
    found = traced_source(files, source, environ=environ)

    assert found is not None
    assert (found.name, found.value, found.origin.rpartition("/.aws/")[2]) == (name, value, origin)
    assert "a-secret" not in repr(found)


KEYS = StoredKeys("both", "AKIAOTHER", "a-secret")
HERE = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.mark.parametrize(
    ("source", "is_bare", "environ", "tried"),
    [
        pytest.param(
            KEYS,
            False,
            HERE,
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
            HERE,
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
            HERE | {"GDS_EXEC_OUTER_ROLE": "outer", "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"},
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
            KEYS,
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
