"""Sessions, composed: access key ▸ MFA session ▸ role ▸ cache.

`retrieve()` decides, makes one session under its lock, and decides again, until the wanted one
is there: look, lock, look again. To refresh is to call it again.
"""

from __future__ import annotations

import time

from gds_exec.credentials.cache import DeviceMemory
from gds_exec.credentials.key_source import KeySource
from gds_exec.credentials.mfa import Question
from gds_exec.credentials.plan import Held, check_account, check_minimum, decide
from gds_exec.credentials.request import (
    SessionTokenRequest,
    WebIdentityRequest,
    cache_key,
    device_key,
    is_answer_for,
)
from gds_exec.errors import AssumeRoleDenied, PackedPolicyTooLarge, SourceCredentialsInvalid
from gds_exec.expiry import is_valid
from gds_exec.lean import Value
from gds_exec.redaction import show
from gds_exec.terminal import Continued, Suspended, suspend_this_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gds_exec.config.profiles import Profile
    from gds_exec.credentials.background import PreparedAws
    from gds_exec.credentials.cache import SessionCache
    from gds_exec.credentials.locks import Locks
    from gds_exec.credentials.mfa import CodeSource, TokenCodes
    from gds_exec.credentials.plan import Asked, Plan
    from gds_exec.credentials.request import Origin, Request
    from gds_exec.credentials.token_source import TokenSource
    from gds_exec.session import AccessKey, SessionCredentials


class Outlook(Value):
    """What there is to do, what is held of each of its steps, and where a code would come from."""

    plan: Plan
    held: tuple[SessionCredentials | None, ...]
    code_sources: tuple[CodeSource, ...]


