"""Role shells at a desk: the real shell on a terminal, and a stand-in for gds-exec that logs its calls."""

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pexpect
import pytest

from gds_exec.delivery.role_shell import shell_init

from .fake_time import preloaded_library
from .world import PATIENCE_SECONDS, PYTHON

MARKER = "prod 123456789012"
HOUR = 3600

# As gds-exec starts a role shell, apart from where the variables come from.
_BECOME = """
import os, sys
from gds_exec.delivery.role_shell import role_shell
environ = dict(os.environ, GDS_EXEC_SHELL=f"/nowhere/{os.getpid()}.running")
_, kind, path, *plain = sys.argv
if plain:
    os.execve(path, [path, "-i"], environ)
shell = role_shell(kind, path, environ=environ)
environ.update({name: value for name, value in shell.changes.items() if value is not None})
os.execve(path, shell.argv, environ)
"""
# Told where it is by its own path.
_PROGRAM = """#!/bin/sh
echo "$* for ${GDS_EXEC_SHELL%/*}" >> "${0%/*}/calls"
. "${0%/*}/answer"
"""


@dataclass(frozen=True)
class Dialect:
    """How one shell says what every scenario says. `rc` makes for a plain terminal and a known prompt."""

    kind: str
    rc_file: str
    rc: str
    options: str
    status: str
    own_id: str
    pipe_status: str
    set_prompt: str  # to %s
    prompt_with_status: str
    prefix_prompt: str  # as a virtual environment does
    prompt_built_each_time: str
    prompt_built_later: str
    failing_pipeline: str
    statement: str  # sets the variable %s to %s
    init: str  # evaluates the output of the program %s
    keep_history: str
    history_file: str

    def __str__(self) -> str:
        return self.kind


BASH = Dialect(
    kind="bash",
    rc_file=".bashrc",
    rc="bind 'set enable-bracketed-paste off'; PS1='user> '; alias hello='echo from an al\"\"ias'\n",
    options="$-",
    status="$?",
    own_id="$$",
    pipe_status="${PIPESTATUS[*]}",
    set_prompt="PS1='%s'",
    prompt_with_status="PS1='<$?> '",
    prefix_prompt='PS1="(venv) $PS1"',
    prompt_built_each_time="PROMPT_COMMAND='PS1=\"user> \"'",
    prompt_built_later="PROMPT_COMMAND+='; PS1=\"built> \"'",
    keep_history="",
    history_file=".bash_history",
    failing_pipeline="(exit 3) | (exit 4)",
    statement="export %s=%s",
    init='eval "$(%s)"',
)
ZSH = Dialect(
    kind="zsh",
    rc_file=".zshrc",
    rc="unsetopt zle promptcr promptsp; PROMPT='user> '; alias hello='echo from an al\"\"ias'\n",
    options="$-",
    status="$?",
    own_id="$$",
    pipe_status="$pipestatus",
    set_prompt="PROMPT='%s'",
    prompt_with_status="PROMPT='<%?> '",
    prefix_prompt='PROMPT="(venv) $PROMPT"',
    prompt_built_each_time="builds() { PROMPT='user> ' }; precmd_functions=(builds)",
    prompt_built_later="builds() { PROMPT='built> ' }; precmd_functions+=(builds)",
    keep_history="HISTFILE=${ZDOTDIR:-$HOME}/.zsh_history SAVEHIST=100",
    history_file=".zsh_history",
    failing_pipeline="(exit 3) | (exit 4)",
    statement="export %s=%s",
    init='eval "$(%s)"',
)
FISH = Dialect(
    kind="fish",
    rc_file=".config/fish/config.fish",
    rc="function fish_greeting; end; function fish_title; end; function fish_prompt; echo -n 'user> '; end\n"
    "alias hello='echo from an al\"\"ias'\n",
    options="$fish_features",
    status="$status",
    own_id="$fish_pid",
    pipe_status='"$pipestatus"',
    set_prompt="function fish_prompt; echo -n '%s'; end",
    prompt_with_status='function fish_prompt; echo -n "<$status> "; end',
    prefix_prompt="functions -c fish_prompt old_prompt; "
    "function fish_prompt; echo -n '(venv) '; old_prompt; end",
    prompt_built_each_time="function builds --on-event fish_prompt; "
    "function fish_prompt; echo -n 'user> '; end; end",
    prompt_built_later="function builds --on-event fish_prompt; "
    "function fish_prompt; echo -n 'built> '; end; end",
    keep_history="",
    history_file=".local/share/fish/fish_history",
    failing_pipeline="sh -c 'exit 3' | sh -c 'exit 4'",
    statement="set -gx %s %s",
    init="%s | source",
)


