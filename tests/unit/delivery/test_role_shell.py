import os
import shutil
import subprocess
from pathlib import Path

import pytest

import gds_exec.delivery
from gds_exec.delivery.role_shell import role_shell, shell_init
from gds_exec.delivery.shell_syntax import SHELL_KINDS, shell_kind

HOOKS = Path(gds_exec.delivery.__path__[0]) / "shells"
BASH_FILES = ("hook.bash", "rc.bash")
EVERY_FILE = [
    *(("bash", name) for name in BASH_FILES),
    *(("zsh", name) for name in ("hook.zsh", "zdotdir/.zshenv")),
    ("fish", "hook.fish"),
]
every_shell = pytest.mark.parametrize("kind", SHELL_KINDS)


def has(program: str) -> str:
    """Return where a program is; skip the test where it is missing."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def exported(kind: str, statements: str) -> dict[str, str]:
    """Return the environment of what a shell starts when it has evaluated these."""
    plain = {"bash": "--norc", "zsh": "-f", "fish": "--no-config"}[kind]
    done = subprocess.run(
        [has(kind), plain],
        input=f"{statements}env -0\n".encode(),
        env={"LANG": "C.UTF-8", "PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == b""
    return dict(item.split("=", 1) for item in done.stdout.decode().split("\0") if item)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/bin/bash", "bash"),
        ("/usr/local/bin/zsh", "zsh"),
        ("fish", "fish"),
        ("/bin/sh", None),
        ("/bin/dash", None),
        ("/bash/tcsh", None),
        ("", None),
    ],
)
def test_a_shell_is_known_by_the_name_of_its_program(path: str, kind: str | None) -> None:
    assert shell_kind(path) == kind


@every_shell
def test_a_role_shell_is_interactive_and_the_one_that_was_named(kind: str) -> None:
    argv = role_shell(kind, f"/opt/{kind}", environ={}).argv

    assert argv[0] == f"/opt/{kind}"
    assert "-i" in argv


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"ZDOTDIR": "/home/a/dots"}, "/home/a/dots", id="one"),
        pytest.param({"GDS_EXEC_ZDOTDIR": "/left/over"}, None, id="an outer shell's"),
    ],
)
def test_zsh_is_told_the_users_own_directory(environ: dict[str, str], expected: str | None) -> None:
    changes = role_shell("zsh", "/bin/zsh", environ=environ).changes

    assert changes["GDS_EXEC_ZDOTDIR"] == expected
    assert changes["ZDOTDIR"] == str(HOOKS / "zdotdir")


@every_shell
def test_the_text_for_ones_own_rc_does_nothing_in_another_shell(kind: str) -> None:
    statements = f"{shell_init(kind)}\n"

    assert exported(kind, statements) == exported(kind, "")


@pytest.mark.parametrize(("kind", "name"), EVERY_FILE)
def test_the_shell_itself_finds_no_fault_with_its_files(kind: str, name: str) -> None:
    check = "-fn" if kind == "zsh" else "-n"  # zsh would read the .zshenv of the user's real home
    done = subprocess.run([has(kind), check, HOOKS / name], capture_output=True, check=False, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_shellcheck_finds_no_fault_with_the_files_for_bash() -> None:
    done = subprocess.run(
        [has("shellcheck"), "-x", *BASH_FILES], cwd=HOOKS, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")
