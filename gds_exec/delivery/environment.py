"""What the environment of a command gains and loses: a pure function of the caller's.

The warm path loads this module, so it imports nothing dear; it must not read `os.environ`.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.credentials.session import SessionCredentials

# Deleted, never blanked: AWS_PROFILE="" is fatal to boto3, a stale AWS_SECURITY_TOKEN or
# AWS_CREDENTIAL_EXPIRATION breaks good keys, and AWS_PROFILE beats the keys in the JavaScript SDK.
_COMPETING = frozenset(
    (
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_ACCOUNT_ID",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_CREDENTIAL_FILE",
        "AWS_CREDENTIAL_SCOPE",
        "AWS_DEFAULT_PROFILE",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_EXPIRATION",
        "AWS_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    )
)
_COMPETING_PREFIX = "AWS_CONTAINER_"
_DELIVERED = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "GDS_EXEC_ROLE",
)
_PROFILES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")  # botocore prefers the first
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_CALLER_PROFILE = "GDS_EXEC_CALLER_PROFILE"
_ROLE_REGION = "GDS_EXEC_ROLE_REGION"
_OUR_SECRETS = frozenset(("GDS_EXEC_MFA_CODE",))
# The C environment can hold `=value`, which Python's execve refuses.
_NAMELESS = ""


def child_environment(
    environ: "Mapping[str, str]",
    session: "SessionCredentials",
    *,
    role: str,
    region: str | None,
    region_override: str | None = None,
) -> dict[str, str]:
    """Return `environ` as a command run as `role` is to see it.

    `region` is the role's own and gives way to what the caller set; `region_override` is
    what was asked for now and wins over both.
    """
    child = {name: value for name, value in environ.items() if not _is_dropped(name)}
    child.update(_credential_variables(session))
    _set_regions(child, region=region, region_override=region_override)
    _note_for_nesting(child, environ)
    child["GDS_EXEC_ROLE"] = role
    return child


def callers_environment(environ: "Mapping[str, str]") -> dict[str, str]:
    """Return `environ` without what an outer gds-exec did to it, so that an inner one starts afresh.

    The outer role's keys go, for a credential_process would take them for the caller's. Its region
    goes, and the caller's AWS_PROFILE comes back, unless either has been changed since.
    """
    caller = dict(environ)
    if "GDS_EXEC_ROLE" in caller:
        for name in _DELIVERED:
            caller.pop(name, None)
    region = caller.pop(_ROLE_REGION, None)
    if region and all(caller.get(name) == region for name in _REGIONS):
        for name in _REGIONS:
            del caller[name]
    profile = caller.pop(_CALLER_PROFILE, None)
    if profile and not any(caller.get(name) for name in _PROFILES):
        caller["AWS_PROFILE"] = profile
    return caller


def _note_for_nesting(child: dict[str, str], environ: "Mapping[str, str]") -> None:
    profile = next((environ[name] for name in _PROFILES if environ.get(name)), None)
    if profile:
        child[_CALLER_PROFILE] = profile
    if "AWS_REGION" in child and not any(environ.get(name) for name in _REGIONS):
        child[_ROLE_REGION] = child["AWS_REGION"]


def _is_dropped(name: str) -> bool:
    return (
        name in _COMPETING or name.startswith(_COMPETING_PREFIX) or name in _OUR_SECRETS or name == _NAMELESS
    )


def _credential_variables(session: "SessionCredentials") -> dict[str, str]:
    access_key = session.access_key
    variables = {
        "AWS_ACCESS_KEY_ID": access_key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": access_key.secret_access_key,
    }
    if access_key.session_token:
        variables["AWS_SESSION_TOKEN"] = access_key.session_token
    if session.expiration is not None:
        # The JavaScript SDK refuses `+00:00` in place of the Z.
        variables["AWS_CREDENTIAL_EXPIRATION"] = time.strftime(
            "%Y-%m-%dT%H:%M:%SZ", time.gmtime(session.expiration)
        )
    return variables


def _set_regions(child: dict[str, str], *, region: str | None, region_override: str | None) -> None:
    # boto3 reads only AWS_DEFAULT_REGION and the JavaScript SDK only AWS_REGION.
    current = region_override or child.pop("AWS_REGION", None)
    default = region_override or child.pop("AWS_DEFAULT_REGION", None)
    current, default = current or default or region, default or current or region
    if current and default:
        child["AWS_REGION"] = current
        child["AWS_DEFAULT_REGION"] = default
