"""Fifty at once, as `make -j50` starts them: one question, one call a role, and every way to leave it."""

import fcntl
import os
import re
import shlex
import signal
from collections.abc import Sequence

import pexpect
import pytest

from tests.aws.faults import Fault
from tests.processes import strace

from .crowd import Crowd, CrowdOnTerminal, showing_keys
from .observations import calls_of, codes_sent
from .patience import await_state, eventually, first_to_ask, insist
from .shells import BASH
from .world import GDS_EXEC, PROMPT, World, finish

FIFTY = 50
SOME = 12  # where more would show no more
TOLD = "waiting for another gds-exec"
LONGER_THAN_THE_SILENCE_SECONDS = 1.5  # of those who wait


@pytest.fixture
def readonly(world: World) -> World:
    """A world with one role that wants MFA, and nothing cached."""
    world.add_role("readonly")
    return world


def crowd(world: World, *roles: str, name: str = "crowd", options: Sequence[str] = ()) -> CrowdOnTerminal:
    return CrowdOnTerminal(world, name, showing_keys(*roles, options=options))


def question(world: World, role: str = "readonly") -> str:
    return f"{PROMPT}{role} ({world.device.serial}): "


def expect_question(terminal: pexpect.spawn, world: World) -> str:
    """Wait for the whole question, and return what stood before it."""
    terminal.expect_exact(question(world))
    return terminal.before


def assert_silent(terminal: pexpect.spawn, seconds: float = LONGER_THAN_THE_SILENCE_SECONDS) -> None:
    """Nothing more is written, even when those who wait have become impatient."""
    with pytest.raises(pexpect.TIMEOUT):
        terminal.expect(r"(?s).+", timeout=seconds)


def wrong_codes(world: World, how_many: int) -> list[str]:
    right = {world.device.code(step) for step in range(-3, 4)}
    return [code for code in (f"{n:06}" for n in range(99)) if code not in right][:how_many]


def holder(world: World) -> int:
    """The process that asks, as the locks name it to those who wait."""
    notes = {lock.read_text().split()[0] for lock in world.cache.glob("*.lock")}
    (pid,) = notes
    return int(pid)


def assert_one_session(keys: Sequence[str], how_many: int) -> None:
    assert len(keys) == how_many
    assert len(set(keys)) == 1


def assert_nothing_is_left(world: World) -> None:
    """No half file stays, and every lock is free."""
    assert list(world.cache.glob("*.tmp")) == []
    for lock in world.cache.glob("*.lock"):
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.matrix(1)
def test_fifty_of_one_role_ask_once_and_share_one_session(readonly: World) -> None:
    fifty = crowd(readonly, *["readonly"] * FIFTY)
    assert expect_question(fifty.terminal, readonly) == ""
    fifty.await_waiting()
    assert_silent(fifty.terminal)
    code = readonly.code()
    fifty.terminal.sendline(code)

    assert fifty.finish() == f"{code}\n"
    assert fifty.statuses() == [0] * FIFTY
    assert_one_session(fifty.key_ids(), FIFTY)
    assert readonly.aws.count("AssumeRole") == 1
    assert readonly.aws.count("GetSessionToken") == 1
    assert_nothing_is_left(readonly)


@pytest.mark.matrix(2)
def test_fifty_roles_of_one_device_ask_once_and_are_each_assumed_once(world: World) -> None:
    roles = [f"team{number}" for number in range(FIFTY)]
    for role in roles:
        world.add_role(role)
    fifty = crowd(world, *roles)
    fifty.terminal.expect(rf"{PROMPT}team\d+ \({re.escape(world.device.serial)}\): ")
    assert fifty.terminal.before == ""
    fifty.await_waiting()
    assert_silent(fifty.terminal)
    code = world.code()
    fifty.terminal.sendline(code)

    assert fifty.finish() == f"{code}\n"
    assert fifty.statuses() == [0] * FIFTY
    assert len(set(fifty.key_ids())) == FIFTY
    assert codes_sent(world.aws) == 1
    assumed = [call.parameters["RoleArn"] for call in calls_of(world.aws, "AssumeRole")]
    assert sorted(assumed) == sorted(role.arn for role in world.aws.roles.values())


