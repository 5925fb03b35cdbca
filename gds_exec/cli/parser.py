"""What typer knows of the command line: a command for running as a role, and one for each word.

Each returns what is asked, to be done when typer is off the stack: it has its own ideas of Ctrl-C.
"""

from collections.abc import Callable, Mapping
from functools import partial

import typer

from gds_exec.cli import action_options, options
from gds_exec.cli.commands.completions import install, show_completion
from gds_exec.cli.commands.explain import explain
from gds_exec.cli.commands.export import export_nothing, remove_written_profile
from gds_exec.cli.commands.renew import renew, renew_this_shell
from gds_exec.cli.commands.roles import roles as list_roles
from gds_exec.cli.commands.sessions import clear_sessions, sessions
from gds_exec.cli.commands.shell import print_hook
from gds_exec.cli.commands.whoami import whoami
from gds_exec.cli.grouping import in_place_of
from gds_exec.cli.role_actions import Wanted, action_of, check_one
from gds_exec.cli.session_options import Ask, asked_session, fields_of
from gds_exec.errors import UsageError
from gds_exec.invocation import DOCUMENT, Invocation

_WORDS_HELP = """
[bold]Words[/bold]: [cyan]roles[/cyan] lists the roles; [cyan]explain[/cyan] shows where a role's settings
come from; [cyan]whoami[/cyan] shows who you are to AWS, without a code; [cyan]sessions[/cyan] lists and
clears sessions, [cyan]renew[/cyan] renews them; [cyan]credential-process[/cyan], [cyan]shell-init[/cyan]
and [cyan]completions[/cyan] are for your AWS config and your shell; [cyan]try[/cyan] starts a sandbox
AWS to try everything in.
`gds-exec WORD --help` shows each.
"""
Action = Callable[[Mapping[str, str]], None]
_HINT = "gds-exec ROLE -- COMMAND [ARG]..."


def _app() -> typer.Typer:
    return typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, pretty_exceptions_show_locals=False
    )


_run_app, _document_app, _renew_app, _sessions_app, _shell_init_app = (_app() for _ in range(5))
_explain_app, _roles_app, _whoami_app, _try_app, _code_app, _completions_app = (_app() for _ in range(6))


@_run_app.command(options_metavar="ROLE [OPTIONS] [--]", epilog=_WORDS_HELP)
@in_place_of("ask", asked_session)
def _run(
    command: action_options.Command = None,
    *,
    ask: Ask,
    role: action_options.Role = None,
    shell: action_options.Shell = False,
    export: action_options.Export = False,
    format_name: action_options.Format = None,
    write_profile: action_options.WriteProfile = None,
    unset: action_options.Unset = False,
    login: action_options.Login = False,
    url: action_options.Open = None,
    service: action_options.Service = None,
    is_printed: action_options.Print = False,
    is_switch_role: action_options.SwitchRole = False,
    describe: action_options.Describe = False,
    names: action_options.Names = False,
    csv: action_options.Csv = False,
    as_json: action_options.Json = False,
    skip_ip_range_checks: action_options.SkipIpRangeChecks = False,  # noqa: ARG001  # there are none
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
    version: action_options.Version = False,  # noqa: ARG001  # its callback acts
) -> Invocation | Action:
    """Run COMMAND as the AWS role ROLE, asking for an MFA code only when one is needed.

    ROLE is a profile of your AWS files, a role ARN, or ACCOUNT/ROLE. The first argument after it
    that is not an option begins the command. Without one, on a terminal, your shell is run.
    Without a role, the roles are listed.
    """
    wanted = Wanted(
        export,
        format_name,
        write_profile,
        unset,
        login,
        url,
        service,
        is_printed,
        is_switch_role,
        describe,
        as_json,
    )
    if role is None and not wanted.names and not shell:
        return _listing(names=names, csv=csv, as_json=as_json)
    if names or csv:
        raise UsageError("--names and --csv are for the list of the roles", hint="gds-exec roles --csv")
    check_one(wanted, command=tuple(command or ()), shell=shell)
    if unset and role is not None:
        profile = "" if write_profile is None else "--write-profile NAME "
        raise UsageError("--unset takes no role", hint=f"gds-exec {profile}--unset")
    if unset and write_profile is not None:
        if format_name is not None:
            raise UsageError("--write-profile NAME --unset prints nothing", hint="leave out --format")
        return partial(remove_written_profile, name=write_profile)
    if unset:
        return partial(export_nothing, format_name=format_name)
    if role is None:
        raise UsageError(
            "there is no role",
            hint=f"{_HINT}; gds-exec --help; or try it out: gds-exec try",
        )
    invocation = ask(role=role, command=tuple(command or ()), shell=shell)
    return action_of(invocation, wanted) or invocation


