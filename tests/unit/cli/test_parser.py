import pytest
from typer.main import get_command

from gds_exec.cli.app import run_command_line
from gds_exec.cli.parser import APPS
from gds_exec.errors import UsageError
from gds_exec.invocation import (
    ACTION_VALUE_OPTIONS,
    DOCUMENT,
    FLAGS,
    SCOPE_OPTIONS,
    SCOPE_VALUE_OPTIONS,
    VALUE_OPTIONS,
    WORDS,
)

ABOUT_A_SESSION = {"--role", *FLAGS.values(), *SCOPE_OPTIONS} - {"--shell", "--skip-ip-range-checks"}

ABOUT_ITS_VALUES = {*VALUE_OPTIONS.values(), *SCOPE_VALUE_OPTIONS}


def options_of(word: str) -> set[str]:
    app, _ = APPS[word]
    return {name for parameter in get_command(app).params for name in parameter.opts}


def options_that_take_a_value(word: str) -> set[str]:
    app, _ = APPS[word]
    parameters = get_command(app).params
    return {
        name for parameter in parameters if not getattr(parameter, "is_flag", True) for name in parameter.opts
    }


@pytest.mark.parametrize(
    ("word", "known"),
    [("", ABOUT_ITS_VALUES | {*ACTION_VALUE_OPTIONS.values()}), (DOCUMENT, ABOUT_ITS_VALUES)],
)
def test_both_readers_of_the_grammar_know_the_same_options_with_a_value(word: str, known: set[str]) -> None:
    assert known == options_that_take_a_value(word)


@pytest.mark.parametrize("word", ["", DOCUMENT])
def test_both_readers_of_the_grammar_know_the_same_flags(word: str) -> None:
    assert options_of(word) >= ABOUT_A_SESSION


@pytest.mark.parametrize("word", ["renew", "explain"])
def test_what_scopes_a_session_can_be_said_wherever_one_is_asked_for(word: str) -> None:
    assert options_of(word) >= {*SCOPE_OPTIONS}


def test_every_word_has_its_command() -> None:
    assert set(APPS) == {"", "try code", *WORDS}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        pytest.param(["-s"], "there is no role", id="a shell as nobody"),
        pytest.param(["-e"], "there is no role", id="nobody's session"),
        pytest.param(["admin", "-e", "-l"], "--export and --login exclude each other", id="two things to do"),
        pytest.param(["admin", "-e", "ls"], "--export and a command exclude", id="export and command"),
        pytest.param(["admin", "-d", "8h", "ls"], "--describe and a command exclude", id="-d for a duration"),
        pytest.param(["admin", "--format", "json", "ls"], "--format goes with", id="format of nothing"),
        pytest.param(["admin", "--print"], "--print goes with --login", id="print of nothing"),
        pytest.param(["admin", "--json"], "--json goes with --describe", id="json of nothing"),
        pytest.param(["admin", "--unset"], "--unset takes no role", id="unset of a role"),
        pytest.param(
            ["admin", "--write-profile", "tmp", "--unset"], "--unset takes no role", id="a copy of a role"
        ),
        pytest.param(
            ["--write-profile", "tmp", "--unset", "--format", "sh"],
            "prints nothing",
            id="a format of nothing",
        ),
        pytest.param(
            ["-e", "--write-profile", "tmp", "--unset"], "--export and --unset exclude", id="both ways"
        ),
        pytest.param(["--write-profile", "tmp"], "there is no role", id="nobody's copy"),
        pytest.param(
            ["--write-profile", "a b", "--unset"],
            "'a b' is not a valid profile name",
            id="an invalid name",
        ),
        pytest.param(["roles", "--csv", "--json"], "--csv and --json exclude", id="two forms"),
        pytest.param(["--names", "--json"], "--names and --json exclude", id="two forms of the list alone"),
        pytest.param(["admin", "--csv"], "--csv are for the list", id="csv of a role"),
        pytest.param(["admin", "-d", "--names"], "--csv are for the list", id="names of a description"),
        pytest.param(["explain"], "there is no role", id="explain nothing"),
        pytest.param(["admin", "--nonsense"], "no such option: --nonsense", id="unknown option"),
        pytest.param(["admin", "--duration", "soon", "ls"], "'soon' is no duration", id="no duration"),
        pytest.param(["admin", "--session-name", "a b", "ls"], "2 to 64 letters", id="no session name"),
        pytest.param(["admin", "-r", "eu west", "ls"], "'eu west' is no region", id="no region"),
        pytest.param(
            ["admin", "-s", "ls"], "--shell and a command exclude each other", id="shell and command"
        ),
        pytest.param(["admin", "--mfa-max-age", "old", "ls"], "'old' is no duration", id="no age"),
        pytest.param([DOCUMENT], "there is no role", id="document of no role"),
        pytest.param([DOCUMENT, "a", "b"], "unexpected extra argument", id="document of two roles"),
        pytest.param([DOCUMENT, "a", "-s"], "no such option", id="document and shell"),
        pytest.param(["whoami", "alice"], "unexpected extra argument", id="whoami of somebody"),
    ],
)
def test_a_line_that_cannot_be_understood_is_a_usage_error(argv: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run_command_line(argv, {})


def test_a_duration_after_the_wrong_letter_is_explained() -> None:
    with pytest.raises(UsageError) as caught:
        run_command_line(["admin", "-d", "8h", "ls"], {})

    assert caught.value.hint == "how long the session is to last is said by --duration 8h"
