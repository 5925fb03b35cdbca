import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.config.profile_values import is_session_name
from gds_exec.credentials.request import (
    AssumeRoleRequest,
    Origin,
    Request,
    SessionTokenRequest,
    WebIdentityRequest,
    cache_key,
    device_key,
    is_answer_for,
    job_session_name,
    made_up_session_name,
    role_of,
)
from gds_exec.credentials.session_scope import Scope
from tests.fakes import NOON

# Few short texts, so that equal and nearly equal requests are frequent.
texts = st.sampled_from(["", "a", "b", "ab", "1", "1:a", "present", "absent", "é", "\ud800"])
optional_texts = st.none() | texts
seconds = st.sampled_from([1, 11, 900, 3600])
scopes = st.builds(Scope, policy=optional_texts, source_identity=optional_texts)
requests = (
    st.builds(SessionTokenRequest, texts, seconds)
    | st.builds(
        AssumeRoleRequest, texts, seconds, optional_texts, optional_texts, optional_texts, st.none() | scopes
    )
    | st.builds(WebIdentityRequest, texts, seconds, optional_texts, st.none() | scopes)
)
questions = st.tuples(st.builds(Origin, texts, texts), st.lists(requests, max_size=3).map(tuple))

ROLE = "arn:aws:iam::222222222222:role/teams/admin"
SESSION = "arn:aws:sts::222222222222:assumed-role/admin/alice"
SCOPES = (
    Scope(policy="{}"),
    Scope(policy_arns=("one", "two")),
    Scope(policy_arns=("one",)),
    Scope(tags=(("one", "two"),)),
    Scope(tags=(("one", "other"),)),
    Scope(transitive_tags=("one",)),
    Scope(source_identity="one"),
)


@pytest.fixture
def london_in_summer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/London")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@given(questions, questions)
def test_two_questions_share_a_key_exactly_when_they_are_the_same(
    one: tuple[Origin, tuple[Request, ...]], other: tuple[Origin, tuple[Request, ...]]
) -> None:
    assert (cache_key(*one) == cache_key(*other)) == (one == other)


@given(st.text(), st.text())
def test_text_of_any_kind_keeps_its_place_in_the_key(one: str, other: str) -> None:
    in_name = AssumeRoleRequest(ROLE, 900, session_name=one, external_id=other)
    in_id = AssumeRoleRequest(ROLE, 900, session_name=other, external_id=one)

    same = cache_key(Origin("a"), (in_name,)) == cache_key(Origin("a"), (in_id,))

    assert same == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Origin("a:b", "c"), Origin("a", "b:c")),
        (Origin("ab", "c"), Origin("a", "bc")),
        (Origin("a1:b", "c"), Origin("a", "b1:c")),
        (Origin("a", ""), Origin("", "a")),
    ],
)
def test_where_one_part_ends_and_the_next_begins_is_in_the_key(one: Origin, other: Origin) -> None:
    assert cache_key(one, ()) != cache_key(other, ())


def test_every_part_of_a_question_is_in_its_key() -> None:
    origin = Origin("key", "endpoint")
    request = AssumeRoleRequest(ROLE, 3600, "name", "external", "serial")
    token = SessionTokenRequest("serial", 3600)
    exchange = WebIdentityRequest(ROLE, 3600, "name")
    keys = [
        cache_key(origin, (request,)),
        cache_key(Origin("other", "endpoint"), (request,)),
        cache_key(Origin("key", "other"), (request,)),
        cache_key(origin, (AssumeRoleRequest("other", 3600, "name", "external", "serial"),)),
        cache_key(origin, (AssumeRoleRequest(ROLE, 900, "name", "external", "serial"),)),
        cache_key(origin, (AssumeRoleRequest(ROLE, 3600, None, "external", "serial"),)),
        cache_key(origin, (AssumeRoleRequest(ROLE, 3600, "name", None, "serial"),)),
        cache_key(origin, (AssumeRoleRequest(ROLE, 3600, "name", "external", None),)),
        *(cache_key(origin, (request.but(scope=scope),)) for scope in SCOPES),
        cache_key(origin, (exchange,)),
        cache_key(origin, (exchange.but(role_arn="other"),)),
        cache_key(origin, (exchange.but(duration_seconds=900),)),
        cache_key(origin, (exchange.but(session_name=None),)),
        *(cache_key(origin, (exchange.but(scope=scope),)) for scope in SCOPES),
        cache_key(origin, (exchange, request)),
        cache_key(origin, (AssumeRoleRequest(ROLE, 3600, "name"),)),
        cache_key(origin, (token,)),
        cache_key(origin, (SessionTokenRequest("serial", 900),)),
        cache_key(origin, (SessionTokenRequest("other", 3600),)),
        cache_key(origin, (token, request)),
        cache_key(origin, (request, token)),
        device_key(origin, "serial"),
        device_key(origin, "other"),
        device_key(Origin("other", "endpoint"), "serial"),
    ]

    assert len(set(keys)) == len(keys)


