import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gds_exec.errors import CommandNotExecutable, CommandNotFound, GdsExecError
from gds_exec.exec_errors import check_format, exec_failure

E2BIG = OSError(errno.E2BIG, os.strerror(errno.E2BIG))


def script(tmp_path: Path, head: bytes) -> str:
    path = tmp_path / "script"
    path.write_bytes(head)
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"#!/bin/sh\n", id="script"),
        pytest.param(b"#! \t/bin/sh -eu\nexit\n", id="blanks and an argument"),
        pytest.param(b"#!/bin/sh", id="no end of line"),
        pytest.param(b"#!/usr/bin/env python3\n", id="env"),
    ],
)
def test_a_script_with_an_interpreter_passes(head: bytes, tmp_path: Path) -> None:
    check_format(script(tmp_path, head))


def test_a_binary_passes() -> None:
    check_format(os.path.realpath(sys.executable))


def test_a_program_that_cannot_be_read_passes(tmp_path: Path) -> None:
    check_format(str(tmp_path / "gone"))


REFUSED = [  # matrix 85
    pytest.param(b"#!/no/such/sh\n", CommandNotFound, "is missing: /no/such/sh", id="bad shebang"),
    pytest.param(b"#!/bin/sh\r\n", CommandNotFound, r"is missing: /bin/sh\r", id="carriage return"),
    pytest.param(
        b"#!/etc/passwd\n", CommandNotExecutable, "/etc/passwd is not executable", id="not a program"
    ),
    pytest.param(b"#!/usr\n", CommandNotExecutable, "/usr is a directory", id="directory as interpreter"),
    pytest.param(b"#!\necho\n", CommandNotExecutable, "is not a program", id="no interpreter"),
    pytest.param(b"echo hello\n", CommandNotExecutable, "is not a program", id="no shebang"),
    pytest.param(b"", CommandNotExecutable, "is not a program", id="empty file"),
]


@pytest.mark.parametrize(("head", "error", "message"), REFUSED)
def test_what_the_kernel_will_refuse_is_found_beforehand(
    head: bytes, error: type[GdsExecError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error) as raised:
        check_format(script(tmp_path, head))

    assert message in raised.value.message


@pytest.mark.parametrize(("head", "error", "message"), REFUSED)
def test_the_kernel_agrees_with_what_is_found_beforehand(
    head: bytes, error: type[GdsExecError], message: str, tmp_path: Path
) -> None:
    path = script(tmp_path, head)

    with pytest.raises(OSError) as refused:  # noqa: PT011 - its errno is what exec_failure tells apart
        os.posix_spawn(path, ["script"], {})

    assert type(exec_failure(refused.value, path, ["script"], {})) is error


def test_a_first_line_from_windows_and_a_missing_one_come_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(CommandNotFound) as windows:
        check_format(script(tmp_path, b"#!/bin/sh\r\n"))
    with pytest.raises(CommandNotExecutable) as missing:
        check_format(script(tmp_path, b"echo\n"))

    assert windows.value.hint == "its lines end as on Windows: remove the carriage returns"
    assert missing.value.hint == "if it is a script, add a first line such as #!/bin/sh"


def test_a_binary_whose_loader_is_missing_is_not_called_missing_itself(tmp_path: Path) -> None:
    path = script(tmp_path, b"\x7fELF\0")

    failure = exec_failure(FileNotFoundError(errno.ENOENT, "no"), path, ["script"], {})

    assert isinstance(failure, CommandNotFound)
    assert failure.message == f"the loader that {path} was built for is missing"


def test_too_big_an_environment_names_the_biggest_variables_without_their_values() -> None:  # matrix 90
    environ = {"SMALL": "s", "B\x1b": "b" * 5000, "A": "a" * 200_000, "C": "c" * 4000}

    failure = exec_failure(E2BIG, "/bin/x", ["x"], environ)

    assert isinstance(failure, CommandNotExecutable)
    assert failure.message == (
        "the arguments (1 KiB) and the environment (205 KiB) are too big for /bin/x to be run"
    )
    assert failure.hint == (
        r"unset what is not needed; the biggest variables are A (196 KiB), B\x1b (5 KiB), C (4 KiB)"
    )


def test_too_long_arguments_are_said_to_be_the_cause() -> None:  # matrix 90
    failure = exec_failure(E2BIG, "/bin/x", ["x", "a" * 3_000_000], {"A": "a" * 100})

    assert "the arguments (2,930 KiB)" in failure.message
    assert failure.hint == "it is the arguments: give them in a file, or through xargs"


def test_the_kernel_finds_too_big_what_we_explain_as_too_big() -> None:  # matrix 90
    environ = {"BIG": "b" * 4_000_000}

    with pytest.raises(OSError) as refused:  # noqa: PT011 - its errno is what exec_failure tells apart
        subprocess.run(["/bin/true"], env=environ, check=False)

    hint = exec_failure(refused.value, "/bin/true", ["true"], environ).hint
    assert hint == "unset what is not needed; the biggest variables are BIG (3,907 KiB)"
