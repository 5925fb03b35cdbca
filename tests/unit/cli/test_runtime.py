"""What a run leaves for later ones: only where a later one needs no profile to know what will do."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path
from typing import NoReturn

import pytest

from gds_exec.cli.runtime import Run, put_together
from gds_exec.credentials.cache import open_cache
from gds_exec.errors import NoAccessKey, OutOfTime, UnknownRole
from gds_exec.invocation import Invocation
from gds_exec.output import Messages
from tests.fakes import a_session, never

LATER = 10.0
ARN = "arn:aws:sts::222222222222:assumed-role/admin/alice"
PLAIN = Invocation(role="admin")
KEYS = "[base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = a-secret\n"


class Home:
    """A home whose AWS files have the role, with these settings of ours."""

    def __init__(self, path: Path) -> None:
        self.cache = path / "cache"
        self._config = path / "config"
        self._credentials = path / "credentials"
        self._credentials.write_text(KEYS)
        self._credentials.chmod(0o600)
        self.environ = {
            "HOME": str(path),
            "AWS_CONFIG_FILE": str(self._config),
            "AWS_SHARED_CREDENTIALS_FILE": str(self._credentials),
            "GDS_EXEC_CACHE_DIR": str(self.cache),
        }

    def run(
        self,
        invocation: Invocation,
        setting: str = "",
        messages: Messages | None = None,
        *,
        source: str = "source_profile = base",
    ) -> Run:
        role = f"role_arn = arn:aws:iam::222222222222:role/admin\n{source}"
        self._config.write_text(f"[profile admin]\n{role}\n{setting}\n")
        cache = open_cache(str(self.cache / "gds-exec"), warn=never)
        run = put_together(invocation, self.environ, messages=messages, open_terminal=lambda: None)
        run.provider.kept_under = "key"
        return run.but(cache=cache, read_at=time.time() + LATER)

    @property
    def is_remembered(self) -> bool:
        return any(self.cache.glob("gds-exec/*.shortcut2"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_plain_run_is_remembered(home: Home) -> None:
    home.run(PLAIN).remember(a_session(arn=ARN))

    assert home.is_remembered


@pytest.mark.parametrize(
    "setting", ["gds_exec_refresh = true", "gds_exec_min_remaining = 10m", "gds_exec_mfa_max_age = 15m"]
)
def test_what_the_profile_wants_besides_is_asked_of_the_profile_each_time(home: Home, setting: str) -> None:
    home.run(PLAIN, setting).remember(a_session(arn=ARN))

    assert not home.is_remembered


@pytest.mark.parametrize(
    "invocation",
    [
        pytest.param(Invocation(role="admin", new_session=True), id="a new session"),
        pytest.param(Invocation(role="admin", mfa_code="123456"), id="a code"),
    ],
)
def test_what_was_made_for_once_is_found_by_whoever_asks_plainly(home: Home, invocation: Invocation) -> None:
    home.run(invocation).remember(a_session(arn=ARN))

    assert home.is_remembered


def test_what_wants_a_fresh_code_is_not_remembered(home: Home) -> None:
    home.run(Invocation(role="admin", mfa_max_age_seconds=900)).remember(a_session(arn=ARN))

    assert not home.is_remembered


def test_a_run_that_had_something_to_say_is_to_say_it_again(
    home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    messages = Messages()
    messages.warn("a warning")

    home.run(PLAIN, messages=messages).remember(a_session(arn=ARN))

    assert not home.is_remembered
    assert capfd.readouterr().err == "gds-exec: a warning\n"


def test_what_no_cache_keeps_is_not_remembered(home: Home) -> None:
    run = home.run(PLAIN)
    run.provider.kept_under = None

    run.remember(a_session(arn=ARN))

    assert not home.is_remembered


def test_a_role_that_nobody_knows_is_refused_before_a_terminal_is_looked_for(home: Home) -> None:
    home.run(PLAIN)

    with pytest.raises(UnknownRole):
        put_together(Invocation(role="other"), home.environ, open_terminal=never)


BARE = Invocation(role="arn:aws:iam::222222222222:role/admin")
KEYS_HERE = {"AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "a-secret"}
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2IifQ.c2ln"


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(JWT)
    return str(path)


@pytest.mark.parametrize("source", ["source_profile = base", "source_profile = process"])
def test_what_the_files_alone_lead_to_is_remembered(home: Home, source: str) -> None:
    home.run(PLAIN, "[profile process]\ncredential_process = p", source=source).remember(a_session(arn=ARN))

    assert home.is_remembered


@pytest.mark.parametrize(
    ("invocation", "environ", "source"),
    [
        pytest.param(BARE, KEYS_HERE, "source_profile = base", id="keys in the environment"),
        pytest.param(PLAIN, KEYS_HERE, "credential_source = Environment", id="those that the profile wants"),
        pytest.param(
            PLAIN,
            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/1"},
            "credential_source = EcsContainer",
            id="container",
        ),
        pytest.param(PLAIN, {}, "credential_source = Ec2InstanceMetadata", id="instance"),
        pytest.param(PLAIN, {}, "web_identity_token_file = {token}", id="token that the profile names"),
        pytest.param(BARE, {"AWS_WEB_IDENTITY_TOKEN_FILE": "{token}"}, "source_profile = base", id="token"),
    ],
)
def test_what_lies_outside_of_the_files_is_looked_for_each_time(
    home: Home, token_file: str, invocation: Invocation, environ: dict[str, str], source: str
) -> None:
    home.environ |= {name: value.format(token=token_file) for name, value in environ.items()}

    home.run(invocation, source=source.format(token=token_file)).remember(a_session(arn=ARN))

    assert not home.is_remembered


def test_a_session_with_the_tags_of_a_job_is_that_job_s_alone(home: Home) -> None:
    home.run(Invocation(role="admin", ci_tags=True)).remember(a_session(arn=ARN))

    assert not home.is_remembered


@pytest.mark.parametrize(
    ("invocation", "environ", "lost"),
    [
        pytest.param(PLAIN, {}, None, id="a profile's keys are there again"),
        pytest.param(BARE, KEYS_HERE, "the environment", id="keys in the environment are not"),
        pytest.param(
            BARE,
            {**KEYS_HERE, "GDS_EXEC_ROLE": "outer", "GDS_EXEC_CALLER_SOURCE": "the environment"},
            "the outer role outer",
            id="an outer role's keys are not",
        ),
    ],
)
def test_a_command_is_told_of_a_source_that_it_does_not_see(
    home: Home, invocation: Invocation, environ: dict[str, str], lost: str | None
) -> None:
    home.environ |= environ

    assert home.run(invocation).briefing.lost_source == lost


def test_a_command_is_told_what_it_may_and_where_it_is(home: Home) -> None:
    asked = Invocation(role="admin", pass_id_token=True, region="eu-west-1")
    briefing = home.run(asked, "region = eu-west-2").briefing

    assert (briefing.role, briefing.region, briefing.region_override, briefing.may_request_tokens) == (
        "admin",
        "eu-west-2",
        "eu-west-1",
        True,
    )


def for_ever() -> NoReturn:
    select.select([], [], [])
    raise AssertionError("nothing ends this but a signal")


def test_who_waits_too_long_for_a_session_is_told_of_the_limit(home: Home) -> None:
    run = home.run(Invocation(role="admin", timeout_seconds=0.01))  # type: ignore[arg-type]

    with pytest.raises(OutOfTime, match="no credentials were had within") as failure:
        run.within_time(for_ever)

    assert "GDS_EXEC_TIMEOUT" in str(failure.value.hint)


@pytest.mark.parametrize("timeout", [None, 3600])
def test_a_session_in_time_is_handed_on(home: Home, timeout: int | None) -> None:
    session = a_session(arn=ARN)

    assert home.run(Invocation(role="admin", timeout_seconds=timeout)).within_time(lambda: session) is session


@pytest.mark.parametrize(("said", "is_masked"), [("true", True), ("false", False)])
def test_in_github_actions_a_session_is_masked_before_anybody_has_it(
    home: Home, capfd: pytest.CaptureFixture[str], said: str, is_masked: bool
) -> None:
    home.environ["GITHUB_ACTIONS"] = said

    home.run(PLAIN).within_time(a_session)

    assert ("::add-mask::secret-0001\n" in capfd.readouterr().err) is is_masked


@pytest.mark.parametrize(
    ("invocation", "environ", "is_kept"),
    [
        pytest.param(PLAIN, {}, True, id="at a desk"),
        pytest.param(PLAIN, {"CI": "true"}, False, id="in CI"),
        pytest.param(PLAIN, {"BUILD_TAG": "jenkins-1"}, False, id="in a CI that sets no CI"),
        pytest.param(Invocation(role="admin", cache=True), {"CI": "true"}, True, id="in CI, if asked"),
        pytest.param(PLAIN, {"CI": "true", "GDS_EXEC_CACHE_DIR": "{home}/mine"}, True, id="in CI, there"),
    ],
)
def test_a_ci_job_leaves_nothing_on_disk_unless_asked(
    home: Home, tmp_path: Path, invocation: Invocation, environ: dict[str, str], is_kept: bool
) -> None:
    home.run(PLAIN)
    del home.environ["GDS_EXEC_CACHE_DIR"]
    home.environ |= {name: value.format(home=tmp_path) for name, value in environ.items()}
    before = {*tmp_path.rglob("*")}

    run = put_together(invocation, home.environ, open_terminal=lambda: None)

    assert (run.cache.directory is not None) is is_kept
    assert ({*tmp_path.rglob("*")} != before) is is_kept
    if run.cache.directory is not None:
        os.close(run.cache.directory)


def test_a_source_that_is_asked_for_and_is_not_here_is_refused_before_a_terminal_is_looked_for(
    home: Home,
) -> None:
    home.run(PLAIN)

    with pytest.raises(NoAccessKey):
        put_together(Invocation(role="admin", source="github"), home.environ, open_terminal=never)
