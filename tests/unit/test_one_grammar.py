"""Two readers of one grammar: where the plain one answers, the full command line says the same."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gds_exec.cli.parser import read_command_line
from gds_exec.errors import GdsExecError
from gds_exec.invocation import Invocation, read_plainly
from gds_exec.options import OPTIONS, SCOPE_ROWS, SPELLINGS, SUBCOMMANDS

PLAIN = [
    pytest.param("admin ls", id="no --"),
    pytest.param("admin -- ls -l", id="--"),
    pytest.param("admin", id="role alone"),
    pytest.param("admin -s", id="shell"),
    pytest.param("--role try ls", id="role like a word"),
    pytest.param("--role=admin ls", id="--role="),
    pytest.param("-q admin --no-input --new-session ls", id="flags"),
    pytest.param("-art 8h admin ls", id="-art"),
    pytest.param("admin --art=1h30m --min-remaining 600 ls", id="durations"),
    pytest.param("admin -qreu-west-1 ls", id="cluster"),
    pytest.param("admin -t 123456 ls", id="code"),
    pytest.param("admin --session-name ci-1 --source-profile base --wait 10s ls", id="the rest"),
    pytest.param("admin --session-name alice_a+b=c,d.e@example-1 ls", id="signs in a session's name"),
    pytest.param("admin --session-name @@ ls", id="a session's name of signs"),
    pytest.param("arn:aws:iam::123456789012:role/x -- ls -- -q", id="ARN"),
    pytest.param("admin -- -x", id="command like an option"),
    pytest.param("admin --refresh --mfa-max-age 15m ls", id="refreshed"),
    pytest.param("admin --source github --audience ours ls", id="a source"),
    pytest.param("--source=profile admin --source-profile base ls", id="a source that is a profile"),
    pytest.param("admin --web-identity-token-file /run/token ls", id="a token in a file"),
    pytest.param("admin --web-identity-token-env=ID_TOKEN ls", id="a token in a variable"),
    pytest.param("admin --web-identity-token-command print-token -- ls", id="a token of a command"),
    pytest.param("admin --expect-account 222222222222 --timeout 90 ls", id="an account, in time"),
    pytest.param("--cache admin --ci-tags --pass-id-token ls", id="flags for CI"),
    pytest.param("credential-process admin --source instance --timeout 30s", id="document of a source"),
    pytest.param("credential-process admin", id="document"),
    pytest.param("credential-process admin -art 8h -q", id="document with options"),
    pytest.param("-r eu-west-1 credential-process --role=admin", id="document of --role="),
    pytest.param("credential-process arn:aws:iam::123456789012:role/x --no-input", id="document of an ARN"),
    pytest.param("credential-process try --refresh", id="document of a role like a word"),
]
DECLINED = [
    pytest.param("", id="nothing"),
    pytest.param("whoami", id="a word"),
    pytest.param("try -- sh", id="a word with a command"),
    pytest.param("--help", id="help"),
    pytest.param("admin --help", id="help of a role"),
    pytest.param("-V", id="version"),
    pytest.param("admin --debug ls", id="debug"),
    pytest.param("admin -- ", id="no command"),
    pytest.param("-- ls", id="no role"),
    pytest.param("admin -s ls", id="two things to do"),
    pytest.param("admin --duration soon ls", id="no duration"),
    pytest.param("admin -r eu_west ls", id="no region"),
    pytest.param("admin --nonsense ls", id="unknown"),
    pytest.param("admin --source nowhere ls", id="no source"),
    pytest.param("admin --source GitHub ls", id="a source in another case"),
    pytest.param("admin --expect-account 1234 ls", id="no account"),
    pytest.param("admin --expect-account 22222222222x ls", id="an account with a letter"),
    pytest.param("admin --timeout soon ls", id="no time limit"),
    pytest.param("admin --timeout 0 ls", id="a time limit of nothing"),
    pytest.param("admin --audience= ls", id="no audience"),
    pytest.param("admin --web-identity-token-file= ls", id="no token file"),
    pytest.param("admin --web-identity-token-env", id="a token in no variable"),
    pytest.param("admin --cache --cache ls", id="the cache twice"),
    pytest.param("admin --ci-tags=1 ls", id="tags with a value"),
    pytest.param("admin -r a -r b ls", id="twice"),
    pytest.param("admin -q -q ls", id="a flag twice"),
    pytest.param("admin -q=1 ls", id="a flag with a value"),
    pytest.param("admin --region= ls", id="empty"),
    pytest.param("admin --dur 8h ls", id="abbreviated"),
    pytest.param("--role a --role b ls", id="two roles"),
    pytest.param("admin --policy {} ls", id="policy"),
    pytest.param("admin --policy-arn=arn:aws:iam::aws:policy/X ls", id="policy ARN"),
    pytest.param("admin --read-only ls", id="read-only"),
    pytest.param("admin --tag a=1 ls", id="tag"),
    pytest.param("admin --tag a=1 --transitive-tag a ls", id="transitive tag"),
    pytest.param("admin --source-identity alice ls", id="source identity"),
    pytest.param("admin --external-id an-id ls", id="external id"),
    pytest.param("credential-process admin --read-only", id="document that is read-only"),
    pytest.param("credential-process", id="document of no role"),
    pytest.param("credential-process a b", id="document of two roles"),
    pytest.param("credential-process a --role b", id="document of two roles, one of them --role"),
    pytest.param("credential-process a -- ls", id="document and command"),
    pytest.param("credential-process -- a", id="document of a role behind --"),
    pytest.param("credential-process a -s", id="document and shell"),
    pytest.param("credential-process a --help", id="document's help"),
    pytest.param("credential-process a --debug", id="document and debug"),
]
VALUES_OF_VARIABLES = {
    "GDS_EXEC_EXPECT_ACCOUNT": "222222222222",
    "GDS_EXEC_REGION": "eu-west-2",
    "GDS_EXEC_SESSION_NAME": "ci-1",
    "GDS_EXEC_SOURCE": "github",
}
PLAIN_VARIABLES = sorted(row.variable for row in OPTIONS if row.name and row.variable and row.is_plain)
SCOPE_VARIABLES = [row.variable for row in SCOPE_ROWS]

values = st.sampled_from(
    [
        "8h",
        "1h30m",
        "600",
        "0",
        "github",
        "web-identity",
        "222222222222",
        "/run/token",
        "print-token --for ci",
        "eu-west-2",
        "a b",
        "",
        "123456",
        "base",
        "ci-1",
        "a@b.c",
        "a:b",
        "x",
        "-q",
        "--",
        "true",
        "1",
        "no",
        "é",
    ]
)
options = st.sampled_from(
    [
        *SPELLINGS,
        "--help",
        "-qs",
        "-sq",
        "-x",
        "--regio",
    ]
)
arguments = st.lists(
    st.one_of(
        options,
        values,
        st.tuples(options, values).map("=".join),
        st.tuples(st.sampled_from(["-r", "-t", "-qr", "-art", "-sr"]), values).map("".join),
        st.sampled_from(["admin", "ls", "--", "-", *SUBCOMMANDS]),
        st.text(max_size=4),
    ),
    max_size=8,
)
settings_of_caller = st.dictionaries(
    st.sampled_from([*PLAIN_VARIABLES, *SCOPE_VARIABLES, "GDS_EXEC_DEBUG"]),
    values.filter(lambda value: "\0" not in value),
    max_size=3,
)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Typer reads the variables of the process itself."""
    found = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("GDS_EXEC_")]:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(found)


