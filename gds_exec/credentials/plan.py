"""Which requests, in which order: the pure decision of (profile, cached, asked, now).

Two tiers. The MFA session (GetSessionToken with a code) opens every role of its device, but
AWS caps what is assumed from it at an hour, so longer sessions carry the code themselves.
"""

from __future__ import annotations

from gds_exec.config.profile_values import LONGEST_ROLE_SECONDS, SHORTEST_SECONDS
from gds_exec.config.sources import ContainerRole, EnvironmentKeys, WebIdentityToken
from gds_exec.credentials.request import AssumeRoleRequest, SessionTokenRequest, WebIdentityRequest
from gds_exec.errors import SessionTooShort, UsageError, WrongAccount
from gds_exec.expiry import is_due
from gds_exec.lean import Value
from gds_exec.options import duration_text
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gds_exec.config.profiles import Profile, Role
    from gds_exec.credentials.request import Request
    from gds_exec.credentials.session_scope import Scope
    from gds_exec.session import SessionCredentials

    Look = Callable[[tuple[Request, ...]], "Held | None"]

HOUR = 3600
DEFAULT_ROLE_SECONDS = HOUR
DEFAULT_MFA_SECONDS = 12 * HOUR
LONGEST_MFA_SECONDS = 36 * HOUR  # API_GetSessionToken
CHAINED_SECONDS = HOUR  # AWS's limit for what is assumed with a session

_MIN_SOURCE_SECONDS = 900
_CALL_SECONDS = 5  # of a session's life that its own making may take


class Asked(Value):
    """What the person asked of the session, beyond its role; `at` is when, in seconds since the epoch."""

    duration_seconds: int | None = None
    min_remaining_seconds: int | None = None
    session_name: str | None = None
    scope: Scope | None = None
    job_tags: tuple[tuple[str, str], ...] = ()  # of the CI job, which the session can do without
    mfa_max_age_seconds: int | None = None
    expected_account: str | None = None
    new_session: bool = False
    at: float = float("inf")
    renewing: bool = False  # what is due to be renewed is not enough


class Held(Value):
    """A session at hand; one that was just made is used whatever its length."""

    session: SessionCredentials
    is_just_made: bool = False


class Plan(Value):
    """A chain of requests, of which the first `done` need not be made: `session` is their yield."""

    requests: tuple[Request, ...]
    done: int = 0
    session: SessionCredentials | None = None
    notices: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.requests)

    @property
    def next_chain(self) -> tuple[Request, ...]:
        """The chain whose last request is the next to make."""
        return self.requests[: self.done + 1]

    @property
    def device(self) -> str | None:
        """The MFA device that a code is needed from, if one is still needed."""
        serials = (request.mfa_serial for request in self.requests[self.done :])
        return next((serial for serial in serials if serial is not None), None)


def decide(
    profile: Profile, asked: Asked, *, look: Look, now: float, source_is_temporary: bool = False
) -> Plan:
    """Return the shortest way from what is held to the session that was asked for.

    Raise `SessionTooShort` where AWS's limits cannot meet the minimum that was asked for, and
    `WrongAccount` where the role is not of the account that is expected.
    """
    if asked.expected_account is not None and profile.roles:
        check_account(profile.roles[-1].role_arn, asked.expected_account)
    requests, notices = _route(profile, asked, source_is_temporary=source_is_temporary)
    oldest = _oldest_code(requests, asked, look=look, now=now)
    for done in range(len(requests), 0, -1):
        held = look(requests[:done])
        is_wanted = done == len(requests)
        if (
            held is not None
            and (held.is_just_made or held.session.issued >= oldest)
            and _is_usable(held, requests[done - 1], asked, now=now, is_wanted=is_wanted)
        ):
            return Plan(requests, done, held.session, notices)
    return Plan(requests, 0, None, notices)


def check_minimum(session: SessionCredentials, asked: Asked, *, now: float) -> None:
    """Raise `SessionTooShort` if a session just made is shorter than the minimum asked for."""
    minimum = asked.min_remaining_seconds
    if minimum is not None and session.life_seconds() < minimum - _CALL_SECONDS:
        raise _too_short(minimum, int(session.seconds_left(now)))


