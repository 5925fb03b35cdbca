"""Keeping a session fresh for whoever comes back for it: a shell's prompt, a `credential_process`.

What is held and still valid is better than an error: only who has nothing is told why. A renewal
that failed is put off, for all processes, so that nobody tries (or asks) at every call.
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
    """Return a session that need not be renewed yet or, where that cannot be had now, the one that is held.

    A person is asked only where little time is left. Raise a `GdsExecError` where nothing valid is held.
    """
    held = provider.held()
    if held is not None and _is_put_off(provider, cache, now()):
        return held
    try:
        return provider.retrieve(with_person=False)
    except NobodyToAsk:
        if held is not None and not is_worth_a_question(held, now()):
            _put_off(provider, cache, now() + retry_seconds(held, now()))
            return held
    except GdsExecError as error:
        return _held_after(error, held, provider, cache, notice=notice, now=now())
    try:
        return provider.retrieve()
    except GdsExecError as error:
        return _held_after(error, held, provider, cache, notice=notice, now=now(), was_asked=True)
    except KeyboardInterrupt:
        if held is not None:
            _put_off(provider, cache, now() + ask_again_seconds(held, now()))
        raise


def _held_after(
    error: GdsExecError,
    held: SessionCredentials | None,
    provider: Provider,
    cache: SessionCache,
    *,
    notice: Callable[[str], None],
    now: float,
    was_asked: bool = False,
) -> SessionCredentials:
    if held is None or held.seconds_left(now) <= 0:
        raise error
    pause = ask_again_seconds if was_asked else retry_seconds
    _put_off(provider, cache, now + pause(held, now))
    notice(f"the session was not renewed: {error.message}")
    return held


def _is_put_off(provider: Provider, cache: SessionCache, now: float) -> bool:
    return provider.kept_under is not None and cache.put_off_until(provider.kept_under) > now


def _put_off(provider: Provider, cache: SessionCache, until: float) -> None:
    if provider.kept_under is not None:
        cache.put_off(provider.kept_under, until)
