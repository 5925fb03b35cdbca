"""The boundary between the code and the person: an error becomes one or two lines and an exit status."""

from __future__ import annotations

import errno
import os
import sys

from gds_exec.errors import AwsUnreachable, GdsExecError, InternalError, SystemRefused
from gds_exec.output import report, trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_EXHAUSTED = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_NO_MEMORY = "not enough memory"
_SPARE_BYTES = 16_000_000
_NO_THREAD = "can't start new thread"  # Python's words
_NOT_MAPPED = "failed to map segment"  # the loader's words, for a compiled module


def guarded(act: Callable[[], int | None]) -> int:
    """Act, and return the exit status; what goes wrong has been said by then."""
    _make_stdout_writable()
    try:
        return act() or 0
    except Exception as error:  # noqa: BLE001  # the last resort: our own bugs are one line, too
        trace(error)
        return _end(_as_ours(error))


def _as_ours(error: Exception) -> GdsExecError:
    if not isinstance(error, SystemRefused) and (lack := _lack(error)) is not None:
        return SystemRefused(
            f"the system is out of resources: {lack}",
            hint="close other programs, or raise the limits that `ulimit -a` shows",
        )
    return error if isinstance(error, GdsExecError) else _internal(error)


def _lack(error: Exception) -> str | None:
    """Return the resource that has run out, if that is the cause; otherwise None."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, MemoryError) or (isinstance(link, ImportError) and _NOT_MAPPED in str(link)):
            return _NO_MEMORY
        if isinstance(link, RuntimeError) and str(link) == _NO_THREAD:
            return "no more threads can be started"
        if isinstance(link, OSError) and link.errno in _EXHAUSTED and not isinstance(error, GdsExecError):
            return os.strerror(link.errno)
        link = link.__cause__ or link.__context__
    # Libraries replace a MemoryError by their own errors, and Python may raise any exception.
    is_suspicious = not isinstance(error, GdsExecError) or isinstance(error, AwsUnreachable)
    return _NO_MEMORY if is_suspicious and _is_short_of_memory() else None


def _is_short_of_memory() -> bool:
    """Say whether memory has run out, by allocating some."""
    try:
        bytearray(_SPARE_BYTES)
    except MemoryError:
        return True
    return False


def _end(error: GdsExecError) -> int:
    report(error)
    return error.exit_status


def _internal(error: Exception) -> GdsExecError:
    from gds_exec.installation import module_of_another

    return module_of_another(error) or InternalError(
        f"an internal error: {type(error).__name__}", hint="please report it with what --debug says"
    )


def leave(status: int) -> NoReturn:
    """End this process with this status. `printing` has handled stdout; stderr never changes the status."""
    # Nothing is left to tear down, and tearing down the interpreter costs what starting it does.
    os._exit(status)


def _make_stdout_writable() -> None:
    from io import TextIOWrapper

    if sys.stdout is None:  # closed: its descriptor is /dev/null by now
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
