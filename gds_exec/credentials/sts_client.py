"""The one door to botocore: STS and IAM.

No AWS file is read here and no variable that names a profile: keys, region and endpoint come
with the call, so that what is cached is what was asked for. One client, and so one connection,
serves the calls of all keys; they are made by one thread at a time.
"""

from __future__ import annotations

import os
import random
import time
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config

from gds_exec.credentials.botocore_speedups import rehearse, use_lean_data
from gds_exec.credentials.deadline import LONGEST_CALL_SECONDS
from gds_exec.credentials.http_limits import CallLimits
from gds_exec.credentials.request import (
    AssumeRoleRequest,
    IdentityToken,
    SessionTokenRequest,
    WebIdentityRequest,
)
from gds_exec.credentials.retry import patiently
from gds_exec.credentials.session_scope import Scope
from gds_exec.credentials.sts_responses import (
    CONNECT_SECONDS,
    Call,
    arn_in,
    errors_as_ours,
    is_passing,
    serials_in,
    session_of,
)
from gds_exec.errors import AwsUnreachable, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gds_exec.credentials.network import Connection
    from gds_exec.credentials.request import Caller, Request
    from gds_exec.session import AccessKey, SessionCredentials

_Answer = TypeVar("_Answer")

_OPERATIONS = {
    SessionTokenRequest: ("GetSessionToken", "get_session_token"),
    AssumeRoleRequest: ("AssumeRole", "assume_role"),
    WebIdentityRequest: ("AssumeRoleWithWebIdentity", "assume_role_with_web_identity"),
}
_READ_SECONDS = 10
_LONGEST_WAITS_SECONDS = (1, 2)
_TRUSTED_IDLE_SECONDS = 30


class StsApi(Protocol):
    """What is wanted of AWS, as the provider sees it."""

    def make_session(
        self, request: Request, caller: Caller, *, session_name: str, token_code: str | None = None
    ) -> SessionCredentials:
        """Make the session; a call with a token code is sent once and never again."""

    def caller_arn(self, key: AccessKey) -> str:
        """Return the ARN that these keys act as; it needs no permission and no code."""

    def totp_device(self, key: AccessKey) -> str | None:
        """Return the serial of the first MFA device of this user that STS can use, if it may be known."""

    def rehearse(self) -> None:
        """Make the calls for sessions once without sending them, so that the first real ones are quick."""


