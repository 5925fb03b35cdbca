"""Running a command beside us, as its plain parent in the same process group.

What the terminal sends reaches the command by itself, for it is in the terminal's foreground
group as we are; so nothing of that is passed on.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType

from gds_exec.exec_errors import exec_failure
from gds_exec.execute import IGNORED_BY_PYTHON, find_command
from gds_exec.signals import blocked, handling, job_control_stop, stop_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from gds_exec.signals import Handler

_FROM_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


def run_in_foreground(argv: Sequence[str], *, environ: Mapping[str, str]) -> int:
    """Run a command to its end and return its wait status, as `os.waitpid` gives it.

    Meanwhile SIGTERM and SIGHUP are passed on to it, and we stop and continue when it does by
    job control. Only for the main thread. Raises `CommandNotFound` and `CommandNotExecutable`.
    """
    path = find_command(argv[0], path=environ.get("PATH"))
    # A SIGTERM between the start of the command and our handlers would kill only us.
    with blocked((*_FROM_THE_TERMINAL, *_PASSED_ON)) as mask:
        pid = _spawn(path, argv, environ, mask=mask)
        with handling(_handlers(pid)):
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            return _wait(pid)


def end_like(wait_status: int) -> NoReturn:
    """End as the command did: with its exit status, or by the signal that killed it.

    At once: what is still in our own buffers is not written.
    """
    if os.WIFSIGNALED(wait_status):
        _die_by(os.WTERMSIG(wait_status))
    os._exit(os.WEXITSTATUS(wait_status))


def _spawn(
    path: str, argv: Sequence[str], environ: Mapping[str, str], *, mask: set[signal.Signals | int]
) -> int:
    try:
        return os.posix_spawn(path, list(argv), environ, setsigmask=mask, setsigdef=IGNORED_BY_PYTHON)
    except (OSError, ValueError) as error:
        raise exec_failure(error, path, argv, environ) from error


def _handlers(pid: int) -> dict[int, Handler]:
    def leave_to_the_command(_number: int, _frame: FrameType | None) -> None:
        """Do nothing: the terminal has sent it to the command too."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    return {
        **dict.fromkeys(_FROM_THE_TERMINAL, leave_to_the_command),
        **dict.fromkeys(_PASSED_ON, pass_on),
    }


def _wait(pid: int) -> int:
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            return status
        if number := job_control_stop(status):
            stop_by(number)
            os.kill(pid, signal.SIGCONT)


def _die_by(number: int) -> NoReturn:
    # The command has left its core, if any; a second one, of Python, would help nobody.
    _, hard_limit = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard_limit))
    with suppress(OSError):  # SIGKILL has no disposition to set
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))
    os.kill(os.getpid(), number)
    os._exit(128 + number)
