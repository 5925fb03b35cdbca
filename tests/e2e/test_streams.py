"""Standard input, output and error: they are the command's, in whatever state they are."""

import contextlib
import gc
import io
import os
import random
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gds_exec.cli.parser import run_command_line
from gds_exec.errors import GdsExecError
from gds_exec.output import report
from tests.aws.faults import Fault

from .expectations import assert_ours
from .world import GDS_EXEC, PROMPT, PYTHON, World, finish

EVERY_BYTE = bytes(range(256))
LIST_DESCRIPTORS = """
import os, sys
found = {}
for number in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink(f"/proc/self/fd/{number}")
    except FileNotFoundError:
        continue
    if not target.endswith("/fd"):
        found[int(number)] = target
open(sys.argv[1], "w").write(repr(sorted(found.items())))
"""
STEERING = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
WARNS = "duration_seconds = 1h"  # AWS's own tools ignore it silently


@pytest.fixture
def signed_in(world: World) -> World:
    world.add_role("prod", settings=WARNS)
    world.sign_in("prod")
    return world


def shell(world: World, script: str, **environ: str) -> tuple[int, bytes, bytes]:
    done = world.run_program("bash", "-c", script, environ=environ)
    return done.returncode, done.stdout, done.stderr


def assert_harmless(said: bytes) -> None:
    for character in said.decode().replace("\n", ""):
        assert unicodedata.category(character) not in STEERING, f"{character!r} in {said!r}"


@pytest.mark.matrix(71, 73)
def test_a_pipeline_is_byte_for_byte_its_own_while_a_code_is_asked_for(world: World) -> None:
    world.add_role("prod")
    data = random.Random(71).randbytes(300_000) + EVERY_BYTE
    (world.home / "in").write_bytes(data)
    terminal = world.terminal_program(
        "bash", "-c", f"cat in | {GDS_EXEC} prod -- sh -c 'cat; echo own >&2' 2>err | cat >out"
    )
    terminal.expect_exact(PROMPT)
    terminal.sendline(world.code())
    finish(terminal)

    assert terminal.exitstatus == 0
    assert (world.home / "out").read_bytes() == data
    assert (world.home / "err").read_bytes() == b"own\n"


@pytest.mark.matrix(71)
def test_what_the_command_leaves_unread_is_there_for_the_next_one(signed_in: World) -> None:
    (signed_in.home / "in").write_text("one\ntwo\nthree\n")

    status, out, _ = shell(signed_in, f"{{ {GDS_EXEC} prod -- head -n1; {GDS_EXEC} prod true; cat; }} <in")

    assert (status, out) == (0, b"one\ntwo\nthree\n")


@pytest.mark.matrix(73)
@pytest.mark.parametrize("options", ["", "--debug"])
def test_standard_output_is_the_commands_alone(options: str, signed_in: World) -> None:
    printing = "printf '\\000\\001\\377\\033[0m'; exit 9"

    status, out, err = shell(signed_in, f'{GDS_EXEC} prod {options} -- sh -c "$PRINTING"', PRINTING=printing)

    assert status == 9
    assert out == b"\x00\x01\xff\x1b[0m"
    assert all(line.startswith(b"gds-exec: ") for line in err.splitlines())


def test_quiet_says_nothing_but_errors(signed_in: World) -> None:
    loud = signed_in.run("prod", "--", "true")
    quiet = signed_in.run("prod", "-q", "--", "true")

    assert (loud.returncode, quiet.returncode) == (0, 0)
    assert b"duration_seconds" in loud.stderr
    assert quiet.stderr == b""
    assert_ours(signed_in.run("-q", "nobody", "--", "true"), 125, "unknown-role")


@pytest.mark.matrix(72)
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_what_was_closed_is_closed_for_the_command_and_nothing_else_is_open(
    closed: str, signed_in: World
) -> None:
    program = signed_in.home / "list.py"
    program.write_text(LIST_DESCRIPTORS)
    script = f"{PYTHON} list.py without {closed}; {GDS_EXEC} prod -q -- {PYTHON} list.py with {closed}"

    status, out, err = shell(signed_in, script)

    assert (status, out, err) == (0, b"", b"")
    assert (signed_in.home / "with").read_text() == (signed_in.home / "without").read_text()


@pytest.mark.matrix(14, 72)
def test_the_command_inherits_the_callers_descriptors_and_none_of_ours(world: World) -> None:
    world.add_role("prod")
    (world.home / "list.py").write_text(LIST_DESCRIPTORS)
    (world.home / "data").write_text("x")
    redirections = "3<data 7>>data 200<data"
    script = (
        f"{PYTHON} list.py without {redirections}; "
        f"{GDS_EXEC} prod --mfa-code {world.code()} -- {PYTHON} list.py cold {redirections}; "
        f"{GDS_EXEC} prod -- {PYTHON} list.py cached {redirections}"
    )

    status, _, err = shell(world, script)

    assert (status, err) == (0, b"")
    without = (world.home / "without").read_text()
    assert "(200, " in without
    assert (world.home / "cold").read_text() == without
    assert (world.home / "cached").read_text() == without


@pytest.mark.matrix(72)
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_failure_with_closed_streams_keeps_its_status_and_writes_into_no_file(
    closed: str, world: World
) -> None:
    config = world.config.read_bytes()
    status, out, err = shell(world, f"{GDS_EXEC} nobody -- true {closed}")

    assert status == 125
    assert out == b""
    assert b"unknown-role" in err or "2>&-" in closed
    assert world.config.read_bytes() == config


