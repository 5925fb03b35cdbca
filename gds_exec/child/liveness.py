"""Whether another process is stopped."""


def is_stopped(pid: int) -> bool:
    """Return whether the process is stopped, as by Ctrl-Z; one that is gone is not."""
    import psutil  # 28 ms, which only those who wait need spend

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False
