"""Reading and changing files of a cache, with a correct checksum."""

from pathlib import Path

from gds_exec.session import with_checksum


def cached_text(path: Path) -> str:
    """The text of a file without its checksum."""
    return path.read_text().rpartition("checksum=")[0]


def write_cached(path: Path, text: str) -> None:
    """Write a text with its checksum to a private file."""
    path.touch(0o600)
    path.write_text(with_checksum(text))
