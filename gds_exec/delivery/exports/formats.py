"""Every format that a session is exported in, by its name."""

from __future__ import annotations

from gds_exec.delivery.document import process_document
from gds_exec.delivery.exports.documents import assume_role_document
from gds_exec.delivery.exports.files import dotenv, github_file, json_object
from gds_exec.delivery.exports.shells import SHELLS, statements
from gds_exec.delivery.written_profile import credential_settings, section_text
from gds_exec.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gds_exec.delivery.exports.changes import Changes
    from gds_exec.session import SessionCredentials

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
