"""Run at real terminals: each script here is the program that asks there."""

import os
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import psutil
import pytest

from gds_exec.terminal import Suspended, Terminal, raising_suspended

ASKING = """
import os, signal, sys, time
from gds_exec.terminal import Continued, NotForeground, Suspended, Terminal, suspend_this_process
while "GO" in os.environ and not os.path.exists(os.environ["GO"]):
    time.sleep(0.01)
terminal = Terminal.open()
timeout = float(os.environ["TIMEOUT"]) if "TIMEOUT" in os.environ else None
def handlers():
    return [signal.getsignal(number) for number in sorted(signal.valid_signals())]
before = handlers()
while True:
    try:
        print("answer", ascii(terminal.ask(os.environ.get("PROMPT", "MFA code: "), timeout_seconds=timeout)))
    except Suspended:
        print("suspended", flush=True)
        suspend_this_process()
        print("resumed", flush=True)
        continue
    except (TimeoutError, KeyboardInterrupt, NotForeground, Continued) as error:
        print("raised", type(error).__name__)
    break
print("handlers kept", handlers() == before)
print("mask", signal.pthread_sigmask(signal.SIG_BLOCK, ()), flush=True)
"""


def at_a_terminal(code: str, **environ: str) -> "pexpect.spawn[str]":
    return pexpect.spawn(
        sys.executable,
        ["-c", code],
        encoding="utf-8",
        codec_errors="replace",
        timeout=20,
        env={**os.environ, **environ},  # type: ignore[arg-type]
    )


def asked(**environ: str) -> "pexpect.spawn[str]":
    terminal = at_a_terminal(ASKING, **environ)
    terminal.expect_exact("MFA code: ")
    return terminal


def at_a_shell() -> "pexpect.spawn[str]":
    shell = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], encoding="utf-8", timeout=20)
    shell.sendline("bind 'set enable-bracketed-paste off'; PS1='$ '; echo rea''dy")
    shell.expect_exact("ready")
    return shell


def script(tmp_path: Path, code: str) -> str:
    path = tmp_path / "script.py"
    path.write_text(code)
    return shlex.join([sys.executable, str(path)])


def device_of(terminal: "pexpect.spawn[str]") -> int:
    return os.stat(os.readlink(f"/proc/{terminal.pid}/fd/0")).st_rdev


def mode_of(terminal: "pexpect.spawn[str]") -> list[object]:
    return termios.tcgetattr(terminal.child_fd)


def make_raw(terminal: "pexpect.spawn[str]") -> list[object]:
    """Put the terminal into the mode that fish leaves to its prompt handlers, and return it."""
    iflag, oflag, cflag, lflag, *rest = termios.tcgetattr(terminal.child_fd)
    lflag &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    mode = [iflag & ~termios.ICRNL, oflag, cflag, lflag, *rest]
    termios.tcsetattr(terminal.child_fd, termios.TCSANOW, mode)
    return mode_of(terminal)


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_the_answer_is_the_line_typed_which_is_echoed() -> None:  # matrix 79
    terminal = asked()

    terminal.sendline("123 456")

    terminal.expect_exact("123 456\r\nanswer '123 456'\r\nhandlers kept True\r\nmask set()")


def test_an_empty_line_is_an_answer() -> None:
    terminal = asked()

    terminal.sendline("")

    terminal.expect_exact("answer ''")


@pytest.mark.parametrize("typed", ["\x04", "123\x04\x04"], ids=["Ctrl-D", "Ctrl-D within the line"])
def test_the_end_of_input_is_no_answer(typed: str) -> None:  # matrix 75
    terminal = asked()

    terminal.send(typed)

    terminal.expect_exact("\r\nanswer None\r\nhandlers kept True")


@pytest.mark.parametrize(
    ("pasted", "answer"),
    [
        pytest.param(b"\x1b[200~123456\x1b[201~\r", "'123456'", id="bracketed paste"),
        pytest.param(b"123456\r\r", "'123456'", id="two ends of line"),
        pytest.param(b"12\x7f23456\r", "'123456'", id="corrected"),
        pytest.param(b"\xff12\r", r"'\ufffd12'", id="not UTF-8"),
        pytest.param("é1\r".encode(), r"'\xe91'", id="not ASCII"),
    ],
)
def test_what_is_pasted_comes_without_the_marks_of_the_terminal(
    pasted: bytes, answer: str
) -> None:  # matrix 76
    terminal = asked()

    os.write(terminal.child_fd, pasted)

    terminal.expect_exact(f"answer {answer}")


