"""A role's name as a person types it → a complete Profile: roles to assume, keys to begin with.

Profiles mean what they mean to botocore (its AssumeRoleProvider and ProfileProviderBuilder), so that
the same files serve `aws --profile`. Nothing is inherited from [default].
"""

from __future__ import annotations

from gds_exec.config import profile_values
from gds_exec.config.profile_chain import Chain, base_profile, drawn, follow, keys_from_aws_vault
from gds_exec.config.profile_values import first_text, text
from gds_exec.config.role_names import quoted, role_arn_of
from gds_exec.errors import BrokenProfile, NoAccessKey, NotSupportedYet
from gds_exec.redaction import show
from gds_exec.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.aws_ini import Section

_IDENTITY_CENTER = "signing in with IAM Identity Center"
_NOT_SUPPORTED = {
    "web_identity_token_file": "signing in with a web identity token",
    "sso_start_url": _IDENTITY_CENTER,
    "sso_session": _IDENTITY_CENTER,
    "sso_account_id": _IDENTITY_CENTER,
    "sso_role_name": _IDENTITY_CENTER,
    "login_session": "signing in with 'aws login'",
}


class StoredKeys(Value):
    """An access key as it stands in the files."""

    profile_name: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    _unshown = ("secret_access_key", "session_token")


class CredentialProcess(Value):
    """A command that prints an access key, as AWS defines `credential_process`."""

    profile_name: str
    command: str

    _unshown = ("command",)


class Role(Value):
    """One role to assume, with what its profile says about that."""

    role_arn: str
    profile_name: str | None = None
    external_id: str | None = None
    session_name: str | None = None
    duration_seconds: int | None = None


class Profile(Value):
    """Everything that the files say about how to get one role's credentials.

    `roles` are in the order in which they are assumed, the wanted one last; a profile
    with keys and no role has none. `mfa_serial` is the one that lies nearest to the keys:
    AWS checks a code only against the user whose keys begin the chain. `source_mfa_serial`
    is set beside the keys themselves; `aws --profile ROLE` does not look at that one. `region`
    is the wanted profile's own; only a bare role takes that of the profile it starts from.
    """

    name: str
    source: StoredKeys | CredentialProcess
    roles: tuple[Role, ...] = ()
    mfa_serial: str | None = None
    mfa_process: str | None = None
    ykman_account: str | None = None
    region: str | None = None
    sts_endpoint_url: str | None = None
    iam_endpoint_url: str | None = None
    ca_bundle: str | None = None
    duration_seconds: int | None = None
    warnings: tuple[str, ...] = ()
    source_mfa_serial: str | None = None
    min_remaining_seconds: int | None = None
    mfa_max_age_seconds: int | None = None
    refresh: bool = False


def find_profile(
    files: AwsFiles, role: str, *, environ: Mapping[str, str], source_profile: str | None = None
) -> Profile:
    """Return what `role` means: a profile's name, else a role ARN, else ACCOUNT/ROLE.

    `source_profile` takes the place of the wanted profile's own; a bare role starts from it, or
    from what `base_profile` finds. Raise a ConfigError where the files do not lead to keys.
    """
    if role in files.profiles:
        chain = follow(files, role, source_profile=source_profile)
        return _complete(files, chain, name=role, environ=environ)
    role_arn = role_arn_of(files, role)
    base = base_profile(files, environ=environ, source_profile=source_profile)
    chain = follow(files, base, is_source=True)
    return _complete(files, chain, name=role, environ=environ, bare_role=Role(role_arn))


def find_base(files: AwsFiles, *, environ: Mapping[str, str], source_profile: str | None = None) -> Profile:
    """Return the keys that a bare role would start from, without any role."""
    base = base_profile(files, environ=environ, source_profile=source_profile)
    chain = follow(files, base, is_source=True)
    complete = _complete(files, chain, name=chain.source, environ=environ)
    mfa_serial = complete.mfa_serial or complete.source_mfa_serial
    return complete.but(roles=(), duration_seconds=None, mfa_serial=mfa_serial)


def profile_names(files: AwsFiles) -> list[str]:
    return sorted(files.profiles)


