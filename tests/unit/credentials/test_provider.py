from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gds_exec.config.profiles import Profile, Role
from gds_exec.config.sources import TOKEN_FILE, CredentialProcess, StoredKeys, WebIdentityToken
from gds_exec.credentials.background import PreparedAws
from gds_exec.credentials.cache import SessionCache, open_cache
from gds_exec.credentials.chain_cache import ChainCache
from gds_exec.credentials.key_source import KeySource
from gds_exec.credentials.locks import Holder, Locks
from gds_exec.credentials.mfa import Question, TokenCodes
from gds_exec.credentials.plan import Asked
from gds_exec.credentials.planner import Planner
from gds_exec.credentials.provider import Provider
from gds_exec.credentials.request import (
    AssumeRoleRequest,
    IdentityToken,
    Origin,
    SessionTokenRequest,
    WebIdentityRequest,
)
from gds_exec.credentials.session_scope import Scope
from gds_exec.credentials.silent_refresh import freshest
from gds_exec.credentials.sts_calls import StsCalls
from gds_exec.errors import (
    AssumeRoleDenied,
    NobodyToAsk,
    PackedPolicyTooLarge,
    SessionTooShort,
    SourceCredentialsInvalid,
    SourceFailed,
    TokenCodeRefused,
    WrongAccount,
)
from gds_exec.session import SessionCredentials
from gds_exec.terminal import Continued, Suspended
from tests.cached import cached_text, write_cached
from tests.fakes import Clock, FakeSts, Said, ScriptedCodes, a_session, never

if TYPE_CHECKING:
    from gds_exec.credentials.mfa import CodeSource

HOUR = 3600
DOCUMENT = '{"Version": 1, "AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "a-secret"}'
TEMPORARY_DOCUMENT = DOCUMENT.replace("}", ', "SessionToken": "a-token"}')
SERIAL = "arn:aws:iam::111111111111:mfa/alice"
KEYS = StoredKeys("base", "AKIAEXAMPLE", "a-secret")
READER = Profile("reader", KEYS, roles=(Role("arn:aws:iam::222222222222:role/reader"),), mfa_serial=SERIAL)
ADMIN = READER.but(name="admin", roles=(Role("arn:aws:iam::222222222222:role/admin"),))
CHAINED = READER.but(name="chained", roles=(*READER.roles, *ADMIN.roles))
OPEN = READER.but(name="open", mfa_serial=None)

JOB = Profile("job", WebIdentityToken(TOKEN_FILE, "/token"), roles=ADMIN.roles)
FAR_JOB = JOB.but(name="far", roles=(Role("arn:aws:iam::222222222222:role/ci"), *ADMIN.roles))

DENIED = AssumeRoleDenied("AWS refused the role: no", hint="the usual causes", code="AccessDenied")
INVALID = SourceCredentialsInvalid("AWS says that the session has expired", code="ExpiredToken")


class Tokens:
    """A CI that has these tokens, or failures, one after the other, and then no more."""

    identity = "a token"
    is_temporary = False

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)

    def caller(self) -> IdentityToken:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return IdentityToken(answer)


class World:
    """One machine with its cache, its clock and an AWS; each provider is a process of its own."""

    def __init__(self, cache_path: Path | None) -> None:
        self.clock = Clock()
        self.sts = FakeSts(self.clock)
        self.noticed = Said()
        self.warned = Said()
        self._cache_path = cache_path

    def open_cache(self) -> SessionCache:
        return open_cache(self._cache_path and str(self._cache_path), warn=self.warned)

    def provider(
        self,
        profile: Profile,
        asked: Asked = Asked(),  # noqa: B008  # a frozen value
        *,
        codes: CodeSource | None = None,
        run: Callable[[str], str] = never,
        cache: SessionCache | None = None,
        tokens: Tokens | None = None,
        **seams: Any,
    ) -> Provider:
        cache = cache or self.open_cache()
        source: Any = tokens or KeySource(profile.source, run=run, ask_metadata=never, now=self.clock)
        locks = Locks(
            cache.directory,
            me=Holder(1),
            timeout_seconds=10,
            tell=never,
            warn=never,
            clock=self.clock,
            sleep=never,
        )
        chains = ChainCache(Origin(source.identity), cache, locks)
        token_codes = TokenCodes(
            [codes] if codes else [],
            say=self.noticed,
            why_nobody=lambda question: NobodyToAsk(f"nobody for {question.role}"),
            now=self.clock,
            sleep=self.clock.sleep,
        )
        sts = StsCalls(
            PreparedAws(lambda: self.sts),
            token_codes,
            chains,
            role=profile.name,
            new_session_name=lambda: "made-up",
        )
        planner = Planner(profile, asked, source=source, cache=chains, now=self.clock)
        return Provider(planner, source, sts, chains, notice=self.noticed, **{"suspend": never, **seams})

    def retrieve(self, profile: Profile, asked: Asked = Asked(), **seams: Any) -> SessionCredentials:  # noqa: B008
        return self.provider(profile, asked, **seams).retrieve()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "cache")


