"""Many gds-exec started at once on one terminal, so that each one's end and output can be told apart."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pexpect
import psutil
import pytest

from .patience import eventually
from .programs import program
from .world import GDS_EXEC, PATIENCE_SECONDS, PYTHON, SHOW_KEY, World, finish

# Like `make -j` it lets Ctrl-C reach those it started, and outlives them to tell how they ended;
# a shell's `&` would have them ignore it. Only what is said to a person stands on the terminal.
_LAUNCHER = """
import json, os, signal, subprocess
signal.signal(signal.SIGINT, lambda *_: None)
os.chdir(os.path.dirname(__file__))
started = []
for number, argv in enumerate(json.load(open("commands"))):
    with open(f"{number}.out", "w") as output:
        started.append(subprocess.Popen(argv, stdout=output))
def tell(name, numbers):
    with open(name + ".new", "w") as file:
        json.dump(numbers, file)
    os.rename(name + ".new", name)
tell("pids", [process.pid for process in started])
tell("statuses", [process.wait() for process in started])
"""


class Crowd:
    """Processes that start together, each with its own arguments for gds-exec; `command` starts them."""

    def __init__(self, directory: Path, arguments: Sequence[Sequence[str]]) -> None:
        directory.mkdir()
        self._directory = directory
        self._size = len(arguments)
        launcher = program(directory / "launcher.py", _LAUNCHER)
        (directory / "commands").write_text(json.dumps([[GDS_EXEC, *each] for each in arguments]))
        self.command = (PYTHON, str(launcher))

    def pids(self) -> list[int]:
        """The processes, once all are started."""
        return self._told("pids")

    def await_waiting(self) -> None:
        """Return when each of them holds a lock or waits for one."""
        for pid in self.pids():
            eventually(partial(_assert_at_a_lock, pid), seconds=PATIENCE_SECONDS)

    def statuses(self) -> list[int]:
        """How each of them ended: its exit status, or a signal's number below zero."""
        return self._told("statuses")

    def key_ids(self) -> list[str]:
        """The access key ids that their commands saw, one of each that came to run its command."""
        outputs = [(self._directory / f"{number}.out").read_text() for number in range(self._size)]
        return [line for output in outputs for line in output.split()]

    def _told(self, name: str) -> list[int]:
        numbers: list[int] = []

        def is_told() -> None:
            assert (self._directory / name).exists(), f"no {name} yet"
            numbers.extend(json.loads((self._directory / name).read_text()))

        eventually(is_told, seconds=PATIENCE_SECONDS)
        return numbers


class CrowdOnTerminal(Crowd):
    """A crowd that is running, on a terminal of its own."""

    def __init__(self, world: World, name: str, arguments: Sequence[Sequence[str]]) -> None:
        super().__init__(world.home / name, arguments)
        self.terminal: pexpect.spawn = world.terminal_program(*self.command)

    def finish(self) -> str:
        """Read the terminal to its end and return what stood on it since the last match."""
        return finish(self.terminal)


def showing_keys(*roles: str, options: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """The arguments for one process a role, whose command prints the access key id."""
    return [(role, *options, "--", *SHOW_KEY) for role in roles]


def _assert_at_a_lock(pid: int) -> None:
    try:
        files = psutil.Process(pid).open_files()
    except psutil.AccessDenied:
        pytest.skip("only root can tell which files a gds-exec has open: it forbids inspection")
    assert any(file.path.endswith(".lock") for file in files)
