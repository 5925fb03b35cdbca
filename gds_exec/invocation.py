"""What was asked on the command line, as a value, and the one grammar that reads it.

    gds-exec [OPTION]... ROLE [OPTION]... [--] COMMAND [ARG]...
    gds-exec [OPTION]... WORD [ARG]...

The first plain argument is the role, or a word of our own; the first plain argument after the
role begins the command, and nothing after that is ever ours. No parser library can say this
(one eats the command's `-d`, the other runs `--art`), so `canonical` says it first. Of its form
`read_plainly` reads what is plain, for a parser library costs more than all the rest of a run.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar, dataclass_transform

    Value = TypeVar("Value")

    @dataclass_transform(kw_only_default=True)
    def _with_fields(decorated: type[Value]) -> type[Value]: ...
else:

    def _with_fields(decorated):  # `value` does more, and is one more module to load
        return decorated


WORDS = (
    "completions",
    "credential-process",
    "explain",
    "renew",
    "roles",
    "sessions",
    "shell-init",
    "try",
    "whoami",
)
DOCUMENT = "credential-process"
_OF_ONE_ROLE = (DOCUMENT, "explain")
ASKED_FOR = "GDS_EXEC_CREDENTIAL_PROCESS"  # the profiles whose credential_process we are run for
VALUE_OPTIONS = {
    "--role": "--role",
    "--duration": "--duration",
    "--art": "--duration",
    "-art": "--duration",
    "--assume-role-ttl": "--duration",
    "--min-remaining": "--min-remaining",
    "--mfa-max-age": "--mfa-max-age",
    "--region": "--region",
    "-r": "--region",
    "--mfa-code": "--mfa-code",
    "--mfa-token": "--mfa-code",
    "-t": "--mfa-code",
    "--source-profile": "--source-profile",
    "--source": "--source",
    "--web-identity-token-file": "--web-identity-token-file",
    "--web-identity-token-env": "--web-identity-token-env",
    "--web-identity-token-command": "--web-identity-token-command",
    "--audience": "--audience",
    "--expect-account": "--expect-account",
    "--session-name": "--session-name",
    "--timeout": "--timeout",
    "--wait": "--wait",
    "--scope": "--scope",
}
# What narrows or marks the session, read by the full command line alone; `--scope` says in one what
# they say together, in arguments that we write for ourselves.
SCOPE_VALUE_OPTIONS = (
    "--policy",
    "--policy-arn",
    "--tag",
    "--transitive-tag",
    "--source-identity",
    "--external-id",
)
SCOPE_OPTIONS = (*SCOPE_VALUE_OPTIONS, "--read-only")
# What is done other than to run a command, which only the full command line reads.
ACTION_VALUE_OPTIONS = {
    "--format": "--format",
    "--open": "--open",
    "-o": "--open",
    "--service": "--service",
    "--write-profile": "--write-profile",
}
FLAGS = {
    "--cache": "--cache",
    "--ci-tags": "--ci-tags",
    "--new-session": "--new-session",
    "--pass-id-token": "--pass-id-token",
    "--no-input": "--no-input",
    "--quiet": "--quiet",
    "-q": "--quiet",
    "--refresh": "--refresh",
    "--shell": "--shell",
    "-s": "--shell",
    "--skip-ip-range-checks": "--skip-ip-range-checks",
}
# What a chain's first credentials can be had from.
SOURCES = ("profile", "environment", "web-identity", "github", "container", "instance")
DEFAULT_WAIT_SECONDS = 300
_HINT = "gds-exec ROLE -- COMMAND [ARG]..."
_WITHOUT_VARIABLE = (
    "--role",
    "--scope",
    "--shell",
    "--skip-ip-range-checks",
)  # what to do is said on the command line alone
_NO_PUNCTUATION = str.maketrans("", "", "_+=,.@-")  # that STS takes in the name of a session
_SECONDS = {"h": 3600, "m": 60, "s": 1}


@_with_fields
class Invocation:
    """A role, what was asked of its session, and the command to run as it; never changed.

    `word` is "" for that, and else what is wanted of the session instead; `scope` is the text of what
    it is asked for besides (`credentials.scope`).
    """

    role: "str"
    word: "str" = ""
    command: "tuple[str, ...]" = ()
    shell: "bool" = False
    duration_seconds: "int | None" = None
    min_remaining_seconds: "int | None" = None
    mfa_max_age_seconds: "int | None" = None
    region: "str | None" = None
    mfa_code: "str | None" = None
    source_profile: "str | None" = None
    source: "str | None" = None
    web_identity_token_file: "str | None" = None
    web_identity_token_env: "str | None" = None
    web_identity_token_command: "str | None" = None
    audience: "str | None" = None
    expect_account: "str | None" = None
    session_name: "str | None" = None
    scope: "str | None" = None
    ci_tags: "bool" = False
    new_session: "bool" = False
    refresh: "bool" = False
    no_input: "bool" = False
    timeout_seconds: "int | None" = None
    wait_seconds: "int" = DEFAULT_WAIT_SECONDS
    cache: "bool" = False
    pass_id_token: "bool" = False
    quiet: "bool" = False

    if not TYPE_CHECKING:

        def __init__(self, *, role, **said):
            if said.keys() - Invocation.__annotations__.keys():
                raise TypeError(f"an invocation has no {', '.join(said)}")
            self.__dict__.update(said, role=role)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Invocation) and all(
            getattr(self, name) == getattr(other, name) for name in Invocation.__annotations__
        )

    __hash__ = None  # type: ignore[assignment]


class Spoken:
    """An argv in its canonical form: the word it is about ("" for running as a role) and its arguments."""

    __slots__ = ("arguments", "word")

    def __init__(self, word: str, arguments: list[str]) -> None:
        self.word = word
        self.arguments = arguments


class _Unclear(ValueError):
    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def canonical(argv: list[str]) -> Spoken:
    """Bring argv into the form `OPTIONS --role NAME -- COMMAND`, or into a word and its arguments.

    Raise `UsageError` where `--` stands and no role or no command, or an option has no value.
    """
    try:
        return _spoken(argv)
    except _Unclear as unclear:
        from gds_exec.errors import UsageError

        raise UsageError(unclear.message, hint=unclear.hint) from None


def variable_of(option: str) -> str:
    """Return the name of the variable that stands for a long option."""
    return "GDS_EXEC_" + option[2:].upper().replace("-", "_")


def read_plainly(argv: list[str], environ: "Mapping[str, str]") -> Invocation | None:
    """Return what argv and the `GDS_EXEC_` variables ask for, or `None` where that is not plain.

    Not plain is what only the full command line can answer: a word, help, whatever is said twice,
    is unknown or wrong.
    """
    try:
        spoken = _spoken(argv)
        return _invocation(spoken, environ) if spoken.word in ("", DOCUMENT) else None
    except ValueError:
        return None


def _spoken(argv: list[str]) -> Spoken:
    options: list[str] = []
    has_role = False
    rest = list(argv)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return Spoken("", [*options, "--", *_command(rest, has_role=has_role)])
        if is_option(argument):
            taken = take_option(argument, rest)
            has_role = has_role or taken[0] == "--role" or taken[0].startswith("--role=")
            options += taken
        elif has_role:
            return Spoken("", [*options, "--", argument, *rest])
        elif argument == "try" and rest[:1] == ["code"]:  # `try -- code` runs an editor of that name
            return Spoken("try code", [*options, *rest[1:]])
        elif argument in WORDS:
            return Spoken(argument, [*options, *_arguments_of(argument, rest)])
        else:
            has_role = True
            options += ["--role", argument]
    return Spoken("", options)


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


def _arguments_of(word: str, rest: list[str]) -> list[str]:
    """Return the arguments of a word, its options in their long form; a command's are its own."""
    if word == "try":
        return rest
    arguments: list[str] = []
    wants_role = word in _OF_ONE_ROLE
    rest = list(rest)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return [*arguments, argument, *rest]
        if is_option(argument):
            arguments += take_option(argument, rest)
        else:
            arguments += ["--role", argument] if wants_role else [argument]
            wants_role = False
    return arguments


