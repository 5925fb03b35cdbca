import shlex
from collections.abc import Mapping

import pytest

from gds_exec.cli.dialog import dialog_command

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
