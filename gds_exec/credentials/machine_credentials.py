"""The session that a container or an instance has from AWS.

A door to botocore, whose fetchers ask for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher

from gds_exec.config.sources import ContainerRole, InstanceRole
from gds_exec.credentials.deadline import LONGEST_CALL_SECONDS
from gds_exec.credentials.http_limits import CallLimits, exceeded_limit
from gds_exec.environment import is_true_to_aws
from gds_exec.errors import BrokenProfile, NoAccessKey, SourceFailed
from gds_exec.redaction import show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Environ = Mapping[str, str]

_ATTEMPTS = 3  # where one is known to be there
_SECONDS = 2
_BOTOCORES_PREFACE = "Error retrieving metadata: "
_UNUSABLE = (BotoCoreError, AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError)


def ask_metadata(
    source: ContainerRole | InstanceRole,
    environ: Environ,
    *,
    sleep: Callable[[float], object] = time.sleep,
    longest_call_seconds: float = LONGEST_CALL_SECONDS,
) -> dict[str, Any]:
    """Return the session's parts, named as a `credential_process` names them.

    Raise `SourceFailed`, or `NoAccessKey` where asking was the last hope.
    """
    limits = CallLimits(longest_call_seconds)
    if isinstance(source, ContainerRole):
        return _of_container(source, environ, limits, sleep)
    return _of_instance(source, environ, limits)


def _of_container(
    source: ContainerRole, environ: Environ, limits: CallLimits, sleep: Callable[[float], object]
) -> dict[str, Any]:
    fetcher = ContainerMetadataFetcher(sleep=sleep)
    limits.apply_to(fetcher._session)  # noqa: SLF001
    url = fetcher.full_url(source.where) if source.is_path else source.where
    headers = _authorization(environ)
    try:
        answer = fetcher.retrieve_full_uri(url, headers=headers)
    except _UNUSABLE as error:
        raise SourceFailed(
            f"{show(source.owner)} gives no credentials: {_reason(error)}",
            hint="is its role there, and AWS_CONTAINER_AUTHORIZATION_TOKEN current?",
        ) from error
    return {**answer, "SessionToken": answer.get("Token")} if isinstance(answer, dict) else {}


def _authorization(environ: Environ) -> dict[str, str]:
    token = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if path := environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        try:
            with open(path, encoding="utf-8") as file:
                token = file.read().strip()
        except (OSError, ValueError) as error:
            message = f"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE {show(path)} cannot be read: {_reason(error)}"
            raise SourceFailed(message) from error
    return {"Authorization": token} if token else {}


def _of_instance(source: InstanceRole, environ: Environ, limits: CallLimits) -> dict[str, Any]:
    try:
        answer = _instance_fetcher(source, environ, limits).retrieve_iam_role_credentials()
    except _UNUSABLE as error:
        raise SourceFailed(f"the instance's metadata cannot be read: {_reason(error)}") from error
    if not answer and source.otherwise is not None:
        raise NoAccessKey(source.otherwise, hint=source.otherwise_hint)
    if not answer:
        raise SourceFailed(
            "the instance has no role, or its metadata cannot be reached",
            hint="attach an instance profile; in a container, allow the metadata a hop more",
        )
    names = {
        "AccessKeyId": "access_key",
        "SecretAccessKey": "secret_key",
        "SessionToken": "token",
        "Expiration": "expiry_time",
    }
    return {name: answer[of_botocore] for name, of_botocore in names.items()}


def _instance_fetcher(source: InstanceRole, environ: Environ, limits: CallLimits) -> InstanceMetadataFetcher:
    is_last_hope = source.otherwise is not None
    mode = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "").lower()
    timeout = _number(environ, "AWS_METADATA_SERVICE_TIMEOUT", 1 if is_last_hope else _SECONDS)
    fetcher = InstanceMetadataFetcher(
        timeout=timeout,
        num_attempts=_number(environ, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", 1 if is_last_hope else _ATTEMPTS),
        env=dict(environ),
        config={
            "ec2_metadata_service_endpoint": source.endpoint_url,
            "ec2_metadata_service_endpoint_mode": mode,
            "ec2_metadata_v1_disabled": is_true_to_aws(environ.get("AWS_EC2_METADATA_V1_DISABLED", "")),
        },
    )
    # Without TLS a proxy would read the keys, or answer with those of its own machine; botocore asks it.
    fetcher._session = URLLib3Session(timeout=timeout, proxies={})  # noqa: SLF001
    limits.apply_to(fetcher._session)  # noqa: SLF001
    return fetcher


def _number(environ: Environ, variable: str, otherwise: int) -> int:
    said = environ.get(variable)
    if not said:
        return otherwise
    if not (said.isascii() and said.isdigit() and int(said) > 0):
        raise BrokenProfile(f"{variable} '{show(said)}' is no whole number above 0")
    return int(said)


def _reason(error: Exception) -> str:
    if (exceeded := exceeded_limit(error)) is not None:
        return f"it {exceeded}"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    # botocore quotes the whole answer, which may hold anything.
    said = str(error).removeprefix(_BOTOCORES_PREFACE).partition(":")[0]
    return show(said[:120]) or type(error).__name__
