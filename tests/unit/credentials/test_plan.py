from collections.abc import Callable
from typing import Any

import pytest

from gds_exec.config.profiles import Profile, Role
from gds_exec.config.sources import (
    TOKEN_FILE,
    ContainerRole,
    EnvironmentKeys,
    StoredKeys,
    WebIdentityToken,
)
from gds_exec.credentials.plan import Asked, Held, Plan, check_account, check_minimum, decide
from gds_exec.credentials.request import (
    AssumeRoleRequest,
    Request,
    SessionTokenRequest,
    WebIdentityRequest,
)
from gds_exec.credentials.session_scope import READ_ONLY_ARN, Scope
from gds_exec.errors import SessionTooShort, UsageError, WrongAccount
from gds_exec.session import SessionCredentials
from tests.fakes import NOON, a_session

HOUR = 3600
SERIAL = "arn:aws:iam::111111111111:mfa/alice"
FIRST = "arn:aws:iam::222222222222:role/first"
ADMIN = "arn:aws:iam::333333333333:role/admin"

KEYS = Profile("keys", StoredKeys("base", "AKIAEXAMPLE", "secret"))
KEYS_WITH_MFA = KEYS.but(mfa_serial=SERIAL)
ROLE = KEYS.but(name="admin", roles=(Role(ADMIN),))
ROLE_WITH_MFA = ROLE.but(mfa_serial=SERIAL)
CHAINED = ROLE.but(roles=(Role(FIRST, session_name="to-first"), Role(ADMIN)))
CHAINED_WITH_MFA = CHAINED.but(mfa_serial=SERIAL)
CHAINED_8H = CHAINED.but(roles=(Role(FIRST, duration_seconds=8 * HOUR), Role(ADMIN)))

MFA_SESSION = SessionTokenRequest(SERIAL, 12 * HOUR)


def assume(
    role_arn: str = ADMIN, seconds: int = HOUR, *, name: str | None = None, serial: str | None = None
) -> AssumeRoleRequest:
    return AssumeRoleRequest(role_arn, seconds, session_name=name, mfa_serial=serial)


def holding(held: dict[tuple[Request, ...], Held]) -> Callable[[tuple[Request, ...]], Held | None]:
    return held.get


def decided(
    profile: Profile,
    asked: Asked = Asked(),  # noqa: B008  # a frozen value
    *held: tuple[tuple[Request, ...], Held],
    now: float = NOON,
    source_is_temporary: bool = False,
) -> Plan:
    look = holding(dict(held))
    return decide(profile, asked, look=look, now=now, source_is_temporary=source_is_temporary)


