"""`gds-exec credential-process` for a cached session, with next to no imports.

botocore asks at every signing in a session's last quarter of an hour.
"""

import time

from gds_exec.delivery.sdk_documents import process_document
from gds_exec.environment import callers_environment
from gds_exec.expiry import early_seconds, is_due, is_valid
from gds_exec.invocation import ASKED_FOR
from gds_exec.warm import find_cached, print_at_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.invocation import Invocation
    from gds_exec.session import SessionCredentials
    from gds_exec.warm import Cached


def serve_document(invocation: "Invocation", environ: "Mapping[str, str]") -> bool:
    """Print the document of a session that need not be renewed now, if the cache has one; say whether."""
    if environ.get(ASKED_FOR):
        return False
    cached = find_cached(invocation, callers_environment(environ))
    minimum = invocation.min_remaining_seconds
    if cached is None or not _is_enough(cached, time.time(), min_remaining_seconds=minimum):
        return False
    return print_at_once(document_of(cached.session).encode())


def document_of(session: "SessionCredentials") -> str:
    """Return what a `credential_process` is to print of it."""
    return process_document(session, early_seconds=early_seconds(session)) + "\n"


def _is_enough(cached: "Cached", now: float, *, min_remaining_seconds: int | None) -> bool:
    if cached.is_put_off:
        return is_valid(cached.session, now)
    return not is_due(cached.session, now) and cached.session.can_begin(
        now, min_remaining_seconds=min_remaining_seconds
    )
