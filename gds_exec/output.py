"""What is said on standard error: one line each, whatever state standard error is in.

And what is printed on standard output: all of it, or an error.
"""

from __future__ import annotations

import sys

from gds_exec.errors import OutputFailed
from gds_exec.lean import contextmanager, suppress
from gds_exec.redaction import mask, show
from gds_exec.signals import blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator

    from gds_exec.errors import GdsExecError

else:
    import _signal as signal

_wanted: set[str] = set()


class Messages:
    """Warnings, and notices, which are for a person who sees them; `--quiet` silences both."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._said_anyway: set[str] = set()
        self.is_silent = True  # so far: nothing was there to say that quiet did not forbid

    def warn(self, text: str) -> None:
        """Say what went wrong although the command runs."""
        if not self._quiet:
            self.is_silent = False
            say(text)

    def warn_anyway(self, text: str) -> None:
        """Say, once, what a person must know even if they asked for quiet."""
        if text not in self._said_anyway:
            self._said_anyway.add(text)
            self.is_silent = False
            say(text)

    def notice(self, text: str) -> None:
        """Say what a person may like to know."""
        if not self._quiet:
            self.is_silent = False
            if _is_seen():
                say(text)

    def warn_once(self) -> Callable[[str], None]:
        """Return a `warn` that says the first of several consequences of one cause."""
        said: list[str] = []

        def warn(text: str) -> None:
            if not said:
                said.append(text)
                self.warn(text)

        return warn


def enable_debug(is_wanted: bool) -> bool:  # noqa: FBT001  # typer's callback
    """Say our own doings on standard error; botocore's loggers tell secrets and stay silent."""
    if is_wanted:
        _wanted.add("debug")
    return is_wanted


def debug(text: str) -> None:
    """Say what is done, if that is wanted: names, never values."""
    if "debug" in _wanted:
        say(f"debug: {text}")


def trace(error: BaseException | None) -> None:
    """Say where an error came from: the places only, for values and foreign messages may be secret."""
    while error is not None:
        place = error.__traceback__
        while place is not None:
            debug(f"{type(error).__name__} in {place.tb_frame.f_code.co_name} line {place.tb_lineno}")
            place = place.tb_next
        error = error.__cause__


@contextmanager
def printing() -> Iterator[None]:
    """Raise `OutputFailed` where what is printed inside cannot be written."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        raise OutputFailed(f"standard output cannot be written: {error.strerror}") from error


def report(error: GdsExecError) -> None:
    """Say what is wrong and what to do."""
    _write(f"gds-exec: {error.message} [{error.slug}]", *([f"hint: {error.hint}"] if error.hint else []))


def reason_said(complaint: bytes) -> str:
    """Return the error that another gds-exec process reported on stderr, without our name and the hint."""
    lines = complaint.decode(errors="replace").split("\n")
    said = [line.removeprefix("gds-exec: ") for line in lines if line and not line.startswith("hint: ")]
    return mask(said[-1].rpartition(" [")[0] or said[-1]) if said else ""


def say(text: str) -> None:
    """Write one line that is led by our name."""
    _write(f"gds-exec: {text}")


def _write(*lines: str) -> None:
    emit("".join(f"{show(mask(line))}\n" for line in lines))


def emit(text: str) -> None:
    """Write the text as it is, secrets too, and in one piece: no other process comes between its lines."""
    if sys.stderr is None:
        return
    encoding = sys.stderr.encoding or "ascii"
    data = text.encode(encoding, "backslashreplace")
    # A closed pipe or a full disk under standard error must not cost the command, and from the
    # background (`stty tostop`) the terminal must not stop us: we may hold a lock.
    with blocked((signal.SIGTTOU,)), suppress(OSError, ValueError):
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()


def _is_seen() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def mask_in_job_log(*secrets: str) -> None:
    """Have GitHub's runner mask these in the job's log, before anything can print them.

    It obeys what it reads on standard error too (GitHub docs, "Workflow commands": add-mask).
    """
    emit("".join(f"::add-mask::{secret.replace('%', '%25')}\n" for secret in secrets))
