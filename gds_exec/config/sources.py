"""Where a chain's first credentials come from, as values: keys, what hands keys out, or a token.

The `setting` of each says where it was found; its `source_kind` is one of `SOURCES`.
"""

from __future__ import annotations

from gds_exec.config.provenance import DEFAULT, VARIABLE, Setting
from gds_exec.lean import Value
from gds_exec.options import SOURCES

PROFILE, ENVIRONMENT, WEB_IDENTITY, GITHUB, CONTAINER, INSTANCE = SOURCES
TOKEN_FILE, TOKEN_VARIABLE, TOKEN_COMMAND = "file", "variable", "command"
DEFAULT_AUDIENCE = "sts.amazonaws.com"
CONTAINER_PATH = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
CONTAINER_URL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
INSTANCE_URL = "AWS_EC2_METADATA_SERVICE_ENDPOINT"


class StoredKeys(Value):
    """An access key as it stands in the files."""

    profile_name: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    setting: Setting | None = None

    _unshown = ("secret_access_key", "session_token")
    _notes = ("setting",)
    source_kind = PROFILE

    @property
    def owner(self) -> str:
        return f"profile {self.profile_name}"


class CredentialProcess(Value):
    """A command that prints an access key, as AWS defines `credential_process`."""

    profile_name: str
    command: str
    setting: Setting | None = None

    _unshown = ("command",)
    _notes = ("setting",)
    source_kind = PROFILE

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
    source_kind = ENVIRONMENT
    profile_name = None

    @property
    def setting(self) -> Setting:
        return Setting("access_key_id", self.access_key_id, VARIABLE, "AWS_ACCESS_KEY_ID")

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
    source_kind = CONTAINER
    profile_name = None

    @property
    def setting(self) -> Setting:
        variable = CONTAINER_PATH if self.is_path else CONTAINER_URL
        return Setting("container_credentials", self.where, VARIABLE, variable)

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
    source_kind = INSTANCE
    profile_name = None
    owner = "the instance"

    @property
    def setting(self) -> Setting:
        if self.endpoint_url is None:
            return Setting("instance_metadata", "http://169.254.169.254/", DEFAULT)
        return Setting("instance_metadata", self.endpoint_url, VARIABLE, INSTANCE_URL)


class WebIdentityToken(Value):
    """An OIDC token that AWS exchanges for a role's session: in a file or a variable, printed, or minted.

    `where` is the file's path, the variable's name or the command; `GITHUB` needs none.
    """

    kind: str
    where: str = ""
    audience: str = DEFAULT_AUDIENCE
    profile_name: str | None = None
    setting: Setting | None = None

    _notes = ("setting",)

    @property
    def source_kind(self) -> str:
        return PROFILE if self.profile_name is not None else WEB_IDENTITY

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
