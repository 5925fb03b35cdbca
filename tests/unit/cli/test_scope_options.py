"""The options that scope a session, as they are typed, and what they say together."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gds_exec.cli.commands.explain import explain
from gds_exec.cli.parser import read_command_line
from gds_exec.cli.scope_options import checked_scope
from gds_exec.cli.scope_options import scope_of as scope_asked
from gds_exec.credentials.session_scope import READ_ONLY_ARN, Scope
from gds_exec.errors import UsageError
from gds_exec.invocation import Invocation, read_plainly, read_session_arguments, session_arguments
from gds_exec.options import SCOPE_ROWS, SPELLINGS, Option
from tests.unit.cli.offline import Offline

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
OURS = "arn:aws:iam::222222222222:policy/ours"
EVERYTHING = (
    *("--policy", json.dumps(POLICY)),
    *("--policy-arn", OURS, "--read-only"),
    *("--tag", "team=pay", "--tag", "project=x=y"),
    *("--transitive-tag", "team", "--source-identity", "alice", "--external-id", "an-id"),
)


def read(*argv: str) -> Invocation:
    invocation = read_command_line(list(argv))
    assert isinstance(invocation, Invocation)
    return invocation


def scope_of(*argv: str) -> Scope:
    scope = scope_asked(read(*argv))
    assert scope is not None
    return scope


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("admin", *EVERYTHING, "ls"), id="after the role"),
        pytest.param((*EVERYTHING, "admin", "--", "ls"), id="before the role"),
        pytest.param(("credential-process", "admin", *EVERYTHING), id="of a document"),
    ],
)
def test_every_option_is_a_part_of_the_scope(argv: tuple[str, ...]) -> None:
    assert scope_of(*argv) == Scope(
        json.dumps(POLICY, separators=(",", ":")),
        (OURS, READ_ONLY_ARN),
        (("project", "x=y"), ("team", "pay")),
        ("team",),
        "alice",
        "an-id",
    )


@pytest.mark.parametrize("row", SCOPE_ROWS, ids=lambda row: row.name)
def test_each_row_that_says_it_is_part_of_the_scope_is(row: Option) -> None:
    value = True if row.is_flag else ("a=1",) if row.is_repeatable else "said"

    assert scope_asked(Invocation(**{"role": "admin", row.field: value})) is not None


def test_without_any_of_them_there_is_no_scope() -> None:
    assert scope_asked(read("admin", "ls")) is None


def test_in_whatever_order_it_is_said_it_is_the_same() -> None:
    one = scope_of("admin", "--tag", "a=1", "--tag", "b=2", "--read-only", "--policy-arn", OURS, "ls")
    other = scope_of("admin", "--policy-arn", OURS, "--tag", "b=2", "--tag", "a=1", "--read-only", "ls")

    assert one == other


def test_a_policy_said_twice_is_one() -> None:
    scope = scope_of("admin", "--read-only", "--policy-arn", READ_ONLY_ARN, "ls")

    assert scope.policy_arns == (READ_ONLY_ARN,)


@pytest.mark.parametrize(
    ("option", "value", "scope"),
    [
        ("--policy", '{"Version": "2012-10-17"}', Scope(policy='{"Version":"2012-10-17"}')),
        ("--policy-arn", f"{READ_ONLY_ARN} {OURS}", Scope(policy_arns=(OURS, READ_ONLY_ARN))),
        ("--read-only", "1", Scope(policy_arns=(READ_ONLY_ARN,))),
        ("--tag", "a=1 b=2", Scope(tags=(("a", "1"), ("b", "2")))),
        ("--source-identity", "alice", Scope(source_identity="alice")),
        ("--external-id", "an-id", Scope(external_id="an-id")),
    ],
)
def test_each_has_its_variable_and_then_the_command_line_is_not_plain(
    option: str, value: str, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(str(SPELLINGS[option].variable), value)

    assert scope_of("admin", "ls") == scope
    assert read_plainly(["admin", "ls"], os.environ) is None


def test_the_variable_of_the_transitive_tags_goes_with_that_of_the_tags(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GDS_EXEC_TAG", "a=1 b=2")
    monkeypatch.setenv("GDS_EXEC_TRANSITIVE_TAG", "a b")

    assert scope_of("admin", "ls").transitive_tags == ("a", "b")


def test_a_renewal_asks_for_the_same_scope() -> None:
    invocation = read("admin", *EVERYTHING)

    assert read_session_arguments(session_arguments(invocation)) == invocation


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(json.dumps(POLICY, indent=4).encode(), "{}", id="a file"),
        pytest.param(b"\xef\xbb\xbf" + json.dumps(POLICY).encode(), "{}", id="with a byte order mark"),
        pytest.param(json.dumps(POLICY).encode(), "file://{}", id="as the AWS CLI wants it"),
    ],
)
def test_the_content_of_a_policy_file_is_what_is_asked_for(content: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(content)

    scope = scope_of("admin", "--policy", name.format(path), "ls")

    assert scope.policy == json.dumps(POLICY, separators=(",", ":"))


def test_a_policy_is_asked_for_in_ascii() -> None:
    scope = scope_of("admin", "--policy", '{"Sid": "プ"}', "ls")

    assert scope.policy == '{"Sid":"\\u30d7"}'


def test_a_file_of_that_name_need_not_be_there_for_what_is_json(tmp_path: Path) -> None:
    assert scope_of("admin", "--policy", " {}", "ls").policy == "{}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "Expecting value", id="empty"),
        pytest.param(b"Version: 1", "Expecting value", id="no JSON"),
        pytest.param(b'{"Version": }', "line 1 column 13", id="broken"),
        pytest.param(b"[]", "no JSON object", id="a list"),
        pytest.param(b"\xff{}", "can't decode", id="no text"),
        pytest.param(b'{"Effect": "Deny", "Effect": "Allow"}', "a name twice", id="a name twice"),
        pytest.param(b'{"n": NaN}', "not JSON compliant", id="no number of JSON"),
        pytest.param(b"[" * 100_000, "recursion", id="without end"),
    ],
)
def test_a_file_that_is_no_policy_is_a_usage_error_that_names_it(
    content: bytes, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(content)

    with pytest.raises(UsageError, match=rf"--policy '{path}' is no policy: .*{why}") as error:
        read("admin", "--policy", str(path), "ls")

    assert error.value.hint


@pytest.mark.parametrize(
    ("name", "why"),
    [("missing.json", "No such file or directory"), ("", "No such file"), (".", "Is a directory")],
)
def test_a_file_that_cannot_be_read_is_a_usage_error_that_names_it(name: str, why: str) -> None:
    with pytest.raises(UsageError, match=rf"--policy '{name}' cannot be read: {why}"):
        read("admin", "--policy", name, "ls")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"policy": '{"Version": }'}, "--policy is no policy", id="broken JSON"),
        pytest.param({"tags": ("team",)}, "--tag 'team' has no value", id="no value"),
        pytest.param({"tags": ("a=1", "a=1")}, "are one tag", id="said twice"),
        pytest.param({"transitive_tags": ("a",)}, "is no tag of this session", id="no such tag"),
        pytest.param({"source_identity": ""}, "--source-identity ''", id="an empty identity"),
        pytest.param({"external_id": ""}, "--external-id ''", id="an empty external id"),
    ],
)
def test_what_cannot_be_asked_for_is_a_usage_error(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        checked_scope(Invocation(role="admin", **options))


def test_the_help_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    read_command_line(["--help"])

    assert "--transitive-tag" in capsys.readouterr().out


SCOPED = Invocation(
    role="prod",
    no_input=True,
    as_json=True,
    policy='{"a":1}',
    policy_arns=(OURS,),
    read_only=True,
    tags=("a=1", "b=2"),
    transitive_tags=("a",),
    source_identity="alice",
    external_id="my-id",
)


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    offline = Offline(tmp_path)
    offline.write(prod="external_id = its-id")

    def say(asked: Invocation, **variables: str) -> list[tuple[str, str, str]]:
        explain(asked, offline.environ | variables)
        settings = json.loads(capsys.readouterr().out)["settings"]
        return [(one["name"], one["value"], Path(one["where"] or "").name) for one in settings]

    return say


def test_each_part_has_its_option(said: Any) -> None:
    assert said(SCOPED)[-8:] == [
        ("policy", '{"a":1}', "--policy"),
        ("policy_arn", OURS, "--policy-arn"),
        ("read_only", READ_ONLY_ARN, "--read-only"),
        ("tag", "a=1", "--tag"),
        ("tag", "b=2", "--tag"),
        ("transitive_tag", "a", "--transitive-tag"),
        ("source_identity", "alice", "--source-identity"),
        ("external_id", "my-id", "--external-id"),
    ]


def test_what_a_variable_says_has_its_name(said: Any) -> None:
    found = said(SCOPED, GDS_EXEC_TAG="a=1 c=3", GDS_EXEC_POLICY="p.json", GDS_EXEC_SOURCE_IDENTITY="bob")

    assert ("tag", "a=1", "GDS_EXEC_TAG") in found
    assert ("tag", "b=2", "--tag") in found
    assert ("policy", '{"a":1}', "GDS_EXEC_POLICY") in found
    assert ("source_identity", "alice", "--source-identity") in found


def test_an_external_id_that_is_asked_for_stands_for_the_profile_s(said: Any) -> None:
    assert [one for one in said(SCOPED) if one[0] == "external_id"] == [
        ("external_id", "my-id", "--external-id")
    ]
    assert [one for one in said(SCOPED.but(external_id=None)) if one[0] == "external_id"] == [
        ("external_id", "its-id", "config")
    ]


def test_without_a_scope_there_is_none_of_it(said: Any) -> None:
    assert {name for name, _, _ in said(Invocation(role="prod", no_input=True, as_json=True))}.isdisjoint(
        {"scope", "policy", "tag", "read_only"}
    )
