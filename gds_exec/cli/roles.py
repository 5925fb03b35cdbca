"""`gds-exec roles`: what one may type for ROLE."""

from __future__ import annotations

import sys
import time

from gds_exec.cli.messages import Messages, printing
from gds_exec.cli.remembering import remember_names
from gds_exec.cli.wiring import wired_cache, wired_files
from gds_exec.config.profile_values import first_text
from gds_exec.config.profiles import profile_names
from gds_exec.context import suppress
from gds_exec.delivery.environment import callers_environment
from gds_exec.errors import GdsExecError
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.config.aws_files import AwsFiles


def roles(environ: Mapping[str, str], *, names_only: bool) -> None:
    """Print every profile of the AWS files, with its role; or the names alone, one a line."""
    environ = callers_environment(environ)
    read_at = time.time()
    files = wired_files(environ)
    names = [show(name) for name in profile_names(files)]
    with printing():
        sys.stdout.write("".join(f"{name}\n" for name in names) if names_only else _listed(files))
    if names_only:
        with suppress(GdsExecError, OSError):  # what was asked for has been printed
            cache = wired_cache(environ, messages=Messages(quiet=True))
            remember_names(cache, environ, files, names, read_at=read_at)


def _listed(files: AwsFiles) -> str:
    """Return a line a profile: two spaces, its name, and, where it assumes a role, that role's ARN."""
    names = profile_names(files)
    width = max((len(show(name)) for name in names), default=0)
    arns = {name: show(first_text([files.profiles[name]], "role_arn") or "") for name in names}
    return "".join(f"  {show(name):{width}}  {arns[name]}".rstrip() + "\n" for name in names)
