"""What the environment of a command gains and loses: a pure function of the caller's.

The warm path loads this module, so it imports nothing dear; it must not read `os.environ`.
"""

from gds_exec.session import iso_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.session import SessionCredentials

# Deleted, never blanked: AWS_PROFILE="" is fatal to boto3, a stale AWS_SECURITY_TOKEN or
# AWS_CREDENTIAL_EXPIRATION breaks good keys, and AWS_PROFILE beats the keys in the JavaScript SDK.
COMPETING = frozenset(
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
ENDPOINT_URL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
ENDPOINT_TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105  # the variable's name
_DELIVERED = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    ENDPOINT_URL,
    ENDPOINT_TOKEN,
)
# Where else a client would look: an instance's own role, and the keys that boto 2 has in a file.
_NOWHERE_ELSE = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SDK_LOAD_CONFIG": "1",
    "BOTO_CONFIG": "/dev/null",
}
_CONFIG_FILE = "AWS_CONFIG_FILE"
_CREDENTIALS_FILE = "AWS_SHARED_CREDENTIALS_FILE"
_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_NO_PROXY, _LOWER_NO_PROXY = "NO_PROXY", "no_proxy"
_LOOPBACK = "127.0.0.1"
_REPLACED = (*_NOWHERE_ELSE, _CONFIG_FILE, _CREDENTIALS_FILE, _NO_PROXY, _LOWER_NO_PROXY)
PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")  # botocore prefers the first
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")  # the first wins
# Notes for a nested gds-exec: what the caller has, and what the role has in its place.
_CALLER = "GDS_EXEC_CALLER_"
_ROLE = "GDS_EXEC_ROLE_"
_CALLER_PROFILE = f"{_CALLER}PROFILE"
_CALLER_SOURCE = f"{_CALLER}SOURCE"
_ROLE_REGION = f"{_ROLE}REGION"
# For ourselves alone: the role whose keys or endpoint these are, which stand for a source that has gone.
OUTER_ROLE = "GDS_EXEC_OUTER_ROLE"
_OUR_SECRETS = ("GDS_EXEC_MFA_CODE",)
# A role shell's own record, which is not for what is run in it.
ROLE_SHELL = (
    "GDS_EXEC_EXPIRES_AT",
    "GDS_EXEC_PROGRAM",
    "GDS_EXEC_PROMPT",
    "GDS_EXEC_RENEW_AT",
    "GDS_EXEC_SHELL",
)
# The C environment can hold `=value`, which Python's execve refuses.
_NAMELESS = ""
_DROPPED = COMPETING.union(_OUR_SECRETS, ROLE_SHELL, (OUTER_ROLE, _NAMELESS))
# With these two, a job asks GitHub for a token. A command with them could get one for any role.
GITHUB_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105  # the variable's name
# Set by CI systems that do not set `CI`, or did not always.
CI_MARKS = ("BUILD_TAG", "CODEBUILD_BUILD_ID", "TFC_RUN_ID", "TF_BUILD")
_FALSE_WORDS = ("", "0", "f", "false", "n", "no", "off")  # as click reads them


class Briefing:
    """What a command is told besides its session.

    `region` is the role's own and gives way to what the caller set; `region_override` is what was asked
    for now and wins over both. `lost_source` is what the session began with, if it was in the
    environment and the command does not see it. A command gets no request for tokens of GitHub's
    unless it `may_request_tokens`.
    """

    __slots__ = ("lost_source", "may_request_tokens", "region", "region_override", "role")

    def __init__(
        self,
        role: str,
        *,
        region: str | None = None,
        region_override: str | None = None,
        lost_source: str | None = None,
        may_request_tokens: bool = False,
    ) -> None:
        self.role = role
        self.region = region
        self.region_override = region_override
        self.lost_source = lost_source
        self.may_request_tokens = may_request_tokens


def child_environment(
    environ: "Mapping[str, str]", session: "SessionCredentials", briefing: Briefing
) -> dict[str, str]:
    """Return `environ`, the caller's own, as a command that has the session is to see it."""
    return _environment(environ, credential_variables(session), briefing)


def endpoint_environment(
    environ: "Mapping[str, str]",
    briefing: Briefing,
    *,
    url: str,
    token: str,
    config_file: str | None = None,
    credentials_file: str | None = None,
) -> dict[str, str]:
    """Return `environ` as a command is to see it that fetches its sessions from `url`, with `token`.

    As `child_environment`, without keys, and with nothing that would keep a client from the endpoint.
    `config_file` and `credentials_file` are read in place of the caller's.
    """
    delivered = {ENDPOINT_URL: url, ENDPOINT_TOKEN: token, **_NOWHERE_ELSE, **_without_proxy(environ)}
    if config_file is not None:
        delivered[_CONFIG_FILE] = config_file
    if credentials_file is not None:
        delivered[_CREDENTIALS_FILE] = credentials_file
    return _environment(environ, delivered, briefing)


