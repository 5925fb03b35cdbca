"""The loopback endpoint from which the SDKs of a command fetch its session whenever they need it.

To whoever has the token it is a container-credentials provider; to anybody else, and to whatever a
browser sends, a closed door. It lives in an event loop that does more than this: nothing here
blocks, and no client can make it raise. It must not decide what the session is.
"""

from __future__ import annotations

import os
import selectors
import socket
import time

# hmac's own where there is no OpenSSL, which would add 4 MB to a process that waits for hours.
from _operator import _compare_digest

from gds_exec.delivery.sdk_documents import error_document
from gds_exec.errors import SystemRefused
from gds_exec.lean import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ADDRESS = "127.0.0.1"  # never `localhost`, which may be ::1; some SDKs cannot do with [::1]
_PATH = "/credentials"
_BACKLOG = 128
_MOST_CONNECTIONS = 64  # a quarter of the descriptors that macOS allows a process
_VISIT_SECONDS = 1.0
_CONNECTION_SECONDS = 5.0
_PAUSE_SECONDS = 0.25
_HEAD_LIMIT_BYTES = 8192
_READ_BYTES = 4096
_VERSIONS = (b"HTTP/1.1", b"HTTP/1.0")
_NAME_BYTES = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CONTROL_BYTES = bytes({*range(32), 127} - {ord("\t")})
_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class Answer(Value):
    """What a client is told: 200 with a session's document, or 503 with why there is none."""

    status: int
    document: str
    _unshown = ("document",)


def new_token() -> str:
    """Return a secret of 256 bits that can stand in a header as it is."""
    return os.urandom(32).hex()


def _listen() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind((_ADDRESS, 0))
        listener.listen(_BACKLOG)
        _visit(listener)
    except OSError:
        listener.close()
        raise
    listener.settimeout(0)
    return listener


def _visit(listener: socket.socket) -> None:
    # Where the interface is down one can listen, and nobody can come.
    listener.settimeout(_VISIT_SECONDS)
    with socket.create_connection(listener.getsockname(), timeout=_VISIT_SECONDS):
        listener.accept()[0].close()


def bind(*, tries: int = 3, listen: Callable[[], socket.socket] = _listen) -> socket.socket:
    """Return a socket that listens on a free port of loopback. Raise `SystemRefused` where there is none."""
    try:
        return listen()
    except OSError as error:
        if tries > 1:
            return bind(tries=tries - 1, listen=listen)
        raise SystemRefused(
            f"nothing can be served on {_ADDRESS}: {error.strerror or error}",
            hint="--refresh needs the loopback interface; without it the command keeps its first session",
        ) from error


