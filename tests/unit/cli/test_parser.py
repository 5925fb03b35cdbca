import pytest
from typer.main import get_command

from gds_exec.cli.parser import APPS, run_command_line
from gds_exec.errors import UsageError
from gds_exec.options import CREDENTIAL_PROCESS, OPTIONS, RUN, SUBCOMMANDS, TRY_CODE


def test_every_subcommand_has_its_command() -> None:
    assert set(APPS) == {RUN, TRY_CODE, *SUBCOMMANDS}


@pytest.mark.parametrize("subcommand", [pytest.param(name, id=name or "a role") for name in APPS])
def test_a_command_has_the_options_that_the_table_gives_it(subcommand: str) -> None:
    known = {
        parameter.name: parameter.opts[0]
        for parameter in get_command(APPS[subcommand]).params
        if parameter.param_type_name == "option"
    }

    assert known == {row.field: row.name for row in OPTIONS if row.field and subcommand in row.subcommands}


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
        pytest.param([CREDENTIAL_PROCESS], "there is no role", id="document of no role"),
        pytest.param([CREDENTIAL_PROCESS, "a", "b"], "unexpected extra argument", id="document of two roles"),
        pytest.param([CREDENTIAL_PROCESS, "a", "-s"], "no such option", id="document and shell"),
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
