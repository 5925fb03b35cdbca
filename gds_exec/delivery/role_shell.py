"""How a role shell is started: the user's own interactive shell, with our hook added to it.

The hooks are constant files beside this module; what they know comes from the environment, as
`GDS_EXEC_*` variables. Nothing is written. Where the hook cannot be reached (`/etc/zshenv` sets
ZDOTDIR, POSIXLY_CORRECT stands for bash) the shell has the variables alone.
"""

from __future__ import annotations

import os

from gds_exec.delivery.shell_syntax import fish_word
from gds_exec.lean import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gds_exec.delivery.shell_syntax import ShellKind

_HOOKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shells")
_INSTALL = "__gds_exec_install\n"


class RoleShell(Value):
    """A command line, and what it changes in the environment; None unsets."""

    argv: Sequence[str]
    changes: Mapping[str, str | None]


def role_shell(kind: ShellKind, path: str, *, environ: Mapping[str, str]) -> RoleShell:
    """Return how the shell at `path` is started.

    The last part of `GDS_EXEC_SHELL` must begin with the id of the process that becomes it, and a dot.
    """
    if kind == "bash":
        return RoleShell((path, "--rcfile", _hook_file("rc.bash"), "-i"), {})
    if kind == "fish":
        source = f"builtin source {fish_word(_hook_file('hook.fish'))}"
        return RoleShell((path, "-i", "-C", f"{source}; {_INSTALL}"), {})
    return RoleShell(
        (path, "-i"), {"ZDOTDIR": _hook_file("zdotdir"), "GDS_EXEC_ZDOTDIR": environ.get("ZDOTDIR")}
    )


def shell_init(kind: ShellKind) -> str:
    """Return the hook as text for the user's own rc file; it does nothing outside role shells."""
    with open(_hook_file(f"hook.{kind}"), encoding="utf-8") as file:
        return file.read() + _INSTALL


def _hook_file(name: str) -> str:
    return os.path.join(_HOOKS, name)
