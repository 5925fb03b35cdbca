"""The default profile, taken out of the way of an endpoint: what AWS's files say, without its credentials.

Every client looks into `[default]` before it asks an endpoint. The lines are told apart as configparser
does it, which botocore reads the files with; nothing is refused here, for the files have been read before.
"""

from __future__ import annotations

import io

from gds_exec.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# That make some client or other take the profile for a source of credentials.
_CREDENTIAL_SETTINGS = frozenset(
    (
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_security_token",
        "aws_session_token",
        "credential_process",
        "credential_source",
        "login_session",
        "role_arn",
        "source_profile",
        "sso_account_id",
        "sso_region",
        "sso_role_name",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
    )
)
_INHERITED_BY_ALL = "DEFAULT"
_COMMENTS = ("#", ";")
_QUOTES = dict.fromkeys(map(ord, "\"'\\"))


class _Line(Value):
    """A line as it stands; what section it is in, and which setting it begins or goes on with, if any."""

    text: str
    header: str
    key: str

    _unshown = ("text",)


def hides_endpoint(config_text: str, credentials_text: str) -> bool:
    """Return whether the default profile of these two files has credentials, or a way to some."""
    return any(without_default_credentials(text) != text for text in (config_text, credentials_text))


def without_default_credentials(text: str) -> str:
    """Return the text of one of the files as it is, but for the credential settings of its default profile.

    Where it inherits such a setting from `[DEFAULT]`, as others may, the whole profile is left out.
    """
    lines = list(_lines(text))
    defaults = {header for header in {line.header for line in lines} if _is_default(header)}
    if any(line.header == _INHERITED_BY_ALL and line.key in _CREDENTIAL_SETTINGS for line in lines):
        return "".join(_outside(defaults, lines))
    return "".join(
        line.text for line in lines if line.header not in defaults or line.key not in _CREDENTIAL_SETTINGS
    )


def _outside(headers: set[str], lines: list[_Line]) -> Iterator[str]:
    is_inside = False
    for line in lines:
        was_inside, is_inside = is_inside, line.header in headers
        if not is_inside:
            # A header that is indented would go on with the setting that now stands above it.
            yield line.text.lstrip() if was_inside else line.text


def _lines(text: str) -> Iterator[_Line]:
    header = key = ""
    indent = 0
    for line in io.StringIO(text, newline=""):
        content = line.strip()
        if not content or content.startswith(_COMMENTS):
            yield _Line(line, header, "")
            continue
        if not key or _indent(line) <= indent:
            indent = _indent(line)
            header, key = _begun_by(content, header)
        yield _Line(line, header, key)


def _begun_by(content: str, header: str) -> tuple[str, str]:
    """Return the section that a line is in, itself perhaps its header, and the key that it sets."""
    end = content.rfind("]")
    if content[0] == "[" and end > 1:
        return content[1:end], ""
    name = content.partition("=")[0].partition(":")[0]
    return header, name.rstrip().lower()


def _is_default(header: str) -> bool:
    """Say whether some client may take this for the default profile: `[ default ]`, `[profile "default"]`."""
    *before, last = header.translate(_QUOTES).split() or [""]
    return last == "default" and (not before or (len(before) == 1 and before[0].startswith("profile")))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
