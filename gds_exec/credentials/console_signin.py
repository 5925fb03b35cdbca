"""A role's session in exchange for a sign-in token: the one call that the console's federation needs.

The session goes in the body of a POST, for URLs are logged, by proxies as well as by AWS. No redirect
is followed: whoever asks for the session elsewhere is not AWS.
"""

from __future__ import annotations

import json
import os
import ssl
from http.client import HTTPException
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from gds_exec.credentials.deadline import LONGEST_CALL_SECONDS, run_within
from gds_exec.credentials.network import (
    CA_BUNDLE_HINT,
    NOT_CONNECTED_HINT,
    PORTAL_HINT,
    PROXY_HINT,
    UNTRUSTED_HINT,
    refused_by_proxy,
)
from gds_exec.credentials.plan import CHAINED_SECONDS
from gds_exec.errors import AwsRefused, AwsUnreachable, BrokenProfile
from gds_exec.redaction import show

if TYPE_CHECKING:
    from typing import Any

    from gds_exec.errors import CredentialsError
    from gds_exec.session import AccessKey, SessionCredentials

_TIMEOUT_SECONDS = 10
_LONGEST_ANSWER_BYTES = 65_536
_LONGEST_CONSOLE_SECONDS = 43_200
_TRY_AGAIN = "try again in a moment"
# A captive portal's page, or half a token.
_NOT_AN_ANSWER = (HTTPException, KeyError, RecursionError, TypeError, ValueError)


def signin_token(
    session: SessionCredentials,
    *,
    endpoint: str,
    ca_bundle: str | None = None,
    timeout_seconds: float = _TIMEOUT_SECONDS,
    longest_call_seconds: float = LONGEST_CALL_SECONDS,
) -> str:
    """Return a token that signs one browser in as the session's role, within 15 minutes.

    `endpoint` is the URL of the federation. Raise `AwsRefused` or `AwsUnreachable`, and `BrokenProfile`
    for certificates that cannot be read.
    """
    host = show(urlsplit(endpoint).netloc)
    # check_endpoint has seen to it that this is http(s).
    request = Request(endpoint, _form(session), {"User-Agent": "gds-exec"}, method="POST")  # noqa: S310
    opener = _opener(endpoint, ca_bundle)

    def ask() -> str:
        with opener.open(request, timeout=timeout_seconds) as answer:
            return _token(answer.read(_LONGEST_ANSWER_BYTES))

    try:
        return run_within(longest_call_seconds, ask)
    except HTTPError as error:
        with error:
            raise _refusal(error, host) from error
    except _NOT_AN_ANSWER:
        raise AwsUnreachable(f"{host} gave no answer that AWS would give", hint=PORTAL_HINT) from None
    except OSError as error:
        is_proxied = request.host != urlsplit(endpoint).netloc
        raise _unreachable(error, host, is_proxied=is_proxied) from error


def console_seconds(session: SessionCredentials) -> int | None:
    """Return how long the console session may be asked to last; None where AWS does not let one ask.

    It does not where the role was assumed with a session, which lasts an hour at most; of an hour it
    need not be asked. So what lasts longer may ask, wherever the session was found.
    """
    life = int(min(session.life_seconds(), _LONGEST_CONSOLE_SECONDS))
    # `issued` is by our clock. It may be off by as long as the call for the session took.
    return life if life > CHAINED_SECONDS + LONGEST_CALL_SECONDS else None


def _opener(endpoint: str, ca_bundle: str | None) -> OpenerDirector:
    # Only this machine is asked without TLS: a proxy elsewhere would read the session.
    is_plain = urlsplit(endpoint).scheme == "http"
    proxies = ProxyHandler({}) if is_plain else ProxyHandler()
    opener = OpenerDirector()  # build_opener would add what follows redirects
    for handler in (
        proxies,
        HTTPHandler(),
        HTTPSHandler(context=_trusting(ca_bundle)),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _trusting(ca_bundle: str | None) -> ssl.SSLContext:
    """Return what trusts those whom the calls to STS trust, and the system's where botocore brings none."""
    try:
        context = ssl.create_default_context(cafile=ca_bundle or _botocore_certificates())
    except OSError as error:  # ssl.SSLError is one
        message = f"the CA bundle {show(ca_bundle or '')} cannot be read"
        raise BrokenProfile(message, hint=CA_BUNDLE_HINT) from error
    # From Python 3.13 on it would refuse many a network's own authority, which botocore does not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _botocore_certificates() -> str | None:
    package = find_spec("botocore")  # found, not loaded
    path = os.path.join(os.path.dirname(package.origin or ""), "cacert.pem") if package else ""
    return path if os.path.isfile(path) else None


def _form(session: SessionCredentials) -> bytes:
    key: AccessKey = session.access_key
    told = {
        "sessionId": key.access_key_id,
        "sessionKey": key.secret_access_key,
        "sessionToken": key.session_token,
    }
    form = {"Action": "getSigninToken", "Session": json.dumps(told)}
    if seconds := console_seconds(session):
        form["SessionDuration"] = str(seconds)
    return urlencode(form).encode()


def _token(body: bytes) -> str:
    answer: Any = json.loads(body)
    token = answer["SigninToken"]
    if not isinstance(token, str) or not token:
        raise ValueError("the token is no text")
    return token


def _refusal(error: HTTPError, host: str) -> CredentialsError:
    if error.code >= 500 or error.code == 429:
        return AwsUnreachable(f"{host} could not answer: HTTP status {error.code}", hint=_TRY_AGAIN)
    if error.code < 400:
        elsewhere = show(_host_of(error.headers.get("Location", "")))
        return AwsUnreachable(
            f"{host} points elsewhere ({elsewhere}), which is not followed", hint=PORTAL_HINT
        )
    return AwsRefused(
        f"{host} refused to sign the session in: HTTP status {error.code}",
        hint="if the session has been revoked, --new-session makes another",
        code=str(error.code),
    )


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def _unreachable(error: OSError, host: str, *, is_proxied: bool) -> AwsUnreachable:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLError):
        why, hint = "its certificate is not trusted", UNTRUSTED_HINT
    elif isinstance(reason, TimeoutError):
        return AwsUnreachable(f"{host} did not answer in time", hint=_TRY_AGAIN)
    elif is_proxied:
        why, hint = refused_by_proxy(os.environ), PROXY_HINT
    else:
        why, hint = getattr(reason, "strerror", None) or type(reason).__name__, NOT_CONNECTED_HINT
    return AwsUnreachable(f"{host} cannot be reached: {why}", hint=hint)
