"""From a profile to what begins its chain, by botocore's rules, over any number of roles."""

from __future__ import annotations

from gds_exec.config.aws_files import SIGN_INS, STATIC_KEYS
from gds_exec.config.profile_values import text
from gds_exec.config.provenance import DEFAULT, VARIABLE, Setting, from_variable
from gds_exec.config.role_names import (
    copied_role,
    did_you_mean,
    hint_at_profile,
    holds_copy,
    where_looked,
)
from gds_exec.config.sources import TOKEN_FILE, CredentialProcess, StoredKeys, WebIdentityToken
from gds_exec.environment import PROFILE_VARIABLES
from gds_exec.errors import BrokenProfile, CopiedSession, NoAccessKey, NotSupportedYet, SourceProfileMissing
from gds_exec.lean import Value
from gds_exec.redaction import quoted, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.aws_ini import Section
    from gds_exec.config.sources import Source

_CREDENTIAL_SOURCES = {
    "Environment": "there are no keys in the environment",
    "Ec2InstanceMetadata": "AWS_EC2_METADATA_DISABLED forbids that",
    "EcsContainer": "no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI is set",
}
_NAMES_LISTED = 8
_IDENTITY_CENTER = "signing in with IAM Identity Center"
_NOT_SUPPORTED = {
    "sso_start_url": _IDENTITY_CENTER,
    "sso_session": _IDENTITY_CENTER,
    "sso_account_id": _IDENTITY_CENTER,
    "sso_role_name": _IDENTITY_CENTER,
    "login_session": "signing in with 'aws login'",
}


class Chain(Value):
    """Profiles: those with roles, the wanted one first, and the one with the keys; or else their `source`.

    `named_by` is what says that a role without a profile begins with this chain.
    """

    role_profiles: tuple[str, ...]
    keys_profile: str | None = None
    source: Source | None = None
    named_by: Setting | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.role_profiles, self.keys_profile) if self.keys_profile else self.role_profiles


def follow(
    files: AwsFiles,
    name: str,
    *,
    environ: Mapping[str, str],
    is_source: bool = False,
    source_profile: str | None = None,
) -> Chain:
    """Return the chain that begins with the profile `name`, which exists.

    Static keys win over the role_arn beside them in a source profile, but not in the wanted one.
    `source_profile` stands in for what the wanted one says about its source.
    """
    visited: list[str] = []
    while "role_arn" in files.profiles[name]:
        section = files.profiles[name]
        if source_profile is None and "web_identity_token_file" in section:
            return Chain((*visited, name), source=_token_in_file(name, section))
        if is_source and _has_static_keys(section):
            break
        visited.append(name)
        if source_profile is None and text(section, "credential_source") is not None:
            return Chain(tuple(visited), source=_credential_source(visited, section, environ))
        source = source_profile or _source_of(files, visited)
        _check_source(files, visited, source)
        name, is_source, source_profile = source, True, None
    return Chain(tuple(visited), name)


def keys_of(files: AwsFiles, chain: Chain) -> StoredKeys | CredentialProcess:
    """Return what begins the chain, looked for in the order of botocore's ProfileProviderBuilder."""
    name = chain.names[-1]
    section = files.profiles[name]
    if "web_identity_token_file" in section:
        message = f"profile {quoted(name)} has a web_identity_token_file and no role_arn{drawn(chain.names)}"
        raise BrokenProfile(message, hint="add the role_arn of the role that the token is exchanged for")
    _refuse_sign_in(name, section, "sso_account_id", "sso_role_name")
    if stored := _stored_keys(name, files.credentials_profiles.get(name)):
        return stored
    _refuse_sign_in(name, section, "login_session")
    if command := text(section, "credential_process"):
        return CredentialProcess(name, command, section["credential_process"])
    if stored := _stored_keys(name, files.config_profiles.get(name)):
        return stored
    _refuse_sign_in(name, section, "sso_start_url", "sso_session")
    raise _no_keys(name, section, chain)


def roles_on_the_way(files: AwsFiles, name: str) -> Chain:
    """Return the chain as far as it leads, without what it begins with: that is had from elsewhere."""
    visited: list[str] = []
    while name not in visited and "role_arn" in files.profiles.get(name, {}):
        section = files.profiles[name]
        if visited and _has_static_keys(section):
            break
        visited.append(name)
        name = text(section, "source_profile") or name
    return Chain(tuple(visited))


