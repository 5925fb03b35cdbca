"""`gds-exec sessions`: what is cached and what runs, and how it is forgotten."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gds_exec.child.process_info import process_mark
from tests.aws.faults import Fault

from .expectations import assert_ours
from .kept import kept, key_id, make_older, mfa_session, role_session
from .patience import eventually
from .refreshed import LIVES, Run, Start, assert_gone, in_both_ways, records, with_terminal, without_terminal
from .role_shells import HOUR
from .world import GDS_EXEC, PYTHON, World, finish

REFRESHING = ("prod", "--refresh", "--", *LIVES)
SLOW_SECONDS = 2.0
ROLE_LINE = r"role  prod +(\S+) left +arn:aws:sts::222222222222:assumed-role/prod/\S+"


def listed(world: World) -> list[str]:
    """The lines that are printed, which is all that is said."""
    done = world.run("sessions")
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


def as_json(world: World) -> dict[str, list[dict[str, str | int | None]]]:
    done = world.run("sessions", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


def clear(world: World, *roles: str) -> None:
    done = world.run("sessions", "clear", *roles)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def cached_roles(world: World) -> list[str]:
    """The roles whose sessions are cached, by the names that AWS has for them."""
    arns = (kept(path).arn for path in world.sessions())
    return sorted(arn.split("/")[1] for arn in arns if arn)


def record_of(world: World, run: Run) -> Path:
    """The record of what runs, once it is there."""
    pattern = f"{run.process.pid}.*.running3"
    eventually(lambda: _assert_some(list(world.cache.glob(pattern))))
    (path,) = world.cache.glob(pattern)
    return path


def _assert_some(found: list[Path]) -> None:
    assert found


# What is cached


def test_role_and_mfa_sessions_are_listed_with_their_names_and_the_time_left(signed_in: World) -> None:
    make_older(role_session(signed_in), 20 * 60)

    role, mfa = listed(signed_in)

    match = re.fullmatch(ROLE_LINE, role)
    assert match is not None, role
    assert match[1] in {"39m", "40m"}
    assert re.fullmatch(rf"mfa +{re.escape(signed_in.device.serial)} +11h59m left", mfa), mfa


def test_a_long_session_is_listed_beside_the_short_one_of_its_role(world: World) -> None:
    world.add_role("prod", max_session=2 * HOUR)
    world.sign_in("prod")
    world.sign_in("prod", "--duration", "2h")

    assert [line.split()[:3] for line in listed(world)[:2]] == [
        ["role", "prod", "59m"],
        ["role", "prod", "1h59m"],
    ]


def test_what_has_expired_is_not_listed(signed_in: World) -> None:
    make_older(role_session(signed_in), HOUR)

    assert [line.split()[0] for line in listed(signed_in)] == ["mfa"]


@pytest.mark.parametrize("has_directory", [True, False], ids=["empty", "no cache directory"])
def test_where_nothing_is_cached_nothing_is_printed(has_directory: bool, world: World) -> None:
    if has_directory:
        world.cache.mkdir(mode=0o700, parents=True)

    assert listed(world) == []
    assert as_json(world) == {"sessions": [], "running": []}
    clear(world)


@pytest.mark.parametrize("argv", [(), ("clear",)], ids=["listed", "cleared"])
def test_without_a_place_for_a_cache_that_is_said(argv: tuple[str, ...], world: World) -> None:
    done = world.run("sessions", *argv, environ={"HOME": "/nonexistent"})

    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"gds-exec: there is no home directory: sessions are not cached\n"


@pytest.mark.matrix(82)
def test_a_name_cannot_steer_the_terminal_or_draw_a_line(world: World) -> None:
    name = "a\x1b]0;evil\x07b\u202ec"
    world.add_role(name, role_name="hostile")
    world.sign_in(name)

    line, _ = listed(world)

    assert line.startswith(r"role  a\x1b]0;evil\x07b\u202ec  ")
    assert as_json(world)["sessions"][0]["name"] == name


def test_a_session_file_that_is_not_whole_is_no_session(signed_in: World) -> None:
    path = role_session(signed_in)
    path.write_text(path.read_text()[:-20])

    assert [line.split()[0] for line in listed(signed_in)] == ["mfa"]


def test_it_needs_no_aws_and_no_readable_configuration(signed_in: World) -> None:
    signed_in.aws.calls.clear()
    signed_in.write_config("[broken")

    assert len(listed(signed_in)) == 2
    assert signed_in.aws.calls == []


def test_json_tells_the_same_and_no_secret(signed_in: World) -> None:
    with with_terminal(signed_in, *REFRESHING) as run:
        record_of(signed_in, run)
        done = signed_in.run("sessions", "--json")

    role, mfa = json.loads(done.stdout)["sessions"]
    assert (role["kind"], role["name"]) == ("role", "prod")
    assert (mfa["kind"], mfa["name"], mfa["arn"]) == ("mfa", signed_in.device.serial, None)
    for line, path in ((role, role_session(signed_in)), (mfa, mfa_session(signed_in))):
        session = kept(path)
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(session.expiration))
        assert line["expiration"] == moment
        assert 0 < line["seconds_left"] <= session.life_seconds()
        for secret in (session.access_key.secret_access_key, session.access_key.session_token or ""):
            assert secret not in done.stdout.decode()


# What runs


@in_both_ways
def test_a_refreshed_command_is_listed_until_it_ends(start: Start, signed_in: World) -> None:
    with start(signed_in, *REFRESHING) as run:
        pid = run.process.pid
        record_of(signed_in, run)

        assert listed(signed_in)[2].split() == ["command", "prod", "59m", "left", "sh", "(pid", f"{pid})"]
        (line,) = as_json(signed_in)["running"]
        assert isinstance(line.pop("seconds_left"), int)
        assert line.pop("since")
        assert line == {"kind": "command", "role": "prod", "program": "sh", "pid": pid}
        run.end()

    eventually(lambda: _assert_nothing_runs(signed_in))
    assert records(signed_in) == []


def _assert_nothing_runs(world: World) -> None:
    assert as_json(world)["running"] == []


@in_both_ways
def test_several_are_listed_the_oldest_first(start: Start, signed_in: World) -> None:
    with start(signed_in, *REFRESHING) as first, start(signed_in, *REFRESHING) as second:
        for run in (first, second):
            record_of(signed_in, run)

        found = as_json(signed_in)["running"]

        assert {line["pid"] for line in found} == {first.process.pid, second.process.pid}
        assert [line["since"] for line in found] == sorted(str(line["since"]) for line in found)


@in_both_ways
def test_the_record_of_what_was_killed_is_removed(start: Start, signed_in: World) -> None:
    with start(signed_in, *REFRESHING) as run:
        path = record_of(signed_in, run)
        own = run.served.own
        for process in (*own, run.served.command):  # while its refresher lives it would remove the record
            process.kill()
        run.process.wait(20)
        eventually(lambda: assert_gone(own))
        assert path.exists(), "nobody was left to remove it"

        assert len(listed(signed_in)) == 2
        assert not path.exists()


def test_the_record_of_a_pid_that_another_process_has_now_is_removed(signed_in: World) -> None:
    with without_terminal(signed_in, *REFRESHING) as run:
        path = record_of(signed_in, run)
        pid, place, born, suffix = path.name.split(".")
        other = path.with_name(f"{pid}.{place}.{int(born, 16) ^ 1:016x}.{suffix}")
        path.rename(other)

        assert as_json(signed_in)["running"] == []
        assert not other.exists()


@pytest.mark.parametrize("text", ["", "gds-exec running 3\nzz\nend\n", "\x00" * 100])
def test_a_record_that_cannot_be_read_is_none(text: str, signed_in: World) -> None:
    path = signed_in.cache / f"{process_mark(os.getpid())}.running3"
    path.touch(mode=0o600)
    path.write_text(text)

    assert as_json(signed_in)["running"] == []


@pytest.mark.matrix(82)
def test_a_program_cannot_steer_the_terminal_by_its_name(signed_in: World) -> None:
    hostile = signed_in.home / "a\x1b[31m b"
    hostile.symlink_to(PYTHON)
    script = "print('ready', flush=True); input()"
    with without_terminal(signed_in, "prod", "--refresh", "--", str(hostile), "-c", script) as run:
        record_of(signed_in, run)

        assert listed(signed_in)[2].endswith(rf"  a\x1b[31m b (pid {run.process.pid})")
        assert as_json(signed_in)["running"][0]["program"] == "a\x1b[31m b"


# Forgetting


def test_clear_forgets_all_sessions(world: World) -> None:
    for role in ("prod", "other"):
        world.add_role(role)
        world.sign_in(role)

    clear(world)

    assert world.sessions() == []
    assert_ours(world.run("prod", "--", "true"), 124, "nobody-to-ask")


def test_clear_of_a_role_forgets_every_session_of_it_and_no_other(world: World) -> None:
    world.add_role("prod", max_session=2 * HOUR)
    world.add_role("other")
    world.sign_in("prod")
    world.sign_in("prod", "--duration", "2h")
    for argv in (("prod", "--session-name", "deploy"), ("other",)):
        assert world.run(*argv, "--", "true").returncode == 0
    assert cached_roles(world) == ["other", "prod", "prod", "prod"]

    clear(world, "prod")

    assert cached_roles(world) == ["other"]
    assert mfa_session(world).exists()


def test_clear_of_a_profile_without_a_role_forgets_its_mfa_session(world: World) -> None:
    world.write_config(f"[profile base]\nsource_profile = gds-users\nmfa_serial = {world.device.serial}\n")
    world.write_credentials(
        world.keys_section("base", world.user) + world.keys_section("gds-users", world.user)
    )
    world.add_role("prod")
    world.sign_in("prod")

    clear(world, "base")

    assert cached_roles(world) == ["prod"]
    assert len(world.sessions()) == 1


def test_a_person_is_told_how_many_were_forgotten(signed_in: World) -> None:
    assert finish(signed_in.terminal("sessions", "clear", "prod")) == "gds-exec: 1 cached session forgotten\n"
    signed_in.sign_in("prod")
    assert finish(signed_in.terminal("sessions", "clear")) == "gds-exec: 2 cached sessions forgotten\n"


@pytest.mark.parametrize(
    ("argv", "status", "slug"),
    [
        pytest.param(("clear", "nobody"), 125, "unknown-role", id="unknown role"),
        pytest.param(("clear", "prod", "other"), 2, "usage", id="two roles"),
        pytest.param(("clear", "--json"), 2, "usage", id="as JSON"),
        pytest.param(("prod",), 2, "usage", id="no such word"),
    ],
)
def test_what_cannot_be_cleared_is_an_error_and_forgets_nothing(
    argv: tuple[str, ...], status: int, slug: str, signed_in: World
) -> None:
    assert_ours(signed_in.run("sessions", *argv), status, slug)
    assert len(signed_in.sessions()) == 2


def test_what_runs_keeps_its_session_when_that_is_cleared(signed_in: World) -> None:
    with without_terminal(signed_in, *REFRESHING) as run:
        key = run.served.fetch().key_id
        record_of(signed_in, run)

        clear(signed_in)

        assert run.served.fetch().key_id == key
        (line,) = listed(signed_in)
        assert line.startswith("command  prod  not cached  ")


@pytest.mark.matrix(17)
@pytest.mark.parametrize("roles", [(), ("prod",)], ids=["all", "one role"])
@pytest.mark.parametrize(
    "renewing", [("renew", "prod"), ("prod", "--new-session", "--", "true")], ids=" ".join
)
def test_clear_waits_for_a_renewal_in_flight_and_what_that_made_is_forgotten(
    renewing: tuple[str, ...], roles: tuple[str, ...], signed_in: World
) -> None:
    old = key_id(role_session(signed_in))
    signed_in.aws.fail("AssumeRole", Fault("slow", delay=SLOW_SECONDS))
    process = start(signed_in, *renewing)
    eventually(lambda: _assert_assumed_twice(signed_in))
    assert process.poll() is None, "it waits for the answer"
    assert key_id(role_session(signed_in)) == old

    clear(signed_in, *roles)

    assert process.wait(20) == 0
    assert cached_roles(signed_in) == []
    assert signed_in.run("renew", "prod").returncode == (0 if roles else 124)


@pytest.mark.matrix(17)
def test_clear_goes_on_when_the_renewal_is_killed(signed_in: World) -> None:
    signed_in.aws.fail("AssumeRole", Fault("hang", delay=20))
    process = start(signed_in, "renew", "prod")
    eventually(lambda: _assert_locked(signed_in))
    clearing = start(signed_in, "sessions", "clear")
    process.send_signal(signal.SIGKILL)

    assert clearing.wait(20) == 0
    assert signed_in.sessions() == []
    process.wait(20)


def start(world: World, *argv: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [GDS_EXEC, *argv], env=world.environ, stdin=subprocess.DEVNULL, start_new_session=True
    )


def _assert_assumed_twice(world: World) -> None:
    assert world.aws.count("AssumeRole") == 2


def _assert_locked(world: World) -> None:
    assert any(path.read_text() for path in world.cache.glob("*.lock"))
