"""What a run's first credentials come from and might come from, and what set that.

Of keys and helper commands is said only that they are there.
"""

from __future__ import annotations

from gds_exec.config.ci import GITHUB_URL
from gds_exec.config.environment_sources import (
    CONTAINER_PATH,
    CONTAINER_URL,
    INSTANCE_URL,
    TOKEN_FILE_VARIABLE,
    surveyed,
)
from gds_exec.config.provenance import (
    DEFAULT,
    NOT_SHOWN,
    VARIABLE,
    TracedSetting,
    from_option,
    from_variable,
    in_files,
)
from gds_exec.config.sources import (
    CONTAINER,
    ENVIRONMENT,
    GITHUB,
    INSTANCE,
    PROFILE,
    TOKEN_COMMAND,
    WEB_IDENTITY,
    ContainerRole,
    CredentialProcess,
    EnvironmentKeys,
    InstanceRole,
    StoredKeys,
    WebIdentityToken,
)
from gds_exec.lean import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.sources import Source, WantedSource

_INSTANCE_ADDRESS = "http://169.254.169.254/"


class Candidate(Value):
    """A kind of source, and whose its credentials are, if it is here."""

    kind: str
    owner: str | None
    is_taken: bool = False


def candidates(
    source: Source, *, is_bare: bool, wanted: WantedSource, environ: Mapping[str, str]
) -> list[Candidate]:
    """Return every kind of source in the order in which they are tried, `source` being the one that is taken.

    A bare role has no profile of its own; one that has begins with what that says or, where it is not
    here and this is CI, with the first that is.
    """
    found = dict(surveyed(wanted, environ))
    taken = _kind_of(source)
    owners = {kind: one.owner for kind, one in found.items() if one is not None} | {taken: source.owner}
    # An outer role's session only stands for a source that has gone.
    is_outer = getattr(found[ENVIRONMENT], "outer_role", None) is not None
    of_place = (WEB_IDENTITY, ENVIRONMENT) if is_outer else (ENVIRONMENT, WEB_IDENTITY)
    order = (
        (*of_place, PROFILE, CONTAINER, INSTANCE) if is_bare else (PROFILE, *of_place, CONTAINER, INSTANCE)
    )
    return [Candidate(kind, owners.get(kind), kind == taken) for kind in order]


def _kind_of(source: Source) -> str:
    if source.profile_name is not None:
        return PROFILE
    kinds = {
        EnvironmentKeys: ENVIRONMENT,
        WebIdentityToken: WEB_IDENTITY,
        ContainerRole: CONTAINER,
        InstanceRole: INSTANCE,
    }
    return kinds[type(source)]


def traced_source(files: AwsFiles, source: Source, *, environ: Mapping[str, str]) -> TracedSetting | None:
    """Return what the first credentials are had from, and what says so."""
    match source:
        case StoredKeys():
            return _stored_keys(files, source)
        case CredentialProcess():
            section = files.profiles[source.profile_name]
            return in_files("credential_process", [section], shown=NOT_SHOWN)
        case EnvironmentKeys():
            shown = f"…{source.access_key_id[-4:]}"
            return TracedSetting("access_key_id", shown, VARIABLE, "AWS_ACCESS_KEY_ID")
        case ContainerRole():
            variable = CONTAINER_PATH if source.is_path else CONTAINER_URL
            return TracedSetting("container_credentials", source.where, VARIABLE, variable)
        case InstanceRole():
            named = from_variable("instance_metadata", INSTANCE_URL, environ)
            return named or TracedSetting("instance_metadata", _INSTANCE_ADDRESS, DEFAULT)
    return _token(files, source, environ)


def _stored_keys(files: AwsFiles, source: StoredKeys) -> TracedSetting | None:
    both = (files.credentials_profiles, files.config_profiles)
    sections = [file[source.profile_name] for file in both if source.profile_name in file]
    shown = f"…{source.access_key_id[-4:]}"
    return in_files("aws_access_key_id", sections, value=source.access_key_id, shown=shown)


def _token(files: AwsFiles, source: WebIdentityToken, environ: Mapping[str, str]) -> TracedSetting | None:
    if source.profile_name is not None:
        return in_files("web_identity_token_file", [files.profiles[source.profile_name]])
    if source.kind == GITHUB:
        return TracedSetting("web_identity_token", f"minted for {source.audience}", VARIABLE, GITHUB_URL)
    named = from_variable("web_identity_token_file", TOKEN_FILE_VARIABLE, environ)
    if named is not None and named.value == source.where:
        return named
    shown = NOT_SHOWN if source.kind == TOKEN_COMMAND else None
    return from_option(f"web_identity_token_{_OPTIONS[source.kind]}", source.where, environ, shown=shown)


_OPTIONS = {"file": "file", "variable": "env", "command": "command"}
