"""Under `--refresh` too the command notices nothing: its status, its signals, its terminal, its streams."""

import os
import random
import re
import signal
import subprocess

import pytest

from .expectations import assert_ours
from .patience import await_state, eventually
from .programs import program
from .refreshed import LIVES, Start, command_of, in_both_ways, with_terminal
from .shells import BASH, Shell, every_shell
from .test_child_process import AT_THE_TERMINAL, HEEDS_SIGNALS, SIGNALS, seen_at
from .test_inheritance import SURROUNDINGS, biggest_environment
from .world import GDS_EXEC, PROMPT, PYTHON, World, finish

REFRESHED = ("prod", "--refresh", "--")
AS_PROD = f"{GDS_EXEC} {' '.join(REFRESHED)}"
IGNORED_BY_PYTHON = ("PIPE", "XFSZ")  # and so by a parent of the command that is written in it
PASSED_ON = [name for name in SIGNALS.split() if name not in IGNORED_BY_PYTHON]
DEADLY = ["TERM", "HUP", "INT", "QUIT", "USR1", "ALRM"]
SLEEPS = ("sh", "-c", "ulimit -c 0; echo ready; exec sleep 60")
in_both_places = pytest.mark.parametrize("has_terminal", [True, False], ids=["terminal", "no terminal"])


def run(world: World, script: str, *, has_terminal: bool) -> tuple[int | None, str]:
    """Run a script of bash to its end; return its status and all that it and what it ran said."""
    if not has_terminal:
        done = world.run_program("bash", "-c", f"exec 2>&1; {script}")
        return done.returncode, done.stdout.decode()
    terminal = world.terminal_program("bash", "-c", script)
    said = finish(terminal)
    return terminal.exitstatus, said


# How it ends


@pytest.mark.matrix(83)
@pytest.mark.parametrize("status", [0, 1, 2, 124, 125, 126, 127, 128, 130, 255])
@in_both_places
def test_a_status_of_the_command_is_ours(has_terminal: bool, status: int, signed_in: World) -> None:
    script = f"{AS_PROD} sh -c 'exit {status}'"

    assert run(signed_in, script, has_terminal=has_terminal) == (status, "")


@pytest.mark.matrix(84)
@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV", "INT", "ABRT", "PIPE"])
@in_both_ways
def test_a_command_that_a_signal_kills_is_seen_to_die_of_it(
    start: Start, name: str, signed_in: World
) -> None:
    script = f"ulimit -c 0; echo ready; read line; kill -{name} $$"
    with start(signed_in, *REFRESHED, "sh", "-c", script) as run:
        assert run.end() == -getattr(signal, f"SIG{name}")
        assert run.said() == ""


@pytest.mark.matrix(85, 92)
@pytest.mark.parametrize(
    ("command", "status", "slug"),
    [
        pytest.param("", 2, "usage", id="none"),
        pytest.param("''", 127, "not-found", id="empty"),
        pytest.param("no-such-command", 127, "not-found", id="not on the PATH"),
        pytest.param("./missing", 127, "not-found", id="no such file"),
        pytest.param("./plain", 126, "not-executable", id="not executable"),
        pytest.param("/", 126, "not-executable", id="a directory"),
    ],
)
@in_both_places
def test_what_cannot_be_run_is_found_out_before_anything_is_asked(
    has_terminal: bool, command: str, status: int, slug: str, world: World
) -> None:
    world.add_role("prod")
    (world.home / "plain").write_text("text")

    found, said = run(world, f"{AS_PROD} {command}", has_terminal=has_terminal)

    assert found == status, said
    assert re.match(rf"gds-exec: .* \[.*{slug}\]\n", said)
    assert PROMPT not in said
    assert world.aws.calls == []


