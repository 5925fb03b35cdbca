"""`--refresh`: a session that outlives itself, the endpoint that serves it, and nothing left behind."""

import fcntl
import os
import signal
import socket
import time
from calendar import timegm
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from tests.aws.faults import Fault

from .expectations import assert_speaks_as_ours
from .fake_time import preloaded_library
from .kept import role_session
from .network import closed_port
from .observations import calls_of
from .patience import await_state, eventually
from .programs import program
from .refreshed import (
    DIRECT,
    HOUR,
    Served,
    Start,
    assert_closed,
    assert_gone,
    assert_says,
    assert_serves_another,
    await_nothing_left,
    in_both_ways,
    leave,
    records,
    refreshing,
    with_terminal,
    without_terminal,
)
from .test_cache_without_disk import in_namespace
from .world import GDS_EXEC, PYTHON, UNMEASURED, World, finish, needs

LIMIT_BYTES = 40_000_000
CROWD = 12
REMEDY = "an MFA code is needed: gds-exec renew prod, in another terminal"
SHOW_ARN_WITH_BOTO3 = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
FETCHES_WITH_PROXIES = """
import os, urllib.request
request = urllib.request.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
request.add_header("Authorization", os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
print(urllib.request.urlopen(request).status)
"""
SEES_A_RENEWAL = """
import json, os, time, urllib.request
def key_id():
    request = urllib.request.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
    request.add_header("Authorization", os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
    return json.load(urllib.request.urlopen(request))["AccessKeyId"]
first, deadline = key_id(), time.monotonic() + 20
while (is_same := key_id() == first) and time.monotonic() < deadline:
    time.sleep(0.05)
print("never" if is_same else "renewed")
"""
# Once the command has ended its pid is given to another process, and only then the refresher goes on.
REUSES_PID = """
import glob, os, signal, subprocess, sys, time
trace, *argv = sys.argv[1:]
def refreshers():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if b"gds_exec.refresher" in open(f"/proc/{pid}/cmdline", "rb").read().split(b"\\0"):
            yield int(pid)
def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)
command = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
assert command.stdout.readline() == "ready\\n"
wait_for(lambda: list(refreshers()) and glob.glob(trace))
[refresher] = refreshers()
os.kill(refresher, signal.SIGSTOP)
command.communicate("end\\n")
open("/proc/sys/kernel/ns_last_pid", "w").write(str(command.pid - 1))
stranger = subprocess.Popen(["sleep", "60"])
assert stranger.pid == command.pid, (stranger.pid, command.pid)
os.kill(refresher, signal.SIGCONT)
wait_for(lambda: not list(refreshers()))
print("kept" if list(refreshers()) else "gone", stranger.poll())
stranger.kill()
"""


@pytest.fixture
def direct(world: World) -> World:
    """A world in which `prod` was opened for two hours: only another code renews it."""
    world.add_role("prod", max_session=2 * HOUR)
    world.sign_in("prod", *DIRECT)
    return world


@pytest.fixture
def plain(world: World) -> World:
    """A world in which `prod`, which wants no MFA, was opened."""
    world.add_role("prod", mfa=False)
    assert world.run("prod", "--", "true").returncode == 0
    return world


