"""What each shell would offer for a command line, asked of our completion without a terminal."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.world import needs

COMPLETIONS = Path(__file__).parent.parent / "completions"

_BASH = """
source "$COMPLETIONS/gds-exec.bash"
COMP_LINE=$1 COMP_POINT=${#1}
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) last=${!#}
[[ $last == [=:] ]] && last=
_gds_exec gds-exec "$last" "${COMP_WORDS[COMP_CWORD - 1]}"
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
true
"""
# Its completion system runs on a terminal alone: what it would be told is printed here instead.
_ZSH = """
_wanted() { shift 3; "$@" }
compadd() {
    if [[ " $* " == *" -a "* ]]; then
        print -rl -- "${(@P)@[-1]}"
    else
        print -rl -- "${(@)@[$[${@[(i)-]} + 1],-1]}"
    fi
}
_describe() { print -rl -- "${(@)${(@P)@[-1]}%%:*}" }
_message() { : }
_command_names() { print -r -- "a command" }
_normal() { print -r -- "arguments of $words[1]" }
_files() { print -r -- "a file" }
compset() { : }
words=("$@")
CURRENT=$#
set --
source "$COMPLETIONS/_gds-exec"
"""
_FISH = 'source "$COMPLETIONS/gds-exec.fish"; complete -C "$argv[1]"'

SHELLS = [pytest.param(name, marks=needs(name)) for name in ("bash", "zsh", "fish")]


def offered(
    shell: str, *arguments: str, environ: dict[str, str] | None = None, completions: Path = COMPLETIONS
) -> list[str]:
    """Return what may stand in the place of the last argument, which is what has been typed of it."""
    words = ["gds-exec", *arguments]
    line = " ".join(words)
    argv = {
        "bash": ["bash", "--norc", "-c", _BASH, "bash", line, *_as_bash_splits(words)],
        "zsh": ["zsh", "-f", "-c", _ZSH, "zsh", *words],
        "fish": ["fish", "--no-config", "-c", _FISH, line],
    }[shell]
    environ = {"PATH": os.defpath, "HOME": os.environ["HOME"], "LANG": "C.UTF-8", **(environ or {})}
    environ["COMPLETIONS"] = str(completions)
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    typed = arguments[-1]
    candidates = [candidate.split("\t")[0] for candidate in done.stdout.splitlines()]
    return candidates if shell == "zsh" and "=" in typed else [c for c in candidates if c.startswith(typed)]


def _as_bash_splits(words: list[str]) -> list[str]:
    return [
        piece
        for word in words
        for piece in (word.replace("=", "\0=\0").replace(":", "\0:\0").split("\0") if word else [""])
        if piece or not word
    ]
