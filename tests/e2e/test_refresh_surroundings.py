"""A refreshed command among others: helpers, what it finds, who signals it, reads from it, and tidies up."""

import ast
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from .expectations import assert_speaks_as_ours
from .kept import key_id
from .observations import calls_of, codes_sent, sessions_made
from .patience import eventually
from .programs import program
from .refreshed import (
    DIRECT,
    HOUR,
    Start,
    await_nothing_left,
    in_both_ways,
    leave,
    records,
    refreshing,
    without_terminal,
)
from .test_environment import COMPETING, WHO_AM_I
from .test_refresh_prompt import Desk
from .test_refresh_signals import AS_PROD, in_both_places, run
from .world import GDS_EXEC, PYTHON, REGION, SHOW_KEY, World, finish

DAY = 24 * HOUR
SIGNALLED_TO_ALL = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
IN_ANOTHER_NAMESPACE = ("unshare", "-pf", "--mount-proc")
TAKES_WHAT_IS_TYPED = """#!/bin/sh
if (: </dev/tty) 2>/dev/null; then
    echo terminal >>"$HOME/met"
    read -r line </dev/tty
else
    echo none >>"$HOME/met"
fi
"""
SHOWS_BYTES = """
import os, sys
print(([os.fsencode(argument) for argument in sys.argv[1:]], os.environb[b"RAW"]))
"""
ENDPOINT = {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}
LIVES_UNTIL_SEEN = "n=0; until [ -e seen ] || [ $n -ge 400 ]; do sleep 0.05; n=$((n + 1)); done; [ -e seen ]"


@pytest.fixture
def with_default_keys(signed_in: World) -> World:
    """A world whose `[default]` would hide the endpoint, so that a command gets copies without it."""
    with signed_in.credentials.open("a") as file:
        file.write(signed_in.keys_section("default", signed_in.user))
    return signed_in


def copies(world: World) -> list[Path]:
    """The copies of AWS's files that commands read."""
    return sorted(path for path in world.cache.iterdir() if path.suffix in {".config", ".credentials"})


def assert_same(found: object, wanted: object) -> None:
    """Check what may come to be so."""
    assert found == wanted


# Helpers


def helped_by_credential_process(world: World) -> None:
    """Have the keys from a helper, and `prod` open with a code only."""
    document = (
        f'{{"Version": 1, "AccessKeyId": "{world.user.access_key_id}", '
        f'"SecretAccessKey": "{world.user.secret_access_key}"}}'
    )
    helper = program(world.home / "helper", f"{TAKES_WHAT_IS_TYPED}echo '{document}'\n")
    world.write_config(f"[profile helped]\ncredential_process = {helper}\n")
    world.add_role("prod", max_session=2 * HOUR, source_profile="helped")


def helped_by_mfa_process(world: World) -> None:
    """Have a helper that has no code, so that a person is asked in its place."""
    helper = program(world.home / "helper", f"{TAKES_WHAT_IS_TYPED}exit 1\n")
    world.add_role("prod", max_session=2 * HOUR, settings=f"mfa_process = {helper}")


@pytest.mark.parametrize("help_with", [helped_by_credential_process, helped_by_mfa_process])
def test_while_a_code_is_asked_for_in_between_no_helper_has_the_terminal(
    help_with: Callable[[World], None], world: World
) -> None:
    help_with(world)
    world.sign_in("prod", *DIRECT)
    leave(world, seconds=200)
    (world.home / "met").write_text("")
    desk = Desk(world)
    desk.await_question()
    desk.answer()

    assert "read-own-" in desk.finish()
    met = (world.home / "met").read_text().split()
    assert set(met) == {"none"}


# What it is given


@pytest.mark.matrix(91, 93)
@in_both_places
def test_arguments_and_variables_arrive_byte_for_byte(has_terminal: bool, signed_in: World) -> None:
    shows = program(signed_in.home / "shows", SHOWS_BYTES)
    argv = r"--help -d -e -V -q -- '' prod 'a b' $'caf\xe9\xff'"

    script = rf"cd; export RAW=$'\xff\xfe\x01'; {AS_PROD} {PYTHON} {shows} {argv} >seen"

    assert run(signed_in, script, has_terminal=has_terminal) == (0, "")
    arguments, raw = ast.literal_eval((signed_in.home / "seen").read_text())
    assert arguments == [b"--help", b"-d", b"-e", b"-V", b"-q", b"--", b"", b"prod", b"a b", b"caf\xe9\xff"]
    assert raw == b"\xff\xfe\x01"


