import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from gds_exec.errors import CommandNotExecutable, CommandNotFound, GdsExecError
from gds_exec.execute import find_command, open_nowhere, replace_process


def program(path: Path, text: str = "#!/bin/sh\n", *, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


class Replaced(BaseException):
    """What would have been executed."""


def recording_execve(path: str, argv: list[str], environ: Mapping[str, str]) -> NoReturn:
    raise Replaced(path, argv, dict(environ))


def failing_execve(number: int) -> Callable[[str, list[str], Mapping[str, str]], NoReturn]:
    def execve(path: str, argv: list[str], environ: Mapping[str, str]) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return execve


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_the_first_executable_file_on_the_path_is_found(tmp_path: Path) -> None:
    program(tmp_path / "one" / "tool", mode=0o644)
    (tmp_path / "two" / "tool").mkdir(parents=True)
    wanted = program(tmp_path / "three" / "tool")
    program(tmp_path / "four" / "tool")
    path = ":".join(str(tmp_path / name) for name in ("none", "one", "two", "three", "four"))

    assert find_command("tool", path=path) == str(wanted)


@pytest.mark.parametrize("path", ["", ":/nonexistent", "/nonexistent:", "/nonexistent::/none"])
def test_an_empty_path_entry_is_the_working_directory(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "tool")
    monkeypatch.chdir(tmp_path)

    assert find_command("tool", path=path) == "./tool"


def test_a_name_with_a_slash_is_not_searched_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin" / "tool")
    monkeypatch.chdir(tmp_path)

    assert find_command("bin/tool", path="/nonexistent") == "bin/tool"


def test_without_a_path_the_default_of_the_system_is_searched() -> None:
    assert find_command("sh", path=None).endswith("/sh")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [  # matrix 85, 92
        pytest.param("nothing", CommandNotFound, "there is no command nothing on the PATH", id="not found"),
        pytest.param("./nothing", CommandNotFound, "there is no file ./nothing", id="no such file"),
        pytest.param("plain", CommandNotExecutable, "plain is not executable", id="not executable"),
        pytest.param("./plain", CommandNotExecutable, "./plain is not executable", id="this file is not"),
        pytest.param(
            "directory", CommandNotExecutable, "directory is a directory", id="directory on the PATH"
        ),
        pytest.param("./directory", CommandNotExecutable, "./directory is a directory", id="directory"),
        pytest.param("./plain/x", CommandNotFound, "there is no file ./plain/x", id="under a file"),
        pytest.param("./loop", CommandNotFound, "there is no file ./loop", id="symlink to itself"),
        pytest.param("./fifo", CommandNotExecutable, "./fifo cannot be run: permission denied", id="no file"),
        pytest.param("", CommandNotFound, "the command is an empty string", id="empty"),
        pytest.param("a\0b", CommandNotFound, r"there is no command a\x00b on the PATH", id="NUL"),
        pytest.param("x" * 5000, CommandNotFound, "there is no command xxx", id="too long"),
        pytest.param(
            "\x1b[2J", CommandNotFound, r"there is no command \x1b[2J on the PATH", id="escape sequence"
        ),
    ],
)
def test_what_cannot_be_run_is_told_apart(
    name: str, error: type[GdsExecError], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "plain", mode=0o644)
    (tmp_path / "directory").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(error) as raised:
        find_command(name, path=f"/nonexistent:{tmp_path}")

    assert message in raised.value.message
    assert raised.value.exit_status == {CommandNotFound: 127, CommandNotExecutable: 126}[error]


def test_the_program_gets_its_arguments_and_environment() -> None:
    with pytest.raises(Replaced) as replaced:
        replace_process("/bin/tool", ("tool", "-d", "--"), {"A": "1"}, execve=recording_execve)

    assert replaced.value.args == ("/bin/tool", ["tool", "-d", "--"], {"A": "1"})


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOENT, CommandNotFound),
        (errno.EACCES, CommandNotExecutable),
        (errno.EPERM, CommandNotExecutable),
        (errno.ENOEXEC, CommandNotExecutable),
        (errno.ETXTBSY, CommandNotExecutable),
    ],
)
def test_what_the_kernel_refuses_is_translated(number: int, error: type[GdsExecError]) -> None:
    with pytest.raises(error):
        replace_process("/nonexistent/tool", ["tool"], {}, execve=failing_execve(number))


