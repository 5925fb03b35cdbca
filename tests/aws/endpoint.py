"""An endpoint of the sandbox: which requests it takes, and how it answers them."""

from collections.abc import Callable
from dataclasses import dataclass

from gds_exec.sandbox.wire import Request, Response

from .sandbox import Aws


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`action` names what a request asks, for faults and the record of calls.

    `respond` raises `AwsError`, whose `response` is worded as the endpoint's clients expect it.
    """

    is_for: Callable[[Request], bool]
    action: Callable[[Request], str]
    respond: Callable[[Aws, Request], Response]


def at_path(path: str, *methods: str) -> Callable[[Request], bool]:
    """Return what is true for requests to `path`, and below it if it ends in a slash."""

    def is_for(request: Request) -> bool:
        is_below = path.endswith("/") and request.path.startswith(path)
        return request.method in methods and (request.path == path or is_below)

    return is_for
