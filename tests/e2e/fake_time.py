"""Another clock than the machine's, for the programs that a test starts."""

import subprocess
from functools import cache


@cache
def preloaded_library() -> str:
    """The library that `faketime` preloads.

    `faketime` itself fails now and then: its semaphore has its pid in the name, and an old one may be left.
    """
    argv = ("faketime", "-f", "+0", "sh", "-c", "echo $LD_PRELOAD")
    for _ in range(50):
        if found := subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip():
            return found
    raise AssertionError("faketime does not work here")


def at_clock(offset: str) -> tuple[str, ...]:
    """The command that runs another with a clock that differs so, as `faketime -f` reads it."""
    return ("env", f"LD_PRELOAD={preloaded_library()}", f"FAKETIME={offset}")
