"""The right session or none: who asks STS for something else is never answered with an old session."""

import json
from collections.abc import Callable

import pytest

from gds_exec.sandbox.principals import User
from tests.aws.sandbox import Aws
from tests.aws.server import serve

from .expectations import assert_ours
from .network import closed_port
from .observations import sessions_made
from .programs import program
from .world import GDS_EXEC, SHOW_KEY, World


def key_of(world: World, *options: str, environ: dict[str, str] | None = None) -> str:
    result = world.run("plain", *options, "--", *SHOW_KEY, environ=environ)
    assert result.returncode == 0, result.stderr
    return result.stdout.decode().strip()


def replace_in_config(world: World, old: str, new: str) -> None:
    text = world.config.read_text()
    assert old in text
    world.write_config(text.replace(old, new))


def trust_too(world: World, user: User) -> None:
    (role,) = world.aws.roles.values()
    world.aws.add_role(role.name, trust=[*role.trust, user.arn])


def edit_role_arn(world: World) -> None:
    other = world.aws.add_role("other", trust=[world.user.arn])
    replace_in_config(world, "role/plain", other.arn.partition(":")[2].rpartition(":")[2])


def edit_account(world: World) -> None:
    world.aws.add_role("plain", trust=[world.user.arn], account="333333333333")
    replace_in_config(world, "222222222222", "333333333333")


def edit_path(world: World) -> None:
    world.aws.add_role("plain", trust=[world.user.arn], path="/teams/")
    replace_in_config(world, "role/plain", "role/teams/plain")


def edit_source(world: World) -> None:
    bob = world.aws.add_user("bob@example.gov.uk")
    trust_too(world, bob)
    world.write_credentials(world.keys_section("gds-users", world.user) + world.keys_section("bob", bob))
    replace_in_config(world, "source_profile = gds-users", "source_profile = bob")


def rotate_key(world: World) -> None:
    bob = world.aws.add_user("bob@example.gov.uk")
    trust_too(world, bob)
    world.write_credentials(world.keys_section("gds-users", bob))


def setting(line: str) -> Callable[[World], None]:
    return lambda world: replace_in_config(world, "region =", f"{line}\nregion =")


@pytest.mark.matrix(123)
@pytest.mark.parametrize(
    "edit",
    [
        edit_role_arn,
        edit_account,
        edit_path,
        edit_source,
        rotate_key,
        setting("duration_seconds = 1800"),
        setting("external_id = team-7"),
        setting("role_session_name = alice"),
    ],
    ids=[
        "role_arn",
        "account",
        "path",
        "source_profile",
        "access key",
        "duration_seconds",
        "external_id",
        "role_session_name",
    ],
)
def test_an_edited_profile_is_never_answered_with_an_old_session(
    world: World, edit: Callable[[World], None]
) -> None:
    world.add_role("plain", mfa=False)
    before = world.config.read_text(), world.credentials.read_text()
    old = key_of(world)
    edit(world)
    new = key_of(world)

    assert new != old
    assert key_of(world) == new
    world.write_config(before[0])
    world.write_credentials(before[1])
    assert key_of(world) == old, "edited back, the old session is the right one again"
    assert world.aws.count("AssumeRole") == 2


@pytest.mark.matrix(123)
@pytest.mark.parametrize(
    "options",
    [
        ("--session-name", "alice"),
        ("--session-name", "alice@example"),
        ("--duration", "30m"),
        ("--source-profile", "bob"),
    ],
    ids=" ".join,
)
def test_an_option_that_goes_to_sts_is_never_answered_with_an_old_session(
    world: World, options: tuple[str, ...]
) -> None:
    bob = world.aws.add_user("bob@example.gov.uk")
    world.write_credentials(world.keys_section("gds-users", world.user) + world.keys_section("bob", bob))
    world.add_role("plain", mfa=False, trust=[world.user.arn, bob.arn])
    old = key_of(world)
    new = key_of(world, *options)

    assert new != old
    assert key_of(world, *options) == new
    assert key_of(world) == old
    assert world.aws.count("AssumeRole") == 2


