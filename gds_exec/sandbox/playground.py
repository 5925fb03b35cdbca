"""`gds-exec try`: a command, or a shell, that lives in the sandbox for as long as it runs."""

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import path
from typing import Protocol

from gds_exec.child.foreground import run_in_foreground
from gds_exec.child.lookup import user_shell
from gds_exec.sandbox.device_code import (
    DIRECTORY_PREFIX,
    DIRECTORY_VARIABLE,
    PID_FILE,
    SECRET_FILE,
    next_code,
    remember_spent_steps,
)
from gds_exec.sandbox.fixtures import Scenery, config_text, credentials_text, furnish
from gds_exec.sandbox.server import Server, serve
from gds_exec.sandbox.state import Aws
from gds_exec.signals import handling

_ENDING_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_WELCOME = (
    "a sandbox AWS of your own: nothing in this shell reaches AWS; exit ends it, and leaves nothing behind",
    "its roles: try-readonly, try-admin (up to 12 h), try-chained (through try-readonly), try-no-mfa",
    "to begin: gds-exec try-readonly -- gds-exec whoami",
)


class _RunCommand(Protocol):
    def __call__(self, argv: Sequence[str], *, environ: Mapping[str, str]) -> int: ...


class _Ended(BaseException):
    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def run_playground(
    command: Sequence[str] | None,
    *,
    environ: Mapping[str, str],
    script_directory: str,
    run: _RunCommand = run_in_foreground,
    can_ask: Callable[[], bool] = _has_terminal,
    say: Callable[[str], None],
    temporary_directory: str | None = None,
    now: Callable[[], float] = time.time,
) -> int:
    """Run `command`, or the user's shell, against a sandbox and return its wait status.

    `script_directory` is where `gds-exec` itself lies. A signal that ends us is returned as the wait
    status of a command that it killed. Only for the main thread.
    """
    try:
        with _signals_unwind(), _private_directory(temporary_directory) as directory:
            aws = Aws(time=now)
            scenery = furnish(aws, on_spent=remember_spent_steps(directory))
            is_attended = can_ask()
            _write_files(directory, scenery, mfa_process=None if is_attended else "gds-exec try code")
            with serve(Server(aws)) as url:
                inside = _environ_inside(
                    environ, directory=directory, url=url, script_directory=script_directory
                )
                _greet(scenery, say=say, now=now(), is_attended=is_attended, command=command)
                return run(command or [user_shell(environ)], environ=inside)
    except _Ended as ended:
        return ended.signal_number


@contextmanager
def _signals_unwind() -> Iterator[None]:
    """Let signals that end us unwind instead, so that nothing is left behind."""

    def unwind(number: int, _frame: object) -> None:
        raise _Ended(number)

    with handling(dict.fromkeys(_ENDING_SIGNALS, unwind)):
        yield


@contextmanager
def _private_directory(parent: str | None) -> Iterator[str]:
    """Make a directory that only we can read, and remove it whatever happens."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING_SIGNALS)
    directory = tempfile.mkdtemp(prefix=DIRECTORY_PREFIX, dir=parent)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        with open(path.join(directory, PID_FILE), "x", encoding="ascii") as file:
            # Held until we end, however that happens: this says that the sandbox runs.
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield directory
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING_SIGNALS)
        shutil.rmtree(directory, ignore_errors=True)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _write_files(directory: str, scenery: Scenery, *, mfa_process: str | None) -> None:
    os.mkdir(path.join(directory, "cache"), 0o700)
    contents = {
        "config": config_text(scenery, mfa_process=mfa_process),
        "credentials": credentials_text(scenery),
        SECRET_FILE: scenery.device.secret,
    }
    for name, text in contents.items():
        descriptor = os.open(path.join(directory, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)


def _environ_inside(
    environ: Mapping[str, str], *, directory: str, url: str, script_directory: str
) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if not name.startswith(("AWS_", "GDS_EXEC_"))}
    # Whatever proxy the person needs cannot reach the loopback of this machine.
    not_proxied = {
        name: ",".join(filter(None, (environ.get(name), "127.0.0.1"))) for name in ("NO_PROXY", "no_proxy")
    }
    return {
        **kept,
        **not_proxied,
        "PATH": path.pathsep.join((script_directory, environ.get("PATH", os.defpath))),
        "AWS_CONFIG_FILE": path.join(directory, "config"),
        "AWS_SHARED_CREDENTIALS_FILE": path.join(directory, "credentials"),
        # The general one as well: no other service of AWS shall be asked with these keys.
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_IAM": url,
        "AWS_ENDPOINT_URL_STS": url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "GDS_EXEC_CACHE_DIR": path.join(directory, "cache"),
        DIRECTORY_VARIABLE: directory,
    }


def _greet(
    scenery: Scenery,
    *,
    say: Callable[[str], None],
    now: float,
    is_attended: bool,
    command: Sequence[str] | None,
) -> None:
    lines = [] if command else list(_WELCOME)
    if is_attended:
        code = next_code(scenery.device.secret, spent=(), now=now)
        shown = f"{code.digits[:3]} {code.digits[3:]} for {code.seconds_left} s more"
        lines.append(
            f"sandbox ready; its MFA device shows {shown} (after that: gds-exec try code, in any terminal)"
        )
    for line in lines:
        say(line)
