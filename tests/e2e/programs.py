"""Small programs that tests write and run."""

from pathlib import Path


def program(path: Path, text: str | bytes, *, mode: int = 0o755) -> Path:
    """Write a program to `path` and return it."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path
