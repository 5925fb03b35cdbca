"""The command notices nothing: its exit status, its signals and its terminal are its own."""

import os
import re
import signal
import subprocess

import psutil
import pytest

from .observations import calls_of
from .patience import await_state, eventually
from .programs import program
from .shells import Shell, every_shell
from .world import GDS_EXEC, PYTHON, World

# Runs the installed program in a copy of this interpreter for each status, for its imports cost most.
EVERY_STATUS = """
import os, sys
import gds_exec.__main__, gds_exec.cli.parser, gds_exec.output
for status in range(256):
    pid = os.fork()
    if pid == 0:
        sys.argv = ["gds-exec", "prod", "--", "/bin/sh", "-c", f"exit {status}"]
        gds_exec.__main__.main()
    _, how = os.waitpid(pid, 0)
    if not os.WIFEXITED(how) or os.WEXITSTATUS(how) != status:
        sys.exit(f"{how} instead of {status}")
print("every one")
"""


SIGNALS = "TERM HUP USR1 USR2 INT QUIT WINCH CONT TSTP TTIN TTOU ALRM PIPE XFSZ"


HEEDS_SIGNALS = f"""
import signal, sys
numbers = [getattr(signal, "SIG" + name) for name in "{SIGNALS}".split()]
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
print("ready", flush=True)
for _ in numbers:
    print(signal.Signals(signal.sigwait(numbers)).name, flush=True)
"""


AT_THE_TERMINAL = """
import os, signal, sys
def tell(number, _frame):
    os.write(1, f"got-{signal.Signals(number).name}\\n".encode())  # print fails inside another print
for name in ("SIGINT", "SIGQUIT", "SIGCONT"):
    signal.signal(getattr(signal, name), tell)
print("begun", flush=True)
line = sys.stdin.readline()
print(f"read-{line.strip()}", flush=True)
sys.exit(7)
"""


def as_role(world: World, *command: str, **options: object) -> subprocess.Popen[str]:
    """Start a command as the role, to be watched while it runs."""
    return subprocess.Popen(
        [GDS_EXEC, "prod", "--", *command],
        env=world.environ,
        cwd=world.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.matrix(83)
def test_every_exit_status_comes_back(signed_in: World) -> None:
    done = signed_in.run_program(PYTHON, "-c", EVERY_STATUS)

    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b"every one\n"


@pytest.mark.matrix(83)
@pytest.mark.parametrize("status", [0, 1, 2, 124, 125, 126, 127, 128, 130, 255])
def test_a_status_of_the_command_is_not_taken_for_ours(status: int, signed_in: World) -> None:
    done = signed_in.run("prod", "--", "sh", "-c", f"exit {status}")

    assert done.returncode == status
    assert done.stderr == b""


@pytest.mark.matrix(84)
@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV", "INT", "ABRT", "PIPE"])
def test_a_command_that_a_signal_kills_is_seen_to_die_of_it(name: str, signed_in: World) -> None:
    done = signed_in.run("prod", "--", "sh", "-c", f"ulimit -c 0; kill -{name} $$")

    assert done.returncode == -getattr(signal, f"SIG{name}")


@pytest.mark.matrix(86)
def test_every_signal_sent_to_us_reaches_the_command(signed_in: World) -> None:
    with as_role(signed_in, PYTHON, "-c", HEEDS_SIGNALS) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "ready\n"
        for name in SIGNALS.split():
            os.kill(command.pid, getattr(signal, f"SIG{name}"))
            assert command.stdout.readline() == f"SIG{name}\n"

    assert command.returncode == 0


@pytest.mark.matrix(84, 86)
@pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "QUIT", "KILL", "USR1"])
def test_a_signal_to_us_ends_the_command_as_it_would_without_us(name: str, signed_in: World) -> None:
    with as_role(signed_in, "sh", "-c", "ulimit -c 0; echo ready; exec sleep 60") as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "ready\n"
        eventually(lambda: _assert_is(command.pid, "sleep"))
        os.kill(command.pid, getattr(signal, f"SIG{name}"))

    assert command.returncode == -getattr(signal, f"SIG{name}")


