"""The subcommands that our own processes call, each with the version of its arguments.

    gds-exec refresh-worker 1 silently OPTION...       called by the refresher of a command
    gds-exec refresh-worker 1 asking pause=PID spare=PID command=NAME OPTION...
    gds-exec shell-renew 1 SHELL                       called by the hook of a role shell
    gds-exec stored-keys 1 PATH HEADER                 called by a copy of an AWS file

The caller may have started before gds-exec was upgraded. So change the version together with the arguments,
the output or an exit status.
"""

from __future__ import annotations

from gds_exec.errors import Upgraded
from gds_exec.options import REFRESH_WORKER, SHELL_RENEW, STORED_KEYS

# delivery/shells/hook.* contain the version of `shell-renew`, too.
VERSIONS = {REFRESH_WORKER: "1", SHELL_RENEW: "1", STORED_KEYS: "1"}
# How callers from before there were versions begin.
_UNVERSIONED = {SHELL_RENEW: ("bash", "zsh", "fish"), "credential-process": ("--stored-keys",)}


def subcommand_arguments(subcommand: str, *arguments: str) -> list[str]:
    """Return the arguments that call a hidden subcommand of the installed gds-exec."""
    return [subcommand, VERSIONS[subcommand], *arguments]


def is_hidden_subcommand(argv: list[str]) -> bool:
    """Say whether argv calls a hidden subcommand, of any version.

    A role of the same name is still reached, because its command is not a number.
    """
    if len(argv) < 2:
        return False
    return (argv[0] in VERSIONS and argv[1].isdigit()) or argv[1] in _UNVERSIONED.get(argv[0], ())


def check_version(argv: list[str]) -> None:
    """Raise `Upgraded` if argv calls a hidden subcommand in another version than ours."""
    if VERSIONS.get(argv[0]) != argv[1]:
        raise upgraded_shell() if argv[0] == SHELL_RENEW else upgraded_command()


def upgraded_command() -> Upgraded:
    """Return the error of a command that another version of gds-exec started."""
    return Upgraded("gds-exec was upgraded while this command ran", hint="start the command again")


def upgraded_shell() -> Upgraded:
    """Return the error of a role shell that another version of gds-exec opened."""
    return Upgraded(
        "gds-exec was upgraded while this shell was open", hint="leave this shell and open it again"
    )
