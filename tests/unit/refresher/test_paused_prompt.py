"""Run at real terminals: a refresher, its command that reads lines there, and who asks between them."""

import os
import shlex
import signal
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from gds_exec.refresher.paused_prompt import can_ask
from gds_exec.terminal import Terminal

# Like terraform at its approval prompt; but it begins to read when the file READ is there.
READER = """
import os, sys, time
print("enter a value:", flush=True)
while not os.path.exists(os.environ["READ"]):
    time.sleep(0.01)
for line in sys.stdin:
    print("reader got", ascii(line), flush=True)
"""
ASKER = """
import os, sys, time
print("asker", os.getpid(), file=sys.stderr, flush=True)
from functools import partial
from gds_exec.child.pausing import pausing
from gds_exec.refresher.paused_prompt import Busy, PausedPrompt
from gds_exec.terminal import NotForeground, Terminal

def announce(pids):
    if "STOP" in os.environ:
        print("about to stop", file=sys.stderr, flush=True)
        while not os.path.exists(os.environ["STOP"]):
            time.sleep(0.01)

def forbidden(descriptor, key):
    raise OSError

paused_prompt = PausedPrompt(
    command="reader",
    reason="its session ends in 5 min",
    pausing=partial(pausing, int(sys.argv[1]), announce=announce),
    **({"push": forbidden} if "FORBIDDEN" in os.environ else {}),
)
terminal = Terminal.open(preparation=paused_prompt.around)
timeout = float(os.environ["TIMEOUT"]) if "TIMEOUT" in os.environ else None
try:
    print("answer", ascii(terminal.ask("MFA code: ", timeout_seconds=timeout)))
except (Busy, NotForeground, TimeoutError, KeyboardInterrupt) as error:
    print("raised", type(error).__name__)
"""
# Asks when the file ASK is there; and leaves what the terminal sends to the command, as a refresher does.
REFRESHER = f"""
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, lambda *_: None)
reader = subprocess.Popen([sys.executable, "-c", {READER!r}])
while not os.path.exists(os.environ["ASK"]):
    time.sleep(0.01)
argv = [sys.executable, "-c", {ASKER!r}, str(reader.pid)]
asker = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
said, _ = asker.communicate()
print("asked:", said.strip(), asker.returncode, flush=True)
print("reader ended", reader.wait(), flush=True)
"""
QUESTION = "\r\ngds-exec: reader is paused, its session ends in 5 min\r\nMFA code: "
GOES_ON = "gds-exec: reader goes on\r\n"


class Stage:
    """A terminal with a refresher and its command on it, which go on when told."""

    def __init__(self, directory: Path, *argv: str, **environ: str) -> None:
        self._directory = directory
        self.terminal = pexpect.spawn(
            argv[0] if argv else sys.executable,
            list(argv[1:] or ["-c", REFRESHER]),
            encoding="utf-8",
            timeout=20,
            env={**os.environ, **{name: str(directory / name) for name in ("ASK", "READ")}, **environ},  # type: ignore[arg-type]
        )

    def go(self, *names: str) -> None:
        for name in names:
            (self._directory / name).touch()

    def ask(self) -> int:
        """Have a question asked; return the pid of who asks."""
        self.go("ASK")
        self.terminal.expect(r"asker (\d+)\r\n")
        assert self.terminal.match is not None
        return int(self.terminal.match.group(1))

    def mode(self) -> list[object]:
        return termios.tcgetattr(self.terminal.child_fd)

    def change_flags(self, *, add: int = 0, remove: int = 0) -> None:
        mode = termios.tcgetattr(self.terminal.child_fd)
        mode[3] = mode[3] & ~remove | add
        termios.tcsetattr(self.terminal.child_fd, termios.TCSANOW, mode)


def a_command(directory: Path, **environ: str) -> Stage:
    stage = Stage(directory, **environ)
    stage.terminal.expect_exact("enter a value:\r\n")
    return stage


def a_reading_command(directory: Path, **environ: str) -> Stage:
    stage = a_command(directory, **environ)
    stage.go("READ")
    stage.terminal.sendline("first")
    stage.terminal.expect_exact("reader got 'first\\n'\r\n")
    return stage


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_the_answer_is_ours_and_the_next_line_is_the_commands(tmp_path: Path) -> None:
    stage = a_reading_command(tmp_path)
    stage.ask()
    stage.terminal.expect_exact(QUESTION)

    stage.terminal.sendline("123456")

    stage.terminal.expect_exact(f"123456\r\n{GOES_ON}")
    stage.terminal.expect_exact("asked: answer '123456' 0")
    stage.terminal.sendline("yes")
    stage.terminal.expect("reader got (.*?)\r\n")
    assert stage.terminal.match.group(1) == "'yes\\n'"


