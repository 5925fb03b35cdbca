"""The command line: typer and rich, here only.

`invocation.canonical` has said already which arguments are ours; typer reads the options,
checks their values and shows the help.
"""

from collections.abc import Mapping

from typer.exceptions import TyperException
from typer.main import get_command

from gds_exec.cli.commands.run import obey
from gds_exec.cli.parser import APPS, Action
from gds_exec.errors import OutputFailed, UsageError
from gds_exec.invocation import Invocation, canonical
from gds_exec.output import printing

_INTERRUPTED = 130  # what typer makes of a Ctrl-C


def run_command_line(argv: list[str], environ: Mapping[str, str]) -> int:
    """Do what argv says, and return the exit status where we do not become the command."""
    asked = read_command_line(argv)
    if isinstance(asked, Invocation):
        obey(asked, environ)
    elif asked is not None:  # not while typer is on the stack: it has its own ideas of Ctrl-C
        asked(environ)
    return 0


def read_command_line(argv: list[str]) -> Invocation | Action | None:
    """Return what argv asks for; None if that was to be told something, which it has been.

    Raise `UsageError` where it cannot be understood.
    """
    spoken = canonical(argv)
    app, name = APPS[spoken.word]
    try:
        with printing():  # the help, or the version
            asked = get_command(app).main(args=spoken.arguments, prog_name=name, standalone_mode=False)
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
