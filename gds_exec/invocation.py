"""What was asked on the command line, as a value, and the grammar that reads it.

    gds-exec [OPTION]... ROLE [OPTION]... [--] COMMAND [ARG]...
    gds-exec [OPTION]... SUBCOMMAND [ARG]...

The first plain argument is the role, or a subcommand. The first plain argument after the role begins
the command, and nothing after that is ours. No parser library can say this (one eats the command's
`-d`, the other runs `--art`), so `canonical` says it first. `read_plainly` reads what is plain of its
form, because a parser library costs more than the rest of a run.
"""

from gds_exec.options import CREDENTIAL_PROCESS, OPTIONS, RUN, SPELLINGS, SUBCOMMANDS, TRY_CODE, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, Self

ASKED_FOR = "GDS_EXEC_CREDENTIAL_PROCESS"  # the profiles whose credential_process we are run for
_OF_ONE_ROLE = (CREDENTIAL_PROCESS, "explain")
_HINT = "gds-exec ROLE -- COMMAND [ARG]..."


class Invocation(Options):
    """A role, what the options ask for, and the command to run as the role; never changed.

    `subcommand` is "" for running as a role.
    """

    subcommand: str = RUN
    command: "tuple[str, ...]" = ()

    def __init__(self, **said: "Any") -> None:
        if unknown := said.keys() - _FIELDS:
            raise TypeError(f"an invocation has no {', '.join(unknown)}")
        self.__dict__.update(said)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Invocation) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"Invocation({', '.join(sorted(self.__dict__))})"  # their values may be secret

    def but(self, **changes: "Any") -> "Self":
        """Return a copy in which these fields are different."""
        return type(self)(**self.__dict__ | changes)

    def _values(self) -> "tuple[object, ...]":
        return tuple(getattr(self, name) for name in _FIELDS)


_FIELDS = {row.field: None for row in OPTIONS if row.field} | {"subcommand": None, "command": None}


class Spoken:
    """An argv in its canonical form: its subcommand ("" for running as a role) and its arguments."""

    __slots__ = ("arguments", "subcommand")

    def __init__(self, subcommand: str, arguments: list[str]) -> None:
        self.subcommand = subcommand
        self.arguments = arguments


class _Unclear(ValueError):
    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def canonical(argv: list[str]) -> Spoken:
    """Bring argv into the form `OPTIONS --role NAME -- COMMAND`, or into a subcommand and its arguments.

    Raise `UsageError` where `--` stands and no role or no command, or an option has no value.
    """
    try:
        return _spoken(argv)
    except _Unclear as unclear:
        from gds_exec.errors import UsageError

        raise UsageError(unclear.message, hint=unclear.hint) from None


def read_plainly(argv: list[str], environ: "Mapping[str, str]") -> Invocation | None:
    """Return what argv and the `GDS_EXEC_` variables ask for, or `None` where that is not plain.

    Not plain is what only the full command line can answer: a subcommand, help, whatever is said twice,
    is unknown or wrong.
    """
    try:
        spoken = _spoken(argv)
        is_plain = spoken.subcommand in (RUN, CREDENTIAL_PROCESS)
        return _invocation(spoken, environ) if is_plain else None
    except ValueError:
        return None


def session_arguments(invocation: Invocation) -> tuple[str, ...]:
    """Return the options that ask for the same session again."""
    rows = (row for row in OPTIONS if row.field and row.in_renewals)
    return tuple(text for row in rows for text in row.arguments(getattr(invocation, row.field)))


def read_session_arguments(arguments: "Sequence[str]") -> Invocation | None:
    """Return what `session_arguments` wrote; None for anything else."""
    try:
        return _invocation(Spoken(RUN, list(arguments)), {}, is_ours=True)
    except ValueError:
        return None


def without_options(environ: "Mapping[str, str]") -> dict[str, str]:
    """Return the environment without the variables that stand for options."""
    names = {row.variable for row in OPTIONS if row.name}
    return {name: value for name, value in environ.items() if name not in names}


def _spoken(argv: list[str]) -> Spoken:
    options: list[str] = []
    has_role = False
    rest = list(argv)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return Spoken(RUN, [*options, "--", *_command(rest, has_role=has_role)])
        if is_option(argument):
            taken = take_option(argument, rest)
            has_role = has_role or taken[0] == "--role" or taken[0].startswith("--role=")
            options += taken
        elif has_role:
            return Spoken(RUN, [*options, "--", argument, *rest])
        elif argument == "try" and rest[:1] == ["code"]:  # `try -- code` runs an editor of that name
            return Spoken(TRY_CODE, [*options, *rest[1:]])
        elif argument in SUBCOMMANDS:
            return Spoken(argument, [*options, *_arguments_of(argument, rest)])
        else:
            has_role = True
            options += ["--role", argument]
    return Spoken(RUN, options)


def _arguments_of(subcommand: str, rest: list[str]) -> list[str]:
    """Return the arguments of a subcommand, its options in their long form; a command's are its own."""
    if subcommand == "try":
        return rest
    arguments: list[str] = []
    wants_role = subcommand in _OF_ONE_ROLE
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


def _long_name(spelling: str) -> str | None:
    """Return the long form of an option that takes a value, None for any other."""
    row = SPELLINGS.get(spelling)
    return None if row is None or row.is_flag else row.name


def _value(name: str, rest: list[str]) -> list[str]:
    if not rest or rest[0] == "--":
        raise _Unclear(f"{name} needs a value", "gds-exec --help shows what there is")
    return [rest.pop(0)]


def _invocation(spoken: Spoken, environ: "Mapping[str, str]", *, is_ours: bool = False) -> Invocation:
    """Return what a plain argv asks for. Raise `ValueError` if it is not plain; ours may say all."""
    rest = list(spoken.arguments)
    said = dict(_said(rest))
    for row in OPTIONS:
        if row.name and row.variable and row not in said and (text := environ.get(row.variable)):
            said[row] = row.value_of(text)
    if not all((row.is_plain or is_ours) and spoken.subcommand in row.subcommands for row in said):
        raise ValueError("which are part of the full command line")
    fields = {row.field: value for row, value in said.items()}
    if "role" not in fields or ("shell" in fields and rest):
        raise ValueError("it takes a role, and one thing to do")
    if spoken.subcommand and rest:
        raise ValueError("a subcommand runs no command")
    return Invocation(subcommand=spoken.subcommand, command=tuple(rest), **fields)


def _said(rest: list[str]) -> "Iterator[tuple[Any, object]]":
    """Take the options off the front of a canonical form; yield each with its value."""
    collected: dict[Any, tuple[object, ...]] = {}
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            break
        name, equals, text = argument.partition("=")
        row = SPELLINGS.get(name)
        if row is None or (row.is_flag and equals):
            raise ValueError(argument)
        if row.is_flag:
            text = "1"
        elif not equals:
            text = rest.pop(0)
        if not text or (row in collected and not row.is_repeatable):
            raise ValueError(argument)
        collected[row] = (*collected.get(row, ()), row.value_of(text))
    for row, values in collected.items():
        yield row, values if row.is_repeatable else values[0]
