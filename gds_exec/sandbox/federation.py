"""The console's federation endpoint: it makes a sign-in token from a session, and signs in with it once.

There is no console. The page says who is signed in, and where AWS would lead.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import urlsplit

from gds_exec.sandbox.principals import Caller, SignInToken
from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.wire import Request, Response, json_response

PATH = "/federation"
_TOKEN_SECONDS = 15 * 60
_SHORTEST_SECONDS, _LONGEST_SECONDS = 900, 43_200
_SESSION = ("sessionId", "sessionKey", "sessionToken")
_CONSOLES = (".console.aws.amazon.com", ".console.amazonaws.cn", ".console.amazonaws-us-gov.com")


class _Refused(AwsError):
    """A refusal of this endpoint, which AWS words as a page."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BadRequest", message)

    def response(self) -> Response:
        return _page(self.status, f"HTTP Status {self.status}", self.message)


def respond(aws: Aws, request: Request) -> Response:
    """Do the action that `request` names. Raise `AwsError` if it is refused."""
    act = _ACTIONS.get(request.action)
    if act is None:
        raise _Refused("Invalid Action parameter")
    return act(aws, request.parameters)


def _get_signin_token(aws: Aws, parameters: Mapping[str, str]) -> Response:
    caller = _session_caller(aws, parameters.get("Session", ""))
    duration = parameters.get("SessionDuration")
    if duration is not None and not _takes_duration(caller, duration):
        raise _Refused("Invalid credentials parameter")
    token = secrets.token_urlsafe(400)
    aws.signin_tokens[token] = SignInToken(caller, expiration=aws.now() + _TOKEN_SECONDS)
    return json_response(200, {"SigninToken": token})


def _login(aws: Aws, parameters: Mapping[str, str]) -> Response:
    destination = parameters.get("Destination", "")
    if not _is_console(destination):
        raise _Refused("Invalid Destination parameter")
    token = aws.signin_tokens.pop(parameters.get("SigninToken", ""), None)
    if token is None or token.expiration <= aws.now():
        raise _Refused("Token Invalid")
    return _page(200, f"Signed in as {token.caller.arn}", f"AWS would now lead to {destination}")


_ACTIONS: dict[str, Callable[[Aws, Mapping[str, str]], Response]] = {
    "getSigninToken": _get_signin_token,
    "login": _login,
}


def _session_caller(aws: Aws, text: str) -> Caller:
    """Return whose session this is: only a role's is taken, not a user's from GetSessionToken."""
    access_key_id, secret, token = _session_fields(text)
    found = aws.credentials(access_key_id)
    if found is None or found.caller.role is None:
        raise _Refused("Invalid credentials parameter")
    if (found.secret_access_key, found.token) != (secret, token) or found.expiration <= aws.now():
        raise _Refused("Invalid credentials parameter")
    return found.caller


def _session_fields(text: str) -> tuple[str, str, str]:
    try:
        fields: Any = json.loads(text)
        access_key_id, secret, token = (str(fields[name]) for name in _SESSION)
    except (ValueError, TypeError, KeyError):
        raise _Refused("Invalid Session parameter") from None
    return access_key_id, secret, token


def _takes_duration(caller: Caller, text: str) -> bool:
    is_in_bounds = text.isascii() and text.isdigit() and _SHORTEST_SECONDS <= int(text) <= _LONGEST_SECONDS
    return is_in_bounds and not caller.is_chained


def _is_console(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and f".{parts.hostname}".endswith(_CONSOLES)


def _page(status: int, title: str, text: str) -> Response:
    body = f"<!DOCTYPE html><title>{escape(title)}</title><h1>{escape(title)}</h1><p>{escape(text)}</p>\n"
    return Response(status, body.encode(), headers={"Content-Type": "text/html; charset=utf-8"})
