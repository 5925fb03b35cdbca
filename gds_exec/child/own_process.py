"""What a process asks of the kernel for itself: nothing, where that is not Linux."""

from __future__ import annotations

import os
import signal
import sys

from gds_exec.context import suppress

# linux/prctl.h
_SET_PARENT_DEATH_SIGNAL = 1
_SET_DUMPABLE = 4
_SET_NAME = 15


def forbid_inspection() -> None:
    """Keep our memory and environment from other processes of the user, and from core files.

    A program that we execute is not concerned; a process that we fork is.
    """
    _set(_SET_DUMPABLE, 0)


def end_with(parent: int) -> None:
    """Be killed when `parent`, which has just forked us, has ended in any way; only on Linux.

    A program that we execute inherits this, unless it is set-user-ID; what it forks does not.
    """
    _set(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if sys.platform == "linux" and os.getppid() != parent:  # it had ended before we asked
        os.kill(os.getpid(), signal.SIGKILL)


def take_name(name: str) -> None:
    """Be another than our parent to those who look for processes by name, as pkill does."""
    _set(_SET_NAME, name.encode())


def _set(option: int, value: int | bytes) -> None:
    if sys.platform == "linux":
        with suppress(ImportError):  # a Python that was built without libffi
            import ctypes

            word = ctypes.c_char_p(value) if isinstance(value, bytes) else ctypes.c_ulong(value)
            ctypes.CDLL(None).prctl(option, word, 0, 0, 0)