def adopt(descriptor: int) -> socket.socket:
    """Return the listening socket that another process has bound and handed over."""
    listener = socket.socket(fileno=descriptor)
    listener.set_inheritable(False)
    listener.settimeout(0)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return where an endpoint that has this socket is found."""
    return f"http://{_host_of(listener)}{_PATH}"


def _host_of(listener: socket.socket) -> str:
    return f"{_ADDRESS}:{listener.getsockname()[1]}"


class Endpoint:
    """Answers the clients of one listening socket, a request to a connection, in the selector's loop.

    The loop calls the `data` of what is ready, sleeps no longer than `seconds_to_deadline()`, and
    calls `drop_overdue()` in every turn, behind the clients that were ready.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        listener: socket.socket,
        token: str,
        answer: Callable[[], Answer],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._selector = selector
        self._listener = listener
        self._host = _host_of(listener)
        self._token = token.encode()
        self._answer = answer
        self._clock = clock
        self._connections: dict[_Connection, float] = {}  # the oldest first, with their deadlines
        self._paused_until: float | None = None
        selector.register(listener, selectors.EVENT_READ, self._accept)

    @property
    def url(self) -> str:
        return url_of(self._listener)

    def seconds_to_deadline(self) -> float | None:
        """Return how long the loop may sleep for all that this cares; None for ever."""
        soonest = min(self._deadlines(), default=None)
        return None if soonest is None else max(0.0, soonest - self._clock())

    def drop_overdue(self) -> None:
        """Close the connections that have lasted too long."""
        now = self._clock()
        for connection in [late for late, deadline in self._connections.items() if deadline <= now]:
            self._drop(connection)
        if self._paused_until is not None and self._paused_until <= now:
            self._paused_until = None
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Close the socket and every connection, answered or not."""
        for connection in list(self._connections):
            self._drop(connection)
        if self._paused_until is None:
            self._selector.unregister(self._listener)
        self._paused_until = None
        self._listener.close()

    def _deadlines(self) -> Iterator[float]:
        yield from self._connections.values()
        if self._paused_until is not None:
            yield self._paused_until

    def _accept(self) -> None:
        # One a turn: those that were accepted before are served in the same turn, so that a crowd
        # of honest clients does not push its own members out.
        try:
            peer, _ = self._listener.accept()
            self._begin(peer)
        except (BlockingIOError, ConnectionAbortedError):
            return  # the client has gone
        except OSError:
            self._pause()

    def _begin(self, peer: socket.socket) -> None:
        if len(self._connections) >= _MOST_CONNECTIONS:
            self._drop(next(iter(self._connections)))
        connection = _Connection(peer, self._selector, self._converse(peer), self._drop)
        try:
            peer.settimeout(0)
            self._selector.register(peer, selectors.EVENT_READ, connection.advance)
        except OSError:
            peer.close()
            raise
        self._connections[connection] = self._clock() + _CONNECTION_SECONDS

    def _pause(self) -> None:
        if self._listener.fileno() < 0:
            return  # closed by another callback of the same turn
        # Out of descriptors or memory. Who waits to be accepted would wake the loop again at once.
        self._selector.unregister(self._listener)
        self._paused_until = self._clock() + _PAUSE_SECONDS

    def _drop(self, connection: _Connection) -> None:
        if self._connections.pop(connection, None) is None:
            return  # already, by another callback of the same turn
        self._selector.unregister(connection.peer)
        connection.peer.close()

    def _converse(self, peer: socket.socket) -> Iterator[int]:
        """Speak with a client who can be read from; yield the event to wait for before going on."""
        received = b""
        while True:
            piece = peer.recv(_READ_BYTES)
            received += piece
            answer = self._answer_to(received, is_over=not piece)
            if answer is not None:
                break
            yield selectors.EVENT_READ
        unsent = _response(answer)
        while unsent := unsent[peer.send(unsent) :]:
            yield selectors.EVENT_WRITE
        # To close on unread bytes is a reset, which can overtake the answer: hear the client out.
        peer.shutdown(socket.SHUT_WR)
        yield selectors.EVENT_READ
        while peer.recv(_READ_BYTES):
            yield selectors.EVENT_READ

    def _answer_to(self, received: bytes, *, is_over: bool) -> Answer | None:
        """Return the answer to what has come of a request, or None while more is to come."""
        head, end, _ = received.partition(b"\r\n\r\n")
        if len(head) > _HEAD_LIMIT_BYTES:
            return _refused(431, f"a request here has {_HEAD_LIMIT_BYTES} bytes at most")
        if not _is_plausible(head + end) or (is_over and not end):
            return _refused(400, "this is not an HTTP/1.1 request")
        return self._answer_to_head(head) if end else None

    def _answer_to_head(self, head: bytes) -> Answer:
        line, *lines = head.split(b"\r\n")
        method, target, _ = line.split(b" ")
        fields = _fields(lines)
        if fields is None:
            return _refused(400, "the header has lines that are no fields")
        # A page whose name is made to lead here (DNS rebinding) sends its own name; what
        # it fetches under ours comes with headers that no page can leave out.
        if fields.get(b"host") != self._host.encode():
            return _refused(403, f"this is {self._host} and no other host")
        if any(name == b"origin" or name.startswith(b"sec-fetch-") for name in fields):
            return _refused(403, "this is not for browsers")
        if method != b"GET":
            return _refused(405, "this can only be read, with GET")
        if target != _PATH.encode():
            return _refused(404, f"there is nothing here but {_PATH}")
        if not _compare_digest(fields.get(b"authorization", b""), self._token):
            return _refused(403, "the token of AWS_CONTAINER_AUTHORIZATION_TOKEN is missing or wrong")
        return self._answer()


class _Connection:
    """A client, and how far we have come with it."""

    __slots__ = ("_conversation", "_drop", "_selector", "peer")

    def __init__(
        self,
        peer: socket.socket,
        selector: selectors.BaseSelector,
        conversation: Iterator[int],
        drop: Callable[[_Connection], None],
    ) -> None:
        self.peer = peer
        self._selector = selector
        self._conversation = conversation
        self._drop = drop

    def advance(self) -> None:
        """Go on as far as the client allows."""
        try:
            event = next(self._conversation)
        except (StopIteration, OSError):
            self._drop(self)
        else:
            self._selector.modify(self.peer, event, self.advance)


def _is_plausible(received: bytes) -> bool:
    """Return whether this is, or can still become, the head of a request."""
    text = received.removesuffix(b"\r").replace(b"\r\n", b"")
    line, end, _ = received.partition(b"\r\n")
    words = line.split(b" ")
    is_request_line = len(words) == 3 and words[2] in _VERSIONS
    return text == text.translate(None, _CONTROL_BYTES) and (is_request_line or not end)


def _fields(lines: list[bytes]) -> dict[bytes, bytes] | None:
    """Return the fields of a head by their names in lower case, or None if there is something else."""
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not (name and colon) or name.translate(None, _NAME_BYTES):
            return None
        # A name twice is one field with both values (RFC 9110, 5.2), and so neither the host nor the token.
        earlier = fields.get(name.lower())
        fields[name.lower()] = value.strip(b" \t") if earlier is None else earlier + b"," + value
    return fields


def _refused(status: int, message: str) -> Answer:
    return Answer(status, error_document(_REASONS[status].replace(" ", ""), message))


def _response(answer: Answer) -> bytes:
    body = answer.document.encode()
    head = (
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
        "Allow: GET",
    )
    return "\r\n".join((*head, "", "")).encode() + body
