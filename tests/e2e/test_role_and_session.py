"""Which sessions are made for what is asked, counted in calls and in codes; and who one is."""

import json
import shlex
import time
from pathlib import Path

import pytest

from tests.aws.faults import Fault

from .expectations import assert_ours
from .observations import calls_of, codes_sent, durations, session_names, sessions_made
from .world import GDS_EXEC, PYTHON, SHOW_KEY, World, finish

MFA = "GetSessionToken"
ROLE = "AssumeRole"
TWELVE_HOURS = 43200


def runs(world: World, *argv: str, **environ: str) -> str:
    """Run gds-exec, check that all went well, and return what the command printed."""
    done = world.run(*argv, environ=environ)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


# The table of DESIGN section 5.


def test_hour_of_several_roles_costs_one_code_in_all(world: World) -> None:
    for name in ("admin", "reader", "writer"):
        world.add_role(name)
    runs(world, "admin", "--mfa-code", world.code(), "--", "true")
    for name in ("reader", "writer", "admin", "reader"):
        runs(world, name, "--", "true")
    assert codes_sent(world.aws) == 1
    assert sessions_made(world.aws) == (MFA, ROLE, ROLE, ROLE)
    assert set(durations(world.aws)) == {(MFA, TWELVE_HOURS), (ROLE, 3600)}


@pytest.mark.parametrize("duration", ["15m", "60m", "3600", "3600s", "1h"])
def test_up_to_an_hour_comes_from_the_mfa_session(world: World, duration: str) -> None:
    world.add_role("admin")
    runs(world, "admin", "--duration", duration, "--mfa-code", world.code(), "--", "true")
    assert sessions_made(world.aws) == (MFA, ROLE)


def test_more_than_an_hour_takes_a_code_for_each_role_and_duration(world: World) -> None:
    world.add_role("admin", max_session=TWELVE_HOURS)
    world.add_role("reader", max_session=TWELVE_HOURS)
    runs(world, "admin", "--duration", "8h", "--mfa-code", world.code(), "--", "true")
    runs(world, "admin", "--duration", "8h", "--", "true")
    assert (codes_sent(world.aws), durations(world.aws)) == (1, [(ROLE, 28800)])
    for role, duration in (("admin", "7h"), ("reader", "8h")):
        assert world.run(role, "--duration", duration, "--", "true").returncode == 124
    runs(world, "reader", "--duration", "8h", "--mfa-code", world.code(), "--", "true")
    assert sessions_made(world.aws) == (ROLE, ROLE)


def test_long_session_is_not_asked_of_the_mfa_session(world: World) -> None:
    world.add_role("admin", max_session=TWELVE_HOURS)
    world.sign_in("admin")
    runs(world, "admin", "--duration", "2h", "--mfa-code", world.code(), "--", "true")
    assert sessions_made(world.aws) == (MFA, ROLE, ROLE)
    assert "TokenCode" in calls_of(world.aws, ROLE)[-1].parameters


@pytest.mark.matrix(59)
def test_role_through_a_role_costs_the_code_of_its_first_hop(world: World) -> None:
    first = world.add_role("first")
    world.add_role("second", mfa=False, trust=[first.arn], source_profile="first")
    world.sign_in("first")
    runs(world, "second", "--", "true")
    runs(world, "second", "--", "true")
    assert codes_sent(world.aws) == 1
    assert sessions_made(world.aws) == (MFA, ROLE, ROLE)


def test_role_without_mfa_costs_no_code_and_one_call(world: World) -> None:
    world.add_role("plain", mfa=False, max_session=TWELVE_HOURS)
    runs(world, "plain", "--duration", "8h", "--", "true")
    assert [call.action for call in world.aws.calls] == [ROLE]


def test_keys_with_a_device_and_no_role_give_their_mfa_session(world: World) -> None:
    keys = world.keys_section("gds-users", world.user)
    world.write_credentials(f"{keys}mfa_serial = {world.device.serial}\n")
    assert world.run("gds-users", "--", "true").returncode == 124
    assert runs(world, "gds-users", "--mfa-code", world.code(), "--", *SHOW_KEY).startswith("ASIA")
    runs(world, "gds-users", "--", "true")
    assert durations(world.aws) == [(MFA, TWELVE_HOURS)]


