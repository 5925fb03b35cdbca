"""Answer one request: check who signed it and perform its action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gds_exec.sandbox import federation, iam, refusals, sts
from gds_exec.sandbox.principals import Caller
from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.signature import authenticate
from gds_exec.sandbox.state import Aws
from gds_exec.sandbox.wire import Element, Request, Response, result_response


@dataclass(frozen=True, slots=True)
class Operation:
    """What one action does, and the service that signatures for it must name."""

    perform: Callable[[Aws, Caller, Mapping[str, str]], Element]
    service: str
    namespace: str


_STS = "https://sts.amazonaws.com/doc/2011-06-15/"
_IAM = "https://iam.amazonaws.com/doc/2010-05-08/"
_OPERATIONS = {
    "AssumeRole": Operation(sts.assume_role, "sts", _STS),
    "GetCallerIdentity": Operation(sts.get_caller_identity, "sts", _STS),
    "GetSessionToken": Operation(sts.get_session_token, "sts", _STS),
    "GetUser": Operation(iam.get_user, "iam", _IAM),
    "ListMFADevices": Operation(iam.list_mfa_devices, "iam", _IAM),
}


def respond(aws: Aws, request: Request) -> Response:
    """Do what `request` asks and return AWS's answer."""
    with aws.lock:
        try:
            return perform(aws, request)
        except AwsError as refusal:
            return refusal.response()


def perform(aws: Aws, request: Request) -> Response:
    """Do what `request` asks. Raise `AwsError` if AWS would refuse it. The caller holds `aws.lock`."""
    if request.path == federation.PATH and request.method in ("GET", "POST"):
        return federation.respond(aws, request)
    if request.method != "POST":
        raise refusals.not_in_the_sandbox()
    operation = _OPERATIONS.get(request.action)
    if operation is None:
        raise refusals.unknown_action(request.action, version=request.parameters.get("Version", ""))
    caller = authenticate(aws, request, service=operation.service)
    result = operation.perform(aws, caller, request.parameters)
    return result_response(request.action, result, namespace=operation.namespace)