def ids(*sessions: SessionCredentials) -> list[str]:
    return [session.access_key.access_key_id for session in sessions]


def operations(world: World) -> list[str]:
    names = {SessionTokenRequest: "GetSessionToken", AssumeRoleRequest: "AssumeRole"}
    return [names[type(request)] for request in world.sts.requests]


def test_a_role_is_assumed_from_the_mfa_session_which_is_had_with_a_code(world: World) -> None:
    codes = ScriptedCodes(["111111"])

    session = world.retrieve(READER, codes=codes)

    first, second = world.sts.calls
    assert first.request == SessionTokenRequest(SERIAL, 12 * HOUR)
    assert (first.key.access_key_id, first.token_code) == ("AKIAEXAMPLE", "111111")
    assert second.request == AssumeRoleRequest(READER.roles[0].role_arn, HOUR)
    assert (second.key.session_token, second.token_code) == ("token-0001", None)
    assert second.session_name == "made-up"
    assert session.access_key.session_token == "token-0002"
    assert codes.questions == [Question("reader", SERIAL)]


def test_a_cached_session_costs_neither_call_nor_code(world: World) -> None:
    made = world.retrieve(READER, codes=ScriptedCodes(["111111"]))

    found = world.retrieve(READER)

    assert ids(found) == ids(made)
    assert len(world.sts.calls) == 2


def test_one_code_opens_every_role_of_the_device(world: World) -> None:
    codes = ScriptedCodes(["111111"])
    world.retrieve(READER, codes=codes)
    world.retrieve(ADMIN)

    assert operations(world) == ["GetSessionToken", "AssumeRole", "AssumeRole"]
    assert world.sts.codes == ["111111"]


def test_a_role_session_near_its_end_is_renewed_without_a_code(world: World) -> None:
    old = world.retrieve(READER, codes=ScriptedCodes(["111111"]))

    world.clock.advance(HOUR - 299)
    new = world.retrieve(READER)

    assert ids(new) != ids(old)
    assert world.sts.codes == ["111111"]


def test_an_old_mfa_session_costs_a_new_code(world: World) -> None:
    world.retrieve(READER, codes=ScriptedCodes(["111111"]))

    world.clock.advance(12 * HOUR)
    world.retrieve(READER, codes=ScriptedCodes(["222222"]))

    assert world.sts.codes == ["111111", "222222"]


def test_a_long_session_is_assumed_with_the_code_itself(world: World) -> None:
    world.retrieve(READER, Asked(duration_seconds=8 * HOUR), codes=ScriptedCodes(["111111"]))

    (call,) = world.sts.calls
    assert call.request == AssumeRoleRequest(READER.roles[0].role_arn, 8 * HOUR, mfa_serial=SERIAL)
    assert call.token_code == "111111"


def test_a_chain_is_assumed_link_by_link(world: World) -> None:
    session = world.retrieve(CHAINED, codes=ScriptedCodes(["111111"]))

    assert operations(world) == ["GetSessionToken", "AssumeRole", "AssumeRole"]
    assert [call.key.session_token for call in world.sts.calls] == [None, "token-0001", "token-0002"]
    assert session.access_key.session_token == "token-0003"


def test_a_chain_goes_on_from_a_link_that_is_cached(world: World) -> None:
    world.retrieve(READER, codes=ScriptedCodes(["111111"]))

    world.retrieve(CHAINED)

    assert len(world.sts.calls) == 3


def test_a_new_session_is_made_from_the_mfa_session_that_is_there(world: World) -> None:
    old = world.retrieve(READER, codes=ScriptedCodes(["111111"]))
    new = world.retrieve(READER, Asked(new_session=True))

    assert ids(new) != ids(old)
    assert operations(world) == ["GetSessionToken", "AssumeRole", "AssumeRole"]
    assert ids(world.retrieve(READER)) == ids(new)


def test_a_given_session_name_is_used_and_has_a_session_of_its_own(world: World) -> None:
    world.retrieve(READER, codes=ScriptedCodes(["111111"]))
    world.retrieve(READER, Asked(session_name="mine"))

    assert [call.session_name for call in world.sts.calls[1:]] == ["made-up", "mine"]