def test_the_line_that_is_typed_behind_the_answer_is_the_commands(tmp_path: Path) -> None:
    stage = a_reading_command(tmp_path)
    stage.ask()
    stage.terminal.expect_exact(QUESTION)

    stage.terminal.send("123456\ryes\r")

    stage.terminal.expect("reader got (.*?)\r\n")
    assert stage.terminal.match.group(1) == "'yes\\n'"


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        pytest.param("ye", "s\r", [r"got 'yes\n'"], id="half a line"),
        pytest.param("yes\r", "", [r"got 'yes\n'"], id="a line"),
        pytest.param("yes\rno", "ne\r", [r"got 'yes\n'", r"got 'none\n'"], id="a line and a half"),
        pytest.param("yes\r\x04", "", [r"got 'yes\n'", "ended 0"], id="the end of input"),
        pytest.param("né", "\r", [r"got 'n\xe9\n'"], id="not ASCII"),
    ],
)
def test_what_was_typed_before_is_the_commands(
    before: str, after: str, seen: list[str], tmp_path: Path
) -> None:
    stage = a_command(tmp_path)
    stage.terminal.send(before)
    stage.terminal.expect_exact(before.replace("\r", "\r\n").removesuffix("\x04"))
    stage.ask()
    stage.terminal.expect_exact(QUESTION)

    stage.terminal.send("123456\r")
    stage.terminal.expect_exact("asked: answer '123456' 0")
    stage.go("READ")
    stage.terminal.send(after)

    for what in seen:
        stage.terminal.expect_exact(f"reader {what}")


def test_what_cannot_be_given_back_is_shown(tmp_path: Path) -> None:
    stage = a_command(tmp_path, FORBIDDEN="")
    stage.terminal.send("ye")
    stage.terminal.expect_exact("ye")
    stage.ask()
    stage.terminal.expect_exact(QUESTION)

    stage.terminal.send("123456\r")

    stage.terminal.expect_exact(f"{GOES_ON}gds-exec: type again what was typed before: ye\r\n")


def test_what_was_typed_unseen_stays_unseen(tmp_path: Path) -> None:
    stage = a_command(tmp_path, FORBIDDEN="")
    stage.change_flags(remove=termios.ECHO)
    stage.terminal.send("password")
    stage.ask()
    stage.terminal.expect_exact(QUESTION)

    stage.terminal.send("123456\r")

    stage.terminal.expect_exact("gds-exec: what was typed before is lost, type it again\r\n")
    assert "password" not in stage.terminal.before


@pytest.mark.parametrize(
    "key", ["\x03", "\x04", "\x1a", "123\x03"], ids=["Ctrl-C", "Ctrl-D", "Ctrl-Z", "late"]
)
def test_who_declines_harms_nobody(key: str, tmp_path: Path) -> None:
    stage = a_reading_command(tmp_path)
    mode = stage.mode()
    stage.ask()
    stage.terminal.expect_exact(QUESTION)
    assert stage.mode() != mode

    stage.terminal.send(key)

    stage.terminal.expect_exact(f"\r\n{GOES_ON}")
    stage.terminal.expect_exact("asked: answer None 0")
    assert stage.mode() == mode
    stage.terminal.sendline("yes")
    stage.terminal.expect_exact("reader got 'yes\\n'")


def test_half_a_code_that_came_too_late_is_no_input_of_the_command(tmp_path: Path) -> None:
    stage = a_reading_command(tmp_path, TIMEOUT="1")
    mode = stage.mode()
    stage.ask()
    stage.terminal.expect_exact(QUESTION)

    stage.terminal.send("123")

    stage.terminal.expect_exact(f"\r\n{GOES_ON}")
    stage.terminal.expect_exact("asked: raised TimeoutError 0")
    assert stage.mode() == mode
    stage.terminal.sendline("yes")
    stage.terminal.expect_exact("reader got 'yes\\n'")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_deadly_signal_leaves_the_terminal_and_the_command_as_they_were(
    number: signal.Signals, tmp_path: Path
) -> None:
    stage = a_reading_command(tmp_path)
    mode = stage.mode()
    asker = stage.ask()
    stage.terminal.expect_exact(QUESTION)

    os.kill(asker, number)

    stage.terminal.expect_exact(f"asked:  -{number.value}")
    assert stage.mode() == mode
    stage.terminal.sendline("yes")
    stage.terminal.expect_exact("reader got 'yes\\n'")