def test_what_was_cached_before_there_were_scopes_is_still_found() -> None:
    requests = (
        SessionTokenRequest("serial", 3600),
        AssumeRoleRequest(ROLE, 3600, "name", "external", "serial"),
    )

    key = cache_key(Origin("key", "endpoint"), requests)

    assert key == "fa06e5c1c9c229645c5fc282b56b7d5062f602e31a92f057136a06373e4f8862"


def test_a_key_is_a_file_name_that_tells_nothing() -> None:
    key = cache_key(Origin("access key AKIAEXAMPLE"), (SessionTokenRequest("../../etc", 900),))

    assert len(key) == 64
    assert set(key) <= set("0123456789abcdef")


@given(st.text())
def test_a_made_up_session_name_is_one_that_sts_accepts_and_keeps_the_time(user: str) -> None:
    name = made_up_session_name(user, NOON)

    assert is_session_name(name)
    assert "@" not in name
    assert name.endswith(time.strftime("-%d-%m-%y_%H-%M", time.localtime(NOON)))


@pytest.mark.usefixtures("london_in_summer")
@pytest.mark.parametrize(
    ("user", "name"),
    [
        pytest.param("alice", "alice-09-07-26_13-00", id="plain"),
        pytest.param("alice@example.com", "alice-example.com-09-07-26_13-00", id="mail address"),
        pytest.param("", "user-09-07-26_13-00", id="nobody"),
        pytest.param("żółw", "---w-09-07-26_13-00", id="not ASCII"),
        pytest.param("x" * 99, "x" * 49 + "-09-07-26_13-00", id="too long"),
    ],
)
def test_a_made_up_session_name_holds_the_user_and_the_local_time(user: str, name: str) -> None:
    assert made_up_session_name(user, 1_783_598_400) == name  # 2026-07-09 12:00 UTC


def test_a_role_is_its_account_and_its_name_without_the_path() -> None:
    assert role_of(ROLE) == ("222222222222", "admin")


@pytest.mark.parametrize(
    ("arn", "is_answer"),
    [
        pytest.param(SESSION, True, id="that role"),
        pytest.param(SESSION.replace("arn:aws:", "arn:aws-cn:"), True, id="whatever the partition"),
        pytest.param(SESSION.replace("2222", "3333"), False, id="another account"),
        pytest.param(SESSION.replace("/admin/", "/administrator/"), False, id="another role"),
        pytest.param(SESSION.replace("/admin/", "/x/admin/"), False, id="its name as a session name"),
        pytest.param("arn:aws:iam::222222222222:role/admin", False, id="the role itself"),
        pytest.param("arn:aws:iam::222222222222:user/admin", False, id="a user"),
        pytest.param("", False, id="nothing"),
        pytest.param("garbage", False, id="no ARN"),
    ],
)
def test_an_answer_is_for_a_request_if_account_and_role_are_the_ones_asked_for(
    arn: str, is_answer: bool
) -> None:
    assert is_answer_for(arn, AssumeRoleRequest(ROLE, 3600)) is is_answer
    assert is_answer_for(arn, WebIdentityRequest(ROLE, 3600)) is is_answer


def test_the_answer_to_a_session_token_request_names_nobody() -> None:
    assert is_answer_for("", SessionTokenRequest("serial", 3600))


@given(st.text(min_size=1))
def test_a_job_s_session_name_is_one_that_sts_accepts(job: str) -> None:
    name = job_session_name(job)

    assert is_session_name(name)
    assert "@" not in name


@pytest.mark.parametrize(
    ("job", "name"),
    [
        pytest.param("alphagov/app-4711", "alphagov-app-4711", id="GitHub"),
        pytest.param("app:1-2", "app-1-2", id="CodeBuild"),
        pytest.param("jenkins-my job-7", "jenkins-my-job-7", id="a blank"),
        pytest.param("alice@example.com-1", "alice-example.com-1", id="never an @"),
        pytest.param("x" * 99 + "-4711", "x" * 59 + "-4711", id="of a long one the end"),
        pytest.param("7", "7-", id="too short"),
    ],
)
def test_a_session_is_named_after_its_job(job: str, name: str) -> None:
    assert job_session_name(job) == name
