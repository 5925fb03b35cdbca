"""What AWS says when it says no: status, code and message, word for word as AWS sends them."""

from time import gmtime, strftime

from gds_exec.sandbox.wire import Response, error_response

_SKEW_SECONDS = 15 * 60


class AwsError(Exception):
    """An answer of AWS that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> Response:
        return error_response(self.status, self.code, self.message)


def access_denied(message: str) -> AwsError:
    return AwsError(403, "AccessDenied", message)


def not_authorized(arn: str, *, action: str, resource: str) -> AwsError:
    return access_denied(f"User: {arn} is not authorized to perform: {action} on resource: {resource}")


def no_identity_policy(arn: str, *, action: str, user_name: str) -> AwsError:
    return access_denied(
        f"User: {arn} is not authorized to perform: {action} on resource: user {user_name} "
        f"because no identity-based policy allows the {action} action"
    )


def wrong_or_spent_code() -> AwsError:
    return access_denied("MultiFactorAuthentication failed with invalid MFA one time pass code.")


def unknown_serial() -> AwsError:
    return access_denied(
        "MultiFactorAuthentication failed, unable to validate MFA code.  "
        "Please verify your MFA serial number is valid and associated with this user."
    )


def serial_and_code_belong_together() -> AwsError:
    return access_denied(
        "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
    )


def session_credentials_not_wanted() -> AwsError:
    return access_denied("Cannot call GetSessionToken with session credentials")


def invalid_token() -> AwsError:
    return AwsError(403, "InvalidClientTokenId", "The security token included in the request is invalid")


def expired_token() -> AwsError:
    return AwsError(403, "ExpiredToken", "The security token included in the request is expired")


def validation_error(message: str) -> AwsError:
    return AwsError(400, "ValidationError", message)


def longer_than_role_allows() -> AwsError:
    return validation_error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def longer_than_chaining_allows() -> AwsError:
    return validation_error(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    )


def duplicate_tag_keys() -> AwsError:
    return _invalid_parameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")


def tag_of_aws() -> AwsError:
    return _invalid_parameter("aws: prefixed tag key names are not allowed for external use.")


def transitive_key_without_tag() -> AwsError:
    return _invalid_parameter("The specified transitive tag key must be included in the requested tags.")


def transitive_key_conflicts() -> AwsError:
    return _invalid_parameter(
        "One of the specified transitive tag keys can't be set because it conflicts with "
        "a transitive tag key from the calling session."
    )


def too_many_members(name: str, limit: int) -> AwsError:
    return validation_error(
        f"1 validation error detected: Value at '{name}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {limit}"
    )


def malformed_policy() -> AwsError:
    return AwsError(400, "MalformedPolicyDocument", "This policy contains invalid Json")


def packed_too_large(percentage: int, *, has_policy: bool) -> AwsError:
    consumed = f"consumes {percentage}% of allotted space"
    message = (
        f"Packed policy {consumed}, please use smaller policy."
        if has_policy
        else f"Packed size of session tags {consumed}."
    )
    return AwsError(400, "PackedPolicyTooLarge", message)


def user_name_needed() -> AwsError:
    return validation_error("Must specify userName when calling with non-User credentials")


def wrong_signature() -> AwsError:
    return _signature_does_not_match(
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )


def wrong_service(service: str) -> AwsError:
    return _signature_does_not_match(f"Credential should be scoped to correct service: '{service}'.")


def wrong_date(date: str, *, signed_at: str) -> AwsError:
    return _signature_does_not_match(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        f"'{date}' != '{signed_at[:8]}', from '{signed_at}'."
    )


def unsigned_header(name: str) -> AwsError:
    return _signature_does_not_match(f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")


def skewed_clock(signed_at: float, *, now: float) -> AwsError | None:
    """Return the refusal of a request signed more than 15 min before or after `now`."""
    signed, current = _basic_iso(signed_at), _basic_iso(now)
    if signed_at < now - _SKEW_SECONDS:
        limit = _basic_iso(now - _SKEW_SECONDS)
        return _signature_does_not_match(
            f"Signature expired: {signed} is now earlier than {limit} ({current} - 15 min.)"
        )
    if signed_at > now + _SKEW_SECONDS:
        limit = _basic_iso(now + _SKEW_SECONDS)
        return _signature_does_not_match(
            f"Signature not yet current: {signed} is still later than {limit} ({current} + 15 min.)"
        )
    return None


def incomplete_signature(message: str) -> AwsError:
    return AwsError(400, "IncompleteSignature", message)


def unsigned_request() -> AwsError:
    return AwsError(403, "MissingAuthenticationToken", "Request is missing Authentication Token")


def unknown_action(action: str, *, version: str) -> AwsError:
    return AwsError(400, "InvalidAction", f"Could not find operation {action} for version {version}")


def not_in_the_sandbox() -> AwsError:
    message = "The sandbox answers for STS and IAM in AWS's query protocol, and for the console's federation."
    return AwsError(400, "InvalidAction", message)


def _invalid_parameter(message: str) -> AwsError:
    return AwsError(400, "InvalidParameterValue", message)


def _signature_does_not_match(message: str) -> AwsError:
    return AwsError(403, "SignatureDoesNotMatch", message)


def _basic_iso(moment: float) -> str:
    return strftime("%Y%m%dT%H%M%SZ", gmtime(moment))
