"""A code while the command runs: asked for on its terminal with the command paused, or told of."""

import os
import signal
from itertools import count

import pexpect
import psutil
import pytest

from .observations import codes_sent
from .patience import await_state, eventually
from .programs import program
from .refreshed import (
    DIRECT,
    HOUR,
    Served,
    assert_gone,
    assert_serves_another,
    await_nothing_left,
    command_of,
    leave,
    refreshing,
)
from .shells import BASH
from .test_refresh import Clock
from .world import GDS_EXEC, PROMPT, PYTHON, World, finish, needs

WRONG = "000000"
PAUSED = r"gds-exec: python\S* is paused, for its session ends soon\r\n"
GOES_ON = r"gds-exec: python\S* goes on\r\n"
REMEDY = "an MFA code is needed: gds-exec renew prod, in another terminal"
READS_A_LINE = """
import os, signal, sys
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"interrupted\\n"))  # print fails inside another print
print("begun", flush=True)
print(f"read-{sys.stdin.readline().strip()}-", flush=True)
"""
WANTS_EVERY_KEY = """
import sys, tty
tty.setraw(0)
print("begun", flush=True)
while (key := sys.stdin.read(1)) != "q":
    print(f"key-{key}-", flush=True)
"""


@pytest.fixture
def direct(world: World) -> World:
    """A world in which `prod` was opened for two hours, and only a code gives it another session."""
    world.add_role("prod", max_session=2 * HOUR)
    world.sign_in("prod", *DIRECT)
    return world


@pytest.fixture
def ending(direct: World) -> World:
    """A world in which the session of `prod` ends so soon that a person is asked."""
    leave(direct, seconds=200)
    return direct


class Desk:
    """A command at a terminal, refreshed with a session that ends soon."""

    def __init__(self, world: World, script: str = READS_A_LINE, *, typed: str = "") -> None:
        self.world = world
        argv = refreshing(PYTHON, str(program(world.home / "command", script)), options=DIRECT)
        self.terminal = world.terminal(*argv)
        self.terminal.send(typed)
        self.terminal.expect("begun")
        self.served = Served(command_of(self.terminal.pid))
        self.old = self.served.fetch().key_id

    def await_question(self) -> None:
        """Return when a code is asked for, and the command stands still."""
        self.terminal.expect(f"{PAUSED}{PROMPT}")
        await_state(self.served.command.pid, "stopped")

    def answer(self) -> None:
        """Give a code, and see the command go on with a new session."""
        self.terminal.sendline(self.world.code())
        self.terminal.expect(GOES_ON)
        eventually(lambda: assert_serves_another(self.served, self.old))

    def asker(self) -> psutil.Process:
        """The process that asks."""
        return process_of("refresh-worker", parent=self.served.refresher.pid)

    def finish(self, line: str = "own") -> str:
        """Type a line for the command, and return all that stood on the terminal since."""
        self.terminal.sendline(line)
        said = finish(self.terminal)
        assert self.terminal.exitstatus == 0, said
        return said


def process_of(word: str, *, parent: int) -> psutil.Process:
    """Return the child of `parent` whose command line has this word: a module or a subcommand of ours."""
    return next(child for child in psutil.Process(parent).children() if word in child.cmdline())


# Asked


@pytest.mark.matrix(105)
def test_the_command_is_paused_for_a_code_and_goes_on_with_a_new_session(ending: World) -> None:
    desk = Desk(ending)
    desk.await_question()

    assert [desk.served.fetch().key_id for _ in range(5)] == [desk.old] * 5
    desk.answer()

    said = desk.finish()
    assert "read-own-" in said
    assert PROMPT not in said
    assert codes_sent(ending.aws) == 2
    assert ending.aws.count("AssumeRole") == 2


def test_the_new_session_is_everybodys(ending: World) -> None:
    desk = Desk(ending)
    desk.await_question()
    desk.answer()
    new = desk.served.fetch().key_id

    other = ending.run("prod", *DIRECT, "--", "printenv", "AWS_ACCESS_KEY_ID")
    assert other.stdout.decode().strip() == new
    desk.finish()


def test_a_wrong_code_is_said_and_asked_for_again(ending: World) -> None:
    desk = Desk(ending)
    desk.await_question()
    desk.terminal.sendline(WRONG)
    desk.await_question()
    assert "MFA code has been used already: wait for the next one" in desk.terminal.before
    desk.answer()

    assert "read-own-" in desk.finish()