@pytest.mark.parametrize(
    ("profile", "asked", "source_is_temporary", "requests"),
    [
        pytest.param(
            ROLE_WITH_MFA, Asked(), False, (MFA_SESSION, assume()), id="an hour: from the MFA session"
        ),
        pytest.param(
            ROLE_WITH_MFA,
            Asked(duration_seconds=HOUR),
            False,
            (MFA_SESSION, assume()),
            id="just an hour asked for: from the MFA session",
        ),
        pytest.param(
            ROLE_WITH_MFA,
            Asked(duration_seconds=900),
            False,
            (MFA_SESSION, assume(seconds=900)),
            id="15 min: from the MFA session",
        ),
        pytest.param(
            ROLE_WITH_MFA,
            Asked(duration_seconds=HOUR + 1),
            False,
            (assume(seconds=HOUR + 1, serial=SERIAL),),
            id="a second more than an hour: with the code",
        ),
        pytest.param(
            ROLE_WITH_MFA,
            Asked(duration_seconds=12 * HOUR),
            False,
            (assume(seconds=12 * HOUR, serial=SERIAL),),
            id="12 h: with the code",
        ),
        pytest.param(
            ROLE_WITH_MFA.but(roles=(Role(ADMIN, duration_seconds=8 * HOUR),)),
            Asked(),
            False,
            (assume(seconds=8 * HOUR, serial=SERIAL),),
            id="8 h by the profile: with the code",
        ),
        pytest.param(
            ROLE_WITH_MFA.but(roles=(Role(ADMIN, duration_seconds=8 * HOUR),)),
            Asked(duration_seconds=HOUR),
            False,
            (MFA_SESSION, assume()),
            id="what is asked for stands before the profile",
        ),
        pytest.param(
            ROLE_WITH_MFA,
            Asked(min_remaining_seconds=2 * HOUR),
            False,
            (assume(seconds=2 * HOUR, serial=SERIAL),),
            id="a minimum above the duration raises it",
        ),
        pytest.param(ROLE, Asked(), False, (assume(),), id="no MFA: directly"),
        pytest.param(
            ROLE,
            Asked(duration_seconds=8 * HOUR),
            False,
            (assume(seconds=8 * HOUR),),
            id="no MFA, 8 h: directly",
        ),
        pytest.param(
            CHAINED_WITH_MFA,
            Asked(),
            False,
            (MFA_SESSION, assume(FIRST, name="to-first"), assume()),
            id="chained: the MFA session opens the first hop",
        ),
        pytest.param(
            CHAINED_WITH_MFA,
            Asked(duration_seconds=8 * HOUR),
            False,
            (MFA_SESSION, assume(FIRST, name="to-first"), assume()),
            id="chained, 8 h: capped at an hour",
        ),
        pytest.param(
            CHAINED, Asked(), False, (assume(FIRST, name="to-first"), assume()), id="chained without MFA"
        ),
        pytest.param(
            CHAINED_8H, Asked(), False, (assume(FIRST), assume()), id="a first hop of 8 h: capped as well"
        ),
        pytest.param(
            CHAINED,
            Asked(duration_seconds=900, session_name="mine"),
            False,
            (assume(FIRST, name="to-first"), assume(seconds=900, name="mine")),
            id="the name and duration asked for are the last role's",
        ),
        pytest.param(
            ROLE, Asked(duration_seconds=8 * HOUR), True, (assume(),), id="from a session: capped at an hour"
        ),
        pytest.param(
            ROLE_WITH_MFA,
            Asked(),
            True,
            (assume(serial=SERIAL),),
            id="from a session: no GetSessionToken, which AWS refuses",
        ),
        pytest.param(KEYS, Asked(), False, (), id="keys alone: as they are"),
        pytest.param(KEYS, Asked(), True, (), id="a session alone: as it is"),
        pytest.param(KEYS_WITH_MFA, Asked(), True, (), id="a session with MFA: as it is"),
        pytest.param(KEYS_WITH_MFA, Asked(), False, (MFA_SESSION,), id="keys with MFA: their MFA session"),
        pytest.param(
            KEYS_WITH_MFA,
            Asked(duration_seconds=36 * HOUR),
            False,
            (SessionTokenRequest(SERIAL, 36 * HOUR),),
            id="keys with MFA: 36 h at most",
        ),
        pytest.param(
            KEYS_WITH_MFA.but(duration_seconds=HOUR),
            Asked(),
            False,
            (SessionTokenRequest(SERIAL, HOUR),),
            id="keys with MFA: the profile's duration",
        ),
        pytest.param(
            KEYS_WITH_MFA.but(duration_seconds=HOUR),
            Asked(min_remaining_seconds=2 * HOUR),
            False,
            (SessionTokenRequest(SERIAL, 2 * HOUR),),
            id="keys with MFA: a minimum above the duration raises it",
        ),
    ],
)
def test_the_route_from_the_keys_to_the_session(
    profile: Profile, asked: Asked, source_is_temporary: bool, requests: tuple[Request, ...]
) -> None:
    plan = decided(profile, asked, source_is_temporary=source_is_temporary)

    assert plan.requests == requests
    assert plan.done == 0
    assert plan.is_complete == (requests == ())


