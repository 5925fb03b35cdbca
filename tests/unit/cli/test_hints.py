import pytest

from gds_exec.cli.hints import check_dashes, with_habit
from gds_exec.errors import UnknownRole, UsageError
from gds_exec.invocation import Invocation

UNKNOWN = UnknownRole("there is no such role", hint="gds-exec roles lists them")


@pytest.mark.parametrize("word", ["exec", "aws"])
def test_a_word_of_another_tool_is_told_from_a_role(word: str) -> None:
    error = with_habit(UNKNOWN, Invocation(role=word, command=("prod", "--", "ls")))

    assert error.message == UNKNOWN.message
    assert error.hint is not None
    assert "gds-exec prod …" in error.hint


def test_a_mistyped_role_is_just_that() -> None:
    assert with_habit(UNKNOWN, Invocation(role="prdo", command=("ls",))) is UNKNOWN


@pytest.mark.parametrize("dash", ["–", "—", "–duration"])  # noqa: RUF001
def test_a_dash_that_was_pasted_is_named(dash: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_dashes(Invocation(role="prod", command=(dash, "ls")))

    assert caught.value.hint == "type - and -- by hand"


@pytest.mark.parametrize("command", [(), ("ls",), ("überprüfe",), ("-",)])
def test_other_commands_pass(command: tuple[str, ...]) -> None:
    check_dashes(Invocation(role="prod", command=command))
