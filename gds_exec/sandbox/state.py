"""The sandbox's state: its clock, users, roles and sessions."""

import time as system_time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import RLock

from gds_exec.sandbox.principals import (
    Caller,
    Credentials,
    Role,
    SignInToken,
    User,
    new_id,
    new_secret_access_key,
    new_session_token,
)


@dataclass(eq=False)
class Aws:
    """A small AWS. Its users and roles may change while it serves."""

    time: Callable[[], float] = system_time.time
    users: dict[str, User] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock, repr=False)
    signin_tokens: dict[str, SignInToken] = field(default_factory=dict, repr=False)
    _sessions: dict[str, Credentials] = field(default_factory=dict, repr=False)

    def now(self) -> float:
        """Return the time by the sandbox's clock, in seconds since the epoch."""
        return self.time()

    def add_user(self, name: str, *, account: str = "111111111111") -> User:
        user = User(name, account, new_id("AIDA"), new_id("AKIA"), new_secret_access_key(), self.now)
        self.users[user.access_key_id] = user
        return user

    def add_role(
        self,
        name: str,
        *,
        trust: Iterable[str],
        account: str = "222222222222",
        require_mfa: bool = False,
        max_session: int = 3600,
        also_allows: Iterable[str] = (),
    ) -> Role:
        role = Role(
            name,
            account,
            new_id("AROA"),
            tuple(trust),
            require_mfa=require_mfa,
            max_session=max_session,
            also_allows=tuple(also_allows),
        )
        self.roles[role.arn] = role
        return role

    def issue(self, caller: Caller, *, duration_seconds: int) -> Credentials:
        """Make a session for `caller`."""
        session = Credentials(
            new_id("ASIA"),
            new_secret_access_key(),
            caller,
            token=new_session_token(),
            expiration=int(self.now()) + duration_seconds,
        )
        self._sessions[session.access_key_id] = session
        return session

    def credentials(self, access_key_id: str) -> Credentials | None:
        """Return the credentials with this access key id, if there are any."""
        user = self.users.get(access_key_id)
        if user is None:
            return self._sessions.get(access_key_id)
        caller = Caller(user.arn, user.account, user.user_id, user=user)
        return Credentials(access_key_id, user.secret_access_key, caller)
