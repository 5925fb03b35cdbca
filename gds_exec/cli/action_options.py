"""What is done as options and arguments, each once; how it is done is `options`' concern."""

import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer

from gds_exec.cli.options import OTHER

_INSTEAD = "In place of a command"


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        sys.stdout.write(f"gds-exec {version('gds-exec')}\n")
        raise typer.Exit


def _action(*names: str, help: str, **more: Any) -> Any:  # noqa: A002
    return typer.Option(*names, help=help, rich_help_panel=OTHER, **more)


def _doing(*names: str, help: str, **more: Any) -> Any:  # noqa: A002
    return typer.Option(*names, help=help, rich_help_panel=_INSTEAD, **more)


Command = Annotated[list[str] | None, typer.Argument(metavar="[COMMAND [ARG]...]", hidden=True)]
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
    _doing(
        "--write-profile",
        help="Copy the session to this profile of the AWS credentials file.",
        metavar="NAME",
    ),
]
Unset = Annotated[
    bool,
    _doing(
        "--unset",
        help="Undo an export: `eval $(gds-exec --unset)`. With --write-profile NAME, remove that profile.",
    ),
]
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
