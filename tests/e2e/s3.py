"""An S3 that knows how long sessions last: moto, behind a look at the sandbox's clock.

moto takes any key at any time; here a request signed with the key of a session that has expired
is refused as S3 refuses it.
"""

import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.aws.sandbox import Aws

_SIGNED_BY = re.compile(r"Credential=([A-Z0-9]+)/\d+/[a-z0-9-]+/s3/aws4_request")
_EXPIRED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
)
_PATIENCE_SECONDS = 10


@dataclass
class S3:
    """Where it is, its one bucket, and the keys whose requests it took and refused, in order."""

    url: str
    bucket: str
    taken: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def is_locked(self) -> bool:
        """Whether one of Terraform's lock files is there."""
        return b".tflock" in self._ask("GET", "?list-type=2")

    def make_bucket(self) -> None:
        self._ask("PUT", "")

    def _ask(self, method: str, query: str) -> bytes:
        request = urllib.request.Request(f"{self.url}/{self.bucket}{query}", method=method)
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
            body: bytes = answer.read()
        return body


@contextmanager
def serve_s3(aws: Aws) -> Iterator[S3]:
    """Serve an S3 with an empty bucket on a loopback port, from a thread."""
    moto = DomainDispatcherApplication(create_backend_app)
    taken: list[str] = []
    refused: list[str] = []

    def look_at_the_key(environ: dict[str, Any], start_response: Any) -> Any:
        signed = _SIGNED_BY.search(environ.get("HTTP_AUTHORIZATION", ""))
        if signed and _is_expired(aws, signed.group(1)):
            refused.append(signed.group(1))
            start_response("400 Bad Request", [("Content-Type", "application/xml"), ("Connection", "close")])
            return [_EXPIRED]
        if signed:
            taken.append(signed.group(1))
        return moto(environ, start_response)

    server = make_server("127.0.0.1", 0, look_at_the_key, threaded=True, request_handler=_Silent)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        # moto's buckets live as long as this process does: another test's has another name.
        s3 = S3(f"http://127.0.0.1:{server.port}", f"bucket-{server.port}", taken, refused)
        s3.make_bucket()
        yield s3
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _is_expired(aws: Aws, access_key_id: str) -> bool:
    session = aws.credentials(access_key_id)
    return session is not None and session.expiration <= aws.now()


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""
