"""Interactive shells on a terminal, as people sit at them."""

import shutil
from dataclasses import dataclass

import pexpect
import pytest

from .world import World

_READY = "rea''dy"  # as typed it is not what is printed


@dataclass(frozen=True)
class Shell:
    """A shell that people use: how it is started without their settings, and what it says in its own way."""

    argv: tuple[str, ...]
    quiet: str
    status: str = "$?"

    @property
    def name(self) -> str:
        return self.argv[0]

    def open(self, world: World, *, environ: dict[str, str] | None = None) -> pexpect.spawn:
        """Start the shell on a terminal of its own, ready for a line; skip the test where it is missing."""
        if shutil.which(self.name) is None:
            pytest.skip(f"{self.name} is not installed")
        terminal = world.terminal_program(*self.argv, environ=environ)
        terminal.sendline(f"{self.quiet}; echo {_READY}")
        terminal.expect_exact("ready")
        return terminal


BASH = Shell(("bash", "--norc", "--noprofile", "-i"), quiet="bind 'set enable-bracketed-paste off'; PS1='> '")
ZSH = Shell(("zsh", "-fi"), quiet="unsetopt zle promptcr promptsp; PS1='> '")
FISH = Shell(
    ("fish", "--no-config", "-i"),
    quiet="function fish_prompt; echo -n '> '; end; function fish_title; end",
    status="$status",
)

every_shell = pytest.mark.parametrize("shell", [BASH, ZSH, FISH], ids=lambda shell: shell.name)
