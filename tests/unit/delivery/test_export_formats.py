"""Each format, round its real reader where there is one in Python."""

import json
import subprocess
import sys
from pathlib import Path

import botocore.configloader
import botocore.credentials
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gds_exec.delivery.environment_changes import role_changes
from gds_exec.delivery.export_formats import FORMATS, Export, export_text, github_file
from gds_exec.delivery.shell_syntax import SHELLS
from gds_exec.environment import Briefing, child_environment
from gds_exec.errors import OutputFailed
from gds_exec.session import AccessKey, SessionCredentials

ISSUED, EXPIRATION = 4_102_444_800, 4_102_448_400
ARN = "arn:aws:sts::123456789012:assumed-role/prod/alice"
# What STS gives is base64; what a credential_process gives may be any text.
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
VALUES = st.text(
    st.characters(exclude_characters="\0\n\r", exclude_categories=("Cs",))
    | st.sampled_from(" '\"\\$`#=%{}<>|\x0b\x0c\x1c\x85\u2028"),
    max_size=30,
)


def session(
    access_key_id: str = "ASIAEXAMPLE", secret: str = "a/secret+", token: str | None = "a-token=="
) -> SessionCredentials:
    return SessionCredentials(
        AccessKey(access_key_id, secret, token), issued=ISSUED, expiration=EXPIRATION, arn=ARN
    )


LONG_LIVED = SessionCredentials.long_lived(AccessKey("AKIAEXAMPLE", "a-secret"), now=0)


def export(session: SessionCredentials, *, role: str = "prod", region: str | None = "eu-west-2") -> Export:
    child = child_environment({}, session, Briefing(role, region=region))
    return Export(session, role, role_changes({}, child))


def of_variables(**variables: str | None) -> Export:
    return Export(session(), "prod", variables)


def as_docker_reads(text: str) -> dict[str, str]:
    """What `--env-file` makes of it: lines end in LF or CRLF, and nothing in a value has a meaning."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def as_the_runner_reads(text: str) -> dict[str, str]:
    """What a GitHub runner makes of `$GITHUB_ENV`: heredocs, each up to the line that its first one names."""
    found = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if line:
            name, _, end = line.partition("<<")
            found[name] = "\n".join(iter(lambda: next(lines), end))
    return found


READERS = {
    "dotenv": as_docker_reads,
    "json": json.loads,
    "github-env": as_the_runner_reads,
    "github-output": as_the_runner_reads,
}


@pytest.mark.parametrize("format_name", READERS)
@given(values=st.lists(VALUES, max_size=10))
def test_every_variable_is_read_back_and_none_that_is_unset(format_name: str, values: list[str]) -> None:
    variables = {f"N{number}": value for number, value in enumerate(values)}

    text = export_text(format_name, of_variables(GONE=None, **variables))

    assert READERS[format_name](text) == variables


def test_no_value_ends_what_a_runner_reads_as_one() -> None:
    value = "x\nEOF\nB<<EOF\ny"

    assert as_the_runner_reads(github_file({"A": value})) == {"A": value}


def test_each_file_for_a_runner_has_a_delimiter_of_its_own() -> None:
    assert github_file({"A": "x"}) != github_file({"A": "x"})


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("aws") / "credentials"


@given(access_key_id=KEYS, secret=KEYS, token=KEYS)
def test_botocore_reads_the_section_back(access_key_id: str, secret: str, token: str, file: Path) -> None:
    file.write_text(export_text("ini", export(session(access_key_id, secret, token))))

    provider = botocore.credentials.SharedCredentialProvider(str(file), profile_name="prod")
    frozen = provider.load().get_frozen_credentials()

    assert (frozen.access_key, frozen.secret_key, frozen.token) == (access_key_id, secret, token)
    assert botocore.configloader.raw_config_parse(str(file))["prod"]["region"] == "eu-west-2"


@pytest.mark.parametrize("role", ["", "my role", "a]b", "DEFAULT", "é", "a\tb"])
def test_a_role_that_can_be_no_section_is_refused(role: str) -> None:
    with pytest.raises(OutputFailed, match="cannot be the name of a section"):
        export_text("ini", export(session(), role=role))


@settings(max_examples=5, deadline=None)
@given(access_key_id=KEYS, secret=KEYS, token=KEYS)
def test_botocore_takes_it_from_a_credential_process(
    access_key_id: str, secret: str, token: str, file: Path
) -> None:
    file.write_text(export_text("credential-process", export(session(access_key_id, secret, token))))
    profile = {"credential_process": f"{sys.executable} -c \"print(open('{file}').read())\""}

    provider = botocore.credentials.ProcessProvider(
        "prod", lambda: {"profiles": {"prod": profile}}, popen=subprocess.Popen
    )
    frozen = provider.load().get_frozen_credentials()

    assert (frozen.access_key, frozen.secret_key, frozen.token) == (access_key_id, secret, token)


def test_it_is_what_aws_sts_assume_role_prints() -> None:
    assert json.loads(export_text("assume-role-json", export(session()))) == {
        "Credentials": {
            "AccessKeyId": "ASIAEXAMPLE",
            "SecretAccessKey": "a/secret+",
            "SessionToken": "a-token==",
            "Expiration": "2100-01-01T01:00:00Z",
        },
        "AssumedRoleUser": {"Arn": ARN},
    }


def test_keys_that_no_role_has_are_printed_without_one() -> None:
    assert json.loads(export_text("assume-role-json", export(LONG_LIVED))) == {
        "Credentials": {"AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "a-secret"}
    }


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_has_the_keys_and_ends_its_last_line(format_name: str) -> None:
    text = export_text(format_name, export(session()))

    assert all(secret in text for secret in ("ASIAEXAMPLE", "a/secret+", "a-token=="))
    assert text.endswith("\n")


@pytest.mark.parametrize("format_name", [name for name in FORMATS if name not in SHELLS])
def test_keys_that_last_come_without_token_and_expiration(format_name: str) -> None:
    text = export_text(format_name, export(LONG_LIVED, region=None)).lower()

    assert "token" not in text
    assert "expiration" not in text


def test_what_is_exported_is_not_shown() -> None:
    assert "a/secret+" not in repr(export(session()))
