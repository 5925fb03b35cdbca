import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.config.sources import (
    ContainerRole,
    CredentialProcess,
    EnvironmentKeys,
    InstanceRole,
    StoredKeys,
)
from gds_exec.config.sources import KeySource as Source
from gds_exec.credentials.key_source import KeySource
from gds_exec.errors import CredentialsError, HelperFailed, SourceFailed
from tests.fakes import NOON, Clock, never

PROCESS = CredentialProcess("base", "print-keys --for alice")
STORED = StoredKeys("base", "AKIAEXAMPLE", "a-secret")
LONG_LIVED = {"Version": 1, "AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "a-secret"}
TEMPORARY = {**LONG_LIVED, "AccessKeyId": "ASIAEXAMPLE", "SessionToken": "a-token"}


class Process:
    """A credential_process that prints one document after the other."""

    def __init__(self, *documents: object) -> None:
        self._documents = [text if isinstance(text, str) else json.dumps(text) for text in documents]
        self.commands: list[str] = []

    def __call__(self, command: str) -> str:
        self.commands.append(command)
        return self._documents.pop(0)


def source_of(*documents: object, clock: Clock | None = None) -> KeySource:
    return KeySource(PROCESS, run=Process(*documents), ask_metadata=never, now=clock or Clock())


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in LONG_LIVED.items() if key != name}


def test_stored_keys_are_themselves() -> None:
    source = KeySource(STORED, run=never, ask_metadata=never, now=Clock())

    session = source.session()

    assert (session.access_key.access_key_id, session.access_key.secret_access_key) == (
        "AKIAEXAMPLE",
        "a-secret",
    )
    assert session.expiration is None
    assert not source.is_temporary


def test_stored_keys_with_a_session_token_are_known_to_be_temporary_at_once() -> None:
    assert KeySource(
        StoredKeys("base", "ASIA", "secret", "token"), run=never, ask_metadata=never
    ).is_temporary


def test_a_process_is_known_to_be_temporary_only_when_it_has_run() -> None:
    source = source_of(TEMPORARY)
    assert not source.is_temporary

    source.session()

    assert source.is_temporary


def test_a_process_runs_once() -> None:
    process = Process(LONG_LIVED)
    source = KeySource(PROCESS, run=process, ask_metadata=never, now=Clock())

    assert source.session() is source.session()
    assert process.commands == ["print-keys --for alice"]


def test_a_process_runs_again_when_its_keys_have_expired() -> None:
    clock = Clock()
    first = {**TEMPORARY, "Expiration": "2026-01-09T12:15:00Z"}
    second = {**TEMPORARY, "AccessKeyId": "ASIASECOND", "Expiration": "2026-01-09T13:15:00Z"}
    source = source_of(first, second, clock=clock)
    source.session()

    clock.advance(15 * 60)

    assert source.session().access_key.access_key_id == "ASIASECOND"


@pytest.mark.parametrize(
    ("expiration", "epoch"),
    [
        pytest.param("2026-01-09T13:00:00Z", NOON + 3600, id="Z"),
        pytest.param("2026-01-09T13:00:00+00:00", NOON + 3600, id="UTC by its offset"),
        pytest.param("2026-01-09T15:00:00+02:00", NOON + 3600, id="another zone"),
        pytest.param("2026-01-09T13:00:00.999Z", NOON + 3600, id="fraction"),
        pytest.param("2026-01-09T13:00:00", NOON + 3600, id="no zone means UTC"),
        pytest.param("20260109T130000Z", NOON + 3600, id="basic form"),
        pytest.param(None, None, id="null"),
    ],
)
def test_every_form_of_expiration_is_read(expiration: str | None, epoch: int | None) -> None:  # matrix 41
    assert source_of({**TEMPORARY, "Expiration": expiration}).session().expiration == epoch


