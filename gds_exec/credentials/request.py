"""What is asked of AWS STS, as values, and the key that an answer is cached under.

The key is made of everything that STS is told and of who asks, so that an answer to one
question is never the answer to another. A session name that we make up holds the time and
counts as "the default": it is `None` here, and made when the call is.
"""

from __future__ import annotations

import time
from _blake2 import blake2b

from gds_exec.config.profile_values import SESSION_NAME_CHARACTERS, SESSION_NAME_LIMIT
from gds_exec.lean import Value
from gds_exec.session import AccessKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.credentials.session_scope import Scope


class SessionTokenRequest(Value):
    """GetSessionToken with a token code: the MFA session that opens every role of the device."""

    mfa_serial: str
    duration_seconds: int

    session_name = None


class AssumeRoleRequest(Value):
    """AssumeRole; with an `mfa_serial`, the code goes into this very call."""

    role_arn: str
    duration_seconds: int
    session_name: str | None = None
    external_id: str | None = None
    mfa_serial: str | None = None
    scope: Scope | None = None


class WebIdentityRequest(Value):
    """AssumeRoleWithWebIdentity: a token in the place of keys. It knows nothing of MFA."""

    role_arn: str
    duration_seconds: int
    session_name: str | None = None
    scope: Scope | None = None

    external_id = None
    mfa_serial = None


Request = SessionTokenRequest | AssumeRoleRequest | WebIdentityRequest


class IdentityToken(Value):
    """An OIDC token, which makes an `AssumeRoleWithWebIdentity` call good."""

    text: str

    _unshown = ("text",)


Caller = AccessKey | IdentityToken  # what shows AWS who calls


class Origin(Value):
    """Who asks, and where: the keys that begin the chain and the AWS that answers.

    `identity` is an access key id or, for a source that must be run to be known, that
    source's own description, so that a cached session is found without running it.
    """

    identity: str
    endpoint: str = ""


def cache_key(origin: Origin, requests: tuple[Request, ...]) -> str:
    """Return the name under which the last session of this chain of requests is cached."""
    parts = ["origin", origin.identity, origin.endpoint]
    for request in requests:
        parts += _told(request)
    return _digest(parts)


def device_key(origin: Origin, mfa_serial: str) -> str:
    """Return the name under which the use of one MFA device is locked and remembered."""
    return _digest(["device", origin.identity, origin.endpoint, mfa_serial])


def made_up_session_name(user: str, now: float) -> str:
    """Return `USER-DD-MM-YY_HH-MM` in local time, as STS accepts it.

    There is never an `@` in it: admission controllers take a session name with one for the person.
    """
    when = time.strftime("-%d-%m-%y_%H-%M", time.localtime(now))
    return (_cleaned(user) or "user")[: SESSION_NAME_LIMIT - len(when)] + when


def job_session_name(job: str) -> str:
    """Return what tells a CI job from others, as STS accepts it: of a long one the end, which tells most."""
    return _cleaned(job)[-SESSION_NAME_LIMIT:].ljust(2, "-")


def role_of(role_arn: str) -> tuple[str, str]:
    """Return the account number and the name, without its path, that a role ARN speaks of."""
    fields = role_arn.split(":", 5)
    return fields[4], fields[5].rpartition("/")[2]


def is_answer_for(arn: str, request: Request) -> bool:
    """Say whether a session's ARN is what this request must yield: that account, that role."""
    if isinstance(request, SessionTokenRequest):
        return True
    account, name = role_of(request.role_arn)
    fields = arn.split(":", 5)
    return len(fields) == 6 and fields[4] == account and fields[5].split("/")[:2] == ["assumed-role", name]


def _cleaned(text: str) -> str:
    return "".join(c if c != "@" and c in SESSION_NAME_CHARACTERS else "-" for c in text)


def _told(request: Request) -> list[str]:
    if isinstance(request, SessionTokenRequest):
        return ["GetSessionToken", request.mfa_serial, str(request.duration_seconds)]
    scope = [] if request.scope is None else ["scope", request.scope.text]
    if isinstance(request, WebIdentityRequest):
        told = ["AssumeRoleWithWebIdentity", request.role_arn, str(request.duration_seconds)]
        return [*told, *_optional(request.session_name), *scope]
    return [
        "AssumeRole",
        request.role_arn,
        str(request.duration_seconds),
        *_optional(request.session_name),
        *_optional(request.external_id),
        *_optional(request.mfa_serial),
        *scope,
    ]


def _optional(value: str | None) -> list[str]:
    return ["absent", ""] if value is None else ["present", value]


def _digest(parts: list[str]) -> str:
    # Each part is led by its length, so that no two lists of parts make one text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
