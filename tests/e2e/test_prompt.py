"""The question for an MFA code: where it is asked, what answers it, and when it is not asked."""

import re
import signal
import time

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.credentials.mfa import as_token_code

from .expectations import assert_ours, assert_speaks_as_ours
from .observations import codes_sent, sessions_made
from .patience import eventually
from .programs import program
from .shells import BASH, Shell, every_shell
from .world import GDS_EXEC, PROMPT, SHOW_KEY, World, finish

AT_ONCE_SECONDS = 5
RAW = "stty -icanon -echo -isig -icrnl min 1 time 0"


def prompt_of(world: World, role: str = "prod") -> str:
    return f"MFA code for {role} ({world.device.serial}): "


@pytest.mark.matrix(71, 72, 73)
@pytest.mark.parametrize(
    "streams",
    [
        pytest.param("", id="all the terminal"),
        pytest.param("</dev/null", id="stdin nothing"),
        pytest.param("</dev/zero", id="stdin without end"),
        pytest.param(">out", id="stdout a file"),
        pytest.param("2>err", id="stderr a file"),
        pytest.param("</dev/null >out 2>err", id="none the terminal"),
        pytest.param("<&- >&- 2>&-", id="all closed"),
        pytest.param(">/dev/full 2>/dev/full", id="full"),
        pytest.param("| cat >out", id="stdout a pipe"),
    ],
)
def test_the_question_stands_on_the_terminal_in_one_plain_line_wherever_the_streams_go(
    streams: str, world: World
) -> None:
    world.add_role("prod")
    terminal = world.terminal_program("bash", "-c", f"{GDS_EXEC} prod -- true {streams}")

    terminal.expect_exact(prompt_of(world))
    assert terminal.before == ""
    code = world.code()
    terminal.sendline(code)

    assert finish(terminal) == f"{code}\n"
    assert terminal.exitstatus == 0
    assert sessions_made(world.aws) == ("GetSessionToken", "AssumeRole")


@pytest.mark.matrix(78)
def test_what_was_typed_before_the_question_is_no_answer_to_it(world: World) -> None:
    world.add_role("prod")
    script = f"echo ready; until [ -e go ]; do :; done; exec {GDS_EXEC} prod -- true"
    terminal = world.terminal_program("bash", "-c", script)
    terminal.expect_exact("ready")
    terminal.sendline("000000")
    terminal.expect_exact("000000\r\n")
    (world.home / "go").touch()
    terminal.expect_exact(prompt_of(world))
    terminal.sendline(world.code())

    finish(terminal)
    assert terminal.exitstatus == 0
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(70)
@pytest.mark.parametrize("role", ["prod", "direct"])
def test_without_a_terminal_it_fails_at_once_and_aws_is_not_asked(role: str, world: World) -> None:
    world.add_role("prod")
    world.add_role("direct", settings="duration_seconds = 7200", max_session=7200)
    started = time.monotonic()

    result = world.run(role, "--", "true")

    assert_ours(result, 124, "nobody-to-ask", role, world.device.serial, "no terminal", "hint: ")
    assert time.monotonic() - started < AT_ONCE_SECONDS
    assert world.aws.calls == []


@pytest.mark.matrix(10, 70)
@every_shell
@pytest.mark.parametrize(
    ("before", "streams"),
    [
        pytest.param("", "", id="terminal"),
        pytest.param("", "</dev/null", id="no stdin"),
        pytest.param("stty tostop; ", "", id="writers are stopped"),
    ],
)
def test_a_background_job_fails_at_once_and_does_not_stop(
    before: str, streams: str, shell: Shell, world: World
) -> None:
    world.add_role("prod")
    terminal = shell.open(world)
    terminal.sendline(f"{before}{GDS_EXEC} prod -- true {streams} &")
    terminal.expect(r"gds-exec: an MFA code is needed.*this is a background job \[nobody-to-ask\]")
    terminal.sendline("jobs; wait; echo ov''er")
    terminal.expect_exact("over")

    assert not re.search(r"[Ss]topped|suspended", terminal.before), terminal.before
    assert PROMPT not in terminal.before
    assert world.aws.calls == []


@pytest.mark.matrix(70)
@pytest.mark.parametrize("no_input", ["--no-input", "GDS_EXEC_NO_INPUT=1"])
def test_no_input_does_not_ask_although_a_person_is_there(no_input: str, world: World) -> None:
    world.add_role("prod")
    option, variable = (no_input, "") if no_input.startswith("-") else ("", no_input)
    terminal = world.terminal_program("bash", "-c", f"{variable} {GDS_EXEC} prod {option} -- true")

    said = finish(terminal)

    assert terminal.exitstatus == 124
    assert_speaks_as_ours(said, "nobody-to-ask")
    assert PROMPT not in said
    assert world.aws.calls == []


