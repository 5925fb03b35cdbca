"""typer's command line, with the options of the table.

`invocation.canonical` has said already which arguments are ours; typer reads the options, checks their
values and shows the help. Each command returns what is asked, to be done when typer is off the stack:
it has its own ideas of Ctrl-C.
"""

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import partial, wraps
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from gds_exec.cli.commands.completions import install, show_completion
from gds_exec.cli.commands.explain import explain
from gds_exec.cli.commands.renew import renew, renew_this_shell
from gds_exec.cli.commands.roles import roles as list_roles
from gds_exec.cli.commands.run import obey
from gds_exec.cli.commands.sessions import clear_sessions, sessions
from gds_exec.cli.commands.shell_init import print_hook
from gds_exec.cli.commands.whoami import whoami
from gds_exec.cli.role_actions import action_of
from gds_exec.cli.scope_options import checked_scope
from gds_exec.errors import OutputFailed, UsageError
from gds_exec.invocation import Invocation, canonical
from gds_exec.options import CREDENTIAL_PROCESS, OPTIONS, RUN, TRY_CODE, Option
from gds_exec.output import enable_debug, printing

Action = Callable[[Mapping[str, str]], None]
APPS: dict[str, typer.Typer] = {}

_INTERRUPTED = 130  # what typer makes of a Ctrl-C
_SUBCOMMANDS_HELP = """
[bold]Words[/bold]: [cyan]roles[/cyan] lists the roles; [cyan]explain[/cyan] shows where a role's settings
come from; [cyan]whoami[/cyan] shows who you are to AWS, without a code; [cyan]sessions[/cyan] lists and
clears sessions, [cyan]renew[/cyan] renews them; [cyan]credential-process[/cyan], [cyan]shell-init[/cyan]
and [cyan]completions[/cyan] are for your AWS config and your shell; [cyan]try[/cyan] starts a sandbox
AWS to try everything in.
`gds-exec WORD --help` shows each.
"""


def run_command_line(argv: list[str], environ: Mapping[str, str]) -> int:
    """Do what argv says, and return the exit status where we do not become the command."""
    asked = read_command_line(argv)
    if isinstance(asked, Invocation):
        obey(asked, environ)
    elif asked is not None:
        asked(environ)
    return 0


def read_command_line(argv: list[str]) -> Invocation | Action | None:
    """Return what argv asks for; None if that was to be told something, which it has been.

    Raise `UsageError` where it cannot be understood.
    """
    spoken = canonical(argv)
    command = get_command(APPS[spoken.subcommand])
    name = f"gds-exec {spoken.subcommand}".rstrip()
    try:
        with printing():  # the help, or the version
            asked = command.main(args=spoken.arguments, prog_name=name, standalone_mode=False)
    except SystemExit as error:  # typer exits on a broken pipe
        raise OutputFailed("standard output cannot be written: Broken pipe") from error
    except TyperException as error:
        sentence = error.format_message().rstrip(".")
        raise UsageError(
            sentence[:1].lower() + sentence[1:], hint=f"{name} --help shows what there is"
        ) from None
    if asked == _INTERRUPTED:
        raise KeyboardInterrupt
    return asked if isinstance(asked, Invocation) or callable(asked) else None


def _subcommand(
    name: str, **settings: Any
) -> Callable[[Callable[..., Invocation | Action]], Callable[..., Invocation | Action]]:
    """Make the function the command `name`, with the options that the table has for it.

    The function takes its arguments, and `asked`: an invocation with what the options say.
    """
    rows = [row for row in OPTIONS if row.field and name in row.subcommands]

    def decorate(function: Callable[..., Invocation | Action]) -> Callable[..., Invocation | Action]:
        *arguments, _ = inspect.signature(function).parameters.values()

        @wraps(function)
        def read(**values: Any) -> Invocation | Action:
            own = {argument.name: values.pop(argument.name) for argument in arguments}
            return function(**own, asked=_asked(values))

        read.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # typer reads it
            [argument.replace(kind=inspect.Parameter.KEYWORD_ONLY) for argument in arguments]
            + [_parameter(row) for row in rows]
        )
        app = typer.Typer(
            add_completion=False, pretty_exceptions_enable=False, pretty_exceptions_show_locals=False
        )
        app.command(**settings)(read)
        APPS[name] = app
        return read

    return decorate