@pytest.mark.matrix(94, 95)
@in_both_places
def test_nothing_competes_with_the_endpoint_and_both_regions_are_set(
    has_terminal: bool, signed_in: World
) -> None:
    signed_in.environ |= COMPETING

    assert run(signed_in, f"cd; {AS_PROD} env >seen", has_terminal=has_terminal) == (0, "")

    seen = (signed_in.home / "seen").read_text().splitlines()
    found = dict(line.split("=", 1) for line in seen)
    assert {name for name in COMPETING if name in found} == ENDPOINT
    assert not [name for name in ENDPOINT if found[name] == COMPETING[name]]
    assert (found["AWS_REGION"], found["AWS_DEFAULT_REGION"]) == (REGION, REGION)


@pytest.mark.matrix(96)
@pytest.mark.parametrize("option", ["", "--refresh"], ids=["keys inside", "an endpoint inside"])
@in_both_places
def test_inside_a_refreshed_command_another_role_begins_again_from_the_base_keys(
    has_terminal: bool, option: str, signed_in: World
) -> None:
    inner = signed_in.add_role("inner")
    who_am_i = program(signed_in.home / "who_am_i", WHO_AM_I)

    script = f"{AS_PROD} {GDS_EXEC} inner {option} -- {PYTHON} {who_am_i}"
    status, said = run(signed_in, script, has_terminal=has_terminal)

    assert status == 0, said
    assert ":assumed-role/inner/" in said
    assert calls_of(signed_in.aws, "AssumeRole")[-1].parameters["RoleArn"] == inner.arn
    assert signed_in.aws.count("GetSessionToken") == 1


# Signals


def test_the_refresher_beside_a_command_outlives_what_is_sent_to_everyone(with_default_keys: World) -> None:
    world = with_default_keys
    with without_terminal(world, *refreshing()) as running:
        old = running.served.fetch().key_id
        own = running.served.own
        for number in SIGNALLED_TO_ALL:
            running.served.refresher.send_signal(number)
        assert running.served.fetch().key_id == old

        assert running.end() == 3
        await_nothing_left(running.served, own)

    eventually(lambda: assert_same((records(world), copies(world)), ([], [])))


def is_executed(_: World, terminal: pexpect.spawn) -> bool:
    """Python runs: it heeds the signal from soon on."""
    return b"gds-exec" in command_line(terminal)


def has_copies(world: World, _: pexpect.spawn) -> bool:
    """The copies are there, and no refresher yet that removes them."""
    return bool(copies(world))


def is_refresher(_: World, terminal: pexpect.spawn) -> bool:
    """We are executed anew."""
    return b"gds_exec.refresher" in command_line(terminal)


def has_record(world: World, _: pexpect.spawn) -> bool:
    """The command is about to start."""
    return bool(records(world))


def command_line(terminal: pexpect.spawn) -> bytes:
    return Path(f"/proc/{terminal.pid}/cmdline").read_bytes()


@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to us", "to the group"])
@pytest.mark.parametrize("moment", [is_executed, has_copies, is_refresher, has_record])
def test_ctrl_c_at_the_start_ends_us_without_a_trace(
    moment: Callable[[World, pexpect.spawn], bool],
    send: Callable[[int, int], None],
    with_default_keys: World,
) -> None:
    terminal = with_default_keys.terminal("prod", "--refresh", "--", "sleep", "60")
    eventually(lambda: assert_same(moment(with_default_keys, terminal), wanted=True))
    send(terminal.pid, signal.SIGINT)
    said = finish(terminal)

    assert "Traceback" not in said, said
    assert terminal.signalstatus == signal.SIGINT, said
    assert (records(with_default_keys), copies(with_default_keys)) == ([], [])


# Those who read from it


