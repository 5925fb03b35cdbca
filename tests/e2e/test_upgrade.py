"""gds-exec is upgraded while a command or a role shell of the older version still runs."""

import sys
import venv
from pathlib import Path

import pytest

import gds_exec
from gds_exec.hidden_subcommands import VERSIONS

from .expectations import assert_ours
from .programs import program
from .refreshed import leave, refreshing
from .role_shells import BASH, FISH, ZSH, AtPrompt, Dialect
from .test_role_shell import AT_EASE, Desk, goes_on_without
from .world import GDS_EXEC, World, finish

OTHER_VERSION = "999"
COMMAND_RAN = "gds-exec was upgraded while this command ran"
SHELL_WAS_OPEN = "gds-exec was upgraded while this shell was open"
# Starts commands and shells as ever, and is of another version for those that run.
UPGRADED = f"""#!/bin/sh
case $1 in
    {"|".join(VERSIONS)}) name=$1; shift 2; set -- "$name" {OTHER_VERSION} "$@" ;;
esac
exec "%s" "{GDS_EXEC}" "$@"
"""


@pytest.fixture
def upgraded(tmp_path: Path) -> str:
    """Return the path of a gds-exec that is of another version as soon as it has started something."""
    place = tmp_path / "venv"
    venv.create(place, symlinks=True)
    (packages,) = place.glob("lib/*/site-packages")
    root = Path(gds_exec.__file__).parent.parent
    (packages / "ours.pth").write_text("\n".join([str(root), *sys.path[1:]]))
    return str(program(place / "bin" / "gds-exec", UPGRADED % (place / "bin" / "python")))


@pytest.mark.parametrize("version", ["0", OTHER_VERSION])
@pytest.mark.parametrize("name", VERSIONS)
def test_a_caller_of_another_version_is_told_so(name: str, version: str, signed_in: World) -> None:
    done = signed_in.run(name, version, "bash", "--role=prod")

    hint = "hint: leave this shell" if name == "shell-renew" else "hint: start the command again"
    assert_ours(done, 126, "was upgraded while", "[upgraded]", hint)


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("shell-renew", "zsh"), id="role shell"),
        pytest.param(("credential-process", "--stored-keys", "00", "00"), id="copy of an AWS file"),
    ],
)
def test_a_caller_from_before_there_were_versions_is_told_so(argv: tuple[str, ...], signed_in: World) -> None:
    assert_ours(signed_in.run(*argv), 126, "[upgraded]")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="nothing"),
        pytest.param(("loudly", "--role=prod"), id="another way"),
        pytest.param(("silently", "--role=prod", "--new-option=1"), id="an unknown option"),
        pytest.param(("asking", "pause=1", "--role=prod"), id="fields are missing"),
    ],
)
def test_a_worker_that_cannot_read_its_arguments_renews_nothing(
    arguments: tuple[str, ...], signed_in: World
) -> None:
    done = signed_in.run("refresh-worker", VERSIONS["refresh-worker"], *arguments)

    assert_ours(done, 126, COMMAND_RAN)
    assert signed_in.aws.count("AssumeRole") == 1


@pytest.mark.parametrize("command", [("--", "printenv", "GDS_EXEC_ROLE"), ("printenv", "GDS_EXEC_ROLE")])
@pytest.mark.parametrize("name", VERSIONS)
def test_a_role_may_have_the_name_of_a_hidden_subcommand(
    name: str, command: tuple[str, ...], signed_in: World
) -> None:
    signed_in.add_role(name)

    assert signed_in.run(name, *command).stdout.decode() == f"{name}\n"


def test_a_command_keeps_its_session_and_says_why_it_is_not_renewed(upgraded: str, signed_in: World) -> None:
    leave(signed_in, seconds=600)
    script = "read line; echo $AWS_CONTAINER_CREDENTIALS_FULL_URI; exit 3"

    terminal = signed_in.terminal_program(upgraded, *refreshing("sh", "-c", script))
    terminal.expect(rf"gds-exec: the session of prod ends in 9 min: {COMMAND_RAN}\r\n")
    terminal.sendline("")

    assert "http://127.0.0.1" in finish(terminal)
    assert terminal.exitstatus == 3


@pytest.mark.parametrize("dialect", [BASH, ZSH, FISH], ids=str)
def test_a_role_shell_keeps_its_session_and_says_once_why_it_is_not_renewed(
    dialect: Dialect, upgraded: str, world: World
) -> None:
    desk = Desk(world, dialect)
    world.sign_in("prod")
    old = leave(world, seconds=600)

    person = AtPrompt(world.terminal_program(upgraded, "prod"), world.home)
    person.sees(f"gds-exec: {SHELL_WAS_OPEN} [upgraded]\r\nhint: leave this shell and open it again\r\n")
    person.sees("10m) user> ")

    goes_on_without("upgraded", person)
    assert person.hears("printenv AWS_ACCESS_KEY_ID") == old
    assert desk.world.aws.count("AssumeRole") == 1


def test_renew_in_a_role_shell_of_another_version_says_so(world: World) -> None:
    desk = Desk(world, BASH)
    world.sign_in("prod")
    person = desk.open("prod")
    person.sees(AT_EASE)
    (record,) = world.cache.glob("*.running3")
    record.rename(record.with_suffix(f".running{OTHER_VERSION}"))

    person.types("export GDS_EXEC_SHELL=${GDS_EXEC_SHELL%3}" + OTHER_VERSION)
    person.types("gds-exec renew")

    assert f"gds-exec: {SHELL_WAS_OPEN} [upgraded]" in person.terminal.before
    assert world.aws.count("AssumeRole") == 1