@pytest.mark.matrix(75)
@pytest.mark.parametrize("typed", ["\x04", "12\x04\x04"], ids=["at once", "within the line"])
def test_ctrl_d_is_no_answer_and_no_code_is_sent(typed: str, world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", "--", "true")
    terminal.expect_exact(prompt_of(world))
    terminal.send(typed)

    said = finish(terminal)

    assert terminal.exitstatus == 124
    assert_speaks_as_ours(said.lstrip("12\n"), "nobody-to-ask", "no MFA code was given")
    assert codes_sent(world.aws) == 0
    assert world.sessions() == []


def test_a_question_that_nobody_answers_ends_when_the_wait_is_over(world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", "--wait", "1s", "--", "true")
    terminal.expect_exact(prompt_of(world))

    said = finish(terminal)

    assert terminal.exitstatus == 124
    assert_speaks_as_ours(said.lstrip(), "nobody-to-ask", "--wait")
    assert codes_sent(world.aws) == 0


@pytest.mark.matrix(76)
@pytest.mark.parametrize(
    "paste",
    [
        pytest.param("{0}{1}\r", id="plain"),
        pytest.param("{0} {1}\r", id="in two groups"),
        pytest.param("  {0}{1} \r", id="spaces round it"),
        pytest.param("{0}\t{1}\r", id="a tab"),
        pytest.param("\x1b[200~{0}{1}\x1b[201~\r", id="bracketed"),
        pytest.param("\x1b[200~{0} {1}\r\x1b[201~", id="bracketed with its end of line"),
        pytest.param("{0}{1}\n", id="a line feed"),
        pytest.param("9\x7f{0}{1}\r", id="corrected"),
        pytest.param("999\x15{0}{1}\r", id="the line killed"),
    ],
)
def test_a_code_is_taken_however_it_is_pasted(paste: str, world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", "--", "true")
    terminal.expect_exact(prompt_of(world))
    code = world.code()
    terminal.send(paste.format(code[:3], code[3:]))

    finish(terminal)
    assert terminal.exitstatus == 0
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(77)
@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("12345", id="five digits"),
        pytest.param("1234567", id="seven digits"),
        pytest.param("", id="nothing"),
        pytest.param("abcdef", id="letters"),
        pytest.param("١٢٣٤٥٦", id="Arabic digits"),
        pytest.param("１２３４５６", id="full-width digits"),  # noqa: RUF001
        pytest.param("²²²²²²", id="superscripts"),
        pytest.param("12345\x1b[D6", id="an arrow key"),
        pytest.param("+12345", id="a sign"),
        pytest.param("123.456", id="a point"),
        pytest.param("9" * 3000, id="a long line"),
    ],
)
def test_what_is_no_code_is_refused_here_and_asked_for_again(typed: str, world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", "--", "true")
    terminal.expect_exact(prompt_of(world))
    terminal.sendline(typed)
    terminal.expect_exact("an MFA code is six digits\r\n")
    terminal.expect_exact(prompt_of(world))
    terminal.sendline(world.code())

    finish(terminal)
    assert terminal.exitstatus == 0
    assert codes_sent(world.aws) == 1


@pytest.mark.matrix(77)
@given(st.text(max_size=12) | st.text("0123456789 \t\r\n٣３²", max_size=10))  # noqa: RUF001
def test_a_code_is_six_ascii_digits_and_spaces(text: str) -> None:
    code = as_token_code(text)

    digits = re.sub(r"[ \t\r\n]", "", text)
    assert code == (digits if re.fullmatch(r"[0-9]{6}", digits) else None)


@pytest.mark.matrix(77)
def test_three_answers_that_are_no_code_are_enough(world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", "--", "true")
    for _ in range(3):
        terminal.expect_exact(prompt_of(world))
        terminal.sendline("nonsense")
        terminal.expect_exact("an MFA code is six digits\r\n")

    said = finish(terminal)

    assert terminal.exitstatus == 124
    assert_speaks_as_ours(said, "nobody-to-ask")
    assert codes_sent(world.aws) == 0


@pytest.mark.parametrize("typed", ["{code}\r", "\x04", "\x03"], ids=["answered", "Ctrl-D", "Ctrl-C"])
def test_a_raw_terminal_answers_and_is_raw_again_afterwards(typed: str, world: World) -> None:
    world.add_role("prod")
    script = f"{RAW}; stty -g >before; {GDS_EXEC} prod -- true 2>err; echo $? >status; stty -g >after"
    # Ctrl-C is for the command alone: the script goes on.
    terminal = world.terminal_program("bash", "-c", f"trap : INT; {script}")
    terminal.expect_exact(prompt_of(world))
    terminal.send(typed.format(code=world.code()))

    finish(terminal)
    kept = {name: (world.home / name).read_text() for name in ("before", "after", "status")}
    assert kept["status"].strip() == {"\x04": "124", "\x03": "130"}.get(typed, "0")
    assert kept["before"] == kept["after"]


@pytest.mark.matrix(79)
def test_killed_at_the_question_it_leaves_no_silent_terminal(world: World) -> None:
    world.add_role("prod")
    script = f"stty -g >before; {GDS_EXEC} prod -- true; echo status $?; stty -g >after"
    terminal = world.terminal_program("bash", "-c", script)
    terminal.expect_exact(prompt_of(world))
    children = psutil.Process(terminal.pid).children()
    assert len(children) == 1
    children[0].kill()

    assert "status 137" in finish(terminal)
    assert (world.home / "before").read_text() == (world.home / "after").read_text()


def helper_at_a_passphrase(world: World, *, then: str) -> str:
    """Return the setting for a program that asks for a passphrase unseen, and then does this."""
    text = f"#!/bin/sh\nstty -echo </dev/tty\necho Passphrase: >&2\n{then}\n"
    return f"mfa_process = {program(world.home / 'oath', text)}"


@pytest.mark.matrix(79)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_killed_while_a_helper_asks_it_takes_the_helper_along_and_leaves_the_echo(
    number: signal.Signals, world: World
) -> None:
    world.add_role("prod", settings=helper_at_a_passphrase(world, then="sleep 60 & wait"))
    script = f"stty -g >before; {GDS_EXEC} prod -- true; echo status $?; stty -g >after"
    terminal = world.terminal_program("bash", "-c", script)
    terminal.expect_exact("Passphrase:")
    (ours,) = psutil.Process(terminal.pid).children()
    helpers: list[psutil.Process] = []

    def both_run() -> None:
        helpers[:] = ours.children(recursive=True)
        assert sorted(p.name() for p in helpers) == ["oath", "sleep"]

    eventually(both_run)
    ours.send_signal(number)

    assert f"status {128 + number}" in finish(terminal)
    for helper in helpers:
        eventually(lambda pid=helper.pid: _assert_ended(pid))
    assert (world.home / "before").read_text() == (world.home / "after").read_text()


def test_a_helper_that_fails_at_its_passphrase_leaves_an_echo_to_the_question(world: World) -> None:
    world.add_role("prod", settings=helper_at_a_passphrase(world, then="exit 1"))
    script = f"stty -g >before; {GDS_EXEC} prod -- true; echo status $?; stty -g >after"
    terminal = world.terminal_program("bash", "-c", script)
    terminal.expect_exact(prompt_of(world))
    terminal.sendline(world.code())

    assert "status 0" in finish(terminal)
    assert (world.home / "before").read_text() == (world.home / "after").read_text()


@pytest.mark.matrix(80)
@pytest.mark.parametrize(
    "environ",
    [
        {"TERM": "dumb"},
        {"TERM": ""},
        {"NO_COLOR": "1"},
        {"LANG": "C"},
        {"LANG": "C", "LC_ALL": "C"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "nowhere.UTF-8"},
    ],
    ids=str,
)
def test_the_question_is_readable_in_poor_surroundings(environ: dict[str, str], world: World) -> None:
    world.add_role("équipe-📦", role_name="team")
    terminal = world.terminal("équipe-📦", "--", *SHOW_KEY, environ=environ, dimensions=(10, 20))
    terminal.expect_exact(f"({world.device.serial}): ")
    assert "quipe" in terminal.before
    assert "\x1b" not in terminal.before
    terminal.sendline(world.code())

    assert "ASIA" in finish(terminal)
    assert terminal.exitstatus == 0


@pytest.mark.matrix(82)
def test_a_role_cannot_steer_the_terminal_by_its_name(world: World) -> None:
    name = "a\x1b]0;evil\x07b\x9b31m\u202ec\u200bd[bold"
    world.add_role(name, role_name="hostile")
    terminal = world.terminal(name, "--", "true")
    terminal.expect_exact(
        rf"MFA code for a\x1b]0;evil\x07b\x9b31m\u202ec\u200bd[bold ({world.device.serial}): "
    )
    assert terminal.before == ""
    terminal.sendline(world.code())

    finish(terminal)
    assert terminal.exitstatus == 0


@pytest.mark.matrix(70)
def test_a_cached_session_needs_neither_terminal_nor_question(world: World) -> None:
    world.add_role("prod")
    world.sign_in("prod")

    result = world.run("prod", "--", *SHOW_KEY)

    assert result.returncode == 0
    assert result.stdout.startswith(b"ASIA")
    assert result.stderr == b""


def test_in_the_background_of_a_terminal_a_cached_session_is_used_without_a_word(world: World) -> None:
    world.add_role("prod")
    world.sign_in("prod")
    terminal = BASH.open(world)
    terminal.sendline(f"{GDS_EXEC} prod -- sh -c 'echo key=$AWS_ACCESS_KEY_ID' </dev/null & wait")
    terminal.expect(r"key=ASIA[A-Z0-9]+")
    terminal.sendline("exit")

    finish(terminal)
    eventually(lambda: _assert_ended(terminal.pid))


def _assert_ended(pid: int) -> None:
    assert not psutil.pid_exists(pid)