def _asked(values: Mapping[str, Any]) -> Invocation:
    """Return what the options say; what they do not say is left at its default."""
    said = {field: tuple(value) if isinstance(value, list) else value for field, value in values.items()}
    said = {field: value for field, value in said.items() if value is not None}
    return checked_scope(Invocation(**said))


def _parameter(row: Option) -> inspect.Parameter:
    """Return the row as typer has it, which is given options that take a value in their long form."""
    kind = bool if row.is_flag else list[str] | None if row.is_repeatable else str | None
    more: dict[str, Any] = {} if row.is_flag else {"metavar": row.metavar}
    if row.invalid:
        more["parser"] = _parser(row)
    if row.field in _CALLBACKS:
        more |= {"callback": _CALLBACKS[row.field], "is_eager": True}
    option = typer.Option(
        *(row.spellings if row.is_flag else row.spellings[:1]),
        help=_help(row),
        rich_help_panel=row.panel,
        envvar=row.variable,
        hidden=row.is_hidden,
        **more,
    )
    default = False if row.is_flag else None
    return inspect.Parameter(
        row.field, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def _parser(row: Option) -> Callable[[str], object]:
    def parse(text: str) -> object:
        try:
            return row.value_of(text)
        except ValueError:
            raise typer.BadParameter(row.invalid.format(text)) from None

    return parse


def _help(row: Option) -> str:
    others = ", ".join(name for name in row.spellings[1:] if name.startswith("--") or len(name) == 2)
    return f"{row.help} (also {others})." if others and not row.is_flag else f"{row.help}."


def _show_version(is_wanted: bool) -> None:  # typer's callback
    if is_wanted:
        sys.stdout.write(f"gds-exec {version('gds-exec')}\n")
        raise typer.Exit


_CALLBACKS: dict[str, Callable[[bool], object]] = {"debug": enable_debug, "version": _show_version}
_Command = Annotated[list[str] | None, typer.Argument(metavar="[COMMAND [ARG]...]", hidden=True)]
_CompletionsOf = Annotated[list[str], typer.Argument(metavar="[install] bash|zsh|fish")]
_Clear = Annotated[str | None, typer.Argument(metavar="[clear]")]
_SomeRoles = Annotated[list[str] | None, typer.Argument(metavar="[ROLE]...")]
_OneRoleOrAll = Annotated[str | None, typer.Argument(metavar="[ROLE]")]
_ShellKind = Annotated[str, typer.Argument(metavar="bash|zsh|fish")]


@_subcommand(RUN, options_metavar="ROLE [OPTIONS] [--]", epilog=_SUBCOMMANDS_HELP)
def _run(command: _Command = None, *, asked: Invocation) -> Invocation | Action:
    """Run COMMAND as the AWS role ROLE, asking for an MFA code only when one is needed.

    ROLE is a profile of your AWS files, a role ARN, or ACCOUNT/ROLE. The first argument after it
    that is not an option begins the command. Without one, on a terminal, your shell is run.
    Without a role, the roles are listed.
    """
    asked = asked.but(command=tuple(command or ()))
    return action_of(asked) or asked


@_subcommand(CREDENTIAL_PROCESS, options_metavar="ROLE [OPTIONS]")
def _credential_process(*, asked: Invocation) -> Invocation:
    """Print ROLE's session as JSON, for `credential_process = gds-exec credential-process ROLE`.

    A code is asked for on the terminal. The SDKs come back for a fresh session before this one ends.
    """
    if not asked.role:
        raise UsageError("there is no role", hint="gds-exec credential-process ROLE")
    return asked.but(subcommand=CREDENTIAL_PROCESS)


@_subcommand("renew", options_metavar="[ROLE]... [OPTIONS]")
def _renew(context: typer.Context, roles: _SomeRoles = None, *, asked: Invocation) -> Action:
    """Get a fresh session for ROLE now: open role shells and refreshed commands pick it up.

    In a role shell, leave out ROLE. Options then replace those that the shell was opened with.
    """
    if not roles:
        return partial(renew_this_shell, asked, changed=_on_command_line(context))
    return partial(renew, [asked.but(role=role) for role in roles])


def _on_command_line(context: typer.Context) -> frozenset[str]:
    """Return the fields that options set, and no variable."""
    sources = {row.field: context.get_parameter_source(row.field) for row in OPTIONS if row.field}
    return frozenset(
        name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"
    )


@_subcommand("sessions")
def _sessions(what: _Clear = None, role: _OneRoleOrAll = None, *, asked: Invocation) -> Action:
    """List the cached sessions, and the role shells and refreshed commands that run.

    `gds-exec sessions clear [ROLE]` forgets the cached ones, or those of one role.
    """
    if what is None:
        return partial(sessions, as_json=asked.as_json)
    if what != "clear" or asked.as_json:
        raise UsageError("sessions are listed, or cleared", hint="gds-exec sessions [clear [ROLE]]")
    return partial(clear_sessions, role=role)


@_subcommand("completions")
def _completions(what: _CompletionsOf, *, asked: Invocation) -> Action:  # noqa: ARG001
    """Print the completions of a shell; `gds-exec completions install SHELL` puts them where it looks."""
    match what:
        case ["install", shell]:
            return partial(install, shell)
        case [shell]:
            return lambda _environ: show_completion(shell)
    raise UsageError("completions are for one shell", hint="gds-exec completions [install] bash|zsh|fish")


@_subcommand("shell-init")
def _shell_init(kind: _ShellKind, *, asked: Invocation) -> Action:  # noqa: ARG001
    """Print the hook that renews a role shell at its prompt, for your own rc file.

    Role shells have it by themselves; it is for rc files that start another shell, or set the prompt last.
    """
    return lambda _environ: print_hook(kind)


@_subcommand("explain", options_metavar="ROLE [OPTIONS]")
def _explain(*, asked: Invocation) -> Action:
    """Explain how ROLE would be had, where each setting comes from, and what would happen next; offline."""
    if not asked.role:
        raise UsageError("there is no role", hint="gds-exec explain ROLE")
    return partial(explain, asked)


@_subcommand("roles")
def _roles(*, asked: Invocation) -> Action:
    """List the profiles of your AWS files, and the roles that they lead to."""
    return partial(list_roles, asked)


@_subcommand("whoami")
def _whoami(*, asked: Invocation) -> Action:
    """Show who you are to AWS: the base identity and, inside a role's environment, the role's."""
    return partial(whoami, source_profile=asked.source_profile, as_json=asked.as_json)


@_subcommand("try", options_metavar="[OPTIONS] [--]", context_settings={"allow_interspersed_args": False})
def _try(command: _Command = None, *, asked: Invocation) -> Action:  # noqa: ARG001
    """Start a sandbox AWS and a shell (or COMMAND) in it; nothing of yours is touched.

    In it, run `gds-exec try-readonly -- …`. `gds-exec try code` prints its MFA device's code.
    """
    from gds_exec.cli.commands import try_sandbox  # loads the sandbox

    return partial(try_sandbox.try_out, tuple(command or ()))


@_subcommand(TRY_CODE)
def _try_code(*, asked: Invocation) -> Action:  # noqa: ARG001
    """Print the code that the sandbox's MFA device shows, in any terminal."""
    from gds_exec.cli.commands import try_sandbox

    return try_sandbox.show_code