@pytest.mark.matrix(1)
def test_long_sessions_of_one_role_spend_one_code(world: World) -> None:
    world.add_role("deploy", max_session=43200)
    some = crowd(world, *["deploy"] * SOME, options=["--duration", "8h"])
    some.terminal.expect_exact(question(world, "deploy"))
    some.await_waiting()
    code = world.code()
    some.terminal.sendline(code)

    assert some.finish() == f"{code}\n"
    assert some.statuses() == [0] * SOME
    assert_one_session(some.key_ids(), SOME)
    assert world.aws.count("AssumeRole") == codes_sent(world.aws) == 1


@pytest.mark.matrix(1)
def test_fifty_on_five_terminals_ask_on_one_and_each_other_is_told_once_who_asks(readonly: World) -> None:
    tens = [crowd(readonly, *["readonly"] * 10, name=f"ten{number}") for number in range(5)]
    terminal = first_to_ask([ten.terminal for ten in tens])
    (asking,) = [ten for ten in tens if ten.terminal is terminal]
    others = [ten for ten in tens if ten is not asking]
    for other in others:
        other.terminal.expect(rf"{TOLD} \(pid (\d+)\)[^\r\n]*\r\n")
        assert int(other.terminal.match.group(1)) in asking.pids()
        other.await_waiting()
    for other in others:
        assert_silent(other.terminal)
    asking.terminal.sendline(readonly.code())

    assert TOLD not in asking.finish()
    assert [other.finish() for other in others] == [""] * 4
    assert [ten.statuses() for ten in tens] == [[0] * 10] * 5
    assert_one_session([key for ten in tens for key in ten.key_ids()], FIFTY)
    assert codes_sent(readonly.aws) == readonly.aws.count("AssumeRole") == 1


def test_after_a_wrong_code_the_same_one_of_fifty_asks_again(readonly: World) -> None:
    fifty = crowd(readonly, *["readonly"] * FIFTY)
    expect_question(fifty.terminal, readonly)
    fifty.await_waiting()
    asking = holder(readonly)
    (wrong,) = wrong_codes(readonly, 1)
    fifty.terminal.sendline(wrong)
    refusal = expect_question(fifty.terminal, readonly)
    assert re.fullmatch(rf"{wrong}\r\n[^\r\n]+\r\n", refusal)
    assert holder(readonly) == asking
    assert_silent(fifty.terminal)
    code = readonly.code()
    fifty.terminal.sendline(code)

    assert fifty.finish() == f"{code}\n"
    assert fifty.statuses() == [0] * FIFTY
    assert_one_session(fifty.key_ids(), FIFTY)
    assert codes_sent(readonly.aws) == 2
    assert readonly.aws.count("AssumeRole") == 1


@pytest.mark.matrix(6)
def test_after_three_wrong_codes_one_of_fifty_gives_up_and_one_other_asks(readonly: World) -> None:
    fifty = crowd(readonly, *["readonly"] * FIFTY)
    expect_question(fifty.terminal, readonly)
    fifty.await_waiting()
    asking = holder(readonly)
    for wrong in wrong_codes(readonly, 3):
        fifty.terminal.sendline(wrong)
        expect_question(fifty.terminal, readonly)
    assert holder(readonly) != asking
    assert "[mfa-code-refused]" in fifty.terminal.before
    assert_silent(fifty.terminal)
    code = readonly.code()
    fifty.terminal.sendline(code)

    assert fifty.finish() == f"{code}\n"
    assert sorted(fifty.statuses()) == [0] * (FIFTY - 1) + [125]
    assert_one_session(fifty.key_ids(), FIFTY - 1)
    assert codes_sent(readonly.aws) == 4


@pytest.mark.matrix(5)
def test_ctrl_c_at_the_question_kills_all_fifty_and_leaves_nothing_behind(readonly: World) -> None:
    fifty = crowd(readonly, *["readonly"] * FIFTY)
    expect_question(fifty.terminal, readonly)
    fifty.await_waiting()
    fifty.terminal.sendcontrol("c")

    assert fifty.finish() == "^C"
    assert fifty.statuses() == [-signal.SIGINT] * FIFTY
    assert fifty.key_ids() == []
    assert codes_sent(readonly.aws) == 0
    assert_nothing_is_left(readonly)
    again = crowd(readonly, "readonly", name="again")
    assert expect_question(again.terminal, readonly) == ""
    again.terminal.sendline(readonly.code())
    again.finish()
    assert again.statuses() == [0]


