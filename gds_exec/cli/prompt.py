"""The person to ask: at the terminal, if there is one and it is ours to use, or else at a desktop."""

from __future__ import annotations

import sys

from gds_exec.credentials.mfa_sources import ANY_OCCASION
from gds_exec.errors import HelperFailed, NobodyToAsk
from gds_exec.redaction import show
from gds_exec.terminal import Moot, NotForeground

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gds_exec.credentials.background import PreparedAws
    from gds_exec.credentials.mfa import Question
    from gds_exec.terminal import Terminal

    Find = Callable[[str, Mapping[str, str]], str | None]

_HOW_OTHERWISE = (
    "set GDS_EXEC_MFA_CODE, or mfa_process in the profile, or run it once in a terminal: its session is kept"
)
_HOW_IN_CI = (
    "in CI, use keys in the environment or a web identity token (AWS_WEB_IDENTITY_TOKEN_FILE) of a role "
    "that wants no MFA, or set GDS_EXEC_MFA_CODE or mfa_process"
)
NO_INPUT_SILENCE = "--no-input forbids to ask"
CI_SILENCE = "nobody is asked in CI"
LEFT_OUT_SILENCE = "GDS_EXEC_MFA_SOURCE leaves out the terminal"
_HOW_IN_FOREGROUND = "run it once in the foreground: its session is kept"


class Person:
    """Whoever sits at the terminal. `terminal` is None where there is none; `aws` is made ready meanwhile.

    `silence` is why they are not to be asked, if they are not; `meanwhile` is done while they type.
    """

    def __init__(
        self,
        terminal: Terminal | None,
        *,
        aws: PreparedAws,
        timeout_seconds: float,
        silence: str | None = None,
        may_decline: bool = False,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._terminal = terminal if silence is None else None
        self._aws = aws
        self._timeout_seconds = timeout_seconds
        self._silence = silence
        self._may_decline = may_decline
        self._meanwhile = meanwhile

    def is_there(self) -> bool:
        return self._terminal is not None and self._terminal.is_foreground()

    def ask(self, prompt: str) -> str | None:
        """Return what was typed, None for Ctrl-D and, from who may decline, for nothing but Enter.

        Raise `NobodyToAsk` where nothing was in time, and what AWS says meanwhile of keys that no
        code can help.
        """
        if self._terminal is None:
            raise NobodyToAsk(self._absence(), hint=self._remedy())
        try:
            typed = self._terminal.ask(prompt, timeout_seconds=self._timeout_seconds, meanwhile=self._begin)
        except Moot:
            self._aws.finish_check()  # raises what it failed with
            raise
        except TimeoutError:
            raise NobodyToAsk(
                f"nobody gave an MFA code within {self._timeout_seconds:.0f} s",
                hint="--wait (GDS_EXEC_WAIT) sets how long to wait",
                was_asked=True,
            ) from None
        except NotForeground:
            raise NobodyToAsk(self._absence(), hint=_HOW_IN_FOREGROUND) from None
        return None if self._may_decline and typed == "" else typed

    def _begin(self) -> int | None:
        failure = self._aws.begin_check()
        self._meanwhile()
        return failure

    def why_not(self, question: Question) -> NobodyToAsk:
        """Return the error for a code that is wanted while nobody can be asked for it."""
        return NobodyToAsk(
            f"an MFA code is needed for {show(question.role)} ({show(question.device)}), and "
            f"{self._absence()}",
            hint=self._remedy(),
        )

    def _remedy(self) -> str:
        if self._silence == CI_SILENCE:
            return _HOW_IN_CI
        return _HOW_OTHERWISE if self._terminal is None else _HOW_IN_FOREGROUND

    def _absence(self) -> str:
        if self._silence is not None:
            return self._silence
        return "there is no terminal to ask on" if self._terminal is None else "this is a background job"


class Desktop:
    """Whoever sits at the screen that `environ` tells of, where a dialog can be shown to them."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        is_to_be_asked: bool,
        run: Callable[[str], str],
        hint: str = ANY_OCCASION.hint,
    ) -> None:
        self._environ = environ
        self._is_to_be_asked = is_to_be_asked
        self._hint = hint
        self._run = run

    def is_there(self) -> bool:
        return self._is_to_be_asked and self._command("") is not None

    def ask(self, text: str) -> str:
        """Return what was typed into a dialog; raise `NobodyToAsk` where it was not answered."""
        try:
            return self._run(self._command(text) or "")
        except HelperFailed as error:
            raise NobodyToAsk(
                f"no MFA code was given in the dialog ({error.message})", hint=self._hint, was_asked=True
            ) from error

    def _command(self, text: str) -> str | None:
        return dialog_command(text, self._environ)


_TITLE = "gds-exec"
_APPLE_SCRIPT = (
    "on run argv",
    'return text returned of (display dialog (item 1 of argv) with title (item 2 of argv) default answer "")',
    "end run",
)


def _find_helper(name: str, environ: Mapping[str, str]) -> str | None:
    from gds_exec.child.lookup import helper_path

    return helper_path(name, environ)


def dialog_command(
    text: str, environ: Mapping[str, str], *, platform: str = sys.platform, find: Find = _find_helper
) -> str | None:
    """Return the command line, quoted as for a shell, of a dialog that shows `text`; None without a display.

    The program ends with an exit status other than 0 where the dialog is cancelled.
    """
    import shlex  # only where there is no terminal to ask on

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
    import html

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
