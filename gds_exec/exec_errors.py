"""Why a command cannot be run, in words; and whether it will be refused, before anyone is asked."""

from __future__ import annotations

import errno
import os

from gds_exec.errors import CommandNotExecutable, CommandNotFound
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gds_exec.errors import GdsExecError

# More than the 256 bytes that Linux reads of a first line, and the 512 of macOS.
_FORMAT_BYTES = 1024


def check_format(path: str) -> None:
    """Raise the error that executing the file `path` would end in, as far as its first bytes tell.

    A script's interpreter may be missing, and a text without `#!` is no program to the kernel
    although a shell would run it. Binary formats are the kernel's to judge.
    """
    head = _first_bytes(path)
    if head is None:
        return
    if head.startswith(b"#!"):
        _check_interpreter(path, head)
    elif b"\0" not in head:
        raise _unknown_format(path)


def exec_failure(
    error: OSError | ValueError, path: str, argv: Sequence[str], environ: Mapping[str, str]
) -> GdsExecError:
    """Return what `error`, raised on executing `path`, means to a person."""
    if isinstance(error, ValueError):
        return CommandNotExecutable(f"{show(path)} cannot be run: {error}")
    if error.errno == errno.E2BIG:
        return _too_big(path, argv, environ)
    if error.errno == errno.ENOEXEC:
        return _unknown_format(path)
    if error.errno == errno.ENOENT:
        return _missing(path)
    return CommandNotExecutable(f"{show(path)} cannot be run: {error.strerror}")


def not_found(name: str) -> GdsExecError:
    """Return the error for a command of which there is no file."""
    if not name:
        return CommandNotFound("the command is an empty string")
    if "/" in name:
        return CommandNotFound(f"there is no file {show(name)}")
    return CommandNotFound(f"there is no command {show(name)} on the PATH")


def not_executable(path: str) -> GdsExecError:
    """Return the error for a file, or what is not even one, that may not be executed."""
    if os.path.isdir(path):
        return CommandNotExecutable(f"{show(path)} is a directory")
    if os.path.isfile(path):
        import shlex

        hint = f"chmod +x {show(shlex.quote(path))}"
        return CommandNotExecutable(f"{show(path)} is not executable", hint=hint)
    return CommandNotExecutable(f"{show(path)} cannot be run: permission denied")


def _first_bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(_FORMAT_BYTES)
    except OSError:
        return None  # a program may be executable without being readable


def _check_interpreter(path: str, head: bytes) -> None:
    interpreter = _interpreter(head)
    if not interpreter:
        raise _unknown_format(path)
    if not os.path.exists(interpreter):
        raise _no_interpreter(path, interpreter)
    if not (os.path.isfile(interpreter) and os.access(interpreter, os.X_OK)):
        raise not_executable(interpreter)


def _interpreter(head: bytes) -> str:
    # The kernel ends the name at a space, a tab or the end of the line, and at nothing else:
    # not at the carriage return of a file from Windows.
    line = head.removeprefix(b"#!").split(b"\n", 1)[0].replace(b"\t", b" ").strip(b" ")
    return os.fsdecode(line.split(b" ", 1)[0])


def _missing(path: str) -> GdsExecError:
    head = _first_bytes(path)
    if head is None:
        return not_found(path)
    if head.startswith(b"#!"):
        return _no_interpreter(path, _interpreter(head))
    # A binary names its loader as a script names its interpreter.
    return CommandNotFound(f"the loader that {show(path)} was built for is missing")


def _no_interpreter(path: str, interpreter: str) -> GdsExecError:
    hint = None
    if interpreter.endswith("\r"):
        hint = "its lines end as on Windows: remove the carriage returns"
    return CommandNotFound(f"the interpreter of {show(path)} is missing: {show(interpreter)}", hint=hint)


def _unknown_format(path: str) -> GdsExecError:
    return CommandNotExecutable(
        f"{show(path)} is not a program that this system can run",
        hint="if it is a script, add a first line such as #!/bin/sh",
    )


def _too_big(path: str, argv: Sequence[str], environ: Mapping[str, str]) -> GdsExecError:
    arguments = sum(_size(argument) for argument in argv)
    variables = {name: _size(name) + _size(value) for name, value in environ.items()}
    environment = sum(variables.values())
    return CommandNotExecutable(
        f"the arguments ({_kib(arguments)}) and the environment ({_kib(environment)})"
        f" are too big for {show(path)} to be run",
        hint=_how_to_shrink_arguments() if arguments > environment else _how_to_shrink(variables),
    )


def _how_to_shrink_arguments() -> str:
    return "it is the arguments: give them in a file, or through xargs"


def _how_to_shrink(variables: Mapping[str, int]) -> str:
    biggest = sorted(variables, key=lambda name: (-variables[name], name))[:3]
    listed = ", ".join(f"{show(name)} ({_kib(variables[name])})" for name in biggest)
    return f"unset what is not needed; the biggest variables are {listed}"


def _size(text: str) -> int:
    return len(os.fsencode(text)) + 1


def _kib(size: int) -> str:
    return f"{-(-size // 1024):,} KiB"