@pytest.mark.matrix(86)
def test_stopped_and_continued_by_a_process_it_goes_on(signed_in: World) -> None:
    with as_role(signed_in, "sh", "-c", "echo ready; read line; exit 3") as command:
        assert command.stdout is not None
        os.kill(command.pid, signal.SIGSTOP)
        await_state(command.pid, "stopped")
        os.kill(command.pid, signal.SIGCONT)
        assert command.stdout.readline() == "ready\n"

    assert command.returncode == 3


def _assert_is(pid: int, name: str) -> None:
    assert psutil.Process(pid).name() == name


@pytest.mark.matrix(87)
@every_shell
def test_keys_at_the_terminal_reach_the_command_once(shell: Shell, signed_in: World) -> None:
    program(signed_in.home / "witness.py", AT_THE_TERMINAL)

    assert seen_at(shell, signed_in, f"{GDS_EXEC} prod --") == seen_at(shell, signed_in, "")


def seen_at(shell: Shell, world: World, prefix: str) -> tuple[list[str], str]:
    """Sit at a shell, press every key at the witness, and return what it told and its status."""
    terminal = shell.open(world)
    seen = ""
    for key, answer in (
        (f"{prefix} {PYTHON} witness.py\n", r"begun\r"),
        ("\x03", r"got-SIGINT\r"),
        ("\x1c", r"got-SIGQUIT\r"),
        ("\x1a", r"(?i)(stopped|suspended)"),
        ("fg\n", r"got-SIGCONT\r"),
        ("on\n", r"read-on\r"),
        (f"echo status-{shell.status}\n", r"status-\d+"),
    ):
        terminal.send(key)
        terminal.expect(answer)
        seen += terminal.before + terminal.after
    told = re.findall(r"got-\w+|read-\w+", seen)
    assert told == ["got-SIGINT", "got-SIGQUIT", "got-SIGCONT", "read-on"]
    return told, terminal.after


@pytest.mark.matrix(87)
@every_shell
def test_ctrl_c_ends_a_command_that_does_not_mind_it_as_without_us(shell: Shell, signed_in: World) -> None:
    terminal = shell.open(signed_in)
    terminal.sendline(f"{GDS_EXEC} prod -- sh -c 'echo be''gun; exec sleep 60'")
    terminal.expect_exact("begun")
    terminal.sendintr()
    terminal.sendline(f"echo status-{shell.status}")

    terminal.expect(r"status-(\d+)")
    assert terminal.match.group(1) == "130"


@pytest.mark.matrix(88)
def test_a_command_whose_reader_has_gone_dies_of_sigpipe(signed_in: World) -> None:
    script = f"{GDS_EXEC} prod -- yes | head -n1; echo ${{PIPESTATUS[@]}}"
    done = signed_in.run_program("bash", "-c", script)

    assert done.stdout == b"y\n141 0\n"
    assert done.stderr == b""


@pytest.mark.matrix(96)
def test_inside_gds_exec_the_inner_one_begins_again_from_the_base_keys(world: World) -> None:
    world.add_role("outer")
    inner = world.add_role("inner")
    world.sign_in("outer")

    done = world.run("outer", "--", GDS_EXEC, "inner", "--", "sh", "-c", "echo $GDS_EXEC_ROLE")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"inner\n", b"")
    assert calls_of(world.aws, "AssumeRole")[-1].parameters["RoleArn"] == inner.arn
    assert world.aws.count("GetSessionToken") == 1


@pytest.mark.matrix(97)
def test_the_command_is_our_process_and_has_no_children_that_it_did_not_make(world: World) -> None:
    world.add_role("prod", settings=f"mfa_process = sh -c 'echo {world.code()}'")
    with as_role(world, "sh", "-c", "echo ready; read line; exit 0") as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "ready\n"
        process = psutil.Process(command.pid)

        assert process.name() == "sh"
        assert process.children() == []
        assert process.num_threads() == 1
