"""An export that fails makes the shell that evaluates it fail."""

import os
import signal
import subprocess

import pytest

from tests.aws.faults import Fault

from .observations import codes_sent
from .patience import eventually
from .test_export import SHELLS, SHOW, every_posix_shell
from .world import PROMPT, World, finish, needs

STATEMENT = "false;\n"


def run_script(world: World, shell: str, text: str) -> subprocess.CompletedProcess[bytes]:
    """A shell script that already has the keys of another role."""
    keys = {"AWS_ACCESS_KEY_ID": "ASIAOTHER", "AWS_SESSION_TOKEN": "other"}
    return world.run_program(*SHELLS[shell], "-c", text, environ=keys)


@every_posix_shell
@pytest.mark.parametrize(
    ("text", "status"),
    [
        pytest.param('set -e; eval "$(gds-exec nosuch -e)"; echo reached', 1, id="set -e"),
        pytest.param('eval "$(gds-exec nosuch -e)" || exit 3; echo reached', 3, id="or exit"),
        pytest.param("eval $(gds-exec nosuch -e) || exit 3; echo reached", 3, id="without quotes"),
        pytest.param('set -e; eval "$(gds-exec nosuch -qe --format sh)"; echo reached', 1, id="in a cluster"),
        pytest.param('set -e; eval "$(gds-exec --duration 3600 nosuch -e)"; echo reached', 1, id="a number"),
        pytest.param('set -e; eval "$(gds-exec --unset nosuch)"; echo reached', 1, id="unset"),
        pytest.param('if eval "$(gds-exec nosuch -e)"; then echo reached; fi; exit 4', 4, id="if"),
    ],
)
def test_a_script_does_not_go_on_with_other_keys(shell: str, text: str, status: int, world: World) -> None:
    done = run_script(world, shell, text)

    assert (done.returncode, done.stdout) == (status, b"")
    assert b"gds-exec: " in done.stderr


@needs("fish")
@pytest.mark.parametrize(
    "text",
    [
        "gds-exec nosuch -e --format fish | source; or exit 3; echo reached",
        "eval (gds-exec nosuch -e --format fish); or exit 3; echo reached",
    ],
    ids=["source", "eval"],
)
def test_a_fish_script_does_not_go_on_with_other_keys(text: str, world: World) -> None:
    done = run_script(world, "fish", text)

    assert (done.returncode, done.stdout) == (3, b"")


@every_posix_shell
def test_a_failure_changes_nothing_in_the_shell(shell: str, world: World) -> None:
    before = run_script(world, shell, SHOW)
    after = run_script(world, shell, f'eval "$(gds-exec nosuch -e)"; {SHOW}')

    assert before.stdout == after.stdout
    assert b"ASIAOTHER" in after.stdout


def is_refused(world: World) -> None:
    world.add_role("prod", mfa=False, trust=["arn:aws:iam::999999999999:root"])


def wants_a_code(world: World) -> None:
    world.add_role("prod")


def is_slow(world: World) -> None:
    world.add_role("prod", mfa=False)
    world.aws.fail("AssumeRole", Fault("slow", delay=20))


@pytest.mark.parametrize(
    ("world_of", "options", "status"),
    [
        pytest.param(wants_a_code, (), 124, id="nobody to ask"),
        pytest.param(is_refused, (), 125, id="refused"),
        pytest.param(is_slow, ("--timeout", "1s"), 125, id="out of time"),
        pytest.param(wants_a_code, ("--nosuch",), 2, id="usage"),
    ],
)
@pytest.mark.parametrize(
    ("format_name", "printed"),
    [("sh", STATEMENT), ("fish", STATEMENT), ("powershell", "throw 'gds-exec failed';\n"), ("json", "")],
)
def test_every_failure_prints_a_statement_that_fails(
    world_of: object, options: tuple[str, ...], status: int, format_name: str, printed: str, world: World
) -> None:
    assert callable(world_of)
    world_of(world)

    done = world.run("prod", "-e", "--format", format_name, *options)

    assert (done.returncode, done.stdout.decode()) == (status, printed)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL]
)
def test_a_signal_at_the_prompt_prints_it_too_and_still_kills(number: signal.Signals, world: World) -> None:
    world.add_role("prod")
    export = world.home / "export"
    terminal = world.terminal_program("sh", "-c", f"exec gds-exec prod -e >{export}")
    terminal.expect(PROMPT)
    if number == signal.SIGINT:
        terminal.sendcontrol("c")
    else:
        os.kill(terminal.pid, number)
    finish(terminal)

    assert terminal.signalstatus == number
    eventually(lambda: assert_printed(export.read_text()))
    assert codes_sent(world.aws) == 0


def assert_printed(text: str) -> None:
    assert text == STATEMENT


def test_a_person_sees_no_statement_on_a_terminal(world: World) -> None:
    assert STATEMENT.strip() not in finish(world.terminal("nosuch", "-e"))


def test_ctrl_c_ends_the_script_that_waits_for_the_export(world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal_program("bash", "-c", 'eval "$(gds-exec prod -e)"; echo reached')
    terminal.expect(PROMPT)
    terminal.sendcontrol("c")

    assert "reached" not in finish(terminal)
    assert terminal.signalstatus == signal.SIGINT


@pytest.mark.parametrize(
    ("argv", "printed"),
    [
        pytest.param(("prod", "-e"), b"false;\n", id="-e"),
        pytest.param(("-qe", "prod"), b"false;\n", id="in a cluster"),
        pytest.param(("--unset",), b"false;\n", id="--unset"),
        pytest.param(("prod", "-e", "--format", "fish"), b"false;\n", id="fish"),
        pytest.param(("prod", "-e", "--format=powershell"), b"throw 'gds-exec failed';\n", id="PowerShell"),
        pytest.param(("prod", "-e", "--format", "json"), b"", id="JSON"),
        pytest.param(("prod", "-e", "--format"), b"false;\n", id="no value"),
        pytest.param(("prod", "--", "ls", "-e"), b"", id="the command's own"),
    ],
)
def test_a_program_that_cannot_be_loaded_prints_it_too(
    argv: tuple[str, ...], printed: bytes, world: World
) -> None:
    another = world.home / "another" / "gds_exec"
    another.mkdir(parents=True)
    (another / "__init__.py").touch()

    done = world.run(*argv, environ={"PYTHONPATH": str(another.parent)})

    assert (done.returncode, done.stdout) == (125, printed)
    assert b"[broken-install]" in done.stderr
