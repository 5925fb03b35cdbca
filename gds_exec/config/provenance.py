"""Settings with what set each, and how that is looked up."""

from __future__ import annotations

from gds_exec.config.aws_ini import place
from gds_exec.lean import Value
from gds_exec.options import duration_seconds, duration_text, variable_of
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gds_exec.config.aws_ini import Section

FILE, VARIABLE, OPTION, ARGUMENT, DEFAULT = "file", "variable", "option", "argument", "default"
NOT_SHOWN = "(not shown)"
_FALSE = ("", "0", "f", "false", "n", "no", "off")


class TracedSetting(Value):
    """A setting, and what set it: `where` is a file's path, a variable's name or an option."""

    name: str
    value: str
    kind: str
    where: str = ""
    line: int | None = None

    @property
    def origin(self) -> str:
        """What set it, as a person reads it."""
        if self.line is not None:
            return place(self.where, self.line)
        return show(self.where) or {ARGUMENT: "the command line"}.get(self.kind, self.kind)


def in_files(
    key: str,
    sections: Iterable[Section],
    *,
    value: str | None = None,
    name: str | None = None,
    shown: str | None = None,
) -> TracedSetting | None:
    """Return the first setting of that key that says something, or this very `value`."""
    for section in sections:
        setting = section.get(key)
        said = setting.value if setting else None
        if setting and isinstance(said, str) and said and value in (None, said):
            return TracedSetting(
                name or key, said if shown is None else shown, FILE, setting.path, setting.line
            )
    return None


def from_variable(name: str, variable: str, environ: Mapping[str, str]) -> TracedSetting | None:
    """Return what the variable says, if it says something."""
    value = environ.get(variable)
    return TracedSetting(name, value, VARIABLE, variable) if value else None


def from_option(
    name: str, value: object, environ: Mapping[str, str], *, shown: str | None = None
) -> TracedSetting:
    """Return what was asked for, by a variable if it says the same and else by the option."""
    option = "--" + name.replace("_", "-")
    variable = variable_of(option)
    is_variable = _says(environ.get(variable, ""), value)
    kind, where = (VARIABLE, variable) if is_variable else (OPTION, option)
    return TracedSetting(name, _text(value) if shown is None else shown, kind, where)


def _says(text: str, value: object) -> bool:
    if isinstance(value, bool):
        return text.lower() not in _FALSE
    if not isinstance(value, int):
        return text == value
    try:
        return duration_seconds(text) == value
    except ValueError:
        return False


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes"
    if isinstance(value, int):
        return duration_text(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
