"""A second process that writes a last text for this one if this one is killed."""

from __future__ import annotations

import os

from gds_exec.lean import suppress
from gds_exec.signals import all_blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Standby:
    """Writes `text` to the descriptor `output` if this process ends in any way before `release`.

    Signals still take effect on us at once. A Python handler would wait for a slow C call, such as a DNS
    lookup. Only for a process with one thread. If no process can be started, nothing is written.
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
