"""The sandbox on a loopback port, with the endpoints and the faults that only tests need."""

import os
import socket
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from io import BufferedIOBase
from ssl import SSLContext
from threading import Event
from typing import Any

from gds_exec.sandbox import server, service
from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.signature import authenticate, read_authorization
from gds_exec.sandbox.wire import Request, Response

from . import container_credentials, github_oidc, instance_metadata, web_identity
from .endpoint import Endpoint
from .faults import FLOOD_BYTES, Fault, spoil
from .sandbox import Aws, Call

_SECRET_PARAMETERS = ("TokenCode", "Session", "SigninToken", "WebIdentityToken")
_PIECE = b"0" * 64 * 1024


def serve(aws: Aws, *, ssl_context: SSLContext | None = None) -> AbstractContextManager[str]:
    """Serve `aws` from a thread of this process. The context manager yields its URL."""
    return server.serve(_Server(aws, ssl_context))


def respond(aws: Aws, request: Request) -> Response:
    """Do what `request` asks, remember the call, and return AWS's answer."""
    endpoint, error_code = _endpoint_of(request), ""
    with aws.lock:
        try:
            response = endpoint.respond(aws, request)
        except AwsError as refusal:
            response, error_code = refusal.response(), refusal.code
        _record(aws, request, status=response.status, error_code=error_code)
    return response


def _perform(aws: Aws, request: Request) -> Response:
    if aws.disabled_regions:
        _check_region(aws, request)
    return service.perform(aws, request)


def _check_region(aws: Aws, request: Request) -> None:
    authorization = read_authorization(request)
    if authorization.service == "sts" and authorization.region in aws.disabled_regions:
        raise _region_disabled(authenticate(aws, request, service="sts").account)


def _region_disabled(account: str) -> AwsError:
    return AwsError(
        403,
        "RegionDisabledException",
        f"STS is not activated in this region for account:{account}. "
        "Your account administrator can activate STS in this region using the IAM Console.",
    )


_OF_THE_PRODUCT = Endpoint(is_for=lambda _: True, action=lambda request: request.action, respond=_perform)
_ENDPOINTS = (
    container_credentials.ENDPOINT,
    github_oidc.ENDPOINT,
    instance_metadata.ENDPOINT,
    web_identity.ENDPOINT,
    _OF_THE_PRODUCT,
)


def _endpoint_of(request: Request) -> Endpoint:
    return next(endpoint for endpoint in _ENDPOINTS if endpoint.is_for(request))


def _action_of(request: Request) -> str:
    return _endpoint_of(request).action(request)


def _record(aws: Aws, request: Request, *, status: int, error_code: str) -> None:
    parameters = {
        name: "(given)" if name in _SECRET_PARAMETERS else value
        for name, value in sorted(request.parameters.items())
        if name not in ("Action", "Version")
    }
    aws.calls.append(Call(_action_of(request), parameters, _access_key_id(request), status, error_code))


def _access_key_id(request: Request) -> str:
    try:
        return read_authorization(request).access_key_id
    except AwsError:
        return ""


def _respond_badly(aws: Aws, request: Request, fault: Fault) -> Response | None:
    """Return what `fault` makes of the answer to `request`: None if it gets none."""
    good = respond(aws, request) if fault.does_the_work else None
    spoilt = spoil(fault, action=_action_of(request), good=good)
    if good is None:
        error_code = fault.code if fault.kind == "error" else fault.kind
        _record(aws, request, status=spoilt.status if spoilt else 0, error_code=error_code)
    return spoilt


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


class _Handler(server.Handler):
    server: "_Server"

    def answer(self, request: Request) -> None:
        aws = self.server.aws
        fault = aws.faults.take(_action_of(request))
        if fault is None:
            response = respond(aws, request)
            self.send(_last(response) if self.server.closing.is_set() else response)
        else:
            self._misbehave(request, fault)

    def _misbehave(self, request: Request, fault: Fault) -> None:
        response = _respond_badly(self.server.aws, request, fault)
        self.server.closing.wait(fault.wait_seconds)
        if fault.kind == "flood":
            self._flood()
        elif fault.is_drip and response is not None:
            self._drip(_last(response), fault)
        elif response is not None:
            self.send(_last(response))
        elif fault.kind == "reset":
            self._reset()
        self.close_connection = True

    def _drip(self, response: Response, fault: Fault) -> None:
        slow = _Dripping(self.wfile, lambda: self.server.closing.wait(fault.pause_seconds))
        if fault.kind == "drip-head":
            self.wfile = slow
        self.send_head(response)
        slow.write(response.body)

    def _flood(self) -> None:
        self.send_response_only(200)
        self.send_header("Content-Length", str(FLOOD_BYTES))
        self.end_headers()
        for _ in range(FLOOD_BYTES // len(_PIECE)):
            if self.server.closing.is_set():
                break
            self.wfile.write(_PIECE)

    def _reset(self) -> None:
        lingering_for_no_time = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering_for_no_time)
        os.close(self.connection.detach())


def _last(response: Response) -> Response:
    """Return the response as the last one of its connection."""
    return replace(response, headers={**response.headers, "Connection": "close"})


class _Server(server.Server):
    aws: Aws

    def __init__(self, aws: Aws, ssl_context: SSLContext | None) -> None:
        self.closing = Event()
        super().__init__(aws, _Handler)
        if ssl_context is not None:
            self.url = self.url.replace("http:", "https:")
            # The handshake is left to the handler's thread: a slow client must not stop the others.
            self.socket = ssl_context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def shutdown(self) -> None:
        self.closing.set()
        super().shutdown()