def _command(rest: list[str], *, has_role: bool) -> list[str]:
    if not has_role:
        raise _Unclear("there is no role before --", _HINT)
    if not rest:
        raise _Unclear("there is no command after --", _HINT)
    return rest


def is_option(argument: str) -> bool:
    return argument.startswith("-") and argument != "-"


def take_option(argument: str, rest: list[str]) -> list[str]:
    """Return the option in its long form with its value, which may be taken from the front of `rest`."""
    name, equals, value = argument.partition("=")
    if (long_name := _long_name(name)) is not None:
        return [f"{long_name}={value}"] if equals else [long_name, *_value(name, rest)]
    if argument.startswith("--"):
        return [argument]
    return _take_letters(argument, rest)


def _take_letters(argument: str, rest: list[str]) -> list[str]:
    """Take a cluster such as `-qr eu-west-1`: the first letter that wants a value ends it."""
    for place, letter in enumerate(argument[1:], start=1):
        if (long_name := _long_name(name := f"-{letter}")) is not None:
            flags = [f"-{flag}" for flag in argument[1:place]]
            attached = argument[place + 1 :]
            return [*flags, long_name, *([attached] if attached else _value(name, rest))]
    return [argument]


def _long_name(name: str) -> str | None:
    """Return the long form of an option that takes a value, None for any other."""
    if name in SCOPE_VALUE_OPTIONS:
        return name
    return VALUE_OPTIONS.get(name) or ACTION_VALUE_OPTIONS.get(name)


