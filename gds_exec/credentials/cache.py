"""Sessions on disk: found, kept and dropped; and what is known of MFA devices.

A cache that cannot be used costs a warning, never the command.
"""

from __future__ import annotations

import os

from gds_exec.credentials.private_directory import NotPrivate, open_private_directory, write_checked
from gds_exec.lean import Value, contextmanager, suppress
from gds_exec.session import (
    SUFFIX,
    about,
    file_name,
    parse,
    put_off_name,
    put_off_until,
    read,
    read_checked_text,
    serialise,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gds_exec.session import SessionCredentials

_SPENT_SUFFIX = ".spent2"
_DEVICE_SUFFIX = ".device2"


class Kept(Value):
    """A session, the key that it is kept under, and what a person calls it."""

    key: str
    session: SessionCredentials
    about: str


class SessionCache:
    """The cache directory; without one, a cache that finds and keeps nothing."""

    def __init__(
        self, directory: int | None, *, warn: Callable[[str], None], path: str | None = None
    ) -> None:
        self.directory = directory
        self.path = path
        self.warn = warn

    def find(self, key: str) -> SessionCredentials | None:
        """Return the session kept under this key, however old it is."""
        return None if self.directory is None else read(self.directory, key)

    def keep(self, key: str, session: SessionCredentials, *, about: str = "") -> None:
        """Cache the session under this key, and warn if that fails; `about` is its name for a person."""
        if self.directory is None:
            return
        with self._only_warning():
            text = serialise(session, about=about)
            if not _is_readable(text, about=about):
                raise ValueError("the cache format cannot hold it")
            self._write(file_name(key), text)
            if read(self.directory, key) is None:
                self.drop(key)
                raise ValueError("its file cannot be read back")

    def all_kept(self) -> list[Kept]:
        """Return every session that is kept, the one that ends first in front."""
        names = [] if self.directory is None else os.listdir(self.directory)
        kept = [self._kept(name.removesuffix(SUFFIX)) for name in names if name.endswith(SUFFIX)]
        return sorted(filter(None, kept), key=lambda kept: (kept.session.expiration or 0, kept.key))

    def _kept(self, key: str) -> Kept | None:
        session = parse(text := self._text(file_name(key)))
        return Kept(key, session, about(text)) if session is not None else None

    def drop(self, key: str) -> None:
        """Forget the session under this key."""
        if self.directory is not None:
            with suppress(OSError):
                os.unlink(file_name(key), dir_fd=self.directory)

    def put_off_until(self, key: str) -> int:
        """Return until when the renewal of this session is put off, in seconds since the epoch, or 0."""
        return 0 if self.directory is None else put_off_until(self.directory, key)

    def put_off(self, key: str, until: float) -> None:
        """Leave the renewal of this session, which failed, until then: for every process."""
        with self._only_warning():
            self._write(put_off_name(key), f"{int(until)}\n", is_durable=False)

    def keep_shortcut(self, name: str, text: str) -> None:
        """Keep what saves a later run time; nothing is said where that cannot be."""
        if self.directory is not None and self._text(name) != text:
            with suppress(OSError):
                write_checked(self.directory, name, text, is_durable=False)

    def spent_step(self, device: str) -> int | None:
        """Return the 30 s step, counted from the epoch, in which a code of this device was last spent."""
        text = self._text(device + _SPENT_SUFFIX).strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 11 else None

    def spend_step(self, device: str, step: int) -> None:
        """Remember that a code of this device was spent in that step."""
        with self._only_warning():
            self._write(device + _SPENT_SUFFIX, f"{step}\n", is_durable=False)

    def device_of(self, key: str) -> str | None:
        """Return the MFA device that proved to open the role asked for under this key."""
        return self._text(key + _DEVICE_SUFFIX).strip() or None

    def keep_device(self, key: str, serial: str) -> None:
        """Remember the MFA device that opened the role asked for under this key."""
        with self._only_warning():
            self._write(key + _DEVICE_SUFFIX, f"{serial}\n", is_durable=False)

    def _text(self, name: str) -> str:
        return "" if self.directory is None else read_checked_text(self.directory, name) or ""

    def _write(self, name: str, text: str, *, is_durable: bool = True) -> None:
        if self.directory is not None:
            write_checked(self.directory, name, text, is_durable=is_durable)

    @contextmanager
    def _only_warning(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            self.warn(f"this session is not cached: {getattr(error, 'strerror', None) or error}")


class DeviceMemory:
    """What the cache remembers of one MFA device."""

    def __init__(self, cache: SessionCache, device: str) -> None:
        self._cache = cache
        self._device = device

    def spent_step(self) -> int | None:
        return self._cache.spent_step(self._device)

    def spend_step(self, step: int) -> None:
        self._cache.spend_step(self._device, step)


def open_cache(path: str | None, *, warn: Callable[[str], None]) -> SessionCache:
    """Return the cache in that directory; one that keeps nothing, with a warning, if it cannot be used."""
    try:
        if path is not None:
            return SessionCache(open_private_directory(path), warn=warn, path=os.path.abspath(path))
        warn("there is no home directory: sessions are not cached")
    except NotPrivate as error:
        warn(f"sessions are not cached: {error}")
    except OSError as error:
        warn(f"sessions are not cached: {path}: {error.strerror}")
    return SessionCache(None, warn=warn)


def _is_readable(text: str, *, about: str) -> bool:
    """Say whether reading the text gives the same session again."""
    found = parse(text)
    return found is not None and serialise(found, about=about) == text
