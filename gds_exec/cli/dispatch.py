"""Choose what a command line runs."""

from __future__ import annotations

import os
import sys

from gds_exec.child.prctl import forbid_inspection
from gds_exec.error_boundary import guarded
from gds_exec.output import printing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.invocation import Invocation


def run(argv: list[str], environ: Mapping[str, str], *, invocation: Invocation | None) -> int:
    """Do what argv says, and return the exit status where we do not become the command.

    `invocation` is what argv says, where that could be read without the full command line.
    """
    forbid_inspection()  # before an access key is read

    def act() -> int:
        return guarded(lambda: _do(argv, environ, invocation))

    if invocation is not None or os.isatty(1):
        return act()
    from gds_exec.cli.failed_export import failing_statement, with_failing_statement

    statement = failing_statement(argv)
    return with_failing_statement(act, statement) if statement else act()


def _do(argv: list[str], environ: Mapping[str, str], invocation: Invocation | None) -> int:
    if len(argv) == 2 and argv[0] == "shell-renew" and "GDS_EXEC_SHELL" in environ:  # from a hook of ours
        from gds_exec.cli.commands.shell import renew_role_shell

        return renew_role_shell(argv[1], environ)
    if argv[:2] == ["credential-process", "--stored-keys"]:  # called by a copy of the AWS files
        from gds_exec.refresher.stored_keys import stored_keys_document

        with printing():
            sys.stdout.write(stored_keys_document(argv[2:]))
        return 0
    if invocation is not None:
        from gds_exec.cli.commands.run import obey

        obey(invocation, environ)
        return 0
    from gds_exec.cli.parser import run_command_line  # with all of typer

    return run_command_line(argv, environ)
