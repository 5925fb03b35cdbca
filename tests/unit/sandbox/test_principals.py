from dataclasses import replace
from typing import Any

import pytest

from gds_exec.sandbox.principals import Caller, Role

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
        pytest.param({}, {"external_id": "x-1"}, "x-1", True, id="external id"),
        pytest.param({}, {"external_id": "x-1"}, "x-2", False, id="wrong external id"),
        pytest.param({}, {"external_id": "x-1"}, None, False, id="no external id"),
        pytest.param({}, {}, "x-1", True, id="external id that nobody wants"),
        pytest.param({}, {"require_mfa": True}, None, False, id="no MFA"),
        pytest.param({"has_mfa": True}, {"require_mfa": True}, None, True, id="MFA"),
    ],
)
def test_trust(caller: dict[str, Any], role: dict[str, Any], external_id: str | None, expected: bool) -> None:
    trusted = replace(ROLE, **role).trusts(replace(ALICE, **caller), external_id=external_id)
    assert trusted is expected
