"""The table of options: each option of the command line, and each setting, stands here once.

The grammar, `Invocation`, typer's parameters, the key of the warm path, the arguments of a renewal,
`explain` and the completions (`python -m tests.completions`) read this table. To add an option, add
a row. It is part of the key and of renewals unless the row says otherwise.

The warm path loads this module, so it imports nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

CREDENTIAL_PROCESS = "credential-process"
SUBCOMMANDS = {
    "completions": "print or install the completion of your shell",
    CREDENTIAL_PROCESS: "print a role's session as JSON, for your AWS config",
    "explain": "show where a role's settings come from",
    "renew": "renew sessions",
    "roles": "list the roles",
    "sessions": "list and clear sessions",
    "shell-init": "print the hook for your rc file",
    "try": "start a sandbox AWS to try everything in",
    "whoami": "show who you are to AWS",
}
# What our own processes call: `hidden_subcommands` has their versions.
REFRESH_WORKER, SHELL_RENEW, STORED_KEYS = HIDDEN_SUBCOMMANDS = "refresh-worker", "shell-renew", "stored-keys"
RUN = ""  # running a command or a shell as a role, which has no name of its own
TRY_CODE = "try code"
SOURCES = ("profile", "environment", "web-identity", "github", "container", "instance")
DEFAULT_WAIT_SECONDS = 300

_EVERY_SUBCOMMAND = (RUN, *SUBCOMMANDS, TRY_CODE)
_WITH_A_SESSION = (RUN, CREDENTIAL_PROCESS, "explain", "renew")
_SESSION, _CODE, _OTHER = "Session", "MFA code", "Other"
_SCOPE = "What the session may do, and its marks"
_SOURCE = "What the first credentials come from"
_INSTEAD = "In place of a command"

_SECONDS = {"h": 3600, "m": 60, "s": 1}
_NO_PUNCTUATION = str.maketrans("", "", "_+=,.@-")  # which STS accepts in the name of a session


def duration_seconds(text: str) -> int:
    """Return the seconds of `8h`, `180m`, `1h30m`, `3600` or `3600s`. Raise `ValueError` for others."""
    total, digits = 0, ""
    units = iter("hms")  # each once, the larger first
    for character in f"{text}s" if text.isdigit() else text:
        if character in "0123456789":
            digits += character
        elif digits and character in units:
            total += int(digits) * _SECONDS[character]
            digits = ""
        else:
            raise ValueError(text)
    if digits or total == 0:
        raise ValueError(text)
    return total


def duration_text(seconds: int) -> str:
    """Return the duration as a person writes it: `1h30m`; `duration_seconds` reads it back."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return "".join(f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if n) or "0s"


def is_account(text: str) -> bool:
    """Return whether the text may be an account number."""
    return len(text) == 12 and text.isascii() and text.isdigit()


def is_region(text: str) -> bool:
    """Return whether the text may be the name of a region."""
    return text.isascii() and text.replace("-", "").isalnum()


def is_session_name(text: str) -> bool:
    """Return whether STS accepts the text as the name of a role session (AssumeRole)."""
    letters = text.translate(_NO_PUNCTUATION)
    return 2 <= len(text) <= 64 and text.isascii() and (letters.isalnum() or not letters)


def is_source(text: str) -> bool:
    """Return whether the text is one of `SOURCES`."""
    return text in SOURCES


def _truth(text: str) -> bool:
    if text not in ("1", "true"):
        raise ValueError(text)
    return True


OPTIONS: "list[Option]" = []
SPELLINGS: "dict[str, Option]" = {}


