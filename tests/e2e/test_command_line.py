"""What is ours on the command line and what is the command's, and what cannot be run."""

import os
import pwd
import re

import pytest

from .expectations import assert_ours
from .programs import program
from .world import PROMPT, PYTHON, World, finish


@pytest.mark.matrix(85, 92)
@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        pytest.param("no-such-command", 127, ("no-such-command on the PATH",), id="not on the PATH"),
        pytest.param("./missing", 127, ("no file ./missing",), id="no such file"),
        pytest.param("./plain/x", 127, ("no file",), id="below a file"),
        pytest.param("", 127, ("empty string",), id="empty"),
        pytest.param("./plain", 126, ("not executable", "hint: chmod +x ./plain"), id="not executable"),
        pytest.param("plain-on-path", 126, ("not executable",), id="not executable, on the PATH"),
        pytest.param("./dir", 126, ("is a directory",), id="a directory"),
        pytest.param("/", 126, ("is a directory",), id="the root"),
        pytest.param("./bad-shebang", 127, ("interpreter", "/no/such/interpreter"), id="no interpreter"),
        pytest.param("./windows", 127, ("interpreter", "hint: its lines end as on Windows"), id="CRLF"),
        pytest.param("./dir-shebang", 126, ("is a directory",), id="interpreter a directory"),
        pytest.param("./plain-shebang", 126, ("plain is not executable",), id="interpreter not executable"),
        pytest.param("./no-shebang", 126, ("hint: if it is a script",), id="no shebang"),
        pytest.param("./empty", 126, ("not a program",), id="an empty file"),
        pytest.param("./fifo", 126, ("cannot be run",), id="a FIFO"),
        pytest.param("./loop", 127, ("no file",), id="a link to itself"),
        pytest.param("n" * 300, 127, ("on the PATH",), id="a name too long"),
    ],
)
@pytest.mark.parametrize("before", [("--",), ()], ids=["after --", "plain"])
def test_what_cannot_be_run_is_found_out_before_anything_is_asked(
    command: str, status: int, words: tuple[str, ...], before: tuple[str, ...], world: World
) -> None:
    world.add_role("prod")
    home = world.home
    program(home / "plain", "x", mode=0o644)
    program(home / "bad-shebang", "#!/no/such/interpreter\n")
    program(home / "windows", "#!/bin/sh\r\necho\r\n")
    program(home / "dir-shebang", f"#!{home}\n")
    program(home / "plain-shebang", f"#!{home / 'plain'}\n")
    program(home / "no-shebang", "echo hello\n")
    program(home / "empty", "")
    (home / "dir").mkdir()
    (home / "loop").symlink_to("loop")
    os.mkfifo(home / "fifo", 0o755)
    (home / "bin").mkdir()
    program(home / "bin" / "plain-on-path", "x", mode=0o644)

    result = world.run("prod", *before, command, environ={"PATH": f"{home / 'bin'}:{os.defpath}"})

    assert_ours(result, status, *words)
    assert world.aws.calls == []


@pytest.mark.matrix(85)
def test_with_a_person_at_the_terminal_a_missing_command_still_asks_nothing(world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", "no-such-command")

    said = finish(terminal)

    assert terminal.exitstatus == 127
    assert PROMPT not in said
    assert world.aws.calls == []


@pytest.mark.matrix(93)
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["-h"],
        ["-v", "-d", "-e", "-s", "-l", "-o", "-q", "-V", "-r", "-t"],
        ["--", "x", "--", "--"],
        ["--version", "--debug", "--role", "other", "--mfa-code", "1"],
        ["-art", "-", "", " ", "a b", "*", "$HOME", "--x=y"],
        ["exec", "try", "whoami", "prod"],
        ["\u2013", "é", "--région=ouest"],
        ["@file", "%s", "\\n", "\n"],
    ],
    ids=str,
)
@pytest.mark.parametrize("before", [["--"], [], ["-q", "--"], ["--region", "eu-west-1"]], ids=str)
def test_nothing_after_the_command_is_ours(arguments: list[str], before: list[str], signed_in: World) -> None:
    echo = program(signed_in.home / "echo", f"#!{PYTHON}\nimport sys\nprint(ascii(sys.argv[1:]))\n")

    done = signed_in.run("prod", *before, str(echo), *arguments)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == ascii(arguments) + "\n"


@pytest.mark.matrix(93)
@pytest.mark.parametrize("name", ["--version", "-d", "--", "-q", "try", "-"])
def test_a_command_may_be_named_like_an_option_after_the_dashes(name: str, signed_in: World) -> None:
    (signed_in.home / "bin").mkdir()
    program(signed_in.home / "bin" / name, '#!/bin/sh\necho "ran $1"\n')

    done = signed_in.run(
        "prod", "--", name, "--help", environ={"PATH": f"{signed_in.home / 'bin'}:{os.defpath}"}
    )

    assert (done.returncode, done.stdout) == (0, b"ran --help\n")


