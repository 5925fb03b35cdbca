"""Role shells and refreshed commands that run on this machine: a record each in the cache directory.

A record says how its session was asked for, so that it can be renewed from anywhere. It counts for
as long as its process lives; a process id that was given to another process since is told apart.
"""

from __future__ import annotations

import os
import time

from gds_exec.child.liveness import birth
from gds_exec.context import suppress
from gds_exec.credentials.private_directory import write_atomically
from gds_exec.credentials.session_file import read_private_text
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
    pid_text = name.removesuffix(_SUFFIX)
    if pid_text == name or not (pid_text.isascii() and pid_text.isdigit()):
        return None
    lines = (read_private_text(directory, name) or "").split("\n")
    if len(lines) < 9 or lines[0] != _HEADER or lines[-2:] != ["end", ""]:
        return None
    try:
        kind, role, program, key, since, born, *arguments = map(_text, lines[1:-2])
        found = Running(int(pid_text), kind, role, program, key, tuple(arguments), int(since))
    except ValueError:
        return None
    return found if born and birth(found.pid) == born else None


def all_running(directory: int) -> list[Running]:
    """Return what runs, the oldest first; forget what does not."""
    found = []
    for name in os.listdir(directory):
        if name.endswith(_SUFFIX):
            running = find(directory, name)
            if running is not None:
                found.append(running)
            elif (pid := name.removesuffix(_SUFFIX)).isdigit():
                forget(directory, int(pid))
    return sorted(found, key=lambda running: (running.since, running.pid))


def _news_name(pid: int) -> str:
    return f"{record_name(pid)}{_NEWS_SUFFIX}"


def _digits(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").hex()


def _text(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-8", "surrogateescape")