class Option:
    """A row of the table; what it does not say is as here."""

    spellings: "tuple[str, ...]"  # on the command line, the long one first; none for what is only a variable
    name: str  # the long spelling, or ""
    panel: str  # of the help
    help: str
    metavar = ""  # for the value; an option without one is a flag
    is_repeatable = False  # the values of all are collected in a tuple
    accepts: "Callable[[str], bool] | None" = None  # says whether a text is a good value
    read: "Callable[[str], object] | None" = None  # returns what a text means, or raises `ValueError`
    invalid = ""  # the error for a bad value
    offer = ""  # the kind of values that the completions offer
    default: "Any" = None  # () for a repeatable option, False for a flag
    subcommands: "tuple[str, ...]" = _WITH_A_SESSION  # those that have the option
    variable: "str | None" = None  # in the environment; made from the name unless `has_variable` is False
    profile_key: "str | None" = None  # in the AWS config file
    is_plain = True  # whether the warm path may read it
    in_key = True  # of the warm path: another value never finds the session of this one
    in_renewals = True  # whether it is needed to ask for the same session again
    in_scope = False  # whether it is part of the session's scope (`cli.scope_options.scope_of`)
    is_hidden = False
    field = ""  # of `Invocation`, if it sets one

    def __init__(
        self,
        spellings: str,
        panel: str,
        help: str,  # noqa: A002  # as typer calls it
        *,
        has_variable: bool = True,
        **more: "Any",
    ) -> None:
        names = spellings.split()
        more["spellings"] = tuple(names)
        more["name"] = name = names[0] if names else ""
        more["panel"], more["help"] = panel, help
        if name and has_variable:
            more["variable"] = "GDS_EXEC_" + name[2:].upper().replace("-", "_")
        if "metavar" not in more:
            more["default"] = False
        elif "is_repeatable" in more:
            more["default"] = ()
        self.__dict__ = more
        OPTIONS.append(self)
        for name in names:
            SPELLINGS[name] = self

    @property
    def is_flag(self) -> bool:
        return not self.metavar

    def __set_name__(self, owner: type, name: str) -> None:
        self.field = name

    def __get__(self, instance: object, owner: type) -> object:
        return self if instance is None else self.default

    def value_of(self, text: str) -> object:
        """Return what a text means as the value of this option. Raise `ValueError` for a bad one."""
        if self.is_flag:
            return _truth(text)
        if self.accepts is not None and not self.accepts(text):
            raise ValueError(text)
        return text if self.read is None else self.read(text)

    def arguments(self, value: "Any") -> "Iterator[str]":
        """Yield the arguments that set the field to this value: none for an empty text."""
        if value in (self.default, ""):
            return
        if self.is_flag:
            yield self.name
        else:
            for each in value if self.is_repeatable else (value,):
                yield f"{self.name}={each}"


if TYPE_CHECKING:

    def option(spellings: str, panel: str, help: str, **more: Any) -> Any: ...  # noqa: A002
else:
    option = Option


def _action(spellings: str, help: str, panel: str = _INSTEAD, **more: "Any") -> "Any":  # noqa: A002
    """Return a row for what to do with a session. It has no variable, and is no part of the session."""
    more = {"subcommands": (RUN,), "is_plain": False, **more}
    return option(spellings, panel, help, has_variable=False, in_key=False, in_renewals=False, **more)


_DURATION: "dict[str, Any]" = {
    "metavar": "D",
    "read": duration_seconds,
    "invalid": "{!r} is no duration such as 8h, 180m, 1h30m or 3600",
    "offer": "durations",
}
# Narrows or marks the session. The warm path knows nothing of policies and files.
_MARK: "dict[str, Any]" = {"is_plain": False, "in_scope": True}
_ONLY_NOW: "dict[str, Any]" = {"in_key": False, "in_renewals": False}


