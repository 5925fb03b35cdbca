"""Role shells and refreshed commands that run on this machine: a record each in the cache directory.

A record says how its session was asked for, so that it can be renewed from anywhere. It is valid while
its process lives. Its name starts with the `process_mark` of that process.
"""

from __future__ import annotations

import os
import time

from gds_exec.child.process_info import has_ended, process_mark
from gds_exec.credentials.private_directory import write_atomically, write_checked
from gds_exec.errors import Upgraded
from gds_exec.hidden_subcommands import upgraded_shell
from gds_exec.lean import Value, suppress
from gds_exec.session import NEWS_SUFFIX, RECORD_SUFFIX, from_hex, read_checked_text, to_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SHELL = "shell"
COMMAND = "command"
_HEADER = "gds-exec running 3"


class Running(Value):
    """A process that uses the session of a role, kept in the cache under `key`.

    `mark` is its `process_mark`, `arguments` ask for the session again, `program` is the running program's
    name, `since` is in seconds since the epoch.
    """

    mark: str
    kind: str
    role: str
    program: str
    key: str
    arguments: tuple[str, ...]
    since: int

    @property
    def pid(self) -> int:
        return int(self.mark.partition(".")[0])

    @property
    def record_name(self) -> str:
        """The name of the record's file."""
        return f"{self.mark}{RECORD_SUFFIX}"


# The fields in a record's file, with their annotations. The name of the file contains the mark.
_STORED: dict[str, str] = {name: kind for name, kind in Running.__annotations__.items() if name != "mark"}


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
    return Running(process_mark(os.getpid()), kind, role, program, key, arguments, int(now()))


def note(directory: int, running: Running) -> str | None:
    """Keep the record, and return its file's name; None where the disk does not allow it."""
    lines = [f"{name}={_encoded(getattr(running, name))}" for name in _STORED]
    try:
        write_checked(directory, running.record_name, "\n".join([_HEADER, *lines, ""]), is_durable=False)
    except OSError:
        return None
    return running.record_name


def forget(directory: int, running: Running) -> None:
    """Remove the record of a process that has ended."""
    _forget(directory, running.record_name)


def tell(directory: int, running: Running) -> None:
    """Leave word for a role shell that its session has been renewed, before it had looked for that."""
    with suppress(OSError):
        write_atomically(directory, f"{running.record_name}{NEWS_SUFFIX}", "", is_durable=False)


def forget_news(directory: int, name: str) -> None:
    """Remove the word that was left for the role shell of this record."""
    with suppress(OSError):
        os.unlink(f"{name}{NEWS_SUFFIX}", dir_fd=directory)


def find(directory: int, name: str) -> Running | None:
    """Return what a record says, if its process still runs. Raise `Upgraded` for one of another version."""
    if has_ended(name) is not False:
        return None
    if not name.endswith(RECORD_SUFFIX):
        raise upgraded_shell()
    return _read(directory, name)


def all_running(directory: int) -> list[Running]:
    """Return what runs, the oldest first; forget what does not.

    What runs in another container or machine that has this directory is left alone, and so is a record of
    another version.
    """
    found = []
    for name in os.listdir(directory):
        if not name.endswith(RECORD_SUFFIX):
            continue
        is_over = has_ended(name)
        try:
            running = None if is_over else _read(directory, name)
        except Upgraded:
            continue
        if running is None:
            _forget(directory, name)
        elif is_over is False:
            found.append(running)
    return sorted(found, key=lambda running: (running.since, running.pid))


def _read(directory: int, name: str) -> Running | None:
    text = read_checked_text(directory, name)
    if text is None:
        return None
    header, *lines = text.split("\n")
    found = {field: value for field, _, value in (line.partition("=") for line in lines if line)}
    if header != _HEADER or found.keys() != set(_STORED):
        raise upgraded_shell()
    try:
        values = {field: _decoded(found[field], kind) for field, kind in _STORED.items()}
        return Running(mark=name.removesuffix(RECORD_SUFFIX), **values)
    except ValueError:
        return None


def _forget(directory: int, name: str) -> None:
    for left in (name, f"{name}{NEWS_SUFFIX}"):
        with suppress(OSError):
            os.unlink(left, dir_fd=directory)


def _encoded(value: str | int | tuple[str, ...]) -> str:
    """Return the value as hexadecimal digits, with a comma after each item of a tuple."""
    return "".join(f"{to_hex(item)}," for item in value) if isinstance(value, tuple) else to_hex(str(value))


def _decoded(digits: str, kind: str) -> Any:
    """Return the value of the annotation `kind`. Raise `ValueError` for other digits."""
    if kind.startswith("tuple"):
        return tuple(map(from_hex, digits.split(",")[:-1]))
    return int(from_hex(digits)) if kind == "int" else from_hex(digits)
