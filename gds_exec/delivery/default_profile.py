"""The default profile, taken out of the way of an endpoint: what AWS's files say, without its credentials.

Every client looks into `[default]` before it asks an endpoint. Nothing is refused here, for the files have
been read before.
"""

from __future__ import annotations

from gds_exec.delivery.ini_lines import ini_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gds_exec.delivery.ini_lines import IniLine

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
_QUOTES = dict.fromkeys(map(ord, "\"'\\"))


def hides_endpoint(config_text: str, credentials_text: str) -> bool:
    """Return whether the default profile of these two files has credentials, or a way to some."""
    return any(without_default_credentials(text) != text for text in (config_text, credentials_text))


def without_default_credentials(text: str) -> str:
    """Return the text of one of the files as it is, but for the credential settings of its default profile.

    Where it inherits such a setting from `[DEFAULT]`, as others may, the whole profile is left out.
    """
    lines = list(ini_lines(text))
    defaults = {header for header in {line.header for line in lines} if _is_default(header)}
    if any(line.header == _INHERITED_BY_ALL and line.key in _CREDENTIAL_SETTINGS for line in lines):
        return "".join(_outside(defaults, lines))
    return "".join(
        line.text for line in lines if line.header not in defaults or line.key not in _CREDENTIAL_SETTINGS
    )


def _outside(headers: set[str], lines: list[IniLine]) -> Iterator[str]:
    is_inside = False
    for line in lines:
        was_inside, is_inside = is_inside, line.header in headers
        if not is_inside:
            # A header that is indented would go on with the setting that now stands above it.
            yield line.text.lstrip() if was_inside else line.text


def _is_default(header: str) -> bool:
    """Say whether some client may take this for the default profile: `[ default ]`, `[profile "default"]`."""
    *before, last = header.translate(_QUOTES).split() or [""]
    return last == "default" and (not before or (len(before) == 1 and before[0].startswith("profile")))
