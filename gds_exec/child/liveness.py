"""Whether a process lives, is stopped, is still the same one.

psutil takes 28 ms to import, so each function does that for itself.
"""

# psutil reckons a start from the time of the boot, which moves when the clock is set.
_TOLERANCE_SECONDS = 2.0


def is_stopped(pid: int) -> bool:
    """Return whether the process is stopped, as by Ctrl-Z; one that is gone is not."""
    import psutil

    return _status(pid) == psutil.STATUS_STOPPED


def is_alive(pid: int, began: float) -> bool:
    """Return whether the process whose `create_time` was `began` still runs under that number."""
    import psutil

    if _status(pid) in (None, psutil.STATUS_ZOMBIE):
        return False
    now_there = create_time(pid)
    return now_there is not None and abs(now_there - began) < _TOLERANCE_SECONDS


def create_time(pid: int) -> float | None:
    """Return when the process began, in seconds since the epoch; None if there is none."""
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def _status(pid: int) -> str | None:
    import psutil

    try:
        return psutil.Process(pid).status()
    except psutil.Error:
        return None
