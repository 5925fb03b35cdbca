"""The edge between a person and the code: an error becomes a line or two, and an exit status."""

from __future__ import annotations

import errno
import os
import sys

from gds_exec.child.own_process import forbid_inspection
from gds_exec.cli.messages import printing, report, trace
from gds_exec.errors import AwsUnreachable, GdsExecError, InternalError, SystemRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from gds_exec.invocation import Invocation

_EXHAUSTED = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_NO_MEMORY = "not enough memory"
_SPARE_BYTES = 16_000_000
_NO_THREAD = "can't start new thread"  # Python's words
_NOT_MAPPED = "failed to map segment"  # the loader's words, for a compiled module


def run(argv: list[str], environ: Mapping[str, str], *, invocation: Invocation | None) -> int:
    """Do what argv says, and return the exit status where we do not become the command.

    `invocation` is what argv says, where that could be read without the full command line.
    """
    forbid_inspection()  # before an access key is read

    def act() -> int:
        return guarded(lambda: _do(argv, environ, invocation))

    if invocation is not None or os.isatty(1):
        return act()
    from gds_exec.cli.failed_export import failing_statement, with_failing_statement

    statement = failing_statement(argv)
    return with_failing_statement(act, statement) if statement else act()


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
    from gds_exec.cli.installation import module_of_another

    return module_of_another(error) or InternalError(
        f"an internal error: {type(error).__name__}", hint="please report it with what --debug says"
    )


def leave(status: int) -> NoReturn:
    """End this process with this status. `printing` has handled stdout; stderr never changes the status."""
    # Nothing is left to tear down, and tearing down the interpreter costs what starting it does.
    os._exit(status)


def _do(argv: list[str], environ: Mapping[str, str], invocation: Invocation | None) -> int:
    if len(argv) == 2 and argv[0] == "shell-renew" and "GDS_EXEC_SHELL" in environ:  # from a hook of ours
        from gds_exec.cli.role_shell import renew_role_shell

        return renew_role_shell(argv[1], environ)
    if argv[:2] == ["credential-process", "--stored-keys"]:  # called by a copy of the AWS files
        from gds_exec.delivery.stored_keys import stored_keys_document

        with printing():
            sys.stdout.write(stored_keys_document(argv[2:]))
        return 0
    if invocation is not None:
        from gds_exec.cli.running import obey

        obey(invocation, environ)
        return 0
    from gds_exec.cli.app import run_command_line  # with all of typer

    return run_command_line(argv, environ)


def _make_stdout_writable() -> None:
    from io import TextIOWrapper

    if sys.stdout is None:  # closed: its descriptor is /dev/null by now
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
