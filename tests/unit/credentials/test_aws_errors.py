import pytest

from gds_exec.credentials.aws_errors import Refusal, denied_hint, explain
from gds_exec.credentials.request import (
    AssumeRoleRequest,
    Request,
    SessionTokenRequest,
    WebIdentityRequest,
)
from gds_exec.errors import (
    AnswerLost,
    AssumeRoleDenied,
    AwsRefused,
    AwsUnreachable,
    CredentialsError,
    PackedPolicyTooLarge,
    SourceCredentialsInvalid,
    TokenCodeRefused,
)

SERIAL = "arn:aws:iam::111111111111:mfa/alice"
ROLE = "arn:aws:iam::222222222222:role/admin"
ASSUME = AssumeRoleRequest(ROLE, 28_800)
WITH_CODE = AssumeRoleRequest(ROLE, 28_800, mfa_serial=SERIAL)
TOKEN = SessionTokenRequest(SERIAL, 43_200)
EXCHANGE = WebIdentityRequest(ROLE, 3600)

WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code."
WRONG_SERIAL = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  "
    "Please verify your MFA serial number is valid and associated with this user."
)
HALF = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
DENIED = (
    "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:AssumeRole "
    f"on resource: {ROLE}"
)
TOO_LONG = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
CHAINED = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
OUT_OF_BOUNDS = (
    "1 validation error detected: Value '129601' at 'durationSeconds' failed to satisfy constraint: "
    "Member must have value less than or equal to 129600"
)
BAD_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
BEHIND = (
    "Signature expired: 20260109T100000Z is now earlier than 20260109T114500Z (20260109T120000Z - 15 min.)"
)
AHEAD = (
    "Signature not yet current: 20260109T140000Z is still later than 20260109T121500Z "
    "(20260109T120000Z + 15 min.)"
)
BEHIND_5 = (
    "Signature expired: 20260109T115000Z is now earlier than 20260109T115500Z (20260109T120000Z - 5 min.)"
)
TOO_LARGE = "Packed policy consumes 157% of allotted space, please use smaller policy."
TOO_MANY_TAGS = "Packed size of session tags consumes 112% of allotted space."
NO_TAGS = DENIED.replace("AssumeRole", "TagSession")
NO_IDENTITY = DENIED.replace("AssumeRole", "SetSourceIdentity")