def read_fully(argv: list[str], variables: Mapping[str, str]) -> Invocation | None:
    with environment(variables):
        try:
            return read_command_line(argv)
        except GdsExecError:
            return None


@pytest.mark.parametrize("line", PLAIN)
def test_a_plain_line_is_read_alike_by_both(line: str) -> None:
    plain = read_plainly(line.split(), {})

    assert plain is not None
    assert plain == read_fully(line.split(), {})


@pytest.mark.parametrize("line", DECLINED)
def test_what_is_not_plain_is_left_to_the_full_command_line(line: str) -> None:
    assert read_plainly(line.split(), {}) is None


@pytest.mark.parametrize("variable", PLAIN_VARIABLES)
def test_every_setting_has_its_variable_for_both(variable: str) -> None:
    value = VALUES_OF_VARIABLES.get(variable, "1")
    plain = read_plainly(["admin", "ls"], {variable: value})

    assert plain is not None
    assert plain == read_fully(["admin", "ls"], {variable: value})
    document = read_plainly(["credential-process", "admin"], {variable: value})
    assert document == read_fully(["credential-process", "admin"], {variable: value})
    assert plain != read_plainly(["admin", "ls"], {})


@pytest.mark.parametrize("variable", ["GDS_EXEC_ROLE", "GDS_EXEC_SHELL", "GDS_EXEC_EXPORT", "GDS_EXEC_UNSET"])
def test_what_to_do_has_no_variable(variable: str) -> None:
    for value in ("1", "admin"):
        plain = read_plainly(["admin", "ls"], {variable: value})

        assert plain == read_plainly(["admin", "ls"], {})
        assert plain == read_fully(["admin", "ls"], {variable: value})


@pytest.mark.parametrize("variable", SCOPE_VARIABLES)
def test_a_variable_that_scopes_the_session_is_left_to_the_full_command_line(variable: str) -> None:
    for argv in (["admin", "ls"], ["credential-process", "admin"]):
        assert read_plainly(argv, {variable: "1"}) is None
        assert read_plainly(argv, {variable: ""}) == read_plainly(argv, {})


@settings(max_examples=1500, deadline=None)
@given(arguments, settings_of_caller)
@example(["admin", "ls"], {"GDS_EXEC_REGION": ""})
@example(["admin", "ls"], {"GDS_EXEC_QUIET": "no"})
@example(["admin", "ls"], {"GDS_EXEC_DEBUG": "1"})
@example(["admin", "ls"], {"GDS_EXEC_WAIT": "0"})
@example(["-q", "admin", "-r", "-x", "ls"], {})
def test_where_the_plain_reader_answers_the_full_one_says_the_same(
    argv: list[str], variables: dict[str, str]
) -> None:
    plain = read_plainly(argv, variables)
    if plain is not None:
        assert plain == read_fully(argv, variables)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from(["-q", "--no-input", "-r eu-west-1", "--art 8h", "--wait=5", "-t 123456"]),
        unique=True,
    )
)
def test_the_plain_reader_answers_whatever_is_plain(said: list[str]) -> None:
    options = " ".join(said).split()
    for argv in ([*options, "admin", "--", "ls", "-l"], ["credential-process", "admin", *options]):
        plain = read_plainly(argv, {})

        assert plain is not None
        assert plain == read_fully(argv, {})
