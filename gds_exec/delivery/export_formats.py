"""The formats that a session is exported in, by name."""

from __future__ import annotations

import os

from gds_exec.delivery.credentials_file import credential_settings, section_text
from gds_exec.delivery.sdk_documents import process_document
from gds_exec.delivery.shell_syntax import SHELLS, statements
from gds_exec.environment import credential_variables
from gds_exec.lean import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gds_exec.delivery.environment_changes import Changes
    from gds_exec.session import SessionCredentials

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


_MEMBERS = {
    "AccessKeyId": "AWS_ACCESS_KEY_ID",
    "SecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "SessionToken": "AWS_SESSION_TOKEN",
    "Expiration": "AWS_CREDENTIAL_EXPIRATION",
}


def assume_role_document(session: SessionCredentials) -> str:
    """Return what `aws sts assume-role` prints, but for the role's id, which is not kept.

    Without a role it is what `aws sts get-session-token` prints.
    """
    import json  # dear, and few ask for it

    variables = credential_variables(session)
    credentials = {member: variables[name] for member, name in _MEMBERS.items() if name in variables}
    document: dict[str, dict[str, str]] = {"Credentials": credentials}
    if session.arn:
        document["AssumedRoleUser"] = {"Arn": session.arn}
    return json.dumps(document, indent=4) + "\n"


DEFAULT_FORMAT = "sh"


class Export(Value):
    """A session, what its role was called, and what it changes in an environment."""

    session: SessionCredentials
    role: str
    changes: Changes

    _unshown = ("changes",)

    @property
    def variables(self) -> dict[str, str]:
        return {name: value for name, value in self.changes.items() if value is not None}


def export_text(format_name: str, export: Export) -> str:
    """Return the export in one of `FORMATS`. Raise `OutputFailed` for what that has no words for."""
    if format_name in SHELLS:
        return statements(format_name, export.changes)
    return _OTHERS[format_name](export)


def _ini(export: Export) -> str:
    settings = credential_settings(export.session, region=export.variables.get("AWS_REGION"))
    return section_text(export.role, settings)


_OTHERS: dict[str, Callable[[Export], str]] = {
    "dotenv": lambda export: dotenv(export.variables),
    "json": lambda export: json_object(export.variables),
    "credential-process": lambda export: f"{process_document(export.session)}\n",
    "ini": _ini,
    "github-env": lambda export: github_file(export.variables),
    "github-output": lambda export: github_file(export.variables),
    "assume-role-json": lambda export: assume_role_document(export.session),
}
FORMATS = (*SHELLS, *_OTHERS)
