"""One request answered: who makes it, what it asks, and a record that it was made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gds_exec.sandbox import container, federation, github, iam, metadata, refusals, sts
from gds_exec.sandbox.faults import Fault, spoil
from gds_exec.sandbox.place import Place
from gds_exec.sandbox.principals import Caller
from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.signature import authenticate, read_authorization
from gds_exec.sandbox.state import Aws, Call
from gds_exec.sandbox.web_identity import assume_role_with_web_identity
from gds_exec.sandbox.wire import Element, Request, Response, error_response, result_response


@dataclass(frozen=True, slots=True)
class Operation:
    """What one action does, and the service that signatures for it must name."""

    perform: Callable[[Aws, Caller, Mapping[str, str]], Element]
    service: str
    namespace: str


_PLACES = (federation.PLACE, metadata.PLACE, container.PLACE, github.PLACE)
_SECRET_PARAMETERS = ("TokenCode", "Session", "SigninToken", "WebIdentityToken")
_STS = "https://sts.amazonaws.com/doc/2011-06-15/"
_IAM = "https://iam.amazonaws.com/doc/2010-05-08/"
_OPERATIONS = {
    "AssumeRole": Operation(sts.assume_role, "sts", _STS),
    "GetCallerIdentity": Operation(sts.get_caller_identity, "sts", _STS),
    "GetSessionToken": Operation(sts.get_session_token, "sts", _STS),
    "GetUser": Operation(iam.get_user, "iam", _IAM),
    "ListMFADevices": Operation(iam.list_mfa_devices, "iam", _IAM),
}
_UNSIGNED_OPERATIONS = {"AssumeRoleWithWebIdentity": assume_role_with_web_identity}


def place_of(request: Request) -> Place | None:
    """Return the place that a request is for, or None for the query protocol."""
    return next((place for place in _PLACES if place.is_for(request)), None)


def action_of(request: Request) -> str:
    """Return what a request asks, in a word: by this it is counted, and its faults are kept."""
    place = place_of(request)
    return request.action if place is None else place.action(request)


def respond(aws: Aws, request: Request) -> Response:
    """Do what `request` asks and return AWS's answer."""
    with aws.lock:
        try:
            response = _perform(aws, request)
        except AwsError as refusal:
            response = _refusal(request, refusal)
            _record(aws, request, status=refusal.status, error_code=refusal.code)
        else:
            _record(aws, request, status=response.status)
    return response


def respond_badly(aws: Aws, request: Request, fault: Fault) -> Response | None:
    """Return what `fault` makes of the answer to `request`: None if it gets none."""
    good = None
    if fault.does_the_work:
        good = respond(aws, request)
    spoilt = spoil(fault, action=action_of(request), good=good)
    if good is None:
        error_code = fault.code if fault.kind == "error" else fault.kind
        _record(aws, request, status=spoilt.status if spoilt else 0, error_code=error_code)
    return spoilt


def _refusal(request: Request, refusal: AwsError) -> Response:
    place = place_of(request)
    if place is not None:
        return place.refuse(refusal)
    return error_response(refusal.status, refusal.code, refusal.message)


def _perform(aws: Aws, request: Request) -> Response:
    place = place_of(request)
    if place is not None:
        return place.respond(aws, request)
    unsigned = _UNSIGNED_OPERATIONS.get(request.action)
    if unsigned is not None:
        return result_response(request.action, unsigned(aws, request.parameters), namespace=_STS)
    operation = _OPERATIONS.get(request.action)
    if operation is None:
        version = request.parameters.get("Version", "")
        raise refusals.unknown_action(request.action, version=version)
    caller = authenticate(aws, request, service=operation.service)
    result = operation.perform(aws, caller, request.parameters)
    return result_response(request.action, result, namespace=operation.namespace)


def _record(aws: Aws, request: Request, *, status: int, error_code: str = "") -> None:
    parameters = {
        name: "(given)" if name in _SECRET_PARAMETERS else value
        for name, value in sorted(request.parameters.items())
        if name not in ("Action", "Version")
    }
    aws.calls.append(Call(action_of(request), parameters, _access_key_id(request), status, error_code))


def _access_key_id(request: Request) -> str:
    try:
        return read_authorization(request).access_key_id
    except AwsError:
        return ""
