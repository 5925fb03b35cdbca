"""An invocation is done here, whoever has read it: the plain reader or the full command line."""

from __future__ import annotations

from gds_exec.cli.running import run_as_role

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.invocation import Invocation


def obey(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Become the command, or do what its word says."""
    if not invocation.word:
        run_as_role(invocation, environ)
    from gds_exec.cli.document import print_document  # only for its own word

    print_document(invocation, environ)