def test_keys_without_a_role_are_used_as_they_are_and_that_is_said(world: World) -> None:
    session = world.retrieve(READER.but(name="keys", roles=(), mfa_serial=None))

    assert ids(session) == ["AKIAEXAMPLE"]
    assert world.sts.calls == []
    assert world.noticed.text == "keys has no role: its keys are used as they are"


def test_where_nobody_can_be_asked_nothing_is_called(world: World) -> None:  # matrix 70
    with pytest.raises(NobodyToAsk, match="nobody for reader"):
        world.retrieve(READER)

    assert (world.sts.calls, world.sts.identified) == ([], [])


class AtThePrompt(ScriptedCodes):
    """A person who takes the time for something else before they answer."""

    def __init__(self, code: str, *, meanwhile: Callable[[], object]) -> None:
        super().__init__([code])
        self._meanwhile = meanwhile

    def ask(self, question: Question) -> str:
        self._meanwhile()
        return super().ask(question)


def test_who_cannot_ask_does_not_wait_for_one_who_can(world: World) -> None:
    def run_in_the_background() -> None:
        with pytest.raises(NobodyToAsk):
            world.retrieve(READER)  # having to wait would fail it otherwise

    world.retrieve(READER, codes=AtThePrompt("111111", meanwhile=run_in_the_background))

    assert world.sts.codes == ["111111"]


def test_keys_that_aws_does_not_know_cost_no_code(world: World) -> None:  # matrix 61
    world.sts.identity_error = SourceCredentialsInvalid(
        "not valid", hint="a hint", code="InvalidClientTokenId"
    )

    with pytest.raises(SourceCredentialsInvalid, match="the keys of profile base: not valid") as failure:
        world.retrieve(READER, codes=ScriptedCodes(["111111"]))

    assert world.sts.calls == []
    assert (failure.value.hint, failure.value.code) == ("a hint", "InvalidClientTokenId")


def test_keys_that_aws_does_not_know_are_named_without_mfa_too(world: World) -> None:
    world.sts.answers = [INVALID]

    with pytest.raises(SourceCredentialsInvalid, match="the keys of profile base"):
        world.retrieve(OPEN)


def test_a_cached_session_that_aws_no_longer_knows_is_dropped_once(world: World) -> None:  # matrix 60
    world.retrieve(READER, codes=ScriptedCodes(["111111"]))
    world.sts.answers = [INVALID]

    session = world.retrieve(ADMIN, codes=ScriptedCodes(["222222"]))

    assert operations(world)[2:] == ["AssumeRole", "GetSessionToken", "AssumeRole"]
    assert ids(session) == ["ASIAEXAMPLE0005"]
    assert ids(world.retrieve(ADMIN)) == ids(session)


def test_a_session_just_made_that_aws_does_not_know_ends_it(world: World) -> None:  # matrix 60
    world.retrieve(READER, codes=ScriptedCodes(["111111"]))
    world.sts.answers = [INVALID, 12 * HOUR, INVALID]

    with pytest.raises(SourceCredentialsInvalid):
        world.retrieve(ADMIN, codes=ScriptedCodes(["222222", "333333"]))

    assert world.sts.codes == ["111111", "222222"]


def test_a_chain_whose_sessions_were_all_revoked_begins_anew(world: World) -> None:
    world.retrieve(CHAINED, codes=ScriptedCodes(["111111"]))
    world.sts.answers = [INVALID, INVALID]

    world.retrieve(CHAINED, Asked(session_name="other"), codes=ScriptedCodes(["222222"]))

    assert operations(world)[3:] == [
        "AssumeRole",  # the second link, by the first: refused
        "AssumeRole",  # the first, by the MFA session: refused
        "GetSessionToken",
        "AssumeRole",
        "AssumeRole",
    ]


class CacheThatKeepsAll(SessionCache):
    """A cache on a disk that became read-only."""

    def keep(self, key: str, session: SessionCredentials, *, about: str = "") -> None: ...

    def drop(self, key: str) -> None: ...


def test_a_revoked_session_that_cannot_be_removed_is_not_taken_again(world: World) -> None:
    world.retrieve(READER, codes=ScriptedCodes(["111111"]))
    world.sts.answers = [INVALID]
    cache = CacheThatKeepsAll(world.open_cache().directory, warn=never)

    world.retrieve(ADMIN, cache=cache, codes=ScriptedCodes(["222222"]))

    assert operations(world)[2:] == ["AssumeRole", "GetSessionToken", "AssumeRole"]


