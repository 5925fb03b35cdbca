"""From a profile to the one whose keys begin its chain, by botocore's rules, over any number of roles."""

from __future__ import annotations

from gds_exec.config.profile_values import text
from gds_exec.config.role_names import did_you_mean, hint_at_profile, quoted, where_looked
from gds_exec.errors import BrokenProfile, NoAccessKey, NotSupportedYet
from gds_exec.redaction import show
from gds_exec.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.aws_ini import Section

# botocore's order
_PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
_STATIC_KEYS = ("aws_access_key_id", "aws_secret_access_key")
_SIGN_INS = (
    "role_arn",
    "credential_process",
    "sso_session",
    "sso_account_id",
    "web_identity_token_file",
    "login_session",
)
_CREDENTIAL_SOURCES = ("Environment", "Ec2InstanceMetadata", "EcsContainer")
_NAMES_LISTED = 8


class Chain(Value):
    """Names of profiles: those with roles, the wanted one first, then the one with the keys."""

    role_profiles: tuple[str, ...]
    source: str

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.role_profiles, self.source)


def follow(
    files: AwsFiles, name: str, *, is_source: bool = False, source_profile: str | None = None
) -> Chain:
    """Return the chain that begins with the profile `name`, which exists.

    Static keys win over the role_arn beside them in a source profile, but not in the wanted one.
    `source_profile` stands in for what the wanted one says about its source.
    """
    visited: list[str] = []
    while _assumes_role(files.profiles[name]) and not (is_source and _has_static_keys(files.profiles[name])):
        visited.append(name)
        source = source_profile or _source_of(files, visited)
        _check_source(files, visited, source)
        name, is_source, source_profile = source, True, None
    return Chain(tuple(visited), name)


def base_profile(files: AwsFiles, *, environ: Mapping[str, str], source_profile: str | None) -> str:
    """Return the profile that a role without a profile of its own takes its keys from.

    That is the one named, by `source_profile` or else by AWS's variables; else [default], if one can
    sign in with it; else the only one with keys. Raise NoAccessKey if there are none, or several.
    """
    named_by = {"--source-profile": source_profile, **{key: environ.get(key) for key in _PROFILE_VARIABLES}}
    for origin, name in named_by.items():
        if name and name not in files.profiles:
            message = f"{origin} names profile {quoted(name)}, which does not exist"
            raise BrokenProfile(message, hint=hint_at_profile(files, name))
        if name:
            return name
    if any(key in files.profiles.get("default", {}) for key in (*_STATIC_KEYS, *_SIGN_INS)):
        return "default"
    return _only_profile_with_keys(files)


def drawn(names: Sequence[str]) -> str:
    """Return ' (a → b)', or nothing for a single name, which needs no drawing."""
    return f" ({' → '.join(map(show, names))})" if len(names) > 1 else ""


def keys_from_aws_vault(name: str) -> str:
    """Return the line that lets a profile use keys that aws-vault keeps."""
    import shlex  # only a failure needs it

    return f"credential_process = aws-vault export --format=json --no-session {show(shlex.quote(name))}"


def _assumes_role(section: Section) -> bool:
    return "role_arn" in section and "web_identity_token_file" not in section


def _has_static_keys(section: Section) -> bool:
    return any(key in section for key in _STATIC_KEYS)


def _source_of(files: AwsFiles, visited: Sequence[str]) -> str:
    name = visited[-1]
    section = files.profiles[name]
    source, credential_source = text(section, "source_profile"), text(section, "credential_source")
    if source is not None and credential_source is not None:
        message = f"profile {quoted(name)} has both source_profile and credential_source{drawn(visited)}"
        raise BrokenProfile(message, hint="keep the one that its keys come from")
    if credential_source is not None:
        raise _refused_credential_source(name, credential_source)
    if source is None:
        message = f"profile {quoted(name)} has neither source_profile nor credential_source{drawn(visited)}"
        raise BrokenProfile(message, hint=_hint_at_source(name, section))
    return source


def _hint_at_source(name: str, section: Section) -> str:
    if _has_static_keys(section):
        return f"to use the keys beside its role_arn, add: source_profile = {show(name)}"
    return "add source_profile = NAME, where NAME is the profile with the access keys"


def _refused_credential_source(name: str, credential_source: str) -> BrokenProfile | NotSupportedYet:
    if credential_source in _CREDENTIAL_SOURCES:
        message = f"profile {quoted(name)} uses credential_source = {credential_source}: not supported yet"
        return NotSupportedYet(message, hint="name a profile that has keys with --source-profile")
    return BrokenProfile(
        f"profile {quoted(name)} has an unknown credential_source {quoted(credential_source)}",
        hint=f"AWS knows {', '.join(_CREDENTIAL_SOURCES)}",
    )


def _check_source(files: AwsFiles, visited: Sequence[str], source: str) -> None:
    name = visited[-1]
    if source not in files.profiles:
        message = f"profile {quoted(name)} takes its keys from {quoted(source)}, which does not exist"
        raise BrokenProfile(message + drawn([*visited, source]), hint=_hint_at_missing_source(files, source))
    uses_its_own_keys = source == name and _has_static_keys(files.profiles[source])
    if source in visited and not uses_its_own_keys:
        message = f"profile {quoted(visited[0])} never reaches access keys{drawn([*visited, source])}"
        raise BrokenProfile(message, hint=f"let {quoted(name)} name a source_profile that has keys")


def _hint_at_missing_source(files: AwsFiles, source: str) -> str:
    if not source:
        return "source_profile is empty: name the profile with the access keys there"
    if source in files.unread_sections:
        return files.unread_sections[source]
    # aws-vault keeps keys under names that need not stand in any file.
    return did_you_mean(files, source) or f"add [profile {show(source)}] with {keys_from_aws_vault(source)}"


def _only_profile_with_keys(files: AwsFiles) -> str:
    found = sorted(
        name
        for name, section in files.profiles.items()
        if _has_static_keys(section) or "credential_process" in section
    )
    if len(found) == 1:
        return found[0]
    if found:
        message = f"{len(found)} profiles have access keys: {_listed(found)}"
        raise NoAccessKey(message, hint="name one with --source-profile or AWS_PROFILE")
    raise NoAccessKey("no profile has access keys", hint=where_looked(files))


def _listed(names: Iterable[str]) -> str:
    shown = [quoted(name) for name in names]
    more = len(shown) - _NAMES_LISTED
    return ", ".join(shown[:_NAMES_LISTED]) + (f" and {more} more" if more > 0 else "")
