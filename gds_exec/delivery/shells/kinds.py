"""The shells that a role shell can be: those with a hook before each prompt."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    ShellKind = Literal["bash", "zsh", "fish"]

SHELL_KINDS: tuple[ShellKind, ...] = ("bash", "fish", "zsh")


def shell_kind(path: str) -> ShellKind | None:
    """Return which of these the program at `path` is, by its name; None for any other."""
    name = os.path.basename(path)
    return next((kind for kind in SHELL_KINDS if kind == name), None)
