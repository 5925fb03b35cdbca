"""The network between an engineer and AWS, in small: certificates of its own, and a proxy."""

import base64
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest

from tests.aws.sandbox import Aws
from tests.aws.server import serve

_AWS_NAMES = (
    "*.amazonaws.com",
    "*.eu-west-1.amazonaws.com",
    "*.eu-west-2.amazonaws.com",
    "*.us-east-1.amazonaws.com",
    "*.us-gov.amazonaws.com",
    "*.us-gov-west-1.amazonaws.com",
    "*.cn-north-1.amazonaws.com.cn",
)
_NOT_DONE = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
)
_PIECE_BYTES = 65_536


@dataclass
class Proxy:
    """A proxy that takes every host for the sandbox, and remembers which were asked for."""

    port: int
    asked_for: list[str] = field(default_factory=list)

    def url(self, userinfo: str = "") -> str:
        return f"http://{userinfo}{'@' if userinfo else ''}127.0.0.1:{self.port}"

    @property
    def hosts(self) -> list[str]:
        return sorted(set(self.asked_for))


@contextmanager
def serve_with_tls(aws: Aws, certificate: Path) -> Iterator[str]:
    """Serve the sandbox with a certificate that no list of authorities knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serve(aws, ssl_context=context) as url:
        yield url


@contextmanager
def serve_proxy(tls_url: str, *, userinfo: str | None = None) -> Iterator[Proxy]:
    """Serve a proxy that leads to `tls_url` whatever it is asked for, to those with the `user:password`."""
    proxy = Proxy(port=0)
    wanted = "Basic " + base64.b64encode((userinfo or "").encode()).decode()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            head = _head(self.request)
            method, target = head.split(" ")[:2]
            proxy.asked_for.append(target.rpartition(":")[0] or target)
            if method != "CONNECT" or (
                userinfo and f"proxy-authorization: {wanted}".lower() not in head.lower()
            ):
                self.request.sendall(_NOT_DONE)
                return
            with socket.create_connection(("127.0.0.1", urlsplit(tls_url).port or 0)) as upstream:
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = Thread(target=_pour, args=(upstream, self.request), daemon=True)
                back.start()
                _pour(self.request, upstream)
                back.join()

    with _Server(("127.0.0.1", 0), Handler) as server:
        proxy.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield proxy
        server.shutdown()
        thread.join()


def closed_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def make_certificate(path: Path) -> Path:
    """Write a key and its self-signed certificate for loopback and for AWS's own names."""
    x509 = pytest.importorskip("cryptography.x509", reason="cryptography is not installed")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a network of its own")])
    names = [*map(x509.DNSName, _AWS_NAMES), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path


class _Server(ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away is its own business."""


def _head(connection: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head and (piece := connection.recv(_PIECE_BYTES)):
        head += piece
    return head.decode("latin-1")


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # either end may go away first
        while piece := source.recv(_PIECE_BYTES):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