@pytest.mark.matrix(123)
def test_another_endpoint_is_another_aws(world: World) -> None:
    world.add_role("plain", mfa=False)
    old = key_of(world)
    with serve(world.aws) as elsewhere:
        new = key_of(world, environ={"AWS_ENDPOINT_URL_STS": elsewhere})

    assert new != old
    assert key_of(world) == old


@pytest.mark.matrix(123)
def test_another_device_of_the_user_does_not_answer_for_the_first(world: World) -> None:
    world.add_role("readonly")
    world.sign_in("readonly")
    second = world.user.add_mfa_device("phone")
    assert second.serial != world.device.serial
    replace_in_config(world, world.device.serial, second.serial)
    without = world.run("readonly", "--new-session", "--", "true")
    result = world.run("readonly", "--new-session", "--mfa-code", second.code(), "--", "true")

    assert without.returncode == 124
    assert result.returncode == 0, result.stderr
    assert sessions_made(world.aws) == ("GetSessionToken", "AssumeRole", "GetSessionToken", "AssumeRole")


@pytest.mark.matrix(123)
@pytest.mark.parametrize("spelling", ["60m", "3600", "3600s", "1h"])
def test_the_same_request_in_other_words_is_answered_with_the_same_session(
    world: World, spelling: str
) -> None:
    world.add_role("plain", mfa=False)
    world.write_config(
        world.config.read_text() + world.config.read_text().replace("profile plain", "profile alias")
    )

    assert key_of(world, "--duration", spelling) == key_of(world)
    alias = world.run("alias", "--", *SHOW_KEY)
    assert alias.stdout.decode().strip() == key_of(world)
    assert world.aws.count("AssumeRole") == 1


@pytest.mark.matrix(126)
def test_a_profile_that_ignores_configured_endpoints_sends_nothing_to_one(world: World) -> None:
    world.add_role("plain", mfa=False, settings="ignore_configured_endpoint_urls = true")
    nowhere = {"HTTPS_PROXY": f"http://127.0.0.1:{closed_port()}"}
    result = world.run("plain", "--", "true", environ=nowhere)

    assert_ours(result, 125, "[aws-unreachable]", "AWS STS (eu-west-2)")
    assert world.aws.calls == []


@pytest.mark.matrix(96)
def test_a_helper_inside_a_role_does_not_get_the_role_s_keys(world: World) -> None:
    world.add_role("outer", mfa=False)
    world.add_role("inner", mfa=False, source_profile="helped")
    seen = world.home / "seen"
    document = json.dumps(
        {
            "Version": 1,
            "AccessKeyId": world.user.access_key_id,
            "SecretAccessKey": world.user.secret_access_key,
        }
    )
    helper = program(world.home / "helper", f"#!/bin/sh\nenv >{seen}\necho '{document}'\n")
    world.write_config(world.config.read_text() + f"[profile helped]\ncredential_process = {helper}\n")
    result = world.run("outer", "--", GDS_EXEC, "inner", "--", "true")

    assert result.returncode == 0, result.stderr
    assert "AWS_ACCESS_KEY_ID" not in seen.read_text()
    assert "AWS_SESSION_TOKEN" not in seen.read_text()


def test_whoami_sends_each_key_where_its_own_profile_says(world: World) -> None:
    del world.environ["AWS_ENDPOINT_URL"]
    elsewhere = Aws()
    elsewhere.users[world.user.access_key_id] = world.user
    world.add_role("plain", mfa=False, settings=f"endpoint_url = {world.url}")
    with serve(elsewhere) as url:
        base = f"[profile gds-users]\nendpoint_url = {url}\n"
        world.write_config(world.config.read_text() + base)
        result = world.run("plain", "--", GDS_EXEC, "whoami")

    assert result.returncode == 0, result.stderr
    assert b":assumed-role/plain/" in result.stdout
    assert [call.access_key_id for call in elsewhere.calls] == [world.user.access_key_id]
