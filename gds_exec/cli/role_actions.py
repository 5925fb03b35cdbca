"""What can be done as a role in place of running a command: one thing at a time."""

from __future__ import annotations

from functools import partial

from gds_exec.errors import UsageError
from gds_exec.invocation import Invocation, duration_seconds
from gds_exec.lean import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Action = Callable[[Mapping[str, str]], None]


class Wanted(Value):
    """What the options ask for besides the session."""

    export: bool = False
    format_name: str | None = None
    write_profile: str | None = None
    unset: bool = False
    login: bool = False
    url: str | None = None
    service: str | None = None
    is_printed: bool = False
    is_switch_role: bool = False
    describe: bool = False
    as_json: bool = False

    @property
    def names(self) -> list[str]:
        """The options, one for each thing to do."""
        is_console = self.login or self.url is not None or self.service is not None or self.is_switch_role
        asked = {
            "--export": self.export or (self.write_profile is not None and not self.unset),
            "--unset": self.unset,
            "--login": is_console,
            "--describe": self.describe,
        }
        return [name for name, is_asked in asked.items() if is_asked]


def check_one(wanted: Wanted, *, command: tuple[str, ...], shell: bool) -> None:
    """Raise `UsageError` where there is more than one thing to do, or an option that goes with none."""
    doing = [*wanted.names, *(["--shell"] if shell else []), *(["a command"] if command else [])]
    if len(doing) > 1:
        raise UsageError(f"{doing[0]} and {doing[-1]} exclude each other", hint=_why_both(doing, command))
    for option, is_given, needed in (
        ("--format", wanted.format_name is not None, ("--export", "--unset")),
        ("--print", wanted.is_printed, ("--login",)),
        ("--json", wanted.as_json, ("--describe",)),
    ):
        if is_given and not set(doing) & set(needed):
            raise UsageError(
                f"{option} goes with {' or '.join(needed)}", hint="gds-exec --help shows what there is"
            )


def action_of(invocation: Invocation, wanted: Wanted) -> Action | None:
    """Return what does it, or None where the role's command or shell is to be run."""
    if "--export" in wanted.names:
        from gds_exec.cli.commands.export import export_session

        return partial(
            export_session,
            invocation,
            format_name=wanted.format_name,
            write_profile=wanted.write_profile,
        )
    if "--login" in wanted.names:
        from gds_exec.cli.commands.login import open_console

        return partial(
            open_console,
            invocation,
            url=wanted.url,
            service=wanted.service,
            is_printed=wanted.is_printed,
            is_switch_role=wanted.is_switch_role,
        )
    if "--describe" in wanted.names:
        from gds_exec.cli.commands.describe import describe

        return partial(describe, invocation, as_json=wanted.as_json)
    return None


def _why_both(doing: list[str], command: tuple[str, ...]) -> str:
    if doing[0] == "--describe" and command and _is_duration(command[0]):
        return f"how long the session is to last is said by --duration {command[0]}"
    return "leave one of them out"


def _is_duration(text: str) -> bool:
    try:
        return duration_seconds(text) > 0
    except ValueError:
        return False
