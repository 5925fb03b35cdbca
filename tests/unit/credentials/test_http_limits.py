"""A response that is too long or too slow is given up, whichever part is."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from threading import Thread

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ConnectTimeoutError, HTTPClientError
from botocore.httpsession import URLLib3Session

from gds_exec.credentials.http_limits import CallLimits, exceeded_limit

MEBIBYTE = 1_048_576
HEAD = b"HTTP/1.1 200 OK\r\n"


class Server:
    """A server that answers one request with these bytes until the client leaves."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.pieces: Iterator[bytes] = iter(())
        self.sent_bytes = 0
        self._thread = Thread(target=self._serve, daemon=True)

    def answer(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self._thread.start()

    def close(self) -> None:
        self._socket.close()
        if self._thread.ident is not None:
            self._thread.join(10)

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            for piece in self.pieces:
                connection.sendall(piece)
                self.sent_bytes += len(piece)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


class Ticking:
    """A clock that advances by a second each time it is read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


def get(url: str, limits: CallLimits, *, proxies: dict[str, str] | None = None) -> bytes:
    session = URLLib3Session(proxies=proxies or {}, timeout=10)
    limits.apply_to(session)
    content: bytes = session.send(AWSRequest(method="GET", url=url).prepare()).content
    return content


def failure_of(url: str, limits: CallLimits, *, proxies: dict[str, str] | None = None) -> HTTPClientError:
    with pytest.raises(HTTPClientError) as failure:
        get(url, limits, proxies=proxies)
    return failure.value


def endless(start: bytes, piece: bytes) -> Iterator[bytes]:
    yield start
    while True:
        yield piece


PIECE = b"1" * 65_536
LONG = [
    pytest.param(HEAD + b"Content-Length: 2147483648\r\n\r\n", id="a body of 2 GiB"),
    pytest.param(HEAD + b"Connection: close\r\n\r\n", id="a body without a length"),
    pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n80000000\r\n", id="a chunk of 2 GiB"),
    pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", id="the length of a chunk"),
    pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", id="what follows the last chunk"),
    pytest.param(HEAD + b"X: ", id="a header"),
    pytest.param(b"", id="the status"),
]


@pytest.mark.parametrize("start", LONG)
def test_a_response_that_is_too_long_is_given_up_before_it_fills_the_memory(
    server: Server, start: bytes
) -> None:
    server.answer(endless(start, PIECE))
    tracemalloc.start()
    try:
        failure_of(f"http://{server.address}/", CallLimits())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 10 * MEBIBYTE
    assert server.sent_bytes < 20 * MEBIBYTE  # some of it waits in the kernel


def test_the_error_says_how_much_is_too_much(server: Server) -> None:
    server.answer(endless(HEAD + b"\r\n", PIECE))

    assert (
        str(exceeded_limit(failure_of(f"http://{server.address}/", CallLimits()))) == "sent more than 1 MiB"
    )


STATUS = pytest.param(b"", b"H", id="the status")
HEADER = pytest.param(HEAD + b"X: ", b"y", id="a header")
CONTINUING = pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="continuing for ever")
BODY = pytest.param(HEAD + b"Content-Length: 9999\r\n\r\n", b"1", id="a body")
CHUNKS = pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks")


@pytest.mark.parametrize(("start", "piece"), [STATUS, HEADER, CONTINUING, BODY, CHUNKS])
def test_a_response_that_is_too_slow_is_given_up(server: Server, start: bytes, piece: bytes) -> None:
    server.answer(endless(start, piece))

    failure = failure_of(f"http://{server.address}/", CallLimits(5, now=Ticking()))

    assert str(exceeded_limit(failure)) == "did not finish its answer within 5 s"


@pytest.mark.parametrize(("start", "piece"), [STATUS, HEADER])
def test_a_proxy_that_is_too_slow_is_given_up(server: Server, start: bytes, piece: bytes) -> None:
    server.answer(endless(start, piece))
    proxies = {"https": f"http://{server.address}"}

    failure = failure_of("https://sts.example/", CallLimits(5, now=Ticking()), proxies=proxies)

    assert str(exceeded_limit(failure)) == "did not finish its answer within 5 s"


def test_a_silent_server_is_given_up_when_the_time_of_the_call_is_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        failure = failure_of(f"http://127.0.0.1:{silent.getsockname()[1]}/", CallLimits(0.1))

    assert str(exceeded_limit(failure)) == "did not finish its answer within 0.1 s"


def test_a_host_that_takes_no_connection_is_given_up_when_the_time_of_the_call_is_up() -> None:
    with ExitStack() as sockets:
        full = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # more than wait in its queue, so that the kernel answers no other
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        began = time.monotonic()

        with pytest.raises(ConnectTimeoutError):
            get(f"http://127.0.0.1:{full.getsockname()[1]}/", CallLimits(0.2))

    assert time.monotonic() - began < 5, "the session's own time limit, not the call's"


def test_no_connection_is_made_once_the_time_is_up(server: Server) -> None:
    with pytest.raises(ConnectTimeoutError):
        get(f"http://{server.address}/", CallLimits(0))


def test_each_call_has_the_whole_time_again(server: Server) -> None:
    server.answer(iter([HEAD + b"Content-Length: 2\r\n\r\nok"]))
    clock = Ticking()
    limits = CallLimits(100, now=clock)
    clock.seconds += 1000

    limits.begin()

    assert get(f"http://{server.address}/", limits) == b"ok"


def test_a_compressed_body_is_not_unpacked(server: Server) -> None:
    body = gzip.compress(bytes(10 * MEBIBYTE))
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    server.answer(iter([head, body]))

    assert get(f"http://{server.address}/", CallLimits()) == body
