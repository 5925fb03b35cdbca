"""Where MFA codes come from besides the terminal: a YubiKey, a dialog, and which of them first."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from .expectations import assert_ours
from .observations import codes_sent
from .programs import program
from .shells import BASH
from .world import GDS_EXEC, PATH, PROMPT, World, finish

DIALOGS = ("osascript",) if sys.platform == "darwin" else ("zenity", "kdialog")
DIALOG = DIALOGS[0]
every_dialog = pytest.mark.parametrize("name", DIALOGS)

# Notes what it was run with, says a word, and gives its answers in turn; then it fails.
_FAKE = """#!/bin/sh
cd {directory} || exit 9
printf '%s\\0' "$@" >>runs && printf '\\0' >>runs
echo 'Touch your YubiKey...' >&2
mv answer.0 answer || exit 1
for n in 1 2 3; do mv "answer.$n" "answer.$((n - 1))" || break; done 2>/dev/null
cat answer
"""


@dataclass
class Fake:
    """A program on the search path that stands for one which needs hardware, or a screen."""

    directory: Path

    def answers(self, *lines: str) -> None:
        for number, line in enumerate(lines):
            (self.directory / f"answer.{number}").write_text(line)

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": f"{self.directory}:{PATH}", "DISPLAY": ":99"}

    @property
    def runs(self) -> list[list[str]]:
        """The arguments of each run."""
        path = self.directory / "runs"
        runs = path.read_text().split("\0\0")[:-1] if path.exists() else []
        return [run.split("\0") for run in runs]


def fake(name: str, world: World) -> Fake:
    directory = world.home / f"{name}-bin"
    directory.mkdir()
    program(directory / name, _FAKE.format(directory=directory))
    return Fake(directory)


@pytest.fixture
def ykman(world: World) -> Fake:
    return fake("ykman", world)


@pytest.fixture
def dialog(world: World) -> Fake:
    return fake(DIALOG, world)


def code_of(account: str) -> list[str]:
    return ["oath", "accounts", "code", "--single", "--", account]


@pytest.mark.parametrize(
    ("settings", "environ", "account"),
    [
        pytest.param("gds_exec_ykman_account = gds-users", {}, "gds-users", id="profile"),
        pytest.param("", {"GDS_EXEC_YKMAN_ACCOUNT": "aws: me"}, "aws: me", id="variable"),
        pytest.param(
            "gds_exec_ykman_account = gds-users",
            {"GDS_EXEC_YKMAN_ACCOUNT": "mine"},
            "mine",
            id="variable wins",
        ),
        pytest.param("", {"GDS_EXEC_MFA_SOURCE": "ykman"}, None, id="the device's serial"),
    ],
)
def test_a_yubikey_gives_the_code_of_the_account(
    settings: str, environ: dict[str, str], account: str | None, world: World, ykman: Fake
) -> None:
    world.add_role("prod", settings=settings)
    ykman.answers(f"{world.code()}\n")

    done = world.run("prod", "--", "echo", "started", environ=ykman.environ | environ)

    assert (done.returncode, done.stdout) == (0, b"started\n"), done.stderr
    assert ykman.runs == [code_of(account or world.device.serial)]


def test_ykman_is_not_run_by_surprise(world: World, ykman: Fake) -> None:
    world.add_role("prod")
    ykman.answers(world.code())

    assert_ours(world.run("prod", "--", "true", environ=ykman.environ), 124, "nobody-to-ask")

    assert ykman.runs == []


def test_that_the_yubikey_waits_for_a_touch_is_read_on_the_terminal(world: World, ykman: Fake) -> None:
    world.add_role("prod", settings="gds_exec_ykman_account = gds-users")
    ykman.answers(world.code())

    terminal = world.terminal("prod", "--", "echo", "started", environ=ykman.environ)

    assert finish(terminal) == "Touch your YubiKey...\nstarted\n"
    assert terminal.exitstatus == 0


def test_where_the_yubikey_gives_no_code_a_person_is_asked(world: World, ykman: Fake) -> None:
    world.add_role("prod", settings="gds_exec_ykman_account = gds-users")

    terminal = world.terminal("prod", "--", "echo", "started", environ=ykman.environ)
    terminal.expect_exact("ykman failed with exit status 1")
    terminal.expect_exact(PROMPT)
    terminal.sendline(world.code())

    assert "started" in finish(terminal)
    assert len(ykman.runs) == 1


def test_a_ykman_in_the_working_directory_is_not_run(world: World, ykman: Fake) -> None:
    world.add_role("prod", settings="gds_exec_ykman_account = gds-users")
    ykman.answers(world.code())

    done = world.run("prod", "--", "true", environ={"PATH": f".::{PATH}"}, cwd=ykman.directory)

    assert_ours(done, 125, "ykman", "is not installed")
    assert ykman.runs == []


def text_of(run: list[str]) -> str:
    """What a dialog shows, as its program was told."""
    return {"zenity": run[-1].removeprefix("--text="), "kdialog": run[-1], "osascript": run[-2]}[DIALOG]


@every_dialog
def test_without_a_terminal_a_person_is_asked_in_a_dialog(name: str, world: World) -> None:
    dialog = fake(name, world)
    world.add_role("prod")
    dialog.answers(f"{world.code()}\n")

    done = world.run("prod", "--", "echo", "started", environ=dialog.environ)

    assert (done.returncode, done.stdout) == (0, b"started\n"), done.stderr
    (run,) = dialog.runs
    assert f"MFA code for prod ({world.device.serial}): " in " ".join(run)


@every_dialog
def test_a_role_s_name_is_but_text_in_a_dialog(name: str, world: World) -> None:
    dialog = fake(name, world)
    role = "<b>a</b>;$(id>x)`id>x`"
    world.add_role(role, role_name="hostile")
    dialog.answers(world.code())

    done = world.run(role, "--", "true", environ=dialog.environ)

    assert done.returncode == 0, done.stderr
    assert len(dialog.runs) == 1
    assert ("<b>" in " ".join(dialog.runs[0])) == (name != "kdialog")
    assert not (world.home / "x").exists()


def test_a_wrong_code_in_a_dialog_is_asked_for_again_and_the_next_dialog_says_why(
    world: World, dialog: Fake
) -> None:
    world.add_role("prod")
    dialog.answers("000000", "not one", world.code())

    done = world.run("prod", "--", "true", environ=dialog.environ)

    assert done.returncode == 0, done.stderr
    first, second, third = map(text_of, dialog.runs)
    assert first.startswith(PROMPT)
    assert second.endswith(f"\n{first}")
    assert second.startswith("AWS refused the code of ")
    assert third == f"an MFA code is six digits\n{first}"
    assert codes_sent(world.aws) == 2


def test_three_wrong_codes_are_enough(world: World, dialog: Fake) -> None:
    world.add_role("prod")
    dialog.answers("000000", "000001", "000002", world.code())

    done = world.run("prod", "--", "true", environ=dialog.environ)

    assert done.returncode == 125
    assert b"[mfa-code-refused]" in done.stderr
    assert len(dialog.runs) == 3


def test_a_cancelled_dialog_is_no_answer_and_no_code_is_sent(world: World, dialog: Fake) -> None:
    world.add_role("prod")

    done = world.run("prod", "--", "true", environ=dialog.environ)

    assert_ours(done, 124, "no MFA code was given in the dialog", "nobody-to-ask", "hint: ")
    assert len(dialog.runs) == 1
    assert codes_sent(world.aws) == 0


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        pytest.param(("--no-input",), {}, id="no input"),
        pytest.param((), {"CI": "true"}, id="CI"),
        pytest.param((), {"GDS_EXEC_MFA_SOURCE": "process,terminal"}, id="not a source"),
        pytest.param(
            (),
            {"DISPLAY": ""},
            marks=pytest.mark.skipif(sys.platform == "darwin", reason="macOS names no display"),
            id="no display",
        ),
    ],
)
def test_no_dialog_is_shown_where_nobody_would_see_it(
    options: tuple[str, ...], environ: dict[str, str], world: World, dialog: Fake
) -> None:
    world.add_role("prod")
    dialog.answers(world.code())

    done = world.run("prod", *options, "--", "true", environ=dialog.environ | environ)

    assert_ours(done, 124, "nobody-to-ask")
    assert dialog.runs == []


def test_a_person_at_a_terminal_is_asked_there_although_there_is_a_display(
    world: World, dialog: Fake
) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", "--", "echo", "started", environ=dialog.environ)
    terminal.expect_exact(PROMPT)
    terminal.sendline(world.code())

    assert "started" in finish(terminal)
    assert dialog.runs == []


def test_a_background_job_that_cannot_ask_on_its_terminal_asks_in_a_dialog(
    world: World, dialog: Fake
) -> None:
    world.add_role("prod")
    dialog.answers(world.code())
    world.environ |= dialog.environ
    terminal = BASH.open(world)
    terminal.sendline(f"{GDS_EXEC} prod -- echo sta''rted & wait")
    terminal.expect_exact("started")
    terminal.sendline("exit")

    finish(terminal)
    assert len(dialog.runs) == 1


def test_a_dialog_is_shown_from_a_terminal_to_whoever_prefers_dialogs(world: World, dialog: Fake) -> None:
    world.add_role("prod")
    dialog.answers(world.code())
    environ = dialog.environ | {"GDS_EXEC_MFA_SOURCE": "dialog,terminal"}

    terminal = world.terminal("prod", "--", "echo", "started", environ=environ)

    said = finish(terminal)
    assert "started" in said
    assert PROMPT not in said


def test_the_terminal_is_asked_before_mfa_process_by_whoever_prefers_to_type(world: World) -> None:
    ran = world.home / "ran"
    world.add_role("prod", settings=f"mfa_process = touch {ran}")
    environ = {"GDS_EXEC_MFA_SOURCE": "terminal, process"}
    terminal = world.terminal("prod", "--", "echo", "started", environ=environ)
    terminal.expect_exact(PROMPT)
    terminal.sendline(world.code())

    assert "started" in finish(terminal)
    assert not ran.exists()


def test_a_terminal_that_is_no_source_is_not_asked_on(world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", "--", "true", environ={"GDS_EXEC_MFA_SOURCE": "process"})

    said = finish(terminal)

    assert terminal.exitstatus == 124
    assert "GDS_EXEC_MFA_SOURCE leaves out the terminal [nobody-to-ask]" in said
    assert PROMPT not in said


def test_a_code_that_was_given_comes_before_every_source(world: World, ykman: Fake) -> None:
    world.add_role("prod")
    environ = ykman.environ | {"GDS_EXEC_MFA_SOURCE": "ykman"}

    done = world.run("prod", "--mfa-code", world.code(), "--", "true", environ=environ)

    assert done.returncode == 0, done.stderr
    assert ykman.runs == []


def test_an_unknown_source_is_refused_by_name(world: World) -> None:
    world.add_role("prod")

    done = world.run("prod", "--", "true", environ={"GDS_EXEC_MFA_SOURCE": "terminal,phone"})

    assert_ours(done, 2, "GDS_EXEC_MFA_SOURCE", "'phone'", "process, ykman, terminal, dialog")
    assert world.aws.calls == []