class Clock:
    """The clock of programs that run with `environ`; it goes on when told, and AWS's with it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._file = world.home / "clock"
        self.jump(0)
        self.environ = {
            "LD_PRELOAD": preloaded_library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, seconds: int) -> None:
        """Be that much later than it is."""
        new = self._file.with_suffix(".new")
        new.write_text(f"+{seconds}s\n")
        new.rename(self._file)
        self._world.aws.clock_offset = seconds


# What the command sees


@in_both_ways
def test_the_command_has_an_endpoint_in_place_of_keys(start: Start, signed_in: World) -> None:
    with start(signed_in, *refreshing()) as run:
        names = set(run.served.environ)

        assert not names & {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"}
        assert run.served.environ["GDS_EXEC_ROLE"] == "prod"
        answer = run.served.fetch()

    assert (answer.status, answer.fields["Content-Type"]) == (200, "application/json")
    assert set(answer.document) >= {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}
    assert signed_in.aws.count("AssumeRole") == 1


@in_both_ways
def test_a_default_profile_with_keys_hides_nothing_and_its_copies_go(start: Start, signed_in: World) -> None:
    with signed_in.credentials.open("a") as file:
        file.write(signed_in.keys_section("default", signed_in.user))
    script = f"{SHOW_ARN_WITH_BOTO3}; import sys; sys.stdout.flush(); sys.stdin.readline()"
    with start(signed_in, *refreshing(PYTHON, "-c", script)) as run:
        assert "AWS_CONFIG_FILE" not in run.served.environ
        copies = [run.served.environ["AWS_SHARED_CREDENTIALS_FILE"]]
        assert all(map(os.path.exists, copies))
        run.end()

    assert calls_of(signed_in.aws, "GetCallerIdentity")[-1].access_key_id.startswith("ASIA")
    eventually(lambda: _assert_none(filter(os.path.exists, copies)))


def _assert_none(found: object) -> None:
    assert list(found) == []  # type: ignore[call-overload]


# Its life


@pytest.mark.matrix(97)
@in_both_ways
def test_when_the_command_ends_all_that_was_about_it_goes(start: Start, signed_in: World) -> None:
    with start(signed_in, *refreshing()) as run:
        own = run.served.own
        eventually(lambda: _assert_recorded(signed_in, run.process.pid))

        assert run.end() == 3

        await_nothing_left(run.served, own)
        eventually(lambda: _assert_none(records(signed_in)))


def _assert_recorded(world: World, pid: int) -> None:
    assert records(world) == [pid]


@pytest.mark.matrix(97)
def test_above_the_command_nothing_outlives_it_by_a_moment(signed_in: World) -> None:
    with with_terminal(signed_in, *refreshing()) as run:
        own = run.served.own
        assert len(own) == 2
        run.end()

        assert_closed(run.served)
        assert_gone(own)
        assert records(signed_in) == []


@pytest.mark.matrix(97)
def test_beside_it_the_command_is_our_process_and_has_no_children(signed_in: World) -> None:
    with without_terminal(signed_in, *refreshing()) as run:
        assert run.served.command.pid == run.process.pid
        assert run.served.command.children() == []
        assert run.served.refresher.num_threads() == 1
        assert os.getsid(run.served.refresher.pid) != os.getsid(run.process.pid)


@pytest.mark.matrix(97)
def test_killed_above_the_command_we_take_all_with_us(signed_in: World) -> None:
    # The shell stays: the death of a session's leader would be known to all.
    line = f"{GDS_EXEC} {' '.join(refreshing('sh', '-c'))} 'echo pid-$$-; exec sleep 60'; echo status-$?-"
    terminal = signed_in.terminal_program("sh", "-c", line)
    terminal.expect(r"pid-(\d+)-")
    served = Served(psutil.Process(int(terminal.match.group(1))))
    served.fetch()
    own = served.own
    assert len(own) == 2

    served.refresher.kill()

    terminal.expect_exact(f"status-{128 + signal.SIGKILL}-")
    await_nothing_left(served, [*own, served.command])


@pytest.mark.matrix(97)
def test_killed_with_the_refresher_beside_it_the_command_takes_all_with_it(signed_in: World) -> None:
    with without_terminal(signed_in, *refreshing()) as run:
        own = run.served.own
        run.process.kill()

        await_nothing_left(run.served, own)
        eventually(lambda: _assert_none(records(signed_in)))


@pytest.mark.matrix(97)
def test_a_refresher_beside_the_command_that_is_killed_leaves_it_alone(signed_in: World) -> None:
    with without_terminal(signed_in, *refreshing()) as run:
        run.served.refresher.kill()
        eventually(lambda: assert_closed(run.served))

        assert run.end() == 3


@pytest.mark.matrix(97)
def test_a_terminal_that_is_closed_takes_all_with_it(signed_in: World) -> None:
    terminal = signed_in.terminal(*refreshing("sh", "-c", "echo pid-$$-; exec sleep 60"))
    terminal.expect(r"pid-(\d+)-")
    served = Served(psutil.Process(int(terminal.match.group(1))))
    served.fetch()
    own = served.own
    terminal.close()

    assert terminal.signalstatus == signal.SIGHUP
    await_nothing_left(served, [*own, served.command])
    assert records(signed_in) == []


@pytest.mark.matrix(98)
@in_both_ways
def test_what_outlives_the_command_is_served_no_more(start: Start, signed_in: World) -> None:
    script = "setsid sleep 60 <&- >&- 2>&- & echo $! >daemon; echo ready; read line"
    with start(signed_in, *refreshing("sh", "-c", script)) as run:
        own = run.served.own
        daemon = psutil.Process(int((signed_in.home / "daemon").read_text()))
        run.end()
        try:
            await_nothing_left(run.served, own)
            assert daemon.is_running()
        finally:
            daemon.kill()


@pytest.mark.matrix(99)
@pytest.mark.parametrize("trace", ["aws", "cache/gds-exec/*.running3"], ids=["it starts", "it serves"])
def test_another_process_that_comes_to_have_its_pid_is_not_taken_for_the_command(
    trace: str, signed_in: World
) -> None:
    alone = in_namespace("-Urpf", "--mount-proc", "--kill-child")
    trace = str(signed_in.home / f".{trace}")
    done = signed_in.run_program(*alone, PYTHON, "-c", REUSES_PID, trace, GDS_EXEC, *refreshing())

    assert (done.stdout, done.stderr) == (b"gone None\n", b"")


# The schedule of its session


@in_both_ways
def test_one_session_follows_another_and_none_is_served_when_it_has_ended(
    start: Start, signed_in: World
) -> None:
    seen = [leave(signed_in, seconds=4, life_seconds=8)]
    signed_in.aws.life_override = 8
    with start(signed_in, *refreshing()) as run:

        def is_renewed_twice() -> None:
            answer = run.served.fetch()
            assert answer.status == 200, answer.body
            assert _expiration(answer.document) > time.time() - 1, "the test's own second"
            if answer.key_id not in seen:
                seen.append(answer.key_id)
            assert len(seen) >= 3

        eventually(is_renewed_twice)
        assert run.said() == ""

    assert signed_in.aws.count("GetSessionToken") == 1


@pytest.mark.matrix(89)
@pytest.mark.parametrize("has_terminal", [True, False], ids=["terminal", "no terminal"])
def test_a_caller_that_ignores_the_end_of_children_changes_nothing(has_terminal: bool, plain: World) -> None:
    leave(plain, seconds=200)
    argv = " ".join(refreshing(PYTHON, str(program(plain.home / "command", SEES_A_RENEWAL))))
    script = ("bash", "-c", f"trap '' CHLD; exec {GDS_EXEC} {argv}")
    if not has_terminal:
        assert plain.run_program(*script).stdout == b"renewed\n"
        return

    assert finish(plain.terminal_program(*script)) == "renewed\n"


def by_mfa_process(world: World) -> str:
    """Have a code from a program; return the setting of the profile that says so."""
    return f"mfa_process = echo {world.code()}"


def by_yubikey(world: World) -> str:
    """Have a code from a YubiKey; return the setting of the profile that says so."""
    (world.home / "bin").mkdir()
    program(world.home / "bin" / "ykman", f"#!/bin/sh\necho {world.code()}\n")
    world.environ["PATH"] = f"{world.home / 'bin'}{os.pathsep}{world.environ['PATH']}"
    return "gds_exec_ykman_account = aws"


@pytest.mark.matrix(105)
@pytest.mark.parametrize("give_code", [by_mfa_process, by_yubikey])
@in_both_ways
def test_what_has_codes_by_itself_renews_without_a_word(
    start: Start, give_code: Callable[[World], str], direct: World
) -> None:
    with direct.config.open("a") as file:
        file.write(f"{give_code(direct)}\n")
    for spent in direct.cache.glob("*.spent2"):
        spent.unlink()  # as if the step of the first code were over
    old = leave(direct, seconds=200)
    with start(direct, *refreshing(options=DIRECT)) as run:
        eventually(lambda: assert_serves_another(run.served, old))
        assert run.said() == ""


@pytest.mark.matrix(105)
def test_while_a_code_is_wanted_what_is_valid_is_served_and_it_is_said_once(direct: World) -> None:
    old = leave(direct, seconds=200)
    with without_terminal(direct, *refreshing(options=DIRECT)) as run:
        eventually(lambda: assert_says(run.said, REMEDY))
        assert [run.served.fetch().key_id for _ in range(20)] == [old] * 20

        renewed = direct.run("prod", *DIRECT, "--new-session", "--mfa-code", direct.code(), "--", "true")

        assert renewed.returncode == 0, renewed.stderr.decode()
        eventually(lambda: assert_serves_another(run.served, old))
        assert run.said().count("\n") == 1, run.said()
    assert direct.aws.count("AssumeRole") == 2


@needs("faketime")
@pytest.mark.matrix(105)
def test_when_nothing_is_valid_any_more_the_endpoint_says_why_until_there_is(direct: World) -> None:
    clock = Clock(direct)
    with without_terminal(direct, *refreshing(options=DIRECT), environ=clock.environ) as run:
        clock.jump(3 * HOUR)
        answer = run.served.fetch()

        assert answer.status == 503
        assert answer.fields["Content-Type"] == "application/json"
        assert answer.document["code"] == "SessionExpired"
        eventually(lambda: assert_says(run.said, "the session of prod has ended"))
        why = run.served.fetch().document["message"]
        assert "an MFA code is needed for prod" in why
        assert why.endswith(": gds-exec renew prod, in another terminal")

        given = ("--new-session", "--mfa-code", direct.code())
        direct.run("prod", *DIRECT, *given, "--", "true", environ=clock.environ)
        eventually(lambda: _assert_status(run.served, 200))


def _assert_status(served: Served, status: int) -> None:
    assert served.fetch().status == status


@pytest.mark.matrix(106)
@in_both_ways
def test_a_renewal_that_fails_is_said_once_and_not_tried_at_every_request(start: Start, plain: World) -> None:
    old = leave(plain, seconds=200)
    plain.aws.fail("AssumeRole", Fault("error", times=50, status=403, code="RegionDisabledException"))
    with start(plain, *refreshing()) as run:
        eventually(lambda: assert_says(run.said, "gds-exec: the session of prod ends in 3 min: "))
        before = plain.aws.count("AssumeRole")
        assert [run.served.fetch().key_id for _ in range(50)] == [old] * 50

        assert plain.aws.count("AssumeRole") == before == 2
        assert run.said().count("\n") == 1, run.said()


@pytest.mark.matrix(106)
def test_a_renewal_that_fails_is_tried_again_before_the_end(plain: World) -> None:
    old = leave(plain, seconds=15)
    plain.aws.fail("AssumeRole", Fault("error", times=2, status=403, code="RegionDisabledException"))
    with without_terminal(plain, *refreshing()) as run:
        eventually(lambda: assert_serves_another(run.served, old))

        assert run.said().count("gds-exec: the session of prod ends in") == 1, run.said()
    assert plain.aws.count("AssumeRole") == 4


@pytest.mark.matrix(40)
@in_both_ways
def test_stopped_past_the_end_of_its_session_it_serves_no_ended_one(start: Start, plain: World) -> None:
    leave(plain, seconds=5, life_seconds=8)
    with start(plain, *refreshing()) as run:
        end = time.time() + 5
        run.served.refresher.suspend()
        await_state(run.served.refresher.pid, "stopped")
        eventually(lambda: _assert_is_past(end))
        run.served.refresher.resume()

        first = run.served.fetch()

        assert first.status == 503 or _expiration(first.document) > time.time()
        eventually(lambda: _assert_status(run.served, 200))
    assert plain.aws.count("AssumeRole") == 2


def _assert_is_past(moment: float) -> None:
    assert time.time() > moment


def _expiration(document: dict[str, str]) -> int:
    return timegm(time.strptime(document["Expiration"], "%Y-%m-%dT%H:%M:%SZ"))


@needs("faketime")
@pytest.mark.matrix(40)
@pytest.mark.parametrize(
    ("minutes", "status"),
    [pytest.param(50, 200, id="near its end"), pytest.param(90, 503, id="past its end")],
)
@in_both_ways
def test_after_a_sleep_of_the_machine_the_session_is_judged_by_the_clock(
    start: Start, minutes: int, status: int, plain: World
) -> None:
    clock = Clock(plain)
    with start(plain, *refreshing(), environ=clock.environ) as run:
        old = run.served.fetch().key_id
        clock.jump(minutes * 60)

        assert run.served.fetch().status == status
        eventually(lambda: assert_serves_another(run.served, old))
    assert plain.aws.count("AssumeRole") == 2


@contextmanager
def nobody_renews(world: World) -> Iterator[None]:
    """Hold the lock under which the session of `prod` is renewed, while inside."""
    with role_session(world).with_suffix(".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.matrix(16)
def test_many_endpoints_renew_one_session_once(signed_in: World) -> None:
    old = leave(signed_in, seconds=200)
    with ExitStack() as stack:
        with nobody_renews(signed_in):
            started = [stack.enter_context(without_terminal(signed_in, *refreshing())) for _ in range(CROWD)]
            assert {run.served.fetch().key_id for run in started} == {old}

        for run in started:
            eventually(lambda run=run: assert_serves_another(run.served, old))

        assert len({run.served.fetch().key_id for run in started}) == 1
        assert [run.said() for run in started] == [""] * CROWD
    assert (signed_in.aws.count("AssumeRole"), signed_in.aws.count("GetSessionToken")) == (2, 1)


# What it costs


@in_both_ways
def test_while_nothing_is_due_it_sleeps_and_is_small(start: Start, signed_in: World) -> None:
    with start(signed_in, *refreshing(), environ=UNMEASURED) as run:  # coverage would be weighed as well
        run.served.fetch()
        own = run.served.own

        eventually(lambda: _assert_sleeps(own))
        assert sum(process.memory_info().rss for process in own) < LIMIT_BYTES


def _assert_sleeps(processes: list[psutil.Process]) -> None:
    before = [process.num_ctx_switches() for process in processes]
    psutil.cpu_percent(interval=1)  # a second of the machine's life, in which it may do what it likes
    assert [process.num_ctx_switches() for process in processes] == before


# The door


@pytest.mark.matrix(101, 102, 103)
@pytest.mark.parametrize(
    ("method", "path", "fields", "status"),
    [
        pytest.param("GET", "/credentials", {"Authorization": None}, 403, id="no token"),
        pytest.param("GET", "/credentials", {"Authorization": "0" * 64}, 403, id="wrong token"),
        pytest.param("GET", "/credentials", {"Host": "evil.example"}, 403, id="a name that leads here"),
        pytest.param("GET", "/credentials", {"Origin": "http://evil.example"}, 403, id="a page"),
        pytest.param("GET", "/credentials", {"Sec-Fetch-Mode": "cors"}, 403, id="a browser"),
        pytest.param("OPTIONS", "/credentials", {"Origin": "http://evil.example"}, 403, id="a pre-flight"),
        pytest.param("POST", "/credentials", {}, 405, id="POST"),
        pytest.param("OPTIONS", "/credentials", {}, 405, id="OPTIONS"),
        pytest.param("HEAD", "/credentials", {}, 405, id="HEAD"),
        pytest.param("GET", "/", {}, 404, id="another path"),
    ],
)
@in_both_ways
def test_nobody_else_is_let_in(
    start: Start, method: str, path: str, fields: dict[str, str | None], status: int, signed_in: World
) -> None:
    with start(signed_in, *refreshing()) as run:
        answer = run.served.fetch(method, path, fields)
        allowed = run.served.fetch()

    assert answer.status == status
    assert "AccessKeyId" not in answer.body
    assert not [name for name in answer.fields if name.lower().startswith("access-control")]
    assert allowed.status == 200


@pytest.mark.matrix(104)
@in_both_ways
def test_a_rude_crowd_does_not_keep_the_command_from_its_session(start: Start, signed_in: World) -> None:
    rude = (b"", b"GET", b"\x16\x03\x01\x02\x00", b"GET /\n\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 1_000_000)
    with start(signed_in, *refreshing()) as run, ExitStack() as stack:
        for number in range(200):
            peer = stack.enter_context(socket.create_connection(run.served.address, timeout=10))
            peer.setblocking(False)
            try:
                peer.send(rude[number % len(rude)])
            except ConnectionError:
                continue

        assert run.served.fetch().status == 200
        eventually(lambda: _assert_sleeps(run.served.own))


@pytest.mark.matrix(107, 108)
def test_without_loopback_it_is_said_before_the_command_starts(signed_in: World) -> None:
    with signed_in.credentials.open("a") as file:
        file.write(signed_in.keys_section("default", signed_in.user))
    alone = in_namespace("-rn")
    argv = (GDS_EXEC, *refreshing("touch", "started"))

    done = signed_in.run_program(*alone, *argv)
    terminal = signed_in.terminal_program(*alone, *argv)
    said = finish(terminal)

    assert (done.returncode, terminal.exitstatus, done.stdout) == (125, 125, b"")
    assert done.stderr.decode() == said
    assert_speaks_as_ours(said, "127.0.0.1", "hint: --refresh needs the loopback interface")
    assert not (signed_in.home / "started").exists()
    assert records(signed_in) == []
    assert list(signed_in.cache.glob("*.c[or]*")) == [], "copies of AWS's files, with keys in them"


@pytest.mark.matrix(109)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_token_goes_to_no_proxy(name: str, signed_in: World) -> None:
    environ = {name: f"http://127.0.0.1:{closed_port()}"}
    argv = refreshing(PYTHON, "-c", FETCHES_WITH_PROXIES)

    done = signed_in.run(*argv, environ=environ)

    assert (done.stdout, done.stderr) == (b"200\n", b"")
