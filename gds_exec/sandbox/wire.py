"""AWS's query protocol as values: a form comes in, signed as a rule, and XML goes out."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

Element: TypeAlias = "str | Mapping[str, Element] | list[Element]"

_ERROR_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_NOT_ALLOWED_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; the names of `headers` are in lower case."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    method: str = "POST"

    @classmethod
    def of_form(cls, url: str, headers: Mapping[str, str], body: bytes) -> "Request":
        """Read a request whose parameters are a form in its body."""
        lower = {name.lower(): value for name, value in headers.items()}
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return cls(url, lower, body, dict(pairs))

    @classmethod
    def of_query(cls, url: str, headers: Mapping[str, str], *, method: str = "GET") -> "Request":
        """Read a request whose parameters are the query of its URL."""
        lower = {name.lower(): value for name, value in headers.items()}
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        return cls(url, lower, b"", dict(pairs), method)

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def action(self) -> str:
        return self.parameters.get("Action", "")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; its body, which may hold credentials, is not printed."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "text/xml"})
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def json_response(status: int, document: Mapping[str, object]) -> Response:
    """Return the answer of a service that speaks JSON."""
    return Response(status, json.dumps(document).encode(), headers={"Content-Type": "application/json"})


def result_response(action: str, result: Element, *, namespace: str) -> Response:
    """Return the answer of a call that succeeded."""
    request_id = str(uuid.uuid4())
    inner = _xml(f"{action}Result", result) + _xml("ResponseMetadata", {"RequestId": request_id})
    body = f'<{action}Response xmlns="{namespace}">{inner}</{action}Response>'
    return Response(200, body.encode(), request_id=request_id)


def error_response(status: int, code: str, message: str) -> Response:
    """Return the answer of a call that AWS refuses or fails at."""
    request_id = str(uuid.uuid4())
    fault_of = "Receiver" if status >= 500 else "Sender"
    error = _xml("Error", {"Type": fault_of, "Code": code, "Message": message})
    inner = error + _xml("RequestId", request_id)
    body = f'<ErrorResponse xmlns="{_ERROR_NAMESPACE}">{inner}</ErrorResponse>'
    return Response(status, body.encode(), request_id=request_id)


def _xml(name: str, content: Element) -> str:
    if isinstance(content, str):
        inner = escape(_NOT_ALLOWED_IN_XML.sub("\ufffd", content))
    elif isinstance(content, list):
        inner = "".join(_xml("member", item) for item in content)
    else:
        inner = "".join(_xml(key, value) for key, value in content.items())
    return f"<{name}>{inner}</{name}>"
