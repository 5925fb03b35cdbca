import os
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from gds_exec.child.program import run_program
from gds_exec.errors import HelperFailed

ENVIRON = {"PATH": os.environ["PATH"]}


def helper(tmp_path: Path, body: str, name: str = "helper") -> str:
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def run(command: str, *, environ: dict[str, str] = ENVIRON, timeout_seconds: float = 30) -> str:
    return run_program(command, environ=environ, timeout_seconds=timeout_seconds)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_what_the_helper_prints_is_returned(tmp_path: Path) -> None:
    assert run(helper(tmp_path, "echo '{\"Version\": 1}'; echo chatter >&2")) == '{"Version": 1}\n'


def test_words_are_quoted_as_for_a_shell_and_given_to_none(tmp_path: Path) -> None:
    command = helper(tmp_path, 'printf "[%s]" "$@"')

    assert run(f"{command} 'a b' c\\ d \"\" $HOME ; '*' `x`") == "[a b][c d][][$HOME][;][*][`x`]"


def test_the_helper_is_found_on_the_path_it_is_given(tmp_path: Path) -> None:
    helper(tmp_path, "echo found", name="our-helper")

    assert run("our-helper", environ={"PATH": str(tmp_path)}) == "found\n"


def test_the_code_meant_for_us_is_not_in_its_environment(tmp_path: Path) -> None:
    environ = {**ENVIRON, "GDS_EXEC_MFA_CODE": "123456", "KEPT": "yes"}

    assert run(helper(tmp_path, 'echo "${GDS_EXEC_MFA_CODE-unset} $KEPT"'), environ=environ) == "unset yes\n"


def test_more_than_a_pipe_holds_is_read_up_to_the_limit(tmp_path: Path) -> None:
    command = helper(tmp_path, 'head -c "$1" /dev/zero | tr "\\0" x; head -c 200000 /dev/zero >&2')

    assert len(run(f"{command} 65536")) == 65536
    with pytest.raises(HelperFailed, match="printed more than 65,536 bytes"):  # matrix 125
        run(f"{command} 65537")


FAILURES = [  # matrix 125
    pytest.param("echo junk; echo no key >&2; exit 3", "failed with exit status 3: no key", id="exit status"),
    pytest.param("exit 4", "failed with exit status 4", id="silent"),
    pytest.param("printf 'one\\n two \\n\\n' >&2; exit 1", "exit status 1: two", id="last line"),
    pytest.param("kill -SEGV $$", "was killed by SIGSEGV", id="signal"),
    pytest.param("printf 'a\\033[2Jb' >&2; exit 1", r"exit status 1: a\x1b[2Jb", id="escape sequence"),
    pytest.param("echo why; echo AKIAIOSFODNN7EXAMPLE >&2; exit 1", "exit status 1", id="access key id"),
    pytest.param("echo bad passphrase hunter2 >&2; exit 1", "exit status 1", id="a passphrase"),
    pytest.param("echo code 123456 >&2; exit 1", "exit status 1", id="a code"),
    pytest.param("printf '\\377'", "printed is not UTF-8 text", id="not UTF-8"),
]


@pytest.mark.parametrize(("body", "message"), FAILURES)
def test_a_failure_says_which_helper_and_what_it_said_last(body: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(HelperFailed) as failed:
        run(f"{helper(tmp_path, body)} secret-argument")

    assert failed.value.message.endswith(message)
    assert str(tmp_path / "helper") in failed.value.message
    assert "secret-argument" not in failed.value.message
    assert "junk" not in failed.value.message


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param("", "the command line of a helper is empty", id="empty"),
        pytest.param(" ", "the command line of a helper is empty", id="blank"),
        pytest.param("x 'secret", "the command line of a helper cannot be read: No closing", id="quotation"),
        pytest.param(
            "no-such-helper secret", "cannot be run: there is no command no-such-helper on", id="not found"
        ),
        pytest.param("/etc/passwd secret", "cannot be run: /etc/passwd is not executable", id="no program"),
        pytest.param("sh 'a\0b'", "cannot be run: ", id="NUL"),
    ],
)
def test_a_helper_that_cannot_be_run_is_named_without_its_arguments(command: str, message: str) -> None:
    with pytest.raises(HelperFailed) as failed:
        run(command)

    assert message in failed.value.message
    assert "secret" not in failed.value.message


def test_a_missing_interpreter_is_named(tmp_path: Path) -> None:
    path = tmp_path / "helper"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)

    with pytest.raises(HelperFailed, match=r"is missing: /no/such/interpreter"):
        run(str(path))


def test_a_helper_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = helper(tmp_path, f"sleep 60 & echo $$ $! >{pids}; wait")

    with pytest.raises(HelperFailed, match=r"did not end within 0.5 s"):
        run(command, timeout_seconds=0.5)

    assert all(eventually(lambda pid=pid: is_gone(int(pid))) for pid in pids.read_text().split())


def test_a_helper_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = helper(tmp_path, f"trap '' TERM; echo $$ >{pid}; while :; do sleep 0.05; done")

    with pytest.raises(HelperFailed, match=r"did not end within 0.3 s"):
        run(command, timeout_seconds=0.3)

    assert eventually(lambda: is_gone(int(pid.read_text())))


