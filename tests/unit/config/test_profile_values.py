import pytest

from gds_exec.config.profile_values import is_session_name


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
