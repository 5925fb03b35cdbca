"""Who acts in the sandbox: users with their keys and devices, roles with their trust, callers."""

import base64
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gds_exec.sandbox.mfa_device import MfaDevice, SecurityKey

_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(slots=True, eq=False)
class LongLivedKey:
    """An access key of a user, which somebody may switch off."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    active: bool = True


@dataclass(slots=True, eq=False)
class User:
    """An IAM user with one access key."""

    name: str
    account: str
    key: LongLivedKey
    user_id: str
    clock: Callable[[], float] = field(repr=False)
    may_list_mfa_devices: bool = True
    devices: list[MfaDevice | SecurityKey] = field(default_factory=list)

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:user/{self.name}"

    @property
    def access_key_id(self) -> str:
        return self.key.access_key_id

    @property
    def secret_access_key(self) -> str:
        return self.key.secret_access_key

    def add_mfa_device(
        self, name: str | None = None, *, on_spent: Callable[[int], None] | None = None
    ) -> MfaDevice:
        """Add a device that shows codes; `on_spent` is told each step whose code AWS has taken."""
        serial = f"arn:aws:iam::{self.account}:mfa/{name or self.name}"
        device = MfaDevice(serial, self.clock, on_spent, enabled_at=self.clock())
        self.devices.append(device)
        return device

    def add_security_key(self, name: str = "key") -> SecurityKey:
        serial = f"arn:aws:iam::{self.account}:u2f/user/{self.name}/{name}-{new_id('')}"
        security_key = SecurityKey(serial, enabled_at=self.clock())
        self.devices.append(security_key)
        return security_key

    def device_with_codes(self, serial: str) -> MfaDevice | None:
        for device in self.devices:
            if isinstance(device, MfaDevice) and device.serial == serial:
                return device
        return None


@dataclass(frozen=True, slots=True)
class TokenTrust:
    """A statement of a trust policy that lets in whoever has such a token of an OIDC provider's.

    `provider` is its URL without `https://`; `subject` may hold AWS's wildcards.
    """

    provider: str
    subject: str = "*"
    audience: str = "*"


@dataclass(slots=True, eq=False)
class Role:
    """An IAM role; `trust` holds its trust policy's principals: ARNs, accounts, services or `*`.

    `token_trust` lets tokens in, each statement by itself. `also_allows` has the actions that it grants
    them all besides assuming it: session tags take one, and a source identity another. `max_session` and
    `mfa_max_age` are in seconds. `denies_everybody` stands for conditions that a request cannot see, the
    caller's address for one.
    """

    name: str
    account: str
    role_id: str
    trust: tuple[str, ...]
    path: str = "/"
    require_mfa: bool = False
    mfa_max_age: int | None = None
    external_id: str | None = None
    max_session: int = 3600
    also_allows: tuple[str, ...] = ()
    denies_everybody: bool = False
    token_trust: tuple[TokenTrust, ...] = ()

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role{self.path}{self.name}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request, and since when AWS knows that an MFA device was at hand.

    `is_chained` is a role's session that was assumed with a session. `transitive_tags`, their keys in
    lower case, and `source_identity` go on to the sessions that it makes.
    """

    arn: str
    account: str
    user_id: str
    user: User | None = None
    role: Role | None = None
    is_temporary: bool = False
    mfa_at: float | None = None
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


def is_trusted(caller: Caller, role: Role, *, external_id: str | None, now: float) -> bool:
    """Return whether `caller` may assume `role`: AWS says the same no to whatever was missing."""
    if role.denies_everybody or not _is_principal(caller, role):
        return False
    if role.external_id is not None and role.external_id != external_id:
        return False
    return _satisfies_mfa(caller, role, now=now)


def is_token_trusted(role: Role, *, provider: str, subject: str, audience: str) -> bool:
    """Return whether a token whose signature and times are good opens `role`."""
    return not role.denies_everybody and any(
        trust.provider == provider and _is_like(subject, trust.subject) and _is_like(audience, trust.audience)
        for trust in role.token_trust
    )


def _is_like(text: str, pattern: str) -> bool:
    """Return what IAM's StringLike says: `*` is any text, `?` any character."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _is_principal(caller: Caller, role: Role) -> bool:
    names = {caller.arn, caller.account, f"arn:aws:iam::{caller.account}:root", "*"}
    if caller.role is not None:
        names.add(caller.role.arn)
    return not names.isdisjoint(role.trust)


def _satisfies_mfa(caller: Caller, role: Role, *, now: float) -> bool:
    # aws:MultiFactorAuthAge is absent without MFA, and no numeric condition holds on an absent key.
    if role.mfa_max_age is not None:
        return caller.mfa_at is not None and now - caller.mfa_at < role.mfa_max_age
    return not role.require_mfa or caller.mfa_at is not None
