"""Becoming the command: found as a shell finds it, then execve.

The warm path loads this module; what words a failure needs are in `refusal`, imported where it fails.
"""

import _signal  # type: ignore[import-not-found]  # `signal` itself would import enum
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

# Python ignores these when it starts, and what is ignored stays ignored across execve: `yes | head -1`
# would end with an error. Python does not tell whether our caller ignored them too.
IGNORED_BY_PYTHON: "tuple[int, ...]" = (_signal.SIGPIPE, _signal.SIGXFSZ)
_COERCED_LOCALES = ("C.UTF-8", "C.utf8", "UTF-8")


def find_command(name: str, *, path: str | None) -> str:
    """Return the file that `name` stands for, as a shell finds it on the search path `path`.

    A name with a slash is itself; an empty entry of `path` is the working directory; without
    a `path` the system's default is searched. Raises `CommandNotFound` where there is no such
    file and `CommandNotExecutable` where there is only one that cannot be run.
    """
    if found := look_up(name, path=path):
        return found
    from gds_exec.exec_errors import not_executable, not_found

    for candidate in _candidates(name, path):
        if _exists(candidate, is_named="/" in name):
            raise not_executable(candidate)
    raise not_found(name)


def look_up(name: str, *, path: str | None) -> str | None:
    """Return the file that can be run by that name, or `None`."""
    for candidate in _candidates(name, path):
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None


def replace_process(
    path: str,
    argv: "Sequence[str]",
    environ: "Mapping[str, str]",
    *,
    execve: "Callable[[str, list[str], Mapping[str, str]], NoReturn]" = os.execve,
) -> "NoReturn":
    """Become the program at `path`.

    Raises `CommandNotFound` or `CommandNotExecutable` where the kernel will not have it.
    """
    _set_python_signals(_signal.SIG_DFL)
    try:
        execve(path, list(argv), environ)
    except (OSError, ValueError) as error:
        # We live on, and what we say about it may meet a closed pipe.
        _set_python_signals(_signal.SIG_IGN)
        from gds_exec.exec_errors import exec_failure

        raise exec_failure(error, path, argv, environ) from error


def open_standard_streams() -> None:
    """Open /dev/null on each of the descriptors 0 to 2 that is closed.

    Otherwise a file of ours would take that number, and what is written to "stderr" would
    land in it. They are close-on-exec: the command finds closed what it would have found
    closed without us.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is this one, for those below it are open by now.
            open_nowhere()


def open_nowhere(*, devnull: str = os.devnull) -> int:
    """Return a descriptor that reads nothing. Without /dev/null, writing to it fails."""
    try:
        return os.open(devnull, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        reading, writing = os.pipe()
        os.close(writing)
        return reading


def environment_as_given() -> dict[str, str]:
    """Return the environment without the LC_CTYPE that Python sets for itself in a C locale (PEP 538)."""
    environ = dict(os.environ)
    if environ.get("LC_CTYPE") in _COERCED_LOCALES and not environ.get("LC_ALL"):
        given = _lc_ctype_as_given()
        if given is None:
            del environ["LC_CTYPE"]
        else:
            environ["LC_CTYPE"] = given
    return environ


def _lc_ctype_as_given() -> str | None:
    """Return LC_CTYPE as our caller set it; where the kernel does not tell, as it probably was."""
    try:
        with open("/proc/self/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return None if sys.flags.utf8_mode else os.environ["LC_CTYPE"]
    name = b"LC_CTYPE="
    return next((os.fsdecode(entry.removeprefix(name)) for entry in entries if entry.startswith(name)), None)


def _candidates(name: str, path: str | None) -> "Sequence[str]":
    if not name:
        return ()
    if "/" in name:
        return (name,)
    entries = (os.defpath if path is None else path).split(":")
    return [f"{entry or '.'}/{name}" for entry in entries]


def _exists(path: str, *, is_named: bool) -> bool:
    try:
        os.stat(path)
    except PermissionError:
        return is_named  # a directory of the PATH that we may not search says nothing of the command
    except (OSError, ValueError):
        return False
    return True


def _set_python_signals(disposition: int) -> None:
    for number in IGNORED_BY_PYTHON:
        _signal.signal(number, disposition)
