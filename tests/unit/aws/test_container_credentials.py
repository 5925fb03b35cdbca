"""The containers' endpoint, asked by botocore's own fetcher and in plain HTTP."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import MetadataRetrievalError
from botocore.utils import ContainerMetadataFetcher

from gds_exec.sandbox.principals import Role
from tests.aws.faults import Fault
from tests.aws.sandbox import Aws
from tests.aws.workloads import Machine

Ask = Callable[..., Any]
Client = Callable[..., Any]


@pytest.fixture
def role(aws: Aws) -> Role:
    return aws.add_role("task", trust=[])


@pytest.fixture
def container(aws: Aws, role: Role) -> Machine:
    return aws.add_container(role)


def fetch(url: str, container: Machine, token: str | None = None) -> dict[str, Any]:
    fetcher = ContainerMetadataFetcher(sleep=lambda _seconds: None)
    found: dict[str, Any] = fetcher.retrieve_full_uri(
        f"{url}/v2/credentials/{container.name}",
        headers={"Authorization": token or container.authorization_token},
    )
    return found


def test_botocore_finds_a_session_that_works(
    client: Client, url: str, role: Role, container: Machine
) -> None:
    fetched = fetch(url, container)
    assert fetched["RoleArn"] == role.arn
    arn = client("sts", {**fetched, "SessionToken": fetched["Token"]}).get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::222222222222:assumed-role/task/{container.name}"


@pytest.mark.parametrize(("later", "is_same"), [(599, True), (600, False)])
def test_a_session_is_made_anew_near_its_end(
    aws: Aws, url: str, role: Role, later: int, is_same: bool
) -> None:
    container = aws.add_container(role, session_seconds=800)
    first = fetch(url, container)["AccessKeyId"]
    aws.clock_offset = later
    assert (fetch(url, container)["AccessKeyId"] == first) is is_same


def test_each_container_has_a_role_of_its_own(aws: Aws, url: str, container: Machine) -> None:
    other = aws.add_container(aws.add_role("other", trust=[]))
    assert fetch(url, other)["RoleArn"].endswith(":role/other")
    with pytest.raises(MetadataRetrievalError, match="401"):
        fetch(url, other, container.authorization_token)


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "Bearer guessed"}])
def test_the_token_must_be_right(ask: Ask, container: Machine, headers: dict[str, str]) -> None:
    answer = ask("GET", f"/v2/credentials/{container.name}", **headers)
    assert (answer.status, json.loads(answer.text)["code"]) == (401, "Unauthorized")


def test_an_unknown_container_is_told_so(ask: Ask, container: Machine) -> None:
    answer = ask("GET", "/v2/credentials/other", Authorization=container.authorization_token)
    assert answer.status == 400
    assert json.loads(answer.text) == {
        "code": "InvalidIdInRequest",
        "message": "CredentialsV2Request: Credentials not found",
        "HTTPErrorCode": 400,
    }


@pytest.mark.parametrize("fault", [Fault("error"), Fault("html"), Fault("reset"), Fault("truncated")])
def test_a_fault_happens_once(aws: Aws, url: str, container: Machine, fault: Fault) -> None:
    aws.fail("GetContainerCredentials", fault)
    assert fetch(url, container)["RoleArn"].endswith(":role/task")
    assert aws.count("GetContainerCredentials") == 2


def test_no_secret_of_it_is_printed(aws: Aws, url: str, container: Machine) -> None:
    fetched = fetch(url, container)
    for secret in (container.authorization_token, fetched["SecretAccessKey"], fetched["Token"]):
        assert secret not in repr(aws)
