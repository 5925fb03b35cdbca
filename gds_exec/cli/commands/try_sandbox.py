"""`gds-exec try`: a sandbox to play in."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from gds_exec.child.foreground import end_like
from gds_exec.cli.wiring import wired_files
from gds_exec.config.profiles import profile_names
from gds_exec.errors import ConfigError, UsageError
from gds_exec.output import printing, say
from gds_exec.sandbox.device_code import current_code
from gds_exec.sandbox.playground import run_playground


def show_code(environ: Mapping[str, str]) -> None:
    """Print the code that the MFA device of the running sandbox shows."""
    code = current_code(environ)
    with printing():
        sys.stdout.write(f"{code.digits}\n")


def try_out(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Run a shell, or a command, with a sandbox AWS of its own, and end as it does."""
    if _is_role("try", environ):
        raise UsageError(
            "'try' is a word of gds-exec and one of your roles", hint="gds-exec --role try runs the role"
        )
    script_directory = os.path.dirname(os.path.abspath(sys.argv[0]))
    end_like(run_playground(command or None, environ=environ, script_directory=script_directory, say=say))


def _is_role(name: str, environ: Mapping[str, str]) -> bool:
    try:
        return name in profile_names(wired_files(environ))
    except ConfigError:  # who cannot run a role may still play
        return False
