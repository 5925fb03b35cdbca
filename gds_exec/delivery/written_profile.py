"""A session as a profile of the AWS credentials file: the text of the file with it.

All else in the text stays as it is, to the byte. A section that has no marker of ours is never changed.
"""

from __future__ import annotations

from gds_exec.delivery.ini_lines import ini_lines
from gds_exec.environment import credential_variables
from gds_exec.errors import OutputFailed
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gds_exec.delivery.ini_lines import IniLine
    from gds_exec.session import SessionCredentials

    Settings = Mapping[str, str]

MARKER = "gds_exec_written_for"
_OURS = frozenset(
    (
        MARKER,
        "aws_access_key_id",
        "aws_credential_expiration",
        "aws_secret_access_key",
        "aws_session_token",
        "region",
    )
)
# A header of nothing else is the same profile to every client.
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@:/-")
_INHERITED_BY_ALL = "DEFAULT"


def is_profile_name(text: str) -> bool:
    """Say whether a section of this name is a profile, and the same one, to every client."""
    return text not in ("", _INHERITED_BY_ALL) and _NAME_CHARACTERS.issuperset(text)


def credential_settings(session: SessionCredentials, *, region: str | None) -> dict[str, str]:
    """Return the settings of a profile that has this session for its keys."""
    settings = {name.lower(): value for name, value in credential_variables(session).items()}
    return {**settings, "region": region} if region else settings


def written_settings(session: SessionCredentials, *, role: str, region: str | None) -> dict[str, str]:
    """Return those with our marker, which says what they were written for."""
    note = show(role).encode("ascii", "backslashreplace").decode("ascii").strip()
    return {MARKER: note, **credential_settings(session, region=region)}


def section_text(name: str, settings: Settings, *, line_end: str = "\n") -> str:
    """Return a section of its own. Raise `OutputFailed` where clients would not read it back as it is."""
    if not is_profile_name(name):
        raise OutputFailed(f"'{show(name)}' cannot be the name of a section in an AWS credentials file")
    return f"[{name}]{line_end}{_setting_lines(settings, indent='', line_end=line_end)}"


def with_profile(text: str, name: str, settings: Settings) -> str:
    """Return the text of a credentials file with these settings in the section `[name]`.

    A section that we wrote has its place and all that others added to it; a new one comes last. Raise
    `OutputFailed` for a section that is not ours.
    """
    lines = list(ini_lines(text))
    line_end = _line_end(lines)
    headers = {line.header for line in lines if line.header.strip() == name}
    if not headers:
        return text + _gap(text, line_end) + section_text(name, settings, line_end=line_end)
    marker = next((line for line in lines if line.header == name and line.key == MARKER), None)
    if marker is None or headers != {name}:  # `[ name ]` is the same section to some clients
        raise not_ours(name)
    written = _setting_lines(settings, indent=marker.indent, line_end=line_end)
    return "".join(
        written if line is marker else line.text
        for line in lines
        if line is marker or line.header != name or line.key not in _OURS
    )


def not_ours(name: str) -> OutputFailed:
    """Return what to raise for a section that we did not write."""
    return OutputFailed(
        f"[{show(name)}] of the AWS credentials file was not written by gds-exec, and is left as it is",
        hint="choose another name",
    )


def _setting_lines(settings: Settings, *, indent: str, line_end: str) -> str:
    for key, value in settings.items():
        if not (value.isascii() and value.isprintable() and value == value.strip()):
            raise OutputFailed(f"{key} cannot be written to an AWS credentials file: it is not plain text")
    return "".join(f"{indent}{key} = {value}{line_end}" for key, value in settings.items())


def _line_end(lines: Iterable[IniLine]) -> str:
    """Return how the first line ends."""
    first = next((line.text for line in lines), "")
    return first[len(first.rstrip("\r\n")) :] or "\n"


def _gap(text: str, line_end: str) -> str:
    """Return what parts a new section from what stands before it."""
    if not text:
        return ""
    return line_end if text.endswith(("\n", "\r")) else line_end * 2
