"""The one door to botocore: STS and IAM, with every way in which they fail made ours.

No AWS file is read here and no variable that names a profile: keys, region and endpoint come
with the call, so that what is cached is what was asked for.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
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
from gds_exec.credentials.request import (
    AssumeRoleRequest,
    Request,
    SessionTokenRequest,
    is_answer_for,
)
from gds_exec.credentials.session import AccessKey, SessionCredentials
from gds_exec.errors import (
    AnswerLost,
    AwsRefused,
    AwsUnreachable,
    BrokenProfile,
    CredentialsError,
)
from gds_exec.redaction import show

_CONNECT_SECONDS = 5
_READ_SECONDS = 10
_TRIES = 3
_ORDINARY_OFFSET_SECONDS = 2  # the Date header has whole seconds, and the way back takes time
_NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError, SSLError)


class StsApi(Protocol):
    """What is wanted of AWS, as the provider sees it."""

    def make_session(
        self, request: Request, key: AccessKey, *, session_name: str, token_code: str | None = None
    ) -> SessionCredentials:
        """Make the session; a call with a token code is sent once and never again."""

    def caller_arn(self, key: AccessKey) -> str:
        """Return the ARN that these keys act as; it needs no permission and no code."""

    def totp_device(self, key: AccessKey) -> str | None:
        """Return the serial of the first MFA device of this user that STS can use, if it may be known."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the calls go: a region, and what overrides AWS's own endpoints and certificates."""

    region: str
    sts_endpoint_url: str | None = None
    iam_endpoint_url: str | None = None
    ca_bundle: str | None = None


class Aws:
    """STS and IAM as botocore speaks to them."""

    def __init__(self, connection: Connection, *, now: Callable[[], float] = time.time) -> None:
        self._connection = connection
        self._now = now

    @cached_property
    def _session(self) -> Any:  # not where the cache has it all
        return _session_without_files()

    def make_session(
        self, request: Request, key: AccessKey, *, session_name: str, token_code: str | None = None
    ) -> SessionCredentials:
        """Make the session; a call with a token code is sent once and never again."""
        operation = "GetSessionToken" if isinstance(request, SessionTokenRequest) else "AssumeRole"
        sts = self._client("sts", key, tries=1 if token_code else _TRIES)
        with self._errors_as_ours(operation, request, token_code):
            answer = _call(sts, request, session_name, token_code)
            session = self._as_session(answer)
        if not is_answer_for(session.arn, request):
            raise AwsRefused(f"the answer of {self._host()} is for another role: {show(session.arn)}")
        if session.life_seconds() <= 0:
            raise AwsRefused(f"{self._host()} gave a session that had already expired")
        return session

    def caller_arn(self, key: AccessKey) -> str:
        """Return the ARN that these keys act as; it needs no permission and no code."""
        sts = self._client("sts", key)
        with self._errors_as_ours("GetCallerIdentity"):
            return str(sts.get_caller_identity()["Arn"])

    def totp_device(self, key: AccessKey) -> str | None:
        """Return the serial of the first MFA device of this user that STS can use, if it may be known."""
        iam = self._client("iam", key, tries=1)
        try:
            with self._errors_as_ours("ListMFADevices"):
                serials = [str(device["SerialNumber"]) for device in iam.list_mfa_devices()["MFADevices"]]
        except CredentialsError:
            return None  # only a help: the user may not be allowed to list their own devices
        # FIDO devices are listed too (`:u2f/`), but STS takes codes alone.
        return next((serial for serial in sorted(serials) if ":u2f/" not in serial), None)

    def _client(self, service: str, key: AccessKey, *, tries: int = _TRIES) -> Any:
        url = self._connection.sts_endpoint_url if service == "sts" else self._connection.iam_endpoint_url
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": tries, "mode": "standard"},
            # Only this machine is asked without TLS: a proxy elsewhere would read the code.
            proxies={} if urlsplit(url or "").scheme == "http" else None,
            parameter_validation=False,
        )
        with self._errors_as_ours(service.upper()):
            return self._session.create_client(
                service,
                region_name=self._connection.region,
                endpoint_url=url,
                verify=self._connection.ca_bundle,
                aws_access_key_id=key.access_key_id,
                aws_secret_access_key=key.secret_access_key,
                aws_session_token=key.session_token,
                config=config,
            )

    def _as_session(self, answer: Mapping[str, Any]) -> SessionCredentials:
        found = answer["Credentials"]
        key = AccessKey(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
        offset = self._clock_offset(answer) or 0
        return SessionCredentials(
            key,
            issued=int(self._now()) + offset,
            expiration=_epoch(found["Expiration"]),
            arn=str(answer.get("AssumedRoleUser", {}).get("Arn", "")),
            clock_offset=offset,
        )

    def _clock_offset(self, answer: Mapping[str, Any]) -> int | None:
        """Return the seconds by which AWS's clock is ahead of ours, as its Date header tells."""
        try:
            date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        except (KeyError, TypeError, ValueError):
            return None
        offset = round(date.timestamp() - self._now())
        return offset if abs(offset) > _ORDINARY_OFFSET_SECONDS else 0

    def _host(self) -> str:
        endpoint = urlsplit(self._connection.sts_endpoint_url or "").netloc
        return without_password(endpoint) or f"AWS STS ({self._connection.region})"

    @contextmanager
    def _errors_as_ours(
        self, operation: str, request: Request | None = None, token_code: str | None = None
    ) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            refusal = self._as_refusal(error, operation, request, token_code)
            raise explain(refusal) from None if token_code else error
        except (InvalidRegionError, NoRegionError) as error:
            raise BrokenProfile(f"{show(self._connection.region)!r} is no AWS region") from error
        except _NEVER_SENT as error:
            raise AwsUnreachable(
                f"{self._host()} cannot be reached: {_reason(error)}", hint=_network_hint(error)
            ) from error
        except (BotoCoreError, ResponseParserError, KeyError, TypeError, ValueError, OSError) as error:
            # A captive portal's page is a bare KeyError, a garbled answer a ResponseParserError.
            kind = AnswerLost if token_code else AwsUnreachable
            raise kind(
                f"{self._host()} gave no answer that AWS would give: {_reason(error)}",
                hint=_answer_hint(error),
            ) from None if token_code else error

    def _as_refusal(
        self, error: ClientError, operation: str, request: Request | None, token_code: str | None
    ) -> Refusal:
        found = error.response.get("Error", {})
        return Refusal(
            operation=operation,
            code=str(found.get("Code", "")),
            message=str(found.get("Message", "")),
            http_status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)),
            request=request,
            token_code=token_code,
            clock_offset=self._clock_offset(error.response),
        )


