from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import User
from tests.aws.sandbox import Aws, Role, TokenTrust, add_security_key

Client = Callable[..., Any]


@pytest.mark.parametrize(
    ("trust", "expected"),
    [
        pytest.param([], False, id="none"),
        pytest.param([TokenTrust("ci.example")], True, id="any of its tokens"),
        pytest.param([TokenTrust("other.example")], False, id="another provider"),
        pytest.param([TokenTrust("ci.example", "repo:org/app:ref:refs/heads/main")], True, id="the subject"),
        pytest.param([TokenTrust("ci.example", "repo:org/*")], True, id="a star"),
        pytest.param([TokenTrust("ci.example", "repo:org/ap?:*")], True, id="a question mark"),
        pytest.param([TokenTrust("ci.example", "repo:org/ap[p]:*")], False, id="brackets are brackets"),
        pytest.param([TokenTrust("ci.example", "repo:org/ap.:*")], False, id="a dot is a dot"),
        pytest.param([TokenTrust("ci.example", "repo:org")], False, id="only its beginning"),
        pytest.param([TokenTrust("ci.example", "REPO:*")], False, id="other letters"),
        pytest.param([TokenTrust("ci.example", audience="sts")], True, id="the audience"),
        pytest.param([TokenTrust("ci.example", audience="vault")], False, id="another audience"),
        pytest.param(
            [TokenTrust("ci.example", "job:*"), TokenTrust("ci.example", "repo:*")], True, id="one of two"
        ),
        pytest.param(
            [TokenTrust("ci.example", "job:*", "sts"), TokenTrust("ci.example", "repo:*", "vault")],
            False,
            id="half of each of two",
        ),
    ],
)
def test_trust_in_a_token(trust: list[TokenTrust], expected: bool) -> None:
    role = Role("admin", "222222222222", "AROA", trust=(), token_trust=tuple(trust))
    subject = "repo:org/app:ref:refs/heads/main"
    assert role.trusts_token(provider="ci.example", subject=subject, audience="sts") is expected


def test_a_role_may_deny_everybody_whom_it_trusts(aws: Aws, client: Client, alice: User) -> None:
    role = aws.add_role("admin", trust=[alice.arn])
    wanted = {"RoleArn": role.arn, "RoleSessionName": "me"}
    client("sts", alice).assume_role(**wanted)
    role.denies_everybody = True
    with pytest.raises(ClientError, match=r"AccessDenied.*not authorized to perform: sts:AssumeRole"):
        client("sts", alice).assume_role(**wanted)


def test_the_arn_of_an_assumed_role_has_no_path(aws: Aws, client: Client, alice: User) -> None:
    role = aws.add_role("readonly", trust=[alice.arn], path="/team/")
    assert role.arn == "arn:aws:iam::222222222222:role/team/readonly"
    answer = client("sts", alice).assume_role(RoleArn=role.arn, RoleSessionName="me")
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::222222222222:assumed-role/readonly/me"


def test_a_security_key_is_listed_and_shows_no_codes(client: Client, alice: User, device: MfaDevice) -> None:
    key = add_security_key(alice)
    listed = client("iam", alice).list_mfa_devices()["MFADevices"]
    assert [entry["SerialNumber"] for entry in listed] == [device.serial, key.serial]
    assert key.serial.startswith("arn:aws:iam::111111111111:u2f/user/alice/")
    with pytest.raises(ClientError, match="unable to validate MFA code"):
        client("sts", alice).get_session_token(SerialNumber=key.serial, TokenCode=device.code())


def test_a_life_override_is_the_life_of_every_session(aws: Aws, client: Client, alice: User) -> None:
    aws.life_override = 7
    session = client("sts", alice).get_session_token(DurationSeconds=900)["Credentials"]
    assert session["Expiration"].timestamp() - aws.now() == 7


def test_a_key_that_is_switched_off_is_unknown(aws: Aws, client: Client, alice: User) -> None:
    aws.switch_off_key(alice)
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        client("sts", alice).get_caller_identity()


def test_a_revoked_session_is_unknown(aws: Aws, client: Client, plain_session: dict[str, Any]) -> None:
    aws.revoke_sessions()
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        client("sts", plain_session).get_caller_identity()


def test_sts_can_be_off_in_a_region(aws: Aws, client: Client, alice: User) -> None:
    aws.disabled_regions.add("ap-east-1")
    with pytest.raises(
        ClientError, match=r"RegionDisabled.*not activated in this region for account:1{12}\."
    ):
        client("sts", alice, region="ap-east-1").get_caller_identity()
    assert client("sts", alice).get_caller_identity()["Arn"] == alice.arn
