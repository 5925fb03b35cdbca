import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from gds_exec.sandbox.principals import User
from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.signature import authenticate
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.wire import Request
from tests.fakes import Clock

Client = Callable[..., Any]
Change = Callable[[Request], Request]

BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
MISMATCH = "The request signature we calculated does not match the signature you provided."


@pytest.fixture
def signed(alice: User) -> Request:
    headers = {
        "Host": "127.0.0.1:1",
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Amz-Meta": "two  spaces",
    }
    request = AWSRequest("POST", "http://127.0.0.1:1/", headers=headers, data=BODY)
    key = Credentials(alice.access_key_id, alice.secret_access_key)
    SigV4Auth(key, "sts", "eu-west-2").add_auth(request)
    return Request.of_form(request.url, dict(request.headers.items()), BODY)


def with_headers(request: Request, **changes: str | None) -> Request:
    headers = {**request.headers, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return replace(request, headers={name: value for name, value in headers.items() if value is not None})


def in_authorization(old: str, new: str) -> Change:
    def change(request: Request) -> Request:
        authorization, changes = re.subn(old, new, request.headers["authorization"])
        assert changes == 1
        return with_headers(request, authorization=authorization)

    return change


def test_a_good_signature_tells_who_signed(aws: Aws, alice: User, signed: Request) -> None:
    assert authenticate(aws, signed, service="sts").arn == alice.arn


def test_a_header_that_nobody_signed_changes_nothing(aws: Aws, alice: User, signed: Request) -> None:
    forwarded = with_headers(signed, accept_encoding="gzip", user_agent="a proxy")
    assert authenticate(aws, forwarded, service="sts").arn == alice.arn


@pytest.mark.parametrize(
    ("change", "status", "code", "message"),
    [
        pytest.param(
            lambda request: replace(request, body=BODY + b"&X=1"),
            403,
            "SignatureDoesNotMatch",
            MISMATCH,
            id="body",
        ),
        pytest.param(
            lambda request: replace(request, url="http://127.0.0.1:1/other"),
            403,
            "SignatureDoesNotMatch",
            MISMATCH,
            id="path",
        ),
        pytest.param(
            lambda request: replace(request, url="http://127.0.0.1:1/?a=b"),
            403,
            "SignatureDoesNotMatch",
            MISMATCH,
            id="query",
        ),
        pytest.param(
            lambda request: replace(request, method="GET"),
            403,
            "SignatureDoesNotMatch",
            MISMATCH,
            id="method",
        ),
        pytest.param(
            lambda request: with_headers(request, host="evil.example"),
            403,
            "SignatureDoesNotMatch",
            MISMATCH,
            id="signed header",
        ),
        pytest.param(
            in_authorization("/eu-west-2/", "/us-east-1/"),
            403,
            "SignatureDoesNotMatch",
            MISMATCH,
            id="region",
        ),
        pytest.param(
            in_authorization(r"/\d{8}/", "/20010101/"),
            403,
            "SignatureDoesNotMatch",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601",
            id="date of the scope",
        ),
        pytest.param(
            in_authorization("[0-9a-f]{8}$", "00000000"),
            403,
            "SignatureDoesNotMatch",
            MISMATCH,
            id="signature",
        ),
        pytest.param(
            in_authorization("content-type;", ""), 403, "SignatureDoesNotMatch", MISMATCH, id="fewer headers"
        ),
        pytest.param(
            lambda request: with_headers(request, x_amz_content_sha256="UNSIGNED-PAYLOAD"),
            403,
            "SignatureDoesNotMatch",
            "'x-amz-content-sha256' must be a 'SignedHeader' in the AWS Authorization.",
            id="a header that must be signed",
        ),
        pytest.param(
            in_authorization("host;", ""),
            403,
            "SignatureDoesNotMatch",
            "'host' must be a 'SignedHeader' in the AWS Authorization.",
            id="host not signed",
        ),
        pytest.param(
            in_authorization("/sts/", "/iam/"),
            403,
            "SignatureDoesNotMatch",
            "Credential should be scoped to correct service: 'sts'.",
            id="service",
        ),
        pytest.param(
            in_authorization("Credential=AKIA", "Credential=AKIB"),
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid",
            id="unknown key",
        ),
        pytest.param(
            lambda request: with_headers(request, x_amz_security_token="made up"),
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid",
            id="long-lived key with a token",
        ),
        pytest.param(
            lambda request: with_headers(request, authorization=None),
            403,
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
            id="not signed",
        ),
        pytest.param(
            lambda request: with_headers(request, authorization="Basic YTpi"),
            400,
            "IncompleteSignature",
            "Authorization header is not a complete AWS4-HMAC-SHA256 one.",
            id="another scheme",
        ),
        pytest.param(
            lambda request: with_headers(request, x_amz_date="yesterday"),
            400,
            "IncompleteSignature",
            "Authorization header requires existence of a valid 'X-Amz-Date' header.",
            id="no date",
        ),
    ],
)
def test_tampering_is_refused(
    aws: Aws, signed: Request, change: Change, status: int, code: str, message: str
) -> None:
    with pytest.raises(AwsError) as refused:
        authenticate(aws, change(signed), service="sts")
    assert (refused.value.status, refused.value.code) == (status, code)
    assert refused.value.message.startswith(message)


def test_the_payload_hash_must_be_that_of_the_payload(aws: Aws, alice: User) -> None:
    headers = {"Host": "127.0.0.1:1", "X-Amz-Content-SHA256": "0" * 64}
    request = AWSRequest("POST", "http://127.0.0.1:1/", headers=headers, data=BODY)
    SigV4Auth(Credentials(alice.access_key_id, alice.secret_access_key), "sts", "eu-west-2").add_auth(request)
    lied = Request.of_form(request.url, dict(request.headers.items()), BODY)
    with pytest.raises(AwsError, match=MISMATCH):
        authenticate(aws, lied, service="sts")


def error_of(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    error: dict[str, str] = refused.value.response["Error"]
    return error


@pytest.mark.parametrize("clock_offset", [-840, 840])
def test_a_clock_may_be_a_little_wrong(clock: Clock, client: Client, alice: User, clock_offset: int) -> None:
    clock.advance(clock_offset)
    assert client("sts", alice).get_caller_identity()["Arn"] == alice.arn


def test_a_clock_far_behind_is_told_so(clock: Clock, client: Client, alice: User) -> None:
    clock.advance(7200)
    error = error_of(client("sts", alice).get_caller_identity)
    assert error["Code"] == "SignatureDoesNotMatch"
    moment = r"\d{8}T\d{6}Z"
    form = rf"Signature expired: {moment} is now earlier than {moment} \({moment} - 15 min\.\)"
    assert re.fullmatch(form, error["Message"])


def test_a_clock_far_ahead_is_told_so(clock: Clock, client: Client, alice: User) -> None:
    clock.advance(-7200)
    error = error_of(client("sts", alice).get_caller_identity)
    assert error["Code"] == "SignatureDoesNotMatch"
    moment = r"\d{8}T\d{6}Z"
    form = rf"Signature not yet current: {moment} is still later than {moment} \({moment} \+ 15 min\.\)"
    assert re.fullmatch(form, error["Message"])


def test_a_wrong_secret_is_no_skew(client: Client, alice: User) -> None:
    keys = {"AccessKeyId": alice.access_key_id, "SecretAccessKey": "x" * 40}
    error = error_of(client("sts", keys).get_caller_identity)
    assert error["Code"] == "SignatureDoesNotMatch"
    assert error["Message"].startswith(MISMATCH)


def test_a_key_that_was_deleted_is_unknown(aws: Aws, client: Client, alice: User) -> None:
    del aws.users[alice.access_key_id]
    assert error_of(client("sts", alice).get_caller_identity)["Code"] == "InvalidClientTokenId"


@pytest.mark.parametrize("token", [None, "AAAA"])
def test_a_session_without_its_token_is_unknown(
    client: Client, plain_session: dict[str, Any], token: str | None
) -> None:
    keys = plain_session | {"SessionToken": token}
    assert error_of(client("sts", keys).get_caller_identity)["Code"] == "InvalidClientTokenId"


def test_a_session_ends_at_its_expiration(clock: Clock, client: Client, alice: User) -> None:
    clock.advance(-840)  # the shortest life is 900 s, and the sandbox must accept the real clock of botocore
    session = client("sts", alice).get_session_token(DurationSeconds=900)["Credentials"]
    clock.advance(898)
    client("sts", session).get_caller_identity()
    clock.advance(3)
    error = error_of(client("sts", session).get_caller_identity)
    assert error["Code"] == "ExpiredToken"
    assert error["Message"] == "The security token included in the request is expired"
