"""Each source of the first credentials carries what set it, and shows nothing that is secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from gds_exec.cli.source_wiring import wanted_source
from gds_exec.config.aws_files import AwsFiles, read_aws_files
from gds_exec.config.profiles import find_profile
from gds_exec.invocation import Invocation

ARN = "arn:aws:iam::222222222222:role/admin"
CONFIG = f"""[profile process]
credential_process = print a-secret
[profile token]
role_arn = {ARN}
web_identity_token_file = /run/token
[profile both]
aws_access_key_id = AKIAOTHER
aws_secret_access_key = a-secret
[profile config-only]
aws_access_key_id = AKIAOTHER
aws_secret_access_key = a-secret
"""
CREDENTIALS = """[both]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = a-secret
"""
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "a-secret"}
GITHUB = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-secret"}
INSTANCE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
CONTAINER = "AWS_CONTAINER_CREDENTIALS_"
TOKEN = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"}
ENDPOINT = "http://127.0.0.1:1"


@pytest.fixture
def files(tmp_path: Path) -> AwsFiles:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(CONFIG)
    (tmp_path / ".aws" / "credentials").write_text(CREDENTIALS)
    return read_aws_files({}, home=str(tmp_path))


@pytest.mark.parametrize(
    ("role", "asked", "environ", "name", "text", "origin"),
    [
        pytest.param(
            "both",
            {},
            {},
            "aws_access_key_id",
            "…MPLE",
            "credentials, line 2",
            id="keys in the credentials file",
        ),
        pytest.param(
            "config-only",
            {},
            {},
            "aws_access_key_id",
            "…THER",
            "config, line 10",
            id="keys in the config file",
        ),
        pytest.param("process", {}, {}, "credential_process", "(not shown)", "config, line 2", id="process"),
        pytest.param(
            ARN,
            {"source": "environment"},
            KEYS,
            "access_key_id",
            "…MPLE",
            "AWS_ACCESS_KEY_ID",
            id="environment",
        ),
        pytest.param(
            ARN,
            {"source": "container"},
            {f"{CONTAINER}RELATIVE_URI": "/v2/1"},
            "container_credentials",
            "/v2/1",
            f"{CONTAINER}RELATIVE_URI",
            id="container's path",
        ),
        pytest.param(
            ARN,
            {"source": "container"},
            {f"{CONTAINER}FULL_URI": ENDPOINT},
            "container_credentials",
            ENDPOINT,
            f"{CONTAINER}FULL_URI",
            id="container's URL",
        ),
        pytest.param(
            ARN,
            {"source": "instance"},
            {},
            "instance_metadata",
            "http://169.254.169.254/",
            "default",
            id="instance",
        ),
        pytest.param(
            ARN,
            {"source": "instance"},
            {INSTANCE: ENDPOINT},
            "instance_metadata",
            ENDPOINT,
            INSTANCE,
            id="instance elsewhere",
        ),
        pytest.param(
            "token",
            {},
            TOKEN,
            "web_identity_token_file",
            "/run/token",
            "config, line 5",
            id="token that a profile names",
        ),
        pytest.param(
            ARN,
            {"source": "web-identity"},
            TOKEN,
            "web_identity_token_file",
            "/run/token",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            id="token that AWS's variable names",
        ),
        pytest.param(
            ARN,
            {"web_identity_token_file": "/ours"},
            TOKEN,
            "web_identity_token_file",
            "/ours",
            "--web-identity-token-file",
            id="token in a file that was asked for",
        ),
        pytest.param(
            ARN,
            {"web_identity_token_env": "ID_TOKEN"},
            {"ID_TOKEN": "a-secret"},
            "web_identity_token_env",
            "ID_TOKEN",
            "--web-identity-token-env",
            id="token in a variable",
        ),
        pytest.param(
            ARN,
            {"web_identity_token_command": "print a-secret"},
            {},
            "web_identity_token_command",
            "(not shown)",
            "--web-identity-token-command",
            id="token of a command",
        ),
        pytest.param(
            ARN,
            {"source": "github", "audience": "ours"},
            GITHUB,
            "web_identity_token",
            "minted for ours",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            id="token of GitHub",
        ),
    ],
)
def test_a_source_carries_what_set_it(
    files: AwsFiles,
    role: str,
    asked: dict[str, str],
    environ: dict[str, str],
    name: str,
    text: str,
    origin: str,
) -> None:
    wanted = wanted_source(Invocation(role=role, **asked))

    found = find_profile(files, role, environ=environ, wanted=wanted).source.setting

    assert found is not None
    assert (found.name, found.text, found.origin.rpartition("/.aws/")[2]) == (name, text, origin)
    assert "a-secret" not in repr(found)
