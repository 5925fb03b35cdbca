"""When to renew a session, and when to ask a person: pure.

A shell's prompt, `credential-process` and the endpoint all decide by this.
A session without an expiration (long-lived keys) is always enough. Every limit is a number of
seconds or a part of the session's life, whichever is less, so that short sessions are not always due.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.session import SessionCredentials

# botocore renews what has less than 15 minutes left; from 10 minutes on it fails where it cannot.
_RENEW_SECONDS, _RENEW_PART = 900, 4
_ASK_SECONDS, _ASK_PART = 300, 12
_EARLY_SECONDS, _EARLY_PART = 60, 15
_RETRY_SECONDS, _RETRY_PART = 30, 8
_SHORTEST_RETRY_SECONDS = 1.0
_ASK_AGAIN_SECONDS = 120
_SHORTEST_PAUSE_SECONDS, _SHORTEST_PAUSE_PART = 60, 60


def is_due(session: "SessionCredentials", now: float) -> bool:
    """Return whether it is time to renew this session, as far as nobody need be asked."""
    left = session.seconds_left(now)
    return session.is_from_the_future(now) or left < session.part_of_life(_RENEW_SECONDS, _RENEW_PART)


def is_worth_a_question(session: "SessionCredentials", now: float) -> bool:
    """Return whether so little is left that a person should be asked, where only that helps."""
    left = session.seconds_left(now)
    return session.is_from_the_future(now) or left < session.part_of_life(_ASK_SECONDS, _ASK_PART)


def is_valid(session: "SessionCredentials", now: float) -> bool:
    """Return whether AWS still takes this session."""
    return session.seconds_left(now) > 0 and not session.is_from_the_future(now)


def renew_at(session: "SessionCredentials") -> float:
    """Return when it becomes due, by this machine's clock: seconds since the epoch, or infinity."""
    return _moment(session, session.part_of_life(_RENEW_SECONDS, _RENEW_PART))


def expires_at(session: "SessionCredentials") -> float:
    """Return when AWS refuses it, by this machine's clock: seconds since the epoch, or infinity."""
    return _moment(session, 0)


def early_seconds(session: "SessionCredentials") -> int:
    """Return by how much to name its end too early to those who only ask again when it has come.

    That is what Go's SDKs do with a `credential_process`.
    """
    return 0 if session.expiration is None else int(session.part_of_life(_EARLY_SECONDS, _EARLY_PART))


def retry_seconds(session: "SessionCredentials", now: float) -> float:
    """Return how long to leave a renewal that failed, so that there are several tries before the end."""
    left = session.seconds_left(now)
    return (
        _RETRY_SECONDS if left <= 0 else max(_SHORTEST_RETRY_SECONDS, min(_RETRY_SECONDS, left / _RETRY_PART))
    )


def ask_again_seconds(session: "SessionCredentials", now: float) -> float:
    """Return how long to leave a person who did not give a code: not ever less towards the end."""
    left = session.seconds_left(now)
    if left <= 0:
        return _ASK_AGAIN_SECONDS
    return max(
        session.part_of_life(_SHORTEST_PAUSE_SECONDS, _SHORTEST_PAUSE_PART), min(_ASK_AGAIN_SECONDS, left / 2)
    )


def _moment(session: "SessionCredentials", seconds_left: float) -> float:
    if session.expiration is None:
        return float("inf")
    return session.expiration - max(0, session.clock_offset) - seconds_left
