"""What AWS says when it says no: status, code and message, word for word as AWS sends them."""

from time import gmtime, strftime

_SKEW_SECONDS = 15 * 60


class AwsError(Exception):
    """An answer of AWS that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


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


def web_identity_not_authorized() -> AwsError:
    return access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")


def provider_id_not_wanted() -> AwsError:
    return access_denied(
        "Unrecognized OAuth provider. "
        "Do not include a provider parameter when submitting OpenIDConnect ID tokens"
    )


def invalid_role_arn() -> AwsError:
    return validation_error("Request ARN is invalid")


def no_jwt() -> AwsError:
    return invalid_identity_token(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
    )


def no_oidc_provider(issuer: str) -> AwsError:
    return invalid_identity_token(f"No OpenIDConnect provider found in your account for {issuer}")


def no_verification_key() -> AwsError:
    return invalid_identity_token(
        "Couldn't retrieve verification key from your identity provider,  "
        "please reference AssumeRoleWithWebIdentity documentation for requirements"
    )


# AWS's own words for these two are not known.
def wrong_token_signature() -> AwsError:
    return invalid_identity_token("Token signature is invalid")


def token_not_yet_valid() -> AwsError:
    return invalid_identity_token("Token is not yet valid")


def invalid_identity_token(message: str) -> AwsError:
    return AwsError(400, "InvalidIdentityToken", message)


def web_identity_expired(expiration: float, *, now: float) -> AwsError:
    moments = f"current date/time {int(now)} must be before the expiration date/time {int(expiration)}"
    return AwsError(400, "ExpiredTokenException", f"Token expired: {moments}")


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


def region_disabled(account: str) -> AwsError:
    return AwsError(
        403,
        "RegionDisabledException",
        f"STS is not activated in this region for account:{account}. "
        "Your account administrator can activate STS in this region using the IAM Console.",
    )


def unknown_action(action: str, *, version: str) -> AwsError:
    return AwsError(400, "InvalidAction", f"Could not find operation {action} for version {version}")


def _invalid_parameter(message: str) -> AwsError:
    return AwsError(400, "InvalidParameterValue", message)


def _signature_does_not_match(message: str) -> AwsError:
    return AwsError(403, "SignatureDoesNotMatch", message)


def _basic_iso(moment: float) -> str:
    return strftime("%Y%m%dT%H%M%SZ", gmtime(moment))