def base_profile(
    files: AwsFiles, *, environ: Mapping[str, str], source_profile: Setting | None
) -> Setting | None:
    """Return the profile that a role without a profile of its own takes its keys from.

    That is the one named, by `source_profile` or else by AWS's variables; else [default], if one can
    sign in with it; else the only one with keys. Raise `NoAccessKey` if there are several, return
    `None` if there are none.
    """
    by_variables = (from_variable("source_profile", name, environ) for name in PROFILE_VARIABLES)
    named = source_profile or next(filter(None, by_variables), None)
    if named is None:
        has_default = any(key in files.profiles.get("default", {}) for key in (*STATIC_KEYS, *SIGN_INS))
        name = "default" if has_default else _only_profile_with_keys(files)
        return Setting("source_profile", name, DEFAULT) if name else None
    if named.value in files.profiles:
        return named
    if named.value in files.copied_sessions:
        raise _named_copy(files, named)
    message = f"{named.origin} names profile {quoted(named.value)}, which does not exist"
    raise BrokenProfile(message, hint=hint_at_profile(files, named.value))


def no_base(files: AwsFiles, environ: Mapping[str, str]) -> NoAccessKey:
    """Return the error that says that there is no base profile."""
    from gds_exec.config.environment_sources import hint_at_permission

    copies = f"; copied sessions do not count: {_listed(sorted(files.copied_sessions))}"
    message = f"no profile has access keys{copies if files.copied_sessions else ''}"
    return NoAccessKey(message, hint=hint_at_permission(where_looked(files), environ))


def drawn(names: Sequence[str]) -> str:
    """Return ' (a → b)', or nothing for a single name, which needs no drawing."""
    return f" ({' → '.join(map(show, names))})" if len(names) > 1 else ""


def keys_from_aws_vault(name: str) -> str:
    """Return the line that lets a profile use keys that aws-vault keeps."""
    import shlex  # only a failure needs it

    return f"credential_process = aws-vault export --format=json --no-session {show(shlex.quote(name))}"


def _has_static_keys(section: Section) -> bool:
    return any(key in section for key in STATIC_KEYS)


def _token_in_file(name: str, section: Section) -> WebIdentityToken:
    path = text(section, "web_identity_token_file")
    if not path:
        place = section["web_identity_token_file"].origin
        raise BrokenProfile(f"{place}: web_identity_token_file names no file")
    setting = section["web_identity_token_file"]
    return WebIdentityToken(TOKEN_FILE, path, profile_name=name, setting=setting)


def _credential_source(visited: Sequence[str], section: Section, environ: Mapping[str, str]) -> Source:
    name, said = quoted(visited[-1]), text(section, "credential_source") or ""
    if "source_profile" in section:
        message = f"profile {name} has both source_profile and credential_source{drawn(visited)}"
        raise BrokenProfile(message, hint="keep the one that its keys come from")
    if said not in _CREDENTIAL_SOURCES:
        raise BrokenProfile(
            f"profile {name} has an unknown credential_source {quoted(said)}",
            hint=f"AWS knows {', '.join(_CREDENTIAL_SOURCES)}",
        )
    from gds_exec.config.environment_sources import (
        container_role,
        environment_keys,
        hint_at_permission,
        instance_role,
    )

    find = {
        "Environment": environment_keys,
        "Ec2InstanceMetadata": instance_role,
        "EcsContainer": container_role,
    }
    source = find[said](environ)
    if source is None:
        lacking = _CREDENTIAL_SOURCES[said]
        message = f"profile {name} has credential_source = {said}, and {lacking}{drawn(visited)}"
        raise NoAccessKey(message, hint=hint_at_permission(None, environ))
    return source


def _source_of(files: AwsFiles, visited: Sequence[str]) -> str:
    section = files.profiles[visited[-1]]
    source = text(section, "source_profile")
    if source is None:
        name = visited[-1]
        message = f"profile {quoted(name)} has neither source_profile nor credential_source{drawn(visited)}"
        raise BrokenProfile(message, hint=_hint_at_source(name, section))
    return source


def _hint_at_source(name: str, section: Section) -> str:
    if _has_static_keys(section):
        return f"to use the keys beside its role_arn, add: source_profile = {show(name)}"
    return "add source_profile = NAME, where NAME is the profile with the access keys"


