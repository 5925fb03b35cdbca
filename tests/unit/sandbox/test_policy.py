from dataclasses import replace
from typing import Any

import pytest

from gds_exec.sandbox.principals import Caller, Role, TokenTrust, is_token_trusted, is_trusted

NOW = 1_700_000_000.0
ALICE = Caller("arn:aws:iam::111111111111:user/alice", "111111111111", "AIDA")
ROLE = Role("admin", "222222222222", "AROA", trust=(ALICE.arn,))
FIRST_ROLE = Role("first", "222222222222", "AROA", trust=())


@pytest.mark.parametrize(
    ("caller", "role", "external_id", "expected"),
    [
        pytest.param({}, {}, None, True, id="named"),
        pytest.param({"arn": "arn:aws:iam::111111111111:user/bob"}, {}, None, False, id="another user"),
        pytest.param({}, {"trust": ("arn:aws:iam::111111111111:root",)}, None, True, id="whole account"),
        pytest.param({}, {"trust": ("111111111111",)}, None, True, id="account number"),
        pytest.param({}, {"trust": ("333333333333",)}, None, False, id="another account"),
        pytest.param({}, {"trust": ("*",)}, None, True, id="everybody"),
        pytest.param({"role": FIRST_ROLE}, {"trust": (FIRST_ROLE.arn,)}, None, True, id="through a role"),
        pytest.param({}, {"denies_everybody": True}, None, False, id="off the VPN"),
        pytest.param({}, {"external_id": "x-1"}, "x-1", True, id="external id"),
        pytest.param({}, {"external_id": "x-1"}, "x-2", False, id="wrong external id"),
        pytest.param({}, {"external_id": "x-1"}, None, False, id="no external id"),
        pytest.param({}, {}, "x-1", True, id="external id that nobody wants"),
        pytest.param({}, {"require_mfa": True}, None, False, id="no MFA"),
        pytest.param({"mfa_at": NOW - 99999}, {"require_mfa": True}, None, True, id="old MFA"),
        pytest.param({"mfa_at": NOW - 599}, {"mfa_max_age": 600}, None, True, id="young enough"),
        pytest.param({"mfa_at": NOW - 600}, {"mfa_max_age": 600}, None, False, id="too old"),
        pytest.param({}, {"mfa_max_age": 600}, None, False, id="an age needs MFA"),
    ],
)
def test_trust(caller: dict[str, Any], role: dict[str, Any], external_id: str | None, expected: bool) -> None:
    trusted = is_trusted(replace(ALICE, **caller), replace(ROLE, **role), external_id=external_id, now=NOW)
    assert trusted is expected


@pytest.mark.parametrize(
    ("trust", "expected"),
    [
        pytest.param([], False, id="none"),
        pytest.param([TokenTrust("ci.example")], True, id="any of its tokens"),
        pytest.param([TokenTrust("other.example")], False, id="another provider"),
        pytest.param([TokenTrust("ci.example", "repo:org/app:ref:refs/heads/main")], True, id="the subject"),
        pytest.param([TokenTrust("ci.example", "repo:org/*")], True, id="a star"),
        pytest.param([TokenTrust("ci.example", "repo:org/ap?:*")], True, id="a question mark"),
        pytest.param([TokenTrust("ci.example", "repo:org/ap[p]:*")], False, id="brackets are brackets"),
        pytest.param([TokenTrust("ci.example", "repo:org/ap.:*")], False, id="a dot is a dot"),
        pytest.param([TokenTrust("ci.example", "repo:org")], False, id="only its beginning"),
        pytest.param([TokenTrust("ci.example", "REPO:*")], False, id="other letters"),
        pytest.param([TokenTrust("ci.example", audience="sts")], True, id="the audience"),
        pytest.param([TokenTrust("ci.example", audience="vault")], False, id="another audience"),
        pytest.param(
            [TokenTrust("ci.example", "job:*"), TokenTrust("ci.example", "repo:*")], True, id="one of two"
        ),
        pytest.param(
            [TokenTrust("ci.example", "job:*", "sts"), TokenTrust("ci.example", "repo:*", "vault")],
            False,
            id="half of each of two",
        ),
    ],
)
def test_trust_in_a_token(trust: list[TokenTrust], expected: bool) -> None:
    role = replace(ROLE, token_trust=tuple(trust))
    subject = "repo:org/app:ref:refs/heads/main"
    assert is_token_trusted(role, provider="ci.example", subject=subject, audience="sts") is expected
