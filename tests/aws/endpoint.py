"""A place beside the query protocol: known by its path, and nothing that comes there is signed."""

from collections.abc import Callable
from dataclasses import dataclass

from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.wire import Request, Response


@dataclass(frozen=True, slots=True)
class Place:
    """What answers at some paths, and at all below those that end in a slash.

    `action` names what a request asks, for faults and the record of calls; `refuse` words an error
    as the clients of this place expect it.
    """

    paths: tuple[str, ...]
    methods: tuple[str, ...]
    action: Callable[[Request], str]
    respond: Callable[[Aws, Request], Response]
    refuse: Callable[[AwsError], Response]

    def is_for(self, request: Request) -> bool:
        if request.method not in self.methods:
            return False
        return any(
            request.path == path or (path.endswith("/") and request.path.startswith(path))
            for path in self.paths
        )
