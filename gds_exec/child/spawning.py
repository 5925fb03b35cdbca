"""Starting a command as our child and in our process group, to which we look like its caller."""

from __future__ import annotations

import os
import signal

from gds_exec.child.own_process import end_with
from gds_exec.refusal import exec_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from io import FileIO
    from typing import NoReturn

    Dispositions = Mapping[int, signal.Handlers]

# Python ignores these, and what is ignored stays so in the command.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


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
    for ignored in _IGNORED_BY_PYTHON:
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
