"""Whether another process lives, is still the same one, or is stopped."""

from __future__ import annotations

import os
import select
import sys

# In /proc/PID/stat (proc(5)) behind the state, which is field 3: the start in ticks since boot, field 22.
_START_TIME = 18
_ENDED = ("Z", "X")
_PRIME = 2**61 - 1
_UNKNOWN = f"{0:016x}"
_own_mark: dict[int, str] = {}  # by our pid; every file that we write needs it


def is_stopped(pid: int) -> bool:
    """Return whether the process is stopped, as by Ctrl-Z; one that is gone is not."""
    import psutil  # 28 ms, which only those who wait need spend

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def birth(pid: int) -> str | None:
    """Return a text that no other process of this pid ever had or will have; None if it has ended."""
    try:
        return _birth(pid)
    except OSError:
        return None


def surroundings() -> str:
    """Return a text that is the same for all processes that can see each other, and for no others."""
    return _surroundings()


def process_mark(pid: int) -> str:
    """Return a name that no other process has, here or on another host: `PID.PLACE.BIRTH`.

    PLACE identifies the boot and the pid namespace, BIRTH the start time. Both are hexadecimal digits, and
    zeros if the system does not tell. A file with such a name can be recognised after the process has ended.
    """
    if pid != os.getpid():
        return _mark(pid)
    if pid not in _own_mark:  # a forked process has a different pid
        _own_mark[pid] = _mark(pid)
    return _own_mark[pid]


def _mark(pid: int) -> str:
    return f"{pid}.{_digest(surroundings())}.{_digest(birth(pid) or '')}"


def has_ended(mark: str) -> bool | None:
    """Say whether the process of a `process_mark` has ended. A longer name may start with the mark.

    Return None if we cannot know: the host, boot or pid namespace is another, or the name has no mark.
    """
    pid, place, born = [*mark.split(".")[:3], "", "", ""][:3]
    if not (pid.isascii() and pid.isdigit()) or place in ("", _UNKNOWN) or place != _digest(surroundings()):
        return None
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        pass  # another user's process: the pid may have been reused
    except (ProcessLookupError, OverflowError):
        return True
    try:
        current = _birth(int(pid))
    except OSError:
        return False  # it is alive but hidden from us, for example by the mount option `hidepid`
    return current is None or born not in (_UNKNOWN, _digest(current))


def is_mark(text: str) -> bool:
    """Say whether a text begins with a `process_mark`, whatever its process is."""
    pid, *digests = text.split(".")[:3]
    is_hex = all(len(digest) == len(_UNKNOWN) and not digest.strip("0123456789abcdef") for digest in digests)
    return pid.isascii() and pid.isdigit() and len(digests) == 2 and is_hex


def _digest(text: str) -> str:
    return f"{int.from_bytes(text.encode()) % _PRIME:016x}"


def exit_descriptor(pid: int) -> int | None:
    """Return a descriptor that can be read from once the process has ended.

    None where there is no such process, or no such thing. It is the caller's to close; whether the
    pid was still the right one, `birth` tells afterwards.
    """
    try:
        return _exit_descriptor(pid)
    except OSError:
        return None


if sys.platform == "linux":

    def _birth(pid: int) -> str | None:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, *fields = file.read().rpartition(b")")[2].decode().split()
        return None if state in _ENDED else f"{_boot()}:{fields[_START_TIME]}"

    def _boot() -> str:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()

    def _surroundings() -> str:
        try:
            return f"{_boot()}:{os.stat('/proc/self/ns/pid').st_ino}"  # a container has one of its own
        except OSError:
            return ""

    def _exit_descriptor(pid: int) -> int | None:
        # Not in every Python: some are built for older systems than they run on.
        return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None

else:

    def _birth(pid: int) -> str | None:
        import psutil

        try:
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
        except psutil.NoSuchProcess:
            return None
        except psutil.AccessDenied as error:
            raise PermissionError(pid) from error

    def _surroundings() -> str:
        return os.uname().nodename

    def _exit_descriptor(pid: int) -> int | None:
        queue = select.kqueue()
        exit_of_process = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
        queue.control([exit_of_process], 0)
        return os.dup(queue.fileno())  # which outlives the object
