"""Runs of programs, timed: one after the other, in turn with those they are held against."""

import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

_LAST_WORDS_CHARACTERS = 160


class RunFailed(Exception):
    """A run did not do what it was to do, so that its time means nothing."""


@dataclass(slots=True)
class Timings:
    """The seconds that one side took, round by round, until it failed if it did."""

    seconds: list[float] = field(default_factory=list)
    failure: str = ""


def interleave(
    trials: Mapping[str, Callable[[], float]], *, rounds: int, pinned_to: int | None = None
) -> dict[str, Timings]:
    """Run every trial once a round, after a round that does not count, and return what each took.

    A trial that raises `RunFailed` is left out of the rounds that follow.
    """
    timings = {name: Timings() for name in trials}
    with pinned(pinned_to), _without_collection():
        for number in range(rounds + 1):
            for name, trial in trials.items():
                _run_trial(trial, timings[name], counts=number > 0)
    return timings


def _run_trial(trial: Callable[[], float], timings: Timings, *, counts: bool) -> None:
    if timings.failure:
        return
    try:
        seconds = trial()
    except RunFailed as failure:
        timings.failure = str(failure)
    else:
        if counts:
            timings.seconds.append(seconds)


def time_program(argv: tuple[str, ...], *, environ: Mapping[str, str], typed: str = "") -> float:
    """Run a program without a terminal, its input being `typed`; return the seconds that it took."""
    with tempfile.TemporaryFile() as keyboard, tempfile.TemporaryFile() as said:
        keyboard.write(typed.encode())
        keyboard.seek(0)
        streams = [
            (os.POSIX_SPAWN_DUP2, keyboard.fileno(), 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, said.fileno(), 2),
        ]
        began = time.perf_counter()
        pid = os.posix_spawnp(argv[0], argv, dict(environ), file_actions=streams, setsid=True)
        _, status = os.waitpid(pid, 0)
        seconds = time.perf_counter() - began
        if status != 0:
            raise RunFailed(_why(argv, os.waitstatus_to_exitcode(status), said))
        return seconds


def last_words(text: str) -> str:
    """Return the end of what a program said, on one line."""
    words = " ".join(text.split())
    return words if len(words) <= _LAST_WORDS_CHARACTERS else "…" + words[-_LAST_WORDS_CHARACTERS:]


@contextmanager
def pinned(cpu: int | None) -> Iterator[None]:
    """Keep this process, and those that it starts, on one processor; None is no such wish."""
    if cpu is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _without_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _why(argv: tuple[str, ...], exit_status: int, said: IO[bytes]) -> str:
    said.seek(0)
    words = last_words(said.read().decode(errors="replace"))
    return f"{os.path.basename(argv[0])} ended with {exit_status}: {words or 'and said nothing'}"
