"""Draw the README's picture from a real session: a person at a terminal, in `gds-exec try`.

    .venv/bin/python .github/picture.py

It types the lines below into a shell, answers the question as a person would (with the code that
`gds-exec try` shows), and writes what stood on the terminal to session.svg beside this file.
"""

import io
import os
import re
import sysconfig
from pathlib import Path

import pexpect
from rich.console import Console
from rich.text import Text

COLUMNS = 108
PROMPT = "\x1b[1;32m$ \x1b[0m"
TYPED = (
    "gds-exec try-readonly -- gds-exec whoami",
    "gds-exec try-chained -- sh -c 'echo $GDS_EXEC_ROLE in $AWS_REGION; exit 3'; echo \"exit status $?\"",
    "gds-exec try-raedonly -- terraform plan",
)
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px; \
line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" \
height="{terminal_height}" /></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def record() -> str:
    """Return what stood on the terminal."""
    scripts = sysconfig.get_path("scripts")
    environ = {
        "PATH": os.pathsep.join((scripts, os.environ["PATH"])),
        "HOME": "/nonexistent",
        "TERM": "xterm",
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",
        "PS1": PROMPT,
    }
    shell = pexpect.spawn(
        os.path.join(scripts, "gds-exec"), ["try"], env=environ, encoding="utf-8", dimensions=(40, COLUMNS)
    )
    transcript = shell.logfile_read = io.StringIO()
    shell.expect(r"shows (\d{3}) (\d{3})")
    code = "".join(shell.match.groups())
    for line in TYPED:
        shell.expect_exact(PROMPT)
        shell.sendline(line)
        if line == TYPED[0]:
            shell.expect("MFA code for .*: ")
            shell.sendline(code)
    shell.expect_exact(PROMPT)
    shell.sendline("exit")
    shell.expect(pexpect.EOF)
    return transcript.getvalue()


def draw(transcript: str) -> str:
    """Return the picture of what was said between the first prompt and the last."""
    session = transcript[transcript.index(PROMPT) : transcript.rindex(PROMPT)]
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(Text.from_ansi(re.sub(r"\r+\n", "\n", session).rstrip()))
    return console.export_svg(title="gds-exec", code_format=SVG)


if __name__ == "__main__":
    Path(__file__).with_name("session.svg").write_text(draw(record()), encoding="utf-8")
