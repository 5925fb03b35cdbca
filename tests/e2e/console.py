"""A terminal that outlives the program on it, so that its modes can be looked at afterwards."""

import os
import pty
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pexpect import fdpexpect

from .world import GDS_EXEC, PYTHON, World

_ON_TERMINAL = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"


class Console:
    """gds-exec on a terminal whose keyboard is `keyboard` and whose modes are odd on purpose."""

    def __init__(self, process: "subprocess.Popen[bytes]", keyboard: fdpexpect.fdspawn, line: int) -> None:
        self.process = process
        self.keyboard = keyboard
        self._line = line

    def modes(self) -> list[Any]:
        return termios.tcgetattr(self._line)


@contextmanager
def console(world: World, *argv: str) -> Iterator[Console]:
    """Start gds-exec on a terminal of its own; end it, if it still runs, at the end."""
    master, line = pty.openpty()
    _make_odd(line)
    process = subprocess.Popen(
        [PYTHON, "-c", _ON_TERMINAL, str(line), GDS_EXEC, *argv],
        env=world.environ,
        cwd=world.home,
        stdin=subprocess.DEVNULL,
        pass_fds=(line,),
    )
    try:
        keyboard = fdpexpect.fdspawn(master, timeout=60, encoding="utf-8")
        yield Console(process, keyboard, line)
    finally:
        process.kill()
        process.wait()
        os.close(line)
        os.close(master)


def _make_odd(line: int) -> None:
    iflag, oflag, cflag, lflag, *rest = termios.tcgetattr(line)
    termios.tcsetattr(
        line, termios.TCSANOW, [iflag & ~termios.ICRNL, oflag, cflag, lflag & ~termios.ECHO, *rest]
    )
