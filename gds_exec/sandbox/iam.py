"""IAM: ListMFADevices and GetUser, about the caller."""

from collections.abc import Mapping

from gds_exec.sandbox import refusals
from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import Caller, User
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.wire import Element
from gds_exec.session import iso_time


def get_user(_aws: Aws, caller: Caller, parameters: Mapping[str, str]) -> Element:
    user = _own_user(caller, parameters, action="iam:GetUser")
    return {"User": {"Path": "/", "UserName": user.name, "UserId": user.user_id, "Arn": user.arn}}


def list_mfa_devices(_aws: Aws, caller: Caller, parameters: Mapping[str, str]) -> Element:
    user = _own_user(caller, parameters, action="iam:ListMFADevices")
    devices: list[Element] = [_device_element(user, device) for device in user.devices]
    return {"MFADevices": devices, "IsTruncated": "false"}


def _own_user(caller: Caller, parameters: Mapping[str, str], *, action: str) -> User:
    # IAM does not know a session that GetSessionToken made without MFA.
    if caller.user is not None and caller.is_temporary and not caller.has_mfa:
        raise refusals.invalid_token()
    name = parameters.get("UserName")
    if caller.user is None and name is None:
        raise refusals.user_name_needed()
    if caller.user is None or name not in (None, caller.user.name):
        raise refusals.no_identity_policy(caller.arn, action=action, user_name=name or "")
    return caller.user


def _device_element(user: User, device: MfaDevice) -> Element:
    enabled = iso_time(device.enabled_at)
    return {"UserName": user.name, "SerialNumber": device.serial, "EnableDate": enabled}
