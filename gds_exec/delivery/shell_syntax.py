"""Changes of an environment as statements for the shells that people evaluate them in.

Each statement stands on a line of its own and ends in `;`, so that the lines may become one.
"""

from __future__ import annotations

import os

from gds_exec.errors import OutputFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from gds_exec.delivery.environment_changes import Changes

    ShellKind = Literal["bash", "zsh", "fish"]


SHELL_KINDS: tuple[ShellKind, ...] = ("bash", "fish", "zsh")


def shell_kind(path: str) -> ShellKind | None:
    """Return which of these the program at `path` is, by its name; None for any other."""
    name = os.path.basename(path)
    return next((kind for kind in SHELL_KINDS if kind == name), None)


_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset("0123456789")
# To no shell anything but themselves, between quotes or, where the quotes are not seen, outside.
_PLAIN = _LETTERS | _DIGITS | frozenset("_+=,.@:/% -")
_POWERSHELL_QUOTES = ("'", "‘", "’", "‚", "‛")  # noqa: RUF001  # it takes each for the same
_REFUSED_BY_CMD = frozenset('"%!')


def statements(shell: str, changes: Changes) -> str:
    """Return the statements that make these changes in a shell: `sh`, `fish`, `powershell` or `cmd`.

    Those for `sh` hold in bash, zsh and dash, and for `eval $(…)` without quotes too. Raise
    `OutputFailed` for a value that the shell has no words for.
    """
    write = _WRITERS[shell]
    return "".join(write(name, value) for name, value in changes.items())


def _posix(name: str, value: str | None) -> str:
    return f"unset {name};\n" if value is None else f"export {name}={_posix_word(value)};\n"


def _posix_word(value: str) -> str:
    """Return a word that means this value after `eval $(…)` too.

    There the text is split at its blanks and joined again with single ones, and each piece with a
    `*`, `?` or `[` is taken for file names (bash with extglob: `@(` too); quotes do not count.
    """
    if _PLAIN.issuperset(value) and "  " not in value:
        return f"'{value}'"
    plain = _PLAIN.difference(" ")
    octal = "".join(chr(b) if chr(b) in plain else f"\\0{b:03o}" for b in os.fsencode(value))
    return f"\"$(printf %b '{octal}')\""


def _fish(name: str, value: str | None) -> str:
    # Of this shell alone: to erase one that is universal would take it from every shell for ever.
    return f"set -eg {name};\n" if value is None else f"set -gx {name} {fish_word(value)};\n"


def fish_word(text: str) -> str:
    """Return one word that means exactly this text in fish."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _powershell(name: str, value: str | None) -> str:
    if value is None:
        return f"$Env:{name} = $null;\n"
    for quote in _POWERSHELL_QUOTES:
        value = value.replace(quote, quote * 2)
    return f"$Env:{name} = '{value}';\n"


def _cmd(name: str, value: str | None) -> str:
    # Between these quotes only what is refused has a meaning, which is another one in a batch file, in
    # `for /f` and with delayed expansion; and a batch file is read in the console's code page.
    if value and not (value.isascii() and value.isprintable() and _REFUSED_BY_CMD.isdisjoint(value)):
        raise OutputFailed(f"the value of {name} cannot be exported to cmd")
    return f'set "{name}={value or ""}"\r\n'


_WRITERS: dict[str, Callable[[str, str | None], str]] = {
    "sh": _posix,
    "fish": _fish,
    "powershell": _powershell,
    "cmd": _cmd,
}
SHELLS = tuple(_WRITERS)
# Statements that fail and change nothing else. `exit` would close a window of cmd.
FAILURES = {
    "sh": "false;\n",
    "fish": "false;\n",
    "powershell": "throw 'gds-exec failed';\n",
    "cmd": "cmd /c exit 1\r\n",
}
