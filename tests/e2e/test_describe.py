"""`gds-exec ROLE --describe`: what a role is, for who has no network and no code at hand."""

import json

import pytest
import yaml

from .expectations import assert_ours
from .world import PROMPT, REGION, World, finish

NOWHERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}  # where nothing listens


def described(world: World, *argv: str, **environ: str) -> dict[str, str | None]:
    done = world.run(*argv, environ=environ)
    assert (done.returncode, done.stderr) == (0, b"")
    found: dict[str, str | None] = yaml.safe_load(done.stdout)
    return found


def test_a_role_is_described_without_a_network_and_without_a_code(world: World) -> None:
    role = world.add_role("prod", role_name="alice-admin")

    assert described(world, "prod", "-d", **NOWHERE) == {
        "role": "prod",
        "arn": role.arn,
        "account": role.arn.split(":")[4],
        "region": REGION,
        "source_profile": "gds-users",
        "source": "profile gds-users",
        "mfa_device": world.device.serial,
        "duration": "1h (default)",
        "session": "none, a code is needed",
    }


@pytest.mark.parametrize("argv", [("-d", "prod"), ("prod", "--describe"), ("prod", "-d", "--art", "1h")])
def test_the_option_may_stand_anywhere(world: World, argv: tuple[str, ...]) -> None:
    world.add_role("prod")

    assert described(world, *argv)["role"] == "prod"


def test_nobody_is_asked_on_a_terminal(world: World) -> None:
    world.add_role("prod")

    assert PROMPT not in finish(world.terminal("prod", "-d"))


def test_a_cached_session_is_told_with_its_time_and_aws_hears_nothing(signed_in: World) -> None:
    calls = len(signed_in.aws.calls)

    session = described(signed_in, "prod", "-d")["session"]

    assert session in {"cached, 59m left", "cached, 1h left"}
    assert len(signed_in.aws.calls) == calls


def test_another_role_of_the_same_device_needs_no_code_then(signed_in: World) -> None:
    signed_in.add_role("other")

    assert described(signed_in, "other", "-d")["session"] == "none, no code is needed"


def test_it_is_the_same_within_another_role(signed_in: World) -> None:
    signed_in.add_role("other")
    outside = described(signed_in, "other", "-d")

    done = signed_in.run("prod", "--", "gds-exec", "other", "-d")

    assert yaml.safe_load(done.stdout) == outside


def test_scripts_read_json(signed_in: World) -> None:
    found = json.loads(signed_in.run("prod", "-d", "--json").stdout)

    assert (found["account"], found["duration_seconds"]) == ("222222222222", 3600)
    assert found["session"]["state"] == "cached"


@pytest.mark.parametrize(
    "environ",
    [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {"LANG": "C"}, {"PYTHONIOENCODING": "ascii"}],
    ids=str,
)
def test_odd_names_are_shown_whatever_the_terminal_can(world: World, environ: dict[str, str]) -> None:
    # matrix 80, 82
    name = "équipe\x1b[31m\u202e[bold]"
    world.write_config(
        f"[profile {name}]\nrole_arn = arn:aws:iam::222222222222:role/x\nsource_profile = gds-users\n"
    )

    done = world.run(name, "-d", environ=environ)

    assert done.returncode == 0, done.stderr.decode()
    assert rb"quipe\x1b[31m\u202e[bold]" in done.stdout
    assert yaml.safe_load(done.stdout)["role"] == name


def test_an_unknown_role_is_an_error_of_ours(world: World) -> None:
    assert_ours(world.run("nope", "-d"), 125, "unknown-role")


def test_a_description_that_cannot_be_written_is_an_error_of_ours(world: World) -> None:
    world.add_role("prod")

    done = world.run_program("sh", "-c", "exec gds-exec prod -d > /dev/full")

    assert_ours(done, 125, "output-failed")