@pytest.mark.parametrize("line", ["", "first\n"], ids=["half a line", "a line and a half"])
def test_what_was_typed_for_the_command_is_kept_for_it(line: str, ending: World) -> None:
    desk = Desk(ending, READS_A_LINE * len(f"{line}half".split()), typed=f"{line}half")
    desk.await_question()
    desk.answer()

    if desk.terminal.expect(["half", "type again what was typed before: "]) == 1:  # Linux may forbid more
        desk.terminal.send("half")
    assert "read-half-and-more-" in desk.finish("-and-more")


def test_ctrl_c_after_the_question_is_the_commands_again(ending: World) -> None:
    desk = Desk(ending)
    desk.await_question()
    desk.answer()
    desk.terminal.sendintr()

    desk.terminal.expect_exact("interrupted")
    assert "read-own-" in desk.finish()


def test_whoever_reads_from_the_command_is_paused_with_it(ending: World) -> None:
    shell = BASH.open(ending)
    command = program(ending.home / "command", READS_A_LINE)
    reader = program(ending.home / "reader", "import os; print(f'reader-{os.getpid()}-'); open(0).read()")
    argv = " ".join(refreshing(PYTHON, str(command), options=DIRECT))
    shell.sendline(f"{GDS_EXEC} {argv} | {PYTHON} -u {reader}")
    shell.expect(r"reader-(\d+)-")
    pid = int(shell.match.group(1))
    shell.expect_exact(PROMPT)
    await_state(pid, "stopped")
    shell.sendline(ending.code())
    shell.expect(GOES_ON)
    await_state(pid, "sleeping")
    shell.sendline("own")
    shell.sendline("echo status-${PIPESTATUS[*]}-")
    shell.expect_exact("status-0 0-")


# Not answered


@pytest.mark.parametrize("key", ["\x03", "\x04", "\x1a", "\n"], ids=["Ctrl-C", "Ctrl-D", "Ctrl-Z", "Enter"])
def test_who_declines_is_left_alone_and_the_command_goes_on_unharmed(key: str, ending: World) -> None:
    desk = Desk(ending)
    desk.await_question()
    desk.terminal.send(key)
    desk.terminal.expect(GOES_ON)
    desk.terminal.expect_exact("gds-exec renew prod, in another terminal")
    await_state(desk.served.command.pid, "sleeping")

    assert desk.served.fetch().key_id == desk.old
    said = desk.finish()
    assert "read-own-" in said
    assert "interrupted" not in said
    assert PROMPT not in said
    assert codes_sent(ending.aws) == 1


@needs("faketime")
def test_who_does_not_answer_within_a_minute_has_the_command_go_on(ending: World) -> None:
    clock = Clock(ending)
    ending.environ |= clock.environ | {"DONT_FAKE_MONOTONIC": "0"}
    leave(ending, seconds=299)
    desk = Desk(ending)
    desk.await_question()
    minutes = count(1)

    def goes_on() -> None:  # the minute may begin a moment after the question stands there
        clock.jump(61 * next(minutes))
        assert desk.terminal.expect([GOES_ON, pexpect.TIMEOUT], timeout=3) == 0

    eventually(goes_on)
    desk.terminal.expect_exact(
        "nobody gave an MFA code within 60 s: gds-exec renew prod, in another terminal"
    )
    assert desk.served.fetch().key_id == desk.old
    assert "read-own-" in desk.finish()


def test_three_wrong_codes_are_enough_for_a_while(ending: World) -> None:
    desk = Desk(ending)
    for wrong in (WRONG, "111111", "222222"):
        desk.await_question()
        desk.terminal.sendline(wrong)
    desk.terminal.expect_exact("gds-exec renew prod, in another terminal")

    assert desk.served.fetch().key_id == desk.old
    assert "read-own-" in desk.finish()


# Not asked


