"""The benchmark's turns: who runs when, and what counts."""

import gc
import os
import sys

import pytest

from tests.bench.timing import RunFailed, interleave, last_words, pinned, time_program


def test_candidates_take_turns_and_the_first_round_does_not_count() -> None:
    turns: list[str] = []

    def trial(name: str, seconds: list[float]) -> float:
        turns.append(name)
        return seconds.pop(0)

    ours, theirs = [9.0, 1.0, 2.0], [9.0, 3.0, 4.0]
    timings = interleave({"a": lambda: trial("a", ours), "b": lambda: trial("b", theirs)}, rounds=2)

    assert turns == ["a", "b"] * 3
    assert timings["a"].seconds == [1.0, 2.0]
    assert timings["b"].seconds == [3.0, 4.0]


def test_a_trial_that_fails_is_left_out_of_what_follows() -> None:
    turns: list[str] = []

    def broken() -> float:
        turns.append("broken")
        raise RunFailed("no such role")

    timings = interleave({"broken": broken, "whole": lambda: 1.0}, rounds=3)

    assert turns == ["broken"]
    assert timings["broken"].failure == "no such role"
    assert timings["whole"].seconds == [1.0, 1.0, 1.0]


def test_garbage_is_not_collected_during_a_measurement() -> None:
    seen: list[bool] = []

    def trial() -> float:
        seen.append(gc.isenabled())
        return 1.0

    interleave({"a": trial}, rounds=1)

    assert seen == [False, False]
    assert gc.isenabled()


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(RunFailed, match="ended with 3: no such role"):
        time_program(("sh", "-c", "echo no such role >&2; exit 3"), environ={})


def test_a_program_reads_what_is_typed_for_it_and_sees_no_other_variables() -> None:
    script = "import os; assert input() == '123456'; assert os.environ['GIVEN'] and 'HOME' not in os.environ"

    assert time_program((sys.executable, "-c", script), environ={"GIVEN": "1"}, typed="123456\n") > 0


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be pinned here")
def test_pinning_ends_with_its_block() -> None:
    before = os.sched_getaffinity(0)
    with pinned(min(before)):
        assert os.sched_getaffinity(0) == {min(before)}

    assert os.sched_getaffinity(0) == before


def test_last_words_are_one_line_of_bearable_length() -> None:
    assert last_words("Traceback:\n  it broke\n") == "Traceback: it broke"
    assert len(last_words("x" * 5000)) < 200