@pytest.mark.matrix(85)
@in_both_places
def test_an_interpreter_that_is_missing_is_named(has_terminal: bool, signed_in: World) -> None:
    program(signed_in.home / "script", "#!/no/such/interpreter\n")

    status, said = run(signed_in, f"{AS_PROD} ./script", has_terminal=has_terminal)

    assert status == 127, said
    assert "/no/such/interpreter" in said
    assert list(signed_in.cache.glob("*.running3")) == []


@pytest.mark.matrix(90)
@in_both_places
def test_an_environment_that_becomes_too_big_is_explained(has_terminal: bool, signed_in: World) -> None:
    needed = sum(len(name) + len(value) + 10 for name, value in signed_in.environ.items())
    filler = biggest_environment(argv_bytes=needed + 200)
    argv = (GDS_EXEC, *REFRESHED, "/bin/true")
    if not has_terminal:
        assert_ours(signed_in.run_program(*argv, environ=filler), 126, "too big", "FILLER_1")
        return
    terminal = signed_in.terminal_program(*argv, environ=filler)
    said = finish(terminal)

    assert terminal.exitstatus == 126, said
    assert "too big" in said
    assert "FILLER_1" in said


# What is sent to it


@pytest.mark.matrix(86)
@in_both_ways
def test_each_signal_that_is_sent_to_us_reaches_the_command_once(start: Start, signed_in: World) -> None:
    with start(signed_in, *REFRESHED, PYTHON, "-c", HEEDS_SIGNALS) as run:
        assert run.process.stdout is not None
        for name in PASSED_ON:
            os.kill(run.process.pid, getattr(signal, f"SIG{name}"))
            assert run.process.stdout.readline() == f"SIG{name}\n"
        for name in IGNORED_BY_PYTHON:
            run.served.command.send_signal(getattr(signal, f"SIG{name}"))

        assert run.process.wait(20) == 0


@pytest.mark.matrix(86)
@in_both_ways
def test_each_signal_that_is_sent_to_the_whole_group_reaches_the_command_once(
    start: Start, signed_in: World
) -> None:
    with start(signed_in, *REFRESHED, PYTHON, "-c", HEEDS_SIGNALS) as run:
        assert run.process.stdout is not None
        run.served.own  # noqa: B018  # the witness is there
        group = os.getpgid(run.served.command.pid)
        assert group == run.process.pid
        for name in PASSED_ON:
            os.killpg(group, getattr(signal, f"SIG{name}"))
            assert run.process.stdout.readline() == f"SIG{name}\n"
        for name in IGNORED_BY_PYTHON:
            run.served.command.send_signal(getattr(signal, f"SIG{name}"))

        assert run.process.wait(20) == 0


@pytest.mark.matrix(84, 86)
@pytest.mark.parametrize("name", DEADLY)
@in_both_ways
def test_a_signal_to_us_ends_the_command_as_it_would_without_us(
    start: Start, name: str, signed_in: World
) -> None:
    with start(signed_in, *REFRESHED, *SLEEPS) as run:
        eventually(lambda: _assert_is(run.process.pid, "sleep"))
        os.kill(run.process.pid, getattr(signal, f"SIG{name}"))

        assert run.process.wait(20) == -getattr(signal, f"SIG{name}")


def _assert_is(pid: int, name: str) -> None:
    assert command_of(pid).name() == name


@pytest.mark.matrix(86)
@in_both_ways
def test_stopped_and_continued_by_a_process_it_goes_on(start: Start, signed_in: World) -> None:
    with start(signed_in, *REFRESHED, *LIVES) as run:
        os.kill(run.process.pid, signal.SIGSTOP)
        await_state(run.process.pid, "stopped")
        os.kill(run.process.pid, signal.SIGCONT)

        assert run.end() == 3


@pytest.mark.matrix(86)
def test_a_command_that_is_stopped_alone_does_not_stop_us(signed_in: World) -> None:
    with with_terminal(signed_in, *REFRESHED, *LIVES) as run:
        run.served.command.suspend()
        await_state(run.served.command.pid, "stopped")
        assert run.served.fetch().status == 200
        run.served.command.resume()

        assert run.end() == 3