def test_what_a_helper_leaves_in_the_background_does_not_hold_us_up(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    began = time.monotonic()

    printed = run(helper(tmp_path, f"sleep 30 & echo $! >{pid}; echo done"))

    assert printed == "done\n"
    assert time.monotonic() - began < 15
    os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_helper_may_close_its_streams_and_go_on(tmp_path: Path) -> None:
    finished = tmp_path / "finished"

    assert run(helper(tmp_path, f"echo code; exec >&- 2>&-; sleep 0.2; echo x >{finished}")) == "code\n"
    assert finished.exists()


IN_A_TERMINAL = """
import os, sys
from gds_exec.child.program import run_program
from gds_exec.errors import GdsExecError
try:
    seconds = float(os.environ.get("SECONDS_ALLOWED", "30"))
    printed = run_program(sys.argv[1], environ=os.environ, timeout_seconds=seconds)
    os.write(1, f"returned {printed!r}\\n".encode())
except GdsExecError as error:
    os.write(1, f"raised {error.message}\\n".encode())
except KeyboardInterrupt:
    os.write(1, b"interrupted\\n")
"""


def in_a_terminal(command: str, redirections: str = "", *, seconds: float = 30) -> "pexpect.spawn[str]":
    # The shell stays, and holds the terminal open where nothing else does.
    line = f"{shlex.join([sys.executable, '-c', IN_A_TERMINAL, command])} {redirections}; read -r _"
    environ = {**ENVIRON, "SECONDS_ALLOWED": str(seconds)}
    return pexpect.spawn("sh", ["-c", line], encoding="utf-8", timeout=20, env=environ)


def has_echo(terminal: "pexpect.spawn[str]") -> bool:
    return bool(termios.tcgetattr(terminal.child_fd)[3] & termios.ECHO)


def test_a_helper_can_ask_the_person_whatever_our_own_streams_are(tmp_path: Path) -> None:  # matrix 71, 73
    command = helper(tmp_path, 'printf "Passphrase: " >&2; read -r answer; echo "got $answer"')
    report = tmp_path / "report"

    terminal = in_a_terminal(command, f"</dev/null >{report} 2>/dev/null")
    terminal.expect_exact("Passphrase: ")
    terminal.sendline("swordfish")
    terminal.sendline("")
    terminal.expect(pexpect.EOF)

    assert report.read_text() == r"returned 'got swordfish\n'" + "\n"


def test_ctrl_c_ends_the_helper_along_with_us(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    terminal = in_a_terminal(helper(tmp_path, f"echo $$ >{pid}; echo ready >&2; sleep 60"))

    terminal.expect_exact("ready")
    terminal.sendintr()
    terminal.expect_exact("interrupted")

    assert eventually(lambda: is_gone(int(pid.read_text())))


@pytest.mark.parametrize(
    ("body", "seconds", "told"),
    [
        pytest.param("sleep 60", 1, "raised the helper .* did not end within 1 s", id="too slow"),
        pytest.param("trap '' TERM; while :; do sleep 0.05; done", 1, "did not end", id="deaf to SIGTERM"),
        pytest.param("exit 3", 30, "failed with exit status 3", id="fails"),
    ],
)
def test_a_helper_that_fails_leaves_the_terminal_as_it_was_found(
    body: str, seconds: float, told: str, tmp_path: Path
) -> None:
    silenced = tmp_path / "silenced"
    terminal = in_a_terminal(
        helper(tmp_path, f"stty -echo </dev/tty; stty -a </dev/tty >{silenced}; {body}"), seconds=seconds
    )

    terminal.expect(told)

    assert " -echo " in silenced.read_text()
    assert has_echo(terminal)


def test_ctrl_c_at_a_passphrase_leaves_the_terminal_as_it_was_found(tmp_path: Path) -> None:
    terminal = in_a_terminal(helper(tmp_path, "stty -echo </dev/tty; echo Passphrase: >&2; sleep 60"))
    terminal.expect_exact("Passphrase:")
    assert not has_echo(terminal)

    terminal.sendintr()
    terminal.expect_exact("interrupted")

    assert has_echo(terminal)


def running(command: str, *, seconds: float = 30) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, command],
        env={**ENVIRON, "SECONDS_ALLOWED": str(seconds)},
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_kills_us_ends_the_helper_with_its_children_first(
    number: signal.Signals, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    # In the milliseconds of its fork a helper is not ours to end yet.
    with running(helper(tmp_path, f"sleep 0.5; sleep 60 & echo $$ $! >{pids}; wait")) as process:
        assert eventually(lambda: pids.exists() and pids.read_text().endswith("\n"))

        process.send_signal(number)
        process.wait(20)

    assert process.returncode == -number
    assert all(eventually(lambda pid=pid: is_gone(int(pid))) for pid in pids.read_text().split())


def test_the_time_in_which_we_are_stopped_is_not_the_helpers(tmp_path: Path) -> None:
    began, go = tmp_path / "began", tmp_path / "go"
    command = helper(tmp_path, f"echo >{began}; until [ -e {go} ]; do sleep 0.05; done; echo code")
    with running(command, seconds=3) as process:
        assert eventually(began.exists)

        process.send_signal(signal.SIGSTOP)
        time.sleep(3.2)  # nothing but the time itself shows this
        process.send_signal(signal.SIGCONT)
        time.sleep(0.2)
        go.touch()

        assert process.communicate(timeout=20)[0] == r"returned 'code\n'" + "\n"


def test_without_a_terminal_a_helper_that_asks_meets_the_end_of_input(tmp_path: Path) -> None:  # matrix 70
    command = helper(tmp_path, "read -r answer || echo nobody")
    argv = [sys.executable, "-c", IN_A_TERMINAL, command]

    terminal = pexpect.spawn("setsid", ["--fork", "--wait", *argv], encoding="utf-8", timeout=20)

    terminal.expect_exact(r"returned 'nobody\n'")
