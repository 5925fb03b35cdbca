"""STS: AssumeRoleWithWebIdentity, which nobody signs: a token of an identity provider's says who asks."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gds_exec.sandbox.principals import Caller
from gds_exec.sandbox.refusals import AwsError, access_denied, validation_error
from gds_exec.sandbox.session_policies import SessionScope, read_scope
from gds_exec.sandbox.sts import ROLE_PARAMETERS, open_role_session
from gds_exec.sandbox.validation import Text, validate
from gds_exec.sandbox.wire import Element, Request, Response, result_response

from .endpoint import Endpoint
from .json_web_tokens import KEY_ID, Jwt, read_jwt
from .sandbox import Aws, Role
from .workloads import OidcProvider

_ACTION = "AssumeRoleWithWebIdentity"
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_PARAMETERS = (
    *ROLE_PARAMETERS,
    Text("WebIdentityToken", 4, 20000, is_required=True),
    Text("ProviderId", 4, 2048),
)
_REQUIRED_CLAIMS = ("iss", "sub", "aud", "exp", "iat")
_TAGS_CLAIM = "https://aws.amazon.com/tags"
_SOURCE_IDENTITY_CLAIM = "https://aws.amazon.com/source_identity"
_SKEW_SECONDS = 5 * 60


@dataclass(frozen=True, slots=True)
class _Identity:
    """Whom a token that was checked speaks of."""

    provider: OidcProvider
    subject: str
    audience: str


def _respond(aws: Aws, request: Request) -> Response:
    return result_response(_ACTION, _assume_role(aws, request.parameters), namespace=_NAMESPACE)


ENDPOINT = Endpoint(
    is_for=lambda request: request.method == "POST" and request.action == _ACTION,
    action=lambda _request: _ACTION,
    respond=_respond,
)


def _assume_role(aws: Aws, parameters: Mapping[str, str]) -> Element:
    validate(parameters, _PARAMETERS)
    if "ProviderId" in parameters:
        raise _provider_id_not_wanted()
    jwt = _readable(parameters["WebIdentityToken"])
    identity = _identity(aws, jwt, account=_account_in(parameters["RoleArn"]))
    _check_times(jwt.claims, now=aws.now())
    role = _trusting_role(aws, identity, parameters["RoleArn"])
    caller = Caller(identity.provider.arn, identity.provider.account, identity.subject)
    return {
        **open_role_session(aws, role, caller, _scope(parameters, jwt.claims), parameters),
        "SubjectFromWebIdentityToken": identity.subject,
        "Audience": identity.audience,
        "Provider": identity.provider.arn,
    }


def _readable(token: str) -> Jwt:
    try:
        jwt = read_jwt(token)
    except ValueError as error:
        raise _no_jwt() from error
    for name in _REQUIRED_CLAIMS:
        if not jwt.claims.get(name):
            raise _invalid_identity_token(f"Missing a required claim: {name}")
    return jwt


def _account_in(role_arn: str) -> str:
    parts = role_arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise _invalid_role_arn()
    return parts[4]


def _identity(aws: Aws, jwt: Jwt, *, account: str) -> _Identity:
    issuer, subject = str(jwt.claims["iss"]), str(jwt.claims["sub"])
    provider = aws.oidc_provider(issuer, account=account)
    if provider is None:
        raise _no_oidc_provider(issuer)
    audience = next((name for name in _audiences(jwt.claims) if name in provider.audiences), None)
    if audience is None:
        raise _invalid_identity_token("Incorrect token audience")
    if not provider.has_reachable_keys or jwt.key_id != KEY_ID:
        raise _no_verification_key()
    if not jwt.has_valid_signature():
        raise _wrong_token_signature()
    return _Identity(provider, subject, audience)


def _audiences(claims: Mapping[str, Any]) -> list[str]:
    # Where there is an authorized party AWS takes it in the place of the audience.
    named = claims.get("azp") or claims["aud"]
    return [str(name) for name in named] if isinstance(named, list) else [str(named)]


def _check_times(claims: Mapping[str, Any], *, now: float) -> None:
    expiration = _moment(claims["exp"])
    if expiration <= now:
        raise _web_identity_expired(expiration, now=now)
    for name in ("iat", "nbf"):
        if _moment(claims.get(name, 0)) > now + _SKEW_SECONDS:
            raise _token_not_yet_valid()


def _moment(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _no_jwt()
    return value


def _trusting_role(aws: Aws, identity: _Identity, arn: str) -> Role:
    role = aws.roles.get(arn)
    if role is None or not role.trusts_token(
        provider=identity.provider.url, subject=identity.subject, audience=identity.audience
    ):
        raise _web_identity_not_authorized()
    return role


def _scope(parameters: Mapping[str, str], claims: Mapping[str, Any]) -> SessionScope:
    """Return the policies that were asked for and the marks in the token: here those are no parameters."""
    policies = {
        name: value
        for name, value in parameters.items()
        if name.partition(".")[0] in ("Policy", "PolicyArns")
    }
    try:
        marks = dict(_marks(claims))
    except (AttributeError, TypeError, ValueError) as error:
        raise _no_jwt() from error
    return read_scope({**policies, **marks})


def _marks(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the marks of a token as AssumeRole has them among its parameters.

    AWS's user guide, "Passing session tags using AssumeRoleWithWebIdentity", has their form.
    """
    tags = claims.get(_TAGS_CLAIM, {})
    for number, (key, values) in enumerate(tags.get("principal_tags", {}).items(), 1):
        (value,) = values
        yield f"Tags.member.{number}.Key", key
        yield f"Tags.member.{number}.Value", _text(value)
    for number, key in enumerate(tags.get("transitive_tag_keys", ()), 1):
        yield f"TransitiveTagKeys.member.{number}", _text(key)
    if _SOURCE_IDENTITY_CLAIM in claims:
        yield "SourceIdentity", _text(claims[_SOURCE_IDENTITY_CLAIM])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _web_identity_not_authorized() -> AwsError:
    return access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")


def _provider_id_not_wanted() -> AwsError:
    return access_denied(
        "Unrecognized OAuth provider. "
        "Do not include a provider parameter when submitting OpenIDConnect ID tokens"
    )


def _invalid_role_arn() -> AwsError:
    return validation_error("Request ARN is invalid")


def _no_jwt() -> AwsError:
    return _invalid_identity_token(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
    )


def _no_oidc_provider(issuer: str) -> AwsError:
    return _invalid_identity_token(f"No OpenIDConnect provider found in your account for {issuer}")


def _no_verification_key() -> AwsError:
    return _invalid_identity_token(
        "Couldn't retrieve verification key from your identity provider,  "
        "please reference AssumeRoleWithWebIdentity documentation for requirements"
    )


# AWS's own words for these two are not known.
def _wrong_token_signature() -> AwsError:
    return _invalid_identity_token("Token signature is invalid")


def _token_not_yet_valid() -> AwsError:
    return _invalid_identity_token("Token is not yet valid")


def _invalid_identity_token(message: str) -> AwsError:
    return AwsError(400, "InvalidIdentityToken", message)


def _web_identity_expired(expiration: float, *, now: float) -> AwsError:
    moments = f"current date/time {int(now)} must be before the expiration date/time {int(expiration)}"
    return AwsError(400, "ExpiredTokenException", f"Token expired: {moments}")
