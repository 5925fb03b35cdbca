"""A standby writes its text if its process is killed. The tests kill a separate process."""

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal
from gds_exec.child.standby import Standby
standby = Standby(b"last words", output=1)
{act}
"""


def run(act: str) -> tuple[int, bytes]:
    """Run code in a process with a standby; return its exit status, and what the standby writes."""
    script = SCRIPT.format(act=act)
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "send", ["os.kill(os.getpid(), {})", "os.killpg(0, {})"], ids=["to it", "to its group"]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_the_text_is_written_if_the_process_is_killed(number: signal.Signals, send: str) -> None:
    act = f"signal.signal({number:d}, signal.SIG_DFL); {send.format(int(number))}"

    assert run(act) == (-number, b"last words")


@pytest.mark.parametrize("act", ["os.kill(os.getpid(), 9)", "os._exit(3)"], ids=["SIGKILL", "exit"])
def test_the_text_is_written_however_the_process_ends(act: str) -> None:
    assert run(act) == (-9 if "kill" in act else 3, b"last words")


def test_nothing_is_written_after_a_release_which_leaves_no_child() -> None:
    act = """
standby.release()
standby.release()
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    os.write(1, b"none")
"""

    assert run(act) == (0, b"none")
