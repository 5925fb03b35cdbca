"""`gds-exec credential-process ROLE`: JSON for `credential_process =` in an AWS config file."""

from __future__ import annotations

import sys

from gds_exec.cli.runtime import put_together
from gds_exec.credentials.mfa_sources import RENEWAL
from gds_exec.credentials.silent_refresh import freshest
from gds_exec.output import printing
from gds_exec.warm_document import document_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.invocation import Invocation


def print_document(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Print the document, and nothing else; a code is asked for on the terminal."""
    run = put_together(invocation, environ, occasion=RENEWAL)
    session = run.within_time(lambda: freshest(run.provider, run.cache, notice=run.messages.notice))
    with printing():
        sys.stdout.write(document_of(session))
    run.remember(session)