@dataclass
class Desk:
    """One shell's home, and what the stand-in for gds-exec does."""

    home: Path
    dialect: Dialect

    def __post_init__(self) -> None:
        self.program = self.home / "gds-exec"
        self.program.write_text(_PROGRAM)
        self.program.chmod(0o755)
        # Where this is missing, fish makes completions of all manual pages in the background.
        (self.home / ".local/share/fish/generated_completions").mkdir(parents=True)
        self.write_rc("")
        self.answer("exit 1")

    def write_rc(self, text: str) -> None:
        """Write the user's rc file, which always begins with the dialect's."""
        file = self.home / self.dialect.rc_file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.dialect.rc + text)

    def write_hook(self) -> Path:
        """Write what `gds-exec shell-init` prints to a file."""
        file = self.home / "hook"
        file.write_text(shell_init(self.dialect.kind))
        return file

    def answer(self, script: str) -> None:
        """Have the stand-in do this from now on, in the language of /bin/sh."""
        (self.home / "answer").write_text(script + "\n")

    def answer_with(self, **variables: str | int) -> None:
        """Have the stand-in print the statements that set these."""
        statements = "\n".join(self.dialect.statement % item for item in variables.items())
        self.answer(f"cat <<'end'\n{statements}\nend")

    def calls(self) -> list[str]:
        file = self.home / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def open(
        self,
        *,
        renew_in: int = HOUR,
        expires_in: int = 2 * HOUR,
        under: tuple[str, ...] = (),
        is_plain: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> "AtPrompt":
        """Open the role shell, or one that is started plainly; skip the test where there is none.

        `under` is a command that runs another.
        """
        path = shutil.which(self.dialect.kind)
        if path is None:
            pytest.skip(f"{self.dialect.kind} is not installed")
        argv = [*under, PYTHON, "-c", _BECOME, self.dialect.kind, path, *(["plain"] if is_plain else [])]
        now = int(time.time())
        child = pexpect.spawn(
            argv[0],
            argv[1:],
            env={
                "HOME": str(self.home),
                "PATH": os.environ["PATH"],
                "TERM": "dumb",
                "LANG": "C.UTF-8",
                "GDS_EXEC_PROGRAM": str(self.program),
                "GDS_EXEC_ROLE": "prod",
                "GDS_EXEC_PROMPT": MARKER,
                "GDS_EXEC_RENEW_AT": str(now + renew_in),
                "GDS_EXEC_EXPIRES_AT": str(now + expires_in),
                "THING": "old",
                **(environ or {}),
            },
            cwd=str(self.home),
            timeout=PATIENCE_SECONDS,
            dimensions=(24, 200),
            encoding="utf-8",
        )
        child.delaybeforesend = None
        return AtPrompt(child, self.home)


@dataclass
class AtPrompt:
    """A person at the prompt of a role shell."""

    terminal: pexpect.spawn
    home: Path

    def sees(self, text: str) -> None:
        self.terminal.expect_exact(text)

    def types(self, line: str) -> None:
        """Type a line and see it through: what comes next on the terminal is the next prompt."""
        self.terminal.sendline(f"{line}\n echo do''ne")
        self.terminal.expect("(?<!echo )done\r\n")  # and not the line as a trace shows it

    def hears(self, command: str) -> str:
        """Return what a command prints."""
        said = self.home / "said"
        self.types(f" {command} > {said}")
        return said.read_text().rstrip("\n")

    def reads(self, expression: str) -> str:
        """Return what the shell makes of an expression."""
        return self.hears(f"echo {expression}")

    def leaves(self, line: str = "exit") -> int:
        """Leave the shell and return its exit status."""
        self.terminal.sendline(line)
        self.terminal.expect(pexpect.EOF)
        self.terminal.close()
        assert self.terminal.exitstatus is not None
        return int(self.terminal.exitstatus)


class FakeClock:
    """A clock that moves only when told, for a program that is run under it."""

    def __init__(self, file: Path) -> None:
        if shutil.which("faketime") is None:
            pytest.skip("faketime is not installed")
        self._file = file
        self._now = datetime.now()  # noqa: DTZ005  # as faketime reads it
        self.set_forward(0)

    def set_forward(self, seconds: int) -> None:
        self._file.write_text(self.text_after(seconds))
        self._now += timedelta(seconds=seconds)

    def text_after(self, seconds: int) -> str:
        """Return the text of the clock's file for a time this many seconds from now."""
        return (self._now + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S\n")

    @property
    def now(self) -> int:
        return int(self._now.timestamp())

    @property
    def under(self) -> tuple[str, ...]:
        """The command that runs another under this clock."""
        read_from = (f"FAKETIME_TIMESTAMP_FILE={self._file}", "FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1")
        return ("env", f"LD_PRELOAD={preloaded_library()}", *read_from)