def _check_source(files: AwsFiles, visited: Sequence[str], source: str) -> None:
    name = visited[-1]
    if source in files.copied_sessions and (source not in files.profiles or source in visited):
        message = f"profile {quoted(name)} takes its keys from {quoted(source)}, which "
        hint = _hint_at_own_keys(files, source, of=name)
        raise CopiedSession(message + holds_copy(files, source) + drawn([*visited, source]), hint=hint)
    if source not in files.profiles:
        message = f"profile {quoted(name)} takes its keys from {quoted(source)}, which does not exist"
        hint = _hint_at_missing_source(files, source)
        raise SourceProfileMissing(message + drawn([*visited, source]), hint=hint)
    uses_its_own_keys = source == name and _has_static_keys(files.profiles[source])
    if source in visited and not uses_its_own_keys:
        message = f"profile {quoted(visited[0])} never reaches access keys{drawn([*visited, source])}"
        raise BrokenProfile(message, hint=f"let {quoted(name)} name a source_profile that has keys")


def _named_copy(files: AwsFiles, named: Setting) -> CopiedSession:
    message = f"{named.origin} names profile {quoted(named.value)}, which {holds_copy(files, named.value)}"
    hint = "name a profile with keys of your own"
    if named.kind == VARIABLE:
        hint = f"unset {named.origin}, or {hint}: --source-profile NAME"
    return CopiedSession(message, hint=hint)


def _hint_at_own_keys(files: AwsFiles, copy: str, *, of: str) -> str:
    role = copied_role(files, copy)
    of_role = f"the profile {quoted(role)} or " if role in files.profiles and role != of else ""
    return f"use {of_role}a profile with keys of your own as the source_profile"


def _hint_at_missing_source(files: AwsFiles, source: str) -> str:
    if not source:
        return "source_profile is empty: name the profile with the access keys there"
    if source in files.unread_sections:
        return files.unread_sections[source]
    # aws-vault keeps keys under names that need not stand in any file.
    return did_you_mean(files, source) or f"add [profile {show(source)}] with {keys_from_aws_vault(source)}"


def _only_profile_with_keys(files: AwsFiles) -> str | None:
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
    return None


def _listed(names: Iterable[str]) -> str:
    shown = [quoted(name) for name in names]
    more = len(shown) - _NAMES_LISTED
    return ", ".join(shown[:_NAMES_LISTED]) + (f" and {more} more" if more > 0 else "")


def _stored_keys(name: str, section: Section | None) -> StoredKeys | None:
    if section is None or "aws_access_key_id" not in section:
        return None
    access_key_id = text(section, "aws_access_key_id")
    secret_access_key = text(section, "aws_secret_access_key")
    if not access_key_id or not secret_access_key:
        missing = "aws_secret_access_key" if access_key_id else "aws_access_key_id"
        raise _half_a_key(name, section["aws_access_key_id"].origin, missing)
    token_key = "aws_security_token" if "aws_security_token" in section else "aws_session_token"
    token = text(section, token_key) or None
    return StoredKeys(name, access_key_id, secret_access_key, token, section["aws_access_key_id"])


def _half_a_key(name: str, place: str, missing: str) -> BrokenProfile:
    message = f"{place}: profile {quoted(name)} has half an access key: no {missing}"
    return BrokenProfile(message, hint="both halves must stand in the same file")


def _no_keys(name: str, section: Section, chain: Chain) -> BrokenProfile | NoAccessKey:
    if "aws_secret_access_key" in section:
        return _half_a_key(name, section["aws_secret_access_key"].origin, "aws_access_key_id")
    lacking = "has no access keys" if chain.role_profiles else "has neither access keys nor a role_arn"
    message = f"profile {quoted(name)} {lacking}{drawn(chain.names)}"
    return NoAccessKey(message, hint=f"if aws-vault keeps them, add: {keys_from_aws_vault(name)}")


def _refuse_sign_in(name: str, section: Section, *marks: str) -> None:
    if not any(mark in section for mark in marks):
        return
    import shlex  # only a failure needs it

    used = next(key for key in _NOT_SUPPORTED if key in section)
    first = f"run 'aws sso login --profile {show(name)}', then " if used.startswith("sso_") else ""
    raise NotSupportedYet(
        f"profile {quoted(name)} uses {used}: {_NOT_SUPPORTED[used]} is not supported yet",
        hint=f"{first}use a profile with credential_process = "
        f"aws configure export-credentials --profile {show(shlex.quote(name))}",
    )
