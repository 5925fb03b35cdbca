import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.errors import UsageError
from gds_exec.invocation import Invocation, canonical
from gds_exec.options import (
    CREDENTIAL_PROCESS,
    OPTIONS,
    SPELLINGS,
    SUBCOMMANDS,
    duration_seconds,
    duration_text,
)

VALUE_OPTIONS = [spelling for spelling, row in SPELLINGS.items() if not row.is_flag]
ROLE = ["--role", "admin"]


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("admin", ROLE, id="role alone"),
        pytest.param("admin ls", [*ROLE, "--", "ls"], id="no --"),
        pytest.param("admin -- ls", [*ROLE, "--", "ls"], id="--"),
        pytest.param("admin -- ls -l", [*ROLE, "--", "ls", "-l"], id="the command's option"),
        pytest.param("admin ls -l", [*ROLE, "--", "ls", "-l"], id="the command's option without --"),
        pytest.param(
            "admin --tag a=1 --tag b=2 ls",
            [*ROLE, "--tag", "a=1", "--tag", "b=2", "--", "ls"],
            id="an option twice",
        ),
        pytest.param("admin --read-only ls", [*ROLE, "--read-only", "--", "ls"], id="a flag of the scope"),
        pytest.param("admin ls --tag a=1", [*ROLE, "--", "ls", "--tag", "a=1"], id="the command's tag"),
        pytest.param("admin -q ls", [*ROLE, "-q", "--", "ls"], id="flag after the role"),
        pytest.param("-q admin ls", ["-q", *ROLE, "--", "ls"], id="flag before the role"),
        pytest.param("admin ls -q", [*ROLE, "--", "ls", "-q"], id="our letter as the command's"),
        pytest.param(
            "admin git push -d origin x",
            [*ROLE, "--", "git", "push", "-d", "origin", "x"],
            id="git push -d",
        ),
        pytest.param(
            "admin terraform apply --duration 8h --role x",
            [*ROLE, "--", "terraform", "apply", "--duration", "8h", "--role", "x"],
            id="our words as the command's",
        ),
        pytest.param("admin -- ls -- x", [*ROLE, "--", "ls", "--", "x"], id="the command's own --"),
        pytest.param("admin ls -- x", [*ROLE, "--", "ls", "--", "x"], id="the command's -- without ours"),
        pytest.param("admin -- -- x", [*ROLE, "--", "--", "x"], id="a command named --"),
        pytest.param("admin -- -x", [*ROLE, "--", "-x"], id="a command like an option"),
        pytest.param("admin -", [*ROLE, "--", "-"], id="a command named -"),
        pytest.param(
            "admin kubectl exec -it pod -- sh",
            [*ROLE, "--", "kubectl", "exec", "-it", "pod", "--", "sh"],
            id="kubectl",
        ),
        pytest.param("--role admin ls", [*ROLE, "--", "ls"], id="--role"),
        pytest.param("--role=admin ls", ["--role=admin", "--", "ls"], id="--role="),
        pytest.param("--role try ls", ["--role", "try", "--", "ls"], id="a role that is called like a word"),
        pytest.param("--role admin try", [*ROLE, "--", "try"], id="a word as a command"),
        pytest.param("admin try", [*ROLE, "--", "try"], id="a word after the role is the command"),
        pytest.param("-r eu-west-1 admin ls", ["--region", "eu-west-1", *ROLE, "--", "ls"], id="-r x"),
        pytest.param("admin -r eu-west-1 ls", [*ROLE, "--region", "eu-west-1", "--", "ls"], id="-r x after"),
        pytest.param("-reu-west-1 admin", ["--region", "eu-west-1", *ROLE], id="-rx"),
        pytest.param("-r=eu-west-1 admin", ["--region=eu-west-1", *ROLE], id="-r=x"),
        pytest.param("-qr eu-west-1 admin", ["-q", "--region", "eu-west-1", *ROLE], id="-qr x"),
        pytest.param("-qreu-west-1 admin", ["-q", "--region", "eu-west-1", *ROLE], id="-qrx"),
        pytest.param("-t 123456 admin", ["--mfa-code", "123456", *ROLE], id="-t"),
        pytest.param("-t123456 admin", ["--mfa-code", "123456", *ROLE], id="-t123456"),
        pytest.param("-art 8h admin ls", ["--duration", "8h", *ROLE, "--", "ls"], id="-art"),
        pytest.param("admin -art 8h ls", [*ROLE, "--duration", "8h", "--", "ls"], id="-art after the role"),
        pytest.param("-art=8h admin", ["--duration=8h", *ROLE], id="-art="),
        pytest.param("--art 8h admin", ["--duration", "8h", *ROLE], id="--art"),
        pytest.param("--assume-role-ttl=8h admin", ["--duration=8h", *ROLE], id="--assume-role-ttl="),
        pytest.param("--mfa-token 123456 admin", ["--mfa-code", "123456", *ROLE], id="--mfa-token"),
        pytest.param("--duration=a=b admin", ["--duration=a=b", *ROLE], id="= in a value"),
        pytest.param("--duration= admin", ["--duration=", *ROLE], id="an empty value"),
        pytest.param("--unknown admin ls", ["--unknown", *ROLE, "--", "ls"], id="an unknown option"),
        pytest.param("--unknown=x admin", ["--unknown=x", *ROLE], id="an unknown option with a value"),
        pytest.param("admin --help", [*ROLE, "--help"], id="help for us"),
        pytest.param("admin ls --help", [*ROLE, "--", "ls", "--help"], id="help for the command"),
        pytest.param("--region -q admin", ["--region", "-q", *ROLE], id="a value like an option"),
        pytest.param("-", ["--role", "-"], id="- alone"),
    ],
)
def test_what_a_line_of_ours_means(line: str, arguments: list[str]) -> None:
    spoken = canonical(line.split())

    assert (spoken.subcommand, spoken.arguments) == ("", arguments)


