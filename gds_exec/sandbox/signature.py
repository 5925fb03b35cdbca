"""Who signed a request: Signature Version 4 checked as AWS checks it."""

import hmac
import re
from calendar import timegm
from dataclasses import dataclass
from hashlib import sha256
from time import strptime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from gds_exec.sandbox import refusals
from gds_exec.sandbox.principals import Caller, Credentials
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.wire import Request

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[\w-]+)/(?P<service>[\w-]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<headers>[\w;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The `Authorization` header, taken apart."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: frozenset[str]
    signature: str


def authenticate(aws: Aws, request: Request, *, service: str) -> Caller:
    """Return who signed `request` for `service`, or raise the refusal that AWS would send."""
    authorization = read_authorization(request)
    credentials = _known_credentials(aws, authorization, request)
    _check_clock(request, now=aws.now())
    _check_scope(authorization, service=service, signed_at=request.headers["x-amz-date"])
    _check_signature(request, authorization, credentials)
    if credentials.expiration <= aws.now():
        raise refusals.expired_token()
    return credentials.caller


def read_authorization(request: Request) -> Authorization:
    """Return the parts of the header that signs `request`."""
    header = request.headers.get("authorization")
    if header is None:
        raise refusals.unsigned_request()
    match = _AUTHORIZATION.fullmatch(header)
    if match is None:
        raise refusals.incomplete_signature("Authorization header is not a complete AWS4-HMAC-SHA256 one.")
    key, date, region, service, headers, signature = match.groups()
    return Authorization(key, date, region, service, frozenset(headers.split(";")), signature)


def _known_credentials(aws: Aws, authorization: Authorization, request: Request) -> Credentials:
    credentials = aws.credentials(authorization.access_key_id)
    token = request.headers.get("x-amz-security-token", "")
    if credentials is None or not _same(credentials.token or "", token):
        raise refusals.invalid_token()
    return credentials


def _check_clock(request: Request, *, now: float) -> None:
    try:
        signed_at = timegm(strptime(request.headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ"))
    except ValueError as error:
        raise refusals.incomplete_signature(
            "Authorization header requires existence of a valid 'X-Amz-Date' header."
        ) from error
    refusal = refusals.skewed_clock(signed_at, now=now)
    if refusal is not None:
        raise refusal


def _check_scope(authorization: Authorization, *, service: str, signed_at: str) -> None:
    if authorization.service != service:
        raise refusals.wrong_service(service)
    if not signed_at.startswith(authorization.date):
        raise refusals.wrong_date(authorization.date, signed_at=signed_at)


def _check_signature(request: Request, authorization: Authorization, credentials: Credentials) -> None:
    for name in request.headers:
        must_be_signed = name == "host" or name.startswith("x-amz-")
        if must_be_signed and name not in authorization.signed_headers:
            raise refusals.unsigned_header(name)
    claimed_hash = request.headers.get("x-amz-content-sha256")
    if claimed_hash is not None and claimed_hash != sha256(request.body).hexdigest():
        raise refusals.wrong_signature()
    if not _same(_expected_signature(request, authorization, credentials), authorization.signature):
        raise refusals.wrong_signature()


def _expected_signature(request: Request, authorization: Authorization, credentials: Credentials) -> str:
    key = ReadOnlyCredentials(credentials.access_key_id, credentials.secret_access_key, None)
    signer = SigV4Auth(key, authorization.service, authorization.region)
    signed = {name: value for name, value in request.headers.items() if name in authorization.signed_headers}
    copy = AWSRequest(request.method, request.url, headers=signed, data=request.body)
    copy.context["timestamp"] = request.headers["x-amz-date"]
    to_sign = signer.string_to_sign(copy, signer.canonical_request(copy))
    return str(signer.signature(to_sign, copy))


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())
