"""The entry: reads the environment once, and turns an error into lines and an exit status."""

import gc
import os
import sys
from io import TextIOWrapper
from typing import NoReturn

from gds_exec.child.replacement import open_standard_streams
from gds_exec.errors import GdsExecError, InternalError

_COERCED_LOCALES = ("C.UTF-8", "C.utf8", "UTF-8")


def main() -> NoReturn:
    """Run gds-exec as a program; the command's own exit status comes back if one is run."""
    open_standard_streams()
    try:
        status = _run(sys.argv[1:])
    except KeyboardInterrupt:
        _die_by_sigint()
    _leave(status)


def _run(argv: list[str]) -> int:
    from gds_exec.cli.messages import report, trace

    gc.disable()  # a short life: collecting costs more than keeping
    _make_stdout_writable()
    try:
        from gds_exec.cli.app import run_command_line

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


def _make_stdout_writable() -> None:
    if sys.stdout is None:  # closed: its descriptor is /dev/null by now
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _environ_as_given() -> dict[str, str]:
    """Return the environment without the LC_CTYPE that Python sets for itself in a C locale (PEP 538)."""
    environ = dict(os.environ)
    if environ.get("LC_CTYPE") in _COERCED_LOCALES and not environ.get("LC_ALL"):
        given = _lc_ctype_as_given()
        if given is None:
            del environ["LC_CTYPE"]
        else:
            environ["LC_CTYPE"] = given
    return environ


def _lc_ctype_as_given() -> str | None:
    """Return LC_CTYPE as our caller set it; where the kernel does not tell, as it probably was."""
    try:
        with open("/proc/self/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return None if sys.flags.utf8_mode else os.environ["LC_CTYPE"]
    name = b"LC_CTYPE="
    return next((os.fsdecode(entry.removeprefix(name)) for entry in entries if entry.startswith(name)), None)


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
