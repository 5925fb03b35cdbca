"""What was measured, as rows: their medians, quartiles and ratios, and the one table they stand in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

_HEADINGS = ("row", "measured", "ms", "against", "ms", "ratio", "quartiles", "target", "met", "n")
_NUMBERS = frozenset((2, 4, 5, 6, 7, 9))
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Spread:
    """The quartiles of a few measurements."""

    lower: float
    middle: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the quartiles of `values`: with fewer than two of them, all the same."""
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        lower, _, upper = quantiles(values, n=4, method="inclusive")
        return cls(lower, median(values), upper)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: something measured, and what it is held against, run by run.

    Without `against_seconds` it is only shown. `is_ours_to_answer` is false of what may fail without
    a fault of this project.
    """

    name: str
    measured: str
    seconds: Sequence[float] = ()
    against: str = ""
    against_seconds: Sequence[float] = ()
    target: float | None = None
    failure: str = ""
    is_ours_to_answer: bool = True
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        """The ratio of the medians."""
        if self.failure or not self.against_seconds:
            return None
        return median(self.seconds) / median(self.against_seconds)

    @property
    def ratio_spread(self) -> Spread | None:
        """The quartiles of the ratio, taken within each round."""
        if self.ratio is None:
            return None
        return Spread.of([a / b for a, b in zip(self.seconds, self.against_seconds, strict=True)])

    @property
    def is_met(self) -> bool | None:
        """Whether the ratio reaches its target; None where there is none."""
        if self.target is None or self.ratio is None:
            return None
        return self.ratio <= self.target

    @property
    def is_broken(self) -> bool:
        """Whether the run as a whole has failed with this row."""
        return bool(self.failure) and self.is_ours_to_answer


def render(rows: Iterable[Row]) -> str:
    """Return the table as plain text, with what failed and the notes below it."""
    rows = list(rows)
    cells = [_HEADINGS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join([*lines, *_remarks(rows)])


def as_record(row: Row) -> dict[str, Any]:
    """Return `row` for a program to read: the table's figures, and every measurement."""
    spread = row.ratio_spread
    return {
        "row": row.name,
        "measured": row.measured,
        "seconds": list(row.seconds),
        "against": row.against,
        "against_seconds": list(row.against_seconds),
        "ratio": row.ratio,
        "ratio_quartiles": [spread.lower, spread.upper] if spread else None,
        "target": row.target,
        "met": row.is_met,
        "failure": row.failure or None,
        "notes": list(row.notes),
    }


def _cells(row: Row) -> tuple[str, ...]:
    if row.failure:
        return (row.name, row.measured, "failed", row.against, "", "", "", _target(row), "", "")
    spread = row.ratio_spread
    return (
        row.name,
        row.measured,
        _milliseconds(row.seconds),
        row.against,
        _milliseconds(row.against_seconds),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if spread is None else f"{spread.lower:.2f} to {spread.upper:.2f}",
        _target(row),
        {True: "yes", False: "NO", None: ""}[row.is_met],
        str(len(row.seconds)),
    )


def _milliseconds(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1000:.1f}" if seconds else ""


def _target(row: Row) -> str:
    return "" if row.target is None else f"<= {row.target:.2f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.rjust(width) if index in _NUMBERS else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return _GAP.join(aligned).rstrip()


def _remarks(rows: Iterable[Row]) -> list[str]:
    return [
        ": ".join(filter(None, (row.name, row.measured.strip(), remark)))
        for row in rows
        for remark in ((f"failed: {row.failure}",) if row.failure else row.notes)
    ]
