"""The entry: reads the environment once, and turns an error into lines and an exit status."""

import os
import sys
from typing import NoReturn

from gds_exec.child.replacement import open_standard_streams
from gds_exec.errors import GdsExecError, InternalError


def main() -> NoReturn:
    """Run gds-exec as a program; the command's own exit status comes back if one is run."""
    open_standard_streams()
    try:
        status = _run(sys.argv[1:])
    except KeyboardInterrupt:
        _die_by_sigint()
    _leave(status)


def _run(argv: list[str]) -> int:
    from gds_exec.cli.app import run_command_line
    from gds_exec.cli.messages import report, trace

    try:
        return run_command_line(argv, _environ_as_given())
    except GdsExecError as error:
        trace(error)
        report(error)
        return error.exit_status
    except Exception as error:  # noqa: BLE001  # the last resort: a fault of ours is one line, too
        trace(error)
        fault = InternalError(
            f"an internal error: {type(error).__name__}", hint="please report it with what --debug says"
        )
        report(fault)
        return fault.exit_status


def _environ_as_given() -> dict[str, str]:
    """Return the environment without the LC_CTYPE that Python sets for itself in a C locale (PEP 538)."""
    environ = dict(os.environ)
    is_coerced = sys.flags.utf8_mode and not ("LC_ALL" in environ or "PYTHONUTF8" in environ)
    if is_coerced and environ.get("LC_CTYPE") == "C.UTF-8":
        del environ["LC_CTYPE"]
    return environ


def _die_by_sigint() -> NoReturn:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    _leave(130)


def _leave(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            status = status or 1
    # Nothing is left to tear down, and tearing down the interpreter costs what starting it does.
    os._exit(status)


if __name__ == "__main__":
    main()
