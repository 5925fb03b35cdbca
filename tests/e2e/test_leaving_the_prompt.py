"""Every way to leave the question for a code: killed, stopped, sent away. Nothing stays behind."""

import fcntl
import os
import re
import shutil
import signal
import time

import pexpect
import psutil
import pytest

from tests.aws.faults import Fault

from .console import console
from .expectations import assert_speaks_as_ours
from .observations import codes_sent
from .patience import await_state, eventually
from .world import PROMPT, SHOW_KEY, World, finish

KEY = re.compile(r"ASIA[A-Z0-9]{16}")
SHELL_PROMPT = "READY>"
READONLY = "gds-exec readonly -- sh -c 'echo $AWS_ACCESS_KEY_ID'"


def assert_nothing_is_left(world: World) -> None:
    """No code was sent, no half file stays, and every lock is free."""
    assert codes_sent(world.aws) == 0
    assert list(world.cache.glob("*.tmp")) == []
    locks = list(world.cache.glob("*.lock"))
    assert locks
    for lock in locks:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def assert_called(world: World, action: str) -> None:
    assert world.aws.count(action)


@pytest.mark.matrix(5)
@pytest.mark.parametrize(
    ("key", "number"),
    [
        pytest.param("\x03", signal.SIGINT, id="Ctrl-C"),
        pytest.param("\x1c", signal.SIGQUIT, id="Ctrl-backslash"),
        pytest.param(None, signal.SIGINT, id="SIGINT"),
        pytest.param(None, signal.SIGTERM, id="SIGTERM"),
        pytest.param(None, signal.SIGHUP, id="SIGHUP"),
    ],
)
def test_a_signal_at_the_prompt_kills_and_leaves_nothing_behind(
    world: World, key: str | None, number: signal.Signals
) -> None:
    world.add_role("readonly")
    with console(world, "readonly", "--", "echo", "never") as terminal:
        before = terminal.modes()
        terminal.keyboard.expect(PROMPT)
        assert terminal.modes() != before
        if key is None:
            os.kill(terminal.process.pid, number)
        else:
            terminal.keyboard.send(key)

        assert terminal.process.wait(20) == -number
        assert terminal.modes() == before
    assert_nothing_is_left(world)


@pytest.mark.matrix(5)
def test_a_terminal_that_is_closed_takes_the_question_with_it(world: World) -> None:
    world.add_role("readonly")
    terminal = world.terminal("readonly", "--", "true")
    terminal.expect(PROMPT)
    terminal.close()

    assert terminal.signalstatus == signal.SIGHUP
    assert_nothing_is_left(world)


@pytest.mark.matrix(5)
def test_ctrl_c_while_aws_is_slow_kills_by_sigint(world: World) -> None:
    world.add_role("readonly", mfa=False)
    world.aws.fail("AssumeRole", Fault("slow", delay=20))
    terminal = world.terminal("readonly", "--", "true")
    eventually(lambda: assert_called(world, "AssumeRole"))
    terminal.sendcontrol("c")
    said = finish(terminal)

    assert terminal.signalstatus == signal.SIGINT
    assert said.strip() == "^C"
    assert_nothing_is_left(world)


@pytest.mark.matrix(6)
@pytest.mark.parametrize("key", ["c", "d", "\\"])
def test_when_the_question_is_left_the_next_terminal_is_asked_at_once(world: World, key: str) -> None:
    world.add_role("readonly")
    holder = world.terminal("readonly", "--", *SHOW_KEY)
    holder.expect(PROMPT)
    waiter = world.terminal("readonly", "--", *SHOW_KEY)
    waiter.expect(r"waiting for another gds-exec")
    left_at = time.monotonic()
    holder.sendcontrol(key)
    waiter.expect(PROMPT)

    assert time.monotonic() - left_at < 1
    waiter.sendline(world.code())
    assert KEY.search(finish(waiter))
    assert waiter.exitstatus == 0
    holder.close(force=True)


@pytest.mark.matrix(6)
def test_ctrl_c_ends_the_waiting_too(world: World) -> None:
    world.add_role("readonly")
    holder = world.terminal("readonly", "--", *SHOW_KEY)
    holder.expect(PROMPT)
    waiter = world.terminal("readonly", "--", *SHOW_KEY)
    waiter.expect(r"waiting for another gds-exec")
    waiter.sendcontrol("c")
    finish(waiter)

    assert waiter.signalstatus == signal.SIGINT
    holder.sendline(world.code())
    assert KEY.search(finish(holder))


def interactive_shell(world: World) -> pexpect.spawn:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    shell = world.terminal_program(bash, "--norc", "--noprofile", "-i", environ={"PS1": SHELL_PROMPT})
    shell.expect(SHELL_PROMPT)
    return shell


def status_of(shell: pexpect.spawn) -> int:
    shell.sendline("echo status=$?.")
    shell.expect(r"status=(\d+)\.")
    status = int(shell.match.group(1))
    shell.expect(SHELL_PROMPT)
    return status


