"""What typer knows of the command line: a command for running as a role, and one for each word.

Each returns what is asked, to be done when typer is off the stack: it has its own ideas of Ctrl-C.
"""

from collections.abc import Callable, Mapping
from functools import partial

import typer

from gds_exec.cli import options
from gds_exec.cli.actions import Wanted, action_of, check_one
from gds_exec.cli.completing import install, show_completion
from gds_exec.cli.explaining import explain
from gds_exec.cli.exporting import export_nothing
from gds_exec.cli.renewing import renew
from gds_exec.cli.role_shell import print_hook
from gds_exec.cli.roles import roles as list_roles
from gds_exec.cli.scoping import scoped
from gds_exec.cli.sessions import clear_sessions, sessions
from gds_exec.cli.whoami import whoami
from gds_exec.errors import UsageError
from gds_exec.invocation import DEFAULT_WAIT_SECONDS, DOCUMENT, Invocation

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
@scoped
def _run(
    command: options.Command = None,
    *,
    duration: options.Duration = None,
    min_remaining: options.MinRemaining = None,
    mfa_max_age: options.MfaMaxAge = None,
    refresh: options.Refresh = False,
    new_session: options.NewSession = False,
    session_name: options.SessionName = None,
    source_profile: options.SourceProfile = None,
    region: options.Region = None,
    scope: str | None = None,
    mfa_code: options.MfaCode = None,
    no_input: options.NoInput = False,
    wait: options.Wait = None,
    role: options.Role = None,
    shell: options.Shell = False,
    export: options.Export = False,
    format_name: options.Format = None,
    write_profile: options.WriteProfile = None,
    unset: options.Unset = False,
    login: options.Login = False,
    url: options.Open = None,
    service: options.Service = None,
    is_printed: options.Print = False,
    is_switch_role: options.SwitchRole = False,
    describe: options.Describe = False,
    names: options.Names = False,
    csv: options.Csv = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    skip_ip_range_checks: options.SkipIpRangeChecks = False,  # noqa: ARG001  # there are none
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
    version: options.Version = False,  # noqa: ARG001  # its callback acts
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
        raise UsageError("--unset is for no role in particular", hint="gds-exec --unset")
    if unset:
        return partial(export_nothing, format_name=format_name)
    if role is None:
        raise UsageError(
            "there is no role",
            hint=f"{_HINT}; gds-exec --help; or try it out: gds-exec try",
        )
    invocation = Invocation(
        role=role,
        command=tuple(command or ()),
        shell=shell,
        duration_seconds=duration,
        min_remaining_seconds=min_remaining,
        mfa_max_age_seconds=mfa_max_age,
        region=region,
        mfa_code=mfa_code,
        source_profile=source_profile,
        session_name=session_name,
        scope=scope,
        new_session=new_session,
        refresh=refresh,
        no_input=no_input,
        wait_seconds=DEFAULT_WAIT_SECONDS if wait is None else wait,
        quiet=quiet,
    )
    return action_of(invocation, wanted) or invocation


@_document_app.command(DOCUMENT, options_metavar="ROLE [OPTIONS]")
@scoped
def _document(
    *,
    role: options.Role = None,
    duration: options.Duration = None,
    min_remaining: options.MinRemaining = None,
    mfa_max_age: options.MfaMaxAge = None,
    refresh: options.Refresh = False,
    new_session: options.NewSession = False,
    session_name: options.SessionName = None,
    source_profile: options.SourceProfile = None,
    region: options.Region = None,
    scope: str | None = None,
    mfa_code: options.MfaCode = None,
    no_input: options.NoInput = False,
    wait: options.Wait = None,
    quiet: options.Quiet = False,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Invocation:
    """Print ROLE's session as JSON, for `credential_process = gds-exec credential-process ROLE`.

    A code is asked for on the terminal. The SDKs come back for a fresh session before this one ends.
    """
    if role is None:
        raise UsageError("there is no role", hint="gds-exec credential-process ROLE")
    return Invocation(
        role=role,
        word=DOCUMENT,
        duration_seconds=duration,
        min_remaining_seconds=min_remaining,
        mfa_max_age_seconds=mfa_max_age,
        region=region,
        mfa_code=mfa_code,
        source_profile=source_profile,
        session_name=session_name,
        scope=scope,
        new_session=new_session,
        refresh=refresh,
        no_input=no_input,
        wait_seconds=DEFAULT_WAIT_SECONDS if wait is None else wait,
        quiet=quiet,
    )


@_renew_app.command(options_metavar="[ROLE]... [OPTIONS]")
@scoped
def _renew(
    roles: options.SomeRoles = None,
    *,
    duration: options.Duration = None,
    mfa_max_age: options.MfaMaxAge = None,
    session_name: options.SessionName = None,
    source_profile: options.SourceProfile = None,
    region: options.Region = None,
    scope: str | None = None,
    mfa_code: options.MfaCode = None,
    no_input: options.NoInput = False,
    wait: options.Wait = None,
    quiet: options.Quiet = False,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Get a fresh session for ROLE now: open role shells and refreshed commands pick it up.

    In a role shell it needs no ROLE.
    """
    invocations = [
        Invocation(
            role=role,
            duration_seconds=duration,
            mfa_max_age_seconds=mfa_max_age,
            region=region,
            mfa_code=mfa_code,
            source_profile=source_profile,
            session_name=session_name,
            scope=scope,
            no_input=no_input,
            wait_seconds=DEFAULT_WAIT_SECONDS if wait is None else wait,
            quiet=quiet,
        )
        for role in roles or ()
    ]
    return partial(renew, invocations)


@_sessions_app.command()
def _sessions(
    what: options.Clear = None,
    role: options.OneRoleOrAll = None,
    as_json: options.Json = False,
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
    what: options.CompletionsOf,
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
    kind: options.ShellKind,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Print the hook that renews a role shell at its prompt, for your own rc file.

    Role shells have it by themselves; it is for rc files that start another shell, or set the prompt last.
    """
    return lambda _environ: print_hook(kind)


@_explain_app.command(options_metavar="ROLE [OPTIONS]")
@scoped
def _explain(
    *,
    role: options.Role = None,
    duration: options.Duration = None,
    min_remaining: options.MinRemaining = None,
    mfa_max_age: options.MfaMaxAge = None,
    new_session: options.NewSession = False,
    session_name: options.SessionName = None,
    source_profile: options.SourceProfile = None,
    region: options.Region = None,
    scope: str | None = None,
    no_input: options.NoInput = False,
    as_json: options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Explain how ROLE would be had, where each setting comes from, and what would happen next; offline."""
    if role is None:
        raise UsageError("there is no role", hint="gds-exec explain ROLE")
    invocation = Invocation(
        role=role,
        duration_seconds=duration,
        min_remaining_seconds=min_remaining,
        mfa_max_age_seconds=mfa_max_age,
        region=region,
        source_profile=source_profile,
        session_name=session_name,
        scope=scope,
        new_session=new_session,
        no_input=no_input,
    )
    return partial(explain, invocation, as_json=as_json)


@_roles_app.command()
def _roles(
    names: options.Names = False,
    csv: options.Csv = False,
    as_json: options.Json = False,
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
    as_json: options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Show who you are to AWS: the base identity and, inside a role's environment, the role's."""
    return partial(whoami, source_profile=source_profile, as_json=as_json)


@_try_app.command(options_metavar="[OPTIONS] [--]", context_settings={"allow_interspersed_args": False})
def _try(
    command: options.Command = None,
    debug: options.Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Start a sandbox AWS and a shell (or COMMAND) in it; nothing of yours is touched.

    In it, run `gds-exec try-readonly -- …`. `gds-exec try code` prints its MFA device's code.
    """
    from gds_exec.cli import playing  # loads the sandbox

    return partial(playing.try_out, tuple(command or ()))


@_code_app.command()
def _code(debug: options.Debug = False) -> Action:  # noqa: ARG001  # its callback acts
    """Print the code that the sandbox's MFA device shows, in any terminal."""
    from gds_exec.cli import playing

    return playing.show_code


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
