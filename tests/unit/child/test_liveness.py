import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from gds_exec.child.liveness import create_time, is_alive, is_stopped


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


def began(pid: int) -> float:
    time_of_it = create_time(pid)
    assert time_of_it is not None
    return time_of_it


def test_a_process_is_stopped_from_its_stop_to_its_continuation(sleeper: subprocess.Popen[bytes]) -> None:
    assert not is_stopped(sleeper.pid)

    sleeper.send_signal(signal.SIGSTOP)
    assert eventually(lambda: is_stopped(sleeper.pid))

    sleeper.send_signal(signal.SIGCONT)
    assert eventually(lambda: not is_stopped(sleeper.pid))


def test_a_process_that_is_gone_is_neither_stopped_nor_alive(sleeper: subprocess.Popen[bytes]) -> None:
    birth = began(sleeper.pid)
    sleeper.kill()
    sleeper.wait()

    assert not is_stopped(sleeper.pid)
    assert create_time(sleeper.pid) is None
    assert not is_alive(sleeper.pid, birth)


def test_a_zombie_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    birth = began(sleeper.pid)
    sleeper.kill()

    assert eventually(lambda: not is_alive(sleeper.pid, birth))
    assert sleeper.returncode is None


def test_a_process_is_alive_under_its_own_time_of_birth_only(sleeper: subprocess.Popen[bytes]) -> None:
    birth = began(sleeper.pid)

    assert is_alive(sleeper.pid, birth)
    assert not is_alive(sleeper.pid, birth - 60)  # matrix 99


def test_the_time_of_birth_is_of_the_epoch() -> None:
    assert abs(began(os.getpid()) - time.time()) < 3600


def test_psutil_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, gds_exec.child.liveness; print('psutil' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
