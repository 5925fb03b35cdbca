"""Find programs: helpers that we choose ourselves, such as `ykman`, and the user's shell."""

from __future__ import annotations

import os
import sys

from gds_exec.execute import look_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def helper_path(name: str, environ: Mapping[str, str]) -> str | None:
    """Return where the program of that name is, or `None`.

    Relative entries of the search path are left out: nobody who enters a directory and runs
    gds-exec means to run whatever is named like a helper of ours there.
    """
    entries = environ.get("PATH", os.defpath).split(":")
    trusted = ":".join(entry for entry in entries if os.path.isabs(entry))
    return look_up(name, path=trusted) if trusted else None


def user_shell(environ: Mapping[str, str]) -> str:
    """Return $SHELL, else the one that the user was given, else /bin/sh."""
    if environ.get("SHELL"):
        return environ["SHELL"]
    import pwd  # rarely needed

    try:
        return pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    except KeyError:  # a user without an entry, as in containers
        return "/bin/sh"


def installed_program() -> str:
    """Return the path of gds-exec, for a process whose PATH may differ from ours."""
    beside = os.path.join(os.path.dirname(sys.executable), "gds-exec")
    return beside if os.access(beside, os.X_OK) else os.path.abspath(sys.argv[0])
