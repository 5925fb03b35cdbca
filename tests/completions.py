"""Write what the completions know of the command line, from the table of options.

    python -m tests.completions     writes it into the files of completions/

Each file has it between two lines, in the syntax of its shell: the subcommands, the options, and the
words that some options take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gds_exec.delivery.export_formats import FORMATS
from gds_exec.options import OPTIONS, RUN, SOURCES, SUBCOMMANDS, Option

COMPLETIONS = Path(__file__).parent.parent / "completions"

BEGIN = "# From gds_exec/options.py, by `python -m tests.completions`:"
END = "# Written by hand again:"


def option_rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield each spelling, the subcommands to offer it for, the kind of its value and its help."""
    for row in OPTIONS:
        for spelling in row.spellings:
            subcommands = _offered_for(row, spelling)
            kind = "-" if row.is_flag else row.offer or "any"
            yield spelling, ",".join(subcommands), kind, row.help if subcommands else ""


def _offered_for(row: Option, spelling: str) -> list[str]:
    is_offered = spelling == row.name or len(spelling) == 2
    names = (RUN, *SUBCOMMANDS) if is_offered and not row.is_hidden else ()
    return [name or "run" for name in names if name in row.subcommands]


def _letters() -> str:
    """Return the letters of options that take a value: the last of a cluster such as -qr may be one."""
    return "".join(
        spelling[1] for row in OPTIONS for spelling in row.spellings if len(spelling) == 2 and not row.is_flag
    )


def _bash() -> Iterator[str]:
    yield from _array("subcommands", SUBCOMMANDS)
    yield from _array("options", ("|".join(row[:3]) for row in option_rows()))
    yield from _array("formats", FORMATS)
    yield from _array("sources", SOURCES)
    yield f"__gds_exec_letters={_letters()}"


def _zsh() -> Iterator[str]:
    yield from _array("subcommands", map("|".join, SUBCOMMANDS.items()), begin="typeset -ga ")
    yield from _array("options", map("|".join, option_rows()), begin="typeset -ga ")
    yield from _array("formats", FORMATS, begin="typeset -ga ")
    yield from _array("sources", SOURCES, begin="typeset -ga ")
    yield f"typeset -g __gds_exec_letters={_letters()}"


def _fish() -> Iterator[str]:
    yield from _list("subcommands", map("|".join, SUBCOMMANDS.items()))
    yield from _list("options", map("|".join, option_rows()))
    yield from _list("formats", FORMATS)
    yield from _list("sources", SOURCES)
    yield f"set -g __gds_exec_letters {_letters()}"


def _array(name: str, words: Iterable[str], *, begin: str = "") -> Iterator[str]:
    yield f"{begin}__gds_exec_{name}=("
    yield from (f"    {_quoted(word, escape=_CLOSED)}" for word in words)
    yield ")"


def _list(name: str, words: Iterable[str]) -> Iterator[str]:
    *lines, last = (f"    {_quoted(word, escape=_BACKSLASH)}" for word in words)
    yield f"set -g __gds_exec_{name} \\"
    yield from (f"{line} \\" for line in lines)
    yield last


_CLOSED, _BACKSLASH = "'\\''", "\\'"  # a quote in a word, in bash and zsh, and in fish


def _quoted(word: str, *, escape: str) -> str:
    return "'" + word.replace("'", escape) + "'"


WRITERS = {"gds-exec.bash": _bash, "_gds-exec": _zsh, "gds-exec.fish": _fish}


def rewritten(name: str) -> str:
    """Return the text of a completion with what the table says now."""
    before, begin, rest = (COMPLETIONS / name).read_text().partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    assert begin
    assert end
    return before + begin + "".join(f"{line}\n" for line in WRITERS[name]()) + end + after


if __name__ == "__main__":
    for file_name in WRITERS:
        (COMPLETIONS / file_name).write_text(rewritten(file_name))
