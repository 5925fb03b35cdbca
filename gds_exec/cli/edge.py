"""The edge between a person and the code: an error becomes a line or two, and an exit status."""

from __future__ import annotations

import errno
import os
import sys

from gds_exec.child.own_process import forbid_inspection
from gds_exec.cli.messages import printing, report, trace
from gds_exec.errors import GdsExecError, InternalError, SystemRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from gds_exec.invocation import Invocation

_EXHAUSTED = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


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
    except GdsExecError as error:
        trace(error)
        return _end(error)
    except OSError as error:
        trace(error)
        if error.errno not in _EXHAUSTED:
            return _end(_internal(error))
        return _end(SystemRefused(f"this machine lets us do no more: {os.strerror(error.errno)}"))
    except Exception as error:  # noqa: BLE001  # the last resort: a fault of ours is one line, too
        trace(error)
        return _end(_internal(error))


def _end(error: GdsExecError) -> int:
    report(error)
    return error.exit_status


def _internal(error: Exception) -> InternalError:
    return InternalError(
        f"an internal error: {type(error).__name__}", hint="please report it with what --debug says"
    )


def leave(status: int) -> NoReturn:
    """End this process, what was printed written out first."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            status = status or 1
    # Nothing is left to tear down, and tearing down the interpreter costs what starting it does.
    os._exit(status)


def _do(argv: list[str], environ: Mapping[str, str], invocation: Invocation | None) -> int:
    if len(argv) == 2 and argv[0] == "shell-renew" and "GDS_EXEC_SHELL" in environ:  # from a hook of ours
        from gds_exec.cli.role_shell import renew_role_shell

        return renew_role_shell(argv[1], environ)
    if argv[:2] == ["credential-process", "--stored-keys"]:  # from a copy of the AWS files
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
