"""The grammar of AWS's files, accepted and refused as botocore does, which reads them with configparser.

By hand, because configparser needs half a second for 10,000 profiles, and does not know which line
a value came from. A message never repeats what a line holds: it may be a secret.
"""

from typing import NamedTuple, NoReturn

from gds_exec.errors import BrokenFile
from gds_exec.redaction import show

Block = dict[str, str]

_INHERITED_BY_ALL = "DEFAULT"


class Setting(NamedTuple):
    """A value, or a block of indented values below its key, and where it stands."""

    value: str | Block
    path: str
    line: int

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.place})"

    @property
    def place(self) -> str:
        return place(self.path, self.line)


Section = dict[str, Setting]


class ParsedFile(NamedTuple):
    """Every section by its header as written, with the line that the header stands on."""

    sections: dict[str, Section]
    header_lines: dict[str, int]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.sections)} sections)"


def parse(text: str, *, path: str) -> ParsedFile:
    """Return the sections of a file, whose lines may end in LF, CRLF or CR."""
    parser = _Parser(path)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        parser.read(number, line)
    return parser.finish()


def place(path: str, line: int) -> str:
    return f"{show(path)}, line {line}"


class _Parser:
    def __init__(self, path: str) -> None:
        self.path = path
        self.sections: dict[str, Section] = {}
        self.header_lines: dict[str, int] = {}
        self.inherited: Section = {}
        self.section: Section | None = None
        self.header = ""
        self.key = ""
        self.indent = 0
        self.blank_lines = 0
        self.has_blocks = False

    def read(self, number: int, line: str) -> None:
        content = line.strip()
        if not content:
            self.blank_lines += 1
            return
        if content[0] in "#;":
            return
        indent = len(line) - len(line.lstrip()) if line[0] != content[0] else 0
        if self.section is not None and self.key and indent > self.indent:
            self._continue_value(self.section, content)
            return
        self.indent = indent
        if content[0] == "[" and content.rfind("]") > 1:
            self._open_section(number, content[1 : content.rfind("]")])
        else:
            self._add_setting(number, content)

    def finish(self) -> ParsedFile:
        for section in self.sections.values():
            for key, setting in self.inherited.items():
                section.setdefault(key, setting)
        if self.has_blocks:
            self._parse_blocks()
        return ParsedFile(self.sections, self.header_lines)

    def _open_section(self, number: int, header: str) -> None:
        if header in self.sections:
            first = self.header_lines[header]
            self._refuse(number, f"[{show(header)}] stands twice, first on line {first}")
        self.header, self.key = header, ""
        if header == _INHERITED_BY_ALL:
            self.section = self.inherited
            return
        self.section = self.sections[header] = {}
        self.header_lines[header] = number

    def _add_setting(self, number: int, content: str) -> None:
        if self.section is None:
            self._refuse(number, "no [section] stands above this line")
        name, delimiter, value = content.partition("=")
        if ":" in name:
            name, delimiter, value = content.partition(":")
        key = name.rstrip().lower()
        if not delimiter or not key:
            self._refuse(number, "neither a [section] nor 'key = value'")
        if key in self.section:
            self._refuse(number, f"key '{show(key)}' stands twice in [{show(self.header)}]")
        self.section[key] = Setting(value.strip(), self.path, number)
        self.key = key
        self.blank_lines = 0

    def _continue_value(self, section: Section, content: str) -> None:
        setting = section[self.key]
        line_breaks = "\n" * (self.blank_lines + 1)
        continued = f"{setting.value}{line_breaks}{content}"
        section[self.key] = setting._replace(value=continued)
        self.blank_lines = 0
        self.has_blocks = True

    def _parse_blocks(self) -> None:
        for section in self.sections.values():
            for key, setting in section.items():
                if isinstance(setting.value, str) and setting.value.startswith("\n"):
                    section[key] = setting._replace(value=self._parse_block(key, setting.value, setting.line))

    def _parse_block(self, key: str, text: str, number: int) -> Block:
        block = {}
        for line in filter(None, map(str.strip, text.splitlines())):
            name, delimiter, value = line.partition("=")
            if not delimiter:
                self._refuse(number, f"the lines below '{show(key)}' are not all 'key = value'")
            block[name.strip()] = value.strip()
        return block

    def _refuse(self, number: int, reason: str) -> NoReturn:
        raise BrokenFile(f"{place(self.path, number)}: {reason}")