# What is typed at it


@pytest.mark.matrix(87)
@every_shell
def test_keys_at_the_terminal_reach_the_command_once(shell: Shell, signed_in: World) -> None:
    program(signed_in.home / "witness.py", AT_THE_TERMINAL)

    assert seen_at(shell, signed_in, AS_PROD) == seen_at(shell, signed_in, "")


@pytest.mark.matrix(87)
@every_shell
@pytest.mark.parametrize(("key", "status"), [("\x03", 130), ("\x1c", 131)], ids=["Ctrl-C", "Ctrl-backslash"])
def test_a_key_ends_a_command_that_does_not_mind_it_as_without_us(
    key: str, status: int, shell: Shell, signed_in: World
) -> None:
    terminal = shell.open(signed_in)
    terminal.sendline(f"{AS_PROD} sh -c 'ulimit -c 0; echo be''gun; exec sleep 60'")
    terminal.expect_exact("begun")
    terminal.send(key)
    terminal.sendline(f"echo status-{shell.status}-")

    terminal.expect(r"status-(\d+)-")
    assert terminal.match.group(1) == str(status)


@pytest.mark.matrix(87)
@every_shell
def test_stopped_by_a_key_it_is_one_job_that_goes_on_twice(shell: Shell, signed_in: World) -> None:
    terminal = shell.open(signed_in)
    program(signed_in.home / "witness.py", AT_THE_TERMINAL)
    terminal.sendline(f"{AS_PROD} {PYTHON} witness.py")
    terminal.expect("begun\r")
    for _ in range(2):
        terminal.sendcontrol("z")
        terminal.expect("(?i)(stopped|suspended)")
        terminal.sendline("echo bet''ween")
        terminal.expect("between\r")
        terminal.sendline("fg")
        terminal.expect("got-SIGCONT\r")
    terminal.sendline("on")

    terminal.expect("read-on\r")


@pytest.mark.matrix(87)
def test_a_pipeline_stops_goes_on_and_ends_as_one(signed_in: World) -> None:
    terminal = BASH.open(signed_in)
    script = "echo be''gun; read line </dev/tty; echo read-$line-"
    terminal.sendline(f"{AS_PROD} sh -c '{script}' | cat; echo status-${{PIPESTATUS[*]}}-")
    terminal.expect_exact("begun")
    terminal.sendcontrol("z")
    terminal.expect_exact("Stopped")
    terminal.sendline("fg")
    terminal.sendline("on")
    terminal.expect_exact("read-on-")


@pytest.mark.matrix(87)
def test_ctrl_c_ends_a_whole_pipeline(signed_in: World) -> None:
    terminal = BASH.open(signed_in)
    terminal.sendline(f"{AS_PROD} sh -c 'echo be''gun; exec sleep 60' | cat")
    terminal.expect_exact("begun")
    terminal.sendintr()
    terminal.sendline("echo status-${PIPESTATUS[*]}-")

    terminal.expect_exact("status-130 130-")


@pytest.mark.matrix(87)
def test_a_background_job_is_ended_by_its_shell_as_without_us(signed_in: World) -> None:
    terminal = BASH.open(signed_in)
    terminal.sendline(f"{AS_PROD} sh -c 'echo be''gun; exec sleep 60' &")
    terminal.expect_exact("begun")
    terminal.sendline("kill %1; wait %1; echo status-$?-")

    terminal.expect_exact(f"status-{128 + signal.SIGTERM}-")


# Its streams and its surroundings


@pytest.mark.matrix(88)
@in_both_places
def test_a_command_whose_reader_has_gone_dies_of_sigpipe(has_terminal: bool, signed_in: World) -> None:
    script = f"{AS_PROD} yes | head -n1; echo ${{PIPESTATUS[@]}}"

    assert run(signed_in, script, has_terminal=has_terminal) == (0, "y\n141 0\n")


