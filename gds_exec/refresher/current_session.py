"""The session that a running command has: the newest of what was given, renewed, and found in the cache."""

from __future__ import annotations

from gds_exec.delivery.sdk_documents import endpoint_document, error_document
from gds_exec.expiry import is_due, is_valid
from gds_exec.refresher.endpoint import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gds_exec.session import SessionCredentials


class CurrentSession:
    """Always a whole session, its keys and its expiration of one piece."""

    def __init__(
        self,
        session: SessionCredentials,
        *,
        find: Callable[[], SessionCredentials | None],
        now: Callable[[], float],
    ) -> None:
        self._session = session
        self._find = find
        self._now = now
        self.why_not_newer = "it has not been renewed yet"

    def newest(self) -> SessionCredentials:
        """Return the newest session; the cache is looked at only when the known one is due."""
        if is_due(self._session, self._now()):
            self._look_in_cache()
        return self._session

    def take(self, session: SessionCredentials) -> None:
        """Hold this one, if AWS takes it for longer."""
        if self._seconds_valid(session) > self._seconds_valid(self._session):
            self._session = session

    def answer(self) -> Answer:
        """Return what the SDKs are told: always the session while AWS takes it.

        They ask rarely, and may be told of one that somebody has renewed before it was due.
        """
        self._look_in_cache()
        session = self._session
        if is_valid(session, self._now()):
            return Answer(200, endpoint_document(session))
        reason = f"gds-exec: the session has ended: {self.why_not_newer}"
        return Answer(503, error_document("SessionExpired", reason))

    def _look_in_cache(self) -> None:
        found = self._find()
        if found is not None and found.arn.rpartition("/")[0] == self._session.arn.rpartition("/")[0]:
            self.take(found)

    def _seconds_valid(self, session: SessionCredentials) -> float:
        # Where the clock was set back, the old one seems to last for ever.
        now = self._now()
        return session.seconds_left(now) if is_valid(session, now) else 0.0
