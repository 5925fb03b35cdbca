"""A token is read, printed or minted anew each time, is a JWT or is refused, and is never told."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.config.sources import (
    GITHUB,
    TOKEN_COMMAND,
    TOKEN_FILE,
    TOKEN_VARIABLE,
    WebIdentityToken,
)
from gds_exec.credentials.token_source import TokenSource
from gds_exec.errors import NoAccessKey, SourceFailed
from tests.fakes import never

LONGEST = 20_000


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(signature: str = "c2lnbmF0dXJl", **claims: Any) -> str:
    """A token that nobody signed, which only AWS would mind."""
    parts = ({"alg": "RS256"}, {"iss": "https://ci", "sub": "job", "aud": "sts.amazonaws.com", **claims})
    return ".".join([*(base64url(json.dumps(part).encode()) for part in parts), signature])


def in_file(path: Path) -> TokenSource:
    return TokenSource(WebIdentityToken(TOKEN_FILE, str(path)), environ={}, run=never, mint=never)


def in_variable(token: str | None, **environ: str) -> TokenSource:
    if token is not None:
        environ["ID_TOKEN"] = token
    return TokenSource(WebIdentityToken(TOKEN_VARIABLE, "ID_TOKEN"), environ=environ, run=never, mint=never)


def test_a_token_is_no_session() -> None:
    assert not in_variable(jwt()).is_temporary


def test_a_token_in_a_file_is_read_anew_each_time(tmp_path: Path) -> None:  # matrix 65
    path = tmp_path / "token"
    source = in_file(path)

    for token in (jwt(sub="first"), jwt(sub="second")):
        path.write_text(token)
        assert source.fetch() == token


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {} ", "\n{}"])
def test_blanks_round_a_token_are_not_part_of_it(tmp_path: Path, around: str) -> None:  # matrix 65
    (tmp_path / "token").write_text(around.format(jwt()))

    assert in_file(tmp_path / "token").fetch() == jwt()
    assert in_variable(around.format(jwt())).fetch() == jwt()


def test_a_token_behind_a_link_is_read_as_kubernetes_lays_it_out(tmp_path: Path) -> None:
    (tmp_path / "data").write_text(jwt())
    (tmp_path / "token").symlink_to(tmp_path / "data")

    assert in_file(tmp_path / "token").fetch() == jwt()


def test_a_command_prints_a_token_each_time() -> None:
    printed = [jwt(sub="first"), f"{jwt(sub='second')}\n"]
    commands: list[str] = []

    def run(command: str) -> str:
        commands.append(command)
        return printed[len(commands) - 1]

    source = TokenSource(
        WebIdentityToken(TOKEN_COMMAND, "print-token --for ci"), environ={}, run=run, mint=never
    )

    assert [source.fetch(), source.fetch()] == [jwt(sub="first"), jwt(sub="second")]
    assert commands == ["print-token --for ci"] * 2


def test_a_token_is_minted_each_time_for_the_audience_that_was_asked_for() -> None:
    audiences: list[str] = []

    def mint(audience: str) -> str:
        audiences.append(audience)
        return jwt(jti=len(audiences))

    source = TokenSource(WebIdentityToken(GITHUB, audience="ours"), environ={}, run=never, mint=mint)

    assert source.fetch() != source.fetch()
    assert audiences == ["ours", "ours"]


def test_a_file_that_is_not_there_says_who_is_to_write_it(tmp_path: Path) -> None:  # matrix 65
    with pytest.raises(SourceFailed, match="cannot be read: No such file or directory") as failure:
        in_file(tmp_path / "token").fetch()

    assert str(tmp_path / "token") in failure.value.message
    assert failure.value.hint == "the CI, or the cluster, is to write it there"


@pytest.mark.timeout(10)
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["directory", "FIFO"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Any) -> None:  # matrix 65
    make(tmp_path / "token")

    with pytest.raises(SourceFailed, match=r"cannot be read: (it is no file|Is a directory)") as failure:
        in_file(tmp_path / "token").fetch()

    assert failure.value.hint is None


@pytest.mark.parametrize("token", [None, "", "\n", "   "])
def test_an_empty_token_is_said_to_be_empty(tmp_path: Path, token: str | None) -> None:  # matrix 65
    with pytest.raises(SourceFailed, match=r"the web identity token in \$ID_TOKEN is empty"):
        in_variable(token).fetch()
    (tmp_path / "token").write_text(token or "")
    with pytest.raises(SourceFailed, match="/token is empty"):
        in_file(tmp_path / "token").fetch()


HEAD = base64url(b'{"alg":"RS256"}')


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"a-secret", id="a word"),
        pytest.param(f"{HEAD}.{base64url(b'{}')}".encode(), id="two parts"),
        pytest.param(f"{jwt()}.more".encode(), id="four parts"),
        pytest.param(f"{HEAD}.{base64url(b'no JSON')}.s".encode(), id="no JSON in it"),
        pytest.param(f"{HEAD}.{base64url(b'[1]')}.s".encode(), id="a list in it"),
        pytest.param(f"{HEAD}.{base64url(b'[' * 9000)}.s".encode(), id="too deep"),
        pytest.param(f"{HEAD}.{base64url(bytes([0xFF]) * 9)}.s".encode(), id="no UTF-8 in it"),
        pytest.param(f"{HEAD}.e!!!.s".encode(), id="no base64url"),
        pytest.param(jwt().replace(".", "\n.", 1).encode(), id="in two lines"),
        pytest.param(bytes(range(256)), id="binary"),
        pytest.param("ﬁ.é.ü".encode(), id="no ASCII"),
        pytest.param(f"{jwt()}{'A' * LONGEST}".encode(), id="too long"),
        pytest.param(b'{"token": "a-secret"}', id="a document about a token"),
    ],
)
def test_what_is_no_jwt_is_refused_and_not_told(tmp_path: Path, content: bytes) -> None:  # matrix 65
    (tmp_path / "token").write_bytes(content)

    with pytest.raises(SourceFailed, match="/token is no JWT") as failure:
        in_file(tmp_path / "token").fetch()

    said = f"{failure.value.message} {failure.value.hint}"
    assert "a-secret" not in said
    assert HEAD not in said


def test_the_longest_token_that_aws_takes_is_taken(tmp_path: Path) -> None:
    longest = jwt(signature="A" * (LONGEST - len(jwt(signature=""))))
    (tmp_path / "token").write_text(f"{longest}\n")

    assert in_file(tmp_path / "token").fetch() == longest
    with pytest.raises(SourceFailed, match="is no JWT"):
        in_variable(f"{longest}A").fetch()


@given(st.text() | st.tuples(st.text(), st.binary().map(base64url), st.text()).map(".".join))
def test_whatever_stands_there_is_a_token_or_is_refused(text: str) -> None:
    try:
        token = in_variable(text).fetch()
    except SourceFailed:
        return
    assert token == text.strip()


def test_a_token_that_lies_about_is_known_by_who_and_for_whom_it_is() -> None:
    known = in_variable(jwt(), BUILD_TAG="jenkins-1").identity

    assert known == in_variable(jwt(exp=99, jti="other"), BUILD_TAG="jenkins-2").identity
    names = ("iss", "sub", "aud", "azp", "amr", "https://aws.amazon.com/tags")
    others = {in_variable(jwt(**{name: "x"})).identity for name in names}
    assert len(others | {known}) == 1 + len(names)


@pytest.mark.parametrize("between", [" sub=", "' sub='", '" sub="'])
def test_no_claim_can_pass_for_another(between: str) -> None:
    one, other = jwt(iss=f"a{between}b", sub="c"), jwt(iss="a", sub=f"b{between}c")

    assert in_variable(one).identity != in_variable(other).identity


def test_a_token_that_must_be_printed_or_minted_is_known_without_that() -> None:
    sources = [
        WebIdentityToken(GITHUB),
        WebIdentityToken(GITHUB, audience="ours"),
        WebIdentityToken(TOKEN_COMMAND, "print-token"),
        WebIdentityToken(TOKEN_COMMAND, "print-another"),
    ]

    def identity(source: WebIdentityToken, job: str) -> str:
        return TokenSource(source, environ={"BUILD_TAG": job}, run=never, mint=never).identity

    assert len({identity(source, job) for source in sources for job in ("jenkins-1", "jenkins-2")}) == 8


def test_who_a_token_is_for_is_known_only_of_one_that_is_there() -> None:
    with pytest.raises(SourceFailed, match="is empty"):
        _ = in_variable(None).identity


def test_a_token_without_a_role_yields_no_keys() -> None:
    with pytest.raises(NoAccessKey, match=r"the web identity token in \$ID_TOKEN is exchanged for a role"):
        in_variable(jwt()).session()


def test_a_token_does_not_show_in_what_is_printed_of_it() -> None:
    caller = in_variable(jwt()).caller()

    assert caller.text == jwt()
    assert jwt() not in repr(caller)
