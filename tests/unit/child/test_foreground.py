import os
import resource
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from gds_exec.child.foreground import run_in_foreground
from gds_exec.errors import CommandNotExecutable, CommandNotFound
from tests.e2e.patience import insist

CTRL_Z = "\x1a"

ENVIRON = {"PATH": os.environ["PATH"]}
PARENT = """
import os, sys
from gds_exec.child.foreground import end_like, run_in_foreground
end_like(run_in_foreground(sys.argv[1:], environ=os.environ))
"""
# Prints each signal that it gets, and ends when a line is typed or at SIGUSR1.
WITNESS = """
import os, signal, sys, time
def tell(number, _):
    os.write(1, f"got {signal.Signals(number).name}\\n".encode())
    if number == signal.SIGUSR1:
        sys.exit(7)
for name in sys.argv[1:]:
    signal.signal(getattr(signal, name), tell)
os.write(1, f"ready {os.getpid()} {os.getppid()}\\n".encode())
while True:  # pause() would miss a signal that comes just before it
    time.sleep(0.01)
"""


def parent_of(*argv: str) -> list[str]:
    return [sys.executable, "-c", PARENT, *argv]


def witness(*names: str) -> list[str]:
    return parent_of(sys.executable, "-c", WITNESS, *names)


def run(script: str) -> int:
    return run_in_foreground(["sh", "-c", script], environ=ENVIRON)


def at_a_shell() -> "pexpect.spawn[str]":
    shell = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], encoding="utf-8", timeout=20)
    shell.sendline("bind 'set enable-bracketed-paste off'; PS1='$ '; echo rea''dy")
    shell.expect_exact("ready")
    return shell


def file_of(tmp_path: Path, argv: list[str]) -> str:
    """A short line for a shell: what is typed at one is echoed, and may wrap."""
    path = tmp_path / "run"
    path.write_text(f"exec {shlex.join(argv)}\n")
    return f"sh {path}"


def pids_of_ready(terminal: "pexpect.spawn[str]") -> tuple[int, int]:
    terminal.expect(r"ready (\d+) (\d+)\r\n")
    assert terminal.match is not None
    return int(terminal.match.group(1)), int(terminal.match.group(2))


@pytest.mark.parametrize("status", [0, 1, 2, 124, 125, 126, 127, 128, 130, 255])
def test_the_exit_status_of_the_command_comes_back(status: int) -> None:  # matrix 83
    assert os.waitstatus_to_exitcode(run(f"exit {status}")) == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGINT])
def test_we_die_by_the_signal_that_killed_the_command(number: signal.Signals) -> None:  # matrix 84
    done = subprocess.run(parent_of("sh", "-c", f"kill -{number.value} $$"), timeout=30, check=False)

    assert done.returncode == -number


@pytest.mark.parametrize("status", [0, 3, 255])
def test_we_end_with_the_exit_status_of_the_command(status: int) -> None:  # matrix 83
    done = subprocess.run(parent_of("sh", "-c", f"exit {status}"), timeout=30, check=False)

    assert done.returncode == status


def test_dying_like_the_command_leaves_no_core_of_our_own(tmp_path: Path) -> None:  # matrix 100
    _, hard_limit = resource.getrlimit(resource.RLIMIT_CORE)

    done = subprocess.run(
        parent_of("sh", "-c", "ulimit -c 0; kill -SEGV $$"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard_limit, hard_limit)),
        timeout=30,
        check=False,
    )

    assert (done.returncode, list(tmp_path.iterdir())) == (-signal.SIGSEGV, [])


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("no-such-command", CommandNotFound),
        ("/etc/passwd", CommandNotExecutable),
        ("/", CommandNotExecutable),
    ],
)
def test_a_command_that_cannot_be_run_is_an_error_of_ours(
    name: str, error: type[Exception]
) -> None:  # matrix 85
    with pytest.raises(error):
        run_in_foreground([name], environ=ENVIRON)


def test_a_missing_interpreter_is_an_error_of_ours(tmp_path: Path) -> None:  # matrix 85
    path = tmp_path / "script"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)

    with pytest.raises(CommandNotFound, match="/no/such/interpreter"):
        run_in_foreground([str(path)], environ=ENVIRON)


def test_nothing_of_ours_stays_when_the_command_has_ended() -> None:
    def state() -> list[object]:
        dispositions = [signal.getsignal(number) for number in sorted(signal.valid_signals())]
        return [*dispositions, signal.pthread_sigmask(signal.SIG_BLOCK, ())]

    before = state()

    run("exit 0")

    assert state() == before


