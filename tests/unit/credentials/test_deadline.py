import signal
import subprocess
import sys
import threading

import pytest

from gds_exec.credentials.deadline import run_within


def test_the_result_comes_back() -> None:
    assert run_within(60, lambda: "done") == "done"


@pytest.mark.parametrize(
    "error",
    [ValueError("wrong"), KeyboardInterrupt(), TimeoutError("its own")],
    ids=lambda e: type(e).__name__,
)
def test_an_error_comes_back_as_it_was_raised(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as failure:
        run_within(60, fail)

    assert failure.value is error


@pytest.mark.parametrize("seconds", [0.01, 0, -1])
def test_work_that_takes_too_long_is_left_behind(seconds: float) -> None:
    never = threading.Event()

    with pytest.raises(TimeoutError):
        run_within(seconds, lambda: never.wait(30))

    never.set()


def test_signals_stay_with_the_main_thread() -> None:
    blocked = run_within(60, lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    assert signal.SIGTERM in blocked


LEAVES_WORK_BEHIND = """
import time
from gds_exec.credentials.deadline import run_within
try:
    run_within(0.01, lambda: time.sleep(60))
except TimeoutError:
    print("ended")
"""


def test_work_left_behind_does_not_keep_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVES_WORK_BEHIND], capture_output=True, text=True, timeout=30, check=True
    )

    assert (done.stdout, done.stderr) == ("ended\n", "")
