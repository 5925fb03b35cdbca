"""`gds-exec try`, as someone without an AWS account meets it; the smoke test of every Python version."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import psutil
import pytest

from .expectations import assert_ours, assert_speaks_as_ours
from .patience import eventually, insist
from .world import GDS_EXEC, PROMPT, PYTHON, World, finish, needs

BOTO3_IDENTITY = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
SHOWN_CODE = re.compile(r"MFA device shows (\d{3}) (\d{3}) for \d+ s more")
DEMONSTRATION = ("gds-exec", "try-readonly", "--", "gds-exec", "whoami")
# Whoever is asked to start says who it is, and then lives until it is told to end.
ENDLESS = 'echo "pid $$"; exec sleep 60'


@pytest.fixture
def temporary(world: World, tmp_path: Path) -> Path:
    """Where the sandbox puts its files in this test."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    world.environ["TMPDIR"] = str(directory)
    return directory


@pytest.fixture(autouse=True)
def nothing_is_left_behind(world: World, temporary: Path) -> Iterator[None]:
    """After every test: the files are gone, and nobody ever asked the user's own AWS."""
    yield
    assert list(temporary.glob("gds-exec-*")) == []
    assert world.aws.calls == []


def contents(directory: Path) -> dict[Path, tuple[bytes, int]]:
    """What every file below `directory` holds, and when it was last written."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


# Without a terminal


def test_the_demonstration_needs_no_terminal_and_no_account(world: World) -> None:
    done = world.run("try", "--", *DEMONSTRATION)
    assert done.returncode == 0, done.stderr
    base, role = done.stdout.decode().splitlines()
    assert base == "base  arn:aws:iam::111111111111:user/try-user  (try-user)"
    assert role.startswith("role  arn:aws:sts::222222222222:assumed-role/readonly/")
    assert role.endswith("  (try-readonly)")
    assert done.stderr == b""


def test_every_role_opens_and_a_long_session_takes_a_second_code(world: World) -> None:
    # Given by hand: a helper's code is not asked for until the step of a spent one has passed.
    script = (
        "for role in try-readonly try-chained try-no-mfa "
        '"try-admin --duration 12h --mfa-code $(gds-exec try-readonly -- gds-exec try code)"; do '
        f'gds-exec $role -- "$PYTHON" -c "{BOTO3_IDENTITY}" || exit; done'
    )
    done = world.run("try", "--", "sh", "-c", script, environ={"PYTHON": PYTHON})
    assert done.returncode == 0, done.stderr
    assert [line.rpartition("/")[0] for line in done.stdout.decode().splitlines()] == [
        "arn:aws:sts::222222222222:assumed-role/readonly",
        "arn:aws:sts::333333333333:assumed-role/chained",
        "arn:aws:sts::222222222222:assumed-role/no-mfa",
        "arn:aws:sts::222222222222:assumed-role/admin",
    ]


@needs("aws")
def test_the_aws_cli_answers_from_the_sandbox(world: World) -> None:
    ask = "aws sts get-caller-identity --query Arn --output text"
    done = world.run("try", "--", "sh", "-c", f"gds-exec try-readonly -- {ask}; {ask} --profile try-user")
    assert done.returncode == 0, done.stderr
    as_role, as_user = done.stdout.decode().splitlines()
    assert as_role.startswith("arn:aws:sts::222222222222:assumed-role/readonly/")
    assert as_user == "arn:aws:iam::111111111111:user/try-user"


def test_what_the_user_has_is_neither_read_nor_touched(world: World, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    profile = f"credential_process = touch {trap}\nregion = xx-trap-1\n"
    world.write_config(
        f"[default]\n{profile}[profile try-readonly]\n{profile}[profile try-user]\n{profile}"
        f"[profile gds-users]\nmfa_process = touch {trap}\n"
    )
    world.write_credentials("[try-user]\naws_access_key_id = AKIATRAP\naws_secret_access_key = trap\n")
    before = contents(world.home)
    poison = {
        "AWS_PROFILE": "nonsense",
        "AWS_ACCESS_KEY_ID": "AKIATRAP",
        "AWS_SECRET_ACCESS_KEY": "trap",
        "AWS_REGION": "xx-trap-1",
        "AWS_CONFIG_FILE": str(world.config),
        "AWS_SHARED_CREDENTIALS_FILE": str(world.credentials),
        "AWS_ENDPOINT_URL_STS": world.url,
        "GDS_EXEC_ROLE": "nonsense",
        "GDS_EXEC_SOURCE_PROFILE": "nonsense",
        "GDS_EXEC_SESSION_NAME": "trap",
        "GDS_EXEC_MFA_CODE": "000000",
        "GDS_EXEC_CACHE_DIR": str(world.home / "trap"),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "AWS_CA_BUNDLE": "/nonexistent",
    }
    done = world.run("try", "--", *DEMONSTRATION, environ=poison)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert b"assumed-role/readonly/" in done.stdout
    assert b"trap" not in done.stdout
    assert contents(world.home) == before
    assert not trap.exists()


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(b"[profile x\nrole_arn", id="torn"),
        pytest.param(b"\xff\xfe\x00[", id="binary"),
        pytest.param(b"region = eu-west-2\n[default]\n", id="without a section"),
    ],
)
def test_a_user_whose_files_are_broken_can_still_play(world: World, config: bytes) -> None:
    world.write_config(config)
    assert world.run("try", "--", "true").returncode == 0


def test_a_role_of_the_user_s_with_that_name_is_not_hidden_by_the_word(world: World) -> None:
    world.write_config("[profile try]\nregion = eu-west-2\n")
    said = assert_ours(world.run("try", "--", "true"), 2, "'try'", "[usage]")
    assert "hint: gds-exec --role try " in said


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("exit 0", 0),
        ("exit 3", 3),
        ("exit 255", 255),
        ("kill -TERM $$", -signal.SIGTERM),
        ("kill -KILL $$", -signal.SIGKILL),
        ("kill -INT $$", -signal.SIGINT),
        ("gds-exec try-readonly -- sh -c 'exit 42'", 42),
        ("exec gds-exec try-readonly -- sh -c 'kill -HUP $$'", -signal.SIGHUP),
    ],
)
def test_the_exit_status_is_the_command_s(world: World, script: str, status: int) -> None:
    done = world.run("try", "--", "sh", "-c", script)
    assert done.returncode == status
    assert done.stdout + done.stderr == b""


@pytest.mark.parametrize(
    ("command", "environ", "status", "word"),
    [
        pytest.param(["no-such-command"], {}, 127, "no-such-command", id="no such command"),
        pytest.param(["/etc"], {}, 126, "/etc", id="a directory"),
        pytest.param(
            ["gds-exec", "try-nomfa", "--", "true"], {}, 125, "did you mean 'try-no-mfa'", id="role"
        ),
    ],
)
def test_what_cannot_run_is_said(
    world: World, command: list[str], environ: dict[str, str], status: int, word: str
) -> None:
    assert_ours(world.run("try", "--", *command, environ=environ), status, word)


def test_a_shell_that_is_not_there_is_said(world: World) -> None:
    done = world.run("try", environ={"SHELL": "/nonexistent/zsh"})
    assert done.returncode == 127
    assert_speaks_as_ours(done.stderr.decode(), "/nonexistent/zsh", "[not-found]")


def test_the_streams_are_the_command_s_to_the_byte(world: World) -> None:
    data = bytes(range(256)) * 400
    done = world.run("try", "--", "cat", input=data)
    assert (done.returncode, done.stdout, done.stderr) == (0, data, b"")


@pytest.mark.parametrize("separator", [("--",), ()], ids=["with --", "without --"])
def test_the_command_s_options_are_its_own(world: World, separator: tuple[str, ...]) -> None:
    done = world.run("try", *separator, "printf", "<%s>", "-d", "--debug", "--", "--help", "-h")
    assert (done.returncode, done.stdout) == (0, b"<-d><--debug><--><--help><-h>"), done.stderr


def test_a_script_on_standard_input_runs_in_the_shell(world: World) -> None:
    done = world.run("try", input=b"gds-exec try-no-mfa -- sh -c 'echo $GDS_EXEC_ROLE'\nexit 4\n")
    assert (done.returncode, done.stdout) == (4, b"try-no-mfa\n")


def test_one_sandbox_in_another_has_its_own_device(world: World) -> None:
    codes = world.run("try", "--", "sh", "-c", "gds-exec try code; gds-exec try -- gds-exec try code")
    assert codes.returncode == 0, codes.stderr
    outer, inner = codes.stdout.decode().split()
    assert outer != inner


# Ending it


@contextmanager
def playing(world: World, script: str = ENDLESS) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Start a command in a sandbox, without a terminal, and yield both and the command's pid."""
    process = subprocess.Popen(
        [GDS_EXEC, "try", "--", "sh", "-c", script],
        env=world.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline().removeprefix("pid "))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_it_ends_the_command_and_leaves_no_trace(world: World, number: signal.Signals) -> None:
    with playing(world) as (process, command):
        process.send_signal(number)
        assert process.wait(20) == -number
        assert is_gone(command)


