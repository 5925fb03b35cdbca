import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gds_exec.config.profile_values import is_external_id, is_role_arn, is_session_name

ARN = "arn:aws:iam::123456789012:role/"
ROLE_ARN = re.compile(r"arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/([!-~]+/)?[A-Za-z0-9_+=,.@-]{1,64}")
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")


@st.composite
def nearly(draw: st.DrawFn, pattern: re.Pattern[str]) -> str:
    """Return what matches, or what a slip of the pen has made of it."""
    text = draw(st.from_regex(pattern, fullmatch=True))
    begin = draw(st.integers(0, len(text)))
    end = draw(st.integers(begin, min(begin + 2, len(text))))
    slip = draw(st.text(st.sampled_from(":/-azAZ09!~ \n\t\x1f\x7fäß٣²"), max_size=2))
    return text[:begin] + slip + text[end:]


@given(nearly(ROLE_ARN))
@example(f"{ARN}{'r' * 64}")
@example(f"{ARN}{'r' * 65}")
@example(f"{ARN}path/{'r' * 65}")
@example(f"{ARN}a:role/b:role/r")
@example(f"{ARN}two words/r")
@example(f"{ARN}ä/r")
@example(f"{ARN}\x7f/r")
@example(f"{ARN}/r")
@example(f"{ARN}//r")
@example(f"{ARN}r/")
@example(ARN)
@example("arn:aws-:iam::123456789012:role/r")
@example("arn:aws-us-gov:iam::123456789012:role/r")
@example("")
def test_role_arns_are_known_by_the_rules_of_iam(text: str) -> None:
    assert is_role_arn(text) is (ROLE_ARN.fullmatch(text) is not None)


@given(nearly(EXTERNAL_ID))
@example("x" * 1224)
@example("x" * 1225)
@example("x")
@example("")
def test_external_ids_are_checked_as_sts_checks_them(text: str) -> None:
    assert is_external_id(text) is (EXTERNAL_ID.fullmatch(text) is not None)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("ab", True),
        ("a", False),
        ("", False),
        ("a" * 64, True),
        ("a" * 65, False),
        ("a_b+c=d,e.f@g-h", True),
        ("a b", False),
        ("a/b", False),
        ("ab\n", False),
        ("aé", False),
        ("a٣", False),
    ],
)
def test_session_names_are_checked_as_sts_checks_them(name: str, is_one: bool) -> None:
    assert is_session_name(name) is is_one