@pytest.mark.matrix(71, 73)
@in_both_places
def test_a_pipeline_is_byte_for_byte_its_own(has_terminal: bool, signed_in: World) -> None:
    data = random.Random(71).randbytes(300_000) + bytes(range(256))
    (signed_in.home / "in").write_bytes(data)
    script = f"cat in | {AS_PROD} sh -c 'cat; echo own >&2' 2>err | cat >out; echo ${{PIPESTATUS[*]}}"

    assert run(signed_in, script, has_terminal=has_terminal) == (0, "0 0 0\n")
    assert (signed_in.home / "out").read_bytes() == data
    assert (signed_in.home / "err").read_bytes() == b"own\n"


@pytest.mark.matrix(88, 89)
@pytest.mark.parametrize(
    "before",
    [
        pytest.param("", id="nothing ignored"),
        pytest.param("nohup", id="nohup"),
        pytest.param("trap '' INT QUIT TERM USR1;", id="ignored by a trap"),
        pytest.param("trap '' TSTP TTIN TTOU CHLD;", id="job control ignored"),
    ],
)
@in_both_places
def test_signals_are_ignored_and_blocked_as_without_us(
    has_terminal: bool, before: str, signed_in: World
) -> None:
    look = "grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status </dev/null 2>&1 | cat"
    # The terminal comes from a program in Python, which ignores these two and lets its children do so.
    without_us = f"env --default-signal={','.join(IGNORED_BY_PYTHON)}"
    seen = run(signed_in, f"{before} {AS_PROD} {look}", has_terminal=has_terminal)

    assert seen == run(signed_in, f"{before} {without_us} {look}", has_terminal=has_terminal)
    assert "SigIgn" in seen[1]


@pytest.mark.matrix(89)
def test_a_hangup_that_is_ignored_ends_neither_the_command_nor_what_serves_it(signed_in: World) -> None:
    nohup = f"trap '' HUP; exec {AS_PROD} {' '.join(LIVES[:2])} '{LIVES[2]}'"
    with subprocess.Popen(
        ["sh", "-c", nohup],
        env=signed_in.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, signal.SIGHUP)

        process.communicate("end\n", timeout=20)
    assert process.returncode == 3


@pytest.mark.matrix(100)
@pytest.mark.parametrize(
    "surroundings",
    [
        pytest.param(":", id="as they are"),
        pytest.param("umask 027; ulimit -c 0; ulimit -n 77; ulimit -S -s 4096", id="limits"),
        pytest.param("umask 777; ulimit -c 12345; ulimit -f 1000000", id="other limits"),
        pytest.param("mkdir -p 'a b'; cd 'a b'; renice -n 5 $$ >/dev/null", id="nice, elsewhere"),
        pytest.param("echo 300 >/proc/self/oom_score_adj", id="OOM score"),
        pytest.param("taskset -cp 0 $$ >/dev/null", id="one processor"),
    ],
)
@in_both_places
def test_everything_else_about_the_process_is_as_without_us(
    has_terminal: bool, surroundings: str, signed_in: World
) -> None:
    witness = program(signed_in.home / "surroundings.py", SURROUNDINGS)
    looks = f"{PYTHON} {witness} >&3; {AS_PROD} {PYTHON} {witness} >&4"
    script = f"exec 3>without 4>with; {surroundings}; {looks}"

    assert run(signed_in, script, has_terminal=has_terminal) == (0, "")

    without, with_us = ((signed_in.home / name).read_text() for name in ("without", "with"))
    if has_terminal:  # where the refresher is the parent
        without, with_us = (re.sub(r" parent \d+", "", text) for text in (without, with_us))
    assert without.count("\n") > 6
    assert with_us == without


@in_both_ways
def test_the_command_finds_no_descriptors_of_ours(start: Start, signed_in: World) -> None:
    with start(signed_in, *REFRESHED, *LIVES) as run:
        descriptors = sorted(map(int, os.listdir(f"/proc/{run.served.command.pid}/fd")))

        assert descriptors == [0, 1, 2]
