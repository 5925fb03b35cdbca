"""The failing statement that a failed export prints for the shell.

`eval "$(gds-exec ROLE -e)"` does not see our exit status. If we print nothing, `eval` succeeds, and a script
continues with the keys that it had before.
"""

from __future__ import annotations

import os

from gds_exec.child.standby import Standby
from gds_exec.cli.hints import WORDS_OF_OTHERS
from gds_exec.delivery.export_formats import DEFAULT_FORMAT, FORMATS
from gds_exec.delivery.shell_syntax import FAILURES
from gds_exec.invocation import is_option, take_option
from gds_exec.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_EXPORTS = ("--export", "--unset")
_STANDARD_OUTPUT = 1
_standing_by: list[Standby] = []  # until the export is printed


def failing_statement(argv: Sequence[str]) -> str | None:
    """Return what to print if this command line fails; None unless it is an export in a shell's format.

    The command line may be invalid. An unknown format counts as `sh`.
    """
    options = list(_options(argv))
    names = [name for name, _ in options]
    if not any(map(_is_export, names)) or {"--unset", "--write-profile"} <= set(names):
        return None  # removing a profile prints nothing
    formats = [value for name, value in options if name == "--format"]
    format_name = formats[-1] if formats else DEFAULT_FORMAT
    if format_name in FAILURES:
        return FAILURES[format_name]
    return None if format_name in FORMATS else FAILURES[DEFAULT_FORMAT]


def with_failing_statement(act: Callable[[], int], statement: str | None) -> int:
    """Act and return the exit status; print the statement, if any, if that is not 0 or we end before."""
    if statement is None:
        return act()
    text = statement.encode()
    standby = Standby(text, output=_STANDARD_OUTPUT)
    _standing_by.append(standby)
    try:
        status = act()
    except BaseException:
        _fail(text)
        raise
    if status:
        _fail(text)
    begin_printing()
    return status


def begin_printing() -> None:
    """Note that the export is printed from now on; the failing statement is then no longer printed."""
    while _standing_by:
        _standing_by.pop().release()


def _fail(text: bytes) -> None:
    if not _standing_by:
        return  # part of the export may have been printed
    with suppress(OSError):
        os.write(_STANDARD_OUTPUT, text)
    begin_printing()


def _options(argv: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield our options and their values, up to the command, as far as they are valid."""
    rest = list(argv)
    plain: list[str] = []
    while rest and rest[0] != "--":
        argument = rest.pop(0)
        if is_option(argument):
            yield from _option(argument, rest)
        elif plain and plain[-1] not in WORDS_OF_OTHERS:
            return  # the command starts here
        else:
            plain.append(argument)


def _option(argument: str, rest: list[str]) -> Iterator[tuple[str, str]]:
    try:
        *names, last = take_option(argument, rest)
    except ValueError:  # its value is missing
        names, last = [argument], ""
    if not names:
        name, _, value = last.partition("=")
        yield name, value
        return
    yield from ((name, "") for name in names[:-1])
    yield names[-1], last


def _is_export(name: str) -> bool:
    is_cluster = name.startswith("-") and not name.startswith("--")
    return name in _EXPORTS or (is_cluster and "e" in name)
