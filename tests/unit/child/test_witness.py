"""What the witness writes is scripted here; a real one is at work in test_supervisor."""

import os
import signal
from collections.abc import Iterator

import pytest

from gds_exec.child.witness import Witness
from tests.processes import run_python

ANSWER = 0


class Script:
    """The witness's ends of the pipes, held by the test; its clock moves when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self._asked, questions = os.pipe()
        report, self._reporting = os.pipe()
        os.set_blocking(report, False)
        self.witness = Witness(0, questions=questions, report=report, now=lambda: self.seconds)

    def writes(self, *numbers: int) -> None:
        os.write(self._reporting, bytes(numbers))

    def ends(self) -> None:
        os.close(self._reporting)
        os.close(self._asked)


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    yield script
    script.witness.close()


INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def test_what_the_witness_got_too_was_sent_to_all(script: Script) -> None:
    script.writes(INT, HUP, ANSWER)

    assert script.witness.sent_to_all([INT, TERM, INT]) == {INT}


def test_what_was_sent_to_all_is_told_once(script: Script) -> None:
    script.writes(INT, ANSWER)

    assert script.witness.sent_to_all([INT]) == {INT}
    script.writes(ANSWER)
    assert script.witness.sent_to_all([INT]) == set()


def test_what_the_witness_got_a_moment_before_us_is_remembered(script: Script) -> None:
    script.writes(INT)
    assert script.witness.hear()
    script.seconds += 0.01
    script.writes(ANSWER)

    assert script.witness.sent_to_all([INT]) == {INT}


def test_what_only_the_witness_got_is_soon_forgotten(script: Script) -> None:
    script.writes(INT)
    assert script.witness.hear()
    script.seconds += 1
    script.writes(ANSWER)

    assert script.witness.sent_to_all([INT]) == set()


def test_a_witness_that_is_silent_is_not_waited_for(script: Script) -> None:
    assert script.witness.sent_to_all([INT]) is None


def test_a_late_answer_is_none_to_the_next_question(script: Script) -> None:
    assert script.witness.sent_to_all([INT]) is None
    script.writes(ANSWER)

    assert script.witness.sent_to_all([INT]) is None


def test_what_was_got_before_an_answer_that_came_too_late_counts_no_more(script: Script) -> None:
    assert script.witness.sent_to_all([INT, TERM]) is None
    script.writes(INT, TERM, ANSWER, TERM, ANSWER)

    assert script.witness.sent_to_all([INT, TERM]) == {TERM}


def test_a_witness_that_has_ended_says_nothing(script: Script) -> None:
    script.ends()

    assert not script.witness.hear()
    assert script.witness.sent_to_all([INT]) is None


def test_a_witness_that_ends_instead_of_answering_says_nothing(script: Script) -> None:
    os.close(script._reporting)

    assert script.witness.sent_to_all([INT]) is None


def test_hearing_when_nothing_was_written_does_not_wait(script: Script) -> None:
    assert script.witness.hear()


REAL = """
import os, signal, sys
from gds_exec.child.witness import Witness
heeded = [signal.SIGTERM, signal.SIGUSR1, signal.SIGRTMAX]
for number in heeded:
    signal.signal(number, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, heeded)
witness = Witness.start(heeded)
"""


def test_every_signal_that_a_real_witness_was_sent_is_in_its_first_answer() -> None:
    script = f"""{REAL}
for _ in range(200):
    for number in heeded:
        os.kill(witness.pid, number)
    assert witness.sent_to_all(heeded) == set(heeded)
    assert witness.sent_to_all(heeded) == set()
"""

    run_python(script)


@pytest.mark.parametrize("before", ["", "os.kill(witness.pid, signal.SIGSTOP)", "os.kill(witness.pid, 9)"])
def test_a_real_witness_is_ended_in_whatever_state(before: str) -> None:
    script = f"""{REAL}
{before}
witness.end()
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("no child")
"""

    assert run_python(script) == "no child\n"


def test_a_real_witness_ends_when_it_is_let_go() -> None:
    assert run_python(f"{REAL}witness.close(); print(os.waitpid(witness.pid, 0)[1])") == "0\n"
