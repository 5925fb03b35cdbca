"""MFA token codes: the sources they come from, and the care that a single-use code needs.

A code is good once within its 30 s step, and STS answers a wrong and a spent one alike. So the
step in which each device was last used is remembered (never the code), and a refusal within
that step is taken for "spent".
"""

from __future__ import annotations

import time

from gds_exec.errors import (
    AnswerLost,
    AwsRefused,
    GdsExecError,
    HelperFailed,
    NobodyToAsk,
    TokenCodeRefused,
    UsageError,
)
from gds_exec.redaction import show
from gds_exec.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol, TypeVar

    Answer = TypeVar("Answer")

    class CodeSource(Protocol):
        """Somewhere a token code may come from."""

        @property
        def is_available(self) -> bool: ...

        @property
        def is_renewing(self) -> bool:
            """Whether it computes a new code by itself when the next step comes."""

        def ask(self, question: Question) -> str: ...

    class Device(Protocol):
        """The memory of one MFA device's use."""

        def spent_step(self) -> int | None: ...

        def spend_step(self, step: int) -> None: ...


STEP_SECONDS = 30
_TRIES = 3
_DIGITS = frozenset("0123456789")
_IGNORED = str.maketrans("", "", " \t\r\n")


def as_token_code(text: str) -> str | None:
    """Return the six ASCII digits of a typed or pasted code, spaces left out, or `None`."""
    code = text.translate(_IGNORED)
    return code if len(code) == 6 and _DIGITS.issuperset(code) else None


class Question(Value):
    """Which code is wanted, and what for."""

    role: str
    device: str


class GivenCode:
    """The code of `--mfa-code` or GDS_EXEC_MFA_CODE: good for one call."""

    is_renewing = False

    def __init__(self, code: str | None) -> None:
        self._code = _checked(code) if code else None

    @property
    def is_available(self) -> bool:
        return self._code is not None

    def ask(self, question: Question) -> str:  # noqa: ARG002  # a given code is for whatever device
        code, self._code = self._code or "", None
        return code


class ProcessCode:
    """The profile's `mfa_process`: a command that prints a code."""

    is_renewing = True

    def __init__(self, command: str | None, *, run: Callable[[str], str]) -> None:
        self._command = command
        self._run = run

    @property
    def is_available(self) -> bool:
        return bool(self._command)

    def ask(self, question: Question) -> str:
        code = as_token_code(self._run(self._command or ""))
        if code is None:
            raise HelperFailed(
                f"mfa_process printed no code of six digits for {show(question.role)}",
                hint="run its command by hand and see that it prints six digits and nothing else",
            )
        return code


class PersonCode:
    """A person at the terminal, where there is one."""

    is_renewing = False

    def __init__(
        self, ask: Callable[[str], str | None], *, say: Callable[[str], None], can_ask: Callable[[], bool]
    ) -> None:
        self._ask = ask
        self._say = say
        self._can_ask = can_ask

    @property
    def is_available(self) -> bool:
        return self._can_ask()

    def ask(self, question: Question) -> str:
        for _ in range(_TRIES):
            typed = self._ask(f"MFA code for {show(question.role)} ({show(question.device)}): ")
            if typed is None:
                raise NobodyToAsk("no MFA code was given", hint="run it again, and type the six digits")
            if (code := as_token_code(typed)) is not None:
                return code
            self._say("an MFA code is six digits")
        raise NobodyToAsk(f"no MFA code of six digits in {_TRIES} tries")


class TokenCodes:
    """The sources in their order, and the tries that one question is worth."""

    def __init__(
        self,
        sources: Sequence[CodeSource],
        *,
        say: Callable[[str], None],
        why_nobody: Callable[[Question], NobodyToAsk],
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sources = sources
        self._say = say
        self.why_nobody = why_nobody
        self._now = now
        self._sleep = sleep
        self._refused: set[str] = set()
        self._refused_step: int | None = None
        self._failed: list[CodeSource] = []

    @property
    def is_available(self) -> bool:
        return self._first_available() is not None

    def spend(
        self,
        question: Question,
        device: Device,
        call: Callable[[str], Answer],
        *,
        check: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Return what `call` yields for a code; ask for a new code, up to three times, where one is refused.

        `check` comes between a code and its call, and raises where no code can help. Raise the last
        refusal where no source has another code, `NobodyToAsk` where none had one at all.
        """
        refusal: GdsExecError | None = None
        for _ in range(_TRIES):
            if not self.is_available:
                break
            if refusal is not None:
                self._say(refusal.message)
            code = self._code(question, device)
            check()
            step = self._step()
            try:
                answer = self._send(code, call)
            except AnswerLost as error:
                device.spend_step(step)
                message = f"{error.message}; the code may be spent: wait for the next one"
                refusal = AnswerLost(message, hint=error.hint)
            except TokenCodeRefused as error:
                refusal = self._explained(error, code, device, step)
            except AwsRefused:  # AWS looks at the code before it looks at the rest
                device.spend_step(step)
                raise
            else:
                device.spend_step(step)
                return answer
            self._refused.add(code)
            self._refused_step = step
        raise refusal or self.why_nobody(question)

    def _first_available(self) -> CodeSource | None:
        fit = (source for source in self._sources if source not in self._failed)
        return next((source for source in fit if source.is_available), None)

    def _code(self, question: Question, device: Device) -> str:
        """Return a code of the first source that has one: a helper that fails gives way to the next."""
        failure: HelperFailed | None = None
        while (source := self._first_available()) is not None:
            if failure is not None:
                self._say(failure.message)
            self._await_unspent(source, device)
            try:
                return source.ask(question)
            except HelperFailed as error:
                failure = error
                self._failed.append(source)
        raise failure or self.why_nobody(question)

    def _send(self, code: str, call: Callable[[str], Answer]) -> Answer:
        if code in self._refused:
            raise TokenCodeRefused("that code was refused already")
        return call(code)

    def _await_unspent(self, source: CodeSource, device: Device) -> None:
        step = self._step()
        if source.is_renewing and step in {device.spent_step(), self._refused_step}:
            seconds = self._seconds_to_next_step()
            self._say(f"the current MFA code is spent: waiting {seconds:.0f} s for the next one")
            self._sleep(seconds)

    def _explained(self, error: TokenCodeRefused, code: str, device: Device, step: int) -> TokenCodeRefused:
        # A code typed just after its step has passed belongs to the step before.
        if code not in self._refused and device.spent_step() not in {step, step - 1}:
            return error
        seconds = self._seconds_to_next_step()
        return TokenCodeRefused(
            f"that MFA code has been used already: wait for the next one ({seconds:.0f} s)",
            hint="each code opens one session; the session then opens every role without another",
            code=error.code,
        )

    def _step(self) -> int:
        return int(self._now()) // STEP_SECONDS

    def _seconds_to_next_step(self) -> float:
        return STEP_SECONDS - self._now() % STEP_SECONDS


def _checked(text: str) -> str:
    code = as_token_code(text)
    if code is None:
        raise UsageError("an MFA code is six digits", hint="give --mfa-code (GDS_EXEC_MFA_CODE) as 123456")
    return code
