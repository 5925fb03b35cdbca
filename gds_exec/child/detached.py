"""Starting a program of ours that belongs to nobody: no child, no terminal, no group in common."""

from __future__ import annotations

import os

from gds_exec.context import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ERRNO_BYTES = 16


def start_detached(argv: Sequence[str], *, environ: Mapping[str, str]) -> None:
    """Start the program at `argv[0]`; its standard error is ours, and it inherits what is inheritable.

    We may become another program, which is not to find a child that it has not started; and what is
    sent to that program's group is not for this one. Only for a process of one thread. Raise
    `OSError` where it cannot be started.
    """
    reading, writing = os.pipe()
    with open(reading, "rb") as failures:
        try:
            pid = os.fork()
            if pid == 0:
                _start_in_between(argv, environ, writing)
        finally:
            os.close(writing)
        with suppress(ChildProcessError):  # our caller may have made us ignore the end of children
            os.waitpid(pid, 0)
        failure = failures.read(_ERRNO_BYTES)  # its end: the program has been executed
    if failure:
        raise OSError(int(failure), os.strerror(int(failure)))


def _start_in_between(argv: Sequence[str], environ: Mapping[str, str], report: int) -> None:
    try:
        os.setsid()
        if os.fork() == 0:
            for descriptor in (0, 1):
                os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
            os.execve(argv[0], list(argv), environ)
    except OSError as error:
        os.write(report, b"%d" % (error.errno or 0))
    finally:
        os._exit(0)