def test_external_id_and_session_name_of_the_profile_are_asked_of_sts() -> None:
    profile = ROLE.but(roles=(Role(ADMIN, session_name="ours", external_id="theirs"),))

    assert decided(profile).requests == (AssumeRoleRequest(ADMIN, HOUR, "ours", "theirs"),)
    assert decided(profile, Asked(session_name="mine")).requests == (
        AssumeRoleRequest(ADMIN, HOUR, "mine", "theirs"),
    )


@pytest.mark.parametrize(
    ("profile", "asked", "source_is_temporary", "words"),
    [
        pytest.param(
            CHAINED, Asked(duration_seconds=8 * HOUR), False, "reached through another role", id="chained"
        ),
        pytest.param(ROLE, Asked(duration_seconds=8 * HOUR), True, "assumed with a session", id="session"),
        pytest.param(KEYS, Asked(), False, "keys has no role: its keys are used as they are", id="keys"),
        pytest.param(
            KEYS, Asked(), True, "keys has no role: its keys are used as they are", id="own session"
        ),
    ],
)
def test_what_the_person_may_not_expect_is_said(
    profile: Profile, asked: Asked, source_is_temporary: bool, words: str
) -> None:
    (notice,) = decided(profile, asked, source_is_temporary=source_is_temporary).notices

    assert words in notice


@pytest.mark.parametrize("profile", [CHAINED, ROLE, ROLE_WITH_MFA, KEYS_WITH_MFA], ids=lambda p: p.name)
def test_nothing_is_said_where_everything_is_as_asked(profile: Profile) -> None:
    assert decided(profile).notices == ()


@pytest.mark.parametrize(
    ("profile", "asked"),
    [
        pytest.param(ROLE, Asked(duration_seconds=899), id="role below 15 min"),
        pytest.param(ROLE, Asked(duration_seconds=12 * HOUR + 1), id="role above 12 h"),
        pytest.param(ROLE, Asked(min_remaining_seconds=12 * HOUR + 1), id="minimum above 12 h"),
        pytest.param(CHAINED, Asked(duration_seconds=13 * HOUR), id="chained above 12 h"),
        pytest.param(KEYS_WITH_MFA, Asked(duration_seconds=899), id="MFA session below 15 min"),
        pytest.param(KEYS_WITH_MFA, Asked(duration_seconds=36 * HOUR + 1), id="MFA session above 36 h"),
    ],
)
def test_what_aws_never_gives_is_a_usage_error(profile: Profile, asked: Asked) -> None:
    with pytest.raises(UsageError):
        decided(profile, asked)


@pytest.mark.parametrize(
    ("profile", "source_is_temporary"),
    [pytest.param(CHAINED, False, id="chained"), pytest.param(ROLE, True, id="from a session")],
)
def test_a_minimum_above_the_cap_fails_before_any_call(profile: Profile, source_is_temporary: bool) -> None:
    with pytest.raises(SessionTooShort, match="at least 1h1s"):
        decided(profile, Asked(min_remaining_seconds=HOUR + 1), source_is_temporary=source_is_temporary)


MFA_CHAIN: tuple[Request, ...] = (MFA_SESSION,)
ROLE_CHAIN: tuple[Request, ...] = (MFA_SESSION, assume())


def left(seconds: float, *, life: int = HOUR, mark: str = "0001") -> Held:
    """Return a cached session of that life, with so many seconds left at NOON."""
    issued = NOON + int(seconds) - life
    return Held(a_session(mark, issued=issued, life=life))