def test_a_command_that_handles_the_signal_has_the_last_word(world: World) -> None:
    script = "trap 'exit 9' TERM; echo \"pid $$\"; while :; do sleep 0.05; done"
    with playing(world, script) as (process, command):
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 9
        assert is_gone(command)


def test_the_code_can_be_asked_for_from_outside(world: World) -> None:
    script = (
        'echo "pid $$"; read code < fifo; exec gds-exec try-readonly --mfa-code "$code" -- gds-exec whoami'
    )
    os.mkfifo(world.home / "fifo")
    world.environ["GDS_EXEC_NO_INPUT"] = "1"  # which does not reach the inside
    with playing(world, f"cd {world.home}; {script}") as (process, _):
        code = world.run("try", "code")
        assert code.returncode == 0, code.stderr
        assert re.fullmatch(rb"\d{6}\n", code.stdout)
        (world.home / "fifo").write_bytes(code.stdout)
        told, _ = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "assumed-role/readonly/" in told
    assert_ours(world.run("try", "code"), 125, "no sandbox is running", "hint: start one with: gds-exec try")


# With a person


def play(world: World, *command: str, shell: str = "/bin/sh") -> pexpect.spawn:
    environ = {"SHELL": shell, "TERM": "dumb", "PS1": "$ "}
    return world.terminal("try", *command, environ=environ)


