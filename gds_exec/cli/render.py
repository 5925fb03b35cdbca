"""Facts as text: a table, aligned lines, lines that YAML reads, JSON, CSV.

Names are data from files and from AWS: made visible where they hold control characters, and never
taken for markup. Only a table for a terminal is worth loading rich.
"""

from __future__ import annotations

from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TextIO

_GAP = 2
_READABLE_WIDTH = 12  # of a cell: below that a name is folded into a column of letters
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_NEVER_IN_A_NUMBER = frozenset("/()=@")  # nor in a date
_PLAIN_IN_YAML = _LETTERS | _NEVER_IN_A_NUMBER | frozenset("0123456789 ._+,:-")
_NOT_TEXT_IN_YAML = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, stream: TextIO, width: int) -> str:
    """Return a table as `stream` can show it: without colour for NO_COLOR or a dumb terminal.

    Of columns that do not fit into the width those on the right are left out.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = [[show(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(headers, *shown, strict=True)]
    fitting = _fitting(widths, width)
    drawn = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for header in headers[:fitting]:
        drawn.add_column(Text(header), overflow="fold")
    for row in shown:
        drawn.add_row(*map(Text, row[:fitting]))
    console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        console.print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def aligned(rows: Iterable[Sequence[str]], *, indent: str = "") -> str:
    """Return a line a row, its cells below one another, two spaces apart."""
    shown = [[show(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    gap = " " * _GAP
    padded = (gap.join(map(str.ljust, row, widths)) for row in shown)
    return "".join(f"{indent}{line}".rstrip() + "\n" for line in padded)


def yaml_lines(facts: Mapping[str, str | None]) -> str:
    """Return a `key: value` line a fact, which YAML reads back as the same text, or as null."""
    return "".join(f"{key}: {_yaml(value)}\n" for key, value in facts.items())


def as_json(facts: object) -> str:
    import json  # dear, and not always wanted

    return json.dumps(facts, indent=2) + "\n"


def as_csv(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return lines that the csv module reads back, after a line of headers."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows([show(cell) for cell in row] for row in rows)
    return text.getvalue()


def _fitting(widths: Sequence[int], limit: int) -> int:
    """Return how many columns, from the left, can be read within the limit: one at least."""
    needed = 0
    for position, width in enumerate(widths):
        needed += min(width, _READABLE_WIDTH) + (_GAP if position else 0)
        if position and needed > limit:
            return position
    return len(widths)


def _yaml(value: str | None) -> str:
    if value is None:
        return "null"
    if _is_plain_in_yaml(value):
        return value
    # What show() makes of a character is an escape that YAML knows, too.
    return '"' + show(value.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _is_plain_in_yaml(text: str) -> bool:
    return (
        _PLAIN_IN_YAML.issuperset(text)
        and (text[:1] in _LETTERS or (text[:1].isdigit() and not _NEVER_IN_A_NUMBER.isdisjoint(text)))
        and text[-1] not in " :"
        and ": " not in text
        and text.lower() not in _NOT_TEXT_IN_YAML
    )
