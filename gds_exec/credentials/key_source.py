"""The keys that begin a chain: from the files, the environment, a process, or the place where we run."""

from __future__ import annotations

import os
import time

from gds_exec.config.sources import (
    ContainerRole,
    CredentialProcess,
    EnvironmentKeys,
    InstanceRole,
    StoredKeys,
)
from gds_exec.errors import HelperFailed, SourceFailed
from gds_exec.redaction import is_plain, show
from gds_exec.session import AccessKey, SessionCredentials, epoch_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gds_exec.config import sources

    Document = dict[str, Any]
    AskMetadata = Callable[[ContainerRole | InstanceRole], Document]


class _Unusable(Exception):
    """A document that holds no credentials; the text says why."""


class KeySource:
    """The keys that a chain begins with, fetched once, and anew when they have expired."""

    def __init__(
        self,
        source: sources.KeySource,
        *,
        run: Callable[[str], str],
        ask_metadata: AskMetadata,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._run = run
        self._ask_metadata = ask_metadata
        self._now = now
        self._fetched: SessionCredentials | None = None

    @property
    def identity(self) -> str:
        """What stands for these keys in the names of the sessions that they yield.

        Keys that must be fetched are known by their source, so that a cached session is found without them.
        """
        match source := self._source:
            case StoredKeys() | EnvironmentKeys():
                return f"access key {source.access_key_id}"
            case CredentialProcess():
                return f"credential_process {source.command}"
            case ContainerRole():
                # Another role's endpoint may have the same port the next time.
                return f"container {os.uname().nodename} {source.where} {source.outer_role or ''}"
            case InstanceRole():  # instances with different roles may share a home directory
                return f"instance {os.uname().nodename} {source.endpoint_url or ''}"

    @property
    def is_temporary(self) -> bool:
        """Whether the keys are a session's, as far as it is known: a process must run before it is."""
        match self._source:
            case StoredKeys() | EnvironmentKeys():
                return self._source.session_token is not None
            case ContainerRole() | InstanceRole():
                return True
        return self._fetched is not None and self._fetched.access_key.is_temporary

    def caller(self) -> AccessKey:
        """Return the keys that the first call is signed with."""
        return self.session().access_key

    def session(self) -> SessionCredentials:
        """Return the keys as they are. Raise `HelperFailed` or `SourceFailed` if there are none."""
        if self._fetched is None or self._fetched.seconds_left(self._now()) <= 0:
            self._fetched = self._from_source()
        return self._fetched

    def _from_source(self) -> SessionCredentials:
        source = self._source
        match source:
            case StoredKeys() | EnvironmentKeys():
                key = AccessKey(source.access_key_id, source.secret_access_key, source.session_token)
                return SessionCredentials.long_lived(key, now=self._now())
            case CredentialProcess():
                printed = self._run(source.command)
                try:
                    return _from_document(_document(printed), now=self._now())
                except _Unusable as error:
                    whose = f"credential_process of {show(source.profile_name)}"
                    hint = "run its command by hand; it must print the JSON that AWS's SDKs expect of it"
                    message = f"{whose} printed no credentials that can be used: {error}"
                    raise HelperFailed(message, hint=hint) from None
            case _:
                answer = self._ask_metadata(source)
                try:
                    return _from_document(answer, now=self._now())
                except _Unusable as error:
                    raise SourceFailed(
                        f"{show(source.owner)} gives no credentials that can be used: {error}"
                    ) from None


def _from_document(document: Document, *, now: float) -> SessionCredentials:
    """Read what a process prints (SDK reference guide, "Process credential provider"), or a service."""
    try:
        key = AccessKey(
            document["AccessKeyId"], document["SecretAccessKey"], document.get("SessionToken") or None
        )
        said = document.get("Expiration")
        expiration = None if said is None else epoch_of(said)
    except KeyError as error:
        raise _Unusable(f"{error} is missing or wrong") from None
    except (TypeError, ValueError):
        raise _Unusable("'Expiration' is missing or wrong") from None
    parts = (key.access_key_id, key.secret_access_key, key.session_token or "none")
    if not all(isinstance(part, str) for part in parts):
        raise _Unusable("its keys are no text")
    if not all(is_plain(part) for part in parts):
        raise _Unusable("its keys are empty, or have invalid characters")
    if expiration is not None and expiration <= now:
        raise _Unusable("they have expired")
    return SessionCredentials(key, issued=int(now), expiration=expiration)


def _document(text: str) -> Document:
    import json  # dear, and most keys stand in a file

    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _Unusable("it is no JSON") from None
    if not isinstance(document, dict) or document.get("Version") != 1:
        raise _Unusable("it has no Version 1")
    return document
