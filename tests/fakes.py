"""Small real implementations of the seams: a clock, a person, an STS that answers from a queue."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gds_exec.credentials.mfa import Question
from gds_exec.credentials.request import AssumeRoleRequest, Caller, IdentityToken, Request, WebIdentityRequest
from gds_exec.session import AccessKey, SessionCredentials

NOON = 1_767_960_000  # 2026-01-09 12:00 UTC, at the beginning of a 30 s step


class Clock:
    """A clock that moves only when told, or when somebody sleeps by it."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


@dataclass(frozen=True)
class Call:
    """One call that reached STS."""

    request: Request
    key: AccessKey
    session_name: str
    token_code: str | None


@dataclass(frozen=True)
class Exchange:
    """One token that reached STS."""

    request: WebIdentityRequest
    token: str
    session_name: str


@dataclass
class FakeSts:
    """An STS whose next answers may be queued: an error to raise, or a life in seconds.

    With nothing queued it gives every session the life that was asked for. Its secrets and
    tokens repeat the number of the key id, so that a session put together from two would show.
    """

    clock: Clock
    answers: list[Exception | int] = field(default_factory=list)
    identity_error: Exception | None = None
    device: str | None = None
    calls: list[Call] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    identified: list[AccessKey] = field(default_factory=list)
    searched: list[AccessKey] = field(default_factory=list)
    rehearsals: int = 0

    def make_session(
        self, request: Request, caller: Caller, *, session_name: str, token_code: str | None = None
    ) -> SessionCredentials:
        if isinstance(caller, IdentityToken):
            self.exchanges.append(Exchange(request, caller.text, session_name))
        else:
            self.calls.append(Call(request, caller, session_name, token_code))
        return self._answer(request)

    def caller_arn(self, key: AccessKey) -> str:
        self.identified.append(key)
        if self.identity_error is not None:
            raise self.identity_error
        return "arn:aws:iam::111111111111:user/alice"

    def totp_device(self, key: AccessKey) -> str | None:
        self.searched.append(key)
        return self.device

    def rehearse(self) -> None:
        self.rehearsals += 1

    def _answer(self, request: Request) -> SessionCredentials:
        answer = self.answers.pop(0) if self.answers else request.duration_seconds
        if isinstance(answer, Exception):
            raise answer
        has_role = isinstance(request, AssumeRoleRequest | WebIdentityRequest)
        return a_session(
            f"{len(self.calls) + len(self.exchanges):04}",
            issued=int(self.clock.now),
            life=answer,
            arn=arn_of_session(request) if has_role else "",
        )

    @property
    def requests(self) -> list[Request]:
        return [call.request for call in self.calls]

    @property
    def codes(self) -> list[str]:
        return [call.token_code for call in self.calls if call.token_code is not None]


def a_session(
    mark: str = "0001", *, issued: int = NOON, life: int = 3600, arn: str = "", clock_offset: int = 0
) -> SessionCredentials:
    """Return a session all of whose parts bear the mark."""
    key = AccessKey(f"ASIAEXAMPLE{mark}", f"secret-{mark}", f"token-{mark}")
    return SessionCredentials(
        key, issued=issued, expiration=issued + life, arn=arn, clock_offset=clock_offset
    )


def arn_of_session(request: AssumeRoleRequest | WebIdentityRequest) -> str:
    """Return the ARN of a session of the wanted role."""
    fields = request.role_arn.split(":")
    return f"arn:aws:sts::{fields[4]}:assumed-role/{fields[5].rpartition('/')[2]}/a-name"


class ScriptedCodes:
    """A source with codes to give, or errors to raise, in their order; it has no more than these."""

    def __init__(
        self, answers: Iterable[str | BaseException], *, is_renewing: bool = False, clock: Clock | None = None
    ) -> None:
        self._answers = list(answers)
        self._clock = clock
        self.is_renewing = is_renewing
        self.questions: list[Question] = []
        self.asked_at: list[float] = []

    @property
    def is_available(self) -> bool:
        return bool(self._answers)

    def ask(self, question: Question) -> str:
        self.questions.append(question)
        if self._clock is not None:
            self.asked_at.append(self._clock.now)
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Said:
    """Collects what would be said to the person."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, text: str) -> None:
        self.lines.append(text)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class MemoryOfDevice:
    """The memory of one MFA device's use, without a disk."""

    def __init__(self, spent: int | None = None) -> None:
        self.steps: list[int] = [] if spent is None else [spent]

    def spent_step(self) -> int | None:
        return self.steps[-1] if self.steps else None

    def spend_step(self, step: int) -> None:
        self.steps.append(step)


def never(*_arguments: object) -> Callable[..., object]:
    """Fail: what this stands for must not be called."""
    raise AssertionError("this must not be called")
