"""Finding the helper programs that we choose ourselves, such as `ykman`."""

from __future__ import annotations

import os

from gds_exec.replacement import look_up

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
