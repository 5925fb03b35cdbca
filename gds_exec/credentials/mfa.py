"""MFA token codes, and the care that a single-use code needs; `code_sources` has where they come from.

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
    InvalidResponse,
    NobodyToAsk,
    TokenCodeRefused,
)
from gds_exec.lean import Value

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

        @property
        def needs_person(self) -> bool:
            """Whether a person must type the code."""

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
    """Which code is wanted, and what for; `complaint` is what was wrong with the one before."""

    role: str
    device: str
    complaint: str | None = None


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
        self.leaves_out_persons = False

    @property
    def is_available(self) -> bool:
        return self._first_available() is not None

    @property
    def available_sources(self) -> tuple[CodeSource, ...]:
        """Those that could be asked now, in the order in which they would be."""
        return tuple(source for source in self._sources if source.is_available)

    def without_person(self) -> TokenCodes:
        """Return those of the sources that need no person."""
        sources = [source for source in self._sources if not source.needs_person]
        codes = TokenCodes(
            sources, say=self._say, why_nobody=self.why_nobody, now=self._now, sleep=self._sleep
        )
        codes.leaves_out_persons = True
        return codes

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
                question = question.but(complaint=refusal.message)
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
            except (AwsRefused, InvalidResponse):  # AWS looks at the code before it looks at the rest
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
        why_nobody = self.why_nobody(question)
        if failure is not None and self.leaves_out_persons:  # one of them may have what a helper has not
            raise NobodyToAsk(f"{failure.message}; {why_nobody.message}", hint=failure.hint) from failure
        raise failure or why_nobody

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