def test_mfa_session_of_the_keys_opens_the_roles_too(world: World) -> None:
    keys = world.keys_section("gds-users", world.user)
    world.write_credentials(f"{keys}mfa_serial = {world.device.serial}\n")
    world.add_role("admin")
    runs(world, "gds-users", "--mfa-code", world.code(), "--", "true")
    runs(world, "admin", "--", "true")
    assert codes_sent(world.aws) == 1


def test_keys_without_a_device_or_a_role_are_used_as_they_are_and_that_is_said(world: World) -> None:
    child = world.terminal("gds-users", "--", *SHOW_KEY)
    said = finish(child)
    assert child.exitstatus == 0, said
    assert world.user.access_key_id in said
    assert "gds-users has no role: its keys are used as they are" in said
    assert not world.aws.calls
    environ = runs(
        world, "gds-users", "--", "env", AWS_SESSION_TOKEN="stale", AWS_CREDENTIAL_EXPIRATION="stale"
    )
    assert "stale" not in environ


# What is asked on the command line.


@pytest.mark.parametrize("option", ["--duration", "--art", "-art", "--assume-role-ttl"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_duration_has_the_names_of_other_tools(world: World, option: str, place: str) -> None:
    world.add_role("plain", mfa=False, max_session=TWELVE_HOURS)
    asked = (option, "1h30m")
    argv = (*asked, "plain") if place == "before" else ("plain", *asked)
    runs(world, *argv, "--", "true")
    assert durations(world.aws) == [(ROLE, 5400)]


def test_duration_may_come_from_the_environment_and_gives_way_to_the_option(world: World) -> None:
    world.add_role("plain", mfa=False, max_session=TWELVE_HOURS, settings="duration_seconds = 900")
    runs(world, "plain", "--", "true")
    runs(world, "plain", "--", "true", GDS_EXEC_DURATION="2h")
    runs(world, "plain", "--duration=3h", "--", "true", GDS_EXEC_DURATION="2h")
    assert durations(world.aws) == [(ROLE, 900), (ROLE, 7200), (ROLE, 10800)]


@pytest.mark.parametrize(
    "duration", ["14m", "13h", "0", "-1", "1h1h", "1m1h", "h", "8 h", "8H", "٣h", "1e3", "", "9" * 30]
)
def test_duration_that_cannot_be_is_a_usage_error(world: World, duration: str) -> None:
    world.add_role("plain", mfa=False)
    assert_ours(world.run("plain", f"--duration={duration}", "--", "true"), 2, "hint: ")
    assert not world.aws.calls


@pytest.mark.parametrize("minimum", ["13h", "x", ""])
def test_minimum_that_cannot_be_is_a_usage_error(world: World, minimum: str) -> None:
    world.add_role("plain", mfa=False)
    assert_ours(world.run("plain", f"--min-remaining={minimum}", "--", "true"), 2)


def test_minimum_over_an_hour_through_a_role_is_refused_before_any_call(world: World) -> None:
    first = world.add_role("first")
    world.add_role("second", mfa=False, trust=[first.arn], source_profile="first", max_session=TWELVE_HOURS)
    done = world.run("second", "--min-remaining", "2h", "--mfa-code", "123456", "--", "true")
    assert_ours(done, 125, "[session-too-short]", "2h were", "session 1h")
    assert not world.aws.calls


def test_new_session_is_new_but_costs_no_code(world: World) -> None:
    world.add_role("admin")
    world.sign_in("admin")
    old = runs(world, "admin", "--", *SHOW_KEY)
    new = runs(world, "admin", "--new-session", "--", *SHOW_KEY)
    assert new != old
    assert runs(world, "admin", "--", *SHOW_KEY) == new
    assert sessions_made(world.aws) == (MFA, ROLE, ROLE)


@pytest.mark.parametrize("variable", ["LOGNAME", "USER"])
def test_session_name_is_made_of_whoami_and_the_time_and_is_no_address(world: World, variable: str) -> None:
    world.add_role("plain", mfa=False)
    whoami = world.run_program("whoami").stdout.decode().strip()
    before = time.strftime("%d-%m-%y_%H-%M")
    runs(world, "plain", "--", "true", **{variable: "mallory@example.com"})
    (name,) = session_names(world.aws)
    assert name in {f"{whoami}-{when}" for when in (before, time.strftime("%d-%m-%y_%H-%M"))}


@pytest.mark.parametrize(("option", "variable"), [(True, False), (False, True)], ids=["option", "variable"])
def test_session_name_may_be_given_and_is_kept_apart(world: World, option: bool, variable: bool) -> None:
    world.add_role("plain", mfa=False, settings="role_session_name = of-the-profile")
    runs(world, "plain", "--", "true")
    argv = ("--session-name", "me@work+1") if option else ()
    environ = {"GDS_EXEC_SESSION_NAME": "me@work+1"} if variable else {}
    runs(world, "plain", *argv, "--", "true", **environ)
    runs(world, "plain", *argv, "--", "true", **environ)
    assert session_names(world.aws) == ["of-the-profile", "me@work+1"]


def test_session_name_is_that_of_the_wanted_role_alone(world: World) -> None:
    first = world.add_role("first", settings="role_session_name = to-the-first")
    world.add_role("second", mfa=False, trust=[first.arn], source_profile="first")
    runs(world, "second", "--session-name", "given", "--mfa-code", world.code(), "--", "true")
    assert session_names(world.aws) == ["to-the-first", "given"]


@pytest.mark.parametrize("name", ["", "x", "a b", "a/b", "é" * 3, "x" * 65, "a\nb"])
def test_session_name_that_aws_would_not_take_is_a_usage_error(world: World, name: str) -> None:
    world.add_role("plain", mfa=False)
    assert_ours(world.run("plain", f"--session-name={name}", "--", "true"), 2, "[usage]")
    assert not world.aws.calls


# Codes.


@pytest.mark.parametrize("option", ["--mfa-code", "--mfa-token", "-t"])
def test_code_may_be_given(world: World, option: str) -> None:
    world.add_role("admin")
    runs(world, "admin", option, world.code(), "--", "true")


def test_code_in_the_environment_reaches_no_command(world: World) -> None:
    world.add_role("admin")
    code = world.code()
    environ = runs(world, "admin", "--", "env", GDS_EXEC_MFA_CODE=code)
    assert "GDS_EXEC_MFA_CODE" not in environ
    assert f"={code}\n" not in environ


def test_given_code_is_not_spent_where_none_is_needed(world: World) -> None:
    world.add_role("admin")
    world.add_role("reader")
    world.sign_in("admin")
    code = world.code()
    runs(world, "reader", "--mfa-code", code, "--", "true")
    runs(world, "reader", "--duration", "1h", "--mfa-code", code, "--", "true")
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(77)
@pytest.mark.parametrize("code", ["54321", "7654321", "54321a", "\u0661" * 6, "-54321", "\uff17" * 6])
def test_given_code_that_is_none_is_a_usage_error_which_does_not_repeat_it(world: World, code: str) -> None:
    world.add_role("admin")
    said = assert_ours(world.run("admin", f"--mfa-code={code}", "--", "true"), 2, "six digits")
    assert code not in said
    assert_ours(world.run("admin", "--", "true", environ={"GDS_EXEC_MFA_CODE": code}), 2, "six digits")
    assert not world.aws.calls


def test_given_code_that_is_refused_is_not_sent_again(world: World) -> None:
    world.add_role("admin")
    done = world.run("admin", "--mfa-code", "000000", "--", "true")
    assert_ours(done, 125, "[mfa-code-refused]")
    assert codes_sent(world.aws) == 1


def test_given_code_that_is_refused_leads_to_the_person(world: World) -> None:
    world.add_role("admin")
    child = world.terminal("admin", "--mfa-code", "000000", "--", "echo", "started")
    child.expect_exact("MFA code for admin (")
    child.sendline(world.code())
    assert "started" in finish(child)
    assert child.exitstatus == 0


def _shows_a_code(world: World, code: str) -> str:
    path = world.home / "current-code"
    path.write_text(code, encoding="ascii")
    return f"mfa_process = cat {shlex.quote(str(path))}"


@pytest.mark.parametrize("shown", ["{}", " {}\n", "{}\r\n"], ids=["bare", "newline", "crlf"])
def test_mfa_process_gives_the_code(world: World, shown: str) -> None:
    world.add_role("admin", settings=_shows_a_code(world, shown.format(world.code())))
    runs(world, "admin", "--", "true")
    assert codes_sent(world.aws) == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param("echo 12345", ("printed no code of six digits for admin",), id="five-digits"),
        pytest.param("echo canary", ("printed no code of six digits",), id="no-digits"),
        pytest.param("false", ("exit status 1",), id="fails"),
        pytest.param("/nowhere/oath", ("/nowhere/oath",), id="not-there"),
    ],
)
def test_mfa_process_without_a_code_is_told(world: World, command: str, words: tuple[str, ...]) -> None:
    world.add_role("admin", settings=f"mfa_process = {command}")
    done = world.run("admin", "--", "true")
    said = assert_ours(done, 125, *words)
    assert "canary" not in said
    assert codes_sent(world.aws) == 0


