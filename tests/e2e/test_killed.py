"""A killed gds-exec leaves nothing behind, and other processes cannot read a live one."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gds_exec.child.process_info import process_mark

from .world import GDS_EXEC, PROMPT, PYTHON, World, finish

LONG_LIVED = "[other]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = a-secret\n"
TOLD = b"removed a copy of your long-lived access key that a killed gds-exec had left on this disk"
only_on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked")
# Reads another process of the same user through /proc, without root's capabilities.
READ = """
import sys
for name in ("environ", "mem", "maps"):
    try:
        with open(f"/proc/{sys.argv[1]}/{name}", "rb") as file:
            file.read(1) if name != "mem" else None
        print(name, "readable")
    except OSError as error:
        print(name, error.strerror)
"""


@pytest.fixture
def dead() -> str:
    """The mark of a process that has ended."""
    with subprocess.Popen([PYTHON, "-c", "input()"], stdin=subprocess.PIPE) as process:
        mark = process_mark(process.pid)
        process.kill()
    return mark


def leave_copy(directory: Path, mark: str) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / f"{mark}.0123.credentials"
    path.touch(0o600)
    path.write_text(LONG_LIVED)
    return path


@pytest.mark.matrix(37)
@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("prod", "--new-session", "--no-input", "--", "true"), id="a cold start"),
        pytest.param(("-q", "prod", "--new-session", "--no-input", "--", "true"), id="quiet"),
        pytest.param(("sessions",), id="sessions"),
        pytest.param(("sessions", "clear"), id="sessions clear"),
        pytest.param(("sessions", "clear", "prod"), id="sessions clear ROLE"),
    ],
)
def test_a_copy_of_a_dead_process_is_removed_at_once_with_a_warning(
    argv: tuple[str, ...], signed_in: World, dead: str
) -> None:
    left = leave_copy(signed_in.cache, dead)
    in_use = leave_copy(signed_in.cache, process_mark(os.getpid()))

    done = signed_in.run(*argv)

    assert done.stderr.count(TOLD) == 1, done.stderr
    assert not left.exists()
    assert in_use.exists()
    assert TOLD not in signed_in.run(*argv).stderr


@pytest.mark.matrix(37)
def test_a_session_that_a_dead_process_was_writing_is_removed_silently(signed_in: World, dead: str) -> None:
    left = signed_in.cache / f"{dead}.0123.tmp"
    left.write_bytes(signed_in.sessions()[0].read_bytes())

    done = signed_in.run("prod", "--new-session", "--no-input", "--", "true")

    assert (done.returncode, done.stderr) == (0, b"")
    assert not left.exists()


@pytest.mark.matrix(37)
def test_what_a_dead_writer_left_beside_the_credentials_file_is_removed(signed_in: World, dead: str) -> None:
    left = signed_in.credentials.with_name(f".credentials.{dead}.gds-exec.tmp")
    left.write_text(signed_in.credentials.read_text())

    done = signed_in.run("prod", "--new-session", "--no-input", "--", "true")

    assert TOLD in done.stderr
    assert not left.exists()


@pytest.mark.matrix(37)
@pytest.mark.parametrize("argv", [("prod", "--", "true"), ("sessions", "clear")], ids=["a job", "clear"])
def test_copies_of_a_job_that_has_no_cache_are_removed_by_the_next(
    argv: tuple[str, ...], world: World, dead: str
) -> None:
    world.add_role("prod", mfa=False)
    temporary = world.home / "tmp"
    left = leave_copy(temporary / f"gds-exec-{dead}.0123", "a")
    in_use = leave_copy(temporary / f"gds-exec-{process_mark(os.getpid())}.0123", "a")

    done = world.run(*argv, environ={"CI": "true", "TMPDIR": str(temporary)})

    assert (done.returncode, done.stderr.count(TOLD)) == (0, 1), done.stderr
    assert not left.parent.exists()
    assert in_use.exists()


@pytest.mark.matrix(21)
@pytest.mark.parametrize(("argv", "is_kept"), [(("sessions",), True), (("sessions", "clear"), False)])
def test_a_session_in_the_older_format_stays_until_it_is_cleared(
    argv: tuple[str, ...], is_kept: bool, signed_in: World
) -> None:
    older = signed_in.sessions()[0].with_suffix(".session1")
    older.touch(0o600)
    text = signed_in.sessions()[0].read_text().rpartition("checksum=")[0]
    older.write_text(text)

    assert signed_in.run(*argv).returncode == 0
    assert older.exists() is is_kept


def quit_at(world: World, prompt: str, *argv: str) -> int:
    """Press Ctrl-\\ at a prompt where core files are allowed; return the wait status."""
    limited = ("bash", "-c", 'ulimit -c unlimited 2>/dev/null; exec "$@"', "bash", *argv)
    terminal = world.terminal_program(*limited)
    terminal.expect(prompt)
    terminal.sendcontrol("\\")
    finish(terminal)
    assert terminal.signalstatus == signal.SIGQUIT
    return int(terminal.status)


@only_on_linux
def test_a_quit_at_the_prompt_writes_no_core_file(world: World) -> None:
    world.add_role("prod")
    if not os.WCOREDUMP(quit_at(world, "Ask: ", PYTHON, "-c", "input('Ask: ')")):
        pytest.skip("this machine writes no core files")

    assert not os.WCOREDUMP(quit_at(world, PROMPT, GDS_EXEC, "prod", "--", "true"))


def without_capabilities() -> tuple[str, ...]:
    """Return a command that runs another with the rights of an ordinary user."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    return ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


def seen_by_another(pid: int) -> list[str]:
    """Return what another process of the same user can read of this one."""
    argv = [*without_capabilities(), PYTHON, "-c", READ, str(pid)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()


@only_on_linux
def test_at_the_prompt_no_other_process_can_read_our_memory(world: World) -> None:
    world.add_role("prod")
    argv = (GDS_EXEC, "prod", "--", "sh", "-c", "echo started; read line")
    terminal = world.terminal_program(*without_capabilities(), *argv)
    terminal.expect(PROMPT)

    at_the_prompt = seen_by_another(terminal.pid)
    terminal.sendline(world.code())
    terminal.expect("started")
    of_the_command = seen_by_another(terminal.pid)

    assert at_the_prompt == ["environ Permission denied", "mem Permission denied", "maps Permission denied"]
    assert of_the_command == ["environ readable", "mem readable", "maps readable"]
    terminal.sendline("")
    finish(terminal)


@only_on_linux
def test_while_a_command_is_refreshed_no_other_process_can_read_our_memory(signed_in: World) -> None:
    argv = (GDS_EXEC, "prod", "--refresh", "--", "sh", "-c", "echo command $$; read line")
    terminal = signed_in.terminal_program(*without_capabilities(), *argv)
    terminal.expect(r"command (\d+)\r")

    of_ours = seen_by_another(terminal.pid)
    of_the_command = seen_by_another(int(terminal.match[1]))

    assert of_ours == ["environ Permission denied", "mem Permission denied", "maps Permission denied"]
    assert of_the_command == ["environ readable", "mem readable", "maps readable"]
    terminal.sendline("")
    finish(terminal)
