"""The session of a role, however it was had: who it is, how long it may last, what AWS says of it."""

from collections.abc import Mapping
from dataclasses import replace
from time import gmtime, strftime

from gds_exec.sandbox import refusals
from gds_exec.sandbox.principals import Caller, Credentials, Role
from gds_exec.sandbox.scope import SessionScope, check_permitted
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.validation import Number, Text
from gds_exec.sandbox.wire import Element

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


def iso_time(moment: float) -> str:
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(moment))


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