def test_empty_arguments_are_arguments() -> None:
    assert canonical(["", "", ""]).arguments == ["--role", "", "--", "", ""]


@pytest.mark.parametrize(
    "word", [word for word in SUBCOMMANDS if word not in (CREDENTIAL_PROCESS, "explain")]
)
def test_a_word_comes_with_all_that_stands_around_it(word: str) -> None:
    spoken = canonical(["-q", "-r", "eu-west-1", word, "ls", "--duration", "8h", "--", "x"])

    assert spoken.subcommand == word
    assert spoken.arguments == ["-q", "--region", "eu-west-1", "ls", "--duration", "8h", "--", "x"]


@pytest.mark.parametrize("word", [word for word in SUBCOMMANDS if word not in (CREDENTIAL_PROCESS, "try")])
def test_a_word_knows_the_short_names_of_options(word: str) -> None:
    assert canonical([word, "-art", "8h", "-qreu-west-1"]).arguments == [
        *("--duration", "8h"),
        *("-q", "--region", "eu-west-1"),
    ]


def test_what_follows_the_word_try_is_a_command_s_own() -> None:
    assert canonical(["try", "ls", "-art", "x"]).arguments == ["ls", "-art", "x"]


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        pytest.param("credential-process admin", ROLE, id="role alone"),
        pytest.param(
            "credential-process admin -art 8h", [*ROLE, "--duration", "8h"], id="option behind the role"
        ),
        pytest.param(
            "credential-process -t 123456 admin", ["--mfa-code", "123456", *ROLE], id="option before the role"
        ),
        pytest.param("-q credential-process admin", ["-q", *ROLE], id="option before the word"),
        pytest.param("credential-process --role admin", ROLE, id="--role"),
        pytest.param("credential-process try", ["--role", "try"], id="a role that is called like a word"),
        pytest.param("credential-process admin ls", [*ROLE, "ls"], id="more than a role"),
        pytest.param("credential-process", [], id="no role"),
    ],
)
def test_credential_process_takes_a_role_and_its_options(line: str, arguments: list[str]) -> None:
    spoken = canonical(line.split())

    assert (spoken.subcommand, spoken.arguments) == (CREDENTIAL_PROCESS, arguments)


def test_a_role_that_is_called_credential_process_can_be_reached() -> None:
    spoken = canonical(["--role", CREDENTIAL_PROCESS, "ls"])

    assert (spoken.subcommand, spoken.arguments) == ("", ["--role", CREDENTIAL_PROCESS, "--", "ls"])


@pytest.mark.parametrize("line", ["--", "-- ls", "-q -- ls", "--duration 8h -- ls"])
def test_a_command_without_a_role_is_a_usage_error(line: str) -> None:
    with pytest.raises(UsageError, match="no role before --"):
        canonical(line.split())


@pytest.mark.parametrize("line", ["admin --", "--role admin --", "admin -q --"])
def test_a_role_without_the_command_that_was_announced_is_a_usage_error(line: str) -> None:
    with pytest.raises(UsageError, match="no command after --"):  # matrix 92
        canonical(line.split())


@pytest.mark.parametrize("line", ["admin --duration", "admin -r", "admin -qr", "admin --region -- ls"])
def test_an_option_without_its_value_is_refused(line: str) -> None:
    with pytest.raises(UsageError, match=r"^-\S+ needs a value"):
        canonical(line.split())


def test_the_given_argv_is_not_changed() -> None:
    argv = ["-qr", "eu-west-1", "admin", "ls"]

    canonical(argv)

    assert argv == ["-qr", "eu-west-1", "admin", "ls"]


