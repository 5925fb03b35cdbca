"""Dialogs of the desktop: the command line that asks for a line of text and prints it.

The text is data to each of these programs, although each gives some characters a meaning.
"""

from __future__ import annotations

import html
import shlex
import sys

from gds_exec.child.helper import helper_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Find = Callable[[str, Mapping[str, str]], str | None]

_TITLE = "gds-exec"
_APPLE_SCRIPT = (
    "on run argv",
    'return text returned of (display dialog (item 1 of argv) with title (item 2 of argv) default answer "")',
    "end run",
)


def dialog_command(
    text: str, environ: Mapping[str, str], *, platform: str = sys.platform, find: Find = helper_path
) -> str | None:
    """Return the command line, quoted as for a shell, of a dialog that shows `text`; None without a display.

    The program ends with an exit status other than 0 where the dialog is cancelled.
    """
    for name in _programs(environ, platform):
        if path := find(name, environ):
            return shlex.join([path, *_ARGUMENTS[name](text)])
    return None


def _programs(environ: Mapping[str, str], platform: str) -> tuple[str, ...]:
    if platform == "darwin":
        # From afar, the dialog would open on a screen at which nobody need sit.
        return () if environ.get("SSH_CONNECTION") else ("osascript",)
    has_display = environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY")
    return ("zenity", "kdialog") if has_display else ()


def _zenity(text: str) -> list[str]:
    # Of an entry zenity takes the text without markup, but decodes escapes, and underlines what
    # follows an underscore. (Asked for --no-markup it refuses: that is for its other dialogs.)
    shown = text.replace("\\", "\\\\").replace("_", "__")
    return ["--entry", f"--title={_TITLE}", f"--text={shown}"]


def _kdialog(text: str) -> list[str]:
    # Qt guesses whether a text is HTML: this one is. kdialog itself decodes escapes first.
    shown = html.escape(text).replace("\\", "&#92;").replace("\n", "<br/>")
    return ["--title", _TITLE, "--inputbox", f"<qt>{shown}</qt>"]


def _osascript(text: str) -> list[str]:
    script = [word for line in _APPLE_SCRIPT for word in ("-e", line)]
    return [*script, text, _TITLE]


_ARGUMENTS: Mapping[str, Callable[[str], list[str]]] = {
    "zenity": _zenity,
    "kdialog": _kdialog,
    "osascript": _osascript,
}
