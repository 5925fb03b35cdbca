"""The sandbox on a loopback port."""

import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from socketserver import ThreadingTCPServer
from ssl import SSLContext
from threading import Event, Thread
from typing import Any

from gds_exec.sandbox.faults import FLOOD_BYTES, Fault
from gds_exec.sandbox.service import action_of, place_of, respond, respond_badly
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.wire import Request, Response, error_response
from gds_exec.signals import all_blocked

_LARGEST_BODY_BYTES = 64 * 1024
_SHUTDOWN_POLL_SECONDS = 0.05
_PIECE = b"0" * 64 * 1024


@contextmanager
def serve(aws: Aws, *, ssl_context: SSLContext | None = None) -> Iterator[str]:
    """Serve `aws` from a thread of this process, and yield the URL to reach it at."""
    server = _Server(aws, ssl_context)
    thread = Thread(target=server.serve_forever, args=(_SHUTDOWN_POLL_SECONDS,), daemon=True)
    with all_blocked():  # signals are for the main thread, which may be waiting for one
        thread.start()
    try:
        yield server.url
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingTCPServer):  # HTTPServer would ask the DNS for our name
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, aws: Aws, ssl_context: SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.aws = aws
        self.closing = Event()
        scheme = "http" if ssl_context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.server_address[1]}"
        if ssl_context is not None:
            # The handshake is left to the handler's thread: a slow client must not stop the others.
            self.socket = ssl_context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away, or distrusts our certificate, is its own business."""


class _Dripping(BufferedIOBase):
    """A writer that pauses after each byte, and stops once `pause` returns true."""

    def __init__(self, raw: BufferedIOBase, pause: Callable[[], bool]) -> None:
        self._raw = raw
        self._pause = pause

    def write(self, data: Any) -> int:
        for byte in bytes(data):
            self._raw.write(bytes((byte,)))
            if self._pause():
                raise ConnectionAbortedError
        return len(bytes(data))


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 10
    disable_nagle_algorithm = True  # a second answer on one connection would wait for an acknowledgement

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= _LARGEST_BODY_BYTES):
            self._send(error_response(413, "RequestEntityTooLarge", "Request size exceeded 65536 bytes"))
            return
        self._answer(Request.of_form(self._url, dict(self.headers.items()), self.rfile.read(int(length))))

    def do_GET(self) -> None:
        request = Request.of_query(self._url, dict(self.headers.items()), method=self.command)
        if place_of(request) is None:
            self._refuse_service()
        else:
            self._answer(request)

    do_PUT = do_GET  # noqa: N815

    def _refuse_service(self) -> None:
        message = "The sandbox plays STS and IAM in AWS's query protocol, and a few places that are no API."
        self._send(error_response(400, "InvalidAction", message))

    do_DELETE = do_PATCH = do_HEAD = _refuse_service  # noqa: N815

    @property
    def _url(self) -> str:
        return f"{self.server.url}{self.path}"

    def _answer(self, request: Request) -> None:
        aws = self.server.aws
        fault = aws.faults.take(action_of(request))
        if fault is None:
            self._send(respond(aws, request), is_last=self.server.closing.is_set())
        else:
            self._misbehave(request, fault)

    def _misbehave(self, request: Request, fault: Fault) -> None:
        response = respond_badly(self.server.aws, request, fault)
        self.server.closing.wait(fault.wait_seconds)
        if fault.kind == "flood":
            self._flood()
        elif fault.is_drip and response is not None:
            self._drip(response, fault)
        elif response is not None:
            self._send(response, is_last=True)
        elif fault.kind == "reset":
            self._reset()
        self.close_connection = True

    def _drip(self, response: Response, fault: Fault) -> None:
        slow = _Dripping(self.wfile, lambda: self.server.closing.wait(fault.pause_seconds))
        if fault.kind == "drip-head":
            self.wfile = slow
        self._send(response, is_last=True, body_to=slow)

    def _flood(self) -> None:
        self.send_response_only(200)
        self.send_header("Content-Length", str(FLOOD_BYTES))
        self.end_headers()
        for _ in range(FLOOD_BYTES // len(_PIECE)):
            if self.server.closing.is_set():
                break
            self.wfile.write(_PIECE)

    def _send(
        self, response: Response, *, is_last: bool = False, body_to: BufferedIOBase | None = None
    ) -> None:
        self.send_response_only(response.status)
        self.send_header("Date", formatdate(self.server.aws.now(), usegmt=True))
        self.send_header("x-amzn-RequestId", response.request_id)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 200 or is_last:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            (body_to or self.wfile).write(response.body)

    def _reset(self) -> None:
        lingering_for_no_time = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering_for_no_time)
        os.close(self.connection.detach())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: standard error belongs to whoever runs the sandbox."""
