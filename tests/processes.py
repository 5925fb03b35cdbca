"""Python in a process of its own, for what a test must not do to itself: limits, umask, another user."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent


def run_python(
    script: str,
    *arguments: str | Path,
    preexec: Callable[[], object] | None = None,
    under: tuple[str, ...] = (),
) -> str:
    """Run the script to its end, `under` another program if given, and return what it printed."""
    done = subprocess.run(
        [*under, sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=_ROOT,
        check=False,
        preexec_fn=preexec,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def python_running(script: str, *arguments: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """Start the script, wait for its first line, and kill it at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@cache
def _why_no_strace() -> str | None:
    strace = shutil.which("strace")
    if strace is None:
        return "strace is not installed"
    tried = subprocess.run([strace, "-o", "/dev/null", "true"], capture_output=True, timeout=20, check=False)
    return None if tried.returncode == 0 else "this machine does not allow ptrace"


def strace(*options: str) -> tuple[str, ...]:
    """Return the command that traces another; skip the test, saying why, where none can."""
    if (why := _why_no_strace()) is not None:
        pytest.skip(why)
    return ("strace", *options)
