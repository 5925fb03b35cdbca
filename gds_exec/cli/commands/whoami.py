"""`gds-exec whoami`: who one is to AWS, without a code."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from gds_exec.cli.source_wiring import new_session_name, wired_source
from gds_exec.cli.wiring import wired_aws, wired_files
from gds_exec.config.profile_values import SHORTEST_SECONDS
from gds_exec.config.profiles import Profile, find_base, find_profile, profile_names
from gds_exec.credentials.aws_errors import of_keys
from gds_exec.credentials.background import PreparedAws
from gds_exec.credentials.request import WebIdentityRequest
from gds_exec.environment import ENDPOINT_TOKEN, ENDPOINT_URL, callers_environment
from gds_exec.errors import SourceCredentialsInvalid
from gds_exec.output import Messages, printing
from gds_exec.redaction import show
from gds_exec.refresher.endpoint_client import fetch_key
from gds_exec.session import AccessKey, SessionCredentials


@dataclass(frozen=True, slots=True)
class Identity:
    """An ARN, and the profile or role by whose keys we are that."""

    name: str
    arn: str


def whoami(environ: Mapping[str, str], *, source_profile: str | None, as_json: bool) -> None:
    """Print the base identity and, inside a role's environment, the role's."""
    outside = callers_environment(environ)
    files = wired_files(outside)
    base = find_base(files, environ=outside, source_profile=source_profile)
    messages = Messages()
    found = {"base": _base_identity(base, outside, messages)}
    role_key = _delivered_key(environ)
    if role_key is not None:
        role = environ["GDS_EXEC_ROLE"]
        # Its token goes where its own profile says; a role that is named by its ARN has none.
        profile = find_profile(files, role, environ=outside) if role in profile_names(files) else base
        found["role"] = _role_identity(profile, role_key, role, outside, messages)
    with printing():
        sys.stdout.write(_as_json(found) if as_json else _as_lines(found))


def _base_identity(base: Profile, environ: Mapping[str, str], messages: Messages) -> Identity:
    owner = base.source.owner
    aws = wired_aws(base, environ, region=None, messages=messages)
    try:
        key = _base_session(base, aws, environ).access_key
        return Identity(base.source.profile_name or owner, aws.api.caller_arn(key))
    except SourceCredentialsInvalid as error:
        raise of_keys(show(owner), error) from error


def _base_session(base: Profile, aws: PreparedAws, environ: Mapping[str, str]) -> SessionCredentials:
    source = wired_source(base, environ)
    if not base.roles:
        return source.session()
    role = base.roles[0]
    request = WebIdentityRequest(role.role_arn, SHORTEST_SECONDS)
    return aws.api.make_session(
        request, source.caller(), session_name=role.session_name or new_session_name(environ)
    )


def _role_identity(
    profile: Profile, key: AccessKey, role: str, environ: Mapping[str, str], messages: Messages
) -> Identity:
    aws = wired_aws(profile, environ, region=None, messages=messages)
    try:
        return Identity(role, aws.api.caller_arn(key))
    except SourceCredentialsInvalid as error:
        hint = "in a role shell, run gds-exec renew; elsewhere, start the command again with gds-exec"
        raise of_keys(f"role {show(role)} in this environment", error, hint=hint) from error


def _delivered_key(environ: Mapping[str, str]) -> AccessKey | None:
    """Return the keys that gds-exec put into this very environment."""
    if "GDS_EXEC_ROLE" not in environ:
        return None
    if ENDPOINT_URL in environ and "AWS_ACCESS_KEY_ID" not in environ:
        return fetch_key(environ[ENDPOINT_URL], environ.get(ENDPOINT_TOKEN, ""))
    if "AWS_ACCESS_KEY_ID" not in environ:
        return None
    return AccessKey(
        environ["AWS_ACCESS_KEY_ID"],
        environ.get("AWS_SECRET_ACCESS_KEY", ""),
        environ.get("AWS_SESSION_TOKEN"),
    )


def _as_lines(found: Mapping[str, Identity]) -> str:
    return "".join(f"{kind}  {show(who.arn)}  ({show(who.name)})\n" for kind, who in found.items())


def _as_json(found: Mapping[str, Identity]) -> str:
    document = {kind: {"name": who.name, "arn": who.arn} for kind, who in found.items()}
    return json.dumps(document, indent=2) + "\n"
