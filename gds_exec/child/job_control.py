"""Stopping with the command, so that the shell sees one job that stops and goes on."""

from __future__ import annotations

import os
import signal

_STOPS = frozenset((signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU))


def job_control_stop(wait_status: int) -> int | None:
    """Return the signal by which the shell's job was stopped, if it was.

    A command that SIGSTOP has stopped will be continued alone, if ever: the shell does not see
    it, and would never continue us.
    """
    if os.WIFSTOPPED(wait_status) and os.WSTOPSIG(wait_status) in _STOPS:
        return os.WSTOPSIG(wait_status)
    return None


def stop_by(number: int) -> None:
    """Stop by this signal, whatever else we do with it; return when continued."""
    handler = signal.signal(number, signal.SIG_DFL)
    try:
        signal.raise_signal(number)
    finally:
        signal.signal(number, handler)
