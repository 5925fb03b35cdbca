"""The entry, and the one place that chooses what argv runs."""

import _signal  # type: ignore[import-not-found]  # `signal` itself would import enum
import os
import sys

from gds_exec.execute import environment_as_given, open_standard_streams
from gds_exec.invocation import read_plainly
from gds_exec.options import HIDDEN_SUBCOMMANDS, REFRESH_WORKER, SHELL_RENEW
from gds_exec.warm import serve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> "NoReturn":
    """Run gds-exec as a program; the command's own exit status comes back if one is run."""
    open_standard_streams()
    _let_sigint_kill()
    try:
        _run(sys.argv[1:], environment_as_given())
    except KeyboardInterrupt:
        _die_by_sigint()


def _run(argv: list[str], environ: dict[str, str]) -> "NoReturn":
    """Serve argv from the cache; otherwise run a hidden subcommand, a plain invocation or anything else."""
    # Such a call may be a role's too, with a number for its command, but never a warm one.
    is_hidden = len(argv) > 1 and argv[0] in HIDDEN_SUBCOMMANDS and argv[1].isdigit()
    invocation = None if is_hidden else read_plainly(argv, environ)
    is_served = False
    if argv == ["roles", "--names"]:
        from gds_exec.warm_names import serve_names

        is_served = serve_names(environ)
    elif invocation is not None and invocation.subcommand:
        from gds_exec.warm_document import serve_document

        is_served = serve_document(invocation, environ)
    elif invocation is not None:
        serve(invocation, environ)  # which does not return if it can
    if is_served:
        os._exit(0)
    from gds_exec.child.prctl import forbid_inspection
    from gds_exec.error_boundary import guarded, leave

    forbid_inspection()  # before an access key is read

    def act() -> int:  # it imports late, so that an import that fails is reported
        from gds_exec.hidden_subcommands import is_hidden_subcommand

        if is_hidden_subcommand(argv):
            return _run_hidden_subcommand(argv, environ)
        if invocation is not None:
            from gds_exec.cli.commands.run import obey

            obey(invocation, environ)
            return 0
        from gds_exec.cli.parser import run_command_line  # with all of typer

        return run_command_line(argv, environ)

    if invocation is not None or is_hidden or os.isatty(1):
        leave(guarded(act))
    from gds_exec.cli.failed_export import failing_statement, with_failing_statement

    leave(with_failing_statement(lambda: guarded(act), failing_statement(argv)))


def _run_hidden_subcommand(argv: list[str], environ: dict[str, str]) -> int:
    """Run a subcommand that a process of ours calls."""
    from gds_exec import hidden_subcommands

    hidden_subcommands.check_version(argv)
    name, _version, *arguments = argv
    if name == SHELL_RENEW:
        from gds_exec.cli.commands.shell import renew_role_shell

        return renew_role_shell(arguments, environ)
    if name == REFRESH_WORKER:
        from gds_exec.cli.commands.refresh_worker import renew_for_refresher

        return renew_for_refresher(arguments, environ)
    from gds_exec.refresher.stored_keys import print_stored_keys

    return print_stored_keys(arguments)


def _let_sigint_kill() -> None:
    # Python's own way of it is an exception, which some imports swallow. Where there is something to
    # tidy up it is handled; what our caller made us ignore stays ignored.
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def _die_by_sigint() -> "NoReturn":
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    os.kill(os.getpid(), _signal.SIGINT)
    os._exit(130)


if __name__ == "__main__":
    main()
