"""MFA devices that show codes."""

import base64
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

STEP_SECONDS = 30
_DIGITS = 6


def new_secret() -> str:
    """Return a random secret as AWS shows it: base32, without padding."""
    return base64.b32encode(secrets.token_bytes(40)).decode("ascii")


def step_at(now: float) -> int:
    """Return the number of the step that `now`, in seconds since the epoch, lies in."""
    return int(now // STEP_SECONDS)


def code_at_step(secret: str, step: int) -> str:
    """Return the code that a device with this base32 `secret` shows during `step`."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}}"


def steps_accepted_at(step: int) -> tuple[int, int, int]:
    """Return the steps whose codes AWS takes during `step`, the likeliest first."""
    return (step, step + 1, step - 1)


@dataclass(slots=True, eq=False)
class MfaDevice:
    """A device that shows a new code every 30 s; AWS takes each of them once."""

    serial: str
    clock: Callable[[], float] = field(repr=False)
    on_spent: Callable[[int], None] | None = field(default=None, repr=False)
    secret: str = field(default_factory=new_secret, repr=False)
    enabled_at: float = 0.0
    _spent_steps: set[int] = field(default_factory=set, repr=False)

    def code(self, step_offset: int = 0) -> str:
        """Return what the device shows now, or `step_offset` steps from now."""
        return code_at_step(self.secret, step_at(self.clock()) + step_offset)

    def spend(self, code: str) -> bool:
        """Return whether `code` is good, after which it no longer is."""
        for step in steps_accepted_at(step_at(self.clock())):
            if step not in self._spent_steps and code == code_at_step(self.secret, step):
                self._spent_steps.add(step)
                if self.on_spent is not None:
                    self.on_spent(step)
                return True
        return False
