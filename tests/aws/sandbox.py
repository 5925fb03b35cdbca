"""The sandbox as tests need it: everything of `gds-exec try`, and what tests may change or count."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from gds_exec.sandbox import principals, refusals, state
from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import Caller, Credentials, User, new_id

from .faults import Fault, FaultQueue
from .workloads import GitHubJob, Machine, OidcProvider


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached the sandbox. It says of a secret only that it was there.

    `status` is 0 if a fault took the place of any answer.
    """

    action: str
    parameters: dict[str, str]
    access_key_id: str
    status: int
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class TokenTrust:
    """A statement of a trust policy that lets in the tokens of an OIDC provider.

    `provider` is its URL without `https://`; `subject` and `audience` may hold AWS's wildcards.
    """

    provider: str
    subject: str = "*"
    audience: str = "*"


@dataclass(eq=False)
class Role(principals.Role):
    """A role that may have a path and let tokens in.

    `denies_everybody` stands for conditions that a request cannot see, such as the caller's address.
    """

    path: str = "/"
    token_trust: tuple[TokenTrust, ...] = ()
    denies_everybody: bool = False

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role{self.path}{self.name}"

    def trusts(self, caller: Caller, *, external_id: str | None) -> bool:
        return not self.denies_everybody and super().trusts(caller, external_id=external_id)

    def trusts_token(self, *, provider: str, subject: str, audience: str) -> bool:
        """Return whether a token whose signature and times are good opens this role."""
        return not self.denies_everybody and any(
            trust.provider == provider
            and _is_like(subject, trust.subject)
            and _is_like(audience, trust.audience)
            for trust in self.token_trust
        )


class SecurityKey(MfaDevice):
    """A FIDO key: AWS lists it, but it shows no codes and STS cannot use it."""

    def spend(self, code: str) -> NoReturn:
        raise refusals.unknown_serial()


def add_security_key(user: User, name: str = "key") -> SecurityKey:
    serial = f"arn:aws:iam::{user.account}:u2f/user/{user.name}/{name}-{new_id('')}"
    security_key = SecurityKey(serial, user.clock, enabled_at=user.clock())
    user.devices.append(security_key)
    return security_key


@dataclass(eq=False)
class Aws(state.Aws):
    """A small AWS whose tests may change it while it serves.

    `clock_offset` moves its clock by seconds. `life_override` is the true life in seconds of every
    session, whatever was asked for. STS refuses to work in `disabled_regions`. The metadata service
    speaks for `instance`.
    """

    clock_offset: float = 0
    life_override: int | None = None
    disabled_regions: set[str] = field(default_factory=set)
    oidc_providers: list[OidcProvider] = field(default_factory=list)
    instance: Machine | None = None
    containers: dict[str, Machine] = field(default_factory=dict)
    github: GitHubJob = field(default_factory=GitHubJob)
    calls: list[Call] = field(default_factory=list)
    faults: FaultQueue = field(default_factory=FaultQueue, repr=False)

    def now(self) -> float:
        return super().now() + self.clock_offset

    def add_role(
        self,
        name: str,
        *,
        trust: Iterable[str],
        account: str = "222222222222",
        also_allows: Iterable[str] = (),
        token_trust: Iterable[TokenTrust] = (),
        **more: object,
    ) -> Role:
        role = Role(
            name,
            account,
            new_id("AROA"),
            tuple(trust),
            also_allows=tuple(also_allows),
            token_trust=tuple(token_trust),
            **more,
        )
        self.roles[role.arn] = role
        return role

    def add_oidc_provider(
        self, issuer: str, *, account: str = "222222222222", audiences: Iterable[str] = ("sts.amazonaws.com",)
    ) -> OidcProvider:
        provider = OidcProvider(issuer.removeprefix("https://"), account, tuple(audiences))
        self.oidc_providers.append(provider)
        return provider

    def add_container(self, role: Role, *, session_seconds: int = 6 * 3600) -> Machine:
        container = Machine(new_id(""), role, session_seconds)
        self.containers[container.name] = container
        return container

    def oidc_provider(self, issuer: str, *, account: str) -> OidcProvider | None:
        """Return the account's provider for tokens of this `iss`."""
        for provider in self.oidc_providers:
            if (f"https://{provider.url}", provider.account) == (issuer, account):
                return provider
        return None

    def issue(self, caller: Caller, *, duration_seconds: int) -> Credentials:
        life = duration_seconds if self.life_override is None else self.life_override
        return super().issue(caller, duration_seconds=life)

    def switch_off_key(self, user: User) -> None:
        """Make the user's access key inactive: AWS no longer knows it."""
        del self.users[user.access_key_id]

    def revoke_sessions(self) -> None:
        """Forget every session: AWS no longer knows their tokens."""
        with self.lock:
            self._sessions.clear()

    def fail(self, action: str, fault: Fault) -> None:
        """Answer the next calls of `action` with `fault`."""
        self.faults.add(action, fault)

    def count(self, action: str) -> int:
        """Return how many calls of `action` arrived."""
        return sum(call.action == action for call in tuple(self.calls))


def _is_like(text: str, pattern: str) -> bool:
    """Return what IAM's StringLike says: `*` is any text, `?` any character."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None