@pytest.mark.matrix(105)
def test_a_background_job_is_told_once_and_finds_what_another_terminal_renews(ending: World) -> None:
    shell = BASH.open(ending)
    argv = " ".join(refreshing("sh", "-c", options=DIRECT))
    shell.sendline(f"{GDS_EXEC} {argv} 'echo pid-$$-; exec sleep 60' &")
    shell.expect(r"pid-(\d+)-")
    served = Served(psutil.Process(int(shell.match.group(1))))
    old = served.fetch().key_id
    shell.expect_exact(f"gds-exec: the session of prod ends in 3 min: {REMEDY}")

    renew_elsewhere(ending)

    eventually(lambda: assert_serves_another(served, old))
    shell.sendline("kill %1; wait; echo ov''er")
    shell.expect_exact("over")
    assert PROMPT not in shell.before
    assert "an MFA code" not in shell.before


def renew_elsewhere(world: World) -> None:
    """Open the session anew on another terminal."""
    other = world.terminal("prod", *DIRECT, "--new-session", "--", "true")
    other.expect_exact(PROMPT)
    other.sendline(world.code())
    finish(other)
    assert other.exitstatus == 0


@pytest.mark.matrix(105)
def test_a_program_that_wants_every_key_keeps_them_and_the_person_is_told(ending: World) -> None:
    desk = Desk(ending, WANTS_EVERY_KEY)
    desk.terminal.expect_exact(REMEDY)
    desk.terminal.send("1")
    desk.terminal.expect_exact("key-1-")

    renew_elsewhere(ending)

    eventually(lambda: assert_serves_another(desk.served, desk.old))
    desk.terminal.send("q")
    assert PROMPT not in finish(desk.terminal)
    assert desk.terminal.exitstatus == 0


# Ended at the question


def test_when_who_asks_is_killed_the_command_goes_on_with_its_terminal_as_it_was(ending: World) -> None:
    desk = Desk(ending)
    desk.await_question()
    desk.asker().kill()
    desk.terminal.expect_exact("gds-exec renew prod, in another terminal")
    await_state(desk.served.command.pid, "sleeping")
    desk.terminal.sendintr()

    desk.terminal.expect_exact("interrupted")
    assert "read-own-" in desk.finish()


def test_a_command_that_is_killed_at_the_question_leaves_the_terminal_as_it_was(ending: World) -> None:
    shell = BASH.open(ending)
    argv = " ".join(refreshing("sh", "-c", options=DIRECT))
    shell.sendline(f"stty -a >before; {GDS_EXEC} {argv} 'echo pid-$$-; exec sleep 60'")
    shell.expect(r"pid-(\d+)-")
    command = psutil.Process(int(shell.match.group(1)))
    shell.expect_exact(PROMPT)
    await_state(command.pid, "stopped")
    command.kill()
    shell.expect_exact("Killed")
    shell.sendline("stty -a >after; echo ov''er")

    shell.expect_exact("over")
    assert (ending.home / "after").read_text() == (ending.home / "before").read_text()


def test_killed_at_the_question_we_take_all_with_us(ending: World) -> None:
    desk = Desk(ending)
    desk.await_question()
    about = [*desk.served.own, desk.asker(), desk.served.command]
    desk.served.refresher.kill()

    await_nothing_left(desk.served, about)


def test_killed_at_the_question_in_a_pipeline_we_leave_nobody_who_asks(ending: World) -> None:
    shell = BASH.open(ending)
    argv = " ".join(refreshing("cat", options=DIRECT))
    shell.sendline(f"cat | {GDS_EXEC} {argv}")
    shell.expect_exact(PROMPT)
    refresher = process_of("gds_exec.refresher", parent=shell.pid)
    asker = process_of("refresh-worker", parent=refresher.pid)

    refresher.kill()

    eventually(lambda: assert_gone([asker]))


def test_a_terminal_that_is_closed_at_the_question_takes_all_with_it(ending: World) -> None:
    desk = Desk(ending)
    desk.await_question()
    about = [*desk.served.own, desk.asker(), desk.served.command]
    desk.terminal.close()

    await_nothing_left(desk.served, about)


@pytest.mark.matrix(86)
def test_a_signal_that_is_sent_to_us_at_the_question_ends_the_command(ending: World) -> None:
    desk = Desk(ending)
    desk.await_question()
    about = [*desk.served.own, desk.asker(), desk.served.command]
    os.kill(desk.terminal.pid, signal.SIGTERM)

    desk.terminal.expect(pexpect.EOF, timeout=20)
    desk.terminal.close()
    assert desk.terminal.signalstatus == signal.SIGTERM
    await_nothing_left(desk.served, about)
