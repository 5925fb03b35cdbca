import pytest
from typer.main import get_command

from gds_exec.cli.app import _APPS, run_command_line
from gds_exec.errors import UsageError
from gds_exec.invocation import DOCUMENT, FLAGS, VALUE_OPTIONS, WORDS

ABOUT_A_SESSION = {"--role", *(option for option in FLAGS.values() if option != "--shell")}


def options_of(word: str) -> set[str]:
    app, _ = _APPS[word]
    return {name for parameter in get_command(app).params for name in parameter.opts}


def options_that_take_a_value(word: str) -> set[str]:
    app, _ = _APPS[word]
    parameters = get_command(app).params
    return {
        name for parameter in parameters if not getattr(parameter, "is_flag", True) for name in parameter.opts
    }


@pytest.mark.parametrize("word", ["", DOCUMENT])
def test_both_readers_of_the_grammar_know_the_same_options_with_a_value(word: str) -> None:
    assert set(VALUE_OPTIONS.values()) == options_that_take_a_value(word)


@pytest.mark.parametrize("word", ["", DOCUMENT])
def test_both_readers_of_the_grammar_know_the_same_flags(word: str) -> None:
    assert options_of(word) >= ABOUT_A_SESSION


def test_every_word_has_its_command() -> None:
    assert set(_APPS) == {"", "try code", *WORDS}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        pytest.param([], "there is no role", id="nothing"),
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
