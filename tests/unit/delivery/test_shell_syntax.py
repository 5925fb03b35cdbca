"""Statements, evaluated by the shells they are for, as people write it: `eval $(…)`, without quotes."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gds_exec.delivery.shell_syntax import statements
from gds_exec.errors import OutputFailed

# All that can stand in an environment on one line, bytes that are not UTF-8 among them.
VALUES = st.text(
    st.characters(exclude_characters="\0\n\r", exclude_categories=("Cs",))
    | st.sampled_from("  *?[]()@+!'\"\\$`~#^%{}<>|&;\t\udc81\udcff"),
    max_size=20,
)
TROUBLE = (
    "", " ", "  ", "a  b", " a ", "my role", "*", "?", "[a]", "@(a)", "+(a|b)", "!(x)", "it's", '"', "\\",
    "\\\\*", "$HOME", "$(id)", "`id`", "!!", "~", "#x", "é", "\t", "a\tb", "%b", "%s", "\\0101", "1*23",
    "\udc81",
)  # fmt: skip
# Files that a pattern in the text would match, if it was taken for one.
FILES = ("unset", "export", "a", "b", *(f"N{number}='x';" for number in range(len(TROUBLE))))
UNQUOTED = 'eval $(cat "$STATEMENTS"); env -0'
QUOTED = 'eval "$(cat "$STATEMENTS")"; env -0'
READERS = [
    pytest.param(("dash", "-c", UNQUOTED), id="dash"),
    pytest.param(("dash", "-uec", UNQUOTED), id="dash, strictly"),
    pytest.param(("dash", "-c", QUOTED), id="dash, quoted"),
    pytest.param(("bash", "--norc", "-c", UNQUOTED), id="bash"),
    pytest.param(("bash", "--norc", "-c", QUOTED), id="bash, quoted"),
    pytest.param(("bash", "-O", "nullglob", "-O", "extglob", "-c", UNQUOTED), id="bash, nullglob"),
    pytest.param(("bash", "-O", "failglob", "-O", "extglob", "-c", UNQUOTED), id="bash, failglob"),
    pytest.param(("zsh", "-fc", UNQUOTED), id="zsh"),
    pytest.param(("zsh", "-fc", QUOTED), id="zsh, quoted"),
    pytest.param(("zsh", "-f", "-o", "rcquotes", "-o", "extendedglob", "-c", UNQUOTED), id="zsh, rcquotes"),
    pytest.param(("zsh", "-fc", f"emulate sh; {UNQUOTED}"), id="zsh, as sh"),
]
FISH_READERS = [
    pytest.param(("fish", "--no-config", "-c", "eval (cat $STATEMENTS); env -0"), id="eval"),
    pytest.param(("fish", "--no-config", "-c", "cat $STATEMENTS | source; env -0"), id="source"),
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("files")
    for name in FILES:
        (place / name).touch()
    return place


def evaluated(
    argv: tuple[str, ...], text: str, directory: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    """The environment of what the shell starts after it evaluated the text, in that directory."""
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    file = directory.parent / f"{directory.name}.statements"
    file.write_bytes(os.fsencode(text))
    done = subprocess.run(
        argv,
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), "STATEMENTS": str(file), **environ},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    entries = [os.fsdecode(entry) for entry in done.stdout.split(b"\0") if entry]
    return dict(entry.split("=", 1) for entry in entries)


def numbered(values: list[str]) -> dict[str, str | None]:
    return {f"N{number}": value for number, value in enumerate([*TROUBLE, *values])}


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=4, deadline=None)
@given(values=st.lists(VALUES, max_size=100))
def test_every_value_survives_an_eval(reader: tuple[str, ...], values: list[str], directory: Path) -> None:
    changes = numbered(values)

    found = evaluated(reader, statements("sh", changes), directory, {"LANG": "C"})

    assert {name: found[name] for name in changes} == changes


@pytest.mark.parametrize("reader", FISH_READERS)
@settings(max_examples=4, deadline=None)
@given(values=st.lists(VALUES.filter(lambda value: value.isprintable()), max_size=100))
def test_every_value_survives_fish(reader: tuple[str, ...], values: list[str], directory: Path) -> None:
    changes = numbered(values)

    found = evaluated(reader, statements("fish", changes), directory, {"LANG": "C.UTF-8"})

    assert {name: found[name] for name in changes} == changes


@pytest.mark.parametrize(
    ("shell", "reader"),
    [
        *(("sh", reader.values[0]) for reader in READERS),
        *(("fish", reader.values[0]) for reader in FISH_READERS),
    ],
    ids=str,
)
def test_what_is_unset_is_gone_whether_it_was_there_or_not(
    shell: str, reader: tuple[str, ...], directory: Path
) -> None:
    text = statements(shell, {"GONE": None, "NEVER": None, "SET": "x"})

    found = evaluated(reader, text, directory, {"GONE": "old"})

    assert "GONE" not in found
    assert "NEVER" not in found
    assert found["SET"] == "x"


def test_a_universal_variable_of_fish_is_nothing_to_erase(directory: Path, tmp_path: Path) -> None:
    text = statements("fish", {"AWS_PROFILE": None})
    script = "set -Ux AWS_PROFILE mine; eval (cat $STATEMENTS); set -qU AWS_PROFILE; and env -0"

    found = evaluated(("fish", "-c", script), text, directory, {"XDG_CONFIG_HOME": str(tmp_path)})

    assert found["AWS_PROFILE"] == "mine"


def test_the_contract_has_its_form() -> None:
    changes = {"AWS_PROFILE": None, "AWS_REGION": "eu-west-1", "AWS_SESSION_TOKEN": "FwoG/+aZ=="}

    assert statements("sh", changes) == (
        "unset AWS_PROFILE;\nexport AWS_REGION='eu-west-1';\nexport AWS_SESSION_TOKEN='FwoG/+aZ==';\n"
    )


PLAIN_VALUES = st.text("ABCxyz0129+/=:-_.", min_size=1, max_size=40)


@given(value=PLAIN_VALUES)
def test_three_programs_that_parse_it_find_the_values(value: str) -> None:
    changes = {"AWS_PROFILE": None, "AWS_REGION": value, "GDS_EXEC_ROLE": value}
    text = statements("sh", changes)
    expected = {"AWS_REGION": value, "GDS_EXEC_ROLE": value}

    lines = [line.rstrip(";") for line in text.splitlines() if line.startswith("export")]
    stripped = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    assert {name: quoted.strip("'") for name, quoted in stripped.items()} == expected
    assert dict(re.findall(r"""export\s+(\w+)=['"]?([^'";]+)['"]?""", text)) == expected
    assert re.findall("AWS_REGION='[^']*'", text) == [f"AWS_REGION='{value}'"]


@given(value=VALUES)
def test_for_sh_each_statement_is_one_line_of_ascii_that_ends_itself(value: str) -> None:
    text = statements("sh", {"A": value, "B": None})

    assert text.isascii()
    assert re.fullmatch(r"export A=[^\n]*;\nunset B;\n", text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("eu-west-1", "$Env:A = 'eu-west-1';\n", id="plain"),
        pytest.param("it's $x `n", "$Env:A = 'it''s $x `n';\n", id="quotes are doubled, no more"),
        pytest.param("‘a’‚‛", "$Env:A = '‘‘a’’‚‚‛‛';\n", id="and those that it takes for the same"),  # noqa: RUF001
        pytest.param("", "$Env:A = '';\n", id="empty"),
        pytest.param(None, "$Env:A = $null;\n", id="gone"),
    ],
)
def test_powershell_has_values_between_single_quotes(value: str | None, expected: str) -> None:
    assert statements("powershell", {"A": value}) == expected


@given(value=VALUES)
def test_powershell_reads_every_value_back(value: str) -> None:
    found = re.fullmatch(r"\$Env:A = '((?:[^'‘’‚‛]|['‘’‚‛]{2})*)';\n", statements("powershell", {"A": value}))  # noqa: RUF001

    assert found, "a quote within the value ends it"
    # Source: PowerShell's tokenizer, which takes the first of two quotes and passes over the second.
    assert re.sub("(['‘’‚‛])['‘’‚‛]", r"\1", found[1]) == value  # noqa: RUF001


@given(value=VALUES | st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_cmd_has_every_value_as_it_is_or_it_is_refused(value: str) -> None:
    try:
        text = statements("cmd", {"A": value})
    except OutputFailed:
        assert not value.isascii() or not value.isprintable() or set(value) & set('"%!')
    else:
        assert text == f'set "A={value}"\r\n'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("a b&c^|<>/+=", 'set "A=a b&c^|<>/+="\r\n', id="as it is"),
        pytest.param(None, 'set "A="\r\n', id="gone"),
    ],
)
def test_cmd_has_the_whole_assignment_between_quotes(value: str | None, expected: str) -> None:
    assert statements("cmd", {"A": value}) == expected


@pytest.mark.parametrize("value", ["%PATH%", '"', "a!", "é", "\t"])
def test_what_cmd_would_read_in_different_ways_is_refused(value: str) -> None:
    with pytest.raises(OutputFailed, match="the value of A cannot be exported to cmd"):
        statements("cmd", {"A": value})
