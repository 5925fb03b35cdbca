"""The command line: typer and rich, here only.

`invocation.canonical` has said already which arguments are ours; typer reads the options,
checks their values and shows the help.
"""

import gc
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from gds_exec.cli.messages import enable_debug, printing
from gds_exec.cli.running import run_as_role
from gds_exec.cli.whoami import whoami
from gds_exec.credentials.request import is_session_name
from gds_exec.errors import UsageError
from gds_exec.invocation import DEFAULT_WAIT_SECONDS, Invocation, canonical, duration_seconds

_WORDS_HELP = """
[bold]Words[/bold]: [cyan]whoami[/cyan] shows who you are to AWS, without a code;
[cyan]try[/cyan] starts a sandbox AWS to try everything in. `gds-exec WORD --help` shows each.
"""
Action = Callable[[Mapping[str, str]], None]


def run_command_line(argv: list[str], environ: Mapping[str, str]) -> int:
    """Do what argv says, and return the exit status where we do not become the command."""
    gc.disable()  # a short life: collecting costs more than keeping
    spoken = canonical(argv)
    app, name = _APPS[spoken.word]
    try:
        with printing():  # the help, or the version
            action = get_command(app).main(args=spoken.arguments, prog_name=name, standalone_mode=False)
    except TyperException as error:
        sentence = error.format_message().rstrip(".")
        raise UsageError(
            sentence[:1].lower() + sentence[1:], hint=f"{name} --help shows what there is"
        ) from None
    if callable(action):  # not while typer is on the stack: it has its own ideas of Ctrl-C
        action(environ)
    return 0


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
    if not (text.isascii() and text.replace("-", "").isalnum()):
        raise typer.BadParameter(f"{text!r} is no region such as eu-west-2")
    return text


def _setting(name: str, help: str, *, panel: str, **more: Any) -> Any:  # noqa: A002  # as typer calls it
    variable = "GDS_EXEC_" + name.lstrip("-").upper().replace("-", "_")
    return typer.Option(name, help=help, rich_help_panel=panel, envvar=variable, **more)


def _flag(*names: str, help: str, **more: Any) -> Any:  # noqa: A002
    return typer.Option(*names, help=help, rich_help_panel="Other", **more)


def _show_version(is_wanted: bool) -> None:  # typer's callback
    if is_wanted:
        sys.stdout.write(f"gds-exec {version('gds-exec')}\n")
        raise typer.Exit


_SESSION, _CODE, _OTHER = "Session", "MFA code", "Other"
_Debug = Annotated[
    bool,
    _setting(
        "--debug",
        "Say what is done, never what is secret.",
        panel=_OTHER,
        callback=enable_debug,
        is_eager=True,
    ),
]
_Command = Annotated[list[str] | None, typer.Argument(metavar="[COMMAND [ARG]...]", hidden=True)]
_SourceProfile = Annotated[
    str | None,
    _setting("--source-profile", "The profile whose keys to begin with.", panel=_SESSION, metavar="PROFILE"),
]


def _app() -> typer.Typer:
    return typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, pretty_exceptions_show_locals=False
    )


_run_app, _whoami_app, _try_app, _code_app = _app(), _app(), _app(), _app()