def _session_without_files() -> Any:
    nothing = (None, None, None, None)
    empty_file = (None, None, os.devnull, None)
    variables = {
        "profile": nothing,
        "config_file": empty_file,
        "credentials_file": empty_file,
        # Resolved by us, checked, and part of the cache key: botocore must find no other one.
        "ignore_configured_endpoint_urls": (None, None, True, None),
    }
    return botocore.session.Session(session_vars=variables)


def _call(sts: Any, request: Request, session_name: str, token_code: str | None) -> Mapping[str, Any]:
    parameters: dict[str, Any] = {"DurationSeconds": request.duration_seconds}
    if token_code is not None:
        parameters |= {"SerialNumber": request.mfa_serial, "TokenCode": token_code}
    answer: Mapping[str, Any]
    if isinstance(request, AssumeRoleRequest):
        parameters |= {"RoleArn": request.role_arn, "RoleSessionName": session_name}
        if request.external_id is not None:
            parameters["ExternalId"] = request.external_id
        answer = sts.assume_role(**parameters)
    else:
        answer = sts.get_session_token(**parameters)
    return answer


def _epoch(expiration: datetime) -> int:
    if expiration.tzinfo is None:
        expiration = expiration.replace(tzinfo=UTC)
    return int(expiration.timestamp())


def _reason(error: Exception) -> str:
    """Return why, without what a URL in botocore's message may hold (a proxy's password, for one)."""
    if isinstance(error, ProxyConnectionError):
        return f"the proxy {proxy_host(os.environ)} does not let us through"
    if isinstance(error, EndpointConnectionError):
        return "there is no connection (a wrong region, DNS, or no network)"
    if isinstance(error, ConnectTimeoutError):
        return f"no connection within {_CONNECT_SECONDS} s"
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
