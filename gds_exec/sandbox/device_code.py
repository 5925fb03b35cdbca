"""The MFA device of a running `gds-exec try`: what it shows, and where it lies."""

import fcntl
import glob
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from os import path

from gds_exec.errors import ConfigError, HelperFailed
from gds_exec.sandbox.mfa_device import STEP_SECONDS, code_at_step, step_at, steps_accepted_at

DIRECTORY_PREFIX = "gds-exec-try-"
DIRECTORY_VARIABLE = "GDS_EXEC_SANDBOX"
PID_FILE, SECRET_FILE, _SPENT_FILE = "pid", "device", "spent"


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """Six digits, and for how many seconds more the sandbox takes them at least."""

    digits: str
    seconds_left: int


def current_code(
    environ: Mapping[str, str],
    *,
    temporary_directory: str | None = None,
    now: Callable[[], float] = time.time,
) -> DeviceCode:
    """Return a code that the sandbox has not yet taken, of the sandbox we are in or else of the newest.

    Raises `ConfigError` where no sandbox runs, and `HelperFailed` when each code that it would take
    is spent.
    """
    found = environ.get(DIRECTORY_VARIABLE)
    directory = found or _newest_directory(temporary_directory or tempfile.gettempdir())
    if directory is None or not is_in_use(directory):
        raise ConfigError("no sandbox is running", hint="start one with: gds-exec try")
    return next_code(_read(directory, SECRET_FILE), spent=_spent_steps(directory), now=now())


def next_code(secret: str, *, spent: Iterable[int], now: float) -> DeviceCode:
    """Return the first code that is not spent: the current one, the next, the one before."""
    current = step_at(now)
    unspent = [step for step in steps_accepted_at(current) if step not in spent]
    if not unspent:
        wait = int((current + 1) * STEP_SECONDS - now) + 1
        message = "the sandbox has taken every code that its device shows now"
        raise HelperFailed(message, hint=f"the next comes in {wait} s")
    step = unspent[0]
    left = (max(step, current) + 1) * STEP_SECONDS - now
    return DeviceCode(code_at_step(secret, step), int(left))


def remember_spent_steps(directory: str) -> Callable[[int], None]:
    """Return a function that notes a step of the device whose code was taken."""

    def remember(step: int) -> None:
        # Called from a thread of the server, which must answer even while the directory vanishes.
        with suppress(OSError), open(path.join(directory, _SPENT_FILE), "a", encoding="ascii") as file:
            file.write(f"{step}\n")

    return remember


def is_in_use(directory: str) -> bool:
    """Return whether the process that made the sandbox's directory lives: it holds a lock there."""
    try:
        with open(path.join(directory, PID_FILE), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _newest_directory(temporary_directory: str) -> str | None:
    candidates = glob.glob(path.join(glob.escape(temporary_directory), f"{DIRECTORY_PREFIX}*"))
    usable = [directory for directory in candidates if _is_ours(directory) and is_in_use(directory)]
    return max(usable, key=_began_at, default=None)


def _is_ours(directory: str) -> bool:
    return not path.islink(directory) and os.lstat(directory).st_uid == os.geteuid()


def _began_at(directory: str) -> float:
    return os.stat(path.join(directory, PID_FILE)).st_mtime


def _spent_steps(directory: str) -> set[int]:
    try:
        return {int(line) for line in _read(directory, _SPENT_FILE).split()}
    except FileNotFoundError:
        return set()


def _read(directory: str, name: str) -> str:
    with open(path.join(directory, name), encoding="ascii") as file:
        return file.read()
