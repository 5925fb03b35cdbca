"""Many gds-exec at once: one prompt, one call, and nobody waits for what cannot come."""

import os
import re
import signal
import time

import pexpect
import pytest

from .expectations import assert_ours
from .observations import codes_sent
from .patience import await_state, eventually, first_to_ask
from .world import GDS_EXEC, PROMPT, SHOW_KEY, World, finish

KEY = re.compile(r"ASIA[A-Z0-9]{16}")
TOLD = "waiting for another gds-exec"
MFA_PROCESS = """
import sys, time
print("asked", file=open(sys.argv[1], "a"))
time.sleep(0.5)
print(open(sys.argv[2]).read())
"""


def together(*commands: str) -> tuple[str, ...]:
    """The command that starts all of these at once, in one terminal's foreground, and waits."""
    return ("sh", "-c", " ".join(f"{command} &" for command in commands) + " wait")


def as_role(role: str, *options: str) -> str:
    return " ".join([GDS_EXEC, role, *options, "--", "sh -c 'echo $AWS_ACCESS_KEY_ID'"])


@pytest.mark.matrix(1)
def test_many_starting_together_ask_once_and_share_the_session(world: World) -> None:
    world.add_role("readonly")
    terminal = world.terminal_program(*together(*[as_role("readonly")] * 6))
    terminal.expect(PROMPT)
    time_of_prompt = time.monotonic()
    eventually(lambda: _assert_waited(time_of_prompt, 1.3))  # longer than others wait in silence
    terminal.sendline(world.code())
    said = finish(terminal)

    assert PROMPT not in said
    assert TOLD not in said, "the prompt is there to see"
    keys = KEY.findall(said)
    assert len(keys) == 6
    assert len(set(keys)) == 1
    assert world.aws.count("AssumeRole") == 1
    assert world.aws.count("GetSessionToken") == 1


def _assert_waited(since: float, seconds: float) -> None:
    assert time.monotonic() - since > seconds


@pytest.mark.matrix(2)
def test_one_code_opens_many_roles_that_start_together(world: World) -> None:
    names = [f"team{number}" for number in range(6)]
    for name in names:
        world.add_role(name)
    terminal = world.terminal_program(*together(*map(as_role, names)))
    terminal.expect(PROMPT)
    terminal.sendline(world.code())
    said = finish(terminal)

    assert PROMPT not in said
    assert len(set(KEY.findall(said))) == 6
    assert world.aws.count("GetSessionToken") == 1
    assert world.aws.count("AssumeRole") == 6


def test_two_terminals_ask_once_and_only_the_other_one_is_told_who_is_asked(world: World) -> None:
    world.add_role("readonly")
    terminals = [world.terminal_program(*together(*[as_role("readonly")] * 3)) for _ in range(2)]
    asking = first_to_ask(terminals)
    other = next(terminal for terminal in terminals if terminal is not asking)
    other.expect(r"waiting for another gds-exec \(pid (\d+)\)")
    holder = int(other.match.group(1))
    assert os.getsid(holder) == asking.pid

    asking.sendline(world.code())
    said, said_elsewhere = finish(asking), finish(other)

    assert PROMPT not in said + said_elsewhere
    assert TOLD not in said
    keys = KEY.findall(said + said_elsewhere)
    assert len(keys) == 6
    assert len(set(keys)) == 1
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(3)
def test_when_the_asking_process_is_killed_the_next_one_asks_at_once(world: World) -> None:
    world.add_role("readonly")
    holder = world.terminal("readonly", "--", *SHOW_KEY)
    holder.expect(PROMPT)
    waiter = world.terminal("readonly", "--", *SHOW_KEY)
    waiter.expect(TOLD)
    killed_at = time.monotonic()
    os.kill(holder.pid, signal.SIGKILL)
    waiter.expect(PROMPT)

    assert time.monotonic() - killed_at < 1
    waiter.sendline(world.code())
    assert KEY.search(finish(waiter))
    assert waiter.exitstatus == 0


@pytest.mark.matrix(8)
def test_a_stopped_holder_does_not_block_the_rest(world: World) -> None:
    world.add_role("readonly")
    holder = world.terminal("readonly", "--", *SHOW_KEY)
    holder.expect(PROMPT)
    os.kill(holder.pid, signal.SIGSTOP)
    await_state(holder.pid, "stopped")
    other = world.terminal("readonly", "--", *SHOW_KEY)
    other.expect(rf"gds-exec \(pid {holder.pid}\) is stopped")
    other.expect(PROMPT, timeout=5)
    other.sendline(world.code())
    key = KEY.search(finish(other))

    assert key is not None
    assert other.exitstatus == 0
    os.kill(holder.pid, signal.SIGCONT)
    holder.sendline(world.code())
    finish(holder)
    assert holder.exitstatus == 0


