"""The completions know the command line that typer and the grammar know, in each shell."""

import subprocess

import pytest
from typer.main import get_command

from gds_exec.cli.parser import APPS, read_command_line
from gds_exec.delivery.export_formats import FORMATS
from gds_exec.options import OPTIONS, SPELLINGS, SUBCOMMANDS

from ..completers import COMPLETIONS, SHELLS, offered
from ..completions import WRITERS, rewritten
from ..e2e.world import needs

every_shell = pytest.mark.parametrize("shell", SHELLS)
WITH_A_VALUE = {spelling for spelling, row in SPELLINGS.items() if not row.is_flag}
FLAGS = {spelling for row in OPTIONS if row.is_flag and row.is_plain for spelling in row.spellings}
BEGUN = {"": [], **{word: [word] for word in SUBCOMMANDS if word != "try"}}


def options_of(word: str) -> set[str]:
    """The options that typer shows for a word."""
    parameters = [p for p in get_command(APPS[word]).params if p.param_type_name == "option"]
    return {name for p in parameters if not getattr(p, "hidden", False) for name in p.opts} | {"--help"}


@pytest.mark.parametrize("name", WRITERS)
def test_each_file_knows_what_the_table_says(name: str) -> None:
    assert rewritten(name) == (COMPLETIONS / name).read_text(), "run python -m tests.completions"


@every_shell
@pytest.mark.parametrize("word", [pytest.param(word, id=word or "a role") for word in BEGUN])
def test_the_options_of_each_word_are_those_of_the_command_line(shell: str, word: str) -> None:
    found = set(offered(shell, *BEGUN[word], "-"))

    assert options_of(word) <= found
    assert found <= options_of(word) | WITH_A_VALUE


@every_shell
def test_the_words_are_those_of_the_command_line(shell: str) -> None:
    assert set(SUBCOMMANDS) == set(offered(shell, ""))


@every_shell
@pytest.mark.parametrize("option", sorted(WITH_A_VALUE - {"--role"}))
def test_what_follows_an_option_with_a_value_is_its_value(shell: str, option: str) -> None:
    assert offered(shell, option, "x", "credential-p") == ["credential-process"]


@every_shell
@pytest.mark.parametrize("flag", sorted(FLAGS))
def test_what_follows_a_flag_is_a_role_or_a_word(shell: str, flag: str) -> None:
    assert offered(shell, flag, "credential-p") == ["credential-process"]


@every_shell
def test_the_formats_are_those_of_the_export(shell: str) -> None:
    assert sorted(offered(shell, "admin", "--format", "")) == sorted(FORMATS)


@every_shell
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--duration", ""], ["15m", "30m", "1h", "3h", "8h", "12h"], id="durations"),
        pytest.param(["admin", "-art", "3"], ["30m", "3h"], id="durations, as gds spells them"),
        pytest.param(
            ["-qr", "eu-west-"], ["eu-west-1", "eu-west-2", "eu-west-3"], id="regions, of a cluster"
        ),
        pytest.param(["sessions", ""], ["clear"], id="sessions"),
        pytest.param(["shell-init", ""], ["bash", "zsh", "fish"], id="shells"),
        pytest.param(["completions", ""], ["install", "bash", "zsh", "fish"], id="completions"),
        pytest.param(["completions", "install", "z"], ["zsh"], id="shells to install for"),
        pytest.param(["--role", "whoami", "--sh"], ["--shell"], id="a role named as a word"),
        pytest.param(["arn:aws:iam::123456789012:role/x", "--sh"], ["--shell"], id="an ARN"),
    ],
)
def test_values_and_arguments_are_offered(shell: str, arguments: list[str], expected: list[str]) -> None:
    assert sorted(offered(shell, *arguments)) == sorted(expected)


@every_shell
def test_what_is_offered_after_completions_can_be_asked_for(shell: str) -> None:
    in_place = [["completions", *rest] for rest in (["install"], [])]
    lines = [[*line, word] for line in in_place for word in offered(shell, *line, "") if word != "install"]

    assert len(lines) == 6
    assert all(callable(read_command_line(line)) for line in lines)


@every_shell
@pytest.mark.parametrize(
    "begin", [["admin"], ["admin", "--"], ["-q", "--role", "admin"], ["--role=admin"]], ids=" ".join
)
@pytest.mark.parametrize("typed", ["ls", ""], ids=["of it", "after it"])
def test_nothing_of_ours_is_offered_once_the_command_has_begun(
    shell: str, begin: list[str], typed: str
) -> None:
    before = [*begin, *([] if typed else ["echo"])]

    assert not {*SUBCOMMANDS, "15m", "--shell"} & set(offered(shell, *before, typed or "-"))


@needs("shellcheck")
def test_the_bash_completion_has_no_fault_that_shellcheck_knows() -> None:
    path = COMPLETIONS / "gds-exec.bash"
    done = subprocess.run(["shellcheck", "-s", "bash", path], capture_output=True, check=False)

    assert done.stdout.decode() == ""
