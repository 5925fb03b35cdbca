"""Running a helper program, as `credential_process` and `mfa_process` name one.

It runs without a shell, with a time limit and a limit on its output. Its standard output is a secret, and
its arguments may hold one, so no message repeats either. Its standard error may hold a secret, too: we
repeat only the last line, and only if that consists of plain words.
"""

import os
import selectors
import shlex
import signal
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from gds_exec.errors import GdsExecError, HelperFailed
from gds_exec.exec_errors import exec_failure
from gds_exec.execute import find_command
from gds_exec.redaction import may_hold_secret, show
from gds_exec.signals import deadly_signals_unwind, interruptible

_NOT_FOR_HELPERS = ("GDS_EXEC_MFA_CODE",)
_READ_BYTES = 65_536
_STDERR_KEPT_BYTES = 4096
_LAST_WORDS_CHARACTERS = 300
_HINT = "hint: "  # of ours, where the helper is gds-exec again: what is wrong stands before it
_POLL_SECONDS = 0.05
_LONGEST_TURN_SECONDS = 0.25
_GRACE_SECONDS = 1.0


def run_program(
    command: str,
    *,
    environ: Mapping[str, str],
    timeout_seconds: float,
    limit_bytes: int = 65_536,
    at_terminal: bool = True,
) -> str:
    """Run `command`, a line of words quoted as for a shell, and return what it prints.

    The person at the terminal, where there is one, sees its standard error and can answer it; unless it
    is to run `at_terminal` it has none, for there what is typed is another's.
    Raises `HelperFailed` unless it ends well, in time, with at most `limit_bytes` of UTF-8. However
    it fails, also by a signal that kills us, the helper is ended with its descendants, and the
    terminal is as it was. Time while we are stopped does not count. Only for the main thread.
    """
    argv = _split(command)
    name = show(argv[0])
    with (
        deadly_signals_unwind(),
        interruptible(),
        _terminal(is_wanted=at_terminal) as terminal,
        _running(argv, environ, terminal, is_apart=not at_terminal) as process,
    ):
        heard = _Heard(limit_bytes=limit_bytes, terminal=terminal)
        if not _finishes(process, heard, _Patience(timeout_seconds)):
            raise _too_slow(name, timeout_seconds)
        if heard.is_too_much:
            raise HelperFailed(f"the helper {name} printed more than {limit_bytes:,} bytes")
        if process.returncode != 0:
            raise _ended_badly(name, process.returncode, heard.last_words())
    return _text(name, heard)


@dataclass(slots=True)
class _Heard:
    """What a helper has printed so far; its standard error goes to the terminal as it comes."""

    limit_bytes: int
    terminal: int | None
    stdout: bytearray = field(default_factory=bytearray, repr=False)
    stderr: bytearray = field(default_factory=bytearray)

    @property
    def is_too_much(self) -> bool:
        return len(self.stdout) > self.limit_bytes

    def take_stdout(self, data: bytes) -> None:
        self.stdout += data

    def take_stderr(self, data: bytes) -> None:
        self.stderr += data
        del self.stderr[:-_STDERR_KEPT_BYTES]
        if self.terminal is not None:
            with suppress(OSError):
                os.write(self.terminal, data)

    def last_words(self) -> str:
        lines = self.stderr.decode(errors="replace").split("\n")
        spoken = [line.strip() for line in lines if line.strip() and not line.startswith(_HINT)]
        if not spoken or may_hold_secret(spoken[-1]):
            return ""
        return show(spoken[-1][:_LAST_WORDS_CHARACTERS])


@dataclass(slots=True)
class _Patience:
    """How long a helper may still take. In a turn of the loop that is far too long we were stopped."""

    seconds_left: float
    looked_at: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        now = time.monotonic()
        self.seconds_left -= min(now - self.looked_at, _LONGEST_TURN_SECONDS)
        self.looked_at = now
        return self.seconds_left <= 0


def _split(command: str) -> list[str]:
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise HelperFailed(f"the command line of a helper cannot be read: {error}") from error
    if not argv:
        raise HelperFailed("the command line of a helper is empty")
    return argv


@contextmanager
def _terminal(*, is_wanted: bool) -> Iterator[int | None]:
    """Open the terminal if we may use it: from the background, reading it would stop us."""
    if not is_wanted:
        yield None
        return
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        if _is_ours(terminal):
            with _restored_on_failure(terminal):
                yield terminal
        else:
            yield None
    finally:
        os.close(terminal)