@pytest.mark.matrix(8)
def test_those_who_pass_a_stopped_holder_still_ask_one_at_a_time(world: World) -> None:
    world.add_role("readonly")
    holder = world.terminal("readonly", "--", *SHOW_KEY)
    holder.expect(PROMPT)
    os.kill(holder.pid, signal.SIGSTOP)
    await_state(holder.pid, "stopped")
    terminal = world.terminal_program(*together(*[as_role("readonly")] * 3))
    terminal.expect(PROMPT)
    asked_at = time.monotonic()
    eventually(lambda: _assert_waited(asked_at, 2.5))
    terminal.sendline(world.code())
    said = finish(terminal)
    os.kill(holder.pid, signal.SIGKILL)

    assert PROMPT not in said
    assert len(KEY.findall(said)) == 3
    assert len(set(KEY.findall(said))) == 1
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(8)
def test_a_waiter_that_was_stopped_meanwhile_uses_the_session_when_it_goes_on(world: World) -> None:
    world.add_role("readonly")
    holder = world.terminal("readonly", "--", *SHOW_KEY)
    holder.expect(PROMPT)
    waiter = world.terminal("readonly", "--wait", "2s", "--", *SHOW_KEY)
    waiter.expect(TOLD)
    os.kill(waiter.pid, signal.SIGSTOP)
    await_state(waiter.pid, "stopped")
    stopped_at = time.monotonic()
    eventually(lambda: _assert_waited(stopped_at, 2))  # its patience runs out meanwhile
    holder.sendline(world.code())
    key = KEY.search(finish(holder))
    os.kill(waiter.pid, signal.SIGCONT)
    said = finish(waiter)

    assert waiter.exitstatus == 0, said
    assert key is not None
    assert key.group() in said
    assert PROMPT not in said


@pytest.mark.matrix(9)
def test_waiting_for_another_ends_after_the_time_given_and_names_it(world: World) -> None:
    world.add_role("readonly")
    holder = world.terminal("readonly", "--", *SHOW_KEY)
    holder.expect(PROMPT)
    waiter = world.terminal("readonly", "--", *SHOW_KEY, environ={"GDS_EXEC_WAIT": "2s"})
    said = finish(waiter)

    assert waiter.exitstatus == 125
    assert f"pid {holder.pid}) has been busy" in said
    assert "[lock-timeout]" in said
    assert "hint: " in said
    holder.sendline(world.code())
    finish(holder)
    assert holder.exitstatus == 0


@pytest.mark.matrix(9)
def test_a_question_ends_after_the_time_given(world: World) -> None:
    world.add_role("readonly")
    terminal = world.terminal("readonly", "--wait", "1s", "--", "true")
    terminal.expect(PROMPT)
    said = finish(terminal)

    assert terminal.exitstatus == 124
    assert "[nobody-to-ask]" in said
    assert codes_sent(world.aws) == 0


@pytest.mark.parametrize("options", [(), ("--no-input",)], ids=["no terminal", "no input"])
def test_who_could_not_ask_does_not_wait_for_one_who_can(world: World, options: tuple[str, ...]) -> None:
    world.add_role("readonly")
    holder = world.terminal("readonly", "--", "true")
    holder.expect(PROMPT)
    started = time.monotonic()
    result = world.run("readonly", *options, "--", "true")

    assert_ours(result, 124, "[nobody-to-ask]", "readonly", world.device.serial)
    assert time.monotonic() - started < 5
    holder.sendcontrol("c")
    finish(holder)


def test_a_code_that_is_computed_waits_for_the_one_being_asked_and_is_not_spent(world: World) -> None:
    log, codes = world.home / "asked", world.home / "code"
    codes.write_text(world.code())
    script = world.home / "device.py"
    script.write_text(MFA_PROCESS)
    world.add_role("readonly")
    world.add_role("computed", settings=f"mfa_process = python3 {script} {log} {codes}")
    holder = world.terminal("readonly", "--", *SHOW_KEY)
    holder.expect(PROMPT)
    waiter = world.terminal("computed", "--", *SHOW_KEY)
    waiter.expect(TOLD)
    holder.sendline(world.code())
    finish(holder)

    assert KEY.search(finish(waiter))
    assert not log.exists()
    assert codes_sent(world.aws) == 1


def test_processes_that_compute_their_code_compute_it_once(world: World) -> None:
    log, codes = world.home / "asked", world.home / "code"
    codes.write_text(world.code())
    script = world.home / "device.py"
    script.write_text(MFA_PROCESS)
    world.add_role("computed", settings=f"mfa_process = python3 {script} {log} {codes}")
    result = world.run_program(*together(*[as_role("computed")] * 4))

    assert result.returncode == 0
    keys = KEY.findall(result.stdout.decode())
    assert len(keys) == 4, result.stderr
    assert len(set(keys)) == 1
    assert log.read_text() == "asked\n"


def test_two_long_roles_of_one_device_ask_one_after_the_other(world: World) -> None:
    for name in ("deploy", "support"):
        world.add_role(name, max_session=43200)
    terminal = world.terminal_program(
        *together(*(as_role(name, "-art", "8h") for name in ("deploy", "support")))
    )
    terminal.expect(r"MFA code for (deploy|support) \(")
    first = terminal.match.group(1)
    second = {"deploy": "support", "support": "deploy"}[first]
    with pytest.raises(pexpect.TIMEOUT):
        terminal.expect(PROMPT, timeout=1.5)
    code = world.code()
    terminal.sendline(code)
    terminal.expect(rf"MFA code for {second} \(")
    terminal.sendline(code)
    terminal.expect(r"that MFA code has been used already: wait for the next one \(\d+ s\)")
    terminal.expect(rf"MFA code for {second} \(")
    terminal.sendline(world.code())
    finish(terminal)

    assert [call.status for call in world.aws.calls if call.action == "AssumeRole"] == [200, 403, 200]
    for name in (first, second):
        assert world.run(name, "--duration", "8h", "--", "true").returncode == 0