@pytest.mark.matrix(5)
def test_ctrl_c_while_the_last_of_fifty_still_start_runs_no_command(readonly: World) -> None:
    fifty = crowd(readonly, *["readonly"] * FIFTY)
    expect_question(fifty.terminal, readonly)
    fifty.pids()

    def is_left() -> None:
        fifty.terminal.sendcontrol("c")
        assert fifty.terminal.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1) == 0

    eventually(is_left)  # one that is no further than the start of Python may lose a Ctrl-C
    assert 0 not in fifty.statuses()
    assert fifty.key_ids() == []
    assert codes_sent(readonly.aws) == 0
    assert_nothing_is_left(readonly)


@pytest.mark.matrix(6)
def test_when_the_question_is_left_exactly_one_of_forty_nine_elsewhere_asks(readonly: World) -> None:
    first = crowd(readonly, "readonly", name="first")
    expect_question(first.terminal, readonly)
    others = crowd(readonly, *["readonly"] * (FIFTY - 1))
    others.await_waiting()
    others.terminal.expect(rf"{TOLD}[^\r\n]*\r\n")
    first.terminal.sendcontrol("c")
    assert expect_question(others.terminal, readonly) == ""
    assert_silent(others.terminal)
    code = readonly.code()
    others.terminal.sendline(code)

    assert others.finish() == f"{code}\n"
    first.finish()
    assert first.statuses() == [-signal.SIGINT]
    assert others.statuses() == [0] * (FIFTY - 1)
    assert_one_session(others.key_ids(), FIFTY - 1)
    assert codes_sent(readonly.aws) == 1


@pytest.mark.matrix(3)
def test_whenever_the_asking_one_of_fifty_is_killed_exactly_one_other_asks(readonly: World) -> None:
    fifty = crowd(readonly, *["readonly"] * FIFTY)
    expect_question(fifty.terminal, readonly)
    fifty.await_waiting()
    killed = []
    for _ in range(2):
        killed.append(holder(readonly))
        os.kill(killed[-1], signal.SIGKILL)
        assert expect_question(fifty.terminal, readonly) == ""
        assert_silent(fifty.terminal)
    code = readonly.code()
    fifty.terminal.sendline(code)

    assert fifty.finish() == f"{code}\n"
    ends = dict(zip(fifty.pids(), fifty.statuses(), strict=True))
    assert {pid for pid, status in ends.items() if status == -signal.SIGKILL} == set(killed)
    assert list(ends.values()).count(0) == FIFTY - 2
    assert_one_session(fifty.key_ids(), FIFTY - 2)
    assert codes_sent(readonly.aws) == readonly.aws.count("AssumeRole") == 1
    assert_nothing_is_left(readonly)


@pytest.mark.matrix(4)
def test_when_the_asking_one_is_killed_before_it_saves_one_of_the_others_asks_anew(readonly: World) -> None:
    at_rename = ("-e", "trace=/^rename", "-e", "inject=/^rename:signal=KILL")
    tracer = strace("-f", "-o", "/dev/null", *at_rename)
    first = readonly.terminal_program(*tracer, GDS_EXEC, "readonly", "--", "true")
    expect_question(first, readonly)
    others = crowd(readonly, *["readonly"] * SOME)
    others.await_waiting()
    first.sendline(readonly.code())
    expect_question(others.terminal, readonly)
    assert readonly.sessions() == []
    assert codes_sent(readonly.aws) == 1
    assert_silent(others.terminal)
    code = readonly.code()
    others.terminal.sendline(code)

    assert others.finish() == f"{code}\n"
    assert others.statuses() == [0] * SOME
    assert_one_session(others.key_ids(), SOME)
    assert codes_sent(readonly.aws) == 2
    assert readonly.aws.count("AssumeRole") == 1
    finish(first)
    assert first.signalstatus == signal.SIGKILL