def test_what_was_typed_before_the_question_is_no_answer(tmp_path: Path) -> None:  # matrix 78
    go = tmp_path / "go"
    terminal = at_a_terminal(ASKING, GO=str(go))
    terminal.sendline("000000")
    terminal.expect_exact("000000\r\n")
    go.touch()
    terminal.expect_exact("MFA code: ")

    terminal.sendline("123456")

    terminal.expect_exact("answer '123456'")


@pytest.mark.parametrize("typed", ["123456\r", "\x04", "\x03"], ids=["answer", "Ctrl-D", "Ctrl-C"])
def test_a_raw_terminal_is_made_to_answer_and_left_raw(typed: str, tmp_path: Path) -> None:  # matrix 79
    go = tmp_path / "go"
    terminal = at_a_terminal(ASKING, GO=str(go))
    raw = make_raw(terminal)
    go.touch()
    terminal.expect_exact("MFA code: ")
    asking = mode_of(terminal)

    terminal.send(typed)

    terminal.expect_exact(
        {"123456\r": "answer '123456'", "\x04": "answer None", "\x03": "KeyboardInterrupt"}[typed]
    )
    assert asking != raw
    assert mode_of(terminal) == raw


def test_a_question_nobody_answers_in_time_is_given_up() -> None:
    terminal = asked(TIMEOUT="0.2")

    terminal.expect_exact("\r\nraised TimeoutError\r\nhandlers kept True")


def test_the_time_limit_is_for_the_whole_line() -> None:
    terminal = asked(TIMEOUT="0.5")

    terminal.send("123")

    terminal.expect_exact("raised TimeoutError")


@pytest.mark.skipif(sys.platform == "darwin", reason="only select knows terminals there")
def test_a_process_with_many_open_files_can_ask() -> None:
    many = (
        "import os, resource\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))\n"
        "while os.dup(0) < 1024: pass\n"
    )
    terminal = at_a_terminal(many + ASKING)
    terminal.expect_exact("MFA code: ")

    terminal.sendline("123456")

    terminal.expect_exact("answer '123456'")


def test_ctrl_c_interrupts_even_where_the_signal_would_have_killed_silently() -> None:  # matrix 5
    terminal = at_a_terminal(f"import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)\n{ASKING}")
    terminal.expect_exact("MFA code: ")

    terminal.sendintr()

    terminal.expect_exact("raised KeyboardInterrupt\r\nhandlers kept True")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_deadly_signal_at_the_question_kills_after_the_terminal_is_restored(
    number: signal.Signals, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    terminal = at_a_terminal(ASKING, GO=str(go))
    raw = make_raw(terminal)
    go.touch()
    terminal.expect_exact("MFA code: ")

    terminal.kill(number)
    terminal.expect(pexpect.EOF)
    terminal.wait()

    assert terminal.signalstatus == number
    assert mode_of(terminal) == raw


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT, signal.SIGTSTP]
)
def test_a_signal_while_the_question_imports_a_module_is_not_lost(number: signal.Signals) -> None:
    """The interpreter finalizes the lock of each module that it imports, and drops what is raised there."""
    code = (
        "import signal, sys\n"
        "from gds_exec.terminal import Suspended, Terminal\n"
        "sent = []\n"
        "def send_in_finalizer(frame, event, _):\n"
        "    if 'importlib' in frame.f_code.co_filename and frame.f_code.co_name == 'cb' and not sent:\n"
        f"        sent.append(signal.raise_signal({int(number)}))\n"
        "def meanwhile():\n"
        "    sys.modules.pop('colorsys', None)\n"
        "    sys.setprofile(send_in_finalizer)\n"
        "    import colorsys\n"
        "    sys.setprofile(None)\n"
        "try:\n"
        "    Terminal.open().ask('MFA code: ', meanwhile=meanwhile)\n"
        "except (KeyboardInterrupt, Suspended) as error:\n"
        "    print('raised', type(error).__name__)\n"
    )
    terminal = at_a_terminal(code)
    raised = {signal.SIGINT: "raised KeyboardInterrupt", signal.SIGTSTP: "raised Suspended"}

    terminal.expect(pexpect.EOF)
    terminal.wait()

    assert raised.get(number, "") in terminal.before
    assert terminal.signalstatus == (None if number in raised else number)


