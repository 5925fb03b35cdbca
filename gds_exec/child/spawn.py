"""Start programs: a command as our child and in our process group, or a detached program of ours."""

from __future__ import annotations

import os
import signal
import time

from gds_exec.child.prctl import end_with
from gds_exec.exec_errors import exec_failure
from gds_exec.execute import IGNORED_BY_PYTHON, open_nowhere
from gds_exec.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from io import FileIO
    from typing import NoReturn

    Dispositions = Mapping[int, signal.Handlers]


def spawn(
    path: str,
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    mask: Iterable[int],
    dispositions: Dispositions,
) -> int:
    """Start the program at `path` and return its pid.

    Only with all signals blocked and in a process of one thread, for the child is a fork of it. The
    program finds the signals of `mask` blocked, and each of `dispositions` ignored or not as
    that says. It keeps what descriptors our caller handed down, and gets none of ours: those close
    on exec. On Linux it is killed when we end; elsewhere it outlives a `kill -9` of us.
    Raises `CommandNotFound` and `CommandNotExecutable`.
    """
    try:
        return _fork_and_execute(path, argv, environ, mask, dispositions)
    except (OSError, ValueError) as error:
        raise exec_failure(error, path, argv, environ) from error


def _fork_and_execute(
    path: str,
    argv: Sequence[str],
    environ: Mapping[str, str],
    mask: Iterable[int],
    dispositions: Dispositions,
) -> int:
    parent = os.getpid()
    reading, writing = os.pipe()
    with open(reading, "rb") as failures:
        with open(writing, "wb", buffering=0) as report:
            pid = os.fork()
            if pid == 0:
                end_with(parent)
                _restore_dispositions(dispositions)
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                _execute(path, argv, environ, report)
        failure = failures.read()
    if failure:
        os.waitpid(pid, 0)
        raise _as_error(failure)
    return pid


def _restore_dispositions(dispositions: Dispositions) -> None:
    for ignored in IGNORED_BY_PYTHON:
        signal.signal(ignored, signal.SIG_DFL)
    for number, disposition in dispositions.items():
        # Drops one that is pending: it came to our parent too, who passes it on once the program
        # runs. A Ctrl-Z would stop us here, and our parent waits for the exec.
        signal.signal(number, signal.SIG_IGN)
        signal.signal(number, disposition)


def _execute(path: str, argv: Sequence[str], environ: Mapping[str, str], report: FileIO) -> NoReturn:
    try:
        os.execve(path, list(argv), environ)
    except OSError as error:
        report.write(b"%d" % (error.errno or 0))
    except ValueError as error:
        report.write(str(error).encode())
    finally:
        os._exit(127)


def _as_error(failure: bytes) -> OSError | ValueError:
    if failure.isdigit():
        return OSError(int(failure), os.strerror(int(failure)))
    return ValueError(failure.decode())


_READ_BYTES = 65_536


def start_detached(argv: Sequence[str], *, environ: Mapping[str, str], stderr: int = 2) -> int:
    """Start the program at `argv[0]`, with `stderr` as its standard error; return its pid.

    It inherits our inheritable descriptors. It is not our child: we may become another program, and that
    program must not find a child that it did not start. It has its own process group, so it does not get
    that program's signals. Only for a process with one thread. Raise `OSError` if it cannot be started.
    """
    reading, writing = os.pipe()
    with open(reading, "rb") as reports:
        try:
            pid = os.fork()
            if pid == 0:
                _start_in_between(argv, environ, stderr, writing)
        finally:
            os.close(writing)
        with suppress(ChildProcessError):  # our caller may have made us ignore the end of children
            os.waitpid(pid, 0)
        reported = dict(line.split() for line in reports.read().splitlines())
    if b"errno" in reported:
        number = int(reported[b"errno"])
        raise OSError(number, os.strerror(number))
    return int(reported[b"pid"])


def read_until(reading: int, word: bytes, *, seconds: float) -> bytes:
    """Return a program's output up to this word, and with it; or all of its output, if that ends before.

    Raise `TimeoutError` after `seconds`.
    """
    from select import POLLIN, poll

    deadline = time.monotonic() + seconds
    readable = poll()
    readable.register(reading, POLLIN)
    said = b""
    while not said.endswith(word):
        left = deadline - time.monotonic()
        if left <= 0 or not readable.poll(left * 1000):
            raise TimeoutError
        piece = os.read(reading, _READ_BYTES)
        if not piece:
            return said
        said += piece
    return said


def _start_in_between(argv: Sequence[str], environ: Mapping[str, str], stderr: int, report: int) -> None:
    try:
        os.setsid()
        pid = os.fork()
        if pid == 0:
            nowhere = open_nowhere()
            for descriptor, number in ((nowhere, 0), (nowhere, 1), (stderr, 2)):
                os.dup2(descriptor, number)
            os.execve(argv[0], list(argv), environ)
        os.write(report, b"pid %d\n" % pid)
    except OSError as error:
        os.write(report, b"errno %d\n" % (error.errno or 0))
    finally:
        os._exit(0)
