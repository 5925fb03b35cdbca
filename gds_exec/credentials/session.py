"""Credentials as values: a long-lived access key, and a session that AWS STS gave.

Small slotted classes that print nothing of what they hold; never changed after construction.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

_CLOCK_TOLERANCE_SECONDS = 300


class AccessKey:
    """An access key, with a session token if it is itself temporary."""

    __slots__ = ("access_key_id", "secret_access_key", "session_token")

    def __init__(self, access_key_id: str, secret_access_key: str, session_token: str | None = None) -> None:
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.session_token = session_token

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…{self.access_key_id[-4:]})"

    @property
    def is_temporary(self) -> bool:
        return self.session_token is not None


class SessionCredentials:
    """What to sign with until `expiration`; long-lived keys have none.

    `issued` and `expiration` are seconds since the epoch by AWS's clock, which is
    `clock_offset` seconds ahead of the clock of this machine.
    """

    __slots__ = ("access_key", "arn", "clock_offset", "expiration", "issued")

    def __init__(
        self,
        access_key: AccessKey,
        *,
        issued: int,
        expiration: int | None,
        arn: str = "",
        clock_offset: int = 0,
    ) -> None:
        self.access_key = access_key
        self.issued = issued
        self.expiration = expiration
        self.arn = arn
        self.clock_offset = clock_offset

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…{self.access_key.access_key_id[-4:]}, expiration={self.expiration})"

    @classmethod
    def long_lived(cls, access_key: AccessKey, *, now: float) -> "Self":
        return cls(access_key, issued=int(now), expiration=None)

    def seconds_left(self, now: float) -> float:
        """Return the seconds until AWS refuses these credentials: infinity for long-lived keys.

        Never more than there are: a clock that was ahead may have been set right since.
        """
        if self.expiration is None:
            return float("inf")
        return self.expiration - (now + max(0, self.clock_offset))

    def age_seconds(self, now: float) -> float:
        """Return how many seconds ago it was made, never fewer: see `seconds_left`."""
        return now + max(0, self.clock_offset) - self.issued

    def is_from_the_future(self, now: float) -> bool:
        """Return whether the clock went back since it was made: then "not expired" means nothing."""
        return self.issued - _CLOCK_TOLERANCE_SECONDS > now + self.clock_offset

    def life_seconds(self) -> float:
        """Return how many seconds the session was made for."""
        return float("inf") if self.expiration is None else self.expiration - self.issued