@_run_app.command(options_metavar="ROLE [OPTIONS] [--]", epilog=_WORDS_HELP)
def _run(
    command: _Command = None,
    *,
    duration: Annotated[
        int | None,
        _setting(
            "--duration",
            "How long the session is to last: 8h, 180m, 1h30m, 3600 (also --art, --assume-role-ttl).",
            panel=_SESSION,
            parser=_duration,
            metavar="D",
        ),
    ] = None,
    min_remaining: Annotated[
        int | None,
        _setting(
            "--min-remaining",
            "Start only with at least this much time left; else renew, or fail.",
            panel=_SESSION,
            parser=_duration,
            metavar="D",
        ),
    ] = None,
    new_session: Annotated[
        bool, _setting("--new-session", "Ignore the cached role session.", panel=_SESSION)
    ] = False,
    session_name: Annotated[
        str | None,
        _setting(
            "--session-name",
            "The role session's name (else user-DD-MM-YY_HH-MM).",
            panel=_SESSION,
            parser=_session_name,
            metavar="NAME",
        ),
    ] = None,
    source_profile: _SourceProfile = None,
    region: Annotated[
        str | None,
        _setting("--region", "The region (also -r).", panel=_SESSION, parser=_region, metavar="REGION"),
    ] = None,
    mfa_code: Annotated[
        str | None,
        _setting(
            "--mfa-code", "A code, not asked for then (also -t, --mfa-token).", panel=_CODE, metavar="CODE"
        ),
    ] = None,
    no_input: Annotated[
        bool, _setting("--no-input", "Never ask; fail at once with 124.", panel=_CODE)
    ] = False,
    wait: Annotated[
        int | None,
        _setting(
            "--wait",
            "How long to wait for a person, or for another gds-exec that asks one (else 5m).",
            panel=_CODE,
            parser=_duration,
            metavar="D",
        ),
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(
            help="The role, where its name is also one of our words.", metavar="NAME", rich_help_panel=_OTHER
        ),
    ] = None,
    shell: Annotated[bool, _flag("--shell", "-s", help="Run your shell as the role.")] = False,
    quiet: Annotated[
        bool, _flag("--quiet", "-q", help="Say nothing but errors.", envvar="GDS_EXEC_QUIET")
    ] = False,
    debug: _Debug = False,
    version: Annotated[  # noqa: ARG001  # its callback shows it
        bool, _flag("--version", "-V", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> Action:
    """Run COMMAND as the AWS role ROLE, asking for an MFA code only when one is needed.

    ROLE is a profile of your AWS files, a role ARN, or ACCOUNT/ROLE. The first argument after it
    that is not an option begins the command. Without one, on a terminal, your shell is run.
    """
    if role is None:
        raise UsageError(
            "there is no role",
            hint="gds-exec ROLE -- COMMAND [ARG]...; gds-exec --help; or try it out: gds-exec try",
        )
    invocation = Invocation(
        role=role,
        command=tuple(command or ()),
        shell=shell,
        duration_seconds=duration,
        min_remaining_seconds=min_remaining,
        region=region,
        mfa_code=mfa_code,
        source_profile=source_profile,
        session_name=session_name,
        new_session=new_session,
        no_input=no_input,
        wait_seconds=DEFAULT_WAIT_SECONDS if wait is None else wait,
        quiet=quiet,
        debug=debug,
    )
    if invocation.shell and invocation.command:
        raise UsageError("--shell and a command exclude each other", hint="leave one of them out")
    return partial(run_as_role, invocation)


@_whoami_app.command()
def _whoami(
    source_profile: _SourceProfile = None,
    as_json: Annotated[bool, _flag("--json", help="Print JSON.")] = False,
    debug: _Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Show who you are to AWS: the base identity and, inside a role's environment, the role's."""
    return partial(whoami, source_profile=source_profile, as_json=as_json)


@_try_app.command(options_metavar="[OPTIONS] [--]", context_settings={"allow_interspersed_args": False})
def _try(
    command: _Command = None,
    debug: _Debug = False,  # noqa: ARG001  # its callback acts
) -> Action:
    """Start a sandbox AWS and a shell (or COMMAND) in it; nothing of yours is touched.

    In it, run `gds-exec try-readonly -- …`. `gds-exec try code` prints its MFA device's code.
    """
    from gds_exec.cli import playing  # loads the sandbox

    return partial(playing.try_out, tuple(command or ()))


@_code_app.command()
def _code(debug: _Debug = False) -> Action:  # noqa: ARG001  # its callback acts
    """Print the code that the sandbox's MFA device shows, in any terminal."""
    from gds_exec.cli import playing

    return playing.show_code


_APPS: dict[str, tuple[typer.Typer, str]] = {
    "": (_run_app, "gds-exec"),
    "try": (_try_app, "gds-exec try"),
    "try code": (_code_app, "gds-exec try code"),
    "whoami": (_whoami_app, "gds-exec whoami"),
}
