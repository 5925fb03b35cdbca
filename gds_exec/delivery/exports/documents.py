"""A session as the documents that AWS's own tools print."""

from __future__ import annotations

from gds_exec.environment import credential_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.session import SessionCredentials

_MEMBERS = {
    "AccessKeyId": "AWS_ACCESS_KEY_ID",
    "SecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "SessionToken": "AWS_SESSION_TOKEN",
    "Expiration": "AWS_CREDENTIAL_EXPIRATION",
}


def assume_role_document(session: SessionCredentials) -> str:
    """Return what `aws sts assume-role` prints, but for the role's id, which is not kept.

    Without a role it is what `aws sts get-session-token` prints.
    """
    import json  # dear, and few ask for it

    variables = credential_variables(session)
    credentials = {member: variables[name] for member, name in _MEMBERS.items() if name in variables}
    document: dict[str, dict[str, str]] = {"Credentials": credentials}
    if session.arn:
        document["AssumedRoleUser"] = {"Arn": session.arn}
    return json.dumps(document, indent=4) + "\n"