@pytest.mark.parametrize(
    ("code", "message", "request_", "error", "words", "hint"),
    [
        pytest.param(
            "PackedPolicyTooLarge",
            TOO_LARGE,
            ASSUME,
            PackedPolicyTooLarge,
            "more than AWS has room for in a session: Packed policy consumes 157% of allotted space",
            "shorten --policy",
            id="policy too large when packed",
        ),
        pytest.param(
            "PackedPolicyTooLarge",
            TOO_MANY_TAGS,
            ASSUME,
            PackedPolicyTooLarge,
            "consumes 112% of allotted space",
            "leave some --tag out",
            id="tags too large when packed",
        ),
        pytest.param(
            "MalformedPolicyDocument",
            "Syntax errors in policy.",
            ASSUME,
            AwsRefused,
            "AWS cannot read the policy: Syntax errors in policy (MalformedPolicyDocument)",
            "correct --policy",
            id="no policy",
        ),
        pytest.param(
            "AccessDenied",
            NO_TAGS,
            ASSUME,
            AwsRefused,
            "AWS refused --tag or --ci-tags: User: arn:aws:iam::111111111111:user/alice is not authorized",
            "have the role's trust policy allow sts:TagSession",
            id="no tags allowed",
        ),
        pytest.param(
            "AccessDenied",
            NO_IDENTITY,
            ASSUME,
            AwsRefused,
            "AWS refused --source-identity",
            "have the role's trust policy allow sts:SetSourceIdentity",
            id="no source identity allowed",
        ),
        pytest.param(
            "AccessDenied",
            WRONG_CODE,
            TOKEN,
            TokenCodeRefused,
            f"refused the code of {SERIAL}",
            "a code works once",
            id="wrong or reused code",
        ),
        pytest.param(
            "AccessDenied",
            WRONG_CODE,
            WITH_CODE,
            TokenCodeRefused,
            f"refused the code of {SERIAL}",
            "that device's clock",
            id="wrong or reused code on AssumeRole",
        ),
        pytest.param(
            "AccessDenied",
            WRONG_SERIAL,
            WITH_CODE,
            AwsRefused,
            f"no MFA device {SERIAL} of this user",
            "compare mfa_serial",
            id="serial wrong or not yours",
        ),
        pytest.param(
            "AccessDenied",
            WRONG_SERIAL,
            TOKEN,
            TokenCodeRefused,
            f"could not validate the code of {SERIAL}",
            "compare mfa_serial",
            id="serial wrong, or code rejected by GetSessionToken",
        ),
        pytest.param("AccessDenied", HALF, WITH_CODE, AwsRefused, "must provide both", "", id="half of both"),
        pytest.param(
            "AccessDenied",
            DENIED,
            ASSUME,
            AssumeRoleDenied,
            "is not authorized to perform: sts:AssumeRole",
            "VPN",
            id="unknown role, trust says no, MFA missing",
        ),
        pytest.param(
            "ValidationError",
            TOO_LONG,
            ASSUME,
            AwsRefused,
            "a session of 8h is more than AWS gives",
            "--duration 1h",
            id="too long for role",
        ),
        pytest.param(
            "ValidationError",
            CHAINED,
            ASSUME,
            AwsRefused,
            "a session of 8h is more than AWS gives",
            "1h at most",
            id="chained",
        ),
        pytest.param(
            "ValidationError",
            OUT_OF_BOUNDS,
            SessionTokenRequest(SERIAL, 129_601),
            AwsRefused,
            "a session of 36h1s is more than AWS gives",
            "15m to 36h",
            id="out of bounds",
        ),
        pytest.param(
            "AccessDenied",
            "Cannot call GetSessionToken with session credentials",
            TOKEN,
            AwsRefused,
            "Cannot call GetSessionToken with session credentials",
            "",
            id="GetSessionToken with session creds",
        ),
        pytest.param(
            "ExpiredToken",
            "The security token included in the request is expired",
            ASSUME,
            SourceCredentialsInvalid,
            "session has expired",
            "put a current key",
            id="expired creds",
        ),
        pytest.param(
            "InvalidClientTokenId",
            "The security token included in the request is invalid",
            ASSUME,
            SourceCredentialsInvalid,
            "access key is not valid",
            "put a current key",
            id="unknown or inactive key",
        ),
        pytest.param(
            "SignatureDoesNotMatch",
            BAD_SIGNATURE,
            ASSUME,
            SourceCredentialsInvalid,
            "secret access key does not belong",
            "enter the key again",
            id="bad signature",
        ),
        pytest.param(
            "SignatureDoesNotMatch",
            BEHIND,
            ASSUME,
            AwsRefused,
            "clock is 120 min behind AWS's",
            "set the clock",
            id="clock behind",
        ),
        pytest.param(
            "SignatureDoesNotMatch",
            BEHIND_5,
            ASSUME,
            AwsRefused,
            "clock is 120 min behind AWS's",
            "set the clock",
            id="clock behind for an older service",
        ),
        pytest.param(
            "RegionDisabledException",
            "STS is not activated in this region for account:111111111111.",
            ASSUME,
            AwsRefused,
            "not activated in this region",
            "--region",
            id="region disabled",
        ),
        pytest.param("Throttling", "Rate exceeded", ASSUME, AwsUnreachable, "Rate", "again", id="throttled"),
        pytest.param(
            "IDPCommunicationError", "IdP", ASSUME, AwsUnreachable, "IdP", "again", id="identity provider"
        ),
        pytest.param("Strange", "Whatever", ASSUME, AwsRefused, "Whatever (Strange)", "", id="anything else"),
        pytest.param("", "", None, AwsRefused, "AWS refused AssumeRole", "", id="an empty error"),
    ],
)
def test_what_each_refusal_of_aws_means(
    code: str, message: str, request_: Request | None, error: type[CredentialsError], words: str, hint: str
) -> None:
    refusal = Refusal("AssumeRole", code, message, 403, request_, clock_offset=7200)

    explained = explain(refusal)

    assert type(explained) is error
    assert words in explained.message
    assert hint in (explained.hint or "")
    assert not isinstance(explained, AwsRefused) or explained.code == code


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (7200, "120 min behind"),
        (-7200, "120 min ahead of"),
        (None, "far from"),
        (0, "far from"),
    ],
)
def test_how_far_the_clock_is_off_is_said_where_it_is_known(offset: int | None, words: str) -> None:
    refusal = Refusal("AssumeRole", "SignatureDoesNotMatch", AHEAD, 403, ASSUME, clock_offset=offset)

    assert f"this machine's clock is {words} AWS's" in explain(refusal).message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, "InternalFailure"),
        (503, "ServiceUnavailable"),
        (400, "Throttling"),
        (400, "RequestLimitExceeded"),
        (429, "Whatever"),
    ],
)
def test_an_answer_that_may_have_come_too_late_leaves_a_code_in_doubt(status: int, code: str) -> None:
    without = explain(Refusal("AssumeRole", code, "busy", status, ASSUME))
    with_code = explain(Refusal("AssumeRole", code, "busy", status, WITH_CODE, token_code="123456"))

    assert type(without) is AwsUnreachable
    assert type(with_code) is AnswerLost


