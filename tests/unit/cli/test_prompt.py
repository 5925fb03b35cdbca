import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest

from gds_exec.cli.prompt import CI_SILENCE, NO_INPUT_SILENCE, Desktop, Person, dialog_command
from gds_exec.credentials.background import PreparedAws
from gds_exec.credentials.mfa import Question
from gds_exec.errors import HelperFailed, NobodyToAsk
from tests.fakes import never

WAIT_SECONDS = 300


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A desktop with the programs for dialogs, on whatever system this is."""
    for name in ("zenity", "osascript"):
        (tmp_path / name).touch(0o755)
    return {"DISPLAY": ":0", "PATH": str(tmp_path)}


def desktop(
    environ: Mapping[str, str], *, is_to_be_asked: bool = True, types: str | Exception = ""
) -> Desktop:
    def run(command: str) -> str:
        if isinstance(types, Exception):
            raise types
        return f"{command}: {types}"

    return Desktop(environ, is_to_be_asked=is_to_be_asked, run=run)


def test_whoever_sits_at_a_desktop_is_asked_in_a_dialog(environ: dict[str, str]) -> None:
    assert desktop(environ).is_there()

    typed = desktop(environ, types="123456").ask("MFA code?")

    assert typed.startswith(f"{environ['PATH']}/")
    assert "MFA code?" in typed
    assert typed.endswith(": 123456")


def test_nobody_sits_where_no_dialog_can_be_shown(environ: dict[str, str]) -> None:
    assert not desktop(environ | {"PATH": "/nowhere"}).is_there()


def test_nobody_is_asked_where_input_is_forbidden(environ: dict[str, str]) -> None:
    assert not desktop(environ, is_to_be_asked=False).is_there()


def test_a_dialog_that_is_cancelled_means_that_nobody_is_there(environ: dict[str, str]) -> None:
    cancelled = HelperFailed("the helper zenity failed with exit status 1")

    with pytest.raises(NobodyToAsk, match=r"no MFA code was given in the dialog \(the helper zenity failed"):
        desktop(environ, types=cancelled).ask("MFA code?")


class Foreground:
    """A terminal that is ours to use, and that nobody may be asked on."""

    ask = staticmethod(never)

    @staticmethod
    def is_foreground() -> bool:
        return True


def person(*, silence: str | None, terminal: object | None) -> Person:
    return Person(
        terminal,  # type: ignore[arg-type]
        aws=PreparedAws(never),  # type: ignore[arg-type]
        timeout_seconds=WAIT_SECONDS,
        silence=silence,
    )


@pytest.mark.parametrize("silence", [CI_SILENCE, NO_INPUT_SILENCE])
def test_whoever_is_not_to_be_asked_is_not_there_even_at_a_terminal(silence: str) -> None:  # matrix 70
    silent = person(silence=silence, terminal=Foreground())

    assert person(silence=None, terminal=Foreground()).is_there()
    assert not silent.is_there()
    with pytest.raises(NobodyToAsk, match=silence.replace("(", r"\(").replace(")", r"\)")):
        silent.ask("MFA code?")


@pytest.mark.parametrize(
    ("silence", "why", "hint"),
    [
        pytest.param(
            None, "there is no terminal", "mfa_process in the profile, or run it once", id="no terminal"
        ),
        pytest.param(
            NO_INPUT_SILENCE, "--no-input forbids", "mfa_process in the profile, or run", id="no input"
        ),
        pytest.param(
            CI_SILENCE,
            "nobody is asked in CI",
            "AWS_WEB_IDENTITY_TOKEN_FILE) of a role that wants no MFA",
            id="CI",
        ),
    ],
)
def test_a_code_that_nobody_can_give_says_why_and_what_to_set(  # matrix 70
    silence: str | None, why: str, hint: str
) -> None:
    device = "arn:aws:iam::111111111111:mfa/alice"

    failure = person(silence=silence, terminal=None).why_not(Question("admin", device))

    assert failure.message.startswith(f"an MFA code is needed for admin ({device}), and {why}")
    assert hint in str(failure.hint)
    assert failure.exit_status == 124


X11 = {"DISPLAY": ":0"}
WAYLAND = {"WAYLAND_DISPLAY": "wayland-0"}


def argv_of(
    text: str, environ: Mapping[str, str], *, installed: str, platform: str = "linux"
) -> list[str] | None:
    def find(name: str, _: Mapping[str, str]) -> str | None:
        return f"/bin/{name}" if name in installed.split() else None

    command = dialog_command(text, environ, platform=platform, find=find)
    return None if command is None else shlex.split(command)


@pytest.mark.parametrize(
    ("environ", "platform", "installed", "program"),
    [
        pytest.param(X11, "linux", "zenity", "/bin/zenity", id="X11"),
        pytest.param(WAYLAND, "linux", "zenity", "/bin/zenity", id="Wayland"),
        pytest.param(X11, "linux", "kdialog", "/bin/kdialog", id="KDE"),
        pytest.param(X11, "linux", "kdialog zenity", "/bin/zenity", id="both"),
        pytest.param({}, "linux", "kdialog zenity", None, id="no display"),
        pytest.param({"DISPLAY": ""}, "linux", "zenity", None, id="an empty display"),
        pytest.param(X11, "linux", "osascript", None, id="no program"),
        pytest.param({}, "darwin", "osascript", "/bin/osascript", id="a Mac"),
        pytest.param({"SSH_CONNECTION": "a 1 b 2"}, "darwin", "osascript", None, id="a Mac from afar"),
    ],
)
def test_a_dialog_is_shown_by_what_the_desktop_has(
    environ: dict[str, str], platform: str, installed: str, program: str | None
) -> None:
    argv = argv_of("text", environ, platform=platform, installed=installed)

    assert (argv and argv[0]) == program


HOSTILE = r"""<b>a_b</b> &amp; \n"; do shell script "x" -- $(y)"""


def test_zenity_shows_escapes_and_underscores_as_they_are() -> None:
    argv = argv_of(f"no\n{HOSTILE}", X11, installed="zenity")

    shown = r"""<b>a__b</b> &amp; \\n"; do shell script "x" -- $(y)"""
    assert argv == ["/bin/zenity", "--entry", "--title=gds-exec", f"--text=no\n{shown}"]


def test_kdialog_shows_markup_and_escapes_as_they_are() -> None:
    argv = argv_of(f"no\n{HOSTILE}", X11, installed="kdialog")

    shown = "&lt;b&gt;a_b&lt;/b&gt; &amp;amp; &#92;n&quot;; do shell script &quot;x&quot; -- $(y)"
    assert argv == ["/bin/kdialog", "--title", "gds-exec", "--inputbox", f"<qt>no<br/>{shown}</qt>"]


def test_osascript_gets_the_text_as_an_argument_and_not_in_its_script() -> None:
    argv = argv_of(HOSTILE, {}, platform="darwin", installed="osascript")

    assert argv is not None
    assert argv[-2:] == [HOSTILE, "gds-exec"]
    assert argv[1:-2:2] == ["-e"] * 3
    assert not any("shell" in line for line in argv[2:-2:2])
