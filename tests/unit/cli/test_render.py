"""Facts as text that a person, YAML, the csv module or a narrow terminal reads; names are only data."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gds_exec.cli import render
from gds_exec.redaction import show

ODD = ["[bold]", "[/x]", "a\x1b[31mb", "c1\x9b31m", "rtl\u202eabc", "line\nbreak", "[link=x]y[/link]", ""]
HEADERS = ("role", "account")
names = st.one_of(st.sampled_from(ODD), st.text(max_size=20))
rows = st.lists(st.tuples(names, names), max_size=5)


def table(*rows: tuple[str, ...], headers: tuple[str, ...] = HEADERS, width: int = 1000) -> str:
    return render.table(headers, rows, stream=io.StringIO(), width=width)


def is_safe(text: str) -> bool:
    return all(unicodedata.category(character) not in {"Cc", "Cf"} for character in text.replace("\n", ""))


@given(rows)
def test_whatever_a_name_is_it_neither_steers_the_terminal_nor_breaks_a_line(  # matrix 82
    rows: list[tuple[str, str]],
) -> None:
    lines, drawn = render.aligned(rows), table(*rows)

    assert is_safe(lines + drawn)
    assert (lines.count("\n"), drawn.count("\n")) == (len(rows), len(rows) + 1)


@pytest.mark.parametrize("name", [name for name in ODD if name])
def test_a_name_in_a_table_stands_there_as_it_is_shown_elsewhere(name: str) -> None:  # matrix 82
    assert show(name) in table((name, "1"))


def test_columns_stand_below_their_headers() -> None:
    assert table(("prod", "222222222222"), ("a-longer-name", "")) == (
        "role           account\nprod           222222222222\na-longer-name\n"
    )


@pytest.mark.parametrize("width", [1, 5, 12, 20, 45])
def test_no_line_of_a_table_is_wider_than_the_terminal(width: int) -> None:  # matrix 80
    text = table(("a-rather-long-name", "222222222222"), width=width)

    assert max(map(len, text.splitlines())) <= width


def test_a_name_that_is_wider_than_the_terminal_goes_on_in_the_next_line() -> None:  # matrix 80
    header, *lines = table(("a-rather-long-name", "222222222222"), width=7).splitlines()

    assert (header, "".join(lines)) == ("role", "a-rather-long-name")


def test_a_narrow_terminal_gets_the_columns_that_it_has_room_for() -> None:  # matrix 80
    assert table(("prod", "222222222222"), width=12) == "role\nprod\n"


def test_a_table_for_no_terminal_has_no_escape_sequences() -> None:
    assert "\x1b" not in table(("prod", "1"))


def test_lines_are_aligned_and_have_no_blanks_at_their_ends() -> None:
    assert render.aligned([("a", "bc", ""), ("abc", "", "d")], indent="  ") == "  a    bc\n  abc      d\n"


def test_nothing_is_aligned_to_nothing() -> None:
    assert render.aligned([]) == ""


@given(st.text())
@example("yes")
@example("null")
@example("012345678901")
@example("1:30")
@example("2026-01-09")
@example("a: b")
@example("a #b")
@example("- a")
@example('"\\')
@example("=")
@example("~")
@example("arn:aws:iam::222222222222:role/prod")
def test_yaml_reads_a_value_back_as_the_same_text(value: str) -> None:
    line = render.yaml_lines({"role": value})

    assert yaml.safe_load(line) == {"role": value}
    assert line.count("\n") == 1
    assert is_safe(line)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("prod", "prod"),
        ("arn:aws:iam::222222222222:role/a", "arn:aws:iam::222222222222:role/a"),
        ("alice@example.gov.uk", "alice@example.gov.uk"),
        ("8h (asked)", "8h (asked)"),
        ("cached, 43m left", "cached, 43m left"),
        ("222222222222", '"222222222222"'),
        ("a\x1bb", r'"a\x1bb"'),
        (None, "null"),
    ],
)
def test_a_value_is_quoted_only_where_yaml_wants_it(value: str | None, line: str) -> None:
    assert render.yaml_lines({"key": value}) == f"key: {line}\n"


@given(rows)
def test_the_csv_module_reads_the_names_back_as_they_are_shown(rows: list[tuple[str, str]]) -> None:
    text = render.as_csv(HEADERS, rows)

    read = list(csv.reader(io.StringIO(text)))
    assert read == [list(HEADERS), *([show(cell) for cell in row] for row in rows)]
    assert is_safe(text)
