"""A setting and where it was found, and how both are shown to a person."""

from __future__ import annotations

from gds_exec.lean import Value
from gds_exec.options import duration_text
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FILE, VARIABLE, OPTION, ARGUMENT, DEFAULT = "file", "variable", "option", "argument", "default"
NOT_SHOWN = "(not shown)"
_NEVER_SHOWN = ("credential_process", "mfa_code", "mfa_process", "web_identity_token_command")


class Setting(Value):
    """A value and where it was found: `where` is the path of a file, the name of a variable or an option."""

    name: str
    value: Any
    kind: str
    where: str = ""
    line: int | None = None

    _unshown = ("value",)

    @property
    def origin(self) -> str:
        """Where it was found, as a person reads it."""
        if self.line is not None:
            return place(self.where, self.line)
        return show(self.where) or {ARGUMENT: "the command line"}.get(self.kind, self.kind)

    @property
    def text(self) -> str:
        """The value as a person writes it. Codes and commands are hidden, and so is most of a key id."""
        if self.name in _NEVER_SHOWN:
            return NOT_SHOWN
        if self.name.endswith("access_key_id"):
            return f"…{self.value[-4:]}"
        if isinstance(self.value, bool):
            return "yes"
        if isinstance(self.value, int):
            return duration_text(self.value)
        return str(self.value)


def place(path: str, line: int) -> str:
    return f"{show(path)}, line {line}"


def value_of(setting: Setting | None) -> Any:
    return None if setting is None else setting.value


def from_variable(name: str, variable: str, environ: Mapping[str, str]) -> Setting | None:
    """Return the value of a variable as a setting, or None if the variable is unset or empty."""
    value = environ.get(variable)
    return Setting(name, value, VARIABLE, variable) if value else None
