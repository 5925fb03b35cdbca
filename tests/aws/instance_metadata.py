"""The instance metadata service, version 2 only: a client gets a token first and sends it each time."""

import json
import secrets
from collections.abc import Mapping

from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.wire import Request, Response, json_response
from gds_exec.session import iso_time

from .endpoint import Endpoint, at_path
from .machine_session import session_document, session_of
from .sandbox import Aws
from .workloads import EC2, Machine

_TOKEN = "/latest/api/token"  # a path
_CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
_REGION = "/latest/meta-data/placement/region/"
_ZONE = "/latest/meta-data/placement/availability-zone/"
_IDENTITY = "/latest/dynamic/instance-identity/document/"
_TOKEN_HEADER = "x-aws-ec2-metadata-token"  # a header
_TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds"
_LONGEST_TOKEN_SECONDS = 6 * 3600


class _Refused(AwsError):
    def __init__(self, status: int, title: str) -> None:
        super().__init__(status, title.replace(" ", ""), title)

    def response(self) -> Response:
        return _text(self.status, f"{self.status} - {self.message}")


def _action(request: Request) -> str:
    if request.path == _TOKEN:
        return "GetMetadataToken"
    if request.path.startswith(_CREDENTIALS) and request.path != _CREDENTIALS:
        return "GetInstanceCredentials"
    return "GetMetadata"


def _respond(aws: Aws, request: Request) -> Response:
    instance = aws.instance
    if instance is None:
        raise _Refused(404, "Not Found")
    if request.path == _TOKEN:
        return _give_token(aws, instance, request)
    if request.method != "GET":
        raise _Refused(405, "Method Not Allowed")
    expiration = instance.metadata_tokens.get(request.headers.get(_TOKEN_HEADER, ""), 0)
    if expiration <= aws.now():
        raise _Refused(401, "Unauthorized")
    path = f"{request.path.rstrip('/')}/"
    if path.startswith(_CREDENTIALS):
        return _credentials(aws, instance, path.removeprefix(_CREDENTIALS).rstrip("/"))
    return _about(instance, path)


def _give_token(aws: Aws, instance: Machine, request: Request) -> Response:
    if request.method != "PUT":
        raise _Refused(405, "Method Not Allowed")
    if "x-forwarded-for" in request.headers:  # a proxy that anybody may use must not be given one
        raise _Refused(403, "Forbidden")
    seconds = request.headers.get(_TTL_HEADER, "")
    if not (seconds.isascii() and seconds.isdigit() and 1 <= int(seconds) <= _LONGEST_TOKEN_SECONDS):
        raise _Refused(400, "Bad Request")
    token = secrets.token_urlsafe(40)
    instance.metadata_tokens[token] = aws.now() + int(seconds)
    return _text(200, token, headers={_TTL_HEADER: seconds})


def _credentials(aws: Aws, instance: Machine, role_name: str) -> Response:
    role = instance.role
    if role is None:
        raise _Refused(404, "Not Found")
    if not role_name:
        return _text(200, role.name)
    if role_name != role.name:
        raise _Refused(404, "Not Found")
    updated = iso_time(aws.now())
    if EC2 not in role.trust:
        message = f"EC2 cannot assume the role {role.name}."
        unauthorized = {"Code": "AssumeRoleUnauthorizedAccess", "Message": message, "LastUpdated": updated}
        return json_response(200, unauthorized)
    session = session_document(session_of(aws, instance, role))
    return json_response(200, {"Code": "Success", "LastUpdated": updated, "Type": "AWS-HMAC", **session})


def _about(instance: Machine, path: str) -> Response:
    zone = f"{instance.region}a"
    identity = {
        "accountId": instance.account,
        "availabilityZone": zone,
        "instanceId": instance.name,
        "region": instance.region,
    }
    known = {_REGION: instance.region, _ZONE: zone, _IDENTITY: json.dumps(identity)}
    if path not in known:
        raise _Refused(404, "Not Found")
    return _text(200, known[path])


def _text(status: int, text: str, *, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, text.encode(), headers={"Content-Type": "text/plain", **(headers or {})})


ENDPOINT = Endpoint(is_for=at_path("/latest/", "GET", "PUT"), action=_action, respond=_respond)
