"""What a run leaves for later ones: only where a later one needs no profile to know what will do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gds_exec.cli.messages import Messages
from gds_exec.cli.run import Run, put_together
from gds_exec.credentials.cache import open_cache
from gds_exec.errors import UnknownRole
from gds_exec.invocation import Invocation
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

    def run(self, invocation: Invocation, setting: str = "", messages: Messages | None = None) -> Run:
        role = "role_arn = arn:aws:iam::222222222222:role/admin\nsource_profile = base"
        self._config.write_text(f"[profile admin]\n{role}\n{setting}\n")
        cache = open_cache(str(self.cache / "gds-exec"), warn=never)
        run = put_together(invocation, self.environ, messages=messages, open_terminal=lambda: None)
        run.provider.kept_under = "key"
        return run.but(cache=cache, read_at=time.time() + LATER)

    @property
    def is_remembered(self) -> bool:
        return any(self.cache.glob("gds-exec/*.shortcut1"))


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