@_document_app.command(DOCUMENT, options_metavar="ROLE [OPTIONS]")
@in_place_of("ask", asked_session)
def _document(
    *,
    role: action_options.Role = None,
    ask: Ask,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Invocation:
    """Print ROLE's session as JSON, for `credential_process = gds-exec credential-process ROLE`.

    A code is asked for on the terminal. The SDKs come back for a fresh session before this one ends.
    """
    if role is None:
        raise UsageError("there is no role", hint="gds-exec credential-process ROLE")
    return ask(role=role, word=DOCUMENT)


@_renew_app.command(options_metavar="[ROLE]... [OPTIONS]")
@in_place_of("ask", asked_session, without=("min_remaining", "refresh", "new_session", "pass_id_token"))
def _renew(
    context: typer.Context,
    roles: action_options.SomeRoles = None,
    *,
    ask: Ask,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Get a fresh session for ROLE now: open role shells and refreshed commands pick it up.

    In a role shell, leave out ROLE. Options then replace those that the shell was opened with.
    """
    if not roles:
        return partial(renew_this_shell, ask(role=""), changed=fields_of(_on_command_line(context)))
    return partial(renew, [ask(role=role) for role in roles])


def _on_command_line(context: typer.Context) -> list[str]:
    """Return the parameters that were set by options or arguments, not by a variable."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]


@_sessions_app.command()
def _sessions(
    what: action_options.Clear = None,
    role: action_options.OneRoleOrAll = None,
    as_json: action_options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """List the cached sessions, and the role shells and refreshed commands that run.

    `gds-exec sessions clear [ROLE]` forgets the cached ones, or those of one role.
    """
    if what is None:
        return partial(sessions, as_json=as_json)
    if what != "clear" or as_json:
        raise UsageError("sessions are listed, or cleared", hint="gds-exec sessions [clear [ROLE]]")
    return partial(clear_sessions, role=role)


@_completions_app.command()
def _completions(
    what: action_options.CompletionsOf,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Print the completions of a shell; `gds-exec completions install SHELL` puts them where it looks."""
    match what:
        case ["install", shell]:
            return partial(install, shell)
        case [shell]:
            return lambda _environ: show_completion(shell)
    raise UsageError("completions are for one shell", hint="gds-exec completions [install] bash|zsh|fish")


@_shell_init_app.command()
def _shell_init(
    kind: action_options.ShellKind,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Print the hook that renews a role shell at its prompt, for your own rc file.

    Role shells have it by themselves; it is for rc files that start another shell, or set the prompt last.
    """
    return lambda _environ: print_hook(kind)


@_explain_app.command(options_metavar="ROLE [OPTIONS]")
@in_place_of("ask", asked_session, without=("refresh", "mfa_code", "wait", "pass_id_token", "quiet"))
def _explain(
    *,
    role: action_options.Role = None,
    ask: Ask,
    as_json: action_options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Explain how ROLE would be had, where each setting comes from, and what would happen next; offline."""
    if role is None:
        raise UsageError("there is no role", hint="gds-exec explain ROLE")
    return partial(explain, ask(role=role), as_json=as_json)


@_roles_app.command()
def _roles(
    names: action_options.Names = False,
    csv: action_options.Csv = False,
    as_json: action_options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """List the profiles of your AWS files, and the roles that they lead to."""
    return _listing(names=names, csv=csv, as_json=as_json)


def _listing(*, names: bool, csv: bool, as_json: bool) -> Action:
    forms = [form for form, is_asked in (("names", names), ("csv", csv), ("json", as_json)) if is_asked]
    if len(forms) > 1:
        raise UsageError(f"--{forms[0]} and --{forms[1]} exclude each other", hint="leave one of them out")
    return partial(list_roles, form=forms[0] if forms else None)


@_whoami_app.command()
def _whoami(
    source_profile: options.SourceProfile = None,
    as_json: action_options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Show who you are to AWS: the base identity and, inside a role's environment, the role's."""
    return partial(whoami, source_profile=source_profile, as_json=as_json)


@_try_app.command(options_metavar="[OPTIONS] [--]", context_settings={"allow_interspersed_args": False})
def _try(
    command: action_options.Command = None,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Start a sandbox AWS and a shell (or COMMAND) in it; nothing of yours is touched.

    In it, run `gds-exec try-readonly -- …`. `gds-exec try code` prints its MFA device's code.
    """
    from gds_exec.cli.commands import try_sandbox  # loads the sandbox

    return partial(try_sandbox.try_out, tuple(command or ()))


@_code_app.command()
def _code(debug: options.Debug = False) -> Action:  # noqa: ARG001  # its callback acts
    """Print the code that the sandbox's MFA device shows, in any terminal."""
    from gds_exec.cli.commands import try_sandbox

    return try_sandbox.show_code


APPS: dict[str, tuple[typer.Typer, str]] = {
    "": (_run_app, "gds-exec"),
    "try": (_try_app, "gds-exec try"),
    "try code": (_code_app, "gds-exec try code"),
    DOCUMENT: (_document_app, f"gds-exec {DOCUMENT}"),
    "completions": (_completions_app, "gds-exec completions"),
    "explain": (_explain_app, "gds-exec explain"),
    "renew": (_renew_app, "gds-exec renew"),
    "sessions": (_sessions_app, "gds-exec sessions"),
    "shell-init": (_shell_init_app, "gds-exec shell-init"),
    "roles": (_roles_app, "gds-exec roles"),
    "whoami": (_whoami_app, "gds-exec whoami"),
}
