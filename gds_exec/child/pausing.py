"""Stopping for a while whoever could read what a person types for us."""

from __future__ import annotations

import os
import time

from gds_exec.lean import contextmanager, suppress
from gds_exec.signals import all_blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from psutil import Process

_ROUNDS = 20
_PATIENCE_SECONDS = 1.0
_POLL_SECONDS = 0.002


class Unstoppable(Exception):
    """Somebody who could read it runs on: as root (a sudo), or by ever new processes."""


@contextmanager
def pausing(
    command_pid: int, *, spare: Collection[int] = (), announce: Callable[[list[int]], object]
) -> Iterator[Callable[[], None]]:
    """Yield what stops the command's tree and our process group; at the end they go on.

    Not stopped are we, our ancestors and the pids to `spare`; nor is anybody continued who had been
    stopped before. `announce` is told of the pids before they are stopped, perhaps several times:
    somebody has to continue them if we are killed. What is yielded raises `Unstoppable`.
    """
    stopped: list[Process] = []
    try:
        yield lambda: _stop_all(
            command_pid, spare=_ourselves() | set(spare), announce=announce, stopped=stopped
        )
    finally:
        with all_blocked():
            _continue(stopped)


def _stop_all(
    command_pid: int,
    *,
    spare: set[int],
    announce: Callable[[list[int]], object],
    stopped: list[Process],
) -> None:
    # Whoever is about to be stopped can still start others, which the next round finds.
    for _ in range(_ROUNDS):
        suspects = _suspects(command_pid) - set(stopped)
        running = [process for process in suspects if process.pid not in spare and _is_running(process)]
        if not running:
            return
        announce(sorted(process.pid for process in running))
        _stop(_parents_first(running), stopped)
    raise Unstoppable


def _stop(processes: Iterable[Process], stopped: list[Process]) -> None:
    """Stop them one after the other, so that none sees how its child is stopped."""
    import psutil

    deadline = time.monotonic() + _PATIENCE_SECONDS
    for process in processes:
        stopped.append(process)
        try:
            process.suspend()
        except psutil.AccessDenied as error:
            raise Unstoppable from error
        except psutil.NoSuchProcess:
            continue
        # Who does not stop in time waits for a disk: it will stop before it reads anything.
        while _is_running(process) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _continue(stopped: list[Process]) -> None:
    import psutil

    for process in reversed(stopped):
        with suppress(psutil.Error):
            process.resume()  # looks at the time of creation first: a pid may have come to mean another


def _ourselves() -> set[int]:
    import psutil

    return {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}


def _suspects(command_pid: int) -> set[Process]:
    import psutil  # 28 ms, which only those who ask meanwhile need spend

    suspects = set()
    with suppress(psutil.NoSuchProcess):
        command = psutil.Process(command_pid)
        suspects |= {command, *command.children(recursive=True)}
    for pid in psutil.pids():
        with suppress(psutil.NoSuchProcess, OSError):
            if os.getpgid(pid) == os.getpgrp():
                suspects.add(psutil.Process(pid))
    return suspects


def _is_running(process: Process) -> bool:
    import psutil

    try:
        return process.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return False


def _parents_first(processes: Iterable[Process]) -> list[Process]:
    return sorted(processes, key=lambda process: (process.create_time(), process.pid))
