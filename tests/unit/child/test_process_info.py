import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from gds_exec.child.process_info import birth, exit_descriptor, has_ended, is_stopped, process_mark
from tests.processes import run_python


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


def test_a_birth_stays_the_same_and_is_no_other_process_s(sleeper: subprocess.Popen[bytes]) -> None:
    born = birth(sleeper.pid)

    assert born is not None
    assert birth(sleeper.pid) == born
    assert birth(os.getpid()) != born


def test_a_process_that_has_ended_has_no_birth_even_before_it_is_reaped(
    sleeper: subprocess.Popen[bytes],
) -> None:
    sleeper.kill()
    assert eventually(lambda: birth(sleeper.pid) is None)

    sleeper.wait()
    assert birth(sleeper.pid) is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere psutil tells")
def test_a_birth_is_told_whatever_the_process_calls_itself_and_without_psutil() -> None:
    script = """
import os, sys
from gds_exec.child.process_info import birth
from gds_exec.child.prctl import take_name
born = birth(os.getpid())
take_name(") Z 1 (2) X 3")
print(born is not None and birth(os.getpid()) == born, "psutil" in sys.modules)
"""

    assert run_python(script) == "True False\n"


@pytest.mark.skipif(
    sys.platform == "linux" and not hasattr(os, "pidfd_open"), reason="this Python knows no pidfd"
)
def test_the_descriptor_of_a_process_can_be_read_from_once_it_has_ended(
    sleeper: subprocess.Popen[bytes],
) -> None:
    descriptor = exit_descriptor(sleeper.pid)
    assert descriptor is not None
    try:
        assert not select.select([descriptor], (), (), 0)[0]
        sleeper.kill()
        assert select.select([descriptor], (), (), 10)[0]
    finally:
        os.close(descriptor)


def test_a_process_that_is_gone_has_no_descriptor(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    sleeper.wait()

    assert exit_descriptor(sleeper.pid) is None


def test_a_mark_says_whether_its_process_has_ended_even_before_it_is_reaped(
    sleeper: subprocess.Popen[bytes],
) -> None:
    mark = process_mark(sleeper.pid)
    assert has_ended(mark) is False
    assert has_ended(f"{mark}.0123.tmp") is False

    sleeper.kill()
    assert eventually(lambda: has_ended(mark) is True)

    sleeper.wait()
    assert has_ended(mark) is True


def test_a_reused_pid_is_told_apart(sleeper: subprocess.Popen[bytes]) -> None:
    _, place, born = process_mark(sleeper.pid).split(".")

    assert has_ended(f"{os.getpid()}.{place}.{born}") is True


@pytest.mark.parametrize(
    "mark", ["", "x", "0123", "0123.tmp", "1-0123.config", "1.2.3", "-1.2.3", "٣.2.3", f"1.{0:016x}.{0:016x}"]
)
def test_a_name_without_a_mark_has_no_answer(mark: str) -> None:
    assert has_ended(mark) is None


def test_a_process_in_another_place_has_no_answer() -> None:
    pid, place, born = process_mark(os.getpid()).split(".")

    assert has_ended(f"{pid}.{int(place, 16) ^ 1:016x}.{born}") is None


def test_a_process_of_unknown_birth_lives_as_long_as_its_pid(
    sleeper: subprocess.Popen[bytes],
) -> None:
    pid, place, _ = process_mark(sleeper.pid).split(".")
    mark = f"{pid}.{place}.{0:016x}"
    assert has_ended(mark) is False

    sleeper.kill()
    sleeper.wait()

    assert has_ended(mark) is True


def test_a_pid_that_no_process_can_have_has_ended() -> None:
    _, place, born = process_mark(os.getpid()).split(".")

    assert has_ended(f"{'9' * 20}.{place}.{born}") is True
