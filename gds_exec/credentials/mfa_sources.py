"""Where MFA token codes come from: what was given, a program, a YubiKey, a person."""

from __future__ import annotations

from gds_exec.credentials.mfa import as_token_code
from gds_exec.errors import HelperFailed, NobodyToAsk, UsageError
from gds_exec.lean import Value
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gds_exec.credentials.mfa import Question

SOURCE_NAMES = ("process", "ykman", "terminal", "dialog")
_TRIES = 3
_HOW_YKMAN = (
    "'ykman oath accounts list' names the accounts; gds_exec_ykman_account (GDS_EXEC_YKMAN_ACCOUNT) is which"
)


def named_sources(text: str) -> tuple[str, ...]:
    """Return the names in a comma-separated list of sources; raise `UsageError` for one that is none."""
    names = tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
    for name in names:
        if name not in SOURCE_NAMES:
            raise UsageError(
                f"GDS_EXEC_MFA_SOURCE: there is no source '{show(name)}' of MFA codes",
                hint=f"it lists some of {', '.join(SOURCE_NAMES)}, in the order in which to try them",
            )
    return names


class GivenCode:
    """The code of `--mfa-code` or GDS_EXEC_MFA_CODE: good for one call."""

    is_renewing = False
    needs_person = False

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
    needs_person = False

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


class YubiKeyCode:
    """An account on a YubiKey, by the name of `account` or else of the MFA device.

    To look for a key takes a second, and fails without one: that is done only for an account that
    is configured, or where `is_named` says that ykman is wanted.
    """

    is_renewing = True
    needs_person = False  # a touch at most, which ykman asks for on the terminal

    def __init__(
        self,
        account: str | None,
        *,
        is_named: bool,
        environ: Mapping[str, str],
        run: Callable[[str], str],
    ) -> None:
        self._account = account
        self._environ = environ
        self._run = run
        self.is_available = is_named or bool(account)

    def ask(self, question: Question) -> str:
        import shlex  # only a YubiKey needs these

        from gds_exec.child.lookup import helper_path

        ykman = helper_path("ykman", self._environ)
        if ykman is None:
            raise HelperFailed("ykman, which is to give the MFA code, is not installed")
        account = self._account or question.device
        argv = [ykman, "oath", "accounts", "code", "--single", "--", account]
        code = as_token_code(self._run(shlex.join(argv)))
        if code is None:
            message = f"ykman printed no code of six digits for the account {show(account)}"
            raise HelperFailed(message, hint=_HOW_YKMAN)
        return code


class Occasion(Value):
    """Why a session is wanted.

    `reason` is said before a question, if it is more than that no session is held, and `hint` says how
    to be asked again. A renewal replaces a session that is due. A guest asks on a terminal that another
    program owns.
    """

    reason: str | None = None
    hint: str = "run it again, and type the six digits"
    is_renewal: bool = False
    is_guest: bool = False


ANY_OCCASION = Occasion()
RENEWAL = Occasion(is_renewal=True)


class _TypedByPerson:
    """A person who types the code."""

    is_renewing = False
    needs_person = True

    def __init__(
        self,
        ask: Callable[[str], str | None],
        *,
        can_ask: Callable[[], bool],
        say: Callable[[str], None] = lambda _text: None,
        occasion: Occasion = ANY_OCCASION,
    ) -> None:
        self._ask = ask
        self._say = say
        self._can_ask = can_ask
        self._occasion = occasion

    @property
    def is_available(self) -> bool:
        return self._can_ask()


class PersonCode(_TypedByPerson):
    """A person at the terminal, where there is one."""

    def ask(self, question: Question) -> str:
        if self._occasion.reason and question.complaint is None:
            self._say(self._occasion.reason)
        return _typed_code(question, ask=self._ask, say=self._say, hint=self._occasion.hint)


class DialogCode(_TypedByPerson):
    """A person at a desktop, where there is one: each dialog says what was wrong with the code before."""

    def ask(self, question: Question) -> str:
        before = question.complaint or self._occasion.reason
        complaints = [show(before)] if before else []

        def ask(prompt: str) -> str | None:
            text = "\n".join([*complaints, prompt])
            complaints.clear()
            return self._ask(text)

        return _typed_code(question, ask=ask, say=complaints.append, hint=self._occasion.hint)


def _typed_code(
    question: Question, *, ask: Callable[[str], str | None], say: Callable[[str], None], hint: str
) -> str:
    for _ in range(_TRIES):
        typed = ask(f"MFA code for {show(question.role)} ({show(question.device)}): ")
        if typed is None:
            raise NobodyToAsk("no MFA code was given", hint=hint, was_asked=True)
        if (code := as_token_code(typed)) is not None:
            return code
        say("an MFA code is six digits")
    raise NobodyToAsk(f"no MFA code of six digits in {_TRIES} tries", was_asked=True)


def _checked(text: str) -> str:
    code = as_token_code(text)
    if code is None:
        raise UsageError("an MFA code is six digits", hint="give --mfa-code (GDS_EXEC_MFA_CODE) as 123456")
    return code
