"""The sandbox AWS in a process of its own, so that its work is charged to neither side."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.managers import BaseManager
from typing import Any

from gds_exec.sandbox.mfa_device import MfaDevice
from tests.aws.sandbox import Aws
from tests.aws.server import serve


@dataclass(frozen=True, slots=True)
class Account:
    """A user with an MFA device, and two roles that trust nobody else."""

    access_key_id: str
    secret_access_key: str
    mfa_serial: str
    open_role_arn: str
    mfa_role_arn: str


@dataclass(frozen=True, slots=True)
class Calls:
    """How many calls arrived, and of what kind."""

    total: int
    with_a_code: int
    for_a_role: int


class Sandbox:
    """What the benchmark asks of the sandbox; it lives over there, and is called from here."""

    def __init__(self) -> None:
        self._aws = Aws()
        self._devices: dict[str, MfaDevice] = {}
        self._serving = ExitStack()
        self._url = self._serving.enter_context(serve(self._aws))

    def url(self) -> str:
        return self._url

    def add_account(self) -> Account:
        number = len(self._devices)
        user = self._aws.add_user(f"engineer-{number}")
        device = user.add_mfa_device()
        self._devices[device.serial] = device
        return Account(
            user.access_key_id,
            user.secret_access_key,
            device.serial,
            self._aws.add_role(f"open-{number}", trust=[user.arn]).arn,
            self._aws.add_role(f"mfa-{number}", trust=[user.arn], require_mfa=True).arn,
        )

    def code(self, mfa_serial: str) -> str:
        """Return what the device shows: good once, so an account is good for one question."""
        return self._devices[mfa_serial].code()

    def take_calls(self) -> Calls:
        """Count the calls since this was last asked, and forget them."""
        with self._aws.lock:
            calls = tuple(self._aws.calls)
            self._aws.calls.clear()
        return Calls(
            total=len(calls),
            with_a_code=sum("TokenCode" in call.parameters for call in calls),
            for_a_role=sum(call.action == "AssumeRole" for call in calls),
        )

    def working_seconds(self) -> float:
        """Return the processor time of the sandbox's process: what its answers took, and no waiting."""
        return time.process_time()


class _Elsewhere(BaseManager):
    Sandbox: Any


_Elsewhere.register("Sandbox", Sandbox)


@contextmanager
def sandbox_elsewhere() -> Iterator[Sandbox]:
    """Start a sandbox in a process of its own, and end it."""
    with _Elsewhere(ctx=multiprocessing.get_context("spawn")) as manager:
        yield manager.Sandbox()
