"""The lines of one of AWS's files, each with its section and the setting that it is part of.

Told apart as configparser does it, which botocore reads the files with. Nothing is refused here:
whoever changes a file has had it read before.
"""

from __future__ import annotations

import io

from gds_exec.lean import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENTS = ("#", ";")


class IniLine(Value):
    """A line as it stands, its end with it; what section it is in, itself perhaps its header.

    `key` is that of the setting which the line begins or goes on with, and empty for any other line.
    """

    text: str
    header: str
    key: str

    _unshown = ("text",)

    @property
    def is_comment(self) -> bool:
        return self.text.lstrip().startswith(_COMMENTS)

    @property
    def is_header(self) -> bool:
        return not self.key and not self.is_comment and not self.text.isspace()

    @property
    def name(self) -> str:
        """The text before the first `=` or `:`, in lower case."""
        return self._parts()[0].strip().lower()

    @property
    def value(self) -> str:
        """The text after the first `=` or `:`."""
        return self._parts()[2].strip()

    def _parts(self) -> tuple[str, str, str]:
        parts = self.text.partition("=")
        return self.text.partition(":") if ":" in parts[0] else parts

    @property
    def indent(self) -> str:
        return self.text[: len(self.text) - len(self.text.lstrip())]


def ini_lines(text: str) -> Iterator[IniLine]:
    """Take a text apart; joined, the lines are the text again."""
    header = key = ""
    indent = 0
    for line in io.StringIO(text, newline=""):
        content = line.strip()
        if not content or content.startswith(_COMMENTS):
            yield IniLine(line, header, "")
            continue
        if not key or _indent(line) <= indent:
            indent = _indent(line)
            header, key = _begun_by(content, header)
        yield IniLine(line, header, key)


def _begun_by(content: str, header: str) -> tuple[str, str]:
    """Return the section that a line is in, itself perhaps its header, and the key that it sets."""
    end = content.rfind("]")
    if content[0] == "[" and end > 1:
        return content[1:end], ""
    name = content.partition("=")[0].partition(":")[0]
    return header, name.rstrip().lower()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