def callers_environment(environ: "Mapping[str, str]") -> dict[str, str]:
    """Return `environ` without what an outer gds-exec did to it, so that an inner one starts afresh.

    The outer role's keys or endpoint go, for a credential_process would take them for the caller's, unless
    what they came from has gone: then they stay, with `OUTER_ROLE`. Its region goes, and what was replaced
    comes back, AWS_PROFILE for one, unless it has been changed since.
    """
    caller = dict(environ)
    for name in ROLE_SHELL:
        caller.pop(name, None)
    outer_role = caller.pop("GDS_EXEC_ROLE", None)
    is_source_lost = caller.pop(_CALLER_SOURCE, None) is not None
    if outer_role is not None and is_source_lost:
        caller[OUTER_ROLE] = outer_role
    elif outer_role is not None:
        for name in _DELIVERED:
            caller.pop(name, None)
    region = caller.pop(_ROLE_REGION, None)
    if region and all(caller.get(name) == region for name in REGION_VARIABLES):
        for name in REGION_VARIABLES:
            del caller[name]
    profile = caller.pop(_CALLER_PROFILE, None)
    if profile and not any(caller.get(name) for name in PROFILE_VARIABLES):
        caller["AWS_PROFILE"] = profile
    for name in _REPLACED:
        _put_back(caller, name)
    return caller


def effective_region(environ: "Mapping[str, str]", *, asked: str | None, of_role: str | None) -> str | None:
    """Return the region that a command sees: the one asked for, else the caller's, else the role's."""
    return asked or next(filter(None, map(environ.get, REGION_VARIABLES)), None) or of_role


def is_false(text: str) -> bool:
    """Return whether the value of an on/off variable means off. The AWS SDKs' own variables differ."""
    return text.lower() in _FALSE_WORDS


def is_true_to_aws(text: str) -> bool:
    """Return whether the AWS SDKs take an on/off setting of theirs as on."""
    return text.lower() == "true"


def is_github_actions(environ: "Mapping[str, str]") -> bool:
    return environ.get("GITHUB_ACTIONS") == "true"


def without_outer_role(environ: "Mapping[str, str]") -> dict[str, str]:
    """Return the environment without an outer role's keys, which some would take for the caller's."""
    if OUTER_ROLE not in environ:
        return dict(environ)
    return {name: value for name, value in environ.items() if name not in (OUTER_ROLE, *_DELIVERED)}


def _put_back(caller: dict[str, str], name: str) -> None:
    replacement = caller.pop(_ROLE + name, None)
    original = caller.pop(_CALLER + name, None)
    if replacement is None or caller.get(name) != replacement:
        return
    if original is None:
        del caller[name]
    else:
        caller[name] = original


def _environment(
    environ: "Mapping[str, str]", delivered: "Mapping[str, str]", briefing: Briefing
) -> dict[str, str]:
    child = {name: value for name, value in environ.items() if not _is_dropped(name)}
    if not briefing.may_request_tokens:
        for name in (GITHUB_URL, GITHUB_TOKEN):
            child.pop(name, None)
    child.update(delivered)
    _set_regions(child, briefing)
    _note_for_nesting(child, environ)
    child["GDS_EXEC_ROLE"] = briefing.role
    if briefing.lost_source is not None:
        child[_CALLER_SOURCE] = briefing.lost_source
    return child


def _note_for_nesting(child: dict[str, str], environ: "Mapping[str, str]") -> None:
    profile = next((environ[name] for name in PROFILE_VARIABLES if environ.get(name)), None)
    if profile:
        child[_CALLER_PROFILE] = profile
    if "AWS_REGION" in child and not any(environ.get(name) for name in REGION_VARIABLES):
        child[_ROLE_REGION] = child["AWS_REGION"]
    for name in _REPLACED:
        if child.get(name) != environ.get(name):
            child[_ROLE + name] = child[name]
            if name in environ:
                child[_CALLER + name] = environ[name]


def _is_dropped(name: str) -> bool:
    return name in _DROPPED or name.startswith(_COMPETING_PREFIX)


def without_secrets(environ: "Mapping[str, str]") -> dict[str, str]:
    """Return the environment without a token code, which has been spent by then."""
    return {name: value for name, value in environ.items() if name not in _OUR_SECRETS}


def credential_variables(session: "SessionCredentials") -> dict[str, str]:
    access_key = session.access_key
    variables = {
        "AWS_ACCESS_KEY_ID": access_key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": access_key.secret_access_key,
    }
    if access_key.session_token:
        variables["AWS_SESSION_TOKEN"] = access_key.session_token
    if session.expiration is not None:
        variables["AWS_CREDENTIAL_EXPIRATION"] = iso_time(session.expiration)
    return variables


def _set_regions(child: dict[str, str], briefing: Briefing) -> None:
    # boto3 reads only AWS_DEFAULT_REGION and the JavaScript SDK only AWS_REGION.
    region = effective_region(child, asked=briefing.region_override, of_role=briefing.region)
    for name in REGION_VARIABLES:
        of_caller = child.pop(name, None)
        if region:
            child[name] = briefing.region_override or of_caller or region


def _without_proxy(environ: "Mapping[str, str]") -> dict[str, str]:
    """Return the variables that keep what is sent to the endpoint, its token too, from a proxy."""
    if not any(environ.get(name) for name in _PROXIES):
        return {}
    variables = {}
    # Some clients read one spelling and some the other; most take the second only where the first is unset.
    for name, other in ((_NO_PROXY, _LOWER_NO_PROXY), (_LOWER_NO_PROXY, _NO_PROXY)):
        hosts = environ.get(name) or environ.get(other)
        if not hosts:
            variables[name] = _LOOPBACK
        elif not _spares_loopback(hosts):
            variables[name] = f"{hosts},{_LOOPBACK}"
    return variables


def _spares_loopback(hosts: str) -> bool:
    return hosts.strip() == "*" or _LOOPBACK in [host.strip() for host in hosts.split(",")]