def test_where_mfa_process_fails_a_person_is_asked(world: World) -> None:
    world.add_role("admin", settings="mfa_process = false")
    child = world.terminal("admin", "--", "echo", "started")
    child.expect_exact("failed with exit status 1")
    child.expect_exact("MFA code for admin (")
    child.expect_exact("): ")
    child.sendline(world.code())
    assert "started" in finish(child)
    assert child.exitstatus == 0


def test_mfa_process_is_not_run_where_no_code_is_needed(world: World) -> None:
    ran = world.home / "ran"
    world.add_role("admin", settings=f"mfa_process = touch {ran}")
    world.sign_in("admin")
    runs(world, "admin", "--", "true")
    assert not ran.exists()


# gds-exec in gds-exec.


@pytest.mark.matrix(96)
def test_inner_gds_exec_starts_from_the_base_again(world: World) -> None:
    world.add_role("outer", mfa=False)
    inner = world.add_role("inner", mfa=False)
    printed = runs(world, "outer", "--", GDS_EXEC, "inner", "--", "sh", "-c", 'echo "$GDS_EXEC_ROLE"')
    assert printed == "inner"
    last = calls_of(world.aws, ROLE)[-1]
    assert last.parameters["RoleArn"] == inner.arn
    assert last.access_key_id == world.user.access_key_id


