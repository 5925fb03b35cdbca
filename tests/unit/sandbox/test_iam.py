from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import User
from gds_exec.sandbox.state import Aws

Client = Callable[..., Any]


def test_all_devices_are_listed_security_keys_too(client: Client, alice: User, device: MfaDevice) -> None:
    security_key = alice.add_security_key()
    listed = client("iam", alice).list_mfa_devices()["MFADevices"]
    assert [entry["SerialNumber"] for entry in listed] == [device.serial, security_key.serial]
    assert security_key.serial.startswith("arn:aws:iam::111111111111:u2f/user/alice/")
    assert {entry["UserName"] for entry in listed} == {"alice"}


def test_a_user_with_no_device_has_an_empty_list(client: Client, alice: User) -> None:
    assert client("iam", alice).list_mfa_devices(UserName="alice")["MFADevices"] == []


@pytest.mark.usefixtures("device")
def test_a_device_may_have_a_name_of_its_own(client: Client, alice: User) -> None:
    assert alice.add_mfa_device("alice-phone").serial == "arn:aws:iam::111111111111:mfa/alice-phone"
    assert len(client("iam", alice).list_mfa_devices()["MFADevices"]) == 2


def test_an_mfa_session_may_ask_about_its_user(
    client: Client, alice: User, mfa_session: dict[str, Any]
) -> None:
    user = client("iam", mfa_session).get_user()["User"]
    assert (user["Arn"], user["UserName"]) == (alice.arn, "alice")


@pytest.mark.parametrize("action", ["get_user", "list_mfa_devices"])
def test_iam_does_not_know_a_session_without_mfa(
    client: Client, plain_session: dict[str, Any], action: str
) -> None:
    with pytest.raises(
        ClientError, match=r"InvalidClientTokenId.*security token included in the request is invalid"
    ):
        getattr(client("iam", plain_session), action)()


def test_a_role_session_must_name_a_user(aws: Aws, client: Client, alice: User) -> None:
    role = aws.add_role("readonly", trust=[alice.arn])
    session = client("sts", alice).assume_role(RoleArn=role.arn, RoleSessionName="me")["Credentials"]
    with pytest.raises(ClientError, match="Must specify userName when calling with non-User credentials"):
        client("iam", session).get_user()
    with pytest.raises(ClientError, match=r"AccessDenied.*assumed-role/readonly/me is not authorized"):
        client("iam", session).get_user(UserName="alice")


def test_nobody_may_ask_about_another(client: Client, alice: User) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied.*iam:GetUser on resource: user bob"):
        client("iam", alice).get_user(UserName="bob")


def test_a_user_may_be_forbidden_to_list_devices(aws: Aws, client: Client) -> None:
    carol = aws.add_user("carol", may_list_mfa_devices=False)
    with pytest.raises(ClientError, match=r"AccessDenied.*iam:ListMFADevices on resource: user carol"):
        client("iam", carol).list_mfa_devices()
    assert client("iam", carol).get_user()["User"]["UserName"] == "carol"
