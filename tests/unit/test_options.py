"""One row describes an option. The grammar, the help, the keys, renewals and the completions read it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gds_exec.environment import ROLE_SHELL, Briefing, child_environment, endpoint_environment
from gds_exec.invocation import Invocation
from gds_exec.options import OPTIONS, Options
from tests.fakes import a_session

from ..completers import SHELLS, offered

ROOT = Path(__file__).parent.parent.parent
ROW = """\
    flavour: "str | None" = option("--flavour -f", _SESSION, "Flavour of the session", metavar="TASTE")
"""
ROW_THAT_SAYS_OTHERWISE = ROW.replace(")\n", ", in_key=False, in_renewals=False)\n")


def with_row(row: str, tmp_path: Path) -> Path:
    """Return a copy of the project whose table has this row, and completions written from it."""
    for name in ("gds_exec", "completions", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "e2e"))
    table = tmp_path / "gds_exec" / "options.py"
    before, line, after = table.read_text().partition("    cache: bool = option(")
    table.write_text(before + row + line + after)
    run(tmp_path, "-m", "tests.completions")
    return tmp_path


def run(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=project,
        env={"PYTHONPATH": str(project), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def evaluated(project: Path, expression: str) -> object:
    code = (
        "from gds_exec.cli.parser import read_command_line\n"
        "from gds_exec.invocation import read_plainly, read_session_arguments, session_arguments\n"
        "from gds_exec.warm import asked_in\n"
        "def said(*argv, **environ):\n"
        "    return read_plainly([*argv, 'admin', 'ls'], environ)\n"
        f"print(repr({expression}))\n"
    )
    return ast.literal_eval(run(project, "-c", code))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_row(ROW, tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("said('--flavour', 'mint').flavour", id="plainly"),
        pytest.param("said('-fmint').flavour", id="plainly, by its letter"),
        pytest.param("said(GDS_EXEC_FLAVOUR='mint').flavour", id="plainly, by its variable"),
        pytest.param("read_command_line(['admin', '--flavour=mint', 'ls']).flavour", id="fully"),
        pytest.param("read_command_line(['admin', '-qfmint', 'ls']).flavour", id="fully, by its letter"),
        pytest.param(
            "read_session_arguments(session_arguments(said('--flavour=mint'))).flavour", id="in a renewal"
        ),
    ],
)
def test_a_new_row_is_read(project: Path, expression: str) -> None:
    assert evaluated(project, expression) == "mint"


def test_a_new_row_is_in_the_help(project: Path) -> None:
    said = run(project, "-m", "gds_exec", "--help")

    assert "--flavour" in said
    assert "Flavour of the session (also -f)." in said
    assert "GDS_EXEC_FLAVOUR" in said


def test_what_a_new_row_says_makes_another_request(project: Path) -> None:
    assert evaluated(project, "asked_in(said('--flavour=mint'), {}) != asked_in(said('--flavour=lime'), {})")


def test_a_row_can_say_that_it_is_no_part_of_the_request(tmp_path: Path) -> None:
    project = with_row(ROW_THAT_SAYS_OTHERWISE, tmp_path)

    assert evaluated(project, "asked_in(said('--flavour=mint'), {}) == asked_in(said(), {})")
    assert evaluated(project, "session_arguments(said('--flavour=mint')) == session_arguments(said())")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_new_row_is_in_each_completion(project: Path, shell: str) -> None:
    completions = project / "completions"

    assert offered(shell, "--flav", completions=completions) == ["--flavour"]
    assert offered(shell, "-f", "x", "credential-p", completions=completions) == ["credential-process"]


def test_explain_shows_a_new_row(project: Path, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\n"
        "source_profile = base\n[profile base]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = x\n"
    )
    code = (
        "from gds_exec.cli.commands.explain import explain\n"
        "from gds_exec.invocation import Invocation\n"
        "explain(Invocation(role='admin', flavour='mint'), "
        f"{{'AWS_CONFIG_FILE': {str(tmp_path / 'config')!r}, 'HOME': {str(tmp_path)!r}}})\n"
    )

    assert any(
        line.split() == ["flavour", "mint", "--flavour"] for line in run(project, "-c", code).splitlines()
    )


def test_every_field_of_an_invocation_has_a_row() -> None:
    fields = {*Options.__annotations__, *Invocation.__annotations__} - {"subcommand", "command"}

    assert fields == {row.field for row in OPTIONS if row.field}
    with pytest.raises(TypeError):
        Invocation(role="admin", nonsense=1)


def test_no_option_has_a_variable_that_we_set_for_the_command() -> None:
    briefing = Briefing("admin", region="eu-west-2", lost_source="keys")
    ours = child_environment({}, a_session(), briefing).keys()
    ours |= endpoint_environment({}, briefing, url="http://127.0.0.1/", token="x").keys()
    ours |= {*ROLE_SHELL}

    assert ours.isdisjoint(row.variable for row in OPTIONS)
    assert {"GDS_EXEC_ROLE", "GDS_EXEC_SHELL"} <= ours
