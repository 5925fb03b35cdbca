"""Our options, each once: its names, its variable, its help, and what it accepts.

`invocation.VALUE_OPTIONS` has the other names of those that take a value; by the time typer
reads them they have their long one.
"""

import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer

from gds_exec.cli.messages import enable_debug
from gds_exec.config.profile_values import is_session_name
from gds_exec.invocation import duration_seconds, region_name, variable_of


def _duration(text: str) -> int:
    try:
        return duration_seconds(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no duration such as 8h, 180m, 1h30m or 3600") from None


def _session_name(text: str) -> str:
    if not is_session_name(text):
        raise typer.BadParameter("2 to 64 letters, digits and any of _ = + , . @ - are allowed")
    return text


def _region(text: str) -> str:
    try:
        return region_name(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no region such as eu-west-2") from None


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        sys.stdout.write(f"gds-exec {version('gds-exec')}\n")
        raise typer.Exit


def _setting(*names: str, help: str, panel: str, **more: Any) -> Any:  # noqa: A002  # as typer calls it
    return typer.Option(*names, help=help, rich_help_panel=panel, envvar=variable_of(names[0]), **more)


def _action(*names: str, help: str, **more: Any) -> Any:  # noqa: A002
    return typer.Option(*names, help=help, rich_help_panel=_OTHER, **more)


_SESSION, _CODE, _OTHER = "Session", "MFA code", "Other"

Command = Annotated[list[str] | None, typer.Argument(metavar="[COMMAND [ARG]...]", hidden=True)]
Duration = Annotated[
    int | None,
    _setting(
        "--duration",
        help="How long the session is to last: 8h, 180m, 1h30m, 3600 (also --art, --assume-role-ttl).",
        panel=_SESSION,
        parser=_duration,
        metavar="D",
    ),
]
MinRemaining = Annotated[
    int | None,
    _setting(
        "--min-remaining",
        help="Start only with at least this much time left; else renew, or fail.",
        panel=_SESSION,
        parser=_duration,
        metavar="D",
    ),
]
MfaMaxAge = Annotated[
    int | None,
    _setting(
        "--mfa-max-age",
        help="Ask for a fresh code where the last one is older than this.",
        panel=_SESSION,
        parser=_duration,
        metavar="D",
    ),
]
Refresh = Annotated[
    bool,
    _setting("--refresh", help="Keep the command's session fresh for as long as it runs.", panel=_SESSION),
]
NewSession = Annotated[
    bool, _setting("--new-session", help="Ignore the cached role session.", panel=_SESSION)
]
SessionName = Annotated[
    str | None,
    _setting(
        "--session-name",
        help="The role session's name (else user-DD-MM-YY_HH-MM).",
        panel=_SESSION,
        parser=_session_name,
        metavar="NAME",
    ),
]
SourceProfile = Annotated[
    str | None,
    _setting(
        "--source-profile", help="The profile whose keys to begin with.", panel=_SESSION, metavar="PROFILE"
    ),
]
Region = Annotated[
    str | None,
    _setting("--region", help="The region (also -r).", panel=_SESSION, parser=_region, metavar="REGION"),
]
MfaCode = Annotated[
    str | None,
    _setting(
        "--mfa-code",
        help="A code, not asked for then (also -t, --mfa-token).",
        panel=_CODE,
        metavar="CODE",
    ),
]
NoInput = Annotated[bool, _setting("--no-input", help="Never ask; fail at once with 124.", panel=_CODE)]
Wait = Annotated[
    int | None,
    _setting(
        "--wait",
        help="How long to wait for a person, or for another gds-exec that asks one (else 5m).",
        panel=_CODE,
        parser=_duration,
        metavar="D",
    ),
]
Role = Annotated[
    str | None, _action("--role", help="The role, where its name is also one of our words.", metavar="NAME")
]
Shell = Annotated[bool, _action("--shell", "-s", help="Run your shell as the role.")]
Quiet = Annotated[bool, _setting("--quiet", "-q", help="Say nothing but errors.", panel=_OTHER)]
Debug = Annotated[
    bool,
    _setting(
        "--debug",
        help="Say what is done, never what is secret.",
        panel=_OTHER,
        callback=enable_debug,
        is_eager=True,
    ),
]
Version = Annotated[
    bool, _action("--version", "-V", help="Show the version.", callback=_show_version, is_eager=True)
]
Clear = Annotated[str | None, typer.Argument(metavar="[clear]")]
SomeRoles = Annotated[list[str] | None, typer.Argument(metavar="[ROLE]...")]
OneRoleOrAll = Annotated[str | None, typer.Argument(metavar="[ROLE]")]
ShellKind = Annotated[str, typer.Argument(metavar="bash|zsh|fish")]
Names = Annotated[bool, _action("--names", help="The names alone, one a line.")]
Json = Annotated[bool, _action("--json", help="Print JSON.")]