class Provider:
    """The sessions of one profile, as they were asked for."""

    def __init__(
        self,
        profile: Profile,
        asked: Asked,
        *,
        origin: Origin,
        source: KeySource | TokenSource,
        aws: PreparedAws,
        cache: SessionCache,
        locks: Locks,
        codes: TokenCodes,
        make_session_name: Callable[[], str],
        notice: Callable[[str], None],
        now: Callable[[], float] = time.time,
        suspend: Callable[[], None] = suspend_this_process,
    ) -> None:
        self._profile = profile
        self._asked = asked
        self._origin = origin
        self._source = source
        self._aws = aws
        self._cache = cache
        self._locks = locks
        self._codes = self._all_codes = codes
        self._make_session_name = make_session_name
        self._notice = notice
        self._now = now
        self._suspend = suspend
        self._made: dict[str, SessionCredentials] = {}
        self._just_made: set[str] = set()
        self._refused: set[str] = set()
        self._noticed: set[str] = set()
        self._denied: str | None = None  # the cache key of the role that was refused without MFA
        self.kept_under: str | None = None  # the cache key of what was retrieved

    def retrieve(self, *, with_person: bool = True) -> SessionCredentials:
        """Return a session as it was asked for: cached, made, or made after asking for a code.

        Raise a `GdsExecError` that says why there is none; `NobodyToAsk` also where it takes a person
        and that is not wanted.
        """
        self._codes = self._all_codes if with_person else self._all_codes.without_person()
        self._just_made.clear()
        while True:
            try:
                plan = self._plan()
                if plan.is_complete:
                    return self._finish(plan)
                self._advance(plan)
            except Suspended:
                # The locks are free again: stop now, and look at everything anew when continued.
                self._suspend()
                self._just_made.clear()
            except Continued:  # stopped by a signal that we cannot block
                self._just_made.clear()

    def held(self) -> SessionCredentials | None:
        """Return the session that is at hand for what was asked, if AWS still takes it.

        Raise `WrongAccount` for one of another account than is expected.
        """
        plan = self._decide(self._profile)
        for chain in (plan.requests, self._with_known_device(plan).requests):
            held = self._look(chain) if chain else None
            if held is not None and is_valid(held.session, self._now()):
                self._check_account(held.session)
                self.kept_under = cache_key(self._origin, chain)
                return held.session
        return None

    def outlook(self) -> Outlook:
        """Return what `retrieve()` would begin with now. Nothing is made, fetched or asked for."""
        plan = self._plan()
        chains = (plan.requests[: length + 1] for length in range(len(plan.requests)))
        found = (self._look(chain) for chain in chains)
        held = tuple(one.session if one else None for one in found)
        return Outlook(plan, held, self._codes.available_sources)

    def _plan(self) -> Plan:
        plan = self._decide(self._profile)
        if plan.is_complete:
            return plan
        known = self._with_known_device(plan)
        return known if known.is_complete else plan

    def _with_known_device(self, plan: Plan) -> Plan:
        """Return the plan with the device that once opened this role, if it names none itself.

        That is a guess for what to ask, but not for what is there.
        """
        if self._profile.mfa_serial is not None or not plan.requests:
            return plan
        device = self._cache.device_of(cache_key(self._origin, plan.requests[:1]))
        return self._decide(self._profile.but(mfa_serial=device)) if device else plan

    def _decide(self, profile: Profile) -> Plan:
        return decide(
            profile,
            self._asked,
            look=self._look,
            now=self._now(),
            source_is_temporary=self._source.is_temporary,
        )

    def _look(self, chain: tuple[Request, ...]) -> Held | None:
        key = cache_key(self._origin, chain)
        if key in self._just_made:
            return Held(self._made[key], is_just_made=True)
        kept = (self._cache.find(key), self._made.get(key))  # the disk may be full, or there be none
        sound = [session for session in kept if session and self._is_sound(session, chain[-1])]
        return Held(max(sound, key=lambda session: session.seconds_left(0))) if sound else None

    def _is_sound(self, session: SessionCredentials, request: Request) -> bool:
        return session.access_key.access_key_id not in self._refused and is_answer_for(session.arn, request)

    def _finish(self, plan: Plan) -> SessionCredentials:
        session = plan.session or self._own_keys()
        self._check_account(session)
        self.kept_under = cache_key(self._origin, plan.requests) if plan.requests else None
        check_minimum(session, self._asked, now=self._now())
        if self._denied is not None:
            self._cache.keep_device(self._denied, self._profile.mfa_serial or "")
            self._notice(f"put mfa_serial = {show(self._profile.mfa_serial or '')} into the role's profile")
            self._denied = None
        for notice in plan.notices:
            if notice not in self._noticed:
                self._noticed.add(notice)
                self._notice(notice)
        self._asked = self._asked.but(new_session=False)  # it is new now; a refresh need not be
        return session

    def _check_account(self, session: SessionCredentials) -> None:
        if self._asked.expected_account is not None:
            arn = session.arn or self._aws.caller_arn(session.access_key)
            check_account(arn, self._asked.expected_account)

    def _advance(self, plan: Plan) -> None:
        """Make the next session of the plan, unless another process has made it meanwhile."""
        key = cache_key(self._origin, plan.next_chain)
        if plan.device is not None and not self._codes.is_available:
            self._own_keys()  # those that are a session's need no code where there is no role
            if self._plan().requests != plan.requests:
                return
            raise self._codes.why_nobody(self._question(plan.device))
        with self._locks.hold(key):
            if self._plan().done > plan.done:
                return
            request = plan.next_chain[-1]
            if isinstance(request, WebIdentityRequest):
                session: SessionCredentials | None = self._exchange(request)
            else:
                parent = plan.session or self._own_keys()
                if self._plan().requests != plan.requests:
                    return  # only now is it known that the source is itself a session
                session = self._make_or_start_again(plan, parent.access_key)
            if session is not None:
                self._made[key] = session
                self._just_made.add(key)
                self._cache.keep(key, session, about=self._called(plan.next_chain[-1]))

    def _own_keys(self) -> SessionCredentials:
        """Return the keys that the chain begins with; one that begins with a token never comes here."""
        assert isinstance(self._source, KeySource)  # noqa: S101
        return self._source.fetch()

    def _exchange(self, request: WebIdentityRequest) -> SessionCredentials:
        assert not isinstance(self._source, KeySource)  # noqa: S101  # such a plan begins with a token
        name = request.session_name or self._make_session_name()
        self._locks.mention_passed()
        return self._aws.exchange(request, self._source.fetch(), session_name=name)

    def _make_or_start_again(self, plan: Plan, key: AccessKey) -> SessionCredentials | None:
        """Return the new session, or `None` where a second way is worth trying."""
        try:
            return self._make(plan.next_chain[-1], key)
        except SourceCredentialsInvalid as error:
            if plan.session is None:
                from gds_exec.credentials.aws_errors import of_keys

                raise of_keys(show(self._profile.source.owner), error) from error
            name = cache_key(self._origin, plan.requests[: plan.done])
            if name in self._just_made:
                hint = "AWS gave it a moment ago: try again, and look at its status page if that goes on"
                raise SourceCredentialsInvalid(error.message, hint=hint, code=error.code) from error
            self._forget(name, key)
        except AssumeRoleDenied as error:
            if plan.done > 0 or self._profile.mfa_serial is not None:
                raise
            self._profile = self._with_found_device(error, key)
            self._denied = cache_key(self._origin, plan.requests[:1])
        except PackedPolicyTooLarge:
            if not self._asked.job_tags:
                raise
            self._asked = self._asked.but(job_tags=())
            self._notice("AWS has no room for the tags of the CI job: trying once more without them")
        return None

    def _make(self, request: Request, key: AccessKey) -> SessionCredentials:
        asked_name = None if isinstance(request, SessionTokenRequest) else request.session_name
        name = asked_name or self._make_session_name()
        if request.mfa_serial is None:
            self._locks.mention_passed()
            return self._aws.make_session(request, key, session_name=name)
        device = device_key(self._origin, request.mfa_serial)
        with self._locks.hold(device):
            self._locks.mention_passed()
            self._aws.expect_code_for(key)
            if self._locks.has_waited:  # whoever was before us may have found the keys to be of no use
                self._aws.finish_check()
            return self._codes.spend(
                self._question(request.mfa_serial),
                DeviceMemory(self._cache, device),
                lambda code: self._aws.make_session(request, key, session_name=name, token_code=code),
                check=self._aws.finish_check,
            )

    def _forget(self, name: str, key: AccessKey) -> None:
        """Drop a session that AWS no longer knows, unless another process has replaced it."""
        self._refused.add(key.access_key_id)  # the disk may not let go of it
        self._made.pop(name, None)
        with self._locks.hold(name):
            found = self._cache.find(name)
            if found is not None and found.access_key.access_key_id == key.access_key_id:
                self._cache.drop(name)

    def _with_found_device(self, error: AssumeRoleDenied, key: AccessKey) -> Profile:
        """Return the profile with an MFA device of the user's, where a code could be had from it.

        Raise the denial, with the device in its hint, where none could.
        """
        device = self._profile.source_mfa_serial
        if device is None and not key.is_temporary:
            device = self._aws.totp_device(key)
        if device is None:
            raise error
        profile = self._profile.but(mfa_serial=device)
        if self._decide(profile).device is not None and not self._codes.is_available:
            if self._codes is not self._all_codes:  # a person, who was not wanted, might help
                raise self._codes.why_nobody(self._question(device)) from error
            from gds_exec.credentials.aws_errors import denied_hint

            raise AssumeRoleDenied(error.message, hint=denied_hint(device), code=error.code) from error
        self._notice(f"AWS refused the role without MFA: trying once more with {show(device)}")
        return profile

    def _called(self, request: Request) -> str:
        if isinstance(request, SessionTokenRequest):
            return request.mfa_serial
        is_wanted = request.role_arn == self._profile.roles[-1].role_arn
        return self._profile.name if is_wanted else request.role_arn

    def _question(self, device: str) -> Question:
        return Question(role=self._profile.name, device=device)
