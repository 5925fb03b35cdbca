"""`gds-exec completions`: what completes our command lines in the person's own shell."""

from __future__ import annotations

import os
import sys

from gds_exec.credentials.private_directory import replace_file
from gds_exec.errors import ConfigError, OutputFailed, UsageError
from gds_exec.lean import Value
from gds_exec.output import printing
from gds_exec.redaction import show
from gds_exec.warm import PACKAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_OURS = "# Completion of gds-exec's command lines"


class Place(Value):
    """Where a shell looks for a user's own completions: `below` a base directory, and what is to be said."""

    source: str
    variable: str
    base: str
    below: str
    advice: str


_PLACES = {
    "bash": Place(
        "gds-exec.bash",
        "XDG_DATA_HOME",
        ".local/share",
        "bash-completion/completions/gds-exec",
        "bash-completion loads it; without that, put into your ~/.bashrc: source {quoted}",
    ),
    "fish": Place("gds-exec.fish", "XDG_CONFIG_HOME", ".config", "fish/completions/gds-exec.fish", ""),
    "zsh": Place(
        "_gds-exec",
        "XDG_DATA_HOME",
        ".local/share",
        "zsh/site-functions/_gds-exec",
        "if `echo $fpath` does not show that directory, put into your ~/.zshrc, before compinit: "
        "fpath=({quoted_directory} $fpath)",
    ),
}


def install(shell: str, environ: Mapping[str, str]) -> None:
    """Write the shell's file where it looks for a user's own, and print where that is.

    Raise `UsageError` for a shell that there is none for, `ConfigError` where a file of somebody else's
    is in its place, and `OutputFailed` where it cannot be written.
    """
    place = _place(shell)
    path = _target(place, environ)
    _check_ours(path)
    try:
        _replace(path, _text(place))
    except OSError as error:
        raise OutputFailed(f"{show(path)} cannot be written: {error.strerror}") from error
    with printing():
        sys.stdout.write(f"{show(path)}\n{_advice(place, path)}")


def show_completion(shell: str) -> None:
    """Print the shell's file. Raise `UsageError` for a shell that there is none for."""
    text = _text(_place(shell))
    with printing():
        sys.stdout.write(text)


def _place(shell: str) -> Place:
    if shell not in _PLACES:
        raise UsageError(
            f"there is no completion for {show(shell)}", hint=f"there is one for {', '.join(_PLACES)}"
        )
    return _PLACES[shell]


def _target(place: Place, environ: Mapping[str, str]) -> str:
    base = environ.get(place.variable, "")
    if not os.path.isabs(base):
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            raise ConfigError(
                "there is no home directory", hint="set HOME, or use gds-exec completions SHELL"
            )
        base = os.path.join(home, place.base)
    return os.path.realpath(os.path.join(base, place.below))


def _check_ours(path: str) -> None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            is_ours = _OURS in file.read(1000)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputFailed(f"{show(path)} cannot be read: {error.strerror}") from error
    if not is_ours:
        raise ConfigError(
            f"{show(path)} is there and is not ours", hint="move it away, or use gds-exec completions SHELL"
        )


def _replace(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.urandom(8).hex()}.tmp"
    replace_file(None, path, text.encode(), temporary=temporary, is_private=False, is_durable=False)


def _text(place: Place) -> str:
    in_package = os.path.join(PACKAGE, "completions")
    # A checkout that is installed as it stands has them beside the package.
    directory = in_package if os.path.isdir(in_package) else os.path.join(PACKAGE, "..", "completions")
    with open(os.path.join(directory, place.source), encoding="utf-8") as file:
        return file.read()


def _advice(place: Place, path: str) -> str:
    import shlex  # which loads re

    if not place.advice:
        return ""
    quoted, quoted_directory = map(shlex.quote, (path, os.path.dirname(path)))
    return place.advice.format(quoted=quoted, quoted_directory=quoted_directory) + "\n"
