import os
import selectors
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from gds_exec.child.capture import Captured
from tests.processes import run_python

PATIENCE_SECONDS = 20
HAS_PIDFD = sys.platform != "linux" or hasattr(os, "pidfd_open")


class Loop:
    """An event loop, and what it was told of how processes ended."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.selector = selector
        self.ended: list[tuple[int, bytes, bytes]] = []

    def start(self, script: str, *arguments: str, **environ: str) -> Captured:
        argv = [sys.executable, "-I", "-c", script, *arguments]
        return Captured(self.selector, argv, environ=environ, on_end=self._take)

    def _take(self, status: int, out: bytes, err: bytes) -> None:
        self.ended.append((status, out, err))

    def outcome(self) -> tuple[int, bytes, bytes]:
        """Turn until a process has ended; return its exit status, a negative signal, and what it wrote."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.ended:
            assert time.monotonic() < deadline, "it has not ended"
            for key, _ in self.selector.select(PATIENCE_SECONDS):
                key.data()
        status, out, err = self.ended.pop()
        return os.waitstatus_to_exitcode(status), out, err

    def run(self, script: str, *arguments: str, **environ: str) -> tuple[int, bytes, bytes]:
        self.start(script, *arguments, **environ)
        return self.outcome()


@pytest.fixture
def loop() -> Iterator[Loop]:
    with selectors.DefaultSelector() as selector:
        yield Loop(selector)


def test_what_it_writes_and_how_it_ends_are_told(loop: Loop) -> None:
    script = "import sys; print('data'); print('why', file=sys.stderr); sys.exit(7)"

    assert loop.run(script) == (7, b"data\n", b"why\n")


def test_a_death_by_signal_is_told(loop: Loop) -> None:
    assert loop.run("import os; os.kill(os.getpid(), 9)") == (-9, b"", b"")


def test_it_gets_its_arguments_and_the_given_environment_and_no_other(loop: Loop) -> None:
    script = "import os, sys; print(sys.argv[1:], sorted(set(os.environ) - {'LC_CTYPE'}))"

    assert loop.run(script, "a b", ONE="1")[1] == b"['a b'] ['ONE']\n"


def test_it_has_nothing_to_read(loop: Loop) -> None:
    assert loop.run("import sys; print(repr(sys.stdin.read()))")[1] == b"''\n"


IN_A_LOOP = """
import os, selectors, signal, sys
from gds_exec.child.capture import Captured
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
ended = []
with selectors.DefaultSelector() as selector:
    Captured(selector, sys.argv[1:], environ={},
        on_end=lambda status, out, err: ended.append(out))
    while not ended:
        for key, _ in selector.select():
            key.data()
print(ended[0].decode(), end="")
"""


def test_it_inherits_no_descriptor() -> None:
    script = "import os; print(sorted(os.listdir('/dev/fd')))"  # the listing is read by the fourth

    assert run_python(IN_A_LOOP, sys.executable, "-I", "-c", script) == "['0', '1', '2', '3']\n"


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM])
def test_it_dies_of_what_we_ignore_or_have_blocked(number: int) -> None:
    assert run_python(IN_A_LOOP, "/bin/sh", "-c", f"kill -{int(number)} $$; echo lives") == ""


def test_more_than_a_pipe_holds_is_heard_and_no_more_than_is_kept(loop: Loop) -> None:
    status, out, err = loop.run("import os\nfor _ in range(64): os.write(1, b'x' * 16384)\nos.write(2, b'y')")

    assert (status, err) == (0, b"y")
    assert set(out) == {ord("x")}
    assert 200_000 < len(out) < 400_000


@pytest.mark.skipif(not HAS_PIDFD, reason="the end of a process cannot be told here but by its output")
def test_what_it_leaves_in_the_background_is_not_waited_for(loop: Loop) -> None:
    script = """
import os, time
reading, writing = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(writing, b".")
    time.sleep(60)
os.read(reading, 1)
print(pid)
"""

    status, out, _ = loop.run(script)

    os.kill(int(out), signal.SIGKILL)  # which fails if it has ended
    assert status == 0


def test_one_that_closes_its_output_is_waited_for(loop: Loop) -> None:
    script = "import os, sys, time; os.close(1); os.close(2); time.sleep(0.1); os._exit(3)"

    assert loop.run(script) == (3, b"", b"")


def test_it_can_be_sent_a_signal_and_its_end_is_told_as_ever(loop: Loop) -> None:
    process = loop.start("import time; time.sleep(60)")

    process.send(signal.SIGKILL)

    assert loop.outcome() == (-signal.SIGKILL, b"", b"")


@pytest.mark.parametrize(
    ("preparation", "number"),
    [("", signal.SIGTERM), ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)", signal.SIGKILL)],
    ids=["at once", "one that will not"],
)
def test_one_that_is_ended_has_been_heard_and_nobody_is_told(
    loop: Loop, preparation: str, number: int
) -> None:
    before = sorted(os.listdir("/dev/fd"))
    process = loop.start(f"{preparation}\nimport os, time; os.write(1, b'ready'); time.sleep(60)")
    assert loop.selector.select(PATIENCE_SECONDS), "it is not ready"

    status, said = process.end(grace_seconds=0.1)

    assert (os.WTERMSIG(status), said) == (number, b"ready")
    assert loop.selector.select(0) == []
    assert loop.ended == []
    with pytest.raises(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    assert sorted(os.listdir("/dev/fd")) == before


def test_what_it_wrote_is_heard_although_its_end_is_heard_of_first(loop: Loop) -> None:
    process = loop.start("import os; os.write(1, b'data'); os.write(2, b'why')")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    for key, _ in reversed(loop.selector.select(PATIENCE_SECONDS)):
        key.data()

    assert loop.outcome() == (0, b"data", b"why")


def test_several_are_told_apart(loop: Loop) -> None:
    for number in range(3):
        loop.start(f"import sys; print({number}); sys.exit({number})")

    assert sorted(loop.outcome() for _ in range(3)) == [(0, b"0\n", b""), (1, b"1\n", b""), (2, b"2\n", b"")]


def test_one_that_has_ended_leaves_nothing_behind(loop: Loop) -> None:
    before = sorted(os.listdir("/dev/fd"))

    process = loop.start("print('data')")
    loop.outcome()

    assert sorted(os.listdir("/dev/fd")) == before
    assert not loop.selector.get_map()
    with pytest.raises(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)


def test_a_program_that_is_not_there_is_an_error_that_leaves_nothing_behind(loop: Loop) -> None:
    before = sorted(os.listdir("/dev/fd"))

    with pytest.raises(FileNotFoundError):
        Captured(loop.selector, ["/no/such/program"], environ={}, on_end=loop._take)

    assert sorted(os.listdir("/dev/fd")) == before
    assert not loop.selector.get_map()
