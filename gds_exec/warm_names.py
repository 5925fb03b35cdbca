"""The names of all roles, for completion: not read again from files in which nothing has changed."""

import os
import sys

from gds_exec.environment import callers_environment
from gds_exec.session import from_hex, read_checked_text, to_hex
from gds_exec.warm import (
    file_of,
    open_directory,
    print_at_once,
    stamp_lines,
    stamps_in,
    still_hold,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEADER = "gds-exec names 2"
_LIMIT_BYTES = 16 << 20
_VARIABLES = ("HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


def serve_names(environ: "Mapping[str, str]") -> bool:
    """Print the names, one a line, if the cache has them as they are now; say whether it had."""
    caller = callers_environment(environ)
    directory = open_directory(caller)
    if directory is None:
        return False
    try:
        lines = _lines(directory, asked_for_names(caller))
    finally:
        os.close(directory)
    if lines is None:
        return False
    encoding = sys.stdout.encoding if sys.stdout is not None else "ascii"
    return print_at_once(lines.encode(encoding, "backslashreplace"))


def asked_for_names(environ: "Mapping[str, str]") -> str:
    """Return what decides which names there are, in this environment."""
    return repr(["names", *map(environ.get, _VARIABLES)])


def serialise_names(asked: str, names: "Iterable[str]", stamps: "Mapping[str, str]") -> str:
    """Return the text of the file that has the names."""
    lines = "".join(f"{name}\n" for name in names)
    return "\n".join([_HEADER, to_hex(asked), *stamp_lines(stamps), to_hex(lines), "end", ""])


def _lines(directory: int, asked: str) -> str | None:
    found = (read_checked_text(directory, file_of(asked), limit_bytes=_LIMIT_BYTES) or "").split("\n")
    if len(found) < 5 or found[:2] != [_HEADER, to_hex(asked)] or found[-2:] != ["end", ""]:
        return None
    *stamps, names = found[2:-2]
    try:
        return from_hex(names) if still_hold(stamps_in(stamps)) else None
    except ValueError:
        return None