def test_a_message_without_end_is_cut_short() -> None:
    error = explain(Refusal("AssumeRole", "Some" * 9000, "a word " * 100_000))

    assert len(error.message) < 5000


def test_a_code_that_aws_quotes_is_masked() -> None:
    message = (
        "1 validation error detected: Value '123456' at 'tokenCode' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [\\d]*"
    )

    explained = explain(Refusal("GetSessionToken", "ValidationError", message, 400, TOKEN, "123456"))

    assert "Value '****' at 'tokenCode'" in explained.message


def test_a_refusal_prints_nothing_that_may_hold_a_code() -> None:
    assert "123456" not in repr(Refusal("GetSessionToken", "Strange", "'123456'", 400, TOKEN, "123456"))


@pytest.mark.parametrize("code", ["AccessDenied", "ExpiredToken", "Strange"])
def test_what_aws_says_can_neither_steer_the_terminal_nor_show_a_key_id(code: str) -> None:
    explained = explain(Refusal("AssumeRole", code, "\x1b[2J AKIAIOSFODNN7EXAMPLE \u202e", 403, ASSUME))

    assert "\\x1b[2J AKIA…MPLE \\u202e" in explained.message


def test_a_denial_names_its_causes_in_the_order_of_their_frequency() -> None:
    hint = denied_hint()

    assert hint.index("VPN") < hint.index("granted") < hint.index("name right") < hint.index("MFA")


def test_a_denial_names_a_device_that_is_known() -> None:
    assert f"mfa_serial = {SERIAL}" in denied_hint(SERIAL)


NO_KEY = (
    "Couldn't retrieve verification key from your identity provider,  "
    "please reference AssumeRoleWithWebIdentity documentation for requirements"
)
NO_PROVIDER = "No OpenIDConnect provider found in your account for https://ci.example.gov.uk"
NOT_AUTHORIZED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
EXPIRED = "Token expired: current date/time 1767960000 must be before the expiration date/time 1767959000"


@pytest.mark.parametrize(
    ("code", "message", "status", "error", "words", "hint"),
    [
        pytest.param(
            "InvalidIdentityToken", NO_KEY, 400, AwsUnreachable, "could not answer", "again", id="no key now"
        ),
        pytest.param(
            "IDPCommunicationError",
            "IdP",
            400,
            AwsUnreachable,
            "could not answer",
            "again",
            id="provider busy",
        ),
        pytest.param(
            "ExpiredTokenException",
            EXPIRED,
            400,
            SourceCredentialsInvalid,
            "the web identity token has expired: Token expired",
            "have the CI write a new one",
            id="expired",
        ),
        pytest.param(
            "InvalidIdentityToken",
            "Incorrect token audience",
            400,
            AwsRefused,
            "AWS does not take the web identity token: Incorrect token audience",
            "--audience",
            id="audience",
        ),
        pytest.param(
            "InvalidIdentityToken",
            NO_PROVIDER,
            400,
            AwsRefused,
            "No OpenIDConnect",
            "OIDC provider",
            id="issuer",
        ),
        pytest.param(
            "AccessDenied",
            NOT_AUTHORIZED,
            403,
            AssumeRoleDenied,
            "AWS refused the role: Not authorized",
            "trust policy allow sts:AssumeRoleWithWebIdentity",
            id="subject",
        ),
        pytest.param(
            "ValidationError", TOO_LONG, 400, AwsRefused, "more than AWS gives", "1h", id="too long"
        ),
        pytest.param(
            "PackedPolicyTooLarge", TOO_LARGE, 400, PackedPolicyTooLarge, "Packed", "--policy", id="policy"
        ),
        pytest.param("Strange", "Whatever", 400, AwsRefused, "Whatever (Strange)", "", id="anything else"),
    ],
)
def test_what_each_refusal_of_a_token_means(  # matrix 64
    code: str, message: str, status: int, error: type[CredentialsError], words: str, hint: str
) -> None:
    explained = explain(Refusal("AssumeRoleWithWebIdentity", code, message, status, EXCHANGE))

    assert type(explained) is error
    assert words in explained.message
    assert hint in (explained.hint or "")


def test_what_is_said_of_tokens_is_not_said_of_keys() -> None:
    explained = explain(Refusal("AssumeRole", "InvalidIdentityToken", NO_KEY, 400, ASSUME))

    assert type(explained) is AwsRefused


@pytest.mark.parametrize("code", ["InvalidIdentityToken", "AccessDenied", "ExpiredTokenException", "Strange"])
def test_a_token_that_aws_quotes_is_masked(code: str) -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb2IifQ.c2ln"

    explained = explain(Refusal("AssumeRoleWithWebIdentity", code, f"no: '{token}'", 400, EXCHANGE))

    assert "no: '****'" in explained.message
