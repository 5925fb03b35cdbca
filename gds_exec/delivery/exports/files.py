"""Variables as the files that other programs read them from."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Variables = Mapping[str, str]


def dotenv(variables: Variables) -> str:
    """Return the text for `docker --env-file`, which takes a line as it is: quotes would be of the value."""
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def json_object(variables: Variables) -> str:
    """Return one JSON object, of strings."""
    import json  # dear, and few ask for it

    return json.dumps(dict(variables), indent=2) + "\n"


def github_file(variables: Variables, *, delimiter: str | None = None) -> str:
    """Return the text to append to `$GITHUB_ENV` or `$GITHUB_OUTPUT`.

    The delimiter cannot be guessed by who had a say in a value. Source: GitHub, workflow commands.
    """
    end = delimiter or f"gds_exec_{os.urandom(16).hex()}"
    return "".join(f"{name}<<{end}\n{value}\n{end}\n" for name, value in variables.items())
