"""Sessions, composed: access key ▸ MFA session ▸ role ▸ cache.

`retrieve()` plans, makes one session under its lock, and plans again, until it has the session
that was asked for: look, lock, look again. To refresh is to call it again.
"""

from __future__ import annotations

from gds_exec.credentials.plan import check_account, check_minimum
from gds_exec.credentials.request import IdentityToken, SessionTokenRequest
from gds_exec.errors import AssumeRoleDenied, PackedPolicyTooLarge, SourceCredentialsInvalid
from gds_exec.expiry import is_valid
from gds_exec.lean import Value
from gds_exec.redaction import show
from gds_exec.terminal import Continued, Suspended, suspend_this_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gds_exec.credentials.chain_cache import Chain, ChainCache
    from gds_exec.credentials.key_source import KeySource
    from gds_exec.credentials.mfa import CodeSource, TokenCodes
    from gds_exec.credentials.plan import Plan
    from gds_exec.credentials.planner import Planner
    from gds_exec.credentials.request import Caller, Request
    from gds_exec.credentials.sts_calls import StsCalls
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
        planner: Planner,
        source: KeySource | TokenSource,
        sts: StsCalls,
        cache: ChainCache,
        *,
        notice: Callable[[str], None],
        suspend: Callable[[], None] = suspend_this_process,
    ) -> None:
        self._planner = planner
        self._source = source
        self._sts = sts
        self._cache = cache
        self._notice = notice
        self._suspend = suspend
        self._noticed: set[str] = set()
        self._denied: Chain | None = None  # the role that was refused without MFA
        self.kept_under: str | None = None  # the cache key of what was retrieved

    def retrieve(self, *, with_person: bool = True) -> SessionCredentials:
        """Return a session as it was asked for: cached, made, or made after asking for a code.

        Raise a `GdsExecError` that says why there is none. That is `NobodyToAsk` if a person is needed
        and `with_person` is false.
        """
        codes = self._sts.codes if with_person else self._sts.codes.without_person()
        self._cache.look_anew()
        while True:
            try:
                plan = self._planner.plan()
                if plan.is_complete:
                    return self._finish(plan)
                self._advance(plan, codes)
            except Suspended:
                # The locks are free again: stop now, and look at everything anew when continued.
                self._suspend()
                self._cache.look_anew()
            except Continued:  # stopped by a signal that we cannot block
                self._cache.look_anew()

    def held(self) -> SessionCredentials | None:
        """Return the session that is at hand for what was asked, if AWS still takes it.

        Raise `WrongAccount` for one of another account than is expected.
        """
        for chain in self._planner.chains():
            held = self._cache.find(chain) if chain else None
            if held is not None and is_valid(held.session, self._planner.now()):
                self._check_account(held.session)
                self.kept_under = self._cache.key(chain)
                return held.session
        return None

    def outlook(self) -> Outlook:
        """Return what `retrieve()` would begin with now. Nothing is made, fetched or asked for."""
        plan = self._planner.plan()
        chains = (plan.requests[: length + 1] for length in range(len(plan.requests)))
        found = map(self._cache.find, chains)
        held = tuple(one.session if one else None for one in found)
        return Outlook(plan, held, self._sts.codes.available_sources)

    def _finish(self, plan: Plan) -> SessionCredentials:
        session = plan.session or self._source.session()
        self._check_account(session)
        self.kept_under = self._cache.key(plan.requests) if plan.requests else None
        check_minimum(session, self._planner.asked, now=self._planner.now())
        device = self._planner.found_device
        if self._denied is not None and device is not None:
            self._cache.keep_device(self._denied, device)
            self._notice(f"put mfa_serial = {show(device)} into the role's profile")
            self._denied = None
        for notice in plan.notices:
            if notice not in self._noticed:
                self._noticed.add(notice)
                self._notice(notice)
        self._planner.is_served = True
        return session

    def _check_account(self, session: SessionCredentials) -> None:
        expected = self._planner.asked.expected_account
        if expected is not None:
            check_account(session.arn or self._sts.aws.api.caller_arn(session.access_key), expected)

    def _advance(self, plan: Plan, codes: TokenCodes) -> None:
        """Make the next session of the plan, unless another process has made it meanwhile."""
        if plan.device is not None and not codes.is_available:
            self._source.caller()  # keys that are a session's need no code where there is no role
            if self._planner.plan().requests != plan.requests:
                return
            raise codes.why_nobody(self._sts.question(plan.device))
        with self._cache.making(plan.next_chain):
            if self._planner.plan().done > plan.done:
                return
            caller = plan.session.access_key if plan.session else self._source.caller()
            if self._planner.plan().requests != plan.requests:
                return  # only now is it known that the source is itself a session
            session = self._make(plan, caller, codes)
            if session is not None:
                self._cache.keep(plan.next_chain, session, about=self._name_of(plan.next_chain[-1]))

    def _make(self, plan: Plan, caller: Caller, codes: TokenCodes) -> SessionCredentials | None:
        """Return the new session, or `None` if there is another way to try."""
        request = plan.next_chain[-1]
        if isinstance(caller, IdentityToken):
            return self._sts.make_session(request, caller, codes)
        try:
            return self._sts.make_session(request, caller, codes)
        except SourceCredentialsInvalid as error:
            self._forget_parent(plan, error)
        except AssumeRoleDenied as error:
            if plan.done > 0 or self._planner.mfa_serial is not None:
                raise
            self._planner.found_device = self._find_device(error, caller, codes)
            self._denied = plan.next_chain
        except PackedPolicyTooLarge:
            if not self._planner.asked.job_tags:
                raise
            self._planner.has_no_room_for_job_tags = True
            self._notice("AWS has no room for the tags of the CI job: trying once more without them")
        return None

    def _forget_parent(self, plan: Plan, error: SourceCredentialsInvalid) -> None:
        """Drop the session that AWS refuses. Raise if it is new, or if AWS refuses the source's keys."""
        if plan.session is None:
            from gds_exec.credentials.aws_errors import of_keys

            raise of_keys(show(self._planner.profile.source.owner), error) from error
        chain = plan.requests[: plan.done]
        if self._cache.is_just_made(chain):
            hint = "AWS gave it a moment ago: try again, and look at its status page if that goes on"
            raise SourceCredentialsInvalid(error.message, hint=hint, code=error.code) from error
        self._cache.forget(chain, plan.session)

    def _find_device(self, error: AssumeRoleDenied, key: AccessKey, codes: TokenCodes) -> str:
        """Return an MFA device of the user's that a code can be had from.

        Raise the denial if there is none, with the device in its hint if nobody can give the code.
        """
        device = self._planner.profile.source_mfa_serial
        if device is None and not key.is_temporary:
            device = self._sts.aws.api.totp_device(key)
        if device is None:
            raise error
        if self._planner.plan_with(device).device is not None and not codes.is_available:
            if codes.leaves_out_persons:  # a person might help, and none is to be asked
                raise codes.why_nobody(self._sts.question(device)) from error
            from gds_exec.credentials.aws_errors import denied_hint

            raise AssumeRoleDenied(error.message, hint=denied_hint(device), code=error.code) from error
        self._notice(f"AWS refused the role without MFA: trying once more with {show(device)}")
        return device

    def _name_of(self, request: Request) -> str:
        """Return the name of the session for a person."""
        if isinstance(request, SessionTokenRequest):
            return request.mfa_serial
        profile = self._planner.profile
        return profile.name if request.role_arn == profile.roles[-1].role_arn else request.role_arn
