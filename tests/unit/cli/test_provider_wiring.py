from pathlib import Path

import pytest

from gds_exec.cli.provider_wiring import Situation, token_codes, what_was_asked
from gds_exec.config.profiles import Profile
from gds_exec.config.sources import StoredKeys
from gds_exec.credentials.background import PreparedAws
from gds_exec.credentials.mfa import Question
from gds_exec.credentials.mfa_sources import ANY_OCCASION, RENEWAL, Occasion
from gds_exec.credentials.plan import Asked
from gds_exec.credentials.session_scope import Scope
from gds_exec.invocation import Invocation
from gds_exec.output import Messages
from tests.fakes import NOON, never

PROFILE = Profile("admin", StoredKeys("base", "AKIAEXAMPLE", "a-secret"))
DEMANDING = PROFILE.but(min_remaining_seconds=600, mfa_max_age_seconds=900)


def situation(
    invocation: Invocation,
    environ: dict[str, str] | None = None,
    *,
    profile: Profile = PROFILE,
    occasion: Occasion = ANY_OCCASION,
) -> Situation:
    return Situation(profile, invocation, environ or {}, Messages(), None, occasion)


@pytest.mark.parametrize(
    ("profile", "minimum", "age", "asked"),
    [
        pytest.param(PROFILE, None, None, (None, None), id="nobody wants more"),
        pytest.param(DEMANDING, None, None, (600, 900), id="the profile wants it"),
        pytest.param(DEMANDING, 60, 3600, (60, 3600), id="what is asked stands before the profile"),
        pytest.param(PROFILE, 60, 3600, (60, 3600), id="the person wants it"),
    ],
)
def test_a_minimum_and_an_age_are_the_person_s_or_else_the_profile_s(
    profile: Profile, minimum: int | None, age: int | None, asked: tuple[int | None, int | None]
) -> None:
    invocation = Invocation(role="admin", min_remaining_seconds=minimum, mfa_max_age_seconds=age)

    wanted = what_was_asked(situation(invocation, profile=profile))

    assert (wanted.min_remaining_seconds, wanted.mfa_max_age_seconds) == asked


def test_what_is_asked_on_the_command_line_is_asked_of_the_provider() -> None:
    invocation = Invocation(role="admin", duration_seconds=7200, session_name="ci-1", new_session=True)

    assert what_was_asked(situation(invocation, occasion=RENEWAL), now=lambda: NOON) == Asked(
        duration_seconds=7200, session_name="ci-1", new_session=True, at=NOON, renewing=True
    )


def test_a_scope_is_asked_of_the_provider_as_the_options_say() -> None:
    scope = Scope(tags=(("team", "pay"),), external_id="an-id")

    asked = what_was_asked(situation(Invocation(role="admin", tags=("team=pay",), external_id="an-id")))

    assert asked.scope == scope


JOB = {"GITHUB_RUN_ID": "4711", "GITHUB_ACTOR": "octocat"}


@pytest.mark.parametrize(
    ("ci_tags", "tags"), [(False, ()), (True, (("Actor", "octocat"), ("Build", "4711")))]
)
def test_the_job_s_tags_are_asked_for_only_if_they_are_wanted(
    ci_tags: bool, tags: tuple[tuple[str, str], ...]
) -> None:
    asked = what_was_asked(situation(Invocation(role="admin", ci_tags=ci_tags), JOB))

    assert asked.job_tags == tags


@pytest.mark.parametrize(
    ("of_profile", "of_person", "expected"),
    [
        (None, None, None),
        ("1" * 12, None, "1" * 12),
        ("1" * 12, "2" * 12, "2" * 12),
        (None, "2" * 12, "2" * 12),
    ],
)
def test_the_account_that_is_expected_is_the_person_s_or_else_the_profile_s(
    of_profile: str | None, of_person: str | None, expected: str | None
) -> None:
    invocation = Invocation(role="x", expect_account=of_person)

    asked = what_was_asked(situation(invocation, profile=PROFILE.but(expected_account=of_profile)))

    assert asked.expected_account == expected


@pytest.mark.parametrize(
    ("invocation", "environ", "why"),
    [
        pytest.param(Invocation(role="admin"), {}, "there is no terminal to ask on", id="no terminal"),
        pytest.param(Invocation(role="admin"), {"CI": "1"}, "nobody is asked in CI", id="CI"),
        pytest.param(
            Invocation(role="admin"), {"CODEBUILD_BUILD_ID": "app:1"}, "nobody is asked in CI", id="CodeBuild"
        ),
        pytest.param(
            Invocation(role="admin"), {"CI": "false"}, "there is no terminal to ask on", id="CI denied"
        ),
        pytest.param(
            Invocation(role="admin", no_input=True), {"CI": "1"}, "--no-input forbids to ask", id="no input"
        ),
    ],
)
def test_nobody_is_asked_in_ci_and_that_is_why(  # matrix 70
    tmp_path: Path, invocation: Invocation, environ: dict[str, str], why: str
) -> None:
    (tmp_path / "zenity").touch(0o755)  # a desktop that could show a dialog
    (tmp_path / "osascript").touch(0o755)
    desktop = {"DISPLAY": ":0", "PATH": str(tmp_path)} if why != "there is no terminal to ask on" else {}
    codes = token_codes(situation(invocation, environ | desktop), PreparedAws(never))  # type: ignore[arg-type]

    assert not codes.is_available
    assert why in codes.why_nobody(Question("admin", "a-device")).message


def test_a_code_that_was_given_is_used_in_ci_too() -> None:
    wanted = situation(Invocation(role="admin", mfa_code="123456"), {"CI": "1"})

    codes = token_codes(wanted, PreparedAws(never))  # type: ignore[arg-type]

    assert codes.is_available