arguments_of_ours = st.lists(
    st.sampled_from([["-q"], ["--debug"], ["-r", "x"], ["-rx"], ["-qr", "x"], ["-art", "8h"], ["--wait=5"]]),
    max_size=4,
).map(lambda groups: [argument for group in groups for argument in group])
arguments_of_commands = st.lists(
    st.text(max_size=5) | st.sampled_from(["--", "-", "-d", *VALUE_OPTIONS, *SUBCOMMANDS]), max_size=6
)


@given(arguments_of_ours, arguments_of_ours, arguments_of_commands)
def test_after_two_dashes_the_command_is_the_untouched_tail(
    before: list[str], after: list[str], tail: list[str]
) -> None:
    command = ["ls", *tail]

    arguments = canonical([*before, "admin", *after, "--", *command]).arguments

    assert arguments[-len(command) - 1 :] == ["--", *command]
    assert "--" not in arguments[: -len(command) - 1]


@given(arguments_of_ours, arguments_of_ours, arguments_of_commands)
def test_without_two_dashes_it_begins_at_the_first_plain_argument(
    before: list[str], after: list[str], tail: list[str]
) -> None:
    with_dashes = canonical([*before, "admin", *after, "--", "ls", *tail]).arguments

    assert canonical([*before, "admin", *after, "ls", *tail]).arguments == with_dashes


@given(arguments_of_ours, arguments_of_ours, arguments_of_commands)
def test_what_is_canonical_stays_as_it_is(before: list[str], after: list[str], tail: list[str]) -> None:
    arguments = canonical([*before, "admin", *after, "ls", *tail]).arguments

    assert canonical(arguments).arguments == arguments


@given(st.lists(st.text(max_size=6) | st.sampled_from(["--", "-", *VALUE_OPTIONS, *SUBCOMMANDS]), max_size=8))
def test_an_argv_of_any_kind_is_read_or_is_a_usage_error(argv: list[str]) -> None:
    try:
        spoken = canonical(argv)
    except UsageError:
        return
    assert spoken.subcommand in {"", *SUBCOMMANDS}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("8h", 28_800),
        ("180m", 10_800),
        ("1h30m", 5_400),
        ("1h30m15s", 5_415),
        ("1h15s", 3_615),
        ("3600", 3_600),
        ("3600s", 3_600),
        ("0h15m", 900),
        ("015m", 900),
        ("8", 8),
    ],
)
def test_a_duration_is_hours_minutes_and_seconds(text: str, seconds: int) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0h",
        "h",
        "8H",
        "8 h",
        " 8h",
        "-8h",
        "+8h",
        "1.5h",
        "1h30",
        "30m1h",
        "1h1h",
        "8hours",
        "8d",
        "٨h",
        "٨",
        "8²",
        "²",
        "1_000",
        "1e3",
        "8h\n",
        "9" * 5000,
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    assert seconds_or_none(text) is None


def seconds_or_none(text: str) -> int | None:
    try:
        return duration_seconds(text)
    except ValueError:
        return None


@given(st.integers(0, 99), st.integers(0, 999), st.integers(0, 9999))
def test_a_duration_comes_back_as_it_was_spelt(hours: int, minutes: int, seconds: int) -> None:
    total = hours * 3600 + minutes * 60 + seconds
    spelt = "".join(f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if n)
    if total:
        assert duration_seconds(spelt) == total
        assert duration_seconds(str(total)) == total


@given(st.text() | st.text("0123456789hms"))
def test_text_of_any_kind_is_a_duration_above_nothing_or_none(text: str) -> None:
    spelt = re.fullmatch(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?|([0-9]+)", text)
    hours, minutes, seconds, plain = (int(number or 0) for number in (spelt.groups() if spelt else (0,) * 4))

    total = hours * 3600 + minutes * 60 + seconds + plain

    assert seconds_or_none(text) == (total or None)


def test_an_invocation_that_asks_for_nothing_is_a_role_alone() -> None:
    invocation = Invocation(role="admin")

    fields = [row.field for row in OPTIONS if row.field] + ["subcommand", "command"]
    assert {name for name in fields if getattr(invocation, name)} == {"role", "wait_seconds"}


@pytest.mark.parametrize(
    ("line", "word", "arguments"),
    [
        pytest.param("try code", "try code", [], id="the code"),
        pytest.param("try code --help", "try code", ["--help"], id="help on it"),
        pytest.param("try -- code", "try", ["--", "code"], id="an editor of that name"),
        pytest.param("try ls code", "try", ["ls", "code"], id="an argument of that name"),
        pytest.param("--role try code", "", ["--role", "try", "--", "code"], id="a role of that name"),
    ],
)
def test_the_code_of_the_sandbox_is_a_word_of_its_own(line: str, word: str, arguments: list[str]) -> None:
    spoken = canonical(line.split())

    assert (spoken.subcommand, spoken.arguments) == (word, arguments)


@given(st.integers(min_value=1, max_value=10**6))
def test_a_duration_as_a_person_writes_it_is_read_back(seconds: int) -> None:
    assert duration_seconds(duration_text(seconds)) == seconds
