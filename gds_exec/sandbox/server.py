"""The sandbox on a loopback port."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any

from gds_exec.sandbox.service import respond
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.wire import Request, Response, error_response
from gds_exec.signals import all_blocked

_LARGEST_BODY_BYTES = 64 * 1024
_SHUTDOWN_POLL_SECONDS = 0.05


class Handler(BaseHTTPRequestHandler):
    """One connection. A subclass may answer in its own way."""

    server: "Server"
    protocol_version = "HTTP/1.1"
    timeout = 10
    disable_nagle_algorithm = True  # a second answer on one connection would wait for an acknowledgement

    def answer(self, request: Request) -> None:
        self.send(respond(self.server.aws, request))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= _LARGEST_BODY_BYTES):
            self.send(error_response(413, "RequestEntityTooLarge", "Request size exceeded 65536 bytes"))
            return
        self.answer(Request.of_form(self._url, dict(self.headers.items()), self.rfile.read(int(length))))

    def do_GET(self) -> None:
        self.answer(Request.of_query(self._url, dict(self.headers.items()), method=self.command))

    do_DELETE = do_HEAD = do_PATCH = do_PUT = do_GET  # noqa: N815

    @property
    def _url(self) -> str:
        return f"{self.server.url}{self.path}"

    def send(self, response: Response) -> None:
        self.send_head(response)
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def send_head(self, response: Response) -> None:
        self.send_response_only(response.status)
        self.send_header("Date", formatdate(self.server.aws.now(), usegmt=True))
        self.send_header("x-amzn-RequestId", response.request_id)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 200:
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: standard error belongs to whoever runs the sandbox."""


class Server(ThreadingTCPServer):  # HTTPServer would ask the DNS for our name
    """A free port of loopback that answers for `aws`, each connection in a thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, aws: Aws, handler: type[Handler] = Handler) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.aws = aws
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a client goes away, or does not trust our certificate."""


@contextmanager
def serve(server: Server) -> Iterator[str]:
    """Run `server` in a thread of this process, and yield its URL."""
    thread = Thread(target=server.serve_forever, args=(_SHUTDOWN_POLL_SECONDS,), daemon=True)
    with all_blocked():  # signals are for the main thread, which may be waiting for one
        thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