def test_a_denied_role_without_mfa_is_tried_once_more_with_a_device(world: World) -> None:  # matrix 56
    world.sts.answers = [DENIED]
    world.sts.device = SERIAL
    codes = ScriptedCodes(["111111"])

    session = world.retrieve(OPEN, codes=codes)

    assert operations(world) == ["AssumeRole", "GetSessionToken", "AssumeRole"]
    assert ids(session) == ["ASIAEXAMPLE0003"]
    assert world.noticed.lines == [
        f"AWS refused the role without MFA: trying once more with {SERIAL}",
        f"put mfa_serial = {SERIAL} into the role's profile",
    ]


def test_a_session_that_a_found_device_opened_is_found_without_a_call(world: World) -> None:
    world.sts.answers = [DENIED]
    world.sts.device = SERIAL
    made = world.retrieve(OPEN, codes=ScriptedCodes(["111111"]))
    calls = len(world.sts.calls)

    assert ids(world.retrieve(OPEN)) == ids(made)
    assert len(world.sts.calls) == calls


def test_a_role_that_a_found_device_once_opened_is_asked_for_without_it_first(world: World) -> None:
    world.sts.answers = [DENIED]
    world.sts.device = SERIAL
    world.retrieve(OPEN, codes=ScriptedCodes(["111111"]))
    world.clock.advance(HOUR)

    world.retrieve(OPEN)  # the role has stopped wanting MFA

    assert world.sts.requests[-1] == AssumeRoleRequest(OPEN.roles[0].role_arn, HOUR)
    assert world.sts.calls[-1].key.access_key_id == "AKIAEXAMPLE"


def test_the_device_beside_the_keys_is_taken_before_aws_is_asked_for_one(world: World) -> None:
    world.sts.answers = [DENIED]

    world.retrieve(OPEN.but(source_mfa_serial=SERIAL), codes=ScriptedCodes(["111111"]))

    assert world.sts.searched == []
    assert world.sts.codes == ["111111"]


def test_a_role_denied_with_mfa_too_is_denied(world: World) -> None:
    world.sts.answers = [DENIED, 12 * HOUR, DENIED]
    world.sts.device = SERIAL

    with pytest.raises(AssumeRoleDenied):
        world.retrieve(OPEN, codes=ScriptedCodes(["111111", "222222"]))

    assert world.sts.codes == ["111111"]


def test_a_denied_role_without_any_device_is_denied(world: World) -> None:
    world.sts.answers = [DENIED]

    with pytest.raises(AssumeRoleDenied) as failure:
        world.retrieve(OPEN, codes=ScriptedCodes(["111111"]))

    assert failure.value is DENIED


def test_a_denied_role_hints_at_the_device_where_nobody_can_be_asked(world: World) -> None:
    world.sts.answers = [DENIED]
    world.sts.device = SERIAL

    with pytest.raises(AssumeRoleDenied) as failure:
        world.retrieve(OPEN)

    assert f"mfa_serial = {SERIAL}" in (failure.value.hint or "")
    assert len(world.sts.calls) == 1


def test_a_role_that_mfa_was_used_for_is_denied_at_once(world: World) -> None:
    world.sts.answers = [12 * HOUR, DENIED]

    with pytest.raises(AssumeRoleDenied):
        world.retrieve(READER, codes=ScriptedCodes(["111111"]))

    assert world.sts.searched == []


def test_ctrl_z_at_the_prompt_frees_the_locks_and_then_stops(world: World) -> None:  # matrix 7
    stopped: list[str] = []

    def suspend() -> None:
        """Stop; meanwhile another terminal asks, and gets the session."""
        stopped.append("here")
        world.retrieve(READER, codes=ScriptedCodes(["222222"]))

    codes = ScriptedCodes([Suspended(), "111111"])
    session = world.retrieve(READER, codes=codes, suspend=suspend)

    assert stopped == ["here"]
    assert world.sts.codes == ["222222"]
    assert ids(session) == ["ASIAEXAMPLE0002"]


def test_a_process_that_was_stopped_at_its_question_starts_over(world: World) -> None:
    codes = ScriptedCodes([Continued(), "111111"])

    world.retrieve(READER, codes=codes, suspend=never)

    assert world.sts.codes == ["111111"]


def test_what_was_made_before_a_long_stop_is_not_taken_for_fresh(world: World) -> None:
    world.sts.answers = [12 * HOUR, Suspended()]

    world.retrieve(
        READER,
        codes=ScriptedCodes(["111111", "222222"]),
        suspend=lambda: world.clock.advance(13 * HOUR),
    )

    assert world.sts.codes == ["111111", "222222"]


