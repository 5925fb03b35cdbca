"""The sessions of chains of requests: on disk for every process, and in memory for this one."""

from __future__ import annotations

from gds_exec.credentials.cache import DeviceMemory
from gds_exec.credentials.plan import Held
from gds_exec.credentials.request import cache_key, device_key, is_answer_for
from gds_exec.lean import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from gds_exec.credentials.cache import SessionCache
    from gds_exec.credentials.locks import Locks
    from gds_exec.credentials.request import Origin, Request
    from gds_exec.session import SessionCredentials

    Chain = tuple[Request, ...]


class ChainCache:
    """What the chains of one origin have yielded. One process at a time makes the session of a chain."""

    def __init__(self, origin: Origin, cache: SessionCache, locks: Locks) -> None:
        self.locks = locks
        self._origin = origin
        self._cache = cache
        self._made: dict[str, SessionCredentials] = {}
        self._just_made: set[str] = set()
        self._refused: set[str] = set()

    def key(self, chain: Chain) -> str:
        """Return the name that the session of this chain is cached under."""
        return cache_key(self._origin, chain)

    def find(self, chain: Chain) -> Held | None:
        """Return the session of this chain that lasts longest, if one is held that AWS has not refused."""
        key = self.key(chain)
        if key in self._just_made:
            return Held(self._made[key], is_just_made=True)
        kept = (self._cache.find(key), self._made.get(key))  # the disk may be full, or there may be none
        sound = [session for session in kept if session and self._is_sound(session, chain[-1])]
        return Held(max(sound, key=lambda session: session.seconds_left(0))) if sound else None

    def making(self, chain: Chain) -> AbstractContextManager[None]:
        """Hold the lock of this chain's session."""
        return self.locks.hold(self.key(chain))

    def keep(self, chain: Chain, session: SessionCredentials, *, about: str) -> None:
        """Keep a session that was just made; `about` is its name for a person."""
        key = self.key(chain)
        self._made[key] = session
        self._just_made.add(key)
        self._cache.keep(key, session, about=about)

    def is_just_made(self, chain: Chain) -> bool:
        """Say whether this process made the session since it last looked at everything anew."""
        return self.key(chain) in self._just_made

    def look_anew(self) -> None:
        """From now on, judge what this process has made like any other session."""
        self._just_made.clear()

    def forget(self, chain: Chain, session: SessionCredentials) -> None:
        """Drop a session that AWS no longer knows, unless another process has replaced it."""
        key, key_id = self.key(chain), session.access_key.access_key_id
        self._refused.add(key_id)  # the file may be on a disk that is now read-only
        self._made.pop(key, None)
        with self.locks.hold(key):
            found = self._cache.find(key)
            if found is not None and found.access_key.access_key_id == key_id:
                self._cache.drop(key)

    @contextmanager
    def device(self, serial: str) -> Iterator[DeviceMemory]:
        """Hold the lock of an MFA device, and give what is remembered of the device."""
        key = device_key(self._origin, serial)
        with self.locks.hold(key):
            yield DeviceMemory(self._cache, key)

    def device_of(self, chain: Chain) -> str | None:
        """Return the MFA device that once opened the role of this chain, which names none."""
        return self._cache.device_of(self.key(chain))

    def keep_device(self, chain: Chain, serial: str) -> None:
        """Remember the MFA device that opened the role of this chain."""
        self._cache.keep_device(self.key(chain), serial)

    def _is_sound(self, session: SessionCredentials, request: Request) -> bool:
        return session.access_key.access_key_id not in self._refused and is_answer_for(session.arn, request)
