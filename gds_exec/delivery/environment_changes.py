"""What an export changes in its reader's environment, as a value: variables to set, and None to unset.

What a command would see is the single truth: nothing is set here that it would not have.
"""

from __future__ import annotations

from gds_exec.environment import COMPETING, callers_environment
from gds_exec.errors import OutputFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Changes = Mapping[str, str | None]

# What `gds aws ROLE -e` prints, and programs read: it comes first, in this order.
_UNSET_BY_CONTRACT = ("AWS_CREDENTIALS_FILE", "AWS_DEFAULT_PROFILE", "AWS_PROFILE")
_CONTRACT = (
    *_UNSET_BY_CONTRACT,
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
_UNSET_EVERYWHERE = COMPETING.union(_UNSET_BY_CONTRACT)
_LINE_ENDS = frozenset("\0\n\r")


def role_changes(environ: Mapping[str, str], child: Mapping[str, str]) -> dict[str, str | None]:
    """Return what makes the `child` environment of a command of `environ`, the caller's as it is.

    What would compete is unset, and what a role has is set, wherever the text is read: it may be kept
    in a file. Raise `OutputFailed` for a value that does not fit into a line.
    """
    kept = {name: value for name, value in child.items() if name not in _UNSET_BY_CONTRACT}
    delivered = {name for name in (*_CONTRACT, "GDS_EXEC_ROLE") if name in kept}
    return _changes(kept, _differing(environ, kept) | delivered | _UNSET_EVERYWHERE)


def undoing_changes(environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return what takes a role out of `environ` again, and brings back what is known of the caller's."""
    caller = callers_environment(environ)
    return _changes(caller, _differing(environ, caller))


def _differing(environ: Mapping[str, str], wanted: Mapping[str, str]) -> set[str]:
    return {name for name in environ.keys() | wanted.keys() if environ.get(name) != wanted.get(name)}


def _changes(wanted: Mapping[str, str], names: Iterable[str]) -> dict[str, str | None]:
    variables = sorted(filter(_is_variable, names), key=lambda name: _rank(name, wanted.get(name)))
    for name in variables:
        if not _LINE_ENDS.isdisjoint(wanted.get(name, "")):
            raise OutputFailed(f"the value of {name} cannot be exported: it is more than one line")
    return {name: wanted.get(name) for name in variables}


def _rank(name: str, value: str | None) -> tuple[int, bool, str]:
    place = _CONTRACT.index(name) if name in _CONTRACT and _keeps_form(name, value) else len(_CONTRACT)
    return place, value is not None, name


def _keeps_form(name: str, value: str | None) -> bool:
    return (value is None) == (name in _UNSET_BY_CONTRACT)


def _is_variable(name: str) -> bool:
    """Say whether a shell can have a variable of this name; an environment can hold any."""
    return name.isascii() and name.isidentifier()
