"""The settings of a session as options, each once: its names, its variable, its help, what it accepts.

`invocation.VALUE_OPTIONS` has the other names of those that take a value; by the time typer
reads them they have their long one.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from gds_exec.config.profile_values import is_session_name
from gds_exec.invocation import (
    SOURCES,
    account_number,
    duration_seconds,
    region_name,
    source_name,
    variable_of,
)
from gds_exec.output import enable_debug

_Value = TypeVar("_Value")


def _read_by(read: Callable[[str], _Value], *, otherwise: str) -> Callable[[str], _Value]:
    """Return a parser for typer that says what a text is, where `read` raises `ValueError` for it."""

    def parse(text: str) -> _Value:
        try:
            return read(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is {otherwise}") from None

    return parse


def _session_name(text: str) -> str:
    if not is_session_name(text):
        raise typer.BadParameter("2 to 64 letters, digits and any of _ = + , . @ - are allowed")
    return text


_duration = _read_by(duration_seconds, otherwise="no duration such as 8h, 180m, 1h30m or 3600")
_region = _read_by(region_name, otherwise="no region such as eu-west-2")
_source = _read_by(source_name, otherwise=f"none of {', '.join(SOURCES)}")
_account = _read_by(account_number, otherwise="no account's number of 12 digits")


def _setting(*names: str, help: str, panel: str, **more: Any) -> Any:  # noqa: A002  # as typer calls it
    return typer.Option(*names, help=help, rich_help_panel=panel, envvar=variable_of(names[0]), **more)


_SESSION, _CODE, OTHER = "Session", "MFA code", "Other"
_SCOPE = "What the session may do, and its marks"
_SOURCE = "What the first credentials come from"

Duration = Annotated[
    int | None,
    _setting(
        "--duration",
        help="How long the session is to last: 8h, 180m, 1h30m, 3600 (also --art, --assume-role-ttl).",
        panel=_SESSION,
        parser=_duration,
        metavar="D",
    ),
]
MinRemaining = Annotated[
    int | None,
    _setting(
        "--min-remaining",
        help="Start only with at least this much time left; else renew, or fail.",
        panel=_SESSION,
        parser=_duration,
        metavar="D",
    ),
]
MfaMaxAge = Annotated[
    int | None,
    _setting(
        "--mfa-max-age",
        help="Ask for a fresh code where the last one is older than this.",
        panel=_SESSION,
        parser=_duration,
        metavar="D",
    ),
]
Refresh = Annotated[
    bool,
    _setting("--refresh", help="Keep the command's session fresh for as long as it runs.", panel=_SESSION),
]
NewSession = Annotated[
    bool, _setting("--new-session", help="Ignore the cached role session.", panel=_SESSION)
]
SessionName = Annotated[
    str | None,
    _setting(
        "--session-name",
        help="The role session's name (else the CI job's, or user-DD-MM-YY_HH-MM).",
        panel=_SESSION,
        parser=_session_name,
        metavar="NAME",
    ),
]
Region = Annotated[
    str | None,
    _setting("--region", help="The region (also -r).", panel=_SESSION, parser=_region, metavar="REGION"),
]
ExpectAccount = Annotated[
    str | None,
    _setting(
        "--expect-account",
        help="Start only in this account.",
        panel=_SESSION,
        parser=_account,
        metavar="ACCOUNT",
    ),
]
Timeout = Annotated[
    int | None,
    _setting(
        "--timeout",
        help="How long getting the session may take, a person's answer included (else as long as it takes).",
        panel=_SESSION,
        parser=_duration,
        metavar="D",
    ),
]
Cache = Annotated[
    bool, _setting("--cache", help="Keep sessions on disk in CI too; elsewhere they are.", panel=_SESSION)
]
SourceProfile = Annotated[
    str | None,
    _setting(
        "--source-profile", help="The profile whose keys to begin with.", panel=_SOURCE, metavar="PROFILE"
    ),
]
Source = Annotated[
    str | None,
    _setting(
        "--source",
        help=f"Begin with this and nothing else: {', '.join(SOURCES)}.",
        panel=_SOURCE,
        parser=_source,
        metavar="KIND",
    ),
]
WebIdentityTokenFile = Annotated[
    str | None,
    _setting(
        "--web-identity-token-file",
        help="Begin with the OIDC token in this file, …",
        panel=_SOURCE,
        metavar="FILE",
    ),
]
WebIdentityTokenEnv = Annotated[
    str | None,
    _setting("--web-identity-token-env", help="… in this variable, …", panel=_SOURCE, metavar="NAME"),
]
WebIdentityTokenCommand = Annotated[
    str | None,
    _setting(
        "--web-identity-token-command",
        help="… or that this command prints, run anew for each session.",
        panel=_SOURCE,
        metavar="COMMAND",
    ),
]
Audience = Annotated[
    str | None,
    _setting(
        "--audience",
        help="Whom GitHub is to mint its token for (else sts.amazonaws.com).",
        panel=_SOURCE,
        metavar="AUDIENCE",
    ),
]
PassIdToken = Annotated[
    bool,
    _setting(
        "--pass-id-token",
        help="Let the command ask GitHub for tokens of its own (ACTIONS_ID_TOKEN_REQUEST_URL).",
        panel=_SOURCE,
    ),
]
CiTags = Annotated[
    bool, _setting("--ci-tags", help="Tag the session with what is known of the CI job.", panel=_SCOPE)
]
MfaCode = Annotated[
    str | None,
    _setting(
        "--mfa-code",
        help="A code, not asked for then (also -t, --mfa-token).",
        panel=_CODE,
        metavar="CODE",
    ),
]
NoInput = Annotated[bool, _setting("--no-input", help="Never ask; fail at once with 124.", panel=_CODE)]
Wait = Annotated[
    int | None,
    _setting(
        "--wait",
        help="How long to wait for a person, or for another gds-exec that asks one (else 5m).",
        panel=_CODE,
        parser=_duration,
        metavar="D",
    ),
]
Policy = Annotated[
    str | None,
    _setting(
        "--policy",
        help="Let the session do no more than this policy allows: a file, or JSON.",
        panel=_SCOPE,
        metavar="FILE|JSON",
    ),
]
PolicyArn = Annotated[
    list[str] | None,
    _setting(
        "--policy-arn",
        help="… than this managed policy allows (may be repeated).",
        panel=_SCOPE,
        metavar="ARN",
    ),
]
ReadOnly = Annotated[
    bool, _setting("--read-only", help="… than AWS's ReadOnlyAccess policy allows.", panel=_SCOPE)
]
Tag = Annotated[
    list[str] | None,
    _setting("--tag", help="Tag the session (may be repeated).", panel=_SCOPE, metavar="KEY=VALUE"),
]
TransitiveTag = Annotated[
    list[str] | None,
    _setting(
        "--transitive-tag",
        help="Let this tag stay with the sessions that are made from this one (may be repeated).",
        panel=_SCOPE,
        metavar="KEY",
    ),
]
SourceIdentity = Annotated[
    str | None,
    _setting(
        "--source-identity",
        help="Who CloudTrail is to say is behind the session, and all that are made from it.",
        panel=_SCOPE,
        metavar="NAME",
    ),
]
ExternalId = Annotated[
    str | None,
    _setting(
        "--external-id",
        help="The external id that the role's trust policy wants.",
        panel=_SCOPE,
        metavar="ID",
    ),
]
Scope = Annotated[str | None, typer.Option("--scope", hidden=True)]  # all of these together: for our own use
Quiet = Annotated[bool, _setting("--quiet", "-q", help="Say nothing but errors.", panel=OTHER)]
Debug = Annotated[
    bool,
    _setting(
        "--debug",
        help="Say what is done, never what is secret.",
        panel=OTHER,
        callback=enable_debug,
        is_eager=True,
    ),
]
