import marshal
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.errors import Upgraded
from gds_exec.refresher.handoff import Handoff, Sidecar, receive, send
from gds_exec.session import serialise
from tests.fakes import a_session

ARN = "arn:aws:sts::222222222222:assumed-role/admin/alice"
HANDOVER = Handoff(
    a_session(arn=ARN, clock_offset=-7),
    "admin",
    "0123abcd",
    "/home/alice/.cache/gds-exec",
    ("--role=admin", "--duration=3600"),
    "/usr/bin/gds-exec",
    ("/copies/1.config", "/copies/1.credentials"),
    region="eu-west-2",
    lost_source="the environment",
    may_request_tokens=True,
)
BESIDE = Sidecar(4711, "4711 since then", "terraform", 5, "a-token", 6)
SHOW = """
import sys
from gds_exec.refresher.handoff import receive
handoff, beside = receive(int(sys.argv[1]))
print(handoff.session.access_key.session_token, handoff.role, beside)
"""

texts = st.text(st.characters(exclude_categories=()))  # a path may be no UTF-8


def descriptors() -> set[int]:
    """Return those that are open, without the one that the directory itself is read by."""
    return {descriptor for descriptor in map(int, os.listdir("/dev/fd")) if is_open(descriptor)}


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def facts(handoff: Handoff) -> tuple[object, ...]:
    """Return all of it; sessions themselves are not equal by what they hold."""
    return (serialise(handoff.session), *handoff.but(session=None)._values())


@pytest.mark.parametrize("beside", [None, BESIDE])
def test_what_was_sent_is_received(beside: Sidecar | None) -> None:
    received, besides = receive(send(HANDOVER, beside))

    assert facts(received) == facts(HANDOVER)
    assert besides == beside


@given(texts, st.none() | texts, st.lists(texts).map(tuple))
def test_names_of_any_characters_are_received(
    role: str, cache_directory: str | None, arguments: tuple[str, ...]
) -> None:
    handoff = HANDOVER.but(
        role=role, cache_directory=cache_directory, arguments=arguments, private_files=None
    )

    received, _ = receive(send(handoff))

    assert facts(received) == facts(handoff)


def test_a_program_that_is_executed_receives_it() -> None:
    descriptor = send(HANDOVER)
    try:
        command = [sys.executable, "-c", SHOW, str(descriptor)]
        shown = subprocess.run(command, pass_fds=[descriptor], capture_output=True, text=True, check=True)
    finally:
        os.close(descriptor)

    assert shown.stdout == "token-0001 admin None\n"


def test_what_is_to_be_received_is_inherited_and_nothing_else() -> None:
    before = descriptors()
    descriptor = send(HANDOVER)
    try:
        assert os.get_inheritable(descriptor)
        assert descriptors() - before == {descriptor}
    finally:
        os.close(descriptor)


def test_receiving_leaves_nothing_to_inherit() -> None:
    descriptor = send(HANDOVER)

    receive(descriptor)

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_more_than_a_pipe_holds_is_an_error_and_no_deadlock() -> None:
    before = descriptors()

    with pytest.raises(OSError, match="too long to be handed over"):
        send(HANDOVER.but(arguments=("x" * 2_000_000,)))

    assert descriptors() == before


FIELDS = {**vars(HANDOVER), "session": serialise(HANDOVER.session)}
WITHOUT_ROLE = {name: value for name, value in FIELDS.items() if name != "role"}


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff", id="other bytes"),
        pytest.param(marshal.dumps((FIELDS["session"], "admin", None)), id="fields without names"),
        pytest.param(marshal.dumps({"handoff": FIELDS}), id="a value is missing"),
        pytest.param(marshal.dumps({"handoff": WITHOUT_ROLE, "beside": None}), id="a field is missing"),
        pytest.param(marshal.dumps({"handoff": {**FIELDS, "new": 1}, "beside": None}), id="an unknown field"),
        pytest.param(
            marshal.dumps({"handoff": {**FIELDS, "session": "none"}, "beside": None}), id="no session"
        ),
        pytest.param(marshal.dumps({"handoff": FIELDS, "beside": {"pid": 1}}), id="half of a sidecar"),
    ],
)
def test_what_another_version_sent_is_refused(sent: bytes) -> None:
    reading, writing = os.pipe()
    with open(writing, "wb") as file:
        file.write(sent)

    with pytest.raises(Upgraded, match="gds-exec was upgraded while this command ran"):
        receive(reading)


def test_no_secret_is_shown() -> None:
    shown = f"{HANDOVER!r} {BESIDE!r}"

    assert not any(secret in shown for secret in ("secret-0001", "token-0001", "a-token"))
    assert "terraform" in shown
