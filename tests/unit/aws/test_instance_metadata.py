"""The metadata service, asked by botocore's own fetchers and, for what those never do, in plain HTTP."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.utils import InstanceMetadataFetcher, InstanceMetadataRegionFetcher

from gds_exec.sandbox.principals import Role
from tests.aws.faults import Fault
from tests.aws.sandbox import Aws
from tests.aws.workloads import EC2, Machine

Ask = Callable[..., Any]
Client = Callable[..., Any]

CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
INSTANCE = "i-0123456789abcdef0"


@pytest.fixture
def role(aws: Aws) -> Role:
    return aws.add_role("runner", trust=[EC2])


@pytest.fixture
def instance(aws: Aws, role: Role) -> Machine:
    aws.instance = Machine(INSTANCE, role)
    return aws.instance


@pytest.fixture
def token(ask: Ask, instance: Machine) -> str:
    return str(ask("PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="60").text)


def fetch(url: str, *, attempts: int = 1) -> dict[str, Any]:
    fetcher = InstanceMetadataFetcher(
        timeout=5, num_attempts=attempts, env={}, config={"ec2_metadata_service_endpoint": url}
    )
    found: dict[str, Any] = fetcher.retrieve_iam_role_credentials()
    return found


def keys(fetched: dict[str, Any]) -> dict[str, str]:
    return {
        "AccessKeyId": fetched["access_key"],
        "SecretAccessKey": fetched["secret_key"],
        "SessionToken": fetched["token"],
    }


def test_botocore_finds_a_session_that_works(client: Client, url: str, instance: Machine) -> None:
    fetched = fetch(url)
    assert fetched["role_name"] == "runner"
    arn = client("sts", keys(fetched)).get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::222222222222:assumed-role/runner/{INSTANCE}"


def test_botocore_finds_the_region(url: str, instance: Machine) -> None:
    config = {"ec2_metadata_service_endpoint": f"{url}/"}
    assert InstanceMetadataRegionFetcher(env={}, config=config).retrieve_region() == "eu-west-2"


def test_a_role_reached_from_it_lives_an_hour_at_most(
    aws: Aws, client: Client, url: str, role: Role, instance: Machine
) -> None:
    second = aws.add_role("second", trust=[role.arn], max_session=43200)
    sts = client("sts", keys(fetch(url)))
    wanted = {"RoleArn": second.arn, "RoleSessionName": "job"}
    assert sts.assume_role(**wanted)["AssumedRoleUser"]["Arn"].endswith("assumed-role/second/job")
    with pytest.raises(sts.exceptions.ClientError, match="1 hour session limit"):
        sts.assume_role(**wanted, DurationSeconds=3601)


@pytest.mark.parametrize(
    ("session_seconds", "later", "is_same"),
    [(21_600, 21_299, True), (21_600, 21_300, False), (60, 44, True), (60, 45, False)],
)
def test_a_session_is_made_anew_near_its_end(
    aws: Aws, url: str, instance: Machine, session_seconds: int, later: int, is_same: bool
) -> None:
    instance.session_seconds = session_seconds
    first = fetch(url)["access_key"]
    aws.clock_offset = later
    assert (fetch(url)["access_key"] == first) is is_same


def test_its_life_can_be_set(aws: Aws, url: str, instance: Machine) -> None:
    instance.session_seconds = 60
    fetched = fetch(url)
    held = aws.credentials(fetched["access_key"])
    assert held is not None
    assert held.expiration == int(aws.now()) + 60


def test_an_instance_without_a_role_has_nothing(url: str, instance: Machine) -> None:
    instance.role = None
    assert fetch(url) == {}


def test_where_there_is_no_instance_there_is_nothing(url: str) -> None:
    assert fetch(url) == {}


def test_a_role_that_does_not_trust_ec2_gives_a_reason_and_no_session(
    ask: Ask, url: str, role: Role, token: str
) -> None:
    role.trust = ("*",)
    assert fetch(url) == {}
    answer = ask("GET", f"{CREDENTIALS}runner", x_aws_ec2_metadata_token=token)
    assert (answer.status, json.loads(answer.text)["Code"]) == (200, "AssumeRoleUnauthorizedAccess")


@pytest.mark.parametrize("ttl", [None, "", "0", "21601", "-1", "1.5", "\N{SUPERSCRIPT TWO}"])
def test_a_token_needs_a_sensible_life(ask: Ask, instance: Machine, ttl: str | None) -> None:
    headers = {} if ttl is None else {"x_aws_ec2_metadata_token_ttl_seconds": ttl}
    assert ask("PUT", "/latest/api/token", **headers).status == 400


def test_a_token_says_how_long_it_lives(ask: Ask, instance: Machine) -> None:
    answer = ask("PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="21600")
    assert (answer.status, answer.headers["x-aws-ec2-metadata-token-ttl-seconds"]) == (200, "21600")


def test_no_token_leaves_through_a_proxy(ask: Ask, instance: Machine) -> None:
    answer = ask(
        "PUT",
        "/latest/api/token",
        x_aws_ec2_metadata_token_ttl_seconds="60",
        X_Forwarded_For="192.0.2.1",
    )
    assert answer.status == 403


@pytest.mark.parametrize("path", [CREDENTIALS, f"{CREDENTIALS}runner", "/latest/meta-data/placement/region"])
def test_nothing_is_said_without_a_token(ask: Ask, instance: Machine, path: str) -> None:
    assert ask("GET", path).status == 401
    assert ask("GET", path, x_aws_ec2_metadata_token="guessed").status == 401


def test_a_token_ends(aws: Aws, ask: Ask, token: str) -> None:
    aws.clock_offset = 59
    assert ask("GET", CREDENTIALS, x_aws_ec2_metadata_token=token).status == 200
    aws.clock_offset = 60
    assert ask("GET", CREDENTIALS, x_aws_ec2_metadata_token=token).status == 401


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", CREDENTIALS, 200, "runner"),
        ("GET", CREDENTIALS.rstrip("/"), 200, "runner"),
        ("GET", f"{CREDENTIALS}other", 404, "404 - Not Found"),
        ("GET", "/latest/meta-data/placement/region", 200, "eu-west-2"),
        ("GET", "/latest/meta-data/placement/availability-zone/", 200, "eu-west-2a"),
        ("GET", "/latest/user-data", 404, "404 - Not Found"),
        ("GET", "/latest/api/token", 405, "405 - Method Not Allowed"),
        ("PUT", CREDENTIALS, 405, "405 - Method Not Allowed"),
    ],
)
def test_each_path_has_its_answer(
    ask: Ask, token: str, method: str, path: str, status: int, text: str
) -> None:
    answer = ask(method, path, x_aws_ec2_metadata_token=token)
    assert (answer.status, answer.text) == (status, text)


def test_the_instance_says_who_it_is(ask: Ask, token: str) -> None:
    answer = ask("GET", "/latest/dynamic/instance-identity/document", x_aws_ec2_metadata_token=token)
    assert json.loads(answer.text) == {
        "accountId": "222222222222",
        "availabilityZone": "eu-west-2a",
        "instanceId": INSTANCE,
        "region": "eu-west-2",
    }


@pytest.mark.parametrize("action", ["GetMetadataToken", "GetMetadata", "GetInstanceCredentials"])
def test_each_question_can_fail_by_itself_and_is_counted(
    aws: Aws, url: str, instance: Machine, action: str
) -> None:
    aws.fail(action, Fault("error", status=500))
    assert fetch(url, attempts=2)["role_name"] == "runner"
    counts = {name: aws.count(name) for name in ("GetMetadataToken", "GetMetadata", "GetInstanceCredentials")}
    assert counts == {"GetMetadataToken": 1, "GetMetadata": 1, "GetInstanceCredentials": 1} | {action: 2}


def test_no_secret_of_it_is_printed(aws: Aws, url: str, instance: Machine, token: str) -> None:
    fetched = fetch(url)
    for secret in (token, fetched["secret_key"], fetched["token"]):
        assert secret not in repr(aws)
