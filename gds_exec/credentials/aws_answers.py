"""What STS and IAM answer, made ours: a session, or the error that says what went wrong."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
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

from gds_exec.credentials.network import proxy_host, unusable_proxy, without_password
from gds_exec.credentials.refusals import Refusal, explain
from gds_exec.credentials.request import is_answer_for
from gds_exec.errors import AnswerLost, AwsRefused, AwsUnreachable, BrokenProfile
from gds_exec.redaction import show
from gds_exec.session import AccessKey, SessionCredentials
from gds_exec.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from gds_exec.credentials.network import Connection
    from gds_exec.credentials.request import Request

CONNECT_SECONDS = 5
_ORDINARY_OFFSET_SECONDS = 2  # the Date header has whole seconds, and the way back takes time
_NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError, SSLError)
_PASSING = (ClientError, ConnectionError, HTTPClientError)


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
    """Return the session that AWS answers a request with; raise `AwsRefused` if it is not what was asked."""
    session = _as_session(answer, call.now())
    if not is_answer_for(session.arn, request):
        raise AwsRefused(f"the answer of {call.host} is for another role: {show(session.arn)}")
    if session.life_seconds() <= 0:
        raise AwsRefused(f"{call.host} gave a session that had already expired")
    return session


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
    except (BotoCoreError, ResponseParserError, KeyError, TypeError, ValueError, OSError) as error:
        # A captive portal's page is a bare KeyError, a garbled answer a ResponseParserError.
        kind = AnswerLost if call.token_code else AwsUnreachable
        raise kind(
            f"{call.host} gave no answer that AWS would give: {_reason(error)}", hint=_answer_hint(error)
        ) from None if call.token_code else error


def is_passing(error: AwsUnreachable) -> bool:
    """Say whether another try may fare better: AWS is busy, or the network failed; not a sign-in page."""
    return isinstance(error.__cause__, _PASSING)


def _as_session(answer: Mapping[str, Any], now: float) -> SessionCredentials:
    found = answer["Credentials"]
    key = AccessKey(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    offset = _clock_offset(answer, now) or 0
    return SessionCredentials(
        key,
        issued=int(now) + offset,
        expiration=_epoch(found["Expiration"]),
        arn=str(answer.get("AssumedRoleUser", {}).get("Arn", "")),
        clock_offset=offset,
    )


def _epoch(expiration: datetime) -> int:
    if expiration.tzinfo is None:
        expiration = expiration.replace(tzinfo=UTC)
    return int(expiration.timestamp())


def _clock_offset(answer: Mapping[str, Any], now: float) -> int | None:
    """Return the seconds by which AWS's clock is ahead of ours, as its Date header tells."""
    try:
        date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, TypeError, ValueError):
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
        return f"the proxy {proxy_host(os.environ)} does not let us through"
    if isinstance(error, EndpointConnectionError):
        return "there is no connection (a wrong region, DNS, or no network)"
    if isinstance(error, ConnectTimeoutError):
        return f"no connection within {CONNECT_SECONDS} s"
    if isinstance(error, SSLError):
        return "its certificate is not trusted"
    if isinstance(error, OSError) and error.strerror:  # of this machine's own: too many open files
        return error.strerror
    return type(error).__name__


def _network_hint(error: Exception) -> str:
    if isinstance(error, ProxyConnectionError):
        return "correct HTTPS_PROXY, or name the host in NO_PROXY"
    if isinstance(error, SSLError):
        return "if your network has a certificate of its own, name its file in AWS_CA_BUNDLE"
    return "are you connected? is a proxy needed (HTTPS_PROXY)? is the region right (--region)?"


def _answer_hint(error: Exception) -> str:
    unusable = unusable_proxy(os.environ) if isinstance(error, HTTPClientError) else None
    if unusable is not None:
        return f"{unusable} names no proxy: in its password, / is written %2F, [ %5B and ] %5D"
    return "is there a proxy or a sign-in page between this machine and AWS?"
