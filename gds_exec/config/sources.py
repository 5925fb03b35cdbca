"""Where a chain's first credentials come from, as values: keys, what hands keys out, or a token."""

from __future__ import annotations

from gds_exec.lean import Value
from gds_exec.options import SOURCES

PROFILE, ENVIRONMENT, WEB_IDENTITY, GITHUB, CONTAINER, INSTANCE = SOURCES
TOKEN_FILE, TOKEN_VARIABLE, TOKEN_COMMAND = "file", "variable", "command"
DEFAULT_AUDIENCE = "sts.amazonaws.com"


class StoredKeys(Value):
    """An access key as it stands in the files."""

    profile_name: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    _unshown = ("secret_access_key", "session_token")

    @property
    def owner(self) -> str:
        return f"profile {self.profile_name}"


class CredentialProcess(Value):
    """A command that prints an access key, as AWS defines `credential_process`."""

    profile_name: str
    command: str

    _unshown = ("command",)

    @property
    def owner(self) -> str:
        return f"profile {self.profile_name}"


class EnvironmentKeys(Value):
    """An access key in the environment; `outer_role` is the one whose session it is, inside a gds-exec."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    outer_role: str | None = None

    _unshown = ("secret_access_key", "session_token")
    profile_name = None

    @property
    def owner(self) -> str:
        return "the environment" if self.outer_role is None else f"the outer role {self.outer_role}"


class ContainerRole(Value):
    """An endpoint that hands out a container's session: `where` is its URL, or its path on ECS's own host.

    `outer_role` is the role whose session it is, inside a refreshed gds-exec.
    """

    where: str
    is_path: bool = False
    outer_role: str | None = None
    profile_name = None

    @property
    def owner(self) -> str:
        return "the container" if self.outer_role is None else f"the outer role {self.outer_role}"


class InstanceRole(Value):
    """The instance's metadata service, by the URL that is set in the place of its own.

    It may not be there: `otherwise` says what else there was not, where it is the last hope.
    """

    endpoint_url: str | None = None
    otherwise: str | None = None
    otherwise_hint: str | None = None
    profile_name = None
    owner = "the instance"


class WebIdentityToken(Value):
    """An OIDC token that AWS exchanges for a role's session: in a file or a variable, printed, or minted.

    `where` is the file's path, the variable's name or the command; `GITHUB` needs none.
    """

    kind: str
    where: str = ""
    audience: str = DEFAULT_AUDIENCE
    profile_name: str | None = None

    @property
    def owner(self) -> str:
        return {
            TOKEN_FILE: f"the web identity token in {self.where}",
            TOKEN_VARIABLE: f"the web identity token in ${self.where}",
            TOKEN_COMMAND: "the web identity token that the command prints",
        }.get(self.kind, "the job's web identity token of GitHub")


KeySource = StoredKeys | CredentialProcess | EnvironmentKeys | ContainerRole | InstanceRole
Source = KeySource | WebIdentityToken


def is_seen_by_command(source: Source) -> bool:
    """Say whether a command finds the source again, which has no keys, endpoint or token of the caller's."""
    return source.profile_name is not None or isinstance(source, InstanceRole)


class WantedSource(Value):
    """What was asked of the source: the only kind to look for, and where a token is."""

    kind: str | None = None
    token: WebIdentityToken | None = None
    audience: str = DEFAULT_AUDIENCE

    @property
    def is_outside_files(self) -> bool:
        """Whether none in the files will do."""
        return self.token is not None or self.kind not in (None, PROFILE)