def check_account(arn: str, expected: str) -> None:
    """Raise `WrongAccount` if this role, user or session is of another account."""
    account = arn.split(":")[4]
    if account != expected:
        raise WrongAccount(
            f"{show(arn)} is in account {show(account)}, and {show(expected)} is expected",
            hint="name the role of the other account, or correct --expect-account "
            "(gds_exec_expect_account in its profile)",
        )


def _oldest_code(requests: tuple[Request, ...], asked: Asked, *, look: Look, now: float) -> float:
    """Return since when sessions may have been made, by AWS's clock, for their code to be young enough.

    It is the first call that carries the code. What was made from a session that has been replaced
    since may go back to a code that is older than anyone knows.
    """
    if asked.mfa_max_age_seconds is None or not requests or requests[0].mfa_serial is None:
        return float("-inf")
    with_code = look(requests[:1])
    if with_code is None:
        return float("inf")
    if with_code.is_just_made or with_code.session.age_seconds(now) <= asked.mfa_max_age_seconds:
        return with_code.session.issued
    return float("inf")


def _is_usable(held: Held, request: Request, asked: Asked, *, now: float, is_wanted: bool) -> bool:
    session = held.session
    if held.is_just_made:
        return True
    is_new = session.age_seconds(now) < now - asked.at  # another process has made it while we waited
    if asked.new_session and not is_new and (is_wanted or not isinstance(request, SessionTokenRequest)):
        return False
    if is_wanted:
        if asked.renewing and is_due(session, now):
            return False
        return session.can_begin(now, min_remaining_seconds=asked.min_remaining_seconds)
    if session.is_from_the_future(now):
        return False
    return session.seconds_left(now) >= min(_MIN_SOURCE_SECONDS, session.life_seconds() / 4)


def _route(
    profile: Profile, asked: Asked, *, source_is_temporary: bool
) -> tuple[tuple[Request, ...], tuple[str, ...]]:
    if not profile.roles:
        return _keys_route(profile, asked, source_is_temporary=source_is_temporary)
    wanted = _wanted_seconds(profile, asked)
    is_chained = len(profile.roles) > 1
    limit = CHAINED_SECONDS if is_chained or source_is_temporary else LONGEST_ROLE_SECONDS
    seconds = min(wanted, limit)
    _check_reachable(asked, seconds)
    notices = tuple(_route_notices(profile, asked, wanted=wanted, seconds=seconds))
    first, *others = profile.roles
    first_seconds = _first_hop_seconds(first) if is_chained else seconds
    requests = _first_hop(profile, asked, first, first_seconds, source_is_temporary=source_is_temporary)
    for role in others:
        requests += (_assume(profile, role, asked, seconds),)
    return requests, notices


def _route_notices(profile: Profile, asked: Asked, *, wanted: int, seconds: int) -> Iterator[str]:
    source, is_chained = profile.source, len(profile.roles) > 1
    if isinstance(source, EnvironmentKeys | ContainerRole) and source.outer_role is not None:
        yield f"{profile.name} is assumed from {source.owner}, whose own source is not here any more"
    if seconds < wanted:
        yield _capped_notice(wanted, is_chained=is_chained)
    if asked.job_tags and not is_chained and isinstance(source, WebIdentityToken):
        yield "a web identity token brings its own tags: those of the CI job are left out"


def _first_hop(
    profile: Profile, asked: Asked, role: Role, seconds: int, *, source_is_temporary: bool
) -> tuple[Request, ...]:
    if isinstance(profile.source, WebIdentityToken):
        return (_exchange(profile, role, asked, seconds),)
    serial = profile.mfa_serial
    if serial is None:
        return (_assume(profile, role, asked, seconds),)
    if seconds > CHAINED_SECONDS or source_is_temporary:
        return (_assume(profile, role, asked, seconds, mfa_serial=serial),)
    session = SessionTokenRequest(serial, DEFAULT_MFA_SECONDS)
    return (session, _assume(profile, role, asked, seconds))