def test_a_signal_that_was_ignored_stays_ignored() -> None:  # matrix 89
    terminal = at_a_terminal(f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{ASKING}")
    terminal.expect_exact("MFA code: ")

    terminal.kill(signal.SIGHUP)
    terminal.sendline("123456")

    terminal.expect_exact("answer '123456'")


def test_when_the_terminal_hangs_up_we_die_of_it_and_do_not_spin() -> None:
    terminal = asked()

    terminal.close(force=False)

    assert eventually(lambda: not terminal.isalive())
    assert terminal.signalstatus == signal.SIGHUP


def test_a_terminal_that_hangs_up_gives_no_answer_to_who_survives_it(tmp_path: Path) -> None:
    report = tmp_path / "report"
    code = (
        "import os, signal; from gds_exec.terminal import Terminal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "answer = Terminal.open().ask('MFA code: ')\n"
        "print('answer', answer, file=open(os.environ['REPORT'], 'w'))"
    )
    terminal = at_a_terminal(code, REPORT=str(report))
    terminal.expect_exact("MFA code: ")

    terminal.ptyproc.fileobj.close()

    assert eventually(lambda: report.exists() and report.read_text() == "answer None\n")
    terminal.wait()
    terminal.ptyproc.closed = terminal.closed = True


def test_ctrl_z_stops_us_outside_the_question_which_is_asked_anew_after_fg(
    tmp_path: Path,
) -> None:  # matrix 7
    shell = at_a_shell()
    shell.sendline(script(tmp_path, ASKING))
    shell.expect_exact("MFA code: ")

    shell.sendcontrol("z")
    shell.expect_exact("suspended")
    shell.expect_exact("Stopped")
    shell.sendline("fg")
    shell.expect_exact("resumed")
    shell.expect_exact("MFA code: ")
    shell.sendline("123456")

    shell.expect_exact("answer '123456'")
    shell.expect_exact("handlers kept True\r\nmask set()")


def test_a_process_that_was_stopped_without_a_warning_gives_up_its_question() -> None:
    terminal = asked()
    before = mode_of(terminal)
    os.kill(terminal.pid, signal.SIGSTOP)
    await_stop(terminal.pid)
    os.kill(terminal.pid, signal.SIGCONT)

    terminal.expect_exact("\r\nraised Continued\r\nhandlers kept True\r\nmask set()")
    assert mode_of(terminal) == before


def await_stop(pid: int) -> None:
    assert eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)


def test_a_background_job_is_told_that_it_cannot_ask_and_is_not_stopped(tmp_path: Path) -> None:  # matrix 10
    shell = at_a_shell()

    shell.sendline(f"{script(tmp_path, ASKING)} & wait $!; echo status $?")

    shell.expect_exact("raised NotForeground\r\nhandlers kept True")
    shell.expect_exact("status 0")


def test_a_background_job_can_say_something_even_where_that_would_stop_it(tmp_path: Path) -> None:
    code = "from gds_exec.terminal import Terminal; Terminal.open().say('waiting')"
    shell = at_a_shell()

    shell.sendline(f"stty tostop; {script(tmp_path, code)} & wait $!; echo status $?")

    shell.expect_exact("waiting\r\n")
    shell.expect_exact("status 0")


def test_a_question_put_into_the_background_is_given_up(tmp_path: Path) -> None:
    code = ASKING.replace("while True:", "print('pid', os.getpid(), flush=True)\nwhile True:")
    shell = at_a_shell()
    shell.sendline(script(tmp_path, code))
    shell.expect(r"pid (\d+)\r\n")
    assert shell.match is not None
    pid = int(shell.match.group(1))
    shell.expect_exact("MFA code: ")

    os.kill(pid, signal.SIGSTOP)
    shell.expect_exact("Stopped")
    shell.sendline("bg; wait; echo do''ne")

    shell.expect_exact("raised NotForeground")


def test_what_is_said_and_asked_cannot_steer_the_terminal() -> None:  # matrix 82
    code = "from gds_exec.terminal import Terminal; Terminal.open().say('role \\x1b[2J\\x9b\\u202e')"
    terminal = at_a_terminal(code)
    terminal.expect_exact("role \\x1b[2J\\x9b\\u202e\r\n")

    question = at_a_terminal(ASKING, PROMPT="code \x1b[2J: ")
    question.expect_exact("code \\x1b[2J: ")


