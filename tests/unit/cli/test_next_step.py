"""What a run would do next, in one sentence, for every kind of plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gds_exec.cli.next_step import moment, next_step, time_left
from gds_exec.config.profiles import Profile, Role
from gds_exec.config.sources import (
    TOKEN_FILE,
    ContainerRole,
    CredentialProcess,
    EnvironmentKeys,
    InstanceRole,
    KeySource,
    StoredKeys,
    WebIdentityToken,
)
from gds_exec.credentials.mfa_sources import DialogCode, GivenCode, PersonCode, ProcessCode, YubiKeyCode
from gds_exec.credentials.plan import Plan
from gds_exec.credentials.provider import Outlook
from gds_exec.credentials.request import AssumeRoleRequest, SessionTokenRequest, WebIdentityRequest
from gds_exec.session import AccessKey, SessionCredentials
from tests.fakes import NOON, a_session, never

if TYPE_CHECKING:
    from gds_exec.credentials.mfa import CodeSource

DEVICE = "arn:aws:iam::111111111111:mfa/alice"
ARN = "arn:aws:iam::222222222222:role/prod"
PROFILE = Profile("prod", StoredKeys("base", "AKIAEXAMPLE", "a-secret"), (Role(ARN),), mfa_serial=DEVICE)
OPEN = PROFILE.but(mfa_serial=None)
MFA, ROLE = SessionTokenRequest(DEVICE, 43_200), AssumeRoleRequest(ARN, 3600)
LONG = AssumeRoleRequest(ARN, 28_800, mfa_serial=DEVICE)

GIVEN = GivenCode("123456")
PROCESS = ProcessCode("codes", run=never)
YUBIKEY = YubiKeyCode("gds", is_named=False, environ={}, run=never)
TERMINAL = PersonCode(never, say=never, can_ask=lambda: True)
DIALOG = DialogCode(never, can_ask=lambda: True)


def next_of(plan: Plan, *sources: CodeSource, profile: Profile = PROFILE) -> str:
    held = (plan.session,) * plan.done + (None,) * (len(plan.requests) - plan.done)
    return next_step(Outlook(plan, held, sources), profile, now=NOON)


def test_a_cached_session_leaves_nothing_to_ask() -> None:
    plan = Plan((MFA, ROLE), 2, a_session(life=2580))

    assert next_of(plan) == "nothing to ask: the cached session has 43m left"


def test_an_mfa_session_makes_the_role_s_without_a_code() -> None:
    plan = Plan((MFA, ROLE), 1, a_session(life=40_000))

    assert next_of(plan, TERMINAL) == (
        "nothing to ask: a role session of 1h is made from the cached MFA session, which has 11h6m left"
    )


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (GIVEN, f"the code that was given is sent for {DEVICE}"),
        (PROCESS, f"mfa_process gives a code of {DEVICE}"),
        (YUBIKEY, f"ykman gives a code of {DEVICE}"),
        (TERMINAL, f"a code of {DEVICE} is asked for on the terminal"),
        (DIALOG, f"a code of {DEVICE} is asked for in a dialog"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_code_comes_from_the_first_source_that_there_is(source: CodeSource, sentence: str) -> None:
    assert next_of(Plan((MFA, ROLE)), source, TERMINAL) == (
        f"{sentence}, then an MFA session of 12h and a role session of 1h are made"
    )


def test_a_long_session_is_made_with_the_code_itself() -> None:
    assert next_of(Plan((LONG,)), TERMINAL).endswith(", then a role session of 8h is made")


def test_a_code_that_nothing_can_give_is_said_with_the_exit_status() -> None:
    assert next_of(Plan((MFA, ROLE))) == (
        f"a code of {DEVICE} is needed, and nothing here can give one: exit status 124"
    )


def test_a_role_without_a_device_is_tried_without_a_code() -> None:
    assert next_of(Plan((ROLE,)), profile=OPEN) == (
        "nothing to ask: a role session of 1h is made with the keys of base; "
        "if AWS refuses that without MFA, a code is asked for"
    )


def test_keys_that_a_program_prints_are_called_so() -> None:
    profile = OPEN.but(source=CredentialProcess("base", "print keys"))

    assert "with the keys that the credential_process of base prints" in next_of(
        Plan((ROLE,)), profile=profile
    )


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        pytest.param(ContainerRole("/1", is_path=True), "the keys of the container", id="container"),
        pytest.param(InstanceRole(), "the keys of the instance", id="instance"),
        pytest.param(
            InstanceRole(otherwise="no keys"), "the keys of the instance, if this is one", id="last hope"
        ),
    ],
)
def test_no_code_can_help_a_machine(source: KeySource, keys: str) -> None:
    assert next_of(Plan((ROLE,)), profile=OPEN.but(source=source)) == (
        f"nothing to ask: a role session of 1h is made with {keys}"
    )


def test_keys_in_the_environment_may_be_a_user_s() -> None:
    profile = OPEN.but(source=EnvironmentKeys("AKIAEXAMPLE", "a-secret"))

    assert next_of(Plan((ROLE,)), profile=profile).endswith(
        "with the keys of the environment; if AWS refuses that without MFA, a code is asked for"
    )


def test_a_token_is_exchanged_without_a_code_whatever_aws_says() -> None:
    profile = OPEN.but(source=WebIdentityToken(TOKEN_FILE, "/token"))

    assert next_of(Plan((WebIdentityRequest(ARN, 3600),)), profile=profile) == (
        "nothing to ask: a role session of 1h is made with the web identity token in /token"
    )


def test_without_a_role_no_session_is_made() -> None:
    assert next_of(Plan(()), profile=OPEN.but(roles=())) == "nothing to ask: no session is made"


@pytest.mark.parametrize(
    ("seconds", "text"), [(43_199, "11h59m"), (3600, "1h"), (61, "1m"), (59, "59s"), (-5, "0s")], ids=str
)
def test_the_time_that_is_left_is_told_in_minutes_until_the_last_one(seconds: int, text: str) -> None:
    assert time_left(a_session(life=seconds), NOON) == text


def test_a_moment_is_in_utc_and_long_lived_keys_have_none() -> None:
    long_lived = SessionCredentials.long_lived(AccessKey("AKIA", "s"), now=NOON)

    assert moment(a_session(life=60)) == "2026-01-09T12:01:00Z"
    assert moment(None) is moment(long_lived) is None