def test_ctrl_z_and_fg_ask_again_where_nobody_else_did(world: World) -> None:
    codes = ScriptedCodes([Suspended(), "111111"])

    world.retrieve(READER, codes=codes, suspend=lambda: None)

    assert world.sts.codes == ["111111"]


class SlowToFind(ScriptedCodes):
    """Codes that, when first looked for, give another process the time to make the session."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(["unused"])
        self._meanwhile = [meanwhile]

    @property
    def is_available(self) -> bool:
        while self._meanwhile:
            self._meanwhile.pop()()
        return True


def test_what_another_process_made_after_our_first_look_is_used(world: World) -> None:
    codes = SlowToFind(lambda: world.retrieve(READER, codes=ScriptedCodes(["222222"])))

    session = world.retrieve(READER, codes=codes)

    assert ids(session) == ["ASIAEXAMPLE0002"]
    assert codes.questions == []
    assert len(world.sts.calls) == 2


def test_a_session_shorter_than_the_minimum_asked_for_is_refused(world: World) -> None:
    world.sts.answers = [900]

    with pytest.raises(SessionTooShort, match="gives this session 15m"):
        world.retrieve(OPEN, Asked(min_remaining_seconds=HOUR))


def test_a_session_shorter_than_asked_is_used_where_no_minimum_was(world: World) -> None:  # matrix 42
    world.sts.answers = [60]

    assert world.retrieve(OPEN).life_seconds() == 60
    assert len(world.sts.calls) == 1


def test_a_wrong_code_is_asked_for_again(world: World) -> None:
    world.sts.answers = [TokenCodeRefused("wrong")]

    world.retrieve(READER, codes=ScriptedCodes(["111111", "222222"]))

    assert world.sts.codes == ["111111", "222222"]


def test_a_session_for_another_role_is_never_taken_from_the_cache(world: World, tmp_path: Path) -> None:
    world.retrieve(OPEN)
    (path,) = (tmp_path / "cache").glob("*.session2")
    write_cached(path, cached_text(path).replace("assumed-role/reader/", "assumed-role/admin/"))

    world.retrieve(OPEN)

    assert len(world.sts.calls) == 2


def test_keys_that_prove_to_be_a_session_change_the_way(world: World) -> None:
    profile = OPEN.but(source=CredentialProcess("base", "print-keys"))

    world.retrieve(profile, Asked(duration_seconds=8 * HOUR), run=lambda _: TEMPORARY_DOCUMENT)

    assert world.sts.requests == [AssumeRoleRequest(OPEN.roles[0].role_arn, HOUR)]
    assert "lasts 1h at most" in world.noticed.text


def test_a_cached_session_is_found_without_running_the_credential_process(world: World) -> None:
    profile = OPEN.but(source=CredentialProcess("base", "print-keys"))
    world.retrieve(profile, run=lambda _: DOCUMENT)

    world.retrieve(profile, run=never)

    assert len(world.sts.calls) == 1


def test_without_a_cache_a_code_is_asked_for_once_in_a_process() -> None:
    world = World(None)
    provider = world.provider(READER, codes=ScriptedCodes(["111111"]))
    first = provider.retrieve()
    assert ids(provider.retrieve()) == ids(first)

    world.clock.advance(HOUR - 10)

    assert ids(provider.retrieve()) != ids(first)
    assert world.sts.codes == ["111111"]


def test_to_refresh_is_to_call_it_again(world: World) -> None:
    provider = world.provider(READER, codes=ScriptedCodes(["111111"]))
    first = provider.retrieve()

    world.clock.advance(HOUR - 299)

    assert ids(provider.retrieve()) != ids(first)


def test_a_refresh_takes_what_another_process_has_made(world: World) -> None:
    provider = world.provider(OPEN)
    provider.retrieve()
    world.clock.advance(HOUR - 299)
    renewed = world.retrieve(OPEN)

    assert ids(provider.retrieve()) == ids(renewed)


def test_a_new_session_is_made_once_and_not_at_each_refresh(world: World) -> None:
    provider = world.provider(OPEN, Asked(new_session=True))

    assert ids(provider.retrieve()) == ids(provider.retrieve())


def test_a_session_that_the_disk_does_not_take_is_used_all_the_same(world: World, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    without_cache = World(blocked)

    session = without_cache.retrieve(OPEN)

    assert session.access_key.access_key_id == a_session("0001").access_key.access_key_id
    assert "sessions are not cached" in without_cache.warned.text


def test_keys_that_prove_to_be_a_session_need_no_code_where_there_is_no_role(world: World) -> None:
    profile = READER.but(roles=(), source=CredentialProcess("base", "print-keys"))

    session = world.retrieve(profile, run=lambda _: TEMPORARY_DOCUMENT)

    assert session.access_key.session_token == "a-token"
    assert world.sts.calls == []


def test_a_notice_is_said_once_however_often_it_is_refreshed(world: World) -> None:
    provider = world.provider(CHAINED, Asked(duration_seconds=8 * HOUR), codes=ScriptedCodes(["111111"]))
    for _ in range(3):
        provider.retrieve()

    assert world.noticed.text.count("lasts 1h at most") == 1


def test_a_session_that_aws_refuses_at_once_is_no_fault_of_the_files(world: World) -> None:
    world.sts.answers = [HOUR, INVALID]

    with pytest.raises(SourceCredentialsInvalid) as failure:
        world.retrieve(READER, codes=ScriptedCodes(["111111"]))

    assert failure.value.hint is not None
    assert "try again" in failure.value.hint


class PersonWith(ScriptedCodes):
    """A person with these codes."""

    needs_person = True


class ProgramWith(ScriptedCodes):
    """A program that gives these codes to whoever wants them."""

    needs_person = False


def test_without_a_person_a_program_s_code_is_used(world: World) -> None:
    session = world.provider(READER, codes=ProgramWith(["111111"])).retrieve(with_person=False)

    assert world.sts.codes == ["111111"]
    assert ids(session) == ["ASIAEXAMPLE0002"]


def test_a_person_who_is_not_wanted_is_not_asked_and_aws_is_not_called(world: World) -> None:
    person = PersonWith(["111111"])
    provider = world.provider(READER, codes=person)

    with pytest.raises(NobodyToAsk, match="nobody for reader"):
        provider.retrieve(with_person=False)

    assert (person.questions, world.sts.calls) == ([], [])


def test_a_person_can_be_asked_after_it_was_tried_without_one(world: World) -> None:
    provider = world.provider(READER, codes=PersonWith(["111111"]))
    with pytest.raises(NobodyToAsk):
        provider.retrieve(with_person=False)

    provider.retrieve()

    assert world.sts.codes == ["111111"]


def test_what_takes_no_code_is_had_without_a_person(world: World) -> None:
    world.retrieve(READER, codes=PersonWith(["111111"]))

    world.provider(ADMIN, codes=PersonWith([])).retrieve(with_person=False)

    assert operations(world) == ["GetSessionToken", "AssumeRole", "AssumeRole"]


def test_a_role_that_turns_out_to_want_a_code_wants_a_person(world: World) -> None:
    world.sts.answers = [DENIED, DENIED]
    world.sts.device = SERIAL
    provider = world.provider(OPEN, codes=PersonWith(["111111"]))

    with pytest.raises(NobodyToAsk, match="nobody for open"):
        provider.retrieve(with_person=False)

    assert ids(provider.retrieve()) == ["ASIAEXAMPLE0004"]


def test_a_session_that_is_due_is_held_as_long_as_aws_takes_it(world: World) -> None:
    made = world.retrieve(OPEN)
    provider = world.provider(OPEN, Asked(renewing=True))

    world.clock.advance(HOUR - 1)
    held = provider.held()
    assert held is not None
    assert ids(held) == ids(made)

    world.clock.advance(1)
    assert provider.held() is None


def test_a_session_is_held_under_the_key_that_it_is_retrieved_under(world: World) -> None:
    first = world.provider(READER, codes=ScriptedCodes(["111111"]))
    first.retrieve()
    second = world.provider(READER)

    assert second.kept_under is None
    assert second.held() is not None
    assert second.kept_under == first.kept_under


def test_nothing_is_held_where_nothing_was_made_or_nothing_is_asked_of_aws(world: World) -> None:
    assert world.provider(READER).held() is None
    assert world.provider(READER.but(roles=(), mfa_serial=None)).held() is None


def test_a_session_that_a_found_device_opened_is_held_when_it_is_due(world: World) -> None:
    world.sts.answers = [DENIED]
    world.sts.device = SERIAL
    made = world.retrieve(OPEN, codes=ScriptedCodes(["111111"]))
    world.clock.advance(HOUR - 600)

    held = world.provider(OPEN, Asked(renewing=True)).held()

    assert held is not None
    assert ids(held) == ids(made)


def test_a_renewal_makes_a_session_before_the_old_one_is_too_short_to_begin_with(world: World) -> None:
    old = world.retrieve(READER, codes=ScriptedCodes(["111111"]))
    world.clock.advance(HOUR - 600)

    assert ids(world.retrieve(READER)) == ids(old)
    assert ids(world.retrieve(READER, Asked(renewing=True))) != ids(old)


def test_a_role_that_wants_a_fresh_code_gets_one_however_good_the_mfa_session_is(world: World) -> None:
    world.retrieve(READER, codes=ScriptedCodes(["111111"]))
    world.clock.advance(901)

    world.retrieve(READER, Asked(mfa_max_age_seconds=900), codes=ScriptedCodes(["222222"]))

    assert world.sts.codes == ["111111", "222222"]
    assert operations(world)[2:] == ["GetSessionToken", "AssumeRole"]


def test_a_code_that_is_fresh_enough_serves_all_that_want_a_fresh_one(world: World) -> None:
    asked = Asked(mfa_max_age_seconds=900)
    world.retrieve(READER, asked, codes=ScriptedCodes(["111111"]))
    world.clock.advance(900)

    world.retrieve(READER, asked)
    world.retrieve(ADMIN, asked)

    assert world.sts.codes == ["111111"]


def test_a_token_is_exchanged_for_the_role_itself(world: World) -> None:
    session = world.retrieve(JOB, tokens=Tokens("first"))

    (exchange,) = world.sts.exchanges
    assert exchange.request == WebIdentityRequest(ADMIN.roles[0].role_arn, HOUR)
    assert (exchange.token, exchange.session_name) == ("first", "made-up")
    assert (world.sts.calls, ids(session)) == ([], ["ASIAEXAMPLE0001"])


def test_a_token_s_own_role_leads_to_the_wanted_one(world: World) -> None:
    session = world.retrieve(FAR_JOB, Asked(session_name="asked-for"), tokens=Tokens("first"))

    (exchange,), (call,) = world.sts.exchanges, world.sts.calls
    assert exchange.request == WebIdentityRequest(FAR_JOB.roles[0].role_arn, HOUR)
    assert (exchange.session_name, call.session_name) == ("made-up", "asked-for")
    assert call.key.access_key_id == "ASIAEXAMPLE0001"
    assert ids(session) == ["ASIAEXAMPLE0002"]


def test_a_token_is_read_again_at_each_exchange(world: World) -> None:  # matrix 65
    provider = world.provider(JOB, tokens=Tokens("first", "second"))
    provider.retrieve()
    world.clock.advance(HOUR)

    provider.retrieve()

    assert [exchange.token for exchange in world.sts.exchanges] == ["first", "second"]


def test_no_token_is_wanted_where_its_session_still_opens_the_role(world: World) -> None:
    world.retrieve(FAR_JOB, tokens=Tokens("first"))

    world.retrieve(FAR_JOB, tokens=Tokens())
    world.retrieve(FAR_JOB, Asked(session_name="other"), tokens=Tokens())

    assert len(world.sts.exchanges) == 1


def test_a_token_that_cannot_be_had_is_looked_for_again_the_next_time(world: World) -> None:  # matrix 65
    provider = world.provider(JOB, tokens=Tokens(SourceFailed("there is none"), "second"))
    with pytest.raises(SourceFailed):
        provider.retrieve()

    provider.retrieve()

    assert [exchange.token for exchange in world.sts.exchanges] == ["second"]


def test_a_token_that_aws_refuses_is_not_sent_again(world: World) -> None:
    world.sts.answers = [DENIED]

    with pytest.raises(AssumeRoleDenied):
        world.retrieve(JOB, tokens=Tokens("first"))

    assert (len(world.sts.exchanges), world.sts.calls, world.sts.searched) == (1, [], [])


def test_a_role_that_a_token_s_session_may_not_assume_is_denied_without_a_look_for_devices(
    world: World,
) -> None:
    world.sts.answers = [HOUR, DENIED]

    with pytest.raises(AssumeRoleDenied):
        world.retrieve(FAR_JOB, tokens=Tokens("first"))

    assert world.sts.searched == []


def test_a_token_is_exchanged_again_where_its_session_is_not_known_any_more(world: World) -> None:
    world.retrieve(FAR_JOB, tokens=Tokens("first"))
    world.sts.answers = [INVALID]

    world.retrieve(FAR_JOB, Asked(session_name="other"), tokens=Tokens("second"))

    assert [exchange.token for exchange in world.sts.exchanges] == ["first", "second"]


@pytest.mark.parametrize("profile", [OPEN, READER, CHAINED])
def test_a_role_of_another_account_than_is_expected_is_not_even_asked_for(
    world: World, profile: Profile
) -> None:
    provider = world.provider(profile, Asked(expected_account="111111111111"))

    with pytest.raises(WrongAccount, match="is in account 222222222222, and 111111111111 is expected"):
        provider.retrieve()

    assert (world.sts.calls, provider.kept_under) == ([], None)


def test_a_cached_session_of_another_account_than_is_expected_is_not_handed_out(world: World) -> None:
    world.retrieve(OPEN)
    provider = world.provider(OPEN, Asked(expected_account="111111111111"))

    for get in (provider.retrieve, provider.held):
        with pytest.raises(WrongAccount):
            get()


@pytest.mark.parametrize(
    ("profile", "codes"),
    [
        pytest.param(OPEN.but(roles=()), [], id="keys as they are"),
        pytest.param(READER.but(roles=()), ["111111", "222222"], id="an MFA session"),
    ],
)
def test_whose_keys_they_are_is_asked_before_any_are_handed_out(
    world: World, profile: Profile, codes: list[str]
) -> None:
    wrong = world.provider(profile, Asked(expected_account="222222222222"), codes=ScriptedCodes(codes))
    with pytest.raises(WrongAccount, match="user/alice is in account 111111111111"):
        wrong.retrieve()
    assert wrong.kept_under is None

    session = world.retrieve(profile, Asked(expected_account="111111111111"), codes=ScriptedCodes(codes[1:]))

    assert world.sts.identified[-1] == session.access_key


def test_an_mfa_session_of_another_account_than_is_expected_is_not_held(
    world: World,
) -> None:
    profile = READER.but(roles=())
    world.retrieve(profile, codes=ScriptedCodes(["111111"]))
    wrong = world.provider(profile, Asked(expected_account="222222222222"))

    with pytest.raises(WrongAccount):
        wrong.held()
    assert wrong.kept_under is None
    with pytest.raises(WrongAccount):  # what is held does in the place of what fails, but not this
        freshest(wrong, world.open_cache(), notice=world.noticed, now=world.clock)
    assert world.noticed.lines == []
    assert world.provider(profile, Asked(expected_account="111111111111")).held() is not None


TOO_LARGE = PackedPolicyTooLarge("the policies and tags are more than AWS has room for", hint="shorten")
TAGGED = Asked(job_tags=(("Build", "7"),), scope=Scope(tags=(("team", "pay"),)))


def tags_told(world: World) -> list[tuple[tuple[str, str], ...]]:
    return [request.scope.tags for request in world.sts.requests if isinstance(request, AssumeRoleRequest)]


def test_the_tags_of_a_job_are_left_out_where_aws_has_no_room_for_them(world: World) -> None:
    world.sts.answers = [TOO_LARGE]

    session = world.retrieve(OPEN, TAGGED)

    assert ids(session) == ["ASIAEXAMPLE0002"]
    assert tags_told(world) == [(("Build", "7"), ("team", "pay")), (("team", "pay"),)]
    assert world.noticed.lines == [
        "AWS has no room for the tags of the CI job: trying once more without them"
    ]


def test_what_aws_has_no_room_for_without_the_tags_of_the_job_is_refused(world: World) -> None:
    world.sts.answers = [TOO_LARGE, TOO_LARGE]

    with pytest.raises(PackedPolicyTooLarge):
        world.retrieve(OPEN, TAGGED)

    assert len(world.sts.calls) == 2


def test_a_scope_of_the_person_s_own_is_never_left_out(world: World) -> None:
    world.sts.answers = [TOO_LARGE]

    with pytest.raises(PackedPolicyTooLarge):
        world.retrieve(OPEN, TAGGED.but(job_tags=()))

    assert (len(world.sts.calls), world.noticed.lines) == (1, [])


def test_tags_that_were_left_out_stay_so_at_each_refresh(world: World) -> None:
    world.sts.answers = [TOO_LARGE]
    provider = world.provider(OPEN, TAGGED)
    provider.retrieve()
    world.clock.advance(HOUR)

    provider.retrieve()

    assert tags_told(world)[1:] == [(("team", "pay"),)] * 2
    assert len(world.noticed.lines) == 1


def test_jobs_with_other_tags_have_sessions_of_their_own(world: World) -> None:
    first = world.retrieve(OPEN, Asked(job_tags=(("Build", "7"),)))
    second = world.retrieve(OPEN, Asked(job_tags=(("Build", "8"),)))

    assert ids(first) != ids(second)