@pytest.mark.parametrize(
    ("redirections", "descriptor"), [("", 1), ("7>&1 >/dev/null", 7)], ids=["stdout", "descriptor 7"]
)
@in_both_places
def test_what_the_command_closes_is_closed_for_its_reader(
    has_terminal: bool, redirections: str, descriptor: int, signed_in: World
) -> None:
    command = f"{AS_PROD} sh -c 'exec {descriptor}>&-; {LIVES_UNTIL_SEEN}' {redirections}"
    script = f"cd; {command} | {{ cat; touch seen; }}; echo ${{PIPESTATUS[*]}}"

    assert run(signed_in, script, has_terminal=has_terminal) == (0, "0 0\n")


# What gives no session of an hour


@pytest.mark.parametrize(
    "options", [("renew", "gds-users"), ("gds-users", "--new-session")], ids=["renew", "--new-session"]
)
def test_keys_without_a_role_get_a_new_mfa_session(options: tuple[str, ...], world: World) -> None:
    world.write_config(f"[profile gds-users]\nmfa_serial = {world.device.serial}\n")
    world.sign_in("gds-users")
    (kept,) = world.sessions()
    old = key_id(kept)
    command = () if options[0] == "renew" else ("--", "true")

    done = world.run(*options, "--mfa-code", world.code(), *command)

    assert done.returncode == 0, done.stderr.decode()
    assert sessions_made(world.aws) == ("GetSessionToken", "GetSessionToken")
    assert codes_sent(world.aws) == 2
    assert [key_id(path) == old for path in world.sessions()] == [False]


@pytest.fixture
def for_a_week(world: World) -> World:
    """A world with a profile `week`, whose credentials come from a helper and last for seven days."""
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7 * DAY))
    document = (
        '{"Version": 1, "AccessKeyId": "ASIAWEEK", "SecretAccessKey": "secret", "SessionToken": "token", '
        f'"Expiration": "{end}"}}'
    )
    helper = program(world.home / "helper", f"#!/bin/sh\necho '{document}'\n")
    world.write_config(f"[profile week]\ncredential_process = {helper}\n")
    return world


def test_credentials_for_a_week_are_used(for_a_week: World) -> None:
    done = for_a_week.run("week", "--", *SHOW_KEY)

    assert (done.returncode, done.stdout) == (0, b"ASIAWEEK\n"), done.stderr.decode()


@in_both_places
def test_credentials_for_a_week_are_not_refreshed_which_is_said(
    has_terminal: bool, for_a_week: World
) -> None:
    status, said = run(for_a_week, "gds-exec week --refresh -- true", has_terminal=has_terminal)

    assert status == 125, said
    assert_speaks_as_ours(said)
    told = [line for line in said.splitlines() if line.startswith("gds-exec: ")]
    assert [line for line in told if "its keys are used as they are" not in line] == told[-1:]
    assert "cannot keep the session fresh" in told[-1]


# Those who tidy up


@in_both_ways
def test_from_another_namespace_of_processes_no_record_is_forgotten(start: Start, signed_in: World) -> None:
    if subprocess.run([*IN_ANOTHER_NAMESPACE, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("a namespace of processes cannot be made here")
    with start(signed_in, *refreshing()) as running:
        eventually(lambda: assert_same(records(signed_in), [running.process.pid]))

        done = signed_in.run_program(*IN_ANOTHER_NAMESPACE, "gds-exec", "sessions")

        assert done.returncode == 0, done.stderr.decode()
        assert records(signed_in) == [running.process.pid]
        assert f"{running.process.pid}" in signed_in.run("sessions").stdout.decode()


@in_both_ways
def test_old_copies_are_swept_only_when_their_command_is_gone(start: Start, with_default_keys: World) -> None:
    world = with_default_keys
    with start(world, *refreshing()):
        needed = copies(world)
        assert len(needed) == 1
        gone = subprocess.Popen(["true"])
        gone.wait()
        abandoned = [world.cache / f"{gone.pid}-{path.name.partition('-')[2]}" for path in needed]
        for path in abandoned:
            path.write_text("")
        for path in (*needed, *abandoned):
            os.utime(path, (time.time() - 2 * DAY,) * 2)

        assert world.run("sessions").returncode == 0

        assert copies(world) == needed