@pytest.mark.parametrize("arguments", ["whoami", "whoami --json", "--help", "--version"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_we_print_ourselves_arrives_or_is_an_error(
    arguments: str, unbuffered: str, world: World
) -> None:
    full = world.run_program(
        "bash", "-c", f"{GDS_EXEC} {arguments} >/dev/full", environ={"PYTHONUNBUFFERED": unbuffered}
    )
    closed = world.run_program("bash", "-c", f"{GDS_EXEC} {arguments} >&-")

    assert_ours(full, 125, "output-failed", "No space left on device")
    assert (closed.returncode, closed.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", ["--help", "--version", "whoami --help"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_a_closed_pipe_does_not_take_is_an_error(
    arguments: str, unbuffered: str, world: World
) -> None:
    script = f"exec 9> >(exit); wait $!; {GDS_EXEC} {arguments} >&9"

    done = world.run_program("bash", "-c", script, environ={"PYTHONUNBUFFERED": unbuffered})

    assert_ours(done, 125, "output-failed", "Broken pipe")


@pytest.mark.matrix(80)
@pytest.mark.parametrize(
    "environ",
    [
        {"TERM": "dumb"},
        {"TERM": ""},
        {"NO_COLOR": "1"},
        {"COLUMNS": "20"},
        {"COLUMNS": "1"},
        {"LANG": "C"},
        {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"LC_ALL": "nowhere.UTF-8"},
    ],
    ids=str,
)
def test_what_we_say_and_print_is_readable_in_poor_surroundings(
    environ: dict[str, str], world: World
) -> None:
    name = "équipe-📦"
    world.write_credentials(world.keys_section(name, world.user))
    listed = world.run("whoami", environ={**environ, "AWS_PROFILE": ""})
    helped = [world.run(*words, "--help", environ=environ) for words in ((), ("try",), ("whoami",))]
    refused = world.run("→📦", "--", "true", environ=environ)

    assert listed.returncode == 0
    assert world.user.arn.encode() in listed.stdout
    for help_page in helped:
        assert (help_page.returncode, help_page.stderr) == (0, b"")
        assert b"\x1b" not in help_page.stdout
    assert_ours(refused, 125, "unknown-role")


@pytest.mark.matrix(82)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a\x1b[31mb", id="ESC"),
        pytest.param("a\x9b31mb", id="C1"),
        pytest.param("a\u202eb\u2066", id="bidi"),
        pytest.param("[bold]", id="markup"),
        pytest.param("[/x]", id="markup that ends nothing"),
        pytest.param("a\u200b\ufeff", id="zero width"),
        pytest.param("a\nb", id="line feed"),
        pytest.param("\udcff\udcfe", id="not UTF-8"),
    ],
)
def test_names_from_outside_are_shown_and_do_nothing(name: str, world: World) -> None:
    world.add_role("prod")
    for argv, status in (
        ((name, "--", "true"), 125),
        (("prod", f"--{name}", "--", "true"), 2),
        (("prod", "--region", name, "--", "true"), 2),
        (("prod", "--source-profile", name, "--", "true"), 125),
        (("prod", "--", name), 127),
        (("whoami", "--source-profile", name), 125),
    ):
        result = world.run(*argv)

        assert_ours(result, status)
        assert_harmless(result.stderr)


@contextlib.contextmanager
def no_lasting_effects() -> Iterator[None]:
    try:
        yield
    finally:
        gc.enable()


HOSTILE = st.text(
    st.sampled_from("\x1b\x07\x9b\x9d\x00\r\n\t\u202e\u2066\u200d\ufeff\u2028\udcff[]/x '\"=-")
    | st.characters(),
    max_size=12,
)
WAYS_TO_SAY_A_NAME = [
    pytest.param(lambda name: [name, "--", "true"], id="role"),
    pytest.param(lambda name: ["--role", name, "--", "true"], id="--role"),
    pytest.param(lambda name: ["prod", f"--{name}", "--", "true"], id="option"),
    pytest.param(lambda name: ["prod", "--", name], id="command"),
    pytest.param(lambda name: ["prod", "--", f"./{name}"], id="path"),
    pytest.param(lambda name: ["prod", "--region", f" {name}", "--", "true"], id="region"),
    pytest.param(lambda name: ["prod", "--duration", name, "--", "true"], id="duration"),
    pytest.param(lambda name: ["prod", "--session-name", f" {name}", "--", "true"], id="session name"),
    pytest.param(lambda name: ["prod", "--source-profile", name, "--", "true"], id="source profile"),
    pytest.param(lambda name: ["whoami", "--source-profile", name], id="whoami"),
    pytest.param(lambda name: ["whoami", name], id="too many words"),
]


@pytest.mark.matrix(82, 92)
@pytest.mark.parametrize("argv_with", WAYS_TO_SAY_A_NAME)
def test_no_name_whatever_steers_the_terminal(argv_with: Callable[[str], list[str]], tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile prod]\nrole_arn = arn:aws:iam::1:role/x\n")
    environ = {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(config), "PATH": os.defpath}

    @given(HOSTILE)
    @settings(max_examples=25, deadline=None)
    def shown(name: str) -> None:
        said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()) as printed:
            with no_lasting_effects(), pytest.raises(GdsExecError) as caught:
                run_command_line(argv_with(name), environ)
            report(caught.value)
        assert_harmless(said.buffer.getvalue())
        assert printed.getvalue() == ""

    shown()


@pytest.mark.matrix(82)
def test_what_aws_says_is_shown_and_does_nothing(world: World) -> None:
    world.add_role("prod", mfa=False)
    message = "no\u202e way\u2028 [bold][/x]\x9b31m"
    world.aws.fail("AssumeRole", Fault("error", status=403, code="AccessDenied", message=message))

    result = world.run("prod", "--", "true")

    assert_ours(result, 125, r"no\u202e way\u2028 [bold][/x]\x9b31m")
    assert_harmless(result.stderr)
