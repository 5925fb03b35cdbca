"""Command lines that people have written down, with `gds aws` as it was then: each means here what it meant.

They are from public repositories. What stands for something (`<role>`, `${ENV}`) is a plain word here; what
surrounds a call (`eval $(…)`, pipes, other commands) is the shell's.
"""

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gds_exec.cli.commands.describe import describe
from gds_exec.cli.commands.export import export_session
from gds_exec.cli.commands.login import open_console
from gds_exec.cli.commands.roles import roles
from gds_exec.cli.parser import read_command_line
from gds_exec.invocation import Invocation

TABLE = Path(__file__).parent.parent / "data" / "gds-command-lines.tsv"
PLACEHOLDERS = re.compile(
    r"<%=[^%]*%>|<[^<>|&]*>|\$\{[^{}]*\}|\$\([^()]*\)|\$+\w+|\[(?:continued|test\|[^\]]*)\]|\.\.\.|\\n"
)
OPERATORS = re.compile(r"[|;&()<>]+")
LONG_SESSION = ("--art", "-art", "--assume-role-ttl")
IN_PLACE_OF_A_COMMAND: dict[str, Callable[..., object] | str] = {
    "-e": export_session,
    "-l": open_console,
    "--login": open_console,
    "--open": open_console,
    "-d": describe,
    "-s": "shell",
    "--shell": "shell",
}
SECONDS = {"8h": 28_800, "3h": 10_800, "180m": 10_800, "480m": 28_800}


@dataclass
class Meaning:
    """What the old wrapper made of its arguments."""

    role: str | None = None
    action: Callable[..., object] | str = "run"
    duration_seconds: int | None = None
    region: str | None = None
    url: str | None = None
    command: tuple[str, ...] = ()


def shell_words(text: str) -> list[str]:
    for missing in ("", '"', "'"):  # a line that ends within a string was cut there
        lexer = shlex.shlex(text + missing, posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, "#"
        try:
            return list(lexer)
        except ValueError:
            continue
    raise AssertionError(f"no shell can read {text!r}")


def arguments_in(line: str) -> list[str]:
    """Return what the wrapper is called with, up to where the shell goes on with something else."""
    said = re.split(r"gds(?:-cli)? aws ?", line, maxsplit=1)[1]
    said = PLACEHOLDERS.sub("word", said.replace("-<action>", "-l")).replace(" 2>", " >")
    arguments = []
    for word in shell_words(said):
        if OPERATORS.fullmatch(word):
            break
        arguments.append(word.removesuffix(");"))
    return arguments


def meaning_of(arguments: Sequence[str]) -> Meaning:
    """Read the arguments as the wrapper did, by rules that are none of ours."""
    meaning = Meaning()
    rest = list(arguments)
    if rest:
        meaning.role = rest.pop(0)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option in LONG_SESSION:
            meaning.duration_seconds = SECONDS[rest.pop(0)]
        elif option in ("-r", "--region"):
            meaning.region = rest.pop(0)
        elif option in IN_PLACE_OF_A_COMMAND:
            meaning.action = IN_PLACE_OF_A_COMMAND[option]
            meaning.url = rest.pop(0) if option == "--open" else None
        else:
            assert option == "--skip-ip-range-checks", option
    meaning.command = tuple(rest)
    return meaning


def lines() -> list[str]:
    rows = TABLE.read_text(encoding="utf-8").splitlines()[1:]
    return [row.split("\t")[1] for row in rows]


@pytest.mark.parametrize("line", lines())
def test_a_line_means_what_it_meant(line: str) -> None:
    arguments = arguments_in(line)
    meant = meaning_of(arguments)

    asked = read_command_line(arguments)

    if isinstance(asked, Invocation):
        assert meant.action == ("shell" if asked.shell else "run")
        assert asked.command == meant.command
    else:
        assert asked.func == (meant.action if meant.role else roles)  # type: ignore[union-attr]
        assert meant.command == ()
        asked = next(iter(asked.args), None)  # type: ignore[union-attr]
        assert asked.url == meant.url
    if meant.role is not None:
        assert (asked.role, asked.region) == (meant.role, meant.region)
        assert asked.duration_seconds == meant.duration_seconds


def test_the_table_has_every_way_of_calling() -> None:
    meant = [meaning_of(arguments_in(line)) for line in lines()]

    assert {m.action for m in meant} == {"run", *IN_PLACE_OF_A_COMMAND.values()}
    assert any(m.role is None for m in meant)
    assert any(m.url for m in meant)
    assert sum(bool(m.command) for m in meant) > 150
