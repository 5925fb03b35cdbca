"""The starter is a process of its own, as whoever becomes another program is."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gds_exec.child.spawn import read_until

READY = b"ready"
START = """
import os, sys
from gds_exec.child.spawn import start_detached
pid = start_detached(sys.argv[1:], environ={"ONE": "1"})
try:
    os.waitpid(-1, os.WNOHANG)
    print("has a child")
except ChildProcessError:
    print(os.getpid(), os.getpgrp(), os.getsid(0), pid)
"""
# Writes what it is, all at once, to the file that it is told.
DETACHED = """
import json, os, sys
path, descriptor = sys.argv[1:]
try:
    os.close(os.open("/dev/tty", os.O_RDWR))
    has_terminal = True
except OSError:
    has_terminal = False
os.write(2, b"said")
facts = {
    "pid": os.getpid(), "parent": os.getppid(), "session": os.getsid(0), "group": os.getpgrp(),
    "has_terminal": has_terminal,
    "environ": sorted(set(os.environ) - {"LC_CTYPE"}),
    "inherited": os.read(int(descriptor), 100).decode(),
    "is_null": [os.path.samestat(os.fstat(number), os.stat(os.devnull)) for number in (0, 1)],
}
with open(f"{path}.new", "w") as file:
    json.dump(facts, file)
os.rename(f"{path}.new", path)
"""


class Started:
    """A detached program, and what it and its starter told of themselves."""

    def __init__(self, path: Path) -> None:
        reading, writing = os.pipe()
        os.write(writing, b"handed over")
        os.close(writing)
        program = [sys.executable, "-I", "-c", DETACHED, str(path / "facts"), str(reading)]
        with open(path / "said", "wb") as said:
            self.printed = subprocess.run(
                [sys.executable, "-c", START, *program],
                pass_fds=[reading],
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                check=True,
            ).stdout
        os.close(reading)
        self.facts = json.loads(eventually_read(path / "facts"))
        self.said = (path / "said").read_text()


def eventually_read(path: Path) -> str:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, "it has not told"
        time.sleep(0.01)
    return path.read_text()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Started:
    return Started(tmp_path_factory.mktemp("detached"))


def test_it_is_nobody_s_child(started: Started) -> None:
    assert started.printed != "has a child\n"
    assert started.facts["parent"] != int(started.printed.split()[0])


def test_it_shares_neither_group_nor_session_nor_terminal(started: Started) -> None:
    _, group, session, _ = map(int, started.printed.split())

    assert started.facts["group"] != group
    assert started.facts["session"] != session
    assert not started.facts["has_terminal"]


def test_it_can_never_get_a_terminal(started: Started) -> None:
    assert started.facts["session"] != started.facts["pid"]  # only who leads a session can


def test_it_reads_and_prints_nothing_but_says_what_is_wrong_where_we_do(started: Started) -> None:
    assert started.facts["is_null"] == [True, True]
    assert started.said == "said"


def test_it_has_the_given_environment_and_inherits_what_is_inheritable(started: Started) -> None:
    # Where coverage measures it, that adds a variable of its own as it starts.
    assert [name for name in started.facts["environ"] if not name.startswith("COVERAGE_")] == ["ONE"]
    assert started.facts["inherited"] == "handed over"


def test_the_pid_is_returned(started: Started) -> None:
    assert started.facts["pid"] == int(started.printed.split()[-1])


def test_a_program_that_cannot_be_started_is_an_error_of_ours() -> None:
    start = [sys.executable, "-c", START, "/no/such/program"]

    done = subprocess.run(start, capture_output=True, text=True, check=False)

    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == "FileNotFoundError: [Errno 2] No such file or directory"


def awaited(*pieces: bytes, is_over: bool = True) -> bytes:
    """Return what is read of a program that writes these pieces, and then ends or stays silent."""
    reading, writing = os.pipe()
    for piece in pieces:
        os.write(writing, piece)
    if is_over:
        os.close(writing)
    try:
        return read_until(reading, READY, seconds=0.05)
    finally:
        os.close(reading)
        if not is_over:
            os.close(writing)


def test_a_program_is_ready_when_it_says_so() -> None:
    assert awaited(b"a warning\n", READY, is_over=False) == b"a warning\n" + READY


def test_a_program_that_ends_before_is_not_ready() -> None:
    assert awaited(b"an error\n") == b"an error\n"


def test_a_program_that_stays_silent_is_not_waited_for_without_end() -> None:
    with pytest.raises(TimeoutError):
        awaited(b"a warning\n", is_over=False)
