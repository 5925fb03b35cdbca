"""What AWS's refusals mean, and what to do about them.

AWS's codes are few and its messages many: `AccessDenied` is a wrong code, a missing device or
a role that is not granted, and only the message tells. The wordings come from real answers.
"""

from __future__ import annotations

from gds_exec.credentials.request import AssumeRoleRequest, SessionTokenRequest, WebIdentityRequest
from gds_exec.errors import (
    AnswerLost,
    AssumeRoleDenied,
    AwsRefused,
    AwsUnreachable,
    CredentialsError,
    PackedPolicyTooLarge,
    SourceCredentialsInvalid,
    TokenCodeRefused,
)
from gds_exec.lean import Value
from gds_exec.options import duration_text
from gds_exec.redaction import mask, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gds_exec.credentials.request import Request

_BUSY_CODES = frozenset(
    {
        "IDPCommunicationError",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_LONGEST_QUOTE = 2000
_COMPARE_SERIAL = "compare mfa_serial with the ARN that `aws iam list-mfa-devices` shows"
_SCOPE_ACTIONS = {
    "sts:TagSession": "--tag or --ci-tags",
    "sts:SetSourceIdentity": "--source-identity",
}


class Refusal(Value):
    """An error answer of AWS, and what was asked when it came."""

    _unshown = ("message", "token_code")  # a message may quote the code

    operation: str
    code: str
    message: str
    http_status: int = 400
    request: Request | None = None
    token_code: str | None = None
    clock_offset: int | None = None


def explain(refusal: Refusal) -> CredentialsError:
    """Return the error that tells a person what this refusal means."""
    if refusal.http_status >= 500 or refusal.http_status == 429 or refusal.code in _BUSY_CODES:
        return _unavailable(refusal)
    if isinstance(refusal.request, WebIdentityRequest) and (of_token := _of_token(refusal)) is not None:
        return of_token
    if "MultiFactorAuthentication failed" in refusal.message:
        return _mfa_failed(refusal)
    if (by_code := _BY_CODE.get(refusal.code)) is not None:
        return by_code(refusal)
    if "DurationSeconds" in refusal.message or "durationSeconds" in refusal.message:
        return _duration(refusal)
    if refusal.code == "AccessDenied" and isinstance(refusal.request, AssumeRoleRequest):
        return _denied(refusal)
    return _quoting(refusal, f"AWS refused {refusal.operation}")


def of_keys(
    whose: str, error: SourceCredentialsInvalid, *, hint: str | None = None
) -> SourceCredentialsInvalid:
    """Return the error with the name of those whose keys AWS refuses."""
    return SourceCredentialsInvalid(
        f"the keys of {whose}: {error.message}", hint=hint or error.hint, code=error.code
    )


def denied_hint(device: str | None = None) -> str:
    """Return the usual causes of a denial in the order of their frequency: AWS does not say which."""
    mfa = f"does it want MFA (mfa_serial = {show(device)})?" if device else "is MFA missing or too old?"
    return (
        "are you on the network (VPN) that the role's trust policy wants? "
        f"has the role been granted to you, and is its name right? {mfa}"
    )


def _denied(refusal: Refusal) -> AwsRefused:
    for action, option in _SCOPE_ACTIONS.items():
        if f"perform: {action} " in refusal.message:
            hint = (
                f"have the role's trust policy allow {action} to you, beside sts:AssumeRole; "
                f"or leave {option} out"
            )
            return _quoting(refusal, f"AWS refused {option}", hint)
    return _quoting(refusal, "AWS refused the role", denied_hint(), kind=AssumeRoleDenied)


def _of_token(refusal: Refusal) -> CredentialsError | None:
    """Return what a refusal says of a web identity token, if it does."""
    if "Couldn't retrieve verification key" in refusal.message:  # which comes and goes
        return _unavailable(refusal)
    if refusal.code == "ExpiredTokenException":
        hint = "it lasts minutes: have the CI write a new one, or print one with --web-identity-token-command"
        return _quoting(refusal, "the web identity token has expired", hint, kind=SourceCredentialsInvalid)
    if refusal.code == "InvalidIdentityToken":
        hint = (
            "the role's account needs an OIDC provider of the token's issuer that takes its audience "
            "(--audience)"
        )
        return _quoting(refusal, "AWS does not take the web identity token", hint)
    if refusal.code == "AccessDenied":
        hint = (
            "does its trust policy allow sts:AssumeRoleWithWebIdentity to this provider, with the "
            "token's audience and subject? is the role's name right?"
        )
        return _quoting(refusal, "AWS refused the role", hint, kind=AssumeRoleDenied)
    return None


def _malformed_policy(refusal: Refusal) -> AwsRefused:
    return _quoting(refusal, "AWS cannot read the policy", "correct --policy")


def _packed_policy(refusal: Refusal) -> AwsRefused:
    what = "the policies and tags are more than AWS has room for in a session"
    hint = (
        "AWS packs them together, and an inline policy takes the most: shorten --policy or make a "
        "managed one of it (--policy-arn), or leave some --tag out"
    )
    return _quoting(refusal, what, hint, kind=PackedPolicyTooLarge)


def _unavailable(refusal: Refusal) -> AwsUnreachable:
    kind = AnswerLost if refusal.token_code else AwsUnreachable
    return kind(f"AWS could not answer {refusal.operation}: {_quote(refusal)}", hint="try again in a moment")


def _mfa_failed(refusal: Refusal) -> CredentialsError:
    serial = show(refusal.request.mfa_serial or "") if refusal.request else ""
    if "invalid MFA one time pass code" in refusal.message:
        return TokenCodeRefused(
            f"AWS refused the code of {serial}: it is wrong, or has been used already",
            hint="a code works once: wait for the next one; if it goes on, check that device's clock",
            code=refusal.code,
        )
    if "unable to validate MFA code" not in refusal.message:
        return _quoting(refusal, f"AWS refused {refusal.operation}")
    if isinstance(refusal.request, SessionTokenRequest):  # which answers a wrong code like this, too
        return TokenCodeRefused(
            f"AWS could not validate the code of {serial}", hint=_COMPARE_SERIAL, code=refusal.code
        )
    return _quoting(refusal, f"AWS knows no MFA device {serial} of this user", _COMPARE_SERIAL)


def _signature(refusal: Refusal) -> AwsRefused:
    if "Signature expired" in refusal.message or "not yet current" in refusal.message:
        hint = "set the clock (AWS tolerates 15 minutes), for example by turning on NTP"
        what = f"this machine's clock is {_difference(refusal.clock_offset)} AWS's"
        return _quoting(refusal, what, hint)
    return SourceCredentialsInvalid(
        "AWS refused the signature: the secret access key does not belong to the access key id",
        hint="enter the key again, where your AWS files or credential_process have it",
        code=refusal.code,
    )


def _difference(clock_offset: int | None) -> str:
    if not clock_offset:
        return "far from"
    minutes = round(abs(clock_offset) / 60)
    return f"{minutes} min {'behind' if clock_offset > 0 else 'ahead of'}"


def _invalid_key(refusal: Refusal) -> AwsRefused:
    is_expired = refusal.code == "ExpiredToken"
    what = "session has expired" if is_expired else "access key is not valid (deleted, inactive or mistyped)"
    hint = "put a current key where your AWS files or credential_process have this one"
    return _quoting(refusal, f"AWS says that the {what}", hint, kind=SourceCredentialsInvalid)


def _region_disabled(refusal: Refusal) -> AwsRefused:
    hint = "use another region (--region eu-west-2), or have STS activated for this one"
    return _quoting(refusal, "AWS STS is not activated in this region", hint)


def _duration(refusal: Refusal) -> AwsRefused:
    seconds = refusal.request.duration_seconds if refusal.request else 0
    if "role chaining" in refusal.message:
        hint = "ask for 1h at most: AWS allows no more to a role assumed with a session"
    elif isinstance(refusal.request, SessionTokenRequest):
        hint = "ask for --duration 15m to 36h"
    else:
        hint = "try --duration 1h, or ask for the role's maximum session duration to be raised"
    return _quoting(refusal, f"a session of {duration_text(seconds)} is more than AWS gives", hint)


def _quoting(
    refusal: Refusal, what: str, hint: str | None = None, *, kind: type[AwsRefused] = AwsRefused
) -> AwsRefused:
    """Return an error that says what went wrong, and what AWS says."""
    return kind(f"{what}: {_quote(refusal)}", hint=hint, code=refusal.code)


def _quote(refusal: Refusal) -> str:
    text = mask(refusal.message, (refusal.token_code or "",)).rstrip(".")
    return f"{show(_shortened(text))} ({show(_shortened(refusal.code))})"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"


_BY_CODE: dict[str, Callable[[Refusal], CredentialsError]] = {
    "ExpiredToken": _invalid_key,
    "InvalidClientTokenId": _invalid_key,
    "MalformedPolicyDocument": _malformed_policy,
    "PackedPolicyTooLarge": _packed_policy,
    "RegionDisabledException": _region_disabled,
    "SignatureDoesNotMatch": _signature,
    "UnrecognizedClientException": _invalid_key,
}