@pytest.mark.matrix(96)
def test_inner_role_is_in_its_own_region(world: World) -> None:
    world.add_role("outer", mfa=False)
    world.add_role("inner", mfa=False)
    config = world.config.read_text().rpartition("region = ")
    world.write_config(config[0] + "region = eu-west-1\n")
    printed = runs(world, "outer", "--", GDS_EXEC, "inner", "--", "sh", "-c", "echo $AWS_REGION")
    assert printed == "eu-west-1"


@pytest.mark.matrix(96)
def test_inner_gds_exec_knows_the_profile_that_the_caller_chose(world: World) -> None:
    other = world.aws.add_user("bob")
    world.write_credentials(world.keys_section("gds-users", world.user) + world.keys_section("bob", other))
    world.add_role("outer", mfa=False)
    world.environ["AWS_PROFILE"] = "bob"
    assert runs(world, "outer", "--", GDS_EXEC, "whoami").startswith(f"base  {other.arn}  (bob)")


@pytest.mark.matrix(96)
def test_inner_gds_exec_needs_no_second_code(world: World) -> None:
    world.add_role("outer")
    world.add_role("inner")
    runs(world, "outer", "--mfa-code", world.code(), "--", GDS_EXEC, "inner", "--", "true")
    assert codes_sent(world.aws) == 1


# Who one is.


