"""The session that an instance or a container hands to whoever is on it."""

from gds_exec.sandbox.principals import Credentials, Role
from gds_exec.sandbox.sts import caller_in
from gds_exec.session import iso_time

from .sandbox import Aws
from .workloads import Machine

_RENEWED_BEFORE_SECONDS = 5 * 60


def session_of(aws: Aws, machine: Machine, role: Role) -> Credentials:
    """Return the machine's session, anew when the last five minutes of it, or its last quarter, begin."""
    now = aws.now()
    if machine.session is None or now >= machine.renew_at:
        machine.session = aws.issue(
            caller_in(role, session_name=machine.name), duration_seconds=machine.session_seconds
        )
        life = machine.session.expiration - now
        machine.renew_at = machine.session.expiration - min(_RENEWED_BEFORE_SECONDS, life / 4)
    return machine.session


def session_document(session: Credentials) -> dict[str, object]:
    """Return the part of their answers in which the two agree."""
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "Token": session.token,
        "Expiration": iso_time(session.expiration),
    }
