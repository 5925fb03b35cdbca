"""The credentials endpoint of containers. Each container has its own path and authorization token."""

import hmac

from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.wire import Request, Response, json_response

from .endpoint import Endpoint, at_path
from .machine_session import session_document, session_of
from .sandbox import Aws

PATH = "/v2/credentials/"


class _Refused(AwsError):
    def response(self) -> Response:
        document = {"code": self.code, "message": self.message, "HTTPErrorCode": self.status}
        return json_response(self.status, document)


def _respond(aws: Aws, request: Request) -> Response:
    container = aws.containers.get(request.path.removeprefix(PATH))
    if container is None or container.role is None:
        raise _Refused(400, "InvalidIdInRequest", "CredentialsV2Request: Credentials not found")
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(container.authorization_token.encode(), given.encode()):
        raise _Refused(401, "Unauthorized", "the Authorization header is missing or wrong")
    session = session_document(session_of(aws, container, container.role))
    return json_response(200, {"RoleArn": container.role.arn, **session})


ENDPOINT = Endpoint(
    is_for=at_path(PATH, "GET"), action=lambda _request: "GetContainerCredentials", respond=_respond
)
