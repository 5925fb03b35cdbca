"""What a person meets when gds-exec stops: one or two lines on standard error, and nothing else."""

import re
import subprocess

_WHAT = re.compile(r"gds-exec: .+ \[[a-z-]+\]")


FAILED_EXPORT = b"false;\n"


def assert_ours(
    result: subprocess.CompletedProcess[bytes], status: int, *words: str, printed: bytes = b""
) -> str:
    """Check a failure of ours: its exit status, its lines and that they hold `words`; return them."""
    said = result.stderr.decode()
    assert result.returncode == status, said
    assert result.stdout == printed, "standard output is the command's"
    assert_speaks_as_ours(said, *words)
    return said


def assert_speaks_as_ours(said: str, *words: str) -> None:
    """Check that `said` is what went wrong in a line, perhaps after warnings, and perhaps a hint."""
    assert "Traceback" not in said, said
    assert "internal-error" not in said, said
    lines = said.splitlines()
    hints = [line for line in lines if line.startswith("hint: ")]
    told = [line for line in lines if line not in hints]
    assert told, "nothing was said"
    assert _WHAT.fullmatch(told[-1]), said
    assert all(line.startswith("gds-exec: ") for line in told), said
    assert len(hints) <= 1, said
    for word in words:
        assert word in said, f"{word!r} is not in: {said}"