@pytest.mark.parametrize(
    ("held", "asked", "is_used"),
    [
        pytest.param(left(HOUR), Asked(), True, id="fresh"),
        pytest.param(left(300), Asked(), True, id="5 min of an hour"),
        pytest.param(left(299), Asked(), False, id="less than 5 min of an hour"),
        pytest.param(left(225, life=900), Asked(), True, id="a quarter of 15 min"),
        pytest.param(left(224, life=900), Asked(), False, id="less than a quarter of 15 min"),
        pytest.param(left(0), Asked(), False, id="expired"),
        pytest.param(left(-HOUR), Asked(), False, id="long expired"),
        pytest.param(left(1800), Asked(min_remaining_seconds=1800), True, id="the minimum asked for"),
        pytest.param(left(1799), Asked(min_remaining_seconds=1800), False, id="less than was asked for"),
        pytest.param(left(60), Asked(min_remaining_seconds=60), True, id="a minimum below the default"),
        pytest.param(left(HOUR), Asked(new_session=True), False, id="a new one is wanted"),
        pytest.param(left(3590), Asked(new_session=True, at=NOON - 11), True, id="made since that was asked"),
        pytest.param(left(3590), Asked(new_session=True, at=NOON - 10), False, id="made just before"),
    ],
)
def test_a_cached_role_session_is_used_while_enough_time_is_left(
    held: Held, asked: Asked, is_used: bool
) -> None:
    plan = decided(ROLE_WITH_MFA, asked, (ROLE_CHAIN, held))

    assert plan.is_complete is is_used
    assert plan.session is (held.session if is_used else None)


@pytest.mark.parametrize(
    ("held", "asked", "is_used"),
    [
        pytest.param(left(900, life=12 * HOUR), Asked(), True, id="15 min of 12 h"),
        pytest.param(left(899, life=12 * HOUR), Asked(), False, id="less than 15 min of 12 h"),
        pytest.param(left(225, life=900), Asked(), True, id="a quarter of 15 min"),
        pytest.param(left(224, life=900), Asked(), False, id="less than a quarter of 15 min"),
        pytest.param(
            left(900, life=12 * HOUR),
            Asked(min_remaining_seconds=HOUR),
            True,
            id="the minimum is for what the command gets",
        ),
        pytest.param(
            left(HOUR, life=12 * HOUR), Asked(new_session=True), True, id="a new role session is wanted"
        ),
    ],
)
def test_a_cached_mfa_session_opens_a_role_while_enough_time_is_left(
    held: Held, asked: Asked, is_used: bool
) -> None:
    plan = decided(ROLE_WITH_MFA, asked, (MFA_CHAIN, held))

    assert plan.done == int(is_used)
    assert plan.session is (held.session if is_used else None)
    assert plan.device == (None if is_used else SERIAL)


def test_the_end_of_the_chain_is_looked_for_first() -> None:
    role, mfa = left(HOUR, mark="0001"), left(HOUR, mark="0002")

    assert decided(ROLE_WITH_MFA, Asked(), (ROLE_CHAIN, role), (MFA_CHAIN, mfa)).session is role.session


def test_an_expired_end_of_the_chain_is_made_from_what_stands_before_it() -> None:
    plan = decided(ROLE_WITH_MFA, Asked(), (ROLE_CHAIN, left(10)), (MFA_CHAIN, left(HOUR)))

    assert plan.next_chain == ROLE_CHAIN
    assert plan.done == 1


def test_a_new_session_is_not_made_from_a_cached_session_of_another_role() -> None:
    first = (MFA_SESSION, assume(FIRST, name="to-first"))

    plan = decided(CHAINED_WITH_MFA, Asked(new_session=True), (first, left(HOUR)), (MFA_CHAIN, left(HOUR)))

    assert plan.next_chain == first


@pytest.mark.parametrize("asked", [Asked(), Asked(new_session=True), Asked(min_remaining_seconds=HOUR)])
def test_a_session_just_made_is_used_whatever_its_length(asked: Asked) -> None:
    just_made = Held(a_session(life=1), is_just_made=True)

    assert decided(ROLE_WITH_MFA, asked, (ROLE_CHAIN, just_made)).session is just_made.session


