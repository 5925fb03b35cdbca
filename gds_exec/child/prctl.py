"""What a process asks of the kernel for itself: nothing, where that is not Linux."""

from __future__ import annotations

import os
import sys

from gds_exec.execute import open_nowhere
from gds_exec.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Iterable
else:
    import _signal as signal

_LAST_STANDARD = 2
_MOST_DESCRIPTORS = 1_048_576  # the default limit of Linux (fs.nr_open)
# linux/prctl.h
_SET_PARENT_DEATH_SIGNAL = 1
_SET_DUMPABLE = 4
_SET_NAME = 15


def forbid_inspection() -> None:
    """Keep our memory and environment from other processes of the user, and from core files.

    A program that we execute gets the default again; a process that we fork does not. From now on, only
    root can read our /proc/self/environ: we cannot either.
    """
    _set(_SET_DUMPABLE, 0)


def end_with(parent: int, *, by: int = signal.SIGKILL) -> None:
    """Be sent this signal when `parent`, which has just forked us, has ended in any way; only on Linux.

    A program that we execute inherits this, unless it is set-user-ID; what it forks does not.
    """
    _set(_SET_PARENT_DEATH_SIGNAL, by)
    if sys.platform == "linux" and os.getppid() != parent:  # it had ended before we asked
        os.kill(os.getpid(), by)


def take_name(name: str) -> None:
    """Be another than our parent to those who look for processes by name, as pkill does."""
    _set(_SET_NAME, name.encode())


def open_descriptors(*, directories: Iterable[str] = ("/dev/fd", "/proc/self/fd")) -> list[int]:
    """Return the numbers of all open descriptors.

    If the directories that list them cannot be read, try every number up to the limit.
    """
    for directory in directories:
        with suppress(OSError):
            return [number for number in map(int, os.listdir(directory)) if _is_open(number)]
    import resource  # rarely needed

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_limited = 0 < limit < _MOST_DESCRIPTORS
    return [number for number in range(limit if is_limited else _MOST_DESCRIPTORS) if _is_open(number)]


def let_go(descriptors: Iterable[int]) -> None:
    """Close these; the standard ones lead nowhere from then on, so that nothing else takes their number."""
    nowhere = open_nowhere()
    for number in descriptors:
        if number <= _LAST_STANDARD:
            os.dup2(nowhere, number, inheritable=False)
        else:
            os.close(number)
    os.close(nowhere)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False  # the one that listed them
    return True


def _set(option: int, value: int | bytes) -> None:
    if sys.platform == "linux":
        with suppress(ImportError, OSError):  # a Python without libffi, or without shared libraries
            # ctypes calls this itself. Importing ctypes would cost 5 ms while a person waits.
            import _ctypes

            program = _ctypes.dlopen(None, os.RTLD_NOW)  # type: ignore[arg-type]  # itself
            _ctypes.call_function(_ctypes.dlsym(program, "prctl"), (option, value, 0, 0, 0))
