"""Commands that run with --refresh: what is about them, what they are served, and what was said.

With a terminal the refresher is above the command, its parent; without one it is beside it.
"""

import fcntl
import json
import os
import pty
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from gds_exec.session import SessionCredentials, parse, serialise
from tests.cached import cached_text, write_cached

from .patience import eventually
from .world import GDS_EXEC, World

HOUR = 3600
DIRECT = ("--duration", "2h")  # a session that is opened with a code, and by nothing else
LIVES = ("sh", "-c", "echo ready; read line; exit 3")  # until it is written to
_GONE = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def refreshing(*command: str, options: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The arguments that run a command with whatever is left of the cached session."""
    return ("prod", "--refresh", "--min-remaining", "1s", *options, "--", *(command or LIVES))


@dataclass(frozen=True)
class Answer:
    """What the endpoint says."""

    status: int
    fields: dict[str, str]
    body: str

    @property
    def document(self) -> dict[str, str]:
        return json.loads(self.body)

    @property
    def key_id(self) -> str:
        return self.document["AccessKeyId"]


class Served:
    """A command that runs, seen from outside: its process, and the endpoint that its environment names."""

    def __init__(self, command: psutil.Process) -> None:
        self.command = command
        self.environ: dict[str, str] = {}

        def is_served() -> None:  # it may just become another program
            self.environ = command.environ()
            assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in self.environ

        eventually(is_served)
        url = urlsplit(self.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
        self.address = (url.hostname or "", url.port or 0)
        self._token = self.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]

    @cached_property
    def refresher(self) -> psutil.Process:
        parent = self.command.parent()
        return parent if parent is not None and _is_refresher(parent) else self._sidecar()

    @cached_property
    def own(self) -> list[psutil.Process]:
        """Our processes about the command: the refresher and, above the command, the witness."""
        if self.command.ppid() != self.refresher.pid:
            return [self.refresher]
        eventually(lambda: _assert_one(self._witnesses()))
        return [self.refresher, *self._witnesses()]

    def _witnesses(self) -> list[psutil.Process]:
        return [child for child in self.refresher.children() if child.name() == "witness"]

    def fetch(
        self, method: str = "GET", path: str = "/credentials", fields: dict[str, str | None] | None = None
    ) -> Answer:
        """Ask the endpoint as an SDK does, with other header fields, or without one that is None."""
        connection = HTTPConnection(*self.address, timeout=10)
        sent = {"Authorization": self._token, **(fields or {})}
        try:
            connection.request(method, path, headers={n: v for n, v in sent.items() if v is not None})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read().decode())
        finally:
            connection.close()

    def _sidecar(self) -> psutil.Process:
        listening = (c for c in psutil.net_connections("tcp4") if c.laddr[1:] == self.address[1:])
        pid = next((c.pid for c in listening if c.status == psutil.CONN_LISTEN), None)
        if pid is None:
            pytest.skip("only root can tell which process listens, for a refresher cannot be looked into")
        return psutil.Process(pid)


@dataclass(frozen=True)
class Run:
    """A gds-exec that was started with --refresh, and the command that it runs."""

    process: "subprocess.Popen[str]"
    served: Served
    said: Callable[[], str]

    def end(self) -> int:
        """Let a command that lives until it is written to end; return the exit status that we see."""
        self.process.communicate("end\n", timeout=20)
        return self.process.returncode


Start = Callable[..., AbstractContextManager[Run]]


@contextmanager
def with_terminal(world: World, *argv: str, environ: dict[str, str] | None = None) -> Iterator[Run]:
    """Start gds-exec on a terminal of its own, its standard streams aside, until its command says a line."""
    master, line = pty.openpty()
    os.set_blocking(master, False)
    read: list[str] = []

    def said() -> str:
        read.append(_read_now(master))
        return "".join(read).replace("\r\n", "\n")

    try:
        with _started(
            world,
            argv,
            environ,
            said=said,
            stderr=line,
            preexec_fn=lambda: fcntl.ioctl(line, termios.TIOCSCTTY, 0),
        ) as run:
            yield run
    finally:
        os.close(line)
        os.close(master)


@contextmanager
def without_terminal(world: World, *argv: str, environ: dict[str, str] | None = None) -> Iterator[Run]:
    """Start gds-exec where there is no terminal, until its command says a line."""
    with (
        open(world.home / f"stderr-{time.monotonic_ns()}", "w+b") as stderr,
        _started(
            world,
            argv,
            environ,
            said=lambda: os.pread(stderr.fileno(), 100_000, 0).decode(),
            stderr=stderr,
        ) as run,
    ):
        yield run


in_both_ways = pytest.mark.parametrize(
    "start", [with_terminal, without_terminal], ids=["terminal", "no terminal"]
)


@contextmanager
def _started(
    world: World,
    argv: tuple[str, ...],
    environ: dict[str, str] | None,
    *,
    said: Callable[[], str],
    **more: object,
) -> Iterator[Run]:
    process = subprocess.Popen(
        [GDS_EXEC, *argv],
        env={**world.environ, **(environ or {})},
        cwd=world.home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **more,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, said()
        yield Run(process, Served(command_of(process.pid)), said)
    finally:
        process.kill()
        process.communicate()


def command_of(pid: int) -> psutil.Process:
    """Return the command that the gds-exec of this pid runs, or has become."""
    process = psutil.Process(pid)
    if not _is_refresher(process):
        return process
    return next(child for child in process.children() if child.name() != "witness")


def leave(world: World, *, seconds: int, life_seconds: int = HOUR) -> str:
    """Have the cached role session end in `seconds`, `life_seconds` after it was made; return its key id."""
    end = int(time.time()) + seconds
    path, session = next(found for found in _sessions(world) if ":assumed-role/" in found[1].arn)
    older = SessionCredentials(session.access_key, issued=end - life_seconds, expiration=end, arn=session.arn)
    write_cached(path, serialise(older))
    return session.access_key.access_key_id


def assert_serves_another(served: Served, key_id: str) -> None:
    """Check that the endpoint has a session, and not this one."""
    answer = served.fetch()
    assert answer.status == 200, answer.body
    assert answer.key_id != key_id


def assert_says(said: Callable[[], str], *words: str) -> None:
    """Check that all these words were said."""
    text = said()
    assert all(word in text for word in words), text


def assert_gone(processes: list[psutil.Process]) -> None:
    """Check that none of these processes is there, not even as a zombie of ours."""
    for process in processes:
        assert not _is_there(process), process


def assert_closed(served: Served) -> None:
    """Check that nobody listens where the endpoint was."""
    try:
        served.fetch()
    except ConnectionRefusedError:
        return
    except OSError as error:  # it was accepted, or in the queue, when the end came
        raise AssertionError(str(error)) from error
    raise AssertionError("somebody still answers")


def await_nothing_left(served: Served, processes: list[psutil.Process]) -> None:
    """Return when the endpoint and these processes are gone."""
    eventually(lambda: assert_closed(served))
    eventually(lambda: assert_gone(processes))


def records(world: World) -> list[int]:
    """The pids of what runs, as the records say."""
    return sorted(int(path.name.partition(".")[0]) for path in world.cache.glob("*.running3"))


def _sessions(world: World) -> Iterator[tuple[Path, SessionCredentials]]:
    for path in world.sessions():
        session = parse(cached_text(path))
        assert session is not None
        yield path, session


def _is_refresher(process: psutil.Process) -> bool:
    return "gds_exec.refresher" in process.cmdline()


def _is_there(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() not in _GONE
    except psutil.NoSuchProcess:
        return False


def _assert_one(found: list[psutil.Process]) -> None:
    assert len(found) == 1


def _read_now(descriptor: int) -> str:
    try:
        return os.read(descriptor, 100_000).decode()
    except BlockingIOError:
        return ""
