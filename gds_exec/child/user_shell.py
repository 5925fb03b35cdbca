"""Which shell is the user's."""

import os
import pwd
from collections.abc import Mapping


def user_shell(environ: Mapping[str, str]) -> str:
    """Return $SHELL, else the one that the user was given, else /bin/sh."""
    if environ.get("SHELL"):
        return environ["SHELL"]
    try:
        return pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    except KeyError:  # a user without an entry, as in containers
        return "/bin/sh"