@pytest.mark.matrix(7)
def test_ctrl_z_stops_the_job_of_fifty_and_fg_asks_once_more(readonly: World) -> None:
    fifty = Crowd(readonly.home / "crowd", showing_keys(*["readonly"] * FIFTY))
    shell = BASH.open(readonly)
    shell.sendline(shlex.join(fifty.command))
    expect_question(shell, readonly)
    fifty.await_waiting()
    shell.sendcontrol("z")
    shell.expect(r"Stopped[^\r\n]*\r\n")
    for pid in fifty.pids():
        await_state(pid, "stopped")
    insist(shell, "fg", re.escape(question(readonly)))
    assert_silent(shell)
    code = readonly.code()
    shell.sendline(code)

    assert fifty.statuses() == [0] * FIFTY
    insist(shell, "echo done=$?.", r"done=0\.")
    assert PROMPT not in shell.before
    assert "gds-exec: " not in shell.before
    assert_one_session(fifty.key_ids(), FIFTY)
    assert codes_sent(readonly.aws) == readonly.aws.count("AssumeRole") == 1


@pytest.mark.matrix(7)
def test_when_the_asking_one_is_stopped_by_ctrl_z_one_of_forty_nine_asks_and_fg_needs_no_code(
    readonly: World,
) -> None:
    first = Crowd(readonly.home / "first", showing_keys("readonly"))
    shell = BASH.open(readonly)
    shell.sendline(shlex.join(first.command))
    expect_question(shell, readonly)
    others = crowd(readonly, *["readonly"] * (FIFTY - 1))
    others.await_waiting()
    others.terminal.expect(rf"{TOLD}[^\r\n]*\r\n")
    shell.sendcontrol("z")
    shell.expect(r"Stopped[^\r\n]*\r\n")
    assert expect_question(others.terminal, readonly) == ""
    assert_silent(others.terminal)
    code = readonly.code()
    others.terminal.sendline(code)
    assert others.finish() == f"{code}\n"
    shell.sendline("fg")

    assert first.statuses() == [0]
    insist(shell, "echo done=$?.", r"done=0\.")
    assert PROMPT not in shell.before
    assert others.statuses() == [0] * (FIFTY - 1)
    assert_one_session(first.key_ids() + others.key_ids(), FIFTY)
    assert codes_sent(readonly.aws) == readonly.aws.count("AssumeRole") == 1


@pytest.mark.matrix(8)
def test_when_the_asking_one_is_stopped_dead_one_of_forty_nine_says_so_and_asks(readonly: World) -> None:
    first = crowd(readonly, "readonly", name="first")
    expect_question(first.terminal, readonly)
    (asking,) = first.pids()
    os.kill(asking, signal.SIGSTOP)
    await_state(asking, "stopped")
    others = crowd(readonly, *["readonly"] * (FIFTY - 1))
    said = expect_question(others.terminal, readonly)
    assert said == f"gds-exec: gds-exec (pid {asking}) is stopped: going on without it\r\n"
    others.await_waiting()
    assert_silent(others.terminal)
    code = readonly.code()
    others.terminal.sendline(code)

    assert others.finish() == f"{code}\n"
    assert others.statuses() == [0] * (FIFTY - 1)
    assert_one_session(others.key_ids(), FIFTY - 1)
    assert codes_sent(readonly.aws) == readonly.aws.count("AssumeRole") == 1
    os.kill(asking, signal.SIGCONT)
    first.terminal.sendcontrol("c")
    first.finish()
    assert first.statuses() == [-signal.SIGINT]


@pytest.mark.matrix(9)
def test_those_who_wait_give_up_in_time_each_with_its_own_error(readonly: World) -> None:
    first = crowd(readonly, "readonly", name="first")
    expect_question(first.terminal, readonly)
    some = crowd(readonly, *["readonly"] * SOME, options=["--wait", "2s"])
    said = some.finish()

    assert some.statuses() == [125] * SOME
    assert said.count("[lock-timeout]") == SOME
    assert PROMPT not in said
    assert_silent(first.terminal, 0.1)
    first.terminal.sendline(readonly.code())
    first.finish()
    assert first.statuses() == [0]


@pytest.mark.matrix(10)
def test_a_background_job_of_many_ends_at_once_and_stops_nobody(readonly: World) -> None:
    some = Crowd(readonly.home / "crowd", showing_keys(*["readonly"] * SOME))
    shell = BASH.open(readonly)
    shell.sendline(f"{shlex.join(some.command)} & wait $!; echo done=$?.")
    shell.expect(r"done=0\.")

    assert some.statuses() == [124] * SOME
    assert PROMPT not in shell.before
    assert shell.before.count("[nobody-to-ask]") == SOME
    assert readonly.aws.calls == []


