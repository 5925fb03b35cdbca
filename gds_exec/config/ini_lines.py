"""The lines of one of AWS's files, each with its section and the setting that it is part of.

The grammar is that of `aws_ini`. Nothing is refused here: whoever changes a file has read it before.
"""

from __future__ import annotations

import io

from gds_exec.config.aws_ini import COMMENTS, header_in, indent_of, key_in, split_setting
from gds_exec.lean import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


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
        return self.text.lstrip().startswith(COMMENTS)

    @property
    def is_header(self) -> bool:
        return not self.key and not self.is_comment and not self.text.isspace()

    @property
    def name(self) -> str:
        """The text before the first `=` or `:`, in lower case."""
        return key_in(self.text)

    @property
    def value(self) -> str:
        """The text after the first `=` or `:`."""
        return split_setting(self.text)[2].strip()

    @property
    def indent(self) -> str:
        return self.text[: indent_of(self.text)]


def ini_lines(text: str) -> Iterator[IniLine]:
    """Take a text apart; joined, the lines are the text again."""
    header = key = ""
    indent = 0
    for line in io.StringIO(text, newline=""):
        content = line.strip()
        if not content or content.startswith(COMMENTS):
            yield IniLine(line, header, "")
            continue
        if not key or indent_of(line) <= indent:
            indent = indent_of(line)
            begun = header_in(content)
            header, key = (header, key_in(content)) if begun is None else (begun, "")
        yield IniLine(line, header, key)
