"""`gds-exec credential-process ROLE`: JSON for `credential_process =` in an AWS config file."""

from __future__ import annotations

import sys

from gds_exec.cli.messages import printing
from gds_exec.cli.run import put_together
from gds_exec.credentials.upkeep import freshest
from gds_exec.errors import BrokenProfile
from gds_exec.invocation import ASKED_FOR
from gds_exec.redaction import show
from gds_exec.warm_document import document_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.invocation import Invocation


def print_document(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Print the document, and nothing else; a code is asked for on the terminal."""
    _refuse_recursion(invocation, environ)
    run = put_together(invocation, environ, renewing=True)
    session = freshest(run.provider, run.cache, notice=run.messages.notice)
    with printing():
        sys.stdout.write(document_of(session))
    run.remember(session)


def _refuse_recursion(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Refuse a profile that names gds-exec, for that very profile, as its own credential_process."""
    if invocation.role in environ.get(ASKED_FOR, "").split("\n"):
        raise BrokenProfile(
            f"the credential_process of {show(invocation.role)} is gds-exec itself",
            hint="give the profile that names gds-exec another name than the role that gds-exec is to find",
        )
