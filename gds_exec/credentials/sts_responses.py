"""What STS and IAM answer, made ours: a session, or the error that says what went wrong."""

from __future__ import annotations

import os
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  # botocore's, which is no OSError
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidRegionError,
    NoRegionError,
    ProxyConnectionError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from gds_exec.credentials.aws_errors import Refusal, explain
from gds_exec.credentials.http_limits import exceeded_limit
from gds_exec.credentials.network import (
    NOT_CONNECTED_HINT,
    PORTAL_HINT,
    PROXY_HINT,
    UNTRUSTED_HINT,
    refused_by_proxy,
    unusable_proxy,
    without_password,
)
from gds_exec.credentials.request import SessionTokenRequest, is_answer_for
from gds_exec.errors import AnswerLost, AwsRefused, AwsUnreachable, BrokenProfile, InvalidResponse
from gds_exec.lean import Value
from gds_exec.redaction import is_plain, show
from gds_exec.session import (
    CLOCK_SLACK_SECONDS,
    LONGEST_LIFE_SECONDS,
    AccessKey,
    SessionCredentials,
    epoch_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, TypeGuard

    from gds_exec.credentials.network import Connection
    from gds_exec.credentials.request import Request

CONNECT_SECONDS = 5
_ORDINARY_OFFSET_SECONDS = 2  # the Date header has whole seconds, and the way back takes time
_NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError, SSLError)
_STRANGE = (
    BotoCoreError,
    ResponseParserError,
    KeyError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    OSError,
)
_PASSING = (ClientError, ConnectionError, HTTPClientError)
_INVALID_HINT = "check AWS_ENDPOINT_URL, and any proxy between this machine and AWS"
_CLOCK_HINT = "check the clocks of this machine and of the endpoint"


class Call(Value):
    """A call, as far as its answer is understood by it."""

    _unshown = ("token_code",)

    operation: str
    connection: Connection
    now: Callable[[], float]
    request: Request | None = None
    token_code: str | None = None

    @property
    def host(self) -> str:
        """Who answers, as a person is told."""
        endpoint = urlsplit(self.connection.sts_endpoint_url or "").netloc
        return without_password(endpoint) or f"AWS STS ({self.connection.region})"


def session_of(answer: Mapping[str, Any], request: Request, call: Call) -> SessionCredentials:
    """Return the session in AWS's answer to a request.

    Raise `InvalidResponse` if the session is invalid, and `AwsRefused` if it is for another role.
    """
    session = _as_session(answer, call)
    if not (isinstance(request, SessionTokenRequest) or is_plain(session.arn)):
        raise _invalid(call, "the Arn of the role's session is missing or malformed")
    if not is_answer_for(session.arn, request):
        raise AwsRefused(f"the answer of {call.host} is for another role: {show(session.arn)}")
    return session


def arn_in(answer: Mapping[str, Any], call: Call) -> str:
    """Return the ARN in an answer to GetCallerIdentity. Raise `InvalidResponse` if it is malformed."""
    arn = answer["Arn"]
    if not (_is_plain_text(arn) and arn.startswith("arn:")):
        raise _invalid(call, "the Arn is malformed")
    return arn


def serials_in(answer: Mapping[str, Any]) -> list[str]:
    """Return the usable serials in an answer to ListMFADevices."""
    serials = (device["SerialNumber"] for device in answer["MFADevices"])
    return [serial for serial in serials if _is_plain_text(serial)]


@contextmanager
def errors_as_ours(call: Call) -> Iterator[None]:
    """Make every failure of a call one of ours; what it may hold of a token code is left behind."""
    try:
        yield
    except ClientError as error:
        raise explain(_as_refusal(error, call)) from None if call.token_code else error
    except (InvalidRegionError, NoRegionError) as error:
        raise BrokenProfile(f"{show(call.connection.region)!r} is no AWS region") from error
    except _NEVER_SENT as error:
        raise AwsUnreachable(
            f"{call.host} cannot be reached: {_reason(error)}", hint=_network_hint(error)
        ) from error
    except _STRANGE as error:
        # A captive portal's page is a bare KeyError, a garbled answer a ResponseParserError.
        kind = AnswerLost if call.token_code else AwsUnreachable
        exceeded = exceeded_limit(error)
        what = exceeded or f"gave no answer that AWS would give: {_reason(error)}"
        raise kind(f"{call.host} {what}", hint=_answer_hint(error)) from None if call.token_code else error


