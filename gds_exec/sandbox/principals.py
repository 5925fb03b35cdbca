"""Who acts in the sandbox: users with their keys and devices, roles with their trust, callers."""

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gds_exec.sandbox.mfa_device import MfaDevice

_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(slots=True, eq=False)
class User:
    """An IAM user with one access key."""

    name: str
    account: str
    user_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    clock: Callable[[], float] = field(repr=False)
    devices: list[MfaDevice] = field(default_factory=list)

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:user/{self.name}"

    def add_mfa_device(
        self, name: str | None = None, *, on_spent: Callable[[int], None] | None = None
    ) -> MfaDevice:
        """Add a device that shows codes; `on_spent` is told each step whose code AWS has taken."""
        serial = f"arn:aws:iam::{self.account}:mfa/{name or self.name}"
        device = MfaDevice(serial, self.clock, on_spent, enabled_at=self.clock())
        self.devices.append(device)
        return device


@dataclass(slots=True, eq=False)
class Role:
    """An IAM role; `trust` holds the principals of its trust policy: ARNs, accounts or `*`.

    `also_allows` holds the actions that the trust policy allows besides `sts:AssumeRole`, such as
    `sts:TagSession`. `max_session` is in seconds.
    """

    name: str
    account: str
    role_id: str
    trust: tuple[str, ...]
    require_mfa: bool = False
    external_id: str | None = None
    max_session: int = 3600
    also_allows: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role/{self.name}"

    def trusts(self, caller: "Caller", *, external_id: str | None) -> bool:
        """Return whether `caller` may assume this role."""
        names = {caller.arn, caller.account, f"arn:aws:iam::{caller.account}:root", "*"}
        if caller.role is not None:
            names.add(caller.role.arn)
        return (
            not names.isdisjoint(self.trust)
            and self.external_id in (None, external_id)
            and (caller.has_mfa or not self.require_mfa)
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request, and whether they proved it with an MFA device.

    `is_chained` is a role's session that was assumed with a session. `transitive_tags`, their keys in
    lower case, and `source_identity` go on to the sessions that it makes.
    """

    arn: str
    account: str
    user_id: str
    user: User | None = None
    role: Role | None = None
    is_temporary: bool = False
    has_mfa: bool = False
    is_chained: bool = False
    transitive_tags: Mapping[str, str] = field(default_factory=dict)
    source_identity: str | None = None


@dataclass(frozen=True, slots=True)
class SignInToken:
    """What lets a browser sign in to the console, once, as this caller."""

    caller: Caller
    expiration: float


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys that sign for a caller; those that STS issued have a token and end."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    caller: Caller
    token: str | None = field(default=None, repr=False)
    expiration: float = float("inf")


def new_id(prefix: str) -> str:
    """Return an identifier such as AWS gives: AKIA for a key, ASIA for a session's, AROA for a role."""
    return prefix + "".join(secrets.choice(_ID_ALPHABET) for _ in range(16))


def new_secret_access_key() -> str:
    return base64.b64encode(secrets.token_bytes(30)).decode("ascii")


def new_session_token() -> str:
    return base64.b64encode(secrets.token_bytes(270)).decode("ascii")
