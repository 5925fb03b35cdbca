"""The grammar of AWS's files, accepted and refused as botocore does, which reads them with configparser.

By hand, because configparser needs half a second for 10,000 profiles, and does not know which line
a value came from. A file is read to an index, section and key to line; what a setting says is read
from its lines when it is asked for. A message never repeats what a line holds: it may be a secret.
"""

from __future__ import annotations

from gds_exec.config.provenance import FILE, Setting, place
from gds_exec.errors import BrokenFile
from gds_exec.redaction import show

Block = dict[str, str]

INHERITED_BY_ALL = "DEFAULT"
COMMENTS = ("#", ";")
_DEEPER_THAN_ANY = 1 << 62


class Section:
    """The settings of one section by their keys, perhaps over those of another."""

    __slots__ = ("_beneath", "_numbers", "_text", "line")

    def __init__(
        self, text: _Text, line: int, numbers: dict[str, int], beneath: Section | None = None
    ) -> None:
        self._text = text
        self._numbers = numbers
        self._beneath = beneath
        self.line = line

    @classmethod
    def empty(cls) -> Section:
        """Return the section of what no file speaks of."""
        return cls(_Text("", []), 0, {})

    @property
    def place(self) -> str:
        """Where its header stands."""
        return place(self._text.path, self.line)

    def over(self, other: Section) -> Section:
        """Return a section with the settings of both, its own where both have one."""
        return Section(self._text, self.line, self._numbers, beneath=other)

    def get(self, key: str) -> Setting | None:
        """Return a setting, whose value is a text, or a `Block` of indented settings below the key."""
        number = self._numbers.get(key)
        if number is not None:
            return self._text.setting(number)
        return None if self._beneath is None else self._beneath.get(key)

    def __getitem__(self, key: str) -> Setting:
        setting = self.get(key)
        if setting is None:
            raise KeyError(key)
        return setting

    def __contains__(self, key: str) -> bool:
        return key in self._numbers or (self._beneath is not None and key in self._beneath)

    def keys(self) -> list[str]:
        beneath = () if self._beneath is None else self._beneath.keys()
        return list(dict.fromkeys((*beneath, *self._numbers)))


def parse(text: str, *, path: str) -> dict[str, Section]:
    """Return the sections of a file by their headers as written; its lines may end in LF, CRLF or CR."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    parser = _Parser(_Text(path, lines))
    parser.read()
    return parser.finish()


class _Text:
    """The lines of a file, and what the settings on them say."""

    __slots__ = ("lines", "path")

    def __init__(self, path: str, lines: list[str]) -> None:
        self.path = path
        self.lines = lines

    def refusal(self, number: int, reason: str) -> BrokenFile:
        return BrokenFile(f"{place(self.path, number)}: {reason}")

    def setting(self, number: int) -> Setting:
        line = self.lines[number - 1]
        value = split_setting(line)[2]
        value = value.strip() + self._continuation(number, indent=indent_of(line))
        key, is_block = key_in(line), value.startswith("\n")
        said = self._block(key, value, number) if is_block else value
        return Setting(key, said, FILE, self.path, number)

    def _continuation(self, number: int, *, indent: int) -> str:
        """Return the lines that go on with the setting on line `number`: the deeper ones below it."""
        continuation = line_breaks = ""
        for position in range(number, len(self.lines)):
            line = self.lines[position]
            content = line.strip()
            if not content:
                line_breaks += "\n"
            elif content[0] in COMMENTS:
                continue
            elif indent_of(line) > indent:
                continuation += f"{line_breaks}\n{content}"
                line_breaks = ""
            else:
                break
        return continuation

    def _block(self, key: str, text: str, number: int) -> Block:
        block = {}
        for line in filter(None, map(str.strip, text.splitlines())):
            name, delimiter, value = line.partition("=")
            if not delimiter:
                raise self.refusal(number, f"the lines below '{show(key)}' are not all 'key = value'")
            block[name.strip()] = value.strip()
        return block


class _Parser:
    """Finds the line of every setting, and refuses lines that are none.

    `keys` remembers how keys are written, `region ` for one: in a long file most lines begin with what
    was a key before, and need no closer look. `indent` is that of the setting which deeper lines continue.
    """

    def __init__(self, text: _Text) -> None:
        self.text = text
        self.sections: dict[str, Section] = {}
        self.indexes: list[dict[str, int]] = []
        self.inherited: dict[str, int] = {}
        self.header: str | None = None
        self.numbers: dict[str, int] = {}
        self.keys: dict[str, str] = {}
        self.indent = _DEEPER_THAN_ANY
        self.continued: set[int] = set()

    def read(self) -> None:
        keys, numbers = self.keys, self.numbers
        for number, line in enumerate(self.text.lines, start=1):
            name, delimiter, _ = line.partition("=")
            key = keys.get(name) if delimiter else None
            if key is not None and key not in numbers:
                numbers[key] = number
                self.indent = 0
            elif line:
                self._read_closely(number, line)
                numbers = self.numbers

    def finish(self) -> dict[str, Section]:
        if self.inherited:
            self._inherit()
        if self.continued:
            self._check_blocks()
        return self.sections

    def _read_closely(self, number: int, line: str) -> None:
        content = line.strip()
        if not content or content[0] in COMMENTS:
            return
        indent = indent_of(line)
        header = header_in(content)
        if indent > self.indent:
            self.continued.add(next(reversed(self.numbers.values())))
        elif header is not None:
            self._open_section(number, header)
        else:
            self._add_setting(number, content, indent=indent)

    def _open_section(self, number: int, header: str) -> None:
        if header in self.sections:
            first = self.sections[header].line
            raise self.text.refusal(number, f"[{show(header)}] stands twice, first on line {first}")
        self.header = header
        self.indent = _DEEPER_THAN_ANY
        if header == INHERITED_BY_ALL:
            self.numbers = self.inherited
        else:
            self.numbers = {}
            self.indexes.append(self.numbers)
            self.sections[header] = Section(self.text, number, self.numbers)

    def _add_setting(self, number: int, content: str, *, indent: int) -> None:
        if self.header is None:
            raise self.text.refusal(number, "no [section] stands above this line")
        name, delimiter, _ = split_setting(content)
        key = key_in(content)
        if not delimiter or not key:
            raise self.text.refusal(number, "neither a [section] nor 'key = value'")
        if key in self.numbers:
            raise self.text.refusal(number, f"key '{show(key)}' stands twice in [{show(self.header)}]")
        self.numbers[key] = number
        self.indent = indent
        if content[0] != "[":  # which may be a header the next time
            self.keys[name] = key

    def _inherit(self) -> None:
        for numbers in self.indexes:
            for key, number in self.inherited.items():
                numbers.setdefault(key, number)

    def _check_blocks(self) -> None:
        for numbers in self.indexes:
            for number in numbers.values():
                if number in self.continued:
                    self.text.setting(number)


def split_setting(content: str) -> tuple[str, str, str]:
    """Return name, delimiter and value: what comes first of `=` and `:` parts them."""
    name, delimiter, value = content.partition("=")
    return content.partition(":") if ":" in name else (name, delimiter, value)


def key_in(line: str) -> str:
    return split_setting(line)[0].strip().lower()


def header_in(content: str) -> str | None:
    """Return the header that a line without its indentation is; None for any other line."""
    end = content.rfind("]")
    return content[1:end] if content[0] == "[" and end > 1 else None


def indent_of(line: str) -> int:
    return len(line) - len(line.lstrip())