@pytest.mark.matrix(7)
def test_ctrl_z_at_the_prompt_lets_another_terminal_ask_and_fg_uses_its_session(world: World) -> None:
    world.add_role("readonly")
    shell = interactive_shell(world)
    shell.sendline(READONLY)
    shell.expect(PROMPT)
    shell.sendcontrol("z")
    shell.expect("Stopped")
    shell.expect(SHELL_PROMPT)
    other = world.terminal("readonly", "--", *SHOW_KEY)
    started = time.monotonic()
    other.expect(PROMPT)
    assert "gds-exec: " not in other.before
    assert time.monotonic() - started < 5
    other.sendline(world.code())
    key = KEY.search(finish(other))
    assert key is not None

    shell.sendline("fg")
    shell.expect(key.group())
    assert PROMPT not in shell.before
    shell.expect(SHELL_PROMPT)
    assert status_of(shell) == 0
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(7)
def test_after_ctrl_z_and_fg_the_code_is_asked_anew_and_the_shell_keeps_its_terminal(world: World) -> None:
    world.add_role("readonly")
    shell = interactive_shell(world)
    for _ in range(2):
        shell.sendline("fg" if _ else READONLY)
        shell.expect(PROMPT)
        shell.send("123")
        shell.sendcontrol("z")
        shell.expect("Stopped")
        shell.expect(SHELL_PROMPT)
    shell.sendline("fg")
    shell.expect(PROMPT)
    shell.sendline(world.code())
    shell.expect(KEY)
    shell.expect(SHELL_PROMPT)

    assert status_of(shell) == 0
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(7)
def test_a_question_sent_to_the_background_is_an_error_there(world: World) -> None:
    world.add_role("readonly")
    shell = interactive_shell(world)
    shell.sendline(READONLY)
    shell.expect(PROMPT)
    shell.sendcontrol("z")
    shell.expect("Stopped")
    shell.sendline("bg")
    shell.expect(r"\[nobody-to-ask\]")
    shell.expect("hint: ")
    shell.sendline("wait %1")
    shell.expect(SHELL_PROMPT)
    assert_nothing_is_left(world)


@pytest.mark.matrix(7)
def test_a_waiter_that_is_stopped_by_ctrl_z_uses_the_session_after_fg(world: World) -> None:
    world.add_role("readonly")
    holder = world.terminal("readonly", "--", *SHOW_KEY)
    holder.expect(PROMPT)
    shell = interactive_shell(world)
    shell.sendline(READONLY)
    shell.expect("waiting for another gds-exec")
    shell.sendcontrol("z")
    shell.expect("Stopped")
    holder.sendline(world.code())
    key = KEY.search(finish(holder))
    assert key is not None
    shell.sendline("fg")
    shell.expect(key.group())

    assert PROMPT not in shell.before
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(10)
def test_a_background_job_that_needs_a_code_says_so_and_blocks_nobody(world: World) -> None:
    world.add_role("readonly")
    shell = interactive_shell(world)
    shell.sendline(f"{READONLY} & wait $!")
    shell.expect(r"(gds-exec: [^\r\n]*background job \[nobody-to-ask\])\r\n(hint: [^\r\n]*)")
    assert_speaks_as_ours("\n".join(shell.match.groups()), world.device.serial)
    assert status_of(shell) == 124

    shell.sendline(READONLY)
    shell.expect(PROMPT)
    shell.sendline(world.code())
    shell.expect(KEY)
    shell.sendline(f"{READONLY} & wait $!")
    shell.expect(KEY)


def key_made_elsewhere(world: World) -> str:
    """Have another terminal ask for the code, and get the session."""
    other = world.terminal("readonly", "--", *SHOW_KEY)
    other.expect(PROMPT)
    other.sendline(world.code())
    key = KEY.search(finish(other))
    assert key is not None
    return key.group()


@pytest.mark.matrix(7)
@pytest.mark.parametrize("stop", [signal.SIGSTOP, signal.SIGTSTP], ids=["SIGSTOP", "SIGTSTP"])
def test_a_question_that_was_stopped_from_elsewhere_uses_the_session_made_meanwhile(
    stop: signal.Signals, world: World
) -> None:
    world.add_role("readonly")
    shell = interactive_shell(world)
    shell.sendline(READONLY)
    shell.expect(PROMPT)
    (asking,) = psutil.Process(shell.pid).children()
    os.kill(asking.pid, stop)
    shell.expect("Stopped")
    shell.expect(SHELL_PROMPT)
    key = key_made_elsewhere(world)

    shell.sendline("fg")
    shell.expect(key)
    assert PROMPT not in shell.before
    shell.expect(SHELL_PROMPT)
    assert status_of(shell) == 0
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(7)
@pytest.mark.parametrize(
    "arguments", [("readonly", "--", *SHOW_KEY), ("credential-process", "readonly")], ids=["run", "document"]
)
def test_a_question_that_goes_on_without_a_shell_uses_the_session_made_meanwhile(
    arguments: tuple[str, ...], world: World
) -> None:
    world.add_role("readonly")
    terminal = world.terminal(*arguments)
    terminal.expect(PROMPT)
    os.kill(terminal.pid, signal.SIGSTOP)
    await_state(terminal.pid, psutil.STATUS_STOPPED)
    key = key_made_elsewhere(world)
    os.kill(terminal.pid, signal.SIGCONT)
    said = finish(terminal)

    assert key in said
    assert PROMPT not in said
    assert codes_sent(world.aws) == 1


@pytest.mark.parametrize(
    ("options", "slug"),
    [(("--timeout", "1s"), "out-of-time"), (("--wait", "1s"), "nobody-to-ask")],
    ids=["--timeout", "--wait"],
)
def test_an_error_at_the_prompt_has_a_line_of_its_own(
    options: tuple[str, ...], slug: str, world: World
) -> None:
    world.add_role("readonly")
    terminal = world.terminal("readonly", *options, "--", "true")
    terminal.expect(PROMPT)
    question, *said = finish(terminal).splitlines()

    assert question.endswith("): ")
    assert_speaks_as_ours("\n".join(said), f"[{slug}]")
    assert said[0].startswith("gds-exec: ")


def test_a_deadly_signal_ends_the_line_of_the_prompt(world: World) -> None:
    world.add_role("readonly")
    terminal = world.terminal("readonly", "--", "true")
    terminal.expect(PROMPT)
    os.kill(terminal.pid, signal.SIGTERM)

    assert finish(terminal).endswith("): \n")
