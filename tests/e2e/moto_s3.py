"""An S3 for commands to work with: moto behind a note of who asked.

moto does not look at signatures, so `access_keys` is how a test knows whose request it was.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

_SIGNED_BY = re.compile(r"Credential=([A-Z0-9]+)/\d+/[a-z0-9-]+/s3/aws4_request")


@dataclass
class S3:
    """Where it is, its one bucket, and what signed each request, in order."""

    url: str
    bucket: str
    access_keys: list[str] = field(default_factory=list)


@contextmanager
def serve_s3() -> Iterator[S3]:
    """Serve an S3 with an empty bucket on a loopback port, from a thread."""
    moto = DomainDispatcherApplication(create_backend_app)
    access_keys: list[str] = []

    def note_who_asks(environ: dict[str, Any], start_response: Any) -> Any:
        signed = _SIGNED_BY.search(environ.get("HTTP_AUTHORIZATION", ""))
        access_keys.append(signed.group(1) if signed else "nobody")
        return moto(environ, start_response)

    server = make_server("127.0.0.1", 0, note_who_asks, threaded=True, request_handler=_Silent)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        # moto's buckets live as long as this process does: another test's has another name.
        yield S3(f"http://127.0.0.1:{server.port}", f"bucket-{server.port}", access_keys)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""
