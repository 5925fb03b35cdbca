"""The same session is asked for again, and nothing that was said once, or in confidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.environment import without_secrets
from gds_exec.invocation import Invocation, read_session_arguments, session_arguments, without_options
from gds_exec.options import CREDENTIAL_PROCESS, OPTIONS, SOURCES, Option

SAID_AGAIN = [row for row in OPTIONS if row.in_renewals and not row.is_flag and row.field not in ("", "role")]
PLAIN_NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{1,20}", fullmatch=True)
names = st.text(min_size=1, max_size=8).filter(lambda name: "\0" not in name)
seconds = st.integers(1, 10**6)
invocations = st.builds(
    Invocation,
    role=names,
    duration_seconds=st.none() | seconds,
    min_remaining_seconds=st.none() | seconds,
    mfa_max_age_seconds=st.none() | seconds,
    region=st.none() | PLAIN_NAMES,
    source_profile=st.none() | names,
    source=st.none() | st.sampled_from(SOURCES),
    web_identity_token_file=st.none() | names,
    web_identity_token_env=st.none() | names,
    web_identity_token_command=st.none() | names,
    audience=st.none() | names,
    expect_account=st.none() | st.from_regex(r"[0-9]{12}", fullmatch=True),
    session_name=st.none() | st.from_regex(r"[A-Za-z0-9_+=,.@-]{2,64}", fullmatch=True),
    policy=st.none() | names,
    policy_arns=st.lists(names).map(tuple),
    read_only=st.booleans(),
    tags=st.lists(names).map(tuple),
    transitive_tags=st.lists(names).map(tuple),
    source_identity=st.none() | names,
    external_id=st.none() | names,
    ci_tags=st.booleans(),
    timeout_seconds=st.none() | seconds,
    cache=st.booleans(),
)


@given(invocations)
def test_a_session_is_asked_for_again_by_its_arguments(invocation: Invocation) -> None:
    assert read_session_arguments(session_arguments(invocation)) == invocation


def test_what_is_asked_once_or_of_the_command_is_not_asked_again() -> None:
    invocation = Invocation(
        role="admin",
        subcommand=CREDENTIAL_PROCESS,
        command=("ls",),
        shell=True,
        mfa_code="123456",
        new_session=True,
        refresh=True,
        quiet=True,
        wait_seconds=5,
        pass_id_token=True,
    )

    assert session_arguments(invocation) == session_arguments(Invocation(role="admin"))


def test_a_code_stands_in_no_argument() -> None:
    assert "123456" not in repr(session_arguments(Invocation(role="admin", mfa_code="123456")))


def test_a_code_that_was_given_is_not_handed_on() -> None:
    environ = {"GDS_EXEC_MFA_CODE": "123456", "GDS_EXEC_DURATION": "8h", "HOME": "/home/alice"}

    assert without_secrets(environ) == {"GDS_EXEC_DURATION": "8h", "HOME": "/home/alice"}
    assert len(environ) == 3


def test_without_options_only_what_stands_for_options_is_missing() -> None:
    kept = {
        "AWS_CONFIG_FILE": "/a/file",
        "GDS_EXEC_CACHE_DIR": "/a/directory",
        "GDS_EXEC_MFA_SOURCE": "ykman",
        "GDS_EXEC_YKMAN_ACCOUNT": "aws",
        "HOME": "/home/alice",
    }
    options = ("DURATION", "MIN_REMAINING", "MFA_MAX_AGE", "MFA_CODE", "WAIT", "REFRESH", "QUIET", "DEBUG")
    options += (
        "SOURCE",
        "WEB_IDENTITY_TOKEN_FILE",
        "AUDIENCE",
        "EXPECT_ACCOUNT",
        "CI_TAGS",
        "CACHE",
        "POLICY",
        "POLICY_ARN",
        "READ_ONLY",
        "TAG",
        "TRANSITIVE_TAG",
        "SOURCE_IDENTITY",
        "EXTERNAL_ID",
    )

    assert without_options(kept | {f"GDS_EXEC_{option}": "1" for option in options}) == kept


@pytest.mark.parametrize("row", SAID_AGAIN, ids=lambda row: row.field)
def test_an_option_that_says_nothing_is_not_asked_again(row: Option) -> None:
    invocation = Invocation(**{"role": "admin", row.field: ""})

    assert session_arguments(invocation) == session_arguments(Invocation(role="admin"))
