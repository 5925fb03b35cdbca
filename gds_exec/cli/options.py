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


def _doing(*names: str, help: str, **more: Any) -> Any:  # noqa: A002
    return typer.Option(*names, help=help, rich_help_panel=_INSTEAD, **more)


_INSTEAD = "In place of a command"
_SESSION, _CODE, _OTHER = "Session", "MFA code", "Other"
_SCOPE = "What the session may do, and its marks"

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
Policy = Annotated[
    str | None,
    _setting(
        "--policy",
        help="Let the session do no more than this policy allows: a file, or JSON.",
        panel=_SCOPE,
        metavar="FILE|JSON",
    ),
]
PolicyArn = Annotated[
    list[str] | None,
    _setting(
        "--policy-arn",
        help="… than this managed policy allows (may be repeated).",
        panel=_SCOPE,
        metavar="ARN",
    ),
]
ReadOnly = Annotated[
    bool, _setting("--read-only", help="… than AWS's ReadOnlyAccess policy allows.", panel=_SCOPE)
]
Tag = Annotated[
    list[str] | None,
    _setting("--tag", help="Tag the session (may be repeated).", panel=_SCOPE, metavar="KEY=VALUE"),
]
TransitiveTag = Annotated[
    list[str] | None,
    _setting(
        "--transitive-tag",
        help="Let this tag stay with the sessions that are made from this one (may be repeated).",
        panel=_SCOPE,
        metavar="KEY",
    ),
]
SourceIdentity = Annotated[
    str | None,
    _setting(
        "--source-identity",
        help="Who CloudTrail is to say is behind the session, and all that are made from it.",
        panel=_SCOPE,
        metavar="NAME",
    ),
]
ExternalId = Annotated[
    str | None,
    _setting(
        "--external-id",
        help="The external id that the role's trust policy wants.",
        panel=_SCOPE,
        metavar="ID",
    ),
]
Scope = Annotated[str | None, typer.Option("--scope", hidden=True)]  # all of these together: for our own use
Role = Annotated[
    str | None, _action("--role", help="The role, where its name is also one of our words.", metavar="NAME")
]
Shell = Annotated[bool, _doing("--shell", "-s", help="Run your shell as the role.")]
Export = Annotated[bool, _doing("--export", "-e", help="Print the session for `eval $(gds-exec ROLE -e)`.")]
Format = Annotated[
    str | None,
    _doing(
        "--format",
        help="… or as fish, powershell, cmd, dotenv, json, credential-process, ini, github-env, "
        "github-output, assume-role-json.",
        metavar="F",
    ),
]
WriteProfile = Annotated[
    str | None,
    _doing("--write-profile", help="… or into the AWS credentials file, as this profile.", metavar="NAME"),
]
Unset = Annotated[bool, _doing("--unset", help="Print what takes an exported session back out of the shell.")]
Login = Annotated[bool, _doing("--login", "-l", help="Open the AWS console as the role.")]
Open = Annotated[str | None, _doing("--open", help="Open this page of the console (also -o).", metavar="URL")]
Service = Annotated[
    str | None, _doing("--service", help="Open the console of this service, such as s3.", metavar="NAME")
]
Print = Annotated[bool, _doing("--print", help="Print the console's sign-in URL: a secret, for 15 min.")]
SwitchRole = Annotated[
    bool, _doing("--switch-role", help="Print the console's switch-role link, which needs no session.")
]
Describe = Annotated[bool, _doing("--describe", "-d", help="Describe the role and its session, offline.")]
SkipIpRangeChecks = Annotated[bool, typer.Option("--skip-ip-range-checks", hidden=True)]
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
CompletionsOf = Annotated[list[str], typer.Argument(metavar="[install] bash|zsh|fish")]
Clear = Annotated[str | None, typer.Argument(metavar="[clear]")]
SomeRoles = Annotated[list[str] | None, typer.Argument(metavar="[ROLE]...")]
OneRoleOrAll = Annotated[str | None, typer.Argument(metavar="[ROLE]")]
ShellKind = Annotated[str, typer.Argument(metavar="bash|zsh|fish")]
Names = Annotated[bool, _action("--names", help="List the roles' names alone, one a line.")]
Csv = Annotated[bool, _action("--csv", help="List the roles as comma-separated values, with a header.")]
Json = Annotated[bool, _action("--json", help="Print JSON.")]
