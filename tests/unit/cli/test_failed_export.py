import pytest

from gds_exec.cli.failed_export import failing_statement
from tests.processes import run_python

SH = "false;\n"
THROW = "throw 'gds-exec failed';\n"
CMD = "cmd /c exit 1\r\n"


@pytest.mark.parametrize(
    ("line", "statement"),
    [
        pytest.param("prod -e", SH, id="a letter"),
        pytest.param("prod --export", SH, id="a word"),
        pytest.param("-e prod", SH, id="before the role"),
        pytest.param("-qe prod", SH, id="in a cluster"),
        pytest.param("prod -eqr eu-west-2", SH, id="in a cluster before a value"),
        pytest.param("prod -r -e", None, id="a value"),
        pytest.param("prod -rne", None, id="within a value"),
        pytest.param("--unset", SH, id="unset"),
        pytest.param("prod --unset", SH, id="unset with a role"),
        pytest.param("--write-profile old --unset", None, id="removal of a profile"),
        pytest.param("prod -e --write-profile new", SH, id="export to a profile too"),
        pytest.param("-e", SH, id="no role"),
        pytest.param("-e --", SH, id="no role before --"),
        pytest.param("prod -e --nosuch", SH, id="an unknown option"),
        pytest.param("prod -e --region", SH, id="a value is missing"),
        pytest.param("prod -e --format", SH, id="the format is missing"),
        pytest.param("prod -e echo", SH, id="with a command"),
        pytest.param("roles -e", SH, id="a role named like a subcommand"),
        pytest.param("aws prod -e", SH, id="another tool's word before the role"),
        pytest.param("prod -e --format sh", SH, id="sh"),
        pytest.param("prod -e --format yaml", SH, id="an unknown format"),
        pytest.param("prod -e --format fish", SH, id="fish"),
        pytest.param("--format=powershell prod -e", THROW, id="powershell"),
        pytest.param("prod -e --format cmd", CMD, id="cmd"),
        pytest.param("prod -e --format json --format powershell", THROW, id="two formats"),
        pytest.param("prod -e --format json", None, id="json"),
        pytest.param("prod -e --format dotenv", None, id="dotenv"),
        pytest.param("prod -e --format ini", None, id="ini"),
        pytest.param("prod -e --format credential-process", None, id="credential-process"),
        pytest.param("prod -e --format github-env", None, id="github-env"),
        pytest.param("prod -e --format github-output", None, id="github-output"),
        pytest.param("prod -e --format assume-role-json", None, id="assume-role-json"),
        pytest.param("prod grep -e x", None, id="the command's option"),
        pytest.param("prod -- -e", None, id="behind --"),
        pytest.param("try sh -e", None, id="the sandbox's command"),
        pytest.param("explain prod", None, id="a subcommand"),
        pytest.param("prod --read-only", None, id="a word with an e"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_command_line_that_exports_for_a_shell_has_a_statement_that_fails(
    line: str, statement: str | None
) -> None:
    assert failing_statement(line.split()) == statement


ACTS = """
import os, signal, sys
from gds_exec.cli.failed_export import begin_printing, with_failing_statement
def act():
    {act}
try:
    status = with_failing_statement(act, "false;")
    os.write(1, b" status %d" % status)
except BaseException as error:
    os.write(1, f" {{type(error).__name__}}".encode())
"""


@pytest.mark.parametrize(
    ("act", "printed"),
    [
        pytest.param("os.write(1, b'export'); return 0", "export status 0", id="success"),
        pytest.param("return 125", "false; status 125", id="failure"),
        pytest.param("raise KeyboardInterrupt", "false; KeyboardInterrupt", id="Ctrl-C"),
        pytest.param("sys.exit(1)", "false; SystemExit", id="exit"),
        pytest.param(
            "begin_printing(); os.write(1, b'exp'); return 125", "exp status 125", id="failure while printing"
        ),
        pytest.param(
            "begin_printing(); os.write(1, b'exp'); raise MemoryError",
            "exp MemoryError",
            id="error then",
        ),
    ],
)
def test_the_statement_is_printed_once_and_only_if_the_export_is_not(act: str, printed: str) -> None:
    assert run_python(ACTS.format(act=act)) == printed