def test_whoami_tells_the_base_without_a_code(world: World) -> None:
    world.add_role("admin")
    assert runs(world, "whoami") == f"base  {world.user.arn}  (gds-users)"
    assert [call.action for call in world.aws.calls] == ["GetCallerIdentity"]


def test_whoami_inside_a_role_tells_both(world: World) -> None:
    world.add_role("admin")
    options = ("--session-name", "me", "--mfa-code", world.code())
    told = runs(world, "admin", *options, "--", GDS_EXEC, "whoami")
    role = "arn:aws:sts::222222222222:assumed-role/admin/me"
    assert told.splitlines() == [f"base  {world.user.arn}  (gds-users)", f"role  {role}  (admin)"]
    as_json = json.loads(runs(world, "admin", "--session-name", "me", "--", GDS_EXEC, "whoami", "--json"))
    assert as_json == {
        "base": {"name": "gds-users", "arn": world.user.arn},
        "role": {"name": "admin", "arn": role},
    }


def test_whoami_outside_a_role_tells_the_base_alone_as_json_too(world: World) -> None:
    told = json.loads(runs(world, "whoami", "--json"))
    assert told == {"base": {"name": "gds-users", "arn": world.user.arn}}


def test_whoami_tells_of_keys_in_the_environment_that_a_bare_role_would_begin_with(world: World) -> None:
    bob = world.aws.add_user("bob")
    keys = {"AWS_ACCESS_KEY_ID": bob.access_key_id, "AWS_SECRET_ACCESS_KEY": bob.secret_access_key}
    told = json.loads(runs(world, "whoami", "--json", **keys))
    assert told == {"base": {"name": "the environment", "arn": bob.arn}}


@pytest.mark.matrix(119)
def test_whoami_refuses_half_a_key_in_the_environment_as_the_aws_cli_does(world: World) -> None:
    done = world.run("whoami", environ={"AWS_ACCESS_KEY_ID": "AKIAFOREIGN"})
    assert_ours(done, 125, "AWS_SECRET_ACCESS_KEY is not", "[broken-profile]")


def test_whoami_takes_the_source_profile(world: World) -> None:
    bob = world.aws.add_user("bob")
    world.write_credentials(world.keys_section("gds-users", world.user) + world.keys_section("bobs", bob))
    assert_ours(world.run("whoami"), 125, "[no-access-key]", "2 profiles")
    assert bob.arn in runs(world, "whoami", "--source-profile", "bobs")


def test_whoami_inside_a_dead_role_tells_that_it_is_the_role_that_ended(world: World) -> None:
    environ = {"GDS_EXEC_ROLE": "admin", "AWS_ACCESS_KEY_ID": "ASIAGONE", "AWS_SECRET_ACCESS_KEY": "x"}
    assert_ours(
        world.run("whoami", environ=environ), 125, "role admin in this environment", "run gds-exec renew"
    )


def test_whoami_behind_a_sign_in_page_says_so(world: World) -> None:
    world.aws.fail("GetCallerIdentity", Fault("html"))
    assert_ours(world.run("whoami"), 125, "[aws-unreachable]", "hint: is there a proxy or a sign-in page")


def test_whoami_names_the_base_of_a_dead_key(world: World) -> None:
    world.aws.switch_off_key(world.user)
    assert_ours(world.run("whoami"), 125, "[source-credentials-invalid]", "is not valid", "gds-users")


# What happens to the session's secrets on the way: nothing.


def test_command_gets_the_session_whole(world: World) -> None:
    world.add_role("plain", mfa=False)
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    script = f"import os, json; print(json.dumps([os.environ[n] for n in {names}]))"
    key_id, secret, token = json.loads(runs(world, "plain", "--", PYTHON, "-c", script))
    issued = world.aws.credentials(key_id)
    assert issued is not None
    assert (issued.secret_access_key, issued.token) == (secret, token)


def test_no_file_of_the_person_is_changed_by_anything(world: World) -> None:
    world.add_role("admin")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in _files(world.home / ".aws")}
    world.sign_in("admin")
    world.run("whoami")
    world.run("nobody", "--", "true")
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in _files(world.home / ".aws")}
    assert after == before


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())
