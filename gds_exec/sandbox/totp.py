"""The six digits that an MFA device shows: TOTP as in RFC 6238, with SHA-1 and steps of 30 s."""

import base64
import hmac
import secrets

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
