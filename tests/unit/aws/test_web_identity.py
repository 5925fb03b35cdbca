"""AssumeRoleWithWebIdentity, as strictly as AWS takes tokens and in the words that it refuses them with."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from gds_exec.sandbox.principals import Role, User
from tests.aws.faults import Fault
from tests.aws.json_web_tokens import write_jwt
from tests.aws.sandbox import Aws, TokenTrust
from tests.aws.workloads import OidcProvider

Client = Callable[..., Any]
Mint = Callable[..., str]

ISSUER, SUBJECT, AUDIENCE = (
    "https://ci.example.gov.uk/jobs",
    "repo:org/app:ref:refs/heads/main",
    "sts.amazonaws.com",
)
TAGS, SOURCE_IDENTITY = "https://aws.amazon.com/tags", "https://aws.amazon.com/source_identity"
READ_ONLY = [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]
NOT_A_JWT = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
NO_KEY = (
    "Couldn't retrieve verification key from your identity provider,  "
    "please reference AssumeRoleWithWebIdentity documentation for requirements"
)
DENIED = (403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
CHAINED = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."


def invalid(message: str) -> tuple[int, str, str]:
    return 400, "InvalidIdentityToken", message


@pytest.fixture
def provider(aws: Aws) -> OidcProvider:
    return aws.add_oidc_provider(ISSUER, audiences=["other", AUDIENCE])


@pytest.fixture
def role(aws: Aws, provider: OidcProvider) -> Role:
    trust = TokenTrust(provider.url, "repo:org/*:ref:refs/heads/main", AUDIENCE)
    return aws.add_role("deploy", trust=[], token_trust=[trust], max_session=43200)


@pytest.fixture
def sts(botocore_session: Any, url: str) -> Any:
    return botocore_session.create_client(
        "sts",
        region_name="eu-west-2",
        endpoint_url=url,
        config=Config(
            signature_version=UNSIGNED,
            retries={"total_max_attempts": 1},
            parameter_validation=False,
            proxies={},
        ),
    )


@pytest.fixture
def mint(aws: Aws) -> Mint:
    """Return a function that mints a good token but for the claims that it is given; None leaves one out."""

    def mint(*, key_id: str | None = None, **changes: object) -> str:
        now = int(aws.now())
        claims = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "exp": now + 300} | changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return write_jwt(kept) if key_id is None else write_jwt(kept, key_id=key_id)

    return mint


def assume(sts: Any, role: Role, token: str, **parameters: Any) -> dict[str, Any]:
    wanted = {"RoleArn": role.arn, "RoleSessionName": "job", "WebIdentityToken": token, **parameters}
    answer: dict[str, Any] = sts.assume_role_with_web_identity(**wanted)
    return answer


def refusal(sts: Any, role: Role, token: str, **parameters: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        assume(sts, role, token, **parameters)
    answer = refused.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return status, answer["Error"]["Code"], answer["Error"]["Message"]


def test_a_token_opens_the_role_that_trusts_it(sts: Any, client: Client, role: Role, mint: Mint) -> None:
    answer = assume(sts, role, mint())
    assert {name: answer[name] for name in ("SubjectFromWebIdentityToken", "Audience", "Provider")} == {
        "SubjectFromWebIdentityToken": SUBJECT,
        "Audience": AUDIENCE,
        "Provider": "arn:aws:iam::222222222222:oidc-provider/ci.example.gov.uk/jobs",
    }
    assert answer["AssumedRoleUser"] == {
        "Arn": "arn:aws:sts::222222222222:assumed-role/deploy/job",
        "AssumedRoleId": f"{role.role_id}:job",
    }
    assert "PackedPolicySize" not in answer
    who = client("sts", answer["Credentials"]).get_caller_identity()
    assert who["Arn"] == answer["AssumedRoleUser"]["Arn"]


def test_the_call_is_recorded_without_the_token(aws: Aws, sts: Any, role: Role, mint: Mint) -> None:
    token = mint()
    assume(sts, role, token)
    (call,) = aws.calls
    assert (call.action, call.access_key_id, call.status) == ("AssumeRoleWithWebIdentity", "", 200)
    assert call.parameters == {
        "RoleArn": role.arn, "RoleSessionName": "job", "WebIdentityToken": "(given)",
    }  # fmt: skip
    assert token not in repr(aws)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param({"iss": None}, invalid("Missing a required claim: iss"), id="no issuer"),
        pytest.param({"sub": None}, invalid("Missing a required claim: sub"), id="no subject"),
        pytest.param({"sub": ""}, invalid("Missing a required claim: sub"), id="an empty subject"),
        pytest.param({"aud": None}, invalid("Missing a required claim: aud"), id="no audience"),
        pytest.param({"exp": None}, invalid("Missing a required claim: exp"), id="no end"),
        pytest.param({"iat": None}, invalid("Missing a required claim: iat"), id="no beginning"),
        pytest.param({"exp": "tomorrow"}, invalid(NOT_A_JWT), id="an end that is a word"),
        pytest.param({"exp": True}, invalid(NOT_A_JWT), id="an end that is true"),
        pytest.param({"nbf": [1]}, invalid(NOT_A_JWT), id="a beginning that is a list"),
        pytest.param(
            {"iss": "https://ci.example.gov.uk"},
            invalid("No OpenIDConnect provider found in your account for https://ci.example.gov.uk"),
            id="an issuer that the account does not know",
        ),
        pytest.param(
            {"iss": "http://ci.example.gov.uk/jobs"},
            invalid("No OpenIDConnect provider found in your account for http://ci.example.gov.uk/jobs"),
            id="an issuer without TLS",
        ),
        pytest.param(
            {"aud": "https://github.com/org"}, invalid("Incorrect token audience"), id="for another"
        ),
        pytest.param({"aud": ["a", "b"]}, invalid("Incorrect token audience"), id="for others"),
        pytest.param({"azp": "a"}, invalid("Incorrect token audience"), id="another's authorized party"),
        pytest.param({"key_id": "rotated"}, invalid(NO_KEY), id="a key that the provider does not publish"),
        pytest.param(
            {"sub": "repo:org/app:pull_request"}, DENIED, id="a subject that the role does not trust"
        ),
        pytest.param({"aud": "other"}, DENIED, id="an audience that the role does not trust"),
        pytest.param({TAGS: ["x"]}, invalid(NOT_A_JWT), id="tags that are a list"),
        pytest.param({TAGS: {"principal_tags": {"Team": ["a", "b"]}}}, invalid(NOT_A_JWT), id="two values"),
        pytest.param({TAGS: {"principal_tags": {"Team": [1]}}}, invalid(NOT_A_JWT), id="a number for a tag"),
    ],
)
def test_a_token_is_refused_in_aws_s_words(
    sts: Any, role: Role, mint: Mint, claims: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    assert refusal(sts, role, mint(**claims)) == expected


@pytest.mark.parametrize("late", [0, 1, 86_400])
def test_an_expired_token_has_a_code_of_its_own(
    aws: Aws, sts: Any, role: Role, mint: Mint, late: int
) -> None:
    now = int(aws.now())
    token = mint(exp=now - late)
    message = f"Token expired: current date/time {now} must be before the expiration date/time {now - late}"
    assert refusal(sts, role, token) == (400, "ExpiredTokenException", message)


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_may_begin_a_little_later_by_its_issuer_s_clock(
    aws: Aws, sts: Any, role: Role, mint: Mint, claim: str
) -> None:
    now = int(aws.now())
    assert assume(sts, role, mint(**{claim: now + 300}))["Audience"] == AUDIENCE
    assert refusal(sts, role, mint(**{claim: now + 301})) == invalid("Token is not yet valid")


@pytest.mark.parametrize(
    "claims", [{"aud": ["a", AUDIENCE]}, {"aud": "a", "azp": AUDIENCE}, {"aud": ["a"], "azp": AUDIENCE}]
)
def test_one_of_the_audiences_is_enough_and_an_authorized_party_comes_first(
    sts: Any, role: Role, mint: Mint, claims: dict[str, Any]
) -> None:
    assert assume(sts, role, mint(**claims))["Audience"] == AUDIENCE


def test_a_token_that_was_changed_is_refused(sts: Any, role: Role, mint: Mint) -> None:
    ours, theirs = mint().split("."), mint(sub="repo:org/evil:ref:refs/heads/main").split(".")
    token = ".".join((ours[0], theirs[1], ours[2]))
    assert refusal(sts, role, token) == invalid("Token signature is invalid")


@pytest.mark.parametrize("token", ["junk", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_jwt_is_refused(sts: Any, role: Role, token: str) -> None:
    assert refusal(sts, role, token) == invalid(NOT_A_JWT)


def test_a_newline_after_the_token_is_one_character_too_many(sts: Any, role: Role, mint: Mint) -> None:
    assert refusal(sts, role, mint() + "\n") == invalid(NOT_A_JWT)


def test_keys_that_cannot_be_fetched_may_be_a_moment_later(
    sts: Any, role: Role, provider: OidcProvider, mint: Mint
) -> None:
    provider.has_reachable_keys = False
    token = mint()
    assert refusal(sts, role, token) == invalid(NO_KEY)
    provider.has_reachable_keys = True
    assert assume(sts, role, token)["Audience"] == AUDIENCE


def test_a_provider_that_does_not_answer_is_a_fault_like_others(
    aws: Aws, sts: Any, role: Role, mint: Mint
) -> None:
    message = "Error communicating with the identity provider"
    fault = Fault("error", status=400, code="IDPCommunicationError", message=message)
    aws.fail("AssumeRoleWithWebIdentity", fault)
    assert refusal(sts, role, mint()) == (400, "IDPCommunicationError", message)
    assert assume(sts, role, mint())["Audience"] == AUDIENCE


def test_a_provider_belongs_to_the_account_of_the_role(
    aws: Aws, sts: Any, provider: OidcProvider, mint: Mint
) -> None:
    trust = TokenTrust(provider.url)
    elsewhere = aws.add_role("deploy", trust=[], token_trust=[trust], account="333333333333")
    message = f"No OpenIDConnect provider found in your account for {ISSUER}"
    assert refusal(sts, elsewhere, mint()) == invalid(message)
    aws.add_oidc_provider(ISSUER, account="333333333333")
    assert assume(sts, elsewhere, mint())["AssumedRoleUser"]["Arn"].endswith(
        "333333333333:assumed-role/deploy/job"
    )


def test_a_role_that_trusts_no_token_cannot_be_told_from_none(
    aws: Aws, sts: Any, provider: OidcProvider, mint: Mint
) -> None:
    closed = aws.add_role("closed", trust=["*"])
    assert refusal(sts, closed, mint()) == DENIED
    del aws.roles[closed.arn]
    assert refusal(sts, closed, mint()) == DENIED


def test_a_token_does_not_open_a_role_that_denies_everybody(sts: Any, role: Role, mint: Mint) -> None:
    role.denies_everybody = True
    assert refusal(sts, role, mint()) == DENIED


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"WebIdentityToken": None}, "Value null at 'webIdentityToken' failed to satisfy constraint"),
        ({"WebIdentityToken": "x"}, "at 'webIdentityToken' failed .* length greater than or equal to 4"),
        (
            {"WebIdentityToken": "x" * 20_001},
            "at 'webIdentityToken' failed .* length less than or equal to 20000",
        ),
        ({"RoleSessionName": "a b"}, "Value 'a b' at 'roleSessionName' failed"),
        ({"RoleSessionName": None}, "Value null at 'roleSessionName' failed"),
        ({"DurationSeconds": 899}, "Value '899' at 'durationSeconds' failed"),
        ({"DurationSeconds": 43201}, "Value '43201' at 'durationSeconds' failed"),
        ({"RoleArn": "x"}, "Value 'x' at 'roleArn' failed"),
        ({"RoleArn": "arn:aws:iam::222222222222:user/deploy"}, "Request ARN is invalid"),
        ({"RoleArn": "arn:aws:sts::222222222222:role/deploy"}, "Request ARN is invalid"),
        ({"RoleArn": "222222222222:role/deploy-to-prod"}, "Request ARN is invalid"),
    ],
)
def test_the_parameters_have_bounds(
    sts: Any, role: Role, mint: Mint, parameters: dict[str, Any], message: str
) -> None:
    wanted = {"RoleArn": role.arn, "RoleSessionName": "job", "WebIdentityToken": mint(), **parameters}
    given = {name: value for name, value in wanted.items() if value is not None}
    with pytest.raises(ClientError, match=f"ValidationError.*{message}"):
        sts.assume_role_with_web_identity(**given)


def test_a_provider_id_is_for_other_kinds_of_token(sts: Any, role: Role, mint: Mint) -> None:
    status, code, message = refusal(sts, role, mint(), ProviderId="ci.example.gov.uk")
    assert (status, code) == (403, "AccessDenied")
    assert "Do not include a provider parameter" in message


def test_a_session_lives_as_long_as_the_role_allows(aws: Aws, sts: Any, role: Role, mint: Mint) -> None:
    session = assume(sts, role, mint(), DurationSeconds=43200)["Credentials"]
    assert session["Expiration"].timestamp() == int(aws.now()) + 43200
    role.max_session = 3600
    message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    assert refusal(sts, role, mint(), DurationSeconds=3601) == (400, "ValidationError", message)


def test_a_role_reached_from_it_lives_an_hour_at_most(
    aws: Aws, sts: Any, client: Client, role: Role, mint: Mint
) -> None:
    second = aws.add_role("second", trust=[role.arn], max_session=43200)
    chained = client("sts", assume(sts, role, mint())["Credentials"])
    wanted = {"RoleArn": second.arn, "RoleSessionName": "job"}
    assert chained.assume_role(**wanted)["AssumedRoleUser"]["Arn"].endswith("assumed-role/second/job")
    with pytest.raises(ClientError, match=CHAINED):
        chained.assume_role(**wanted, DurationSeconds=3601)


def test_policies_are_taken_and_measured(sts: Any, role: Role, mint: Mint) -> None:
    answer = assume(sts, role, mint(), Policy='{"Statement":[]}', PolicyArns=READ_ONLY)
    assert answer["PackedPolicySize"] > 0
    status, code, _ = refusal(sts, role, mint(), Policy="{")
    assert (status, code) == (400, "MalformedPolicyDocument")


def test_tags_come_in_the_token_and_need_a_permission(sts: Any, role: Role, mint: Mint) -> None:
    tagged = {TAGS: {"principal_tags": {"Team": ["pay"]}, "transitive_tag_keys": ["Team"]}}
    denied = refusal(sts, role, mint(**tagged))
    assert denied[:2] == (403, "AccessDenied")
    assert "is not authorized to perform: sts:TagSession" in denied[2]
    role.also_allows = ("sts:TagSession",)
    assert assume(sts, role, mint(**tagged))["PackedPolicySize"] > 0


def test_transitive_tags_of_the_token_go_on(
    aws: Aws, sts: Any, client: Client, role: Role, mint: Mint
) -> None:
    role.also_allows = ("sts:TagSession",)
    second = aws.add_role("second", trust=[role.arn])
    tagged = {TAGS: {"principal_tags": {"Team": ["pay"]}, "transitive_tag_keys": ["Team"]}}
    chained = client("sts", assume(sts, role, mint(**tagged))["Credentials"])
    with pytest.raises(ClientError, match="sts:TagSession"):
        chained.assume_role(RoleArn=second.arn, RoleSessionName="job")


def test_tags_that_are_parameters_count_for_nothing(sts: Any, role: Role, mint: Mint, url: str) -> None:
    answer = assume(sts, role, mint(), PolicyArns=READ_ONLY)
    token = mint()
    form = {"Tags.member.1.Key": "Team", "Tags.member.1.Value": "pay" * 80}
    sts.meta.events.register(
        "before-call.sts.AssumeRoleWithWebIdentity", lambda params, **_: params["body"].update(form)
    )
    assert assume(sts, role, token, PolicyArns=READ_ONLY)["PackedPolicySize"] == answer["PackedPolicySize"]


def test_a_source_identity_comes_in_the_token(sts: Any, role: Role, mint: Mint) -> None:
    role.also_allows = ("sts:SetSourceIdentity",)
    assert assume(sts, role, mint(**{SOURCE_IDENTITY: "jo"}))["SourceIdentity"] == "jo"


def test_people_are_not_concerned(aws: Aws, client: Client, alice: User, role: Role) -> None:
    with pytest.raises(ClientError, match="sts:AssumeRole on resource"):
        client("sts", alice).assume_role(RoleArn=role.arn, RoleSessionName="me")
