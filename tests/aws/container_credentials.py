"""The credentials endpoint of containers: each has a path of its own, and a token that opens it."""

import hmac

from gds_exec.sandbox.machine_session import session_document, session_of
from gds_exec.sandbox.place import Place
from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.wire import Request, Response, json_response

PATH = "/v2/credentials/"


def _respond(aws: Aws, request: Request) -> Response:
    container = aws.containers.get(request.path.removeprefix(PATH))
    if container is None or container.role is None:
        raise AwsError(400, "InvalidIdInRequest", "CredentialsV2Request: Credentials not found")
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(container.authorization_token.encode(), given.encode()):
        raise AwsError(401, "Unauthorized", "the Authorization header is missing or wrong")
    session = session_document(session_of(aws, container, container.role))
    return json_response(200, {"RoleArn": container.role.arn, **session})


def _refuse(refusal: AwsError) -> Response:
    return json_response(
        refusal.status,
        {"code": refusal.code, "message": refusal.message, "HTTPErrorCode": refusal.status},
    )


PLACE = Place(
    paths=(PATH,),
    methods=("GET",),
    action=lambda _request: "GetContainerCredentials",
    respond=_respond,
    refuse=_refuse,
)