@pytest.mark.parametrize(
    ("seconds_back", "clock_offset", "is_used"),
    [
        pytest.param(300, 0, True, id="5 min are tolerated"),
        pytest.param(301, 0, False, id="more are not"),
        pytest.param(86_400, 0, False, id="a day"),
        pytest.param(86_400, 86_400, True, id="a clock known to be a day behind"),
        pytest.param(0, -86_400, False, id="a clock that was a day ahead and no longer is"),
    ],
)
def test_a_session_of_the_future_is_not_used_for_the_clock_went_back(
    seconds_back: int, clock_offset: int, is_used: bool
) -> None:
    session = a_session(clock_offset=clock_offset)

    plan = decided(ROLE_WITH_MFA, Asked(), (ROLE_CHAIN, Held(session)), now=NOON - seconds_back)

    assert plan.is_complete is is_used


@pytest.mark.parametrize(
    ("held", "is_used"),
    [
        pytest.param(left(HOUR), True, id="fresh"),
        pytest.param(left(900), True, id="15 min of an hour"),
        pytest.param(left(899), False, id="less than 15 min of an hour"),
        pytest.param(left(225, life=900), True, id="a quarter of 15 min"),
        pytest.param(left(224, life=900), False, id="less than a quarter of 15 min"),
        pytest.param(Held(a_session(life=1), is_just_made=True), True, id="just made"),
    ],
)
def test_who_renews_does_not_take_what_is_due(held: Held, is_used: bool) -> None:
    plan = decided(ROLE_WITH_MFA, Asked(renewing=True), (ROLE_CHAIN, held))

    assert plan.is_complete is is_used


def test_who_renews_begins_with_what_still_opens_the_role() -> None:
    plan = decided(ROLE_WITH_MFA, Asked(renewing=True), (ROLE_CHAIN, left(600)), (MFA_CHAIN, left(HOUR)))

    assert plan.next_chain == ROLE_CHAIN


def aged(seconds: float, *, life: int = 12 * HOUR, clock_offset: int = 0) -> Held:
    """Return a cached session that was made so many seconds before NOON."""
    return Held(a_session(issued=NOON - int(seconds), life=life, clock_offset=clock_offset))


FRESH_CODE = Asked(mfa_max_age_seconds=900)


@pytest.mark.parametrize(
    ("mfa", "is_young_enough"),
    [
        pytest.param(aged(900), True, id="as old as may be"),
        pytest.param(aged(901), False, id="older"),
        pytest.param(aged(899, clock_offset=2), False, id="by the clock of AWS"),
        pytest.param(Held(a_session(issued=NOON - 5000), is_just_made=True), True, id="just made"),
        pytest.param(None, False, id="unknown"),
    ],
)
@pytest.mark.parametrize("is_role_cached", [True, False])
def test_a_code_older_than_was_asked_for_opens_nothing(
    mfa: Held | None, is_young_enough: bool, is_role_cached: bool
) -> None:
    role = ((ROLE_CHAIN, aged(0, life=HOUR)),) if is_role_cached else ()

    plan = decided(ROLE_WITH_MFA, FRESH_CODE, *role, *(((MFA_CHAIN, mfa),) if mfa else ()))

    assert plan.done == ((2 if is_role_cached else 1) if is_young_enough else 0)
    assert (plan.device == SERIAL) is not is_young_enough


def test_a_role_session_is_not_taken_that_goes_back_to_an_older_code_than_the_one_that_is_known() -> None:
    before, after = aged(600, life=HOUR), aged(300)

    plan = decided(ROLE_WITH_MFA, FRESH_CODE, (ROLE_CHAIN, before), (MFA_CHAIN, after))

    assert (plan.done, plan.session) == (1, after.session)


def test_a_long_session_is_as_old_as_its_own_code() -> None:
    asked = FRESH_CODE.but(duration_seconds=8 * HOUR)
    chain: tuple[Request, ...] = (assume(seconds=8 * HOUR, serial=SERIAL),)

    assert decided(ROLE_WITH_MFA, asked, (chain, aged(900))).is_complete
    assert not decided(ROLE_WITH_MFA, asked, (chain, aged(901))).is_complete


