from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import User
from gds_exec.sandbox.state import Aws

Client = Callable[..., Any]


def test_all_devices_are_listed(client: Client, alice: User, device: MfaDevice) -> None:
    second = alice.add_mfa_device("alice-phone")
    assert second.serial == "arn:aws:iam::111111111111:mfa/alice-phone"
    listed = client("iam", alice).list_mfa_devices()["MFADevices"]
    assert [entry["SerialNumber"] for entry in listed] == [device.serial, second.serial]
    assert {entry["UserName"] for entry in listed} == {"alice"}


def test_a_user_with_no_device_has_an_empty_list(client: Client, alice: User) -> None:
    assert client("iam", alice).list_mfa_devices(UserName="alice")["MFADevices"] == []


def test_an_mfa_session_may_ask_about_its_user(
    client: Client, device: MfaDevice, mfa_session: dict[str, Any]
) -> None:
    (entry,) = client("iam", mfa_session).list_mfa_devices()["MFADevices"]
    assert entry["SerialNumber"] == device.serial


def test_iam_does_not_know_a_session_without_mfa(client: Client, plain_session: dict[str, Any]) -> None:
    with pytest.raises(
        ClientError, match=r"InvalidClientTokenId.*security token included in the request is invalid"
    ):
        client("iam", plain_session).list_mfa_devices()


def test_a_role_session_must_name_a_user(aws: Aws, client: Client, alice: User) -> None:
    role = aws.add_role("readonly", trust=[alice.arn])
    session = client("sts", alice).assume_role(RoleArn=role.arn, RoleSessionName="me")["Credentials"]
    with pytest.raises(ClientError, match="Must specify userName when calling with non-User credentials"):
        client("iam", session).list_mfa_devices()
    with pytest.raises(ClientError, match=r"AccessDenied.*assumed-role/readonly/me is not authorized"):
        client("iam", session).list_mfa_devices(UserName="alice")


def test_nobody_may_ask_about_another(client: Client, alice: User) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied.*iam:ListMFADevices on resource: user bob"):
        client("iam", alice).list_mfa_devices(UserName="bob")


def test_a_user_may_ask_about_themselves(client: Client, alice: User, mfa_session: dict[str, Any]) -> None:
    for caller in (alice, mfa_session):
        user = client("iam", caller).get_user()["User"]
        assert (user["Arn"], user["UserName"]) == (alice.arn, "alice")
    with pytest.raises(ClientError, match=r"AccessDenied.*iam:GetUser on resource: user bob"):
        client("iam", alice).get_user(UserName="bob")
