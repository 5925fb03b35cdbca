import base64

import pyotp
import pytest

from gds_exec.sandbox.mfa_device import MfaDevice, code_at_step, new_secret, step_at


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_010.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def device(clock: Clock) -> MfaDevice:
    return MfaDevice("arn:aws:iam::111111111111:mfa/alice", clock)


@pytest.mark.parametrize(
    ("step_offset", "is_good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_code_is_good_in_its_step_and_the_two_beside_it(
    device: MfaDevice, step_offset: int, is_good: bool
) -> None:
    assert device.spend(device.code(step_offset)) is is_good


def test_a_code_is_good_once(device: MfaDevice) -> None:
    assert device.spend(device.code())
    assert not device.spend(device.code())
    assert device.spend(device.code(1))


def test_a_code_spent_early_is_still_spent_when_its_step_comes(device: MfaDevice, clock: Clock) -> None:
    assert device.spend(device.code(1))
    clock.now += 30
    assert not device.spend(device.code())


def test_each_spent_step_is_told(clock: Clock) -> None:
    told: list[int] = []
    device = MfaDevice("arn:aws:iam::111111111111:mfa/alice", clock, told.append)
    device.spend(device.code())
    device.spend("no code")
    device.spend(device.code(-1))
    assert told == [clock.now // 30, clock.now // 30 - 1]


def test_the_secret_is_not_printed(device: MfaDevice) -> None:
    assert device.secret not in repr(device)


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
