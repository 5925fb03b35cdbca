"""Role shells and refreshed commands that run on this machine: a record each in the cache directory.

A record says how its session was asked for, so that it can be renewed from anywhere. It counts for
as long as its process lives; a process id that was given to another process since is told apart.
"""

from __future__ import annotations

import os
import time

from gds_exec.child.liveness import birth, surroundings
from gds_exec.context import suppress
from gds_exec.credentials.private_directory import write_atomically
from gds_exec.session import read_private_text
from gds_exec.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SHELL = "shell"
COMMAND = "command"
_HEADER = "gds-exec running 1"
_SUFFIX = ".running1"
_NEWS_SUFFIX = ".renewed"  # which the hooks of role shells know too


class Running(Value):
    """A process that uses the session of a role, kept in the cache under `key`.

    `arguments` ask for that session again, `program` is the name of what runs, `since` is in seconds
    since the epoch.
    """

    pid: int
    kind: str
    role: str
    program: str
    key: str
    arguments: tuple[str, ...]
    since: int


def this_process(
    kind: str,
    *,
    role: str,
    program: str,
    key: str,
    arguments: tuple[str, ...],
    now: Callable[[], float] = time.time,
) -> Running:
    """Return the record of this process, which may become a shell later: its id stays."""
    return Running(os.getpid(), kind, role, program, key, arguments, int(now()))


def note(directory: int, running: Running) -> str | None:
    """Keep the record, and return its file's name; None where the disk does not allow it."""
    values = (
        running.kind,
        running.role,
        running.program,
        running.key,
        str(running.since),
        surroundings(),
        birth(running.pid) or "",
        *running.arguments,
    )
    name = record_name(running.pid)
    text = "\n".join([_HEADER, *map(_digits, values), "end", ""])
    try:
        write_atomically(directory, name, text, is_durable=False)
    except OSError:
        return None
    return name


def record_name(pid: int) -> str:
    """Return the name of the file of a process's record."""
    return f"{pid}{_SUFFIX}"


def forget(directory: int, pid: int) -> None:
    """Remove the record of a process that has ended."""
    for name in (record_name(pid), _news_name(pid)):
        with suppress(OSError):
            os.unlink(name, dir_fd=directory)


def tell(directory: int, running: Running) -> None:
    """Leave word for a role shell that its session has been renewed, before it had looked for that."""
    with suppress(OSError):
        write_atomically(directory, _news_name(running.pid), "", is_durable=False)


def forget_news(directory: int, name: str) -> None:
    """Remove the word that was left for the role shell of this record."""
    with suppress(OSError):
        os.unlink(f"{name}{_NEWS_SUFFIX}", dir_fd=directory)


def find(directory: int, name: str) -> Running | None:
    """Return what a record says, if its process still runs."""
    record = _read(directory, name)
    return record.running if record is not None and record.is_alive() else None


def all_running(directory: int) -> list[Running]:
    """Return what runs, the oldest first; forget what does not.

    What runs in another container or machine that has this directory is left alone.
    """
    found = []
    for name in os.listdir(directory):
        pid = name.removesuffix(_SUFFIX)
        if pid == name or not pid.isdigit():
            continue
        record = _read(directory, name)
        if record is not None and record.is_alive():
            found.append(record.running)
        elif record is None or record.where == surroundings():
            forget(directory, int(pid))
    return sorted(found, key=lambda running: (running.since, running.pid))


class _Record(Value):
    running: Running
    where: str
    born: str

    def is_alive(self) -> bool:
        return self.where == surroundings() and birth(self.running.pid) == self.born


def _read(directory: int, name: str) -> _Record | None:
    pid = name.removesuffix(_SUFFIX)
    lines = (read_private_text(directory, name) or "").split("\n")
    if not (pid.isascii() and pid.isdigit()) or len(lines) < 10 or lines[0] != _HEADER:
        return None
    if lines[-2:] != ["end", ""]:
        return None
    try:
        kind, role, program, key, since, where, born, *arguments = map(_text, lines[1:-2])
        running = Running(int(pid), kind, role, program, key, tuple(arguments), int(since))
    except ValueError:
        return None
    return _Record(running, where, born)


def _news_name(pid: int) -> str:
    return f"{record_name(pid)}{_NEWS_SUFFIX}"


def _digits(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").hex()


def _text(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-8", "surrogatepass")
