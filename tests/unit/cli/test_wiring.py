import os
from pathlib import Path

import pytest

from gds_exec.cli.messages import Messages
from gds_exec.cli.wiring import _asked, wired_cache
from gds_exec.config.profiles import Profile
from gds_exec.config.sources import StoredKeys
from gds_exec.credentials.plan import Asked
from gds_exec.credentials.scope import Scope
from gds_exec.errors import UsageError
from gds_exec.invocation import Invocation
from tests.fakes import NOON

PROFILE = Profile("admin", StoredKeys("base", "AKIAEXAMPLE", "a-secret"))
DEMANDING = PROFILE.but(min_remaining_seconds=600, mfa_max_age_seconds=900)


@pytest.mark.parametrize("path", ["o", "~/o", "./o"])
def test_a_relative_cache_directory_of_our_own_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="GDS_EXEC_CACHE_DIR is no absolute path"):
        wired_cache({"GDS_EXEC_CACHE_DIR": path, "HOME": "/h"}, messages=Messages())


def test_the_cache_is_where_it_was_told_to_be(tmp_path: Path) -> None:
    cache = wired_cache({"GDS_EXEC_CACHE_DIR": str(tmp_path)}, messages=Messages())

    assert cache.directory is not None
    os.close(cache.directory)
    assert (tmp_path / "gds-exec").is_dir()


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

    wanted = _asked(profile, invocation, {}, renewing=False)

    assert (wanted.min_remaining_seconds, wanted.mfa_max_age_seconds) == asked


def test_what_is_asked_on_the_command_line_is_asked_of_the_provider() -> None:
    invocation = Invocation(role="admin", duration_seconds=7200, session_name="ci-1", new_session=True)

    assert _asked(PROFILE, invocation, {}, renewing=True, now=lambda: NOON) == Asked(
        duration_seconds=7200, session_name="ci-1", new_session=True, at=NOON, renewing=True
    )


def test_a_scope_is_asked_of_the_provider_as_what_its_text_says() -> None:
    scope = Scope(tags=(("team", "pay"),), external_id="an-id")

    asked = _asked(PROFILE, Invocation(role="admin", scope=scope.text), {}, renewing=False)

    assert asked.scope == scope
