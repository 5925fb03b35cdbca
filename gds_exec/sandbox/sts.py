"""STS: GetSessionToken, AssumeRole, GetCallerIdentity."""

from collections.abc import Mapping
from dataclasses import replace

from gds_exec.sandbox import refusals
from gds_exec.sandbox.policy import is_trusted
from gds_exec.sandbox.principals import Caller, Role
from gds_exec.sandbox.role_session import ROLE_PARAMETERS, credentials_element, open_role_session
from gds_exec.sandbox.scope import read_scope
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.validation import Number, Text, validate
from gds_exec.sandbox.wire import Element

_MFA = (
    Text("SerialNumber", 9, 256, pattern=r"[\w+=/:,.@-]*"),
    Text("TokenCode", 6, 6, pattern=r"[\d]*"),
)
_GET_SESSION_TOKEN = (Number("DurationSeconds", 900, 129600), *_MFA)
_ASSUME_ROLE = (
    *ROLE_PARAMETERS,
    Text("ExternalId", 2, 1224, pattern=r"[\w+=,.@:\/-]*"),
    *_MFA,
)


def get_caller_identity(_aws: Aws, caller: Caller, _parameters: Mapping[str, str]) -> Element:
    return {"Arn": caller.arn, "UserId": caller.user_id, "Account": caller.account}


def get_session_token(aws: Aws, caller: Caller, parameters: Mapping[str, str]) -> Element:
    if caller.is_temporary:
        raise refusals.session_credentials_not_wanted()
    validate(parameters, _GET_SESSION_TOKEN)
    caller = _with_mfa(aws, caller, parameters)
    duration = int(parameters.get("DurationSeconds", 43200))
    session = aws.issue(replace(caller, is_temporary=True), duration_seconds=duration)
    return {"Credentials": credentials_element(session)}


def assume_role(aws: Aws, caller: Caller, parameters: Mapping[str, str]) -> Element:
    validate(parameters, _ASSUME_ROLE)
    scope = read_scope(parameters)
    caller = _with_mfa(aws, caller, parameters)
    role = _trusting_role(aws, caller, parameters)
    return open_role_session(aws, role, caller, scope, parameters)


def _with_mfa(aws: Aws, caller: Caller, parameters: Mapping[str, str]) -> Caller:
    """Spend the token code, if there is one, and return the caller with that proof."""
    serial, code = parameters.get("SerialNumber"), parameters.get("TokenCode")
    if serial is None and code is None:
        return caller
    if serial is None or code is None:
        raise refusals.serial_and_code_belong_together()
    device = caller.user.device_with_codes(serial) if caller.user is not None else None
    if device is None:
        raise refusals.unknown_serial()
    if not device.spend(code):
        raise refusals.wrong_or_spent_code()
    return replace(caller, mfa_at=aws.now())


def _trusting_role(aws: Aws, caller: Caller, parameters: Mapping[str, str]) -> Role:
    arn = parameters["RoleArn"]
    role = aws.roles.get(arn)
    external_id = parameters.get("ExternalId")
    if role is None or not is_trusted(caller, role, external_id=external_id, now=aws.now()):
        raise refusals.not_authorized(caller.arn, action="sts:AssumeRole", resource=arn)
    return role