def _complete(
    files: AwsFiles, chain: Chain, *, name: str, environ: Mapping[str, str], bare_role: Role | None = None
) -> Profile:
    sections = [files.profiles[profile] for profile in chain.names]
    *role_sections, source_section = sections
    roles = [_role(profile, files.profiles[profile]) for profile in reversed(chain.role_profiles)]
    if bare_role:
        roles.append(bare_role)
    # Of a wanted profile the AWS CLI reads only serials that stand beside a role_arn.
    device_sections = role_sections[::-1]
    if bare_role or not role_sections:
        device_sections.append(source_section)

    def endpoint_url(service: str) -> str | None:
        return profile_values.endpoint_url(service, sections[0], services=files.services, environ=environ)

    return Profile(
        name=name,
        source=_keys(files, chain),
        roles=tuple(roles),
        mfa_serial=next(filter(None, map(profile_values.mfa_serial, device_sections)), None),
        mfa_process=first_text(sections, "mfa_process"),
        ykman_account=first_text(sections, "gds_exec_ykman_account"),
        region=text(sections[0], "region") or None,
        sts_endpoint_url=endpoint_url("sts"),
        iam_endpoint_url=endpoint_url("iam"),
        ca_bundle=environ.get("AWS_CA_BUNDLE") or first_text(sections[:1], "ca_bundle"),
        duration_seconds=roles[-1].duration_seconds if roles else None,
        warnings=_warnings(files, chain),
        source_mfa_serial=_mfa_serial_if_usable(source_section),
        min_remaining_seconds=profile_values.seconds(sections[0], "gds_exec_min_remaining"),
        mfa_max_age_seconds=profile_values.seconds(sections[0], "gds_exec_mfa_max_age"),
        refresh=profile_values.truth(sections[0], "gds_exec_refresh"),
    )


def _role(name: str, section: Section) -> Role:
    return Role(
        role_arn=profile_values.role_arn(section),
        profile_name=name,
        external_id=profile_values.external_id(section),
        session_name=profile_values.session_name(section),
        duration_seconds=profile_values.duration_seconds(section),
    )


def _mfa_serial_if_usable(section: Section) -> str | None:
    try:
        return profile_values.mfa_serial(section)
    except BrokenProfile:
        return None


def _warnings(files: AwsFiles, chain: Chain) -> tuple[str, ...]:
    sections = [files.profiles[profile] for profile in chain.role_profiles]
    warnings = [profile_values.ignored_duration(section) for section in sections]
    if chain.source in files.credentials_profiles:
        warnings.append(files.exposure)
    return tuple(filter(None, warnings))


def _keys(files: AwsFiles, chain: Chain) -> StoredKeys | CredentialProcess:
    """Return what begins the chain, looked for in the order of botocore's ProfileProviderBuilder."""
    name = chain.source
    section = files.profiles[name]
    _refuse_sign_in(name, section, "web_identity_token_file", "sso_account_id", "sso_role_name")
    if stored := _stored_keys(name, files.credentials_profiles.get(name)):
        return stored
    _refuse_sign_in(name, section, "login_session")
    if command := text(section, "credential_process"):
        return CredentialProcess(name, command)
    if stored := _stored_keys(name, files.config_profiles.get(name)):
        return stored
    _refuse_sign_in(name, section, "sso_start_url", "sso_session")
    raise _no_keys(name, section, chain)


def _stored_keys(name: str, section: Section | None) -> StoredKeys | None:
    if section is None or "aws_access_key_id" not in section:
        return None
    access_key_id = text(section, "aws_access_key_id")
    secret_access_key = text(section, "aws_secret_access_key")
    if not access_key_id or not secret_access_key:
        missing = "aws_secret_access_key" if access_key_id else "aws_access_key_id"
        raise _half_a_key(name, section["aws_access_key_id"].place, missing)
    token_key = "aws_security_token" if "aws_security_token" in section else "aws_session_token"
    return StoredKeys(name, access_key_id, secret_access_key, text(section, token_key) or None)


def _half_a_key(name: str, place: str, missing: str) -> BrokenProfile:
    message = f"{place}: profile {quoted(name)} has half an access key: no {missing}"
    return BrokenProfile(message, hint="both halves must stand in the same file")


def _no_keys(name: str, section: Section, chain: Chain) -> BrokenProfile | NoAccessKey:
    if "aws_secret_access_key" in section:
        return _half_a_key(name, section["aws_secret_access_key"].place, "aws_access_key_id")
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
