"""A role that is cached: no STS, no botocore, no typer, and the same for the command."""

import os
import sys
import time

import pytest

from tests.cached import cached_text, write_cached

from .world import World

SHOW_ENVIRONMENT = (sys.executable, "-I", "-c", "import os; print(sorted(os.environ.items()))")


def settle(world: World) -> None:
    """Wait until the AWS files are old enough for stat to tell every later change of them."""
    changed = max(path.stat().st_ctime for path in (world.config, world.credentials))
    time.sleep(max(0.0, changed + 2.1 - time.time()))


def loaded(world: World, *argv: str, environ: dict[str, str] | None = None) -> set[str]:
    """The modules that gds-exec loads until it becomes `true`, as Python tells them."""
    done = world.run(*argv, "--", "true", environ={"PYTHONPROFILEIMPORTTIME": "1", **(environ or {})})
    assert done.returncode == 0, done.stderr.decode()
    return {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}


def is_warm(world: World, *argv: str, environ: dict[str, str] | None = None) -> bool:
    modules = loaded(world, *argv, environ=environ)
    assert "gds_exec.warm" in modules
    return not modules & {"gds_exec.cli", "gds_exec.errors", "typer", "botocore"}


@pytest.fixture
def warm(world: World) -> World:
    """A world in which the role `prod` is cached and was used once since."""
    world.add_role("prod")
    world.add_role("other")
    settle(world)
    world.sign_in("prod")
    assert is_warm(world, "prod")
    world.aws.calls.clear()
    return world


def test_the_second_run_is_warm_and_asks_nobody(warm: World) -> None:
    assert is_warm(warm, "prod", "--region", "eu-west-1", "--no-input")

    assert warm.aws.calls == []


def test_the_command_finds_the_same_environment(warm: World) -> None:
    found = warm.run("prod", "--", *SHOW_ENVIRONMENT)
    again = warm.run("prod", "--", *SHOW_ENVIRONMENT, environ={"GDS_EXEC_DEBUG": "1"})

    assert b"debug" in again.stderr, "that run went the long way"
    assert b"AWS_SESSION_TOKEN" in found.stdout
    assert eval(found.stdout) == [pair for pair in eval(again.stdout) if pair[0] != "GDS_EXEC_DEBUG"]


def test_another_option_goes_the_long_way_once(warm: World) -> None:
    assert not is_warm(warm, "prod", "--min-remaining", "10m")
    assert is_warm(warm, "prod", "--min-remaining", "10m")
    assert warm.aws.calls == []


def test_an_edit_of_equal_length_with_its_time_set_back_leads_to_the_new_role(warm: World) -> None:
    before = warm.config.stat()
    chief = warm.aws.add_role("chef", trust=[warm.user.arn], require_mfa=True)
    warm.config.write_text(warm.config.read_text().replace("role/prod", "role/chef"))
    os.utime(warm.config, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert warm.config.stat().st_size == before.st_size

    done = warm.run("prod", "--", "true")

    assert done.returncode == 0, done.stderr.decode()
    assert [call.parameters["RoleArn"] for call in warm.aws.calls] == [chief.arn]


def test_a_file_that_was_just_written_is_read_again(warm: World) -> None:
    warm.config.touch()

    assert not is_warm(warm, "prod")
    assert not is_warm(warm, "prod")
    settle(warm)
    assert not is_warm(warm, "prod")
    assert is_warm(warm, "prod")
    assert warm.aws.calls == []


def test_a_standing_warning_is_given_every_time(warm: World) -> None:
    warm.credentials.chmod(0o644)
    settle(warm)
    for _ in range(3):
        assert b"can be read by others" in warm.run("prod", "--", "true").stderr


def test_whoever_wants_quiet_is_served_warm_all_the_same(warm: World) -> None:
    warm.credentials.chmod(0o644)
    settle(warm)

    assert not is_warm(warm, "prod", "-q")
    assert is_warm(warm, "prod", "-q")


def test_an_expired_session_is_renewed_the_long_way(warm: World) -> None:
    (session,) = [path for path in warm.sessions() if "assumed-role" in path.read_text()]
    text = cached_text(session)
    issued = next(line for line in text.splitlines() if line.startswith("issued="))
    expiration = next(line for line in text.splitlines() if line.startswith("expiration="))
    old = int(time.time()) - 3600
    text = text.replace(issued, f"issued={old - 3600}").replace(expiration, f"expiration={old}")
    write_cached(session, text)

    assert not is_warm(warm, "prod")
    assert warm.aws.count("AssumeRole") == 1
    assert is_warm(warm, "prod")


def test_a_command_that_cannot_be_run_ends_as_it_does_without_a_cache(warm: World) -> None:
    warm_run, cold_run = (warm.run(role, "--", "no-such-command") for role in ("prod", "other"))

    assert (warm_run.returncode, warm_run.stderr) == (127, cold_run.stderr)


def test_a_role_inside_a_role_is_served_warm(warm: World) -> None:
    inner = "exec gds-exec prod -- sh -c 'echo $GDS_EXEC_ROLE'"
    outer = warm.run("prod", "--", "sh", "-c", inner, environ={"PYTHONPROFILEIMPORTTIME": "1"})

    assert outer.stdout == b"prod\n"
    assert b"gds_exec.cli" not in outer.stderr
