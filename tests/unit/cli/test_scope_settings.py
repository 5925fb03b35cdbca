"""What `explain` says of the scope of a session: each part, and what said so."""

import json
from pathlib import Path
from typing import Any

import pytest

from gds_exec.cli.explaining import explain
from gds_exec.credentials.scope import READ_ONLY_ARN, Scope
from gds_exec.invocation import Invocation
from tests.unit.cli.offline import Offline

OURS = "arn:aws:iam::222222222222:policy/ours"
SCOPE = Scope('{"a":1}', (READ_ONLY_ARN, OURS), (("a", "1"), ("b", "2")), ("a",), "alice", "my-id")


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    offline = Offline(tmp_path)
    offline.write(prod="external_id = its-id")

    def say(scope: Scope | None, **variables: str) -> list[tuple[str, str, str]]:
        asked = Invocation(role="prod", no_input=True, scope=scope.text if scope else None)
        explain(asked, offline.environ | variables, as_json=True)
        settings = json.loads(capsys.readouterr().out)["settings"]
        return [(one["name"], one["value"], Path(one["where"] or "").name) for one in settings]

    return say


def test_each_part_has_its_option(said: Any) -> None:
    assert said(SCOPE)[-8:] == [
        ("policy", '{"a":1}', "--policy"),
        ("read_only", READ_ONLY_ARN, "--read-only"),
        ("policy_arn", OURS, "--policy-arn"),
        ("tag", "a=1", "--tag"),
        ("tag", "b=2", "--tag"),
        ("transitive_tag", "a", "--transitive-tag"),
        ("source_identity", "alice", "--source-identity"),
        ("external_id", "my-id", "--external-id"),
    ]


def test_what_a_variable_says_has_its_name(said: Any) -> None:
    found = said(SCOPE, GDS_EXEC_TAG="a=1 c=3", GDS_EXEC_POLICY="p.json", GDS_EXEC_SOURCE_IDENTITY="bob")

    assert ("tag", "a=1", "GDS_EXEC_TAG") in found
    assert ("tag", "b=2", "--tag") in found
    assert ("policy", '{"a":1}', "GDS_EXEC_POLICY") in found
    assert ("source_identity", "alice", "--source-identity") in found


def test_an_external_id_that_is_asked_for_stands_for_the_profile_s(said: Any) -> None:
    assert [one for one in said(SCOPE) if one[0] == "external_id"] == [
        ("external_id", "my-id", "--external-id")
    ]
    assert [one for one in said(SCOPE.but(external_id=None)) if one[0] == "external_id"] == [
        ("external_id", "its-id", "config")
    ]


def test_without_a_scope_there_is_none_of_it(said: Any) -> None:
    assert {name for name, _, _ in said(None)}.isdisjoint({"scope", "policy", "tag", "read_only"})
