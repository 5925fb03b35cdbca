"""What fingers bring along from other tools, and what to type here instead."""

from __future__ import annotations

from gds_exec.errors import GdsExecError, UsageError
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.invocation import Invocation

WORDS_OF_OTHERS = ("aws", "exec", "export", "login", "rotate", "shell")
_DASHES = ("–", "—", "−")  # noqa: RUF001  # what a word processor makes of --


def check_dashes(invocation: Invocation) -> None:
    """Raise `UsageError` where a dash that is none of the keyboard's stands for `--`."""
    first = invocation.command[0] if invocation.command else ""
    if first.startswith(_DASHES):
        raise UsageError(
            f"'{show(first)}' begins with a dash that is not the keyboard's", hint="type - and -- by hand"
        )


def with_habit(error: GdsExecError, invocation: Invocation) -> GdsExecError:
    """Return the error, with what to type where another tool's word stands in the place of the role."""
    if invocation.role not in WORDS_OF_OTHERS:
        return error
    rest = show(invocation.command[0]) if invocation.command else "ROLE"
    return type(error)(
        error.message, hint=f"the role comes first, without a word before it: gds-exec {rest} …"
    )
