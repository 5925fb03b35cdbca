"""Tokens that GitHub mints for a job of Actions.

A door to botocore, for its way with proxies and certificates.
"""

from __future__ import annotations

import json
import random
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from gds_exec.credentials.deadline import LONGEST_CALL_SECONDS
from gds_exec.credentials.http_limits import CallLimits, exceeded_limit
from gds_exec.credentials.network import is_private
from gds_exec.credentials.retry import patiently
from gds_exec.errors import SourceFailed

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_WAITS_SECONDS = (1, 2, 4)
_TIMEOUT_SECONDS = 10
_TRY_AGAIN = "try again; its status page may say why"


class _Busy(Exception):
    """GitHub may well answer another time."""


def mint(
    url: str,
    request_token: str,
    audience: str,
    *,
    ca_bundle: str | None = None,
    sleep: Callable[[float], object] = time.sleep,
    fraction: Callable[[], float] = random.random,
    longest_call_seconds: float = LONGEST_CALL_SECONDS,
) -> str:
    """Return a new token for this job (GitHub docs, "OpenID Connect reference").

    Asks four times at most, a little later each time. Raise `SourceFailed`.
    """
    if not is_private(url):
        raise SourceFailed("ACTIONS_ID_TOKEN_REQUEST_URL is no https URL", hint="GitHub sets it for each job")
    url += ("&" if urlsplit(url).query else "?") + f"audience={quote(audience, safe='')}"
    # Only this machine is asked without TLS: a proxy elsewhere would read the request token.
    proxies = {} if urlsplit(url).scheme == "http" else get_environ_proxies(url)
    session = URLLib3Session(verify=ca_bundle or True, proxies=proxies, timeout=_TIMEOUT_SECONDS)
    limits = CallLimits(longest_call_seconds)
    limits.apply_to(session)

    def may_pass(error: Exception) -> bool:
        return isinstance(error, _Busy) and limits.have_time_for(_LONGEST_WAITS_SECONDS[-1])

    try:
        return patiently(
            lambda: _asked(session, url, request_token),
            longest_waits_seconds=_LONGEST_WAITS_SECONDS,
            is_passing=may_pass,
            sleep=sleep,
            fraction=fraction,
        )
    except _Busy as error:
        raise SourceFailed(f"GitHub mints no token now: {error}", hint=_TRY_AGAIN) from error


def _asked(session: URLLib3Session, url: str, request_token: str) -> str:
    request = AWSRequest(
        method="GET",
        url=url,
        headers={"Authorization": f"bearer {request_token}", "Accept": "application/json"},
    )
    try:
        answer = session.send(request.prepare())
    except HTTPClientError as error:
        if (exceeded := exceeded_limit(error)) is not None:
            raise SourceFailed(f"GitHub {exceeded}", hint=_TRY_AGAIN) from error
        raise _Busy(type(error).__name__) from error
    except BotoCoreError as error:
        raise SourceFailed(f"GitHub cannot be asked for a token: {type(error).__name__}") from error
    if (
        answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    ):
        raise _Busy(f"it answered {answer.status_code}")
    if answer.status_code != HTTPStatus.OK:
        raise SourceFailed(
            f"GitHub refused to mint a token for this job: {answer.status_code}",
            hint="give the job the permission: `permissions: id-token: write` in the workflow",
        )
    return _token_in(answer.content)


def _token_in(content: bytes) -> str:
    try:
        token = json.loads(content)["value"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str):
        raise _Busy("its answer holds no token")
    return token
