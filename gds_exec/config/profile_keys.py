"""The keys of the profile that ends a chain, looked for as botocore looks for them."""

from __future__ import annotations

from gds_exec.config.profile_chain import drawn, keys_from_aws_vault
from gds_exec.config.profile_values import text
from gds_exec.config.role_names import quoted
from gds_exec.config.sources import CredentialProcess, StoredKeys
from gds_exec.errors import BrokenProfile, NoAccessKey, NotSupportedYet
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.aws_ini import Section
    from gds_exec.config.profile_chain import Chain

_IDENTITY_CENTER = "signing in with IAM Identity Center"
_NOT_SUPPORTED = {
    "sso_start_url": _IDENTITY_CENTER,
    "sso_session": _IDENTITY_CENTER,
    "sso_account_id": _IDENTITY_CENTER,
    "sso_role_name": _IDENTITY_CENTER,
    "login_session": "signing in with 'aws login'",
}


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