@pytest.mark.parametrize(
    "expiration", ["2026-01-09T12:00:00Z", "2020-01-01T00:00:00", "0001-01-01T00:00:00Z"]
)
def test_credentials_that_have_expired_are_refused(expiration: str) -> None:  # matrix 41
    with pytest.raises(HelperFailed, match=r"base printed no credentials .* they have expired"):
        source_of({**TEMPORARY, "Expiration": expiration}).session()


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("", id="empty"),
        pytest.param("Password: ", id="words"),
        pytest.param("[" * 100_000, id="too deep"),
        pytest.param("[]", id="list"),
        pytest.param("null", id="null"),
        pytest.param('"text"', id="text"),
        pytest.param("1", id="number"),
        pytest.param({}, id="nothing"),
        pytest.param(without("Version"), id="no version"),
        pytest.param({**LONG_LIVED, "Version": 2}, id="another version"),
        pytest.param({**LONG_LIVED, "Version": "1"}, id="version as text"),
        pytest.param(without("AccessKeyId"), id="no key id"),
        pytest.param(without("SecretAccessKey"), id="no secret"),
        pytest.param({**LONG_LIVED, "AccessKeyId": ""}, id="empty key id"),
        pytest.param({**LONG_LIVED, "SecretAccessKey": ""}, id="empty secret"),
        pytest.param({**LONG_LIVED, "AccessKeyId": None}, id="null key id"),
        pytest.param({**LONG_LIVED, "SecretAccessKey": 5}, id="secret is a number"),
        pytest.param({**LONG_LIVED, "SessionToken": ["a-token"]}, id="token is a list"),
        pytest.param({**LONG_LIVED, "Expiration": "soon"}, id="expiration in words"),
        pytest.param({**LONG_LIVED, "Expiration": ""}, id="empty expiration"),
        pytest.param({**LONG_LIVED, "Expiration": 1_767_960_000}, id="expiration as a number"),
        pytest.param({**LONG_LIVED, "Expiration": "2026-13-01T00:00:00Z"}, id="month 13"),
    ],
)
def test_what_is_no_credentials_document_is_refused_with_the_profile_named(document: object) -> None:
    with pytest.raises(HelperFailed, match="credential_process of base printed no credentials") as failure:
        source_of(document).session()  # matrix 125

    assert "a-secret" not in f"{failure.value.message}{failure.value.hint}"
    assert "a-token" not in f"{failure.value.message}{failure.value.hint}"


@pytest.mark.parametrize("name", ["AccessKeyId", "SecretAccessKey", "SessionToken"])
@pytest.mark.parametrize(
    "value", ["a b", "a\nb", "a\rb", "a\0b", "a\x7fb", "caf\u00e9", "\ud800", " "], ids=repr
)
def test_keys_with_characters_that_no_key_has_are_refused(name: str, value: str) -> None:
    with pytest.raises(HelperFailed, match="its keys are empty, or have invalid characters"):
        source_of({**TEMPORARY, name: value}).session()


def test_a_process_alone_decides_how_long_its_keys_last() -> None:
    session = source_of({**TEMPORARY, "Expiration": "9999-12-31T23:59:59Z"}).session()

    assert session.expiration == 253_402_300_799


def test_an_empty_session_token_is_none() -> None:
    source = source_of({**LONG_LIVED, "SessionToken": ""})

    assert source.session().access_key.session_token is None
    assert not source.is_temporary


def test_a_failed_process_is_not_remembered() -> None:
    source = source_of("junk", LONG_LIVED)
    with pytest.raises(HelperFailed):
        source.session()

    assert source.session().access_key.access_key_id == "AKIAEXAMPLE"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*TEMPORARY, "Expiration"), json_values)))
def test_documents_of_any_kind_are_refused_or_read_and_nothing_else(document: dict[str, Any]) -> None:
    try:
        session = source_of({"Version": 1, **document}).session()
    except HelperFailed:
        return
    assert isinstance(session.access_key.access_key_id, str)
    assert isinstance(session.access_key.secret_access_key, str)


def identity_of(source: Source) -> str:
    return KeySource(source, run=never, ask_metadata=never).identity


def test_keys_are_known_by_what_can_be_seen_without_running_anything() -> None:
    others = [
        StoredKeys("base", "AKIAOTHER", "a-secret"),
        CredentialProcess("base", "print-keys --for bob"),
        CredentialProcess("base", "access key AKIAEXAMPLE"),
    ]

    identities = {identity_of(source) for source in (STORED, PROCESS, *others)}

    assert len(identities) == 5
    assert identity_of(STORED) == identity_of(StoredKeys("other profile", "AKIAEXAMPLE", "a-secret"))
    assert "a-secret" not in "".join(identities)


