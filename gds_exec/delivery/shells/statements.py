"""Changes of the environment as statements that a shell evaluates.

Every value is data, whatever it holds: it stands between quotes in which the shell expands nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.delivery.shells.kinds import ShellKind


def renewed_variables(kind: ShellKind, changes: Mapping[str, str | None]) -> str:
    """Return the statements that set these variables, or unset those that are None, and export them.

    Raises `ValueError` for a name that no shell would take for one.
    """
    write = _write_fish if kind == "fish" else _write_posix
    return "".join(f"{write(_checked(name), value)}\n" for name, value in sorted(changes.items()))


def quoted(kind: ShellKind, text: str) -> str:
    """Return one word that means exactly this text."""
    if kind == "fish":
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return "'" + text.replace("'", "'\\''") + "'"


def _checked(name: str) -> str:
    if not (name.isascii() and name.isidentifier()):
        raise ValueError("this is not the name of a variable")
    return name


def _write_posix(name: str, value: str | None) -> str:
    return f"unset -v {name}" if value is None else f"export {name}={quoted('bash', value)}"


def _write_fish(name: str, value: str | None) -> str:
    return f"set -eg {name}" if value is None else f"set -gx {name} {quoted('fish', value)}"