def test_an_argument_with_a_nul_is_refused() -> None:  # matrix 92
    with pytest.raises(CommandNotExecutable, match="embedded null byte"):
        replace_process("/bin/true", ["true", "a\0b"], {})


def test_the_command_ignores_no_signal_that_python_ignores() -> None:  # matrix 88
    code = (
        "import os; from gds_exec.execute import find_command, replace_process;"
        "grep = find_command('grep', path=os.environ['PATH']);"
        "replace_process(grep, ['grep', 'SigIgn', '/proc/self/status'], {})"
    )

    ignored = int(run(code).stdout.split()[1], 16)
    assert not ignored & sum(1 << number - 1 for number in (signal.SIGPIPE, signal.SIGXFSZ))


def test_bytes_that_are_not_utf8_reach_the_command() -> None:  # matrix 91
    code = (
        "import os; from gds_exec.execute import replace_process as r;"
        r"r('/bin/sh', ['sh', '-c', 'printf \"$1$V\" | od -An -tx1', 'sh', os.fsdecode(b'\xff\xfe')],"
        r" {'V': os.fsdecode(b'\x80'), 'PATH': os.environ['PATH']})"
    )

    assert run(code).stdout.split() == ["ff", "fe", "80"]


def test_a_failed_replacement_leaves_us_able_to_say_so_into_a_closed_pipe() -> None:
    code = (
        "import os\n"
        "from gds_exec.execute import replace_process\n"
        "from gds_exec.errors import CommandNotFound\n"
        "reading, writing = os.pipe(); os.close(reading)\n"
        "try: replace_process('/nonexistent/x', ['x'], {})\n"
        "except CommandNotFound: pass\n"
        "try: os.write(writing, b'x')\n"
        "except BrokenPipeError: print('alive')\n"
    )

    assert run(code).stdout == "alive\n"


OPEN_STREAMS = """
import os, sys
from gds_exec.execute import open_standard_streams, replace_process
open_standard_streams()
ours = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
is_kept = [os.path.exists(f"/dev/fd/{number}") for number in (0, 1, 2)]
os.write(ours, f"{ours > 2} {is_kept}\\n".encode())
os.set_inheritable(ours, True)
test = 'for n in 0 1 2; do if [ -e /dev/fd/$n ]; then echo $n open >&%d; else echo $n closed >&%d; fi; done'
replace_process("/bin/sh", ["sh", "-c", test % (ours, ours)], {})
"""


def test_closed_standard_streams_are_held_for_us_and_closed_for_the_command(
    tmp_path: Path,
) -> None:  # matrix 72
    script, report = tmp_path / "script.py", tmp_path / "report"
    script.write_text(OPEN_STREAMS)

    subprocess.run(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, str(script), str(report)],
        timeout=30,
        check=True,
    )

    assert report.read_text().splitlines() == [
        "True [True, True, True]",
        "0 closed",
        "1 closed",
        "2 closed",
    ]


def test_finding_and_replacing_load_nothing_that_only_a_failure_needs() -> None:
    code = (
        "import sys; before = set(sys.modules); import gds_exec.execute as r;"
        "r.find_command('sh', path=None); print(sorted(set(sys.modules) - before))"
    )

    assert run(code).stdout == "['gds_exec', 'gds_exec.execute']\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may search every directory")
def test_a_directory_of_the_path_that_may_not_be_searched_holds_nothing(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o000)

    with pytest.raises(CommandNotFound):
        find_command("nothing", path=str(closed))
    with pytest.raises(CommandNotExecutable):
        find_command(f"{closed}/nothing", path="")


@pytest.mark.parametrize("devnull", [os.devnull, "/no/such/device"], ids=["/dev/null", "no /dev/null"])
def test_nothing_can_be_read_from_nowhere(devnull: str) -> None:
    nowhere = open_nowhere(devnull=devnull)
    try:
        assert os.read(nowhere, 1) == b""
        assert not os.get_inheritable(nowhere)
    finally:
        os.close(nowhere)