def test_keys_in_the_environment_are_themselves() -> None:
    long_lived = KeySource(EnvironmentKeys("AKIAEXAMPLE", "a-secret"), run=never, ask_metadata=never)
    session = KeySource(EnvironmentKeys("ASIA", "a-secret", "a-token"), run=never, ask_metadata=never)

    assert (long_lived.is_temporary, long_lived.session().expiration) == (False, None)
    assert (session.is_temporary, session.session().access_key.session_token) == (True, "a-token")


class Service:
    """A container's or an instance's service, which gives one document after the other."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self._documents = list(documents)
        self.asked: list[object] = []

    def __call__(self, source: object) -> dict[str, Any]:
        self.asked.append(source)
        return self._documents.pop(0)


MACHINES = [ContainerRole("/v2/1", is_path=True), InstanceRole()]
GIVEN = {
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretAccessKey": "a-secret",
    "SessionToken": "a-token",
    "Expiration": "2026-01-09T12:15:00Z",
}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_s_session_is_known_to_be_one_before_it_is_asked_for(
    machine: ContainerRole | InstanceRole,
) -> None:
    assert KeySource(machine, run=never, ask_metadata=never).is_temporary


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_is_asked_once_and_again_when_its_session_has_ended(
    machine: ContainerRole | InstanceRole,
) -> None:
    clock = Clock()
    service = Service(GIVEN, {**GIVEN, "AccessKeyId": "ASIASECOND", "Expiration": "2026-01-09T13:15:00Z"})
    source = KeySource(machine, run=never, ask_metadata=service, now=clock)

    assert source.session() is source.session()
    assert (service.asked, source.session().expiration) == ([machine], NOON + 900)
    clock.advance(900)
    assert source.session().access_key.access_key_id == "ASIASECOND"
    assert service.asked == [machine, machine]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "'AccessKeyId' is missing or wrong"),
        ({**GIVEN, "Expiration": "soon"}, "'Expiration' is missing or wrong"),
        ({**GIVEN, "SessionToken": 5}, "its keys are no text"),
        ({**GIVEN, "Expiration": "2026-01-09T12:00:00Z"}, "they have expired"),
    ],
)
def test_what_a_machine_gives_that_is_no_session_is_said_to_be_the_machine_s(
    machine: ContainerRole | InstanceRole, document: dict[str, Any], why: str
) -> None:
    source = KeySource(machine, run=never, ask_metadata=Service(document), now=Clock())

    with pytest.raises(CredentialsError) as failure:
        source.session()

    assert type(failure.value) is SourceFailed
    assert failure.value.message == f"{machine.owner} gives no credentials that can be used: {why}"
    assert failure.value.hint is None


def test_sources_of_a_place_are_known_without_asking_them_and_apart_from_one_another() -> None:
    sources = [
        EnvironmentKeys("AKIAEXAMPLE", "a-secret"),
        EnvironmentKeys("AKIAOTHER", "a-secret"),
        ContainerRole("/v2/1", is_path=True),
        ContainerRole("/v2/2", is_path=True),
        ContainerRole("http://127.0.0.1:4711/"),
        ContainerRole("http://127.0.0.1:4711/", outer_role="one"),
        ContainerRole("http://127.0.0.1:4711/", outer_role="other"),  # which has the port later
        InstanceRole(),
        InstanceRole("http://127.0.0.1:1"),
    ]

    assert len({identity_of(source) for source in sources}) == len(sources)
    assert identity_of(EnvironmentKeys("AKIAEXAMPLE", "a-secret", outer_role="x")) == identity_of(STORED)
    assert identity_of(InstanceRole(otherwise="nothing else")) == identity_of(InstanceRole())


@pytest.mark.parametrize("machine", MACHINES)
def test_a_home_that_machines_share_does_not_make_their_roles_one(
    machine: ContainerRole | InstanceRole,
) -> None:
    assert os.uname().nodename in identity_of(machine)