def test_without_mfa_no_code_is_too_old() -> None:
    chain: tuple[Request, ...] = (assume(),)

    assert decided(ROLE, FRESH_CODE, (chain, aged(1800, life=HOUR))).is_complete


def test_a_session_made_shorter_than_the_minimum_asked_for_is_refused() -> None:
    with pytest.raises(SessionTooShort, match=r"at least 1h .* gives this session 15m"):
        check_minimum(a_session(life=900), Asked(min_remaining_seconds=HOUR), now=NOON)


@pytest.mark.parametrize(
    ("session", "asked"),
    [
        pytest.param(a_session(life=10), Asked(), id="no minimum asked for"),
        pytest.param(a_session(life=HOUR), Asked(min_remaining_seconds=HOUR), id="as asked"),
        pytest.param(a_session(life=HOUR - 3), Asked(min_remaining_seconds=HOUR), id="its making took time"),
    ],
)
def test_a_session_made_as_long_as_was_asked_for_is_good(session: SessionCredentials, asked: Asked) -> None:
    check_minimum(session, asked, now=NOON)


SCOPE = Scope("{}", (READ_ONLY_ARN,), (("team", "pay"),), ("team",), "alice")


def scoped(scope: Scope | None, **more: Any) -> Asked:
    return Asked(scope=scope, **more)


@pytest.mark.parametrize(
    ("profile", "asked", "requests"),
    [
        pytest.param(ROLE, scoped(SCOPE), (assume().but(scope=SCOPE),), id="the only role: all"),
        pytest.param(
            ROLE_WITH_MFA, scoped(SCOPE), (MFA_SESSION, assume().but(scope=SCOPE)), id="not the MFA session"
        ),
        pytest.param(
            ROLE_WITH_MFA,
            scoped(SCOPE, duration_seconds=8 * HOUR),
            (assume(seconds=8 * HOUR, serial=SERIAL).but(scope=SCOPE),),
            id="with the code",
        ),
        pytest.param(
            CHAINED,
            scoped(SCOPE),
            (
                assume(FIRST, name="to-first").but(scope=Scope(source_identity="alice")),
                assume().but(scope=SCOPE.but(source_identity=None)),
            ),
            id="chained: the source identity to the first, the rest to the last",
        ),
        pytest.param(
            CHAINED,
            scoped(Scope(tags=(("team", "pay"),))),
            (assume(FIRST, name="to-first"), assume().but(scope=Scope(tags=(("team", "pay"),)))),
            id="chained: nothing to the first",
        ),
        pytest.param(
            CHAINED.but(roles=(Role(FIRST, external_id="its"), Role(ADMIN, external_id="theirs"))),
            scoped(Scope(external_id="mine")),
            (assume(FIRST).but(external_id="its"), assume().but(external_id="mine")),
            id="the external id is the last one's",
        ),
        pytest.param(
            ROLE.but(roles=(Role(ADMIN, external_id="theirs"),)),
            scoped(Scope(source_identity="alice")),
            (assume().but(external_id="theirs", scope=Scope(source_identity="alice")),),
            id="the profile's external id stays where no other is asked for",
        ),
    ],
)
def test_each_part_of_a_scope_goes_to_its_place_in_the_chain(
    profile: Profile, asked: Asked, requests: tuple[Request, ...]
) -> None:
    assert decided(profile, asked).requests == requests


def test_an_external_id_that_is_asked_for_finds_the_session_that_the_profile_s_has_made() -> None:
    profile = ROLE.but(roles=(Role(ADMIN, external_id="an-id"),))

    assert decided(profile, scoped(Scope(external_id="an-id"))) == decided(profile)