def test_a_terminal_that_hangs_up_leaves_nobody_stopped(tmp_path: Path) -> None:
    out = tmp_path / "out"
    refresher = shlex.join([sys.executable, "-c", REFRESHER])
    stage = Stage(tmp_path, "sh", "-c", f"trap '' HUP; exec {refresher} > {out}")
    stage.go("READ", "ASK")
    stage.terminal.expect_exact(QUESTION)

    stage.terminal.ptyproc.fileobj.close()

    assert eventually(lambda: "asked: answer None 0\nreader ended 0\n" in out.read_text())
    stage.terminal.wait()
    stage.terminal.ptyproc.closed = stage.terminal.closed = True


def test_ctrl_c_just_before_the_question_is_the_commands(tmp_path: Path) -> None:
    stage = a_reading_command(tmp_path, STOP=str(tmp_path / "STOP"))
    stage.ask()
    stage.terminal.expect_exact("about to stop")

    stage.terminal.sendintr()
    stage.terminal.expect_exact("^C")
    stage.go("STOP")
    stage.terminal.expect_exact(QUESTION)
    stage.terminal.sendline("123456")

    stage.terminal.expect_exact("asked: answer '123456' 0")
    stage.terminal.expect_exact(f"reader ended -{signal.SIGINT.value}")


def test_a_program_before_us_in_the_pipeline_does_not_get_the_code(tmp_path: Path) -> None:
    refresher = shlex.join([sys.executable, "-c", REFRESHER])
    stage = Stage(tmp_path, "bash", "-c", f"cat | {refresher}")
    stage.terminal.expect_exact("enter a value:\r\n")
    stage.go("READ")
    stage.ask()
    stage.terminal.expect_exact(QUESTION)

    stage.terminal.sendline("123456")
    stage.terminal.expect_exact("asked: answer '123456' 0")
    stage.terminal.sendline("yes")

    stage.terminal.expect("reader got (.*?)\r\n")
    assert stage.terminal.match.group(1) == "'yes\\n'"


@pytest.mark.parametrize("flag", [termios.ICANON, termios.ISIG], ids=["raw", "without signals"])
def test_a_program_that_wants_every_key_is_not_disturbed(flag: int, tmp_path: Path) -> None:
    stage = a_command(tmp_path)
    stage.change_flags(remove=flag)
    mode = stage.mode()

    stage.ask()

    stage.terminal.expect_exact("asked: raised Busy 0")
    assert stage.mode() == mode
    assert "gds-exec" not in stage.terminal.before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_nobody_is_asked_while_somebody_else_could_read_the_code(tmp_path: Path) -> None:
    become_another = "\nimport psutil; os.setresuid(65534, 65534, 65534)\npaused_prompt ="
    refresher = REFRESHER.replace(repr(ASKER), repr(ASKER.replace("\npaused_prompt =", become_another)))
    stage = Stage(tmp_path, sys.executable, "-c", refresher)
    stage.terminal.expect_exact("enter a value:\r\n")
    mode = stage.mode()

    stage.ask()

    stage.terminal.expect_exact("asked: raised Busy 0")
    assert stage.mode() == mode


def test_a_background_job_does_not_ask(tmp_path: Path) -> None:
    path = tmp_path / "refresher.py"
    path.write_text(REFRESHER)
    stage = Stage(tmp_path, "bash", "--norc", "--noprofile", "-i")
    stage.terminal.sendline(f"{shlex.join([sys.executable, str(path)])} &")
    stage.terminal.expect_exact("enter a value:")

    stage.ask()

    stage.terminal.expect_exact("asked: raised NotForeground 0")


@pytest.mark.parametrize(
    ("remove", "answer"),
    [(0, "True"), (termios.ECHO, "True"), (termios.ICANON, "False"), (termios.ISIG, "False")],
    ids=["as usual", "a password", "raw", "without signals"],
)
def test_a_question_is_possible_where_lines_are_taken(remove: int, answer: str) -> None:
    code = (
        "import termios\nfrom gds_exec.refresher.paused_prompt import can_ask\n"
        "from gds_exec.terminal import Terminal\n"
        f"mode = termios.tcgetattr(0); mode[3] &= ~{remove}; termios.tcsetattr(0, termios.TCSANOW, mode)\n"
        "print('can ask', can_ask(Terminal.open()), flush=True)"
    )
    terminal = pexpect.spawn(sys.executable, ["-c", code], encoding="utf-8", timeout=20)

    terminal.expect_exact(f"can ask {answer}")


def test_no_question_is_possible_on_a_terminal_that_is_not_ours_or_has_gone() -> None:
    master, slave = os.openpty()
    terminal = Terminal.open(os.ttyname(slave))
    assert terminal is not None

    assert not can_ask(terminal)
    os.close(slave)
    os.close(master)
    assert not can_ask(terminal)

    terminal.close()
