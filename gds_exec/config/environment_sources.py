"""What the place where we run has to begin a chain with: keys in the environment, a token, a role of its own.

Nothing is fetched here; that an instance has a role is only known when it is asked.
"""

from __future__ import annotations

from gds_exec.config.provenance import VARIABLE, Setting, from_variable
from gds_exec.config.sources import (
    CONTAINER,
    CONTAINER_PATH,
    DEFAULT_AUDIENCE,
    ENVIRONMENT,
    GITHUB,
    INSTANCE,
    INSTANCE_URL,
    PROFILE,
    TOKEN_FILE,
    WEB_IDENTITY,
    ContainerRole,
    EnvironmentKeys,
    InstanceRole,
    WantedSource,
    WebIdentityToken,
)
from gds_exec.environment import (
    ENDPOINT_URL,
    GITHUB_TOKEN,
    GITHUB_URL,
    OUTER_ROLE,
    is_github_actions,
    is_true_to_aws,
)
from gds_exec.errors import BrokenProfile, NoAccessKey
from gds_exec.lean import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gds_exec.config.sources import Source
    from gds_exec.errors import ConfigError

    Environ = Mapping[str, str]
    _Find = Callable[[WantedSource, Environ], Source | None]

TOKEN_FILE_VARIABLE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105  # the variable's name
_NO_PERMISSION = "give the job the permission to ask for one: `permissions: id-token: write` in the workflow"
_MISSING = {
    ENVIRONMENT: ("there are no keys in the environment", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    WEB_IDENTITY: (
        "there is no web identity token",
        "name one with --web-identity-token-file, -env or -command, or AWS_WEB_IDENTITY_TOKEN_FILE",
    ),
    GITHUB: ("GitHub mints no web identity token for this job", _NO_PERMISSION),
    CONTAINER: (
        "this container has no role",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI is set where it has one",
    ),
    INSTANCE: ("the instance's metadata is not to be asked", "unset AWS_EC2_METADATA_DISABLED"),
}


class Candidate(Value):
    """A kind of source, and whose its credentials are, if it is here."""

    kind: str
    owner: str | None
    is_taken: bool = False


def asked_for(wanted: WantedSource, environ: Environ) -> Source:
    """Return the source that was asked for. Raise `NoAccessKey` where it is not here."""
    kind = wanted.kind or WEB_IDENTITY
    found = _FINDERS[kind](wanted, environ)
    if found is None:
        message, hint = _MISSING[kind]
        if kind == WEB_IDENTITY and is_github_actions(environ):
            hint = _NO_PERMISSION
        raise NoAccessKey(message, hint=hint)
    return found


def before_profiles(wanted: WantedSource, environ: Environ) -> Source | None:
    """Return what a bare role begins with rather than with a profile that was not named."""
    keys, token = environment_keys(environ), web_identity_token(wanted, environ)
    return token or keys if _is_outer(keys) else keys or token


def _is_outer(keys: Source | None) -> bool:
    """Return whether these are an outer role's. They replace a source that has gone, so a token wins."""
    return getattr(keys, "outer_role", None) is not None


def after_profiles(environ: Environ, *, otherwise: ConfigError) -> Source | None:
    """Return what is left where no profile has keys; that an instance has none says `otherwise`."""
    instance = instance_role(environ)
    if instance is not None:
        instance = instance.but(otherwise=otherwise.message, otherwise_hint=otherwise.hint)
    return container_role(environ) or instance


def candidates(source: Source, *, is_bare: bool, wanted: WantedSource, environ: Environ) -> list[Candidate]:
    """Return every kind of source in the order in which they are tried; `source` is the one that is taken.

    A role with a profile begins with what that says. If that is missing and this is CI, it begins with the
    first source that is here.
    """
    found = dict(surveyed(wanted, environ)) | {source.source_kind: source}
    of_place = (WEB_IDENTITY, ENVIRONMENT) if _is_outer(found[ENVIRONMENT]) else (ENVIRONMENT, WEB_IDENTITY)
    first = (*of_place, PROFILE) if is_bare else (PROFILE, *of_place)
    return [
        Candidate(kind, None if one is None else one.owner, one is source)
        for kind in (*first, CONTAINER, INSTANCE)
        for one in [found.get(kind)]
    ]


def surveyed(wanted: WantedSource, environ: Environ) -> list[tuple[str, Source | None]]:
    """Return each kind of source outside of the files, in their order, with what there is of it.

    Half a key is none.
    """

    def whole(find: _Find) -> Source | None:
        try:
            return find(wanted, environ)
        except BrokenProfile:
            return None

    return [(kind, whole(find)) for kind, find in _FINDERS.items()]


def environment_keys(environ: Environ) -> EnvironmentKeys | ContainerRole | None:
    """Return the keys in the environment, or an outer gds-exec's in their place.

    Raise `BrokenProfile` for half a key, as botocore does.
    """
    outer_role = environ.get(OUTER_ROLE)
    access_key_id = environ.get("AWS_ACCESS_KEY_ID")
    if not access_key_id:
        return container_role(environ) if outer_role is not None else None
    secret_access_key = environ.get("AWS_SECRET_ACCESS_KEY")
    if not secret_access_key:
        message = "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not"
        raise BrokenProfile(message, hint="set both, or neither")
    token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN") or None
    return EnvironmentKeys(access_key_id, secret_access_key, token, outer_role)


def web_identity_token(wanted: WantedSource, environ: Environ) -> WebIdentityToken | None:
    """Return the token that was named, or AWS's variable names, or else the one that the CI mints."""
    if wanted.token is not None:
        return wanted.token
    if environ.get(TOKEN_FILE_VARIABLE):
        setting = from_variable("web_identity_token_file", TOKEN_FILE_VARIABLE, environ)
        return WebIdentityToken(TOKEN_FILE, environ[TOKEN_FILE_VARIABLE], setting=setting)
    return _minted_by_github(wanted, environ)


def container_role(environ: Environ) -> ContainerRole | None:
    """Return where a container's session is to be had, as botocore looks for it."""
    outer_role = environ.get(OUTER_ROLE)
    if environ.get(CONTAINER_PATH):
        return ContainerRole(environ[CONTAINER_PATH], is_path=True, outer_role=outer_role)
    if environ.get(ENDPOINT_URL):
        return ContainerRole(environ[ENDPOINT_URL], outer_role=outer_role)
    return None


def instance_role(environ: Environ) -> InstanceRole | None:
    """Return where an instance's session is to be had, if it has one; `None` where that is turned off."""
    if is_true_to_aws(environ.get("AWS_EC2_METADATA_DISABLED", "")):
        return None
    return InstanceRole(environ.get(INSTANCE_URL) or None)


def hint_at_permission(hint: str | None, environ: Environ) -> str | None:
    """Return the hint, or what a job of GitHub's lacks that can have no token."""
    return f"in GitHub Actions, {_NO_PERMISSION}" if _lacks_permission(environ) else hint


def _minted_by_github(wanted: WantedSource, environ: Environ) -> WebIdentityToken | None:
    if not (environ.get(GITHUB_URL) and environ.get(GITHUB_TOKEN)):
        return None
    audience = wanted.audience or DEFAULT_AUDIENCE
    setting = Setting("web_identity_token", f"minted for {audience}", VARIABLE, GITHUB_URL)
    return WebIdentityToken(GITHUB, audience=audience, setting=setting)


def _lacks_permission(environ: Environ) -> bool:
    return is_github_actions(environ) and not environ.get(GITHUB_URL)


_FINDERS: dict[str, _Find] = {
    ENVIRONMENT: lambda _wanted, environ: environment_keys(environ),
    WEB_IDENTITY: web_identity_token,
    GITHUB: _minted_by_github,
    CONTAINER: lambda _wanted, environ: container_role(environ),
    INSTANCE: lambda _wanted, environ: instance_role(environ),
}
