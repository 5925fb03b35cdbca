"""Starting a program of ours that belongs to nobody: no child, no terminal, no group in common."""

from __future__ import annotations

import os
import time

from gds_exec.child.own_process import open_nowhere
from gds_exec.context import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