def test_a_session_of_another_scope_is_not_used() -> None:
    plan = decided(ROLE, scoped(SCOPE), ((assume(),), left(HOUR)))

    assert not plan.is_complete


@pytest.mark.parametrize("profile", [KEYS, KEYS_WITH_MFA])
def test_without_a_role_nothing_can_be_scoped(profile: Profile) -> None:
    with pytest.raises(UsageError, match="profile keys has no role"):
        decided(profile, scoped(SCOPE))


JOB = ROLE.but(source=WebIdentityToken(TOKEN_FILE, "/token"))
FAR_JOB = JOB.but(roles=(Role(FIRST, session_name="to-first"), Role(ADMIN)))
LONG_ROLE = (Role(ADMIN, duration_seconds=8 * HOUR),)


def exchange(
    role_arn: str = ADMIN, seconds: int = HOUR, *, name: str | None = None, scope: Scope | None = None
) -> WebIdentityRequest:
    return WebIdentityRequest(role_arn, seconds, name, scope)


@pytest.mark.parametrize(
    ("profile", "asked", "requests"),
    [
        pytest.param(JOB, Asked(), (exchange(),), id="the role itself"),
        pytest.param(
            JOB, Asked(duration_seconds=8 * HOUR), (exchange(seconds=8 * HOUR),), id="no cap on the first hop"
        ),
        pytest.param(
            JOB.but(roles=LONG_ROLE), Asked(), (exchange(seconds=8 * HOUR),), id="as the profile has it"
        ),
        pytest.param(JOB, Asked(session_name="ci-1"), (exchange(name="ci-1"),), id="by a name"),
        pytest.param(
            JOB.but(mfa_serial=SERIAL), Asked(), (exchange(),), id="a token knows nothing of MFA devices"
        ),
        pytest.param(
            FAR_JOB,
            Asked(session_name="ci-1"),
            (exchange(FIRST, name="to-first"), assume(name="ci-1")),
            id="its own role first",
        ),
        pytest.param(
            FAR_JOB.but(roles=(Role(FIRST), *LONG_ROLE)),
            Asked(),
            (exchange(FIRST), assume(seconds=HOUR)),
            id="beyond its own role an hour at most",
        ),
        pytest.param(
            FAR_JOB.but(roles=(Role(FIRST, duration_seconds=900), Role(ADMIN, external_id="an-id"))),
            Asked(),
            (exchange(FIRST, 900), assume().but(external_id="an-id")),
            id="each as its profile has it",
        ),
        pytest.param(
            JOB,
            scoped(Scope("{}", (READ_ONLY_ARN,))),
            (exchange(scope=Scope("{}", (READ_ONLY_ARN,))),),
            id="with policies",
        ),
        pytest.param(
            FAR_JOB,
            scoped(SCOPE),
            (exchange(FIRST, name="to-first"), assume().but(scope=SCOPE)),
            id="a scope, source identity included, is for what the token's session assumes",
        ),
    ],
)
def test_a_token_leads_to_the_session(profile: Profile, asked: Asked, requests: tuple[Request, ...]) -> None:
    plan = decided(profile, asked)

    assert plan.requests == requests
    assert plan.device is None


@pytest.mark.parametrize(
    "scope",
    [
        Scope(tags=(("team", "pay"),)),
        Scope(source_identity="alice"),
        Scope(external_id="an-id"),
        Scope(tags=(("team", "pay"),), transitive_tags=("team",)),
    ],
)
def test_what_a_token_brings_itself_cannot_be_asked_of_its_session(scope: Scope) -> None:
    with pytest.raises(UsageError, match="brings its own tags and identities"):
        decided(JOB, scoped(scope))


def test_beyond_an_hour_a_role_behind_a_token_s_own_is_capped_and_that_is_said() -> None:
    assert decided(FAR_JOB, Asked(duration_seconds=2 * HOUR)).notices == (
        "a role reached through another role lasts 1h at most: 2h were asked for",
    )