# fmt: off
class Options:
    """The fields that options set. Each is a row of the table, and begins with the row's default."""

    duration_seconds: "int | None" = option(
        "--duration --art -art --assume-role-ttl", _SESSION, "Session length, such as 8h, 180m or 3600",
        profile_key="duration_seconds", **_DURATION)
    min_remaining_seconds: "int | None" = option(
        "--min-remaining", _SESSION, "Least time left at the start; else renew, or fail",
        profile_key="gds_exec_min_remaining", subcommands=(RUN, CREDENTIAL_PROCESS, "explain"), **_DURATION)
    mfa_max_age_seconds: "int | None" = option(
        "--mfa-max-age", _SESSION, "Ask for a new code if the last one is older",
        profile_key="gds_exec_mfa_max_age", **_DURATION)
    refresh: bool = option(
        "--refresh", _SESSION, "Keep the session fresh while the command runs",
        profile_key="gds_exec_refresh", subcommands=(RUN, CREDENTIAL_PROCESS), **_ONLY_NOW)
    new_session: bool = option(
        "--new-session", _SESSION, "Ignore the cached role session",
        subcommands=(RUN, CREDENTIAL_PROCESS, "explain"), **_ONLY_NOW)
    session_name: "str | None" = option(
        "--session-name", _SESSION, "Role session name, in place of one made up", metavar="NAME",
        accepts=is_session_name, invalid="2 to 64 letters, digits and any of _ = + , . @ - are allowed",
        profile_key="role_session_name")
    region: "str | None" = option(
        "--region -r", _SESSION, "Region of the command", metavar="REGION", accepts=is_region,
        invalid="{!r} is no region such as eu-west-2", offer="regions", profile_key="region", in_key=False)
    expect_account: "str | None" = option(
        "--expect-account", _SESSION, "Start only in this account", metavar="ACCOUNT", accepts=is_account,
        invalid="{!r} is no account's number of 12 digits", profile_key="gds_exec_expect_account")
    timeout_seconds: "int | None" = option(
        "--timeout", _SESSION, "Longest time to get the session, questions included", in_key=False,
        **_DURATION)
    cache: bool = option("--cache", _SESSION, "Keep sessions on disk in CI too")
    source_profile: "str | None" = option(
        "--source-profile", _SOURCE, "Profile whose keys to begin with", metavar="PROFILE", offer="roles",
        profile_key="source_profile", subcommands=(*_WITH_A_SESSION, "whoami"))
    source: "str | None" = option(
        "--source", _SOURCE, f"Begin with this and nothing else: {', '.join(SOURCES)}", metavar="KIND",
        accepts=is_source, invalid=f"{{!r}} is none of {', '.join(SOURCES)}", offer="sources")
    web_identity_token_file: "str | None" = option(
        "--web-identity-token-file", _SOURCE, "Begin with the OIDC token in this file", metavar="FILE",
        offer="files", profile_key="web_identity_token_file")
    web_identity_token_env: "str | None" = option(
        "--web-identity-token-env", _SOURCE, "Begin with the OIDC token in this variable", metavar="NAME")
    web_identity_token_command: "str | None" = option(
        "--web-identity-token-command", _SOURCE, "Begin with the OIDC token that this command prints",
        metavar="COMMAND")
    audience: "str | None" = option(
        "--audience", _SOURCE, "Audience for the GitHub token", metavar="AUDIENCE")
    pass_id_token: bool = option(
        "--pass-id-token", _SOURCE, "Let the command ask GitHub for tokens of its own",
        subcommands=(RUN, CREDENTIAL_PROCESS), **_ONLY_NOW)
    policy: "str | None" = option(
        "--policy", _SCOPE, "Session policy, as a file or JSON", metavar="FILE|JSON", offer="files", **_MARK)
    policy_arns: "tuple[str, ...]" = option(
        "--policy-arn", _SCOPE, "Managed session policy; may be repeated", metavar="ARN", is_repeatable=True,
        **_MARK)
    read_only: bool = option("--read-only", _SCOPE, "Allow only what AWS's ReadOnlyAccess allows", **_MARK)
    tags: "tuple[str, ...]" = option(
        "--tag", _SCOPE, "Session tag; may be repeated", metavar="KEY=VALUE", is_repeatable=True, **_MARK)
    transitive_tags: "tuple[str, ...]" = option(
        "--transitive-tag", _SCOPE, "Tag that sessions made from this one keep; may be repeated",
        metavar="KEY", is_repeatable=True, **_MARK)
    source_identity: "str | None" = option(
        "--source-identity", _SCOPE, "Person that CloudTrail shows behind the session", metavar="NAME",
        **_MARK)
    external_id: "str | None" = option(
        "--external-id", _SCOPE, "External id that the role's trust policy wants", metavar="ID",
        profile_key="external_id", **_MARK)
    ci_tags: bool = option("--ci-tags", _SCOPE, "Tag the session with what is known of the CI job")
    mfa_code: "str | None" = option(
        "--mfa-code -t --mfa-token", _CODE, "MFA code, in place of a question for it", metavar="CODE",
        subcommands=(RUN, CREDENTIAL_PROCESS, "renew"), **_ONLY_NOW)
    no_input: bool = option("--no-input", _CODE, "Never ask; fail at once with 124", **_ONLY_NOW)
    wait_seconds: int = option(
        "--wait", _CODE, "Longest wait for a person's answer (5m if not given)", default=DEFAULT_WAIT_SECONDS,
        subcommands=(RUN, CREDENTIAL_PROCESS, "renew"), **_DURATION, **_ONLY_NOW)
    quiet: bool = option(  # in the key: a run that is not quiet may have something to say
        "--quiet -q", _OTHER, "Only print errors", subcommands=(RUN, CREDENTIAL_PROCESS, "renew"),
        in_renewals=False)
    role: str = option(
        "--role", _OTHER, "Role whose name is also a subcommand", metavar="NAME", offer="roles", default="",
        subcommands=(RUN, CREDENTIAL_PROCESS, "explain"), has_variable=False)
    shell: bool = _action("--shell -s", "Run your shell as the role", is_plain=True)
    export: bool = _action("--export -e", "Print the session for `eval $(gds-exec ROLE -e)`")
    format_name: "str | None" = _action(
        "--format", "Format of the export: sh, fish, powershell, cmd, dotenv, json, credential-process, ini, "
        "github-env, github-output or assume-role-json", metavar="F", offer="formats")
    write_profile: "str | None" = _action(
        "--write-profile", "Copy the session to this profile of the AWS credentials file", metavar="NAME")
    unset: bool = _action(
        "--unset", "Undo an export: `eval $(gds-exec --unset)`; or remove what --write-profile NAME wrote")
    login: bool = _action("--login -l", "Open the AWS console as the role")
    url: "str | None" = _action("--open -o", "Open this page of the console", metavar="URL")
    service: "str | None" = _action(
        "--service", "Open the console of this service, such as s3", metavar="NAME")
    is_printed: bool = _action("--print", "Print the console's sign-in URL: a secret, for 15 min")
    is_switch_role: bool = _action(
        "--switch-role", "Print the console's switch-role link, which needs no session")
    describe: bool = _action("--describe -d", "Describe the role and its session, offline")
    names: bool = _action("--names", "List only the roles' names", _OTHER, subcommands=(RUN, "roles"))
    csv: bool = _action("--csv", "List the roles as CSV, with a header", _OTHER, subcommands=(RUN, "roles"))
    as_json: bool = _action(
        "--json", "Print JSON", _OTHER, subcommands=(RUN, "explain", "sessions", "roles", "whoami"))
    skip_ip_range_checks: bool = _action("--skip-ip-range-checks", "", is_plain=True, is_hidden=True)
    debug: bool = option(
        "--debug", _OTHER, "Print what is done, without secrets", subcommands=_EVERY_SUBCOMMAND,
        is_plain=False, **_ONLY_NOW)
    version: bool = _action("--version -V", "Print the version", _OTHER)


# Settings that are only variables. They are read where they are needed.
MFA_SOURCE = option(
    "", _CODE, "Where codes come from, in order: process, ykman, terminal, dialog",
    variable="GDS_EXEC_MFA_SOURCE", metavar="KINDS", **_ONLY_NOW)
YKMAN_ACCOUNT = option(
    "", _CODE, "OATH account of a YubiKey", variable="GDS_EXEC_YKMAN_ACCOUNT", metavar="NAME",
    profile_key="gds_exec_ykman_account", **_ONLY_NOW)
CACHE_DIRECTORY = option(  # which holds what the key names
    "", _SESSION, "Directory for the cache", variable="GDS_EXEC_CACHE_DIR", metavar="DIRECTORY", **_ONLY_NOW)
# fmt: on

# What narrows a session or marks it.
SCOPE_ROWS = tuple(row for row in OPTIONS if row.in_scope)
