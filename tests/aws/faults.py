"""Bad answers on demand: what networks and services do now and then, made to happen at a call."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Literal

from gds_exec.sandbox.wire import Response, error_response

FaultKind = Literal[
    "altered",
    "drip",
    "drip-head",
    "empty",
    "error",
    "flood",
    "garbage",
    "hang",
    "html",
    "redirect",
    "reset",
    "slow",
    "truncated",
]
FLOOD_BYTES = 2 * 1024**3
_LONGEST_WAIT_SECONDS = 60.0
_GOOD_IN_PART = ("altered", "drip", "drip-head", "slow")
_CAPTIVE_PORTAL = b"<!DOCTYPE html><html><head><title>Welcome to Cafe WiFi</title></head><body></body></html>"
_STRANGE_ANSWERS: dict[FaultKind, Callable[[], Response]] = {
    "garbage": lambda: Response(200, b"\x1f\x8b\x00\xff" * 16),
    "html": lambda: Response(200, _CAPTIVE_PORTAL, headers={"Content-Type": "text/html"}),
    "empty": lambda: Response(200, b""),
    "redirect": lambda: Response(
        302, b"", headers={"Content-Type": "text/html", "Location": "https://portal.invalid/login"}
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to answer badly, `times` times.

    With `after` the work is done first, so that its answer is what gets lost. `delay` is in
    seconds, before the answer; `hang` never answers, and gives up after `delay` if that is set.
    `status`, `code` and `message` are those of an `error`. `drip` sends a good body
    byte by byte, and `drip-head` a whole good answer, with `delay` or one second between the bytes. `flood`
    is a body of `FLOOD_BYTES`. `altered` is a good answer except for `fields`: names of elements, each
    with its new XML, or None to leave it out.
    """

    kind: FaultKind
    times: int = 1
    after: bool = False
    delay: float = 0.0
    status: int = 500
    code: str = "InternalFailure"
    fields: tuple[tuple[str, str | None], ...] = ()
    message: str = "The request processing has failed because of an unknown error, exception or failure."

    @property
    def does_the_work(self) -> bool:
        return self.after or self.kind in _GOOD_IN_PART

    @property
    def is_drip(self) -> bool:
        return self.kind in ("drip", "drip-head")

    @property
    def pause_seconds(self) -> float:
        """The pause between two bytes of a drip."""
        return self.delay or 1.0

    @property
    def wait_seconds(self) -> float:
        if self.is_drip:
            return 0.0
        wanted = self.delay or (_LONGEST_WAIT_SECONDS if self.kind == "hang" else 0.0)
        return min(wanted, _LONGEST_WAIT_SECONDS)


LISTING_FORBIDDEN = Fault(
    "error",
    status=403,
    code="AccessDenied",
    message="User is not authorized to perform: iam:ListMFADevices "
    "because no identity-based policy allows the iam:ListMFADevices action",
)


class FaultQueue:
    """The faults that wait for the calls of each action."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: defaultdict[str, list[Fault]] = defaultdict(list)

    def add(self, action: str, fault: Fault) -> None:
        with self._lock:
            self._waiting[action].extend([fault] * fault.times)

    def take(self, action: str) -> Fault | None:
        with self._lock:
            return self._waiting[action].pop(0) if self._waiting[action] else None


def spoil(fault: Fault, *, action: str, good: Response | None) -> Response | None:
    """Return what is sent in place of the `good` answer, which exists if the work was done.

    None is no answer at all.
    """
    if fault.kind == "slow" or fault.is_drip:
        return good
    if fault.kind == "altered" and good is not None:
        return replace(good, body=_altered(good.body.decode(), fault.fields).encode())
    if fault.kind == "error":
        return error_response(fault.status, fault.code, fault.message)
    if fault.kind == "truncated":
        return Response(200, _first_half(action, good))
    strange = _STRANGE_ANSWERS.get(fault.kind)
    return strange() if strange is not None else None


def _altered(body: str, fields: tuple[tuple[str, str | None], ...]) -> str:
    for name, content in fields:
        element = "" if content is None else f"<{name}>{content}</{name}>"
        body = re.sub(f"<{name}>.*?</{name}>", lambda _: element, body, flags=re.DOTALL)  # noqa: B023
    return body


def _first_half(action: str, good: Response | None) -> bytes:
    whole = good.body if good is not None else f"<{action}Response><{action}Result><Arn>".encode()
    return whole[: len(whole) // 2]
