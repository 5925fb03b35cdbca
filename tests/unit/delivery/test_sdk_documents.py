import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gds_exec.delivery.sdk_documents import endpoint_document, error_document, process_document
from gds_exec.session import AccessKey, SessionCredentials

SESSION = SessionCredentials(
    AccessKey("ASIAEXAMPLE", "a-secret", "a-token"), issued=1_767_319_445, expiration=1_767_323_045
)
LONG_LIVED = SessionCredentials.long_lived(AccessKey("AKIAEXAMPLE", "long-secret"), now=0)

anything = st.text(st.characters(exclude_categories=()))


def test_the_endpoint_document_has_all_that_sdks_insist_on() -> None:
    assert json.loads(endpoint_document(SESSION)) == {
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": "a-secret",
        "Token": "a-token",
        "Expiration": "2026-01-02T03:04:05Z",
    }


def test_the_endpoint_document_names_the_role_where_it_is_known() -> None:
    arn = "arn:aws:iam::222222222222:role/admin"

    assert json.loads(endpoint_document(SESSION, role_arn=arn))["RoleArn"] == arn


def test_the_process_document_is_of_version_one() -> None:
    assert json.loads(process_document(SESSION)) == {
        "Version": 1,
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": "a-secret",
        "SessionToken": "a-token",
        "Expiration": "2026-01-02T03:04:05Z",
    }


@pytest.mark.parametrize(
    ("early_seconds", "expiration"),
    [
        pytest.param(5, "2026-01-02T03:04:00Z", id="seconds"),
        pytest.param(4 * 3600, "2026-01-01T23:04:05Z", id="the day before"),
    ],
)
def test_the_process_document_can_expire_early(early_seconds: int, expiration: str) -> None:
    assert json.loads(process_document(SESSION, early_seconds=early_seconds))["Expiration"] == expiration


def test_long_lived_keys_come_without_token_and_expiration() -> None:
    assert json.loads(process_document(LONG_LIVED, early_seconds=60)) == {
        "Version": 1,
        "AccessKeyId": "AKIAEXAMPLE",
        "SecretAccessKey": "long-secret",
    }


@given(code=anything, message=anything)
@example(code="", message='"quoted" and C:\\path')
@example(code="\x00\x1f\x7f\u2028", message="\U0001f511 and half of it: \ud83d")
def test_every_text_is_read_back_as_it_was(code: str, message: str) -> None:
    assert json.loads(error_document(code, message)) == {"code": code, "message": message}


@given(message=anything)
def test_a_document_is_one_line_of_printable_ascii(message: str) -> None:
    document = error_document("Code", message)

    assert document.isascii()
    assert document.isprintable()


def test_what_a_person_reads_of_an_error_is_not_escaped_without_need() -> None:
    assert error_document("Expired", 'run "gds-exec renew"') == (
        '{"code": "Expired", "message": "run \\"gds-exec renew\\""}'
    )
