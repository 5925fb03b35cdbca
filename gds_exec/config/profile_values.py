"""Single settings of a profile, checked; one that cannot be used is refused, and the place named."""

from __future__ import annotations

from gds_exec.config.provenance import Setting, from_variable
from gds_exec.environment import is_true_to_aws
from gds_exec.errors import BrokenProfile
from gds_exec.options import duration_seconds as duration_of
from gds_exec.options import is_account, is_session_name
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gds_exec.config.aws_ini import Section

ACCOUNT_DIGITS = 12
ROLE_ARN_HINT = "a role's ARN looks like arn:aws:iam::123456789012:role/NAME"
SESSION_NAME_LIMIT = 64
SESSION_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-")
SHORTEST_SECONDS = 900  # STS, AssumeRole and GetSessionToken
LONGEST_ROLE_SECONDS = 43_200  # STS, AssumeRole

_ROLE_NAME_CHARACTERS = SESSION_NAME_CHARACTERS  # IAM, CreateRole
_ROLE_NAME_LIMIT = 64
_EXTERNAL_ID_CHARACTERS = SESSION_NAME_CHARACTERS | frozenset(":/")  # STS, AssumeRole
_EXTERNAL_ID_LIMIT = 1224
_SESSION_NAME_ALLOWED = "is not 2 to 64 ASCII letters, digits or any of _+=,.@-"
_LOWERCASE = frozenset("abcdefghijklmnopqrstuvwxyz")


def is_role_arn(text: str) -> bool:
    """Say whether IAM could have made a role of this ARN, with or without a path (CreateRole)."""
    arn, _, role = text.partition(":role/")
    path, slash, name = role.rpartition("/")
    return (
        _begins_an_iam_arn(arn)
        and (_is_role_path(path) or not slash)
        and 1 <= len(name) <= _ROLE_NAME_LIMIT
        and _ROLE_NAME_CHARACTERS.issuperset(name)
    )


def is_external_id(text: str) -> bool:
    """Say whether STS accepts an external id (AssumeRole)."""
    return 2 <= len(text) <= _EXTERNAL_ID_LIMIT and _EXTERNAL_ID_CHARACTERS.issuperset(text)


def text(section: Section, key: str) -> str | None:
    """Return a setting, None where there is none; refuse a block of settings in its place."""
    setting = section.get(key)
    if setting is None:
        return None
    if isinstance(setting.value, str):
        return setting.value
    raise BrokenProfile(f"{setting.origin}: {key} is a block of indented settings, not a value")


def first(sections: Iterable[Section], key: str) -> Setting | None:
    """Return the first of the sections' settings that is not empty."""
    return next((section[key] for section in sections if text(section, key)), None)


def role_arn(section: Section) -> str:
    value = text(section, "role_arn") or ""
    if not is_role_arn(value):
        raise _unusable(section, "role_arn", "is not the ARN of an IAM role", hint=ROLE_ARN_HINT)
    return value


def session_name(section: Section) -> str | None:
    return _checked(section, "role_session_name", is_session_name, _SESSION_NAME_ALLOWED)


def session_name_in(environ: Mapping[str, str]) -> Setting | None:
    """Return the name that AWS_ROLE_SESSION_NAME gives to sessions. Raise `BrokenProfile` for a wrong one."""
    setting = from_variable("role_session_name", "AWS_ROLE_SESSION_NAME", environ)
    if setting is not None and not is_session_name(setting.value):
        message = f"AWS_ROLE_SESSION_NAME '{show(setting.value)}' {_SESSION_NAME_ALLOWED}"
        raise BrokenProfile(message, hint="correct it, or say --session-name")
    return setting


def account(section: Section, key: str) -> Setting | None:
    """Return a setting of ours that is an account's number."""
    value = _checked(section, key, is_account, "is not an account's number of 12 digits")
    return None if value is None else _of_ours(section, key, value=value)


def external_id(section: Section) -> str | None:
    allowed = "is not 2 to 1224 ASCII letters, digits or any of _+=,.@:/-"
    return _checked(section, "external_id", is_external_id, allowed)


def duration(section: Section) -> Setting | None:
    """Return duration_seconds; None also where it is no number, which botocore ignores."""
    seconds = _integer(text(section, "duration_seconds"))
    if seconds is not None and not SHORTEST_SECONDS <= seconds <= LONGEST_ROLE_SECONDS:
        reason = f"is not between {SHORTEST_SECONDS} and {LONGEST_ROLE_SECONDS}"
        raise _unusable(section, "duration_seconds", reason)
    return section["duration_seconds"].but(name="duration", value=seconds) if seconds else None