@pytest.mark.parametrize("ignored", [(), (signal.SIGHUP,), (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)])
def test_the_command_finds_its_signals_as_we_found_ours(  # matrix 88, 89
    ignored: tuple[signal.Signals, ...],
) -> None:
    argv = parent_of("grep", "-E", "SigBlk|SigIgn", "/proc/self/status")
    names = " ".join(number.name.removeprefix("SIG") for number in ignored)
    trap = f"trap '' {names};" if ignored else ""

    done = subprocess.run(
        ["sh", "-c", f'{trap} exec "$@"', "sh", *argv], capture_output=True, text=True, timeout=30, check=True
    )

    blocked, still_ignored = (int(line.split()[1], 16) for line in done.stdout.splitlines())
    assert blocked == 0
    # Not the two real-time signals of glibc's own, which its posix_spawn leaves ignored.
    assert still_ignored & 0x7FFF_FFFF == sum(1 << (number - 1) for number in ignored)


def test_the_command_dies_of_a_closed_pipe() -> None:  # matrix 88
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -1; exit ${PIPESTATUS[0]}', "bash", *parent_of("yes")],
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert (done.stdout, done.returncode) == (b"y\n", 128 + signal.SIGPIPE)


def test_sigterm_and_sighup_sent_to_us_reach_the_command_and_we_still_wait() -> None:  # matrix 86
    with subprocess.Popen(
        witness("SIGTERM", "SIGHUP", "SIGUSR1"), stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline().split()[1])
        told = []
        for number in (signal.SIGTERM, signal.SIGHUP):
            process.send_signal(number)
            told.append(process.stdout.readline())
        os.kill(child, signal.SIGUSR1)

        assert told == ["got SIGTERM\n", "got SIGHUP\n"]
        assert process.wait(30) == 7


@pytest.mark.parametrize(("key", "name"), [("c", "SIGINT"), ("\\", "SIGQUIT")])
def test_what_is_typed_reaches_the_command_once_and_leaves_us_alone(key: str, name: str) -> None:  # matrix 87
    argv = witness(name, "SIGUSR1")
    terminal = pexpect.spawn(argv[0], argv[1:], encoding="utf-8", timeout=20)
    child, _ = pids_of_ready(terminal)

    terminal.sendcontrol(key)
    terminal.expect_exact(f"got {name}\r\n")
    os.kill(child, signal.SIGUSR1)
    terminal.expect(pexpect.EOF)
    terminal.wait()

    assert terminal.before == "got SIGUSR1\r\n"
    assert terminal.exitstatus == 7


def test_ctrl_z_stops_both_and_fg_continues_both(tmp_path: Path) -> None:  # matrix 87
    shell = at_a_shell()
    shell.sendline(file_of(tmp_path, witness("SIGCONT", "SIGUSR1")))
    child, parent = pids_of_ready(shell)

    for _ in range(3):
        insist(shell, CTRL_Z, "Stopped")
        assert state_of(child) == state_of(parent) == "T"
        insist(shell, "fg", "got SIGCONT")
    os.kill(child, signal.SIGUSR1)
    shell.expect_exact("got SIGUSR1")

    shell.sendline("echo status $?")
    shell.expect_exact("status 7")


def test_a_command_that_does_not_stop_at_ctrl_z_does_not_stop_us() -> None:  # matrix 87
    argv = witness("SIGTSTP", "SIGUSR1")
    terminal = pexpect.spawn(argv[0], argv[1:], encoding="utf-8", timeout=20)
    child, _ = pids_of_ready(terminal)

    terminal.sendcontrol("z")
    terminal.expect_exact("got SIGTSTP\r\n")
    os.kill(child, signal.SIGUSR1)
    terminal.expect(pexpect.EOF)
    terminal.wait()

    assert terminal.exitstatus == 7


def test_a_command_stopped_by_another_process_does_not_stop_us(tmp_path: Path) -> None:
    shell = at_a_shell()
    shell.sendline(file_of(tmp_path, witness("SIGCONT", "SIGUSR1")))
    child, parent = pids_of_ready(shell)

    os.kill(child, signal.SIGSTOP)
    os.kill(child, signal.SIGCONT)
    shell.expect_exact("got SIGCONT")
    assert state_of(parent) != "T"
    os.kill(child, signal.SIGUSR1)

    shell.expect_exact("got SIGUSR1")
    shell.sendline("echo status $?")
    shell.expect_exact("status 7")


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