def test_a_cached_session_of_a_token_is_used() -> None:
    assert decided(JOB, Asked(), ((exchange(),), left(HOUR))).is_complete
    assert decided(FAR_JOB, Asked(), ((exchange(FIRST, name="to-first"),), left(HOUR))).done == 1


TAGS = (("Build", "7"), ("team", "theirs"))


@pytest.mark.parametrize(
    ("profile", "asked", "requests", "notices"),
    [
        pytest.param(
            ROLE, Asked(job_tags=TAGS), (assume().but(scope=Scope(tags=TAGS)),), (), id="the only role"
        ),
        pytest.param(
            ROLE,
            Asked(job_tags=TAGS, scope=Scope(tags=(("Team", "ours"),))),
            (assume().but(scope=Scope(tags=(("Build", "7"), ("Team", "ours")))),),
            (),
            id="beside those that were asked for, which win",
        ),
        pytest.param(
            CHAINED,
            Asked(job_tags=TAGS),
            (assume(FIRST, name="to-first"), assume().but(scope=Scope(tags=TAGS))),
            (),
            id="chained: the last role",
        ),
        pytest.param(
            FAR_JOB,
            Asked(job_tags=TAGS),
            (exchange(FIRST, name="to-first"), assume().but(scope=Scope(tags=TAGS))),
            (),
            id="behind a token's own role",
        ),
        pytest.param(
            JOB,
            Asked(job_tags=TAGS),
            (exchange(),),
            ("a web identity token brings its own tags: those of the CI job are left out",),
            id="not a token's own role",
        ),
    ],
)
def test_the_tags_of_a_job_go_to_the_wanted_role(
    profile: Profile, asked: Asked, requests: tuple[Request, ...], notices: tuple[str, ...]
) -> None:
    plan = decided(profile, asked)

    assert (plan.requests, plan.notices) == (requests, notices)


@pytest.mark.parametrize(
    "source",
    [
        EnvironmentKeys("ASIA", "secret", "token", outer_role="outer"),
        ContainerRole("http://127.0.0.1:1/", outer_role="outer"),
    ],
)
def test_a_role_assumed_from_an_outer_one_lasts_an_hour_and_both_are_said(
    source: EnvironmentKeys | ContainerRole,
) -> None:
    plan = decided(ROLE.but(source=source), Asked(duration_seconds=2 * HOUR), source_is_temporary=True)

    assert plan.requests == (assume(),)
    assert plan.notices == (
        "admin is assumed from the outer role outer, whose own source is not here any more",
        "a role assumed with a session lasts 1h at most: 2h were asked for",
    )


@pytest.mark.parametrize("source", [EnvironmentKeys("AKIA", "secret"), ContainerRole("/1", is_path=True)])
def test_nothing_is_said_of_a_source_that_is_the_caller_s_own(
    source: EnvironmentKeys | ContainerRole,
) -> None:
    assert decided(ROLE.but(source=source)).notices == ()


@pytest.mark.parametrize("profile", [ROLE, ROLE_WITH_MFA, CHAINED, JOB, FAR_JOB])
def test_a_role_of_another_account_than_is_expected_is_refused_before_any_call(profile: Profile) -> None:
    assert decided(profile, Asked(expected_account="333333333333")).requests
    with pytest.raises(WrongAccount, match="is in account 333333333333, and 222222222222 is expected"):
        decided(profile, Asked(expected_account="222222222222"))  # that of the first hop, at most


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::111111111111:user/alice",
        "arn:aws-cn:sts::111111111111:assumed-role/admin/alice",
        "arn:aws:iam::111111111111:root",
    ],
)
def test_whoever_is_of_the_account_is_of_the_account(arn: str) -> None:
    check_account(arn, "111111111111")
    with pytest.raises(WrongAccount) as failure:
        check_account(arn, "222222222222")

    assert "--expect-account" in str(failure.value.hint)