@pytest.mark.parametrize("options", [(), ("--no-input",)], ids=["no terminal", "no input"])
def test_those_that_could_not_ask_do_not_wait_for_one_who_can(
    readonly: World, options: tuple[str, ...]
) -> None:
    first = crowd(readonly, "readonly", name="first")
    expect_question(first.terminal, readonly)
    others = Crowd(readonly.home / "crowd", showing_keys(*["readonly"] * SOME, options=options))
    result = readonly.run_program(*others.command)

    assert others.statuses() == [124] * SOME
    assert result.stderr.decode().count("[nobody-to-ask]") == SOME
    code = readonly.code()
    first.terminal.sendline(code)
    assert first.finish() == f"{code}\n"
    assert first.statuses() == [0]
    assert codes_sent(readonly.aws) == 1


def test_fifty_with_the_same_given_code_send_it_once(readonly: World) -> None:
    fifty = Crowd(
        readonly.home / "crowd",
        showing_keys(*["readonly"] * FIFTY, options=["--mfa-code", readonly.code()]),
    )
    result = readonly.run_program(*fifty.command)

    assert fifty.statuses() == [0] * FIFTY, result.stderr
    assert result.stderr == b""
    assert_one_session(fifty.key_ids(), FIFTY)
    assert codes_sent(readonly.aws) == readonly.aws.count("AssumeRole") == 1


def test_roles_chained_through_one_assume_that_one_once(world: World) -> None:
    hub = world.add_role("hub")
    roles = [f"team{number}" for number in range(SOME)]
    for role in roles:
        world.add_role(role, mfa=False, trust=[hub.arn], source_profile="hub")
    some = crowd(world, *roles)
    some.terminal.expect(PROMPT)
    some.await_waiting()
    some.terminal.sendline(world.code())
    some.finish()

    assert some.statuses() == [0] * SOME
    assert len(set(some.key_ids())) == SOME
    assumed = [call.parameters["RoleArn"] for call in calls_of(world.aws, "AssumeRole")]
    assert sorted(assumed) == sorted(role.arn for role in world.aws.roles.values())
    assert codes_sent(world.aws) == 1


def test_a_slow_sts_is_asked_once_by_all(readonly: World) -> None:
    for action in ("GetSessionToken", "AssumeRole"):
        readonly.aws.fail(action, Fault("slow", delay=LONGER_THAN_THE_SILENCE_SECONDS))
    some = crowd(readonly, *["readonly"] * SOME)
    expect_question(some.terminal, readonly)
    some.await_waiting()
    code = readonly.code()
    some.terminal.sendline(code)

    assert some.finish() == f"{code}\n"
    assert some.statuses() == [0] * SOME
    assert_one_session(some.key_ids(), SOME)
    assert codes_sent(readonly.aws) == readonly.aws.count("AssumeRole") == 1


def test_fifty_renew_a_session_near_its_end_with_one_call_and_no_question(readonly: World) -> None:
    readonly.sign_in("readonly")
    readonly.aws.life_override = 900
    assert readonly.run("readonly", "--new-session", "--", "true").returncode == 0
    readonly.aws.life_override = None
    before = readonly.aws.count("AssumeRole")
    fifty = crowd(readonly, *["readonly"] * FIFTY, options=["--min-remaining", "30m"])

    assert fifty.finish() == ""
    assert fifty.statuses() == [0] * FIFTY
    assert_one_session(fifty.key_ids(), FIFTY)
    assert readonly.aws.count("AssumeRole") == before + 1
    assert codes_sent(readonly.aws) == 1


def test_fifty_of_a_cached_role_ask_nobody_anything(readonly: World) -> None:
    readonly.sign_in("readonly")
    readonly.aws.calls.clear()
    fifty = crowd(readonly, *["readonly"] * FIFTY)

    assert fifty.finish() == ""
    assert fifty.statuses() == [0] * FIFTY
    assert_one_session(fifty.key_ids(), FIFTY)
    assert readonly.aws.calls == []
