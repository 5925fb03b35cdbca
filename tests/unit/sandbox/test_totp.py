import base64

import pyotp
import pytest

from gds_exec.sandbox.totp import code_at_step, new_secret, step_at

RFC_6238_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("now", "code"),
    [
        # RFC 6238, appendix B, the last six of its eight digits.
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(now: int, code: str) -> None:
    assert code_at_step(RFC_6238_SECRET, step_at(now)) == code


@pytest.mark.parametrize("now", [0, 29.99, 30, 1700000000])
def test_a_new_secret_gives_the_codes_of_an_authenticator_app(now: float) -> None:
    secret = new_secret()
    assert code_at_step(secret, step_at(now)) == pyotp.TOTP(secret).at(int(now))
