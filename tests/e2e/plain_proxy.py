"""A proxy of a network that sends plain HTTP through one, and keeps what it is sent."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

_PATIENCE_SECONDS = 10


@dataclass
class PlainProxy:
    """Where it is, and every request that came: its line, its header and its body."""

    url: str
    received: list[str] = field(default_factory=list)


@contextmanager
def serve_plain_proxy(to_url: str) -> Iterator[PlainProxy]:
    """Serve a proxy on a loopback port that takes every host for the one at `to_url`."""
    received: list[str] = []
    upstream = urlsplit(to_url).netloc

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received.append(f"{self.requestline}\n{self.headers}\n{body.decode('latin-1')}")
            connection = http.client.HTTPConnection(upstream, timeout=_PATIENCE_SECONDS)
            path = urlsplit(self.path).path or "/"
            connection.request(self.command, path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response(answer.status)
            for name in ("Content-Type", "Date"):
                self.send_header(name, answer.headers.get(name, ""))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _pass_on  # noqa: N815  # as http.server has it

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield PlainProxy(f"http://127.0.0.1:{server.server_address[1]}", received)
        server.shutdown()
        thread.join()
