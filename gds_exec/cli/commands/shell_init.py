"""`gds-exec shell-init`: the hook of role shells, for an rc file of the user's own."""

from __future__ import annotations

import sys

from gds_exec.cli.commands.shell import checked_kind
from gds_exec.delivery.role_shell import shell_init
from gds_exec.output import printing


def print_hook(kind_name: str) -> None:
    """Print the hook for the rc file of those who want it there."""
    with printing():
        sys.stdout.write(shell_init(checked_kind(kind_name)))
