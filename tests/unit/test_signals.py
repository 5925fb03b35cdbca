"""Signals that kill are tested on processes of their own."""

import signal
import subprocess
import sys

import pytest

from tests.processes import run_python

UNWINDING = """
import os, signal, sys
from gds_exec.signals import deadly_signals_unwind
if "ignored" in sys.argv:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
with deadly_signals_unwind():
    try:
        for name in sys.argv[1].split():
            signal.raise_signal(signal.Signals[name])
        print("went on", flush=True)
    finally:
        if "again" in sys.argv:
            signal.raise_signal(signal.SIGHUP)
        print("unwound", flush=True)
print("left", flush=True)
"""


def unwinding(*arguments: str, code: str = UNWINDING) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_deadly_signal_kills_when_all_is_unwound(number: signal.Signals) -> None:
    done = unwinding(number.name)

    assert (done.returncode, done.stdout) == (-number, "unwound\n")


def test_a_second_signal_does_not_cut_the_unwinding_short() -> None:
    done = unwinding("SIGTERM", "again")

    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "unwound\n")


def test_where_the_interpreter_drops_a_signal_a_later_one_kills() -> None:
    code = (
        "import signal, time\n"
        "from gds_exec import signals\n"
        "signals._AGAIN_SECONDS = 0.01\n"
        "class Finalized:\n"
        "    def __del__(self):\n"
        "        signal.raise_signal(signal.SIGTERM)\n"
        "with signals.deadly_signals_unwind():\n"
        "    Finalized()\n"
        "    print('went on', flush=True)\n"
        "    time.sleep(0.02)\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
    )

    done = unwinding(code=code)

    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "went on\n")


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    done = unwinding("SIGHUP", "ignored")

    assert (done.returncode, done.stdout) == (0, "went on\nunwound\nleft\n")


LIMITED = """
import select, signal, sys, threading
from gds_exec.signals import time_limit

def swallow():
    while True:
        try:
            select.select([], [], [])
        except Exception:
            pass

class Finalized:
    def __del__(self):
        select.select([], [], [], 0.1)

def finalize():
    sys.unraisablehook = lambda _: None
    Finalized()
    select.select([], [], [])

what = sys.argv[1]
if what == "ignored":
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
if what == "blocked":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
found = signal.getsignal(signal.SIGALRM)
for_ever = {"lock": threading.Event().wait, "swallowed": swallow, "finalizer": finalize}.get(
    what, lambda: select.select([], [], [])
)
try:
    with time_limit(0.01, otherwise=lambda: TimeoutError("too late"), again_seconds=0.33):
        try:
            for_ever()
        finally:
            print("tidied up")
except TimeoutError as error:
    print(error)
is_same_mask = signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask
print(is_same_mask and signal.getsignal(signal.SIGALRM) == found, signal.getitimer(signal.ITIMER_REAL))
"""
IN_TIME = """
import signal
from gds_exec.signals import time_limit
for seconds in (None, 3600.0):
    with time_limit(seconds, otherwise=lambda: TimeoutError("too late")):
        print("in time")
    print(signal.getsignal(signal.SIGALRM) == signal.SIG_DFL, signal.getitimer(signal.ITIMER_REAL))
"""


@pytest.mark.parametrize("what", ["select", "lock", "swallowed", "finalizer", "ignored", "blocked"])
def test_what_lasts_for_ever_ends_when_the_time_is_up(what: str) -> None:
    assert run_python(LIMITED, what) == "tidied up\ntoo late\nTrue (0.0, 0.0)\n"


def test_what_is_done_in_time_leaves_no_clock_running() -> None:
    assert run_python(IN_TIME) == "in time\nTrue (0.0, 0.0)\n" * 2
