"""A process that stands by for the case that this one is killed: then it writes a last text for us."""

from __future__ import annotations

import os

from gds_exec.context import suppress
from gds_exec.signals import all_blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Standby:
    """Writes `text` to the descriptor `output` if this process ends, however it ends, without `release`.

    Signals keep their effect on us, and at once: a Python handler would wait for a slow call into C, such
    as a look-up of a name. Only for a process of one thread. Where no process can be started, nobody
    stands by.
    """

    def __init__(self, text: bytes, *, output: int) -> None:
        self._pid: int | None = None
        reading, writing = os.pipe()
        self._writing: int | None = writing
        # The other process keeps all signals blocked: the terminal sends them to our whole group.
        with all_blocked(), suppress(OSError):
            self._pid = os.fork()
            if self._pid == 0:
                _stand_by(text, output, reading, writing)
        os.close(reading)

    def release(self) -> None:
        """End the process; it writes nothing."""
        if self._writing is None:
            return
        with suppress(BrokenPipeError):
            os.write(self._writing, b".")
        os.close(self._writing)
        self._writing = None
        if self._pid is not None:
            with suppress(ChildProcessError):  # our caller may have made us ignore the end of children
                os.waitpid(self._pid, 0)


def _stand_by(text: bytes, output: int, reading: int, writing: int) -> NoReturn:
    try:
        os.close(writing)
        if not os.read(reading, 1):
            os.write(output, text)
    finally:
        os._exit(0)