def seconds(section: Section, key: str) -> Setting | None:
    """Return a setting of ours that is a duration such as `8h`, `15m` or `900`, in seconds."""
    value = text(section, key)
    if not value:
        return None
    try:
        return _of_ours(section, key, value=duration_of(value))
    except ValueError:
        raise _unusable(section, key, "is no duration such as 8h, 180m, 1h30m or 3600") from None


def truth(section: Section, key: str) -> Setting | None:
    """Return a setting of ours that is `true`, or None where it is `false`."""
    value = (text(section, key) or "false").lower()
    if value not in {"true", "false"}:
        raise _unusable(section, key, "is neither true nor false")
    return _of_ours(section, key, value=True) if value == "true" else None


def ignored_duration(section: Section) -> str | None:
    """Say that duration_seconds is ignored, where it is."""
    value = text(section, "duration_seconds")
    if value is None or _integer(value) is not None:
        return None
    where = section["duration_seconds"].origin
    return f"{where}: duration_seconds '{show(value)}' is ignored: not a whole number of seconds"


def mfa_serial(section: Section) -> Setting | None:
    """Return mfa_serial; refuse what STS takes no code for."""
    value = text(section, "mfa_serial")
    if value and ":u2f/" in value:
        hint = "name a device that shows six-digit codes"
        raise _unusable(
            section, "mfa_serial", "is a security key, whose answers STS does not take", hint=hint
        )
    if value and ":user/" in value:
        account, _, user = value.partition(":user/")
        hint = f"it is probably {show(account)}:mfa/{show(user.rpartition('/')[2])}"
        raise _unusable(section, "mfa_serial", "is a user, not an MFA device", hint=hint)
    return section["mfa_serial"] if value else None


def endpoint_url(
    service: str, section: Section, *, services: Mapping[str, Section], environ: Mapping[str, str]
) -> Setting | None:
    """Return the endpoint set for `service` (`sts`, `iam`), by botocore's rules, or None for AWS's own."""
    if _ignores_endpoint_urls(section, environ):
        return None
    name = f"{service}_endpoint_url"
    found = (
        from_variable(name, f"AWS_ENDPOINT_URL_{service.upper()}", environ)
        or from_variable(name, "AWS_ENDPOINT_URL", environ)
        or _service_endpoint_url(service, section, services)
        or first([section], "endpoint_url")
    )
    return found and found.but(name=name)


def _ignores_endpoint_urls(section: Section, environ: Mapping[str, str]) -> bool:
    ignored = environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
    if ignored is None:
        ignored = text(section, "ignore_configured_endpoint_urls") or ""
    return is_true_to_aws(ignored)


def _service_endpoint_url(service: str, section: Section, services: Mapping[str, Section]) -> Setting | None:
    name = text(section, "services")
    if name is None:
        return None
    if name not in services or not services[name].keys():
        raise _unusable(section, "services", f"has no section [services {show(name)}]")
    setting = services[name].get(service)
    if setting is None:
        return None
    if isinstance(setting.value, str):
        raise BrokenProfile(f"{setting.origin}: {service} is not a block of indented settings")
    url = setting.value.get("endpoint_url")
    return setting.but(value=url) if url else None


def _begins_an_iam_arn(text: str) -> bool:
    match text.split(":"):
        case ["arn", partition, "iam", "", account]:
            has_account = is_account(account)
            return has_account and _is_partition(partition)
    return False


def _is_partition(text: str) -> bool:
    """Say whether this is `aws`, `aws-cn`, `aws-us-gov` …: a partition of AWS's, known by now or not."""
    first, *others = text.split("-")
    return first == "aws" and all(word and _LOWERCASE.issuperset(word) for word in others)


def _is_role_path(text: str) -> bool:
    return text != "" and text.isascii() and text.isprintable() and " " not in text


def _checked(section: Section, key: str, is_usable: Callable[[str], object], otherwise: str) -> str | None:
    value = text(section, key)
    if value is not None and not is_usable(value):
        raise _unusable(section, key, otherwise)
    return value


def _of_ours(section: Section, key: str, *, value: object) -> Setting:
    """Return a setting that has a `gds_exec_` name in files, under the name of its option."""
    return section[key].but(name=key.removeprefix("gds_exec_"), value=value)


def _integer(value: str | None) -> int | None:
    try:
        return None if value is None else int(value)
    except ValueError:
        return None


def _unusable(section: Section, key: str, reason: str, *, hint: str | None = None) -> BrokenProfile:
    setting = section[key]
    return BrokenProfile(f"{setting.origin}: {key} '{show(str(setting.value))}' {reason}", hint=hint)