def _value(name: str, rest: list[str]) -> list[str]:
    if not rest or rest[0] == "--":
        raise _Unclear(f"{name} needs a value", "gds-exec --help shows what there is")
    return [rest.pop(0)]


def _invocation(spoken: Spoken, environ: "Mapping[str, str]") -> Invocation:
    if any(environ.get(variable_of(option)) for option in ("--debug", *SCOPE_OPTIONS)):
        raise ValueError("which are part of the full command line")
    options, command = _options_and_command(spoken.arguments)
    for option in (*VALUE_OPTIONS.values(), *FLAGS.values()):
        if option not in options and option not in _WITHOUT_VARIABLE:
            options[option] = environ.get(variable_of(option), "")
    shell = "--shell" in options
    if "--role" not in options or (shell, bool(command), bool(spoken.word)).count(True) > 1:
        raise ValueError("it takes a role, and one thing to do")
    return Invocation(
        role=options["--role"],
        word=spoken.word,
        command=command,
        shell=shell,
        duration_seconds=_perhaps(duration_seconds, options["--duration"]),
        min_remaining_seconds=_perhaps(duration_seconds, options["--min-remaining"]),
        mfa_max_age_seconds=_perhaps(duration_seconds, options["--mfa-max-age"]),
        region=_perhaps(region_name, options["--region"]),
        mfa_code=options["--mfa-code"] or None,
        source_profile=options["--source-profile"] or None,
        source=_perhaps(source_name, options["--source"]),
        web_identity_token_file=options["--web-identity-token-file"] or None,
        web_identity_token_env=options["--web-identity-token-env"] or None,
        web_identity_token_command=options["--web-identity-token-command"] or None,
        audience=options["--audience"] or None,
        expect_account=_perhaps(account_number, options["--expect-account"]),
        session_name=_perhaps(_session_name, options["--session-name"]),
        scope=options.get("--scope"),
        ci_tags=_truth(options["--ci-tags"]),
        new_session=_truth(options["--new-session"]),
        refresh=_truth(options["--refresh"]),
        no_input=_truth(options["--no-input"]),
        timeout_seconds=_perhaps(duration_seconds, options["--timeout"]),
        wait_seconds=_perhaps(duration_seconds, options["--wait"]) or DEFAULT_WAIT_SECONDS,
        cache=_truth(options["--cache"]),
        pass_id_token=_truth(options["--pass-id-token"]),
        quiet=_truth(options["--quiet"]),
    )


def _options_and_command(arguments: list[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Take a canonical form apart: options by their long names, each once, a flag that is set as "1"."""
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return options, tuple(rest)
        name, equals, value = argument.partition("=")
        if argument in FLAGS:
            name, value = FLAGS[argument], "1"
        elif name not in VALUE_OPTIONS:
            raise ValueError(argument)
        elif not equals:
            value = rest.pop(0)
        if not value or name in options:
            raise ValueError(argument)
        options[name] = value
    return options, ()


def _perhaps(read: "Callable[[str], Value]", text: str) -> "Value | None":
    return read(text) if text else None


def _truth(text: str) -> bool:
    if text not in ("", "1", "true"):
        raise ValueError(text)
    return text != ""


def region_name(text: str) -> str:
    """Return the text, which may be a region's name. Raise `ValueError` for one that cannot be."""
    if not (text.isascii() and text.replace("-", "").isalnum()):
        raise ValueError(text)
    return text


def source_name(text: str) -> str:
    """Return the text, which names one of `SOURCES`. Raise `ValueError` for any other."""
    if text not in SOURCES:
        raise ValueError(text)
    return text


def account_number(text: str) -> str:
    """Return the text, which may be an account's number. Raise `ValueError` for one that cannot be."""
    if not is_account(text):
        raise ValueError(text)
    return text


def is_account(text: str) -> bool:
    """Say whether the text may be an account's number."""
    return len(text) == 12 and text.isascii() and text.isdigit()


def _session_name(text: str) -> str:
    letters = text.translate(_NO_PUNCTUATION)
    if not (2 <= len(text) <= 64 and text.isascii() and (letters.isalnum() or not letters)):
        raise ValueError(text)
    return text
