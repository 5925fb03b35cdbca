"""The person to ask: at the terminal, if there is one and it is ours to use."""

from __future__ import annotations

from gds_exec.errors import NobodyToAsk
from gds_exec.redaction import show
from gds_exec.terminal import Moot, NotForeground

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.credentials.locks import Holder
    from gds_exec.credentials.mfa import Question
    from gds_exec.credentials.preparation import PreparedAws
    from gds_exec.terminal import Terminal

_HOW_OTHERWISE = (
    "set GDS_EXEC_MFA_CODE, or mfa_process in the profile, or run it once in a terminal: its session is kept"
)
_HOW_IN_FOREGROUND = "run it once in the foreground: its session is kept"


class Person:
    """Whoever sits at the terminal. `terminal` is None where there is none; `aws` is made ready meanwhile."""

    def __init__(
        self, terminal: Terminal | None, *, aws: PreparedAws, timeout_seconds: float, is_input_allowed: bool
    ) -> None:
        self._terminal = terminal if is_input_allowed else None
        self._aws = aws
        self._timeout_seconds = timeout_seconds
        self._is_input_allowed = is_input_allowed

    def is_there(self) -> bool:
        return self._terminal is not None and self._terminal.is_foreground()

    def ask(self, prompt: str) -> str | None:
        """Return what was typed, None for Ctrl-D.

        Raise `NobodyToAsk` where nothing was in time, and what AWS says meanwhile of keys that no
        code can help.
        """
        if self._terminal is None:
            raise NobodyToAsk(self._absence(), hint=_HOW_OTHERWISE)
        try:
            return self._ask(self._terminal, prompt)
        except TimeoutError:
            raise NobodyToAsk(
                f"nobody gave an MFA code within {self._timeout_seconds:.0f} s",
                hint="--wait (GDS_EXEC_WAIT) sets how long to wait",
            ) from None
        except NotForeground:
            raise NobodyToAsk(self._absence(), hint=_HOW_IN_FOREGROUND) from None

    def _ask(self, terminal: Terminal, prompt: str) -> str | None:
        try:
            return terminal.ask(
                prompt, timeout_seconds=self._timeout_seconds, meanwhile=self._aws.begin_check
            )
        except Moot:
            self._aws.finish_check()  # raises what it failed with
            raise

    def why_not(self, question: Question) -> NobodyToAsk:
        """Return the error for a code that is wanted while nobody can be asked for it."""
        return NobodyToAsk(
            f"an MFA code is needed for {show(question.role)} ({show(question.device)}), and "
            f"{self._absence()}",
            hint=_HOW_OTHERWISE if self._terminal is None else _HOW_IN_FOREGROUND,
        )

    def _absence(self) -> str:
        if not self._is_input_allowed:
            return "--no-input forbids to ask"
        return "there is no terminal to ask on" if self._terminal is None else "this is a background job"


def waiting_for(holder: Holder) -> str:
    """Return what to tell those who wait for a lock."""
    return f"waiting for another gds-exec (pid {holder.pid}), which is getting this session"
