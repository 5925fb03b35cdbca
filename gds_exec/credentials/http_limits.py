"""Limits for botocore's calls: bytes for each response, seconds for all attempts of a call.

botocore keeps a whole response in memory, and its read timeout restarts with every byte. So this module
counts bytes and seconds where they are read from the socket.
"""

from __future__ import annotations

import time
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.exceptions import HTTPClientError
from urllib3.exceptions import ConnectTimeoutError

from gds_exec.credentials.deadline import LONGEST_CALL_SECONDS, run_within

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from botocore.httpsession import URLLib3Session

# Enough for a DNS server that does not answer (usually 5 s), and for more than one address.
_LONGEST_CONNECT_SECONDS = 20
_MEBIBYTE = 1_048_576
_LARGEST_RESPONSE_BYTES = _MEBIBYTE  # an STS response has a few thousand bytes


class LimitExceeded(Exception):
    """A response that is too long or too slow. The text says what the server did."""


def exceeded_limit(error: Exception) -> LimitExceeded | None:
    """Return the limit that a response exceeded, if that is why botocore failed."""
    found = error.kwargs.get("error") if isinstance(error, HTTPClientError) else None
    return found if isinstance(found, LimitExceeded) else None


class CallLimits:
    """The limits of the calls of one HTTP session; call `begin` before each call."""

    def __init__(
        self, seconds: float = LONGEST_CALL_SECONDS, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._now = now
        self.begin()

    def begin(self) -> None:
        """Restart the time limit for the next call and all its attempts."""
        self._ends = self._now() + self._seconds

    def seconds_left(self) -> float:
        """Return the time left for the current call."""
        return self._ends - self._now()

    def have_time_for(self, seconds: float) -> bool:
        """Say whether the current call has more than this time left."""
        return self.seconds_left() > seconds

    def time_is_up(self) -> LimitExceeded:
        """Return the error for a call that takes too long."""
        return LimitExceeded(f"did not finish its answer within {self._seconds:g} s")

    def apply_to(self, session: URLLib3Session) -> None:
        """Apply these limits to this HTTP session."""
        limits = self

        class Response(HTTPResponse):
            def __init__(self, sock: socket.socket, *arguments: Any, **more: Any) -> None:
                super().__init__(sock, *arguments, **more)
                self.fp = BufferedReader(_LimitedReader(self.fp.detach(), sock, limits))

        class Connection(_BoundedConnect, AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
            call_limits = limits
            response_class = Response

        class TlsConnection(_BoundedConnect, AWSHTTPSConnection):  # type: ignore[misc]
            call_limits = limits
            response_class = Response

        class Pool(AWSHTTPConnectionPool):  # type: ignore[misc]
            ConnectionCls = Connection

        class TlsPool(AWSHTTPSConnectionPool):  # type: ignore[misc]
            ConnectionCls = TlsConnection

        # botocore has no public way to set these classes. Its proxies use the same dictionary.
        session._pool_classes_by_scheme.update(http=Pool, https=TlsPool)  # noqa: SLF001


class _BoundedConnect:
    """Looks up an address and connects to it, within a time limit."""

    call_limits: CallLimits

    def _new_conn(self) -> socket.socket:
        connect: Callable[[], socket.socket] = super()._new_conn  # type: ignore[misc]
        seconds = min(_LONGEST_CONNECT_SECONDS, self.call_limits.seconds_left())
        try:
            if seconds > 0:
                return run_within(seconds, connect)
        except TimeoutError:
            pass
        raise ConnectTimeoutError(self, "connecting took too long")


class _LimitedReader(RawIOBase):
    """Reads from a socket, up to a limit of bytes and of time."""

    def __init__(self, raw: RawIOBase, sock: socket.socket, limits: CallLimits) -> None:
        self._raw = raw
        self._sock = sock
        self._limits = limits
        self._bytes_left = _LARGEST_RESPONSE_BYTES
        self._longest_wait_seconds = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        seconds_left = self._limits.seconds_left()
        if seconds_left <= 0:
            raise self._limits.time_is_up()
        longest = self._longest_wait_seconds
        is_last_wait = longest is None or seconds_left < longest
        self._sock.settimeout(seconds_left if is_last_wait else longest)
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError:
            if is_last_wait:
                raise self._limits.time_is_up() from None
            raise
        self._bytes_left -= count or 0
        if self._bytes_left < 0:
            raise LimitExceeded(f"sent more than {_LARGEST_RESPONSE_BYTES // _MEBIBYTE} MiB")
        return count

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()
