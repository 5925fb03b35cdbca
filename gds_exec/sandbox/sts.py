"""STS: GetSessionToken, AssumeRole and GetCallerIdentity."""

from collections.abc import Mapping
from dataclasses import replace

from gds_exec.sandbox import refusals
from gds_exec.sandbox.principals import Caller, Credentials, Role
from gds_exec.sandbox.session_policies import SessionScope, check_permitted, read_scope
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.validation import Number, Text, validate
from gds_exec.sandbox.wire import Element
from gds_exec.session import iso_time

ROLE_PARAMETERS = (
    Text("RoleArn", 20, 2048, is_required=True),
    Text("RoleSessionName", 2, 64, pattern=r"[\w+=,.@-]*", is_required=True),
    Number("DurationSeconds", 900, 43200),
)
_CHAINED_LIMIT_SECONDS = 3600


def open_role_session(
    aws: Aws, role: Role, caller: Caller, scope: SessionScope, parameters: Mapping[str, str]
) -> dict[str, Element]:
    """Return AWS's answer to a `caller` who is trusted. Raise the refusal of what is asked for besides."""
    check_permitted(scope, caller, role)
    duration = int(parameters.get("DurationSeconds", 3600))
    _check_duration(duration, caller=caller, role=role)
    assumed = _assumed(role, caller, scope, session_name=parameters["RoleSessionName"])
    session = aws.issue(assumed, duration_seconds=duration)
    answer: dict[str, Element] = {
        "Credentials": credentials_element(session),
        "AssumedRoleUser": {"AssumedRoleId": assumed.user_id, "Arn": assumed.arn},
    }
    if scope.packed_percentage is not None:
        answer["PackedPolicySize"] = str(scope.packed_percentage)
    if assumed.source_identity is not None:
        answer["SourceIdentity"] = assumed.source_identity
    return answer


def caller_in(role: Role, *, session_name: str) -> Caller:
    """Return who a session of the role is."""
    return Caller(
        arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{session_name}",
        account=role.account,
        user_id=f"{role.role_id}:{session_name}",
        role=role,
        is_temporary=True,
    )


def credentials_element(session: Credentials) -> Element:
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.token or "",
        "Expiration": iso_time(session.expiration),
    }


def _check_duration(duration_seconds: int, *, caller: Caller, role: Role) -> None:
    if duration_seconds > role.max_session:
        raise refusals.longer_than_role_allows()
    # AWS counts a GetSessionToken session as chaining too, whatever its documentation says.
    if caller.is_temporary and duration_seconds > _CHAINED_LIMIT_SECONDS:
        raise refusals.longer_than_chaining_allows()


def _assumed(role: Role, caller: Caller, scope: SessionScope, *, session_name: str) -> Caller:
    # No MFA: a role session does not carry it on to the next role.
    return replace(
        caller_in(role, session_name=session_name),
        is_chained=caller.is_temporary,
        transitive_tags={
            **caller.transitive_tags,
            **{key: value for key, value in scope.tags.items() if key in scope.transitive_keys},
        },
        source_identity=caller.source_identity or scope.source_identity,
    )


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
    caller = _with_mfa(caller, parameters)
    duration = int(parameters.get("DurationSeconds", 43200))
    session = aws.issue(replace(caller, is_temporary=True), duration_seconds=duration)
    return {"Credentials": credentials_element(session)}


def assume_role(aws: Aws, caller: Caller, parameters: Mapping[str, str]) -> Element:
    validate(parameters, _ASSUME_ROLE)
    scope = read_scope(parameters)
    caller = _with_mfa(caller, parameters)
    role = _trusting_role(aws, caller, parameters)
    return open_role_session(aws, role, caller, scope, parameters)


def _with_mfa(caller: Caller, parameters: Mapping[str, str]) -> Caller:
    """Spend the token code, if there is one, and return the caller with that proof."""
    serial, code = parameters.get("SerialNumber"), parameters.get("TokenCode")
    if serial is None and code is None:
        return caller
    if serial is None or code is None:
        raise refusals.serial_and_code_belong_together()
    devices = caller.user.devices if caller.user is not None else []
    device = next((device for device in devices if device.serial == serial), None)
    if device is None:
        raise refusals.unknown_serial()
    if not device.spend(code):
        raise refusals.wrong_or_spent_code()
    return replace(caller, has_mfa=True)


def _trusting_role(aws: Aws, caller: Caller, parameters: Mapping[str, str]) -> Role:
    arn = parameters["RoleArn"]
    role = aws.roles.get(arn)
    if role is None or not role.trusts(caller, external_id=parameters.get("ExternalId")):
        raise refusals.not_authorized(caller.arn, action="sts:AssumeRole", resource=arn)
    return role
