"""The session that a container or an instance has from AWS.

A door to botocore, whose fetchers ask for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher

from gds_exec.config.sources import ContainerRole, InstanceRole
from gds_exec.errors import NoAccessKey, SourceFailed
from gds_exec.redaction import show

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Environ = Mapping[str, str]

_ATTEMPTS = 3  # where one is known to be there
_SECONDS = 2


def ask_metadata(source: ContainerRole | InstanceRole, environ: Environ) -> dict[str, Any]:
    """Return the session's parts, named as a `credential_process` names them.

    Raise `SourceFailed`, or `NoAccessKey` where asking was the last hope.
    """
    if isinstance(source, ContainerRole):
        return _of_container(source, environ)
    return _of_instance(source, environ)


def _of_container(source: ContainerRole, environ: Environ) -> dict[str, Any]:
    fetcher = ContainerMetadataFetcher()
    url = fetcher.full_url(source.where) if source.is_path else source.where
    try:
        answer = fetcher.retrieve_full_uri(url, headers=_authorization(environ))
    except (BotoCoreError, OSError, ValueError) as error:
        raise SourceFailed(
            f"{show(source.owner)} gives no credentials: {_reason(error)}",
            hint="is its role there, and AWS_CONTAINER_AUTHORIZATION_TOKEN current?",
        ) from error
    return {**answer, "SessionToken": answer.get("Token")} if isinstance(answer, dict) else {}


def _authorization(environ: Environ) -> dict[str, str]:
    token = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if path := environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        with open(path, encoding="utf-8") as file:
            token = file.read().strip()
    return {"Authorization": token} if token else {}


def _of_instance(source: InstanceRole, environ: Environ) -> dict[str, Any]:
    is_last_hope = source.otherwise is not None
    fetcher = InstanceMetadataFetcher(
        timeout=int(environ.get("AWS_METADATA_SERVICE_TIMEOUT") or (1 if is_last_hope else _SECONDS)),
        num_attempts=int(
            environ.get("AWS_METADATA_SERVICE_NUM_ATTEMPTS") or (1 if is_last_hope else _ATTEMPTS)
        ),
        env=dict(environ),
        config={
            "ec2_metadata_service_endpoint": source.endpoint_url,
            "ec2_metadata_service_endpoint_mode": environ.get(
                "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", ""
            ).lower(),
            "ec2_metadata_v1_disabled": environ.get("AWS_EC2_METADATA_V1_DISABLED", "").lower() == "true",
        },
    )
    try:
        answer = fetcher.retrieve_iam_role_credentials()
    except (BotoCoreError, OSError, ValueError) as error:
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


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    # botocore quotes the whole answer, which may hold anything.
    return show(str(error).partition(":")[0][:120]) or type(error).__name__