def _is_ours(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False  # hung up


@contextmanager
def _restored_on_failure(terminal: int) -> Iterator[None]:
    """Undo what a helper that was cut short has set, such as no echo for its passphrase."""
    found = termios.tcgetattr(terminal)
    try:
        yield
    except BaseException:
        # From the background it would be the shell's own mode that we spoil.
        if _is_ours(terminal):
            with suppress(termios.error):
                termios.tcsetattr(terminal, termios.TCSANOW, found)
        raise


@contextmanager
def _running(
    argv: Sequence[str], environ: Mapping[str, str], terminal: int | None, *, is_apart: bool
) -> Iterator[subprocess.Popen[bytes]]:
    with _start(argv, environ, terminal, is_apart=is_apart) as process:
        try:
            yield process
        except BaseException:
            _end_with_descendants(process)
            raise


def _start(
    argv: Sequence[str], environ: Mapping[str, str], terminal: int | None, *, is_apart: bool
) -> subprocess.Popen[bytes]:
    try:
        return _popen(argv, environ, terminal, is_apart=is_apart)
    except GdsExecError as error:
        raise HelperFailed(f"the helper cannot be run: {error.message}", hint=error.hint) from error


def _popen(
    argv: Sequence[str], environ: Mapping[str, str], terminal: int | None, *, is_apart: bool
) -> subprocess.Popen[bytes]:
    path = find_command(argv[0], path=environ.get("PATH"))
    # In our own process group: Ctrl-C is to end it along with us.
    try:
        return subprocess.Popen(
            argv,
            executable=path,
            env={name: value for name, value in environ.items() if name not in _NOT_FOR_HELPERS},
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=is_apart,
        )
    except (OSError, ValueError) as error:
        raise exec_failure(error, path, argv, environ) from error


def _finishes(process: subprocess.Popen[bytes], heard: _Heard, patience: _Patience) -> bool:
    """Listen until the helper has ended or printed too much; return False if the time is up first."""
    with _pipes(process, heard) as selector:
        while not heard.is_too_much:
            # Looked at before reading: all that it printed is in the pipes by then. What it left
            # in the background may hold them open, and is not waited for.
            has_ended = _has_ended(process, wait_seconds=0 if selector.get_map() else _POLL_SECONDS)
            is_silent = not _read_what_is_there(selector, wait_seconds=0 if has_ended else _POLL_SECONDS)
            if has_ended and is_silent:
                return True
            if patience.is_over():
                return False
    return True


@contextmanager
def _pipes(process: subprocess.Popen[bytes], heard: _Heard) -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as selector:
        for pipe, take in ((process.stdout, heard.take_stdout), (process.stderr, heard.take_stderr)):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, take)
        yield selector


def _has_ended(process: subprocess.Popen[bytes], *, wait_seconds: float) -> bool:
    try:
        process.wait(wait_seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _read_what_is_there(selector: selectors.BaseSelector, *, wait_seconds: float) -> bool:
    ready = selector.select(wait_seconds if selector.get_map() else 0)
    for key, _ in ready:
        data = os.read(key.fd, _READ_BYTES)
        if data:
            key.data(data)
        else:
            selector.unregister(key.fileobj)
    return bool(ready)


def _end_with_descendants(process: subprocess.Popen[bytes]) -> None:
    import psutil

    if process.poll() is not None:
        return
    helper = psutil.Process(process.pid)
    family = [*helper.children(recursive=True), helper]
    for member in family:
        # A stopped one meets its SIGTERM only when it is continued.
        with suppress(psutil.Error):
            member.terminate()
            member.resume()
    _, stubborn = psutil.wait_procs(family, timeout=_GRACE_SECONDS)
    for member in stubborn:
        with suppress(psutil.Error):
            member.kill()


def _too_slow(name: str, timeout_seconds: float) -> HelperFailed:
    return HelperFailed(
        f"the helper {name} did not end within {timeout_seconds:g} s",
        hint="run it by itself to see what it waits for",
    )


def _ended_badly(name: str, returncode: int, last_words: str) -> HelperFailed:
    if returncode < 0:
        how = f"was killed by {_signal_name(-returncode)}"
    else:
        how = f"failed with exit status {returncode}"
    said = f": {last_words}" if last_words else ""
    return HelperFailed(f"the helper {name} {how}{said}", hint="run it by itself to see all that it says")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _text(name: str, heard: _Heard) -> str:
    try:
        return heard.stdout.decode("utf-8")
    except UnicodeDecodeError:
        # The exception would carry the bytes into a traceback.
        raise HelperFailed(f"what the helper {name} printed is not UTF-8 text") from None