def _keys_route(
    profile: Profile, asked: Asked, *, source_is_temporary: bool
) -> tuple[tuple[Request, ...], tuple[str, ...]]:
    if asked.scope is not None:
        raise UsageError(
            f"profile {show(profile.name)} has no role: only a role's session can be scoped",
            hint="leave out what scopes the session, or name a role",
        )
    if profile.mfa_serial is None or source_is_temporary:
        return (), (f"{profile.name} has no role: its keys are used as they are",)
    wanted = asked.duration_seconds or profile.duration_seconds or DEFAULT_MFA_SECONDS
    seconds = max(wanted, asked.min_remaining_seconds or 0)
    _check_bounds(seconds, LONGEST_MFA_SECONDS)
    return (SessionTokenRequest(profile.mfa_serial, seconds),), ()


def _assume(
    profile: Profile, role: Role, asked: Asked, seconds: int, *, mfa_serial: str | None = None
) -> AssumeRoleRequest:
    is_wanted = role is profile.roles[-1]
    name = (asked.session_name if is_wanted else None) or role.session_name
    asked_scope = _scope(asked) if is_wanted else asked.scope
    if asked_scope is None:
        return AssumeRoleRequest(role.role_arn, seconds, name, role.external_id, mfa_serial)
    external_id = (asked_scope.external_id if is_wanted else None) or role.external_id
    is_first = role is profile.roles[1 if isinstance(profile.source, WebIdentityToken) else 0]
    scope = asked_scope.of_call(role.role_arn, is_first=is_first, is_wanted=is_wanted)
    return AssumeRoleRequest(role.role_arn, seconds, name, external_id, mfa_serial, scope)


def _exchange(profile: Profile, role: Role, asked: Asked, seconds: int) -> WebIdentityRequest:
    if role is not profile.roles[-1]:
        return WebIdentityRequest(role.role_arn, seconds, role.session_name)
    scope = asked.scope
    if scope is not None and not scope.is_of_policies_alone:
        raise UsageError(
            f"{show(profile.name)} is had by a web identity token, which brings its own tags and identities",
            hint="leave out --tag, --transitive-tag, --source-identity and --external-id",
        )
    name = asked.session_name or role.session_name
    told = scope.of_call(role.role_arn, is_first=True, is_wanted=True) if scope else None
    return WebIdentityRequest(role.role_arn, seconds, name, told)


def _scope(asked: Asked) -> Scope | None:
    """Return the scope that was asked for, with the tags of the CI job beside its own."""
    if not asked.job_tags:
        return asked.scope
    from gds_exec.credentials.session_scope import Scope

    return (asked.scope or Scope()).with_tags(asked.job_tags)


def _wanted_seconds(profile: Profile, asked: Asked) -> int:
    wanted = asked.duration_seconds or profile.roles[-1].duration_seconds or DEFAULT_ROLE_SECONDS
    wanted = max(wanted, asked.min_remaining_seconds or 0)
    _check_bounds(wanted, LONGEST_ROLE_SECONDS)
    return wanted


def _first_hop_seconds(role: Role) -> int:
    return min(role.duration_seconds or DEFAULT_ROLE_SECONDS, CHAINED_SECONDS)


def _check_bounds(seconds: int, longest: int) -> None:
    if not SHORTEST_SECONDS <= seconds <= longest:
        raise UsageError(
            f"a session of {duration_text(seconds)} cannot be had",
            hint=f"AWS gives {duration_text(SHORTEST_SECONDS)} to {duration_text(longest)}: "
            "change --duration or --min-remaining",
        )


def _check_reachable(asked: Asked, seconds: int) -> None:
    minimum = asked.min_remaining_seconds
    if minimum is not None and minimum > seconds:
        raise _too_short(minimum, seconds)


def _too_short(minimum: int, seconds: int) -> SessionTooShort:
    return SessionTooShort(
        f"at least {duration_text(minimum)} were asked for, "
        f"but AWS gives this session {duration_text(seconds)}",
        hint="ask for less with --min-remaining, or have the role's maximum session duration raised",
    )


def _capped_notice(wanted: int, *, is_chained: bool) -> str:
    why = "a role reached through another role" if is_chained else "a role assumed with a session"
    return f"{why} lasts 1h at most: {duration_text(wanted)} were asked for"
