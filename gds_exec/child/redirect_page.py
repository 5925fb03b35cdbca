"""A page on loopback that leads on to a secret URL, once.

A browser is told where to go on its command line, which everybody on the machine can read for as
long as the browser runs; the address of this page is worth nothing any more by then.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_ADDRESS = "127.0.0.1"
_REQUEST_SECONDS = 2.0
_TURN_SECONDS = 0.1
_CONNECTION_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_ROOT = 0


def owner_of_connection(port: int, *, to_port: int, tables: Iterable[str] = _CONNECTION_TABLES) -> int | None:
    """Return the user whose socket at `port` of loopback is connected to `to_port` there.

    None where that is not told: by macOS, or of a client beyond this kernel, as WSL's browsers are.
    """
    address = f"{int.from_bytes(socket.inet_aton(_ADDRESS), sys.byteorder):08X}"
    ends = (f"{address}:{port:04X}", f"{address}:{to_port:04X}")  # of an IPv4 address in IPv6, too
    for table in tables:
        for row in _rows(table):
            if len(row) > 7 and row[1].endswith(ends[0]) and row[2].endswith(ends[1]):
                return int(row[7])
    return None


class RedirectPage(TCPServer):
    """The page, listening from its beginning; one that has led somebody on leads nobody else."""

    request_queue_size = 16

    def __init__(self, target: str, *, owner: Callable[..., int | None] = owner_of_connection) -> None:
        super().__init__((_ADDRESS, 0), _Handler)
        self.timeout = _TURN_SECONDS
        self.target = target
        self.path = f"/{secrets.token_urlsafe(32)}"
        self.is_used = False
        self._owner = owner

    @property
    def url(self) -> str:
        return f"http://{_ADDRESS}:{self.port}{self.path}"

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def lead_on(
        self,
        *,
        within_seconds: float,
        is_hopeless: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> bool:
        """Serve until a browser has been led on, or none will come any more; return whether one was."""
        deadline = clock() + within_seconds
        while not self.is_used and clock() < deadline and not is_hopeless():
            self.handle_request()
        return self.is_used

    def is_for(self, client_port: int) -> bool:
        """Say whether this client may be led on: no other user, who has read it in a command line."""
        return self._owner(client_port, to_port=self.port) in (None, _ROOT, os.geteuid())

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away is its own business."""


class _Handler(BaseHTTPRequestHandler):
    server: RedirectPage
    timeout = _REQUEST_SECONDS

    def do_GET(self) -> None:
        page = self.server
        if not secrets.compare_digest(self.path.encode(), page.path.encode()) or page.is_used:
            self._answer(404)
        elif not page.is_for(self.client_address[1]):
            self._answer(403)
        else:
            page.is_used = True
            self._answer(302, location=page.target)

    def _answer(self, status: int, *, location: str | None = None) -> None:
        self.send_response_only(status)
        if location is not None:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: what is asked for is a secret."""


def _rows(table: str) -> list[list[str]]:
    try:
        with open(table, encoding="ascii") as file:
            return [line.split() for line in file]
    except OSError:
        return []
