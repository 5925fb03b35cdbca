"""What can be done as a role in place of running a command: one thing at a time."""

from __future__ import annotations

from functools import partial

from gds_exec.errors import UsageError
from gds_exec.options import duration_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gds_exec.invocation import Invocation

    Action = Callable[[Mapping[str, str]], None]

_HELP = "gds-exec --help shows what there is"


def action_of(asked: Invocation) -> Action | None:
    """Return what is asked for, or None where the role's command or shell is to be run.

    Raise `UsageError` where that is more than one thing, or lacks a role.
    """
    doing = _doing(asked)
    if not asked.role and not doing:
        from gds_exec.cli.commands.roles import roles

        return partial(roles, asked)
    if asked.names or asked.csv:
        raise UsageError("--names and --csv are for the list of the roles", hint="gds-exec roles --csv")
    _check_one(asked, doing)
    if asked.unset:
        return _undoing(asked)
    if not asked.role:
        raise UsageError(
            "there is no role",
            hint="gds-exec ROLE -- COMMAND [ARG]...; gds-exec --help; or try it out: gds-exec try",
        )
    match doing:
        case ["--export"]:
            from gds_exec.cli.commands.export import export_session

            return partial(export_session, asked)
        case ["--login"]:
            from gds_exec.cli.commands.login import open_console

            return partial(open_console, asked)
        case ["--describe"]:
            from gds_exec.cli.commands.describe import describe

            return partial(describe, asked)
    return None


def _doing(asked: Invocation) -> list[str]:
    """Return the options, one for each thing to do."""
    is_console = asked.login or asked.url is not None or asked.service is not None or asked.is_switch_role
    things = {
        "--export": asked.export or (asked.write_profile is not None and not asked.unset),
        "--unset": asked.unset,
        "--login": is_console,
        "--describe": asked.describe,
        "--shell": asked.shell,
        "a command": asked.command != (),
    }
    return [name for name, is_asked in things.items() if is_asked]


def _check_one(asked: Invocation, doing: list[str]) -> None:
    """Raise `UsageError` where there is more than one thing to do, or an option that goes with none."""
    if len(doing) > 1:
        raise UsageError(f"{doing[0]} and {doing[-1]} exclude each other", hint=_why_both(asked, doing))
    for option, is_given, needed in (
        ("--format", asked.format_name is not None, ("--export", "--unset")),
        ("--print", asked.is_printed, ("--login",)),
        ("--json", asked.as_json, ("--describe",)),
    ):
        if is_given and not set(doing) & set(needed):
            raise UsageError(f"{option} goes with {' or '.join(needed)}", hint=_HELP)


def _undoing(asked: Invocation) -> Action:
    from gds_exec.cli.commands.export import export_nothing, remove_written_profile

    profile = asked.write_profile
    if asked.role:
        name = "" if profile is None else "--write-profile NAME "
        raise UsageError("--unset takes no role", hint=f"gds-exec {name}--unset")
    if profile is None:
        return partial(export_nothing, format_name=asked.format_name)
    if asked.format_name is not None:
        raise UsageError("--write-profile NAME --unset prints nothing", hint="leave out --format")
    return partial(remove_written_profile, name=profile)


def _why_both(asked: Invocation, doing: list[str]) -> str:
    if doing[0] == "--describe" and asked.command and _is_duration(asked.command[0]):
        return f"how long the session is to last is said by --duration {asked.command[0]}"
    return "leave one of them out"


def _is_duration(text: str) -> bool:
    try:
        return duration_seconds(text) > 0
    except ValueError:
        return False
