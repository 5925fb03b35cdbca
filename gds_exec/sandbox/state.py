"""The sandbox's memory: its clock, users, roles and sessions, and the calls that were made."""

import time as system_time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import RLock

from gds_exec.sandbox.faults import Fault, FaultQueue
from gds_exec.sandbox.principals import (
    Caller,
    Credentials,
    LongLivedKey,
    Role,
    SignInToken,
    TokenTrust,
    User,
    new_id,
    new_secret_access_key,
    new_session_token,
)
from gds_exec.sandbox.workloads import GitHubJob, Machine, OidcProvider


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached the sandbox; of a secret in it shows only that it was there.

    `status` is 0 where a fault took the place of any answer.
    """

    action: str
    parameters: dict[str, str]
    access_key_id: str
    status: int
    error_code: str = ""


@dataclass(eq=False)
class Aws:
    """A little AWS of its own; everything may be changed while it serves.

    `clock_offset` moves its clock by seconds; `life_override` is the true life in seconds of every
    session whatever was asked for; STS refuses to work in `disabled_regions`. The metadata service
    speaks for `instance`.
    """

    time: Callable[[], float] = system_time.time
    clock_offset: float = 0
    life_override: int | None = None
    disabled_regions: set[str] = field(default_factory=set)
    users: dict[str, User] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    oidc_providers: list[OidcProvider] = field(default_factory=list)
    instance: Machine | None = None
    containers: dict[str, Machine] = field(default_factory=dict)
    github: GitHubJob = field(default_factory=GitHubJob)
    calls: list[Call] = field(default_factory=list)
    faults: FaultQueue = field(default_factory=FaultQueue, repr=False)
    lock: RLock = field(default_factory=RLock, repr=False)
    signin_tokens: dict[str, SignInToken] = field(default_factory=dict, repr=False)
    _sessions: dict[str, Credentials] = field(default_factory=dict, repr=False)

    def now(self) -> float:
        """Return the time by the sandbox's clock, in seconds since the epoch."""
        return self.time() + self.clock_offset

    def add_user(
        self, name: str, *, account: str = "111111111111", may_list_mfa_devices: bool = True
    ) -> User:
        key = LongLivedKey(new_id("AKIA"), new_secret_access_key())
        user = User(name, account, key, new_id("AIDA"), self.now, may_list_mfa_devices)
        self.users[key.access_key_id] = user
        return user

    def add_role(
        self,
        name: str,
        *,
        trust: Iterable[str],
        account: str = "222222222222",
        path: str = "/",
        require_mfa: bool = False,
        mfa_max_age: int | None = None,
        external_id: str | None = None,
        max_session: int = 3600,
        also_allows: Iterable[str] = (),
        token_trust: Iterable[TokenTrust] = (),
    ) -> Role:
        role = Role(
            name,
            account,
            new_id("AROA"),
            tuple(trust),
            path=path,
            require_mfa=require_mfa,
            mfa_max_age=mfa_max_age,
            external_id=external_id,
            max_session=max_session,
            also_allows=tuple(also_allows),
            token_trust=tuple(token_trust),
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
        """Make a session for `caller`."""
        life = duration_seconds if self.life_override is None else self.life_override
        session = Credentials(
            new_id("ASIA"),
            new_secret_access_key(),
            caller,
            token=new_session_token(),
            expiration=int(self.now()) + life,
        )
        self._sessions[session.access_key_id] = session
        return session

    def credentials(self, access_key_id: str) -> Credentials | None:
        """Return what AWS knows under `access_key_id`: nothing if that was switched off."""
        user = self.users.get(access_key_id)
        if user is None:
            return self._sessions.get(access_key_id)
        if not user.key.active:
            return None
        caller = Caller(user.arn, user.account, user.user_id, user=user)
        return Credentials(access_key_id, user.secret_access_key, caller)

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
