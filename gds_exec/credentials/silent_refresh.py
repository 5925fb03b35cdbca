"""Keep a session fresh for whoever comes back for it: a shell's prompt, a `credential_process`.

A session that is still valid is better than an error. A renewal that failed is put off, for all
processes, so that none of them tries (or asks) at every call.
"""

from __future__ import annotations

import time

from gds_exec.errors import GdsExecError, NobodyToAsk
from gds_exec.expiry import ask_again_seconds, is_worth_a_question, retry_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gds_exec.credentials.cache import SessionCache
    from gds_exec.credentials.provider import Provider
    from gds_exec.session import SessionCredentials


def freshest(
    provider: Provider,
    cache: SessionCache,
    *,
    notice: Callable[[str], None],
    now: Callable[[], float] = time.time,
) -> SessionCredentials:
    """Return a session that is not due for renewal or, if none can be had now, the one that is held.

    A person is asked only if little time is left. Raise a `GdsExecError` if no valid session is held.
    """
    held, key = provider.held(), provider.kept_under
    if held is None:
        return _without_person(provider) or provider.retrieve()
    if key is not None and cache.put_off_until(key) > now():
        return held
    pause = retry_seconds
    try:
        if (session := _without_person(provider)) is not None:
            return session
        if is_worth_a_question(held, now()):
            pause = ask_again_seconds
            return provider.retrieve()
    except GdsExecError as error:
        if held.seconds_left(now()) <= 0:
            raise
        notice(f"the session was not renewed: {error.message}")
    except KeyboardInterrupt:
        if pause is ask_again_seconds:
            _put_off(cache, key, now() + pause(held, now()))
        raise
    _put_off(cache, key, now() + pause(held, now()))
    return held


def _without_person(provider: Provider) -> SessionCredentials | None:
    """Return a session, or `None` if a person is needed for it."""
    try:
        return provider.retrieve(with_person=False)
    except NobodyToAsk:
        return None


def _put_off(cache: SessionCache, key: str | None, until: float) -> None:
    if key is not None:
        cache.put_off(key, until)
