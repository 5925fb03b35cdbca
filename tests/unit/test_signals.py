"""Signals that kill are tested on processes of their own."""

import signal
import subprocess
import sys

import pytest

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


def unwinding(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", UNWINDING, *arguments],
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


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    done = unwinding("SIGHUP", "ignored")

    assert (done.returncode, done.stdout) == (0, "went on\nunwound\nleft\n")