@pytest.mark.parametrize(
    "argv",
    [
        ("prod", "--region", "eu-west-1", "--"),
        ("--region", "eu-west-1", "prod", "--"),
        ("--region=eu-west-1", "prod"),
        ("-r", "eu-west-1", "prod"),
        ("-reu-west-1", "prod", "--"),
        ("prod", "-qr", "eu-west-1"),
        ("-q", "--role", "prod", "-r", "eu-west-1", "--"),
        ("--role=prod", "-r", "eu-west-1"),
    ],
    ids=" ".join,
)
def test_options_stand_before_or_after_the_role(argv: tuple[str, ...], signed_in: World) -> None:
    done = signed_in.run(*argv, "sh", "-c", "echo $AWS_REGION $AWS_DEFAULT_REGION $GDS_EXEC_ROLE")

    assert (done.returncode, done.stdout) == (0, b"eu-west-1 eu-west-1 prod\n")


@pytest.mark.matrix(92)
@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("--",), id="only --"),
        pytest.param(("--", "true"), id="no role"),
        pytest.param(("prod", "--"), id="no command after --"),
        pytest.param(("prod",), id="no command and no terminal"),
        pytest.param(("prod", "--no-such-option", "--", "true"), id="unknown option"),
        pytest.param(("prod", "-Z", "true"), id="unknown letter"),
        pytest.param(("prod", "--duration", "8x", "--", "true"), id="bad duration"),
        pytest.param(("prod", "--duration", "", "--", "true"), id="empty duration"),
        pytest.param(("prod", "--duration", "-1h", "--", "true"), id="negative duration"),
        pytest.param(("prod", "--duration", "٣h", "--", "true"), id="duration in Arabic digits"),
        pytest.param(("prod", "--duration", "9" * 5000, "--", "true"), id="endless duration"),
        pytest.param(("prod", "--duration"), id="an option without its value"),
        pytest.param(("prod", "--min-remaining", "0", "--", "true"), id="zero minimum"),
        pytest.param(("prod", "--mfa-code", "12345", "--", "true"), id="short code"),
        pytest.param(("prod", "--mfa-code", "١٢٣٤٥٦", "--", "true"), id="code in Arabic digits"),
        pytest.param(("prod", "--region", "a b", "--", "true"), id="bad region"),
        pytest.param(("prod", "--session-name", "a b", "--", "true"), id="bad session name"),
        pytest.param(("prod", "-s", "--", "true"), id="shell and command"),
        pytest.param(("prod", "--quiet=yes", "--", "true"), id="a flag with a value"),
        pytest.param(("whoami", "more"), id="a word with too much"),
    ],
)
def test_a_command_line_that_cannot_be_understood_is_a_usage_error(
    argv: tuple[str, ...], world: World
) -> None:
    world.add_role("prod")

    result = world.run(*argv)

    assert_ours(result, 2, "[usage]", "hint: ")
    assert world.aws.calls == []


@pytest.mark.parametrize("options", [(), ("-s",), ("--shell", "-q")], ids=str)
def test_without_a_command_a_person_gets_their_shell_as_the_role(
    options: tuple[str, ...], signed_in: World
) -> None:
    shell = program(signed_in.home / "myshell", '#!/bin/sh\necho "shell of $GDS_EXEC_ROLE with $#"; exit 6\n')
    terminal = signed_in.terminal("prod", *options, environ={"SHELL": str(shell)})

    *notice, said = finish(terminal).splitlines()
    assert said == "shell of prod with 0"
    keeps = "gds-exec: this myshell keeps the session that it begins with"
    assert notice == ([] if "-q" in options else [keeps])
    assert terminal.exitstatus == 6


def test_without_shell_the_variable_it_is_the_shell_that_the_user_was_given(signed_in: World) -> None:
    terminal = signed_in.terminal("prod", environ={"SHELL": ""})
    terminal.sendline("echo $0 $AWS_ACCESS_KEY_ID; exit 4")

    terminal.expect(re.escape(pwd.getpwuid(os.getuid()).pw_shell) + r" ASIA[A-Z0-9]{16}")
    finish(terminal)
    assert terminal.exitstatus == 4


def test_a_shell_that_is_asked_for_needs_no_terminal(signed_in: World) -> None:
    done = signed_in.run("prod", "-s", input=b"echo $GDS_EXEC_ROLE; exit 5\n")

    assert (done.returncode, done.stdout) == (5, b"prod\n")


@pytest.mark.parametrize("shell", ["/no/such/shell", "no-such-shell"])
def test_a_shell_that_is_missing_is_said_before_anything_is_asked(shell: str, world: World) -> None:
    world.add_role("prod")

    assert_ours(world.run("prod", "-s", environ={"SHELL": shell}), 127, shell)
    assert world.aws.calls == []
