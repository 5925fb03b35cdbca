"""`gds-exec explain ROLE`: the way to a session, before anything is asked."""

import json
from typing import Any

from . import machines
from .expectations import assert_ours
from .world import PROMPT, World, finish


def explained(world: World, *argv: str, **environ: str) -> dict[str, Any]:
    done = world.run("explain", *argv, "--json", environ=environ)
    assert (done.returncode, done.stderr) == (0, b"")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_it_foretells_is_what_happens(world: World) -> None:
    world.add_role("prod")

    assert "a code of" in explained(world, "prod")["next"]
    assert world.run("prod", "true").returncode == 124

    world.sign_in("prod")
    assert explained(world, "prod")["next"].startswith("nothing to ask: the cached session has ")
    calls = len(world.aws.calls)
    assert world.run("prod", "true").returncode == 0
    assert len(world.aws.calls) == calls


def test_from_the_mfa_session_of_one_role_another_is_made(signed_in: World) -> None:
    signed_in.add_role("other")

    found = explained(signed_in, "other")

    assert [step["kind"] for step in found["chain"] if step["seconds_left"]] == ["MFA session"]
    assert found["next"].startswith(
        "nothing to ask: a role session of 1h is made from the cached MFA session"
    )
    assert signed_in.run("other", "true").returncode == 0


def test_aws_hears_nothing_and_nobody_is_asked(signed_in: World) -> None:
    signed_in.add_role("long", max_session=28_800)
    calls = len(signed_in.aws.calls)

    said = finish(signed_in.terminal("explain", "long", "--duration", "8h"))

    assert PROMPT not in said
    assert "is asked for on the terminal, then a role session of 8h is made" in said
    assert len(signed_in.aws.calls) == calls


def test_no_helper_is_run(world: World) -> None:
    mark = world.home / "was-run"
    world.add_role("prod", settings=f"mfa_process = touch {mark}", source_profile="helped")
    with world.config.open("a") as config:
        config.write(f"[profile helped]\ncredential_process = touch {mark}\n")

    found = explained(world, "prod")

    assert not mark.exists()
    assert found["code_sources"] == ["process"]
    assert found["next"].startswith("mfa_process gives a code of ")


def test_settings_name_the_line_the_variable_and_the_option(world: World) -> None:
    world.add_role("prod")

    done = world.run("explain", "prod", "--region", "eu-west-1", environ={"GDS_EXEC_DURATION": "30m"})

    lines = [line.split() for line in done.stdout.decode().splitlines()]
    assert ["region", "eu-west-1", "--region"] in lines
    assert ["duration", "30m", "GDS_EXEC_DURATION"] in lines
    assert ["source_profile", "gds-users", f"{world.config},", "line", "3"] in lines


def test_what_it_might_begin_with_is_told_in_order(world: World) -> None:
    role = world.add_role("prod", mfa=False)
    environ = machines.deployer(world, role)

    named = explained(world, "prod", **environ)["sources"]
    bare = explained(world, role.arn, **environ)["sources"]

    assert [one["kind"] for one in named] == [
        "profile",
        "environment",
        "web-identity",
        "container",
        "instance",
    ]
    assert [one["source"] for one in named] == ["profile gds-users", "the environment", None, None, None]
    assert [one["kind"] for one in named if one["is_taken"]] == ["profile"]
    assert [one["kind"] for one in bare if one["is_taken"]] == ["environment"]
    assert [one["kind"] for one in bare][:3] == ["environment", "web-identity", "profile"]


def test_secrets_of_files_and_sessions_are_not_told(signed_in: World) -> None:
    sessions = signed_in.aws._sessions.values()
    secrets = [signed_in.user.access_key_id, signed_in.user.secret_access_key]
    secrets += [session.secret_access_key for session in sessions]
    secrets += [session.token for session in sessions if session.token]

    said = signed_in.run("explain", "prod").stdout.decode() + json.dumps(explained(signed_in, "prod"))

    assert len(secrets) > 4
    assert [secret for secret in secrets if secret in said] == []


def test_a_broken_profile_is_told_with_its_line(world: World) -> None:
    world.write_config("[profile prod]\nrole_arn = nonsense\nsource_profile = gds-users\n")

    assert_ours(world.run("explain", "prod"), 125, "broken-profile", "line 2")


def test_without_a_role_it_is_a_usage_error(world: World) -> None:
    assert_ours(world.run("explain"), 2, "usage")