def test_what_the_locale_cannot_write_is_escaped() -> None:  # matrix 80
    code = "from gds_exec.terminal import Terminal; Terminal.open().say('r\\xf4le \\udcff')"

    terminal = at_a_terminal(code, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

    terminal.expect_exact("r\\xf4le \\udcff\r\n")


def test_saying_something_to_a_person_who_has_gone_is_no_error() -> None:
    master, slave = os.openpty()
    terminal = Terminal.open(os.ttyname(slave))
    assert terminal is not None
    os.close(slave)
    os.close(master)

    terminal.say("waiting")

    terminal.close()


def test_two_processes_agree_on_the_device_of_their_terminal() -> None:
    code = (
        "import os; from gds_exec.terminal import Terminal\n"
        "child = os.fork()\n"
        "if child: os.waitpid(child, 0)\n"
        "else: os.setpgid(0, 0)\n"
        "print('device', Terminal.open().device, flush=True)\n"
        "if child: input()"
    )
    terminal, other = at_a_terminal(code), at_a_terminal(code)
    devices = []
    for spawned in (terminal, terminal, other):
        spawned.expect(r"device (\d+)\r\n")
        assert spawned.match is not None
        devices.append(int(spawned.match.group(1)))

    assert devices[0] == devices[1] == device_of(terminal)
    assert devices[2] != devices[0]


def test_there_is_no_terminal_without_a_controlling_one() -> None:  # matrix 70
    code = "from gds_exec.terminal import Terminal; print(Terminal.open())"

    done = subprocess.run(
        [sys.executable, "-c", code], start_new_session=True, capture_output=True, timeout=30, check=True
    )

    assert done.stdout == b"None\n"


def test_a_terminal_that_is_not_ours_is_not_in_our_foreground() -> None:
    master, slave = os.openpty()
    terminal = Terminal.open(os.ttyname(slave))
    assert terminal is not None

    assert not terminal.is_foreground()

    terminal.close()
    os.close(slave)
    os.close(master)


def test_ctrl_z_raises_only_while_it_is_wanted() -> None:
    before = signal.getsignal(signal.SIGTSTP)

    with pytest.raises(Suspended), raising_suspended():
        signal.raise_signal(signal.SIGTSTP)

    assert signal.getsignal(signal.SIGTSTP) == before


@pytest.fixture
def line() -> Iterator[tuple[int, Terminal]]:
    """The keyboard of a terminal that is nobody's, and the terminal."""
    keyboard, slave = os.openpty()
    terminal = Terminal.open(os.ttyname(slave))
    assert terminal is not None
    yield keyboard, terminal
    terminal.close()
    os.close(slave)
    os.close(keyboard)


@pytest.mark.parametrize(
    ("without", "is_taking_lines"),
    [(0, True), (termios.ECHO, True), (termios.ICANON, False), (termios.ISIG, False)],
    ids=["as usual", "a password", "raw", "without signals"],
)
def test_a_terminal_takes_lines_unless_a_program_wants_every_key(
    without: int, is_taking_lines: bool, line: tuple[int, Terminal]
) -> None:
    _, terminal = line
    mode = termios.tcgetattr(terminal.fileno())
    mode[3] &= ~without
    termios.tcsetattr(terminal.fileno(), termios.TCSANOW, mode)

    assert terminal.is_taking_lines() == is_taking_lines


def test_what_can_be_read_now_are_the_finished_lines(line: tuple[int, Terminal]) -> None:
    keyboard, terminal = line

    os.write(keyboard, b"one\ntwo\nthr")

    assert terminal.read_now() == b"one\ntwo\n"
    assert terminal.read_now() == b""


def test_another_preparation_stands_round_the_question() -> None:
    code = """
from contextlib import contextmanager
from gds_exec.terminal import Terminal
@contextmanager
def prepared(terminal):
    terminal.say("before")
    yield
    terminal.say("after")
print("answer", Terminal.open(preparation=prepared).ask("MFA code: "))
"""
    terminal = at_a_terminal(code)
    terminal.expect_exact("before\r\nMFA code: ")

    terminal.sendline("123456")

    terminal.expect_exact("123456\r\nafter\r\nanswer 123456")