def is_passing(error: AwsUnreachable) -> bool:
    """Say whether another try may fare better: AWS is busy, or the network failed; not a sign-in page."""
    cause = error.__cause__
    return isinstance(cause, _PASSING) and exceeded_limit(cause) is None


def _as_session(answer: Mapping[str, Any], call: Call) -> SessionCredentials:
    found = answer["Credentials"]
    key_id, secret, token = (found.get(name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    if not _is_access_key_id(key_id):
        raise _invalid(call, "the AccessKeyId is missing or malformed")
    if not _is_plain_text(secret):
        raise _invalid(call, "the SecretAccessKey is missing or malformed")
    if not _is_plain_text(token):
        raise _invalid(call, "the SessionToken is missing or malformed")
    now = call.now()
    offset = _clock_offset(answer, now) or 0
    issued = int(now) + offset
    return SessionCredentials(
        AccessKey(key_id, secret, token),
        issued=issued,
        expiration=_expiration(found.get("Expiration"), issued, call),
        arn=str(answer.get("AssumedRoleUser", {}).get("Arn", "")),
        clock_offset=offset,
    )


def _is_access_key_id(value: object) -> TypeGuard[str]:
    """Say whether it is an access key id (STS API, `Credentials`: 16 to 128 letters, digits and _)."""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.replace("_", "a").isalnum()
        and 16 <= len(value) <= 128
    )


def _is_plain_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and is_plain(value)


def _expiration(value: object, issued: int, call: Call) -> int:
    try:
        expiration = epoch_of(str(value))
    except ValueError:
        raise _invalid(call, "the Expiration is missing or malformed") from None
    if expiration <= issued:
        raise _invalid(call, "the Expiration is in the past", hint=_CLOCK_HINT)
    if expiration - issued > LONGEST_LIFE_SECONDS + CLOCK_SLACK_SECONDS:
        hours = LONGEST_LIFE_SECONDS // 3600
        raise _invalid(call, f"the Expiration is more than {hours} h away, AWS's limit", hint=_CLOCK_HINT)
    return expiration


def _invalid(call: Call, reason: str, *, hint: str | None = None) -> InvalidResponse:
    return InvalidResponse(f"{call.host} gave an invalid response: {reason}", hint=hint or _INVALID_HINT)


def _clock_offset(answer: Mapping[str, Any], now: float) -> int | None:
    """Return the seconds by which AWS's clock is ahead of ours, as its Date header tells."""
    try:
        date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, OverflowError, TypeError, ValueError):
        return None
    offset = round(date.timestamp() - now)
    return offset if abs(offset) > _ORDINARY_OFFSET_SECONDS else 0


def _as_refusal(error: ClientError, call: Call) -> Refusal:
    found = error.response.get("Error", {})
    return Refusal(
        operation=call.operation,
        code=str(found.get("Code", "")),
        message=str(found.get("Message", "")),
        http_status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)),
        request=call.request,
        token_code=call.token_code,
        clock_offset=_clock_offset(error.response, call.now()),
    )


def _reason(error: Exception) -> str:
    """Return why, without what a URL in botocore's message may hold (a proxy's password, for one)."""
    if isinstance(error, ProxyConnectionError):
        return refused_by_proxy(os.environ)
    if isinstance(error, EndpointConnectionError):
        return "there is no connection (a wrong region, DNS, or no network)"
    if isinstance(error, ConnectTimeoutError):
        return "connecting took too long"
    if isinstance(error, SSLError):
        return "its certificate is not trusted"
    if isinstance(error, OSError) and error.strerror:  # of this machine's own: too many open files
        return error.strerror
    return type(error).__name__


def _network_hint(error: Exception) -> str:
    if isinstance(error, ProxyConnectionError):
        return PROXY_HINT
    if isinstance(error, SSLError):
        return UNTRUSTED_HINT
    return f"{NOT_CONNECTED_HINT} is the region right (--region)?"


def _answer_hint(error: Exception) -> str:
    unusable = unusable_proxy(os.environ) if isinstance(error, HTTPClientError) else None
    if unusable is not None:
        return f"{unusable} names no proxy: in its password, / is written %2F, [ %5B and ] %5D"
    return PORTAL_HINT
