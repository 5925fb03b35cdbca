import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from gds_exec.child.liveness import is_stopped


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def test_a_process_is_stopped_from_its_stop_to_its_continuation(sleeper: subprocess.Popen[bytes]) -> None:
    assert not is_stopped(sleeper.pid)

    sleeper.send_signal(signal.SIGSTOP)
    assert eventually(lambda: is_stopped(sleeper.pid))

    sleeper.send_signal(signal.SIGCONT)
    assert eventually(lambda: not is_stopped(sleeper.pid))


def test_a_process_that_is_gone_is_not_stopped(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    sleeper.wait()

    assert not is_stopped(sleeper.pid)
