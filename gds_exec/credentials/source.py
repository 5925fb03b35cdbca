"""The keys that begin a chain: from the files, or from a `credential_process`."""

from __future__ import annotations

import time

from gds_exec.config.profiles import CredentialProcess, StoredKeys
from gds_exec.credentials.session import AccessKey, SessionCredentials
from gds_exec.errors import HelperFailed
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Source = StoredKeys | CredentialProcess


def identity_of(source: Source) -> str:
    """Return what stands for the identity of these keys in the name of what they yield.

    A process is known by its command, so that a cached session is found without running it.
    """
    if isinstance(source, StoredKeys):
        return f"access key {source.access_key_id}"
    return f"credential_process {source.command}"


class KeySource:
    """The keys of one profile, fetched once, and anew when they have expired."""

    def __init__(
        self, source: Source, *, run: Callable[[str], str], now: Callable[[], float] = time.time
    ) -> None:
        self._source = source
        self._run = run
        self._now = now
        self._fetched: SessionCredentials | None = None

    @property
    def is_temporary(self) -> bool:
        """Whether the keys are a session's, as far as it is known: a process must run before it is."""
        if isinstance(self._source, StoredKeys):
            return self._source.session_token is not None
        return self._fetched is not None and self._fetched.access_key.is_temporary

    def fetch(self) -> SessionCredentials:
        """Return the keys. Raise `HelperFailed` where the process has none."""
        if self._fetched is None or self._fetched.seconds_left(self._now()) <= 0:
            self._fetched = self._from_source()
        return self._fetched

    def _from_source(self) -> SessionCredentials:
        source = self._source
        if isinstance(source, CredentialProcess):
            return _from_document(self._run(source.command), profile=source.profile_name, now=self._now())
        key = AccessKey(source.access_key_id, source.secret_access_key, source.session_token)
        return SessionCredentials.long_lived(key, now=self._now())


def _from_document(text: str, *, profile: str, now: float) -> SessionCredentials:
    """Read what a process prints (SDK reference guide, "Process credential provider")."""
    document = _document(text, profile)
    try:
        key = AccessKey(
            document["AccessKeyId"], document["SecretAccessKey"], document.get("SessionToken") or None
        )
        expiration = _epoch(document.get("Expiration"))
    except KeyError as error:
        raise _unreadable(profile, f"{error} is missing or wrong") from None
    except (TypeError, ValueError):
        raise _unreadable(profile, "'Expiration' is missing or wrong") from None
    parts = (key.access_key_id, key.secret_access_key, key.session_token or "none")
    if not all(_is_text(part) for part in parts):
        raise _unreadable(profile, "its keys are no text")
    if expiration is not None and expiration <= now:
        raise HelperFailed(f"credential_process of {show(profile)} printed credentials that have expired")
    return SessionCredentials(key, issued=int(now), expiration=expiration)


def _document(text: str, profile: str) -> dict[str, Any]:
    import json  # dear, and most keys stand in a file

    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable(profile, "it is no JSON") from None
    if not isinstance(document, dict) or document.get("Version") != 1:
        raise _unreadable(profile, "it has no Version 1")
    return document


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _epoch(expiration: str | None) -> int | None:
    from datetime import UTC, datetime

    if expiration is None:
        return None
    moment = datetime.fromisoformat(expiration)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _unreadable(profile: str, why: str) -> HelperFailed:
    return HelperFailed(
        f"credential_process of {show(profile)} printed no credentials: {why}",
        hint="run its command by hand; it must print the JSON that AWS's SDKs expect of it",
    )