class Aws:
    """STS and IAM as botocore speaks to them; nothing is loaded before the first call."""

    def __init__(
        self,
        connection: Connection,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        fraction: Callable[[], float] = random.random,
        longest_call_seconds: float = LONGEST_CALL_SECONDS,
    ) -> None:
        self._connection = connection
        self._now = now
        self._sleep = sleep
        self._fraction = fraction
        self._limits = CallLimits(longest_call_seconds)
        self._last_call = 0.0

    def make_session(
        self, request: Request, caller: Caller, *, session_name: str, token_code: str | None = None
    ) -> SessionCredentials:
        """Make the session; a call with a token code is sent once and never again."""
        operation, method = _OPERATIONS[type(request)]
        call = self._call(operation, request, token_code)
        send = getattr(self._sts_of(caller), method)
        parameters = _parameters(request, session_name)
        if isinstance(caller, IdentityToken):
            parameters["WebIdentityToken"] = caller.text
        if token_code is not None:
            parameters |= {"SerialNumber": request.mfa_serial, "TokenCode": token_code}

        def make() -> SessionCredentials:
            with errors_as_ours(call):
                return session_of(send(**parameters), request, call)

        return self._once(make) if token_code else self._patiently(make)

    def caller_arn(self, key: AccessKey) -> str:
        """Return the ARN that these keys act as; it needs no permission and no code."""
        sts = self._sts_of(key)

        def ask() -> str:
            call = self._call("GetCallerIdentity")
            with errors_as_ours(call):
                return arn_in(sts.get_caller_identity(), call)

        return self._patiently(ask)

    def totp_device(self, key: AccessKey) -> str | None:
        """Return the serial of the first MFA device of this user that STS can use, if it may be known."""
        iam = self._iam_of(key)

        def ask() -> list[str]:
            with errors_as_ours(self._call("ListMFADevices")):
                return serials_in(iam.list_mfa_devices())

        try:
            serials = self._once(ask)
        except CredentialsError:
            return None  # only a help: the user may not be allowed to list their own devices
        # FIDO devices are listed too (`:u2f/`), but STS takes codes alone.
        return next((serial for serial in sorted(serials) if ":u2f/" not in serial), None)

    def rehearse(self) -> None:
        """Make the calls for sessions once without sending them, so that the first real ones are quick."""
        rehearse(self._sts)

    def _call(self, operation: str, request: Request | None = None, token_code: str | None = None) -> Call:
        return Call(operation, self._connection, self._now, request, token_code)

    def _once(self, ask: Callable[[], _Answer]) -> _Answer:
        self._limits.begin()
        return ask()

    def _patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask three times at most, a little later each time; never with a code."""
        self._limits.begin()
        return patiently(
            ask,
            longest_waits_seconds=_LONGEST_WAITS_SECONDS,
            is_passing=self._may_pass,
            sleep=self._sleep,
            fraction=self._fraction,
        )

    def _may_pass(self, error: Exception) -> bool:
        has_time = self._limits.have_time_for(_LONGEST_WAITS_SECONDS[-1])
        return has_time and isinstance(error, AwsUnreachable) and is_passing(error)

    def _sts_of(self, caller: Caller) -> Any:
        """Return STS for this caller; botocore does not sign a call that carries a token."""
        if not isinstance(caller, IdentityToken):
            self._sign_with(caller)
        now = self._now()
        if not 0 <= now - self._last_call <= _TRUSTED_IDLE_SECONDS:
            # A network forgets connections, as a sleeping machine does, and a code is not sent twice.
            self._sts.close()
        self._last_call = now
        return self._sts

    def _iam_of(self, key: AccessKey) -> Any:
        self._sign_with(key)
        return self._iam

    def _sign_with(self, key: AccessKey) -> None:
        credentials = self._session.get_credentials()
        credentials.access_key = key.access_key_id
        credentials.secret_key = key.secret_access_key
        credentials.token = key.session_token

    @cached_property
    def _session(self) -> Any:
        with errors_as_ours(self._call("STS")):
            session = _session_without_files()
            session.set_credentials("", "")  # whose they are is told before each call
            use_lean_data(session, region=self._connection.region)
            # Keep times as text: botocore's parser also accepts numbers, and fails in many ways.
            session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
            return session

    @cached_property
    def _sts(self) -> Any:
        return self._client("sts", self._connection.sts_endpoint_url)

    @cached_property
    def _iam(self) -> Any:
        return self._client("iam", self._connection.iam_endpoint_url)

    def _client(self, service: str, url: str | None) -> Any:
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": 1, "mode": "standard"},
            # Only this machine is asked without TLS: a proxy elsewhere would read the code.
            proxies={} if urlsplit(url or "").scheme == "http" else None,
            parameter_validation=False,
        )
        with errors_as_ours(self._call(service.upper())):
            client = self._session.create_client(
                service,
                region_name=self._connection.region,
                endpoint_url=url,
                verify=self._connection.ca_bundle,
                config=config,
            )
        self._limits.apply_to(client._endpoint.http_session)  # noqa: SLF001  # create_client takes none
        return client


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


def _parameters(request: Request, session_name: str) -> dict[str, Any]:
    if isinstance(request, SessionTokenRequest):
        return {"DurationSeconds": request.duration_seconds}
    scope = request.scope or Scope()
    parameters = {
        "RoleArn": request.role_arn,
        "RoleSessionName": session_name,
        "DurationSeconds": request.duration_seconds,
        "ExternalId": request.external_id,
        "Policy": scope.policy,
        "PolicyArns": [{"arn": arn} for arn in scope.policy_arns],
        "Tags": [{"Key": key, "Value": value} for key, value in scope.tags],
        "TransitiveTagKeys": list(scope.transitive_tags),
        "SourceIdentity": scope.source_identity,
    }
    return {name: value for name, value in parameters.items() if value}