def shown_code(terminal: pexpect.spawn) -> str:
    """Read what the greeting says that the device shows."""
    terminal.expect(SHOWN_CODE)
    return "".join(terminal.match.groups())


def test_the_person_types_the_code_that_was_shown(world: World) -> None:
    terminal = play(world, "--", *DEMONSTRATION)
    code = shown_code(terminal)
    terminal.expect(f"{PROMPT}try-readonly ")
    terminal.sendline(f"{code[:3]} {code[3:]}")
    assert "assumed-role/readonly/" in finish(terminal)
    assert terminal.exitstatus == 0


def start_shell(world: World, name: str) -> tuple[pexpect.spawn, str]:
    """Open the shell of that name in a sandbox; return its terminal and the code that is shown."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    # Newcomers are asked questions by zsh, and fish reads all manuals in the background.
    (world.home / ".zshrc").touch()
    (world.home / ".local" / "share" / "fish" / "generated_completions").mkdir(parents=True)
    terminal = play(world, shell=path)
    return terminal, shown_code(terminal)


@pytest.mark.parametrize("name", ["sh", "bash", "zsh", "fish"])
def test_a_shell_lives_in_the_sandbox_until_it_exits(world: World, name: str) -> None:
    terminal, code = start_shell(world, name)
    terminal.sendline("gds-exec try-readonly -- gds-exec whoami")
    terminal.expect(PROMPT)
    terminal.sendline(code)
    terminal.expect("assumed-role/readonly/")
    terminal.sendline("gds-exec try-chained -- gds-exec whoami")
    terminal.expect("assumed-role/chained/")  # without another code
    terminal.sendline("gds-exec try code")
    terminal.expect(r"(?<!\d)\d{6}\r\n")
    terminal.sendintr()
    insist(terminal, f"{PYTHON} -c 'print(6 * 7)'", r"(?<!\d)42\r\n")
    terminal.sendline("exit 7")
    finish(terminal)
    assert terminal.exitstatus == 7


def test_ctrl_c_is_the_command_s_own(world: World) -> None:
    terminal = play(world, "--", PYTHON, "-i", "-q")
    terminal.expect(">>> ")
    # Python misses a Ctrl-C that comes between its prompt and its wait for a key.
    for _ in range(10):
        terminal.sendintr()
        if terminal.expect(["KeyboardInterrupt", pexpect.TIMEOUT], timeout=10) == 0:
            break
    terminal.expect(">>> ")
    terminal.sendline("import os; os.system('gds-exec try-no-mfa -- sh -c \"echo as \\$GDS_EXEC_ROLE\"')")
    terminal.expect("as try-no-mfa")
    terminal.sendline("os._exit(42)")
    finish(terminal)
    assert terminal.exitstatus == 42


def test_ctrl_c_kills_a_command_that_does_not_heed_it(world: World) -> None:
    terminal = play(world, "--", "sh", "-c", "echo begun-$((1 + 1)); exec sleep 60")
    terminal.expect("begun-2")
    terminal.sendintr()
    finish(terminal)
    assert terminal.signalstatus == signal.SIGINT


def test_ctrl_c_ends_what_runs_in_the_shell_and_not_the_shell(world: World) -> None:
    terminal, _ = start_shell(world, "bash")
    terminal.sendline("sh -c 'echo begun-$((1 + 1)); exec sleep 60'")
    terminal.expect("begun-2")
    terminal.sendintr()
    insist(terminal, "echo status-$?", "status-130")
    terminal.sendline("gds-exec try-no-mfa -- sh -c 'echo I am $GDS_EXEC_ROLE'")
    terminal.expect("I am try-no-mfa")
    terminal.sendline("exit")
    finish(terminal)
    assert terminal.exitstatus == 0


def test_closing_the_terminal_ends_all_of_it(world: World, temporary: Path) -> None:
    terminal, _ = start_shell(world, "bash")
    terminal.sendline('echo "pid:$$:"')
    terminal.expect(r"pid:(\d+):")
    shell = int(terminal.match.group(1))
    terminal.close(force=False)  # hangs up, and sends nothing else to someone who heeds it

    def nothing_lives() -> None:
        assert is_gone(shell)
        assert list(temporary.glob("gds-exec-*")) == []

    eventually(nothing_lives)


def test_ctrl_z_stops_it_and_fg_continues_it(world: World) -> None:
    terminal = world.terminal_program(
        "bash", "--norc", "--noediting", "-i", environ={"TERM": "dumb", "PS1": "$ "}
    )
    terminal.sendline("gds-exec try -- sh -c 'echo begun-$((1 + 1)); read it; echo got-$it; exit 5'")
    terminal.expect("begun-2")
    terminal.send("\x1a")
    terminal.expect("Stopped")
    terminal.sendline("fg")
    terminal.expect("exit 5'\r\n")
    insist(terminal, "again", "got-again")
    insist(terminal, "echo status-$?", "status-5")
    terminal.sendline("exit")
    finish(terminal)
