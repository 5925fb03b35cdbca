"""The caller's variables for Python do not break gds-exec, and the command gets them unchanged."""

import sys
from pathlib import Path

import pytest

from .expectations import assert_ours
from .world import GDS_EXEC, World

OLD_BOTOCORE = {"botocore/__init__.py": '__version__ = "1.20.112"\n', "botocore/session.py": "", "six.py": ""}
# The files on PYTHONPATH, and the module that the error names.
UNUSABLE = [
    pytest.param({"typing.py": "raise ImportError('bad')"}, "typing.py", id="a module of Python's own fails"),
    pytest.param({"json.py": ""}, "json.py", id="an empty module of Python's own"),
    pytest.param({"re.py": "x ="}, "re.py", id="a module that cannot be parsed"),
    pytest.param({"typer.py": ""}, "typer.py", id="a module of a dependency"),
    pytest.param({"botocore/__init__.py": ""}, "botocore", id="an empty botocore"),
    pytest.param(OLD_BOTOCORE, "botocore", id="an old botocore"),
]
# The first needs every module; another may do without some.
ACTIONS = [
    ("plain", "--debug", "--", "true"),
    ("plain", "-e"),
    ("plain", "--refresh", "--", "true"),
    ("whoami",),
]
HARMLESS = [
    {"PYTHONPATH": "{home}"},
    {"PYTHONPATH": "/nowhere"},
    {"PYTHONPATH": ""},
    {"PYTHONPATH": "/nowhere", "PYTHONSAFEPATH": "1"},
    {"PYTHONSAFEPATH": "1"},
    {"PYTHONSTARTUP": "{home}/startup.py"},
    {"PYTHONINSPECT": "1"},
    {"PYTHONWARNINGS": "error"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONOPTIMIZE": "2"},
    {"PYTHONNOUSERSITE": "1"},
    {"PYTHONDONTWRITEBYTECODE": "1"},
    {"PYTHONUNBUFFERED": "1"},
    {"PYTHONDEVMODE": "1"},
    {"PYTHONUTF8": "0"},
    {"PYTHONBREAKPOINT": "os.abort"},
]


def put(directory: Path, files: dict[str, str]) -> str:
    """Write these files and return the directory, for PYTHONPATH."""
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return str(directory)


@pytest.fixture
def plain(world: World) -> World:
    world.add_role("plain", mfa=False)
    return world


@pytest.mark.parametrize(("files", "named"), UNUSABLE)
def test_an_error_names_a_module_on_pythonpath_that_does_not_work(
    files: dict[str, str], named: str, plain: World, tmp_path: Path
) -> None:
    directory = put(tmp_path / "theirs", files)

    done = [plain.run(*argv, environ={"PYTHONPATH": directory}) for argv in ACTIONS]

    assert done[0].returncode == 125, done[0].stderr.decode()
    for failed in (each for each in done if each.returncode != 0):
        said = failed.stderr.decode()
        assert failed.returncode == 125, said
        assert "[broken-install]" in said
        assert f"{directory}/{named}" in said
        assert "hint: remove that directory from PYTHONPATH" in said


def test_an_error_names_an_old_botocore_and_its_version(plain: World, tmp_path: Path) -> None:
    directory = put(tmp_path / "theirs", OLD_BOTOCORE)

    done = plain.run("plain", "--", "true", environ={"PYTHONPATH": directory})

    assert_ours(done, 125, "[broken-install]", "botocore 1.20.112", "1.34 or newer", "PYTHONPATH")


@pytest.mark.parametrize("broken", ["", "2>&-", "2>/dev/full"])
def test_another_gds_exec_on_pythonpath_is_an_error(broken: str, plain: World, tmp_path: Path) -> None:
    directory = put(tmp_path / "theirs", {"gds_exec/__init__.py": ""})

    done = plain.run_program(
        "bash", "-c", f"{GDS_EXEC} plain -- true {broken}; exit $?", environ={"PYTHONPATH": directory}
    )

    assert done.returncode == 125
    assert done.stdout == b""
    if not broken:
        assert_ours(done, 125, "[broken-install]", "PYTHONPATH")


def test_a_cached_session_needs_no_module_that_pythonpath_replaces(signed_in: World, tmp_path: Path) -> None:
    signed_in.run("prod", "--", "true")
    directory = put(tmp_path / "theirs", {"typing.py": "raise ImportError", **OLD_BOTOCORE})

    done = signed_in.run("prod", "--", "printenv", "PYTHONPATH", environ={"PYTHONPATH": directory})

    assert (done.returncode, done.stdout.decode()) == (0, f"{directory}\n")


@pytest.mark.parametrize("environ", HARMLESS, ids=lambda environ: " ".join(map("=".join, environ.items())))
def test_other_variables_do_no_harm_and_reach_the_command(environ: dict[str, str], plain: World) -> None:
    put(plain.home, {"startup.py": "print('startup')", "theirs.py": "raise ImportError"})
    environ = {name: value.format(home=plain.home) for name, value in environ.items()}
    show = ("sh", "-c", 'for name; do printenv "$name"; done', "sh", *environ)

    for options in ((), ("--new-session",), ("--refresh",)):
        done = plain.run("plain", *options, "--", *show, environ=environ)

        assert (done.returncode, done.stderr) == (0, b""), options
        assert done.stdout.decode().splitlines() == list(environ.values())
    helped = plain.run("--help", environ=environ)
    assert (helped.returncode, helped.stderr) == (0, b"")
    assert b"--duration" in helped.stdout


def test_coverage_and_other_tools_may_come_from_pythonpath(plain: World, tmp_path: Path) -> None:
    directory = put(tmp_path / "theirs", {"sitecustomize.py": "import a_tool", "a_tool.py": ""})

    assert plain.run("plain", "--", "true", environ={"PYTHONPATH": directory}).returncode == 0


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"])
def test_the_command_has_a_variable_although_only_python_uses_it(name: str, signed_in: World) -> None:
    home = {"PYTHONHOME": f"{sys.base_prefix}:{sys.base_exec_prefix}"}.get(name, "/nowhere")

    done = signed_in.run("prod", "--", "printenv", name, environ={name: home})

    assert (done.returncode, done.stdout.decode()) == (0, f"{home}\n")


def test_a_real_old_botocore_is_an_error(plain: World) -> None:
    found = list(Path(sys.prefix).glob("older-botocore/lib/python*/site-packages"))
    if not found:
        pytest.skip("no older botocore is installed beside this one")

    done = plain.run("plain", "--", "true", environ={"PYTHONPATH": str(found[0])})

    assert_ours(done, 125, "[broken-install]", f"in {found[0]}/botocore (from PYTHONPATH) is too old")
