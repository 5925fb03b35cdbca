"""Session policies, session tags and source identities, as strictly as AWS takes them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import Role, User
from gds_exec.sandbox.state import Aws

Client = Callable[..., Any]

TAG_SESSION, SET_SOURCE_IDENTITY = "sts:TagSession", "sts:SetSourceIdentity"
READ_ONLY = [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]
TEAM = [{"Key": "Team", "Value": "pay"}]
TAG_PATTERN = r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]"
CONFLICT = (
    "One of the specified transitive tag keys can't be set because it conflicts with "
    "a transitive tag key from the calling session."
)


@pytest.fixture
def role(aws: Aws, alice: User) -> Role:
    return aws.add_role("first", trust=[alice.arn], also_allows=[TAG_SESSION, SET_SOURCE_IDENTITY])


@pytest.fixture
def sts(client: Client, alice: User) -> Any:
    return client("sts", alice)


def assume(sts: Any, role: Role, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = sts.assume_role(RoleArn=role.arn, RoleSessionName="me", **parameters)
    return answer


def refused(sts: Any, role: Role, **parameters: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refusal:
        assume(sts, role, **parameters)
    answer = refusal.value.response
    return (
        answer["ResponseMetadata"]["HTTPStatusCode"],
        answer["Error"]["Code"],
        answer["Error"]["Message"],
    )


def denied(arn: str, action: str, role: Role) -> tuple[int, str, str]:
    return 403, "AccessDenied", f"User: {arn} is not authorized to perform: {action} on resource: {role.arn}"


def policy_of(actions: int) -> str:
    many = [f"service{n * n}:Get{n * 7919}" for n in range(actions)]
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": many, "Resource": "*"}]})


def test_all_of_a_scope_is_taken_and_its_size_told(sts: Any, role: Role) -> None:
    answer = assume(
        sts,
        role,
        Policy='{"Version":"2012-10-17","Statement":[]}',
        PolicyArns=READ_ONLY,
        Tags=[*TEAM, {"Key": "Zoë _.:/=+-@", "Value": ""}],
        TransitiveTagKeys=["team"],
        SourceIdentity="alice",
    )

    assert 0 < answer["PackedPolicySize"] <= 100
    assert answer["SourceIdentity"] == "alice"


def test_of_a_session_without_policies_and_tags_no_size_is_told(sts: Any, role: Role) -> None:
    assert "PackedPolicySize" not in assume(sts, role, SourceIdentity="alice")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        pytest.param({"Policy": "x" * 2049}, "at 'policy' failed", id="policy too long"),
        pytest.param({"Policy": "\x07"}, "at 'policy' failed", id="no character of a policy"),
        pytest.param(
            {"PolicyArns": [{"arn": "short"}]}, "Value 'short' at 'policyArns.1.member.arn'", id="ARN"
        ),
        pytest.param({"PolicyArns": READ_ONLY * 11}, "at 'policyArns' failed", id="too many ARNs"),
        pytest.param(
            {"Tags": [*TEAM, {"Key": "a,b", "Value": ""}]},
            f"Value 'a,b' at 'tags.2.member.key' failed to satisfy constraint: {TAG_PATTERN}+",
            id="no character of a key",
        ),
        pytest.param(
            {"Tags": [{"Key": "a", "Value": "a,b"}]},
            f"Value 'a,b' at 'tags.1.member.value' failed to satisfy constraint: {TAG_PATTERN}*",
            id="no character of a value",
        ),
        pytest.param({"Tags": [{"Key": "k" * 129, "Value": ""}]}, "or equal to 128", id="key too long"),
        pytest.param({"Tags": [{"Key": "k", "Value": "v" * 257}]}, "or equal to 256", id="value too long"),
        pytest.param({"Tags": [{"Key": "k"}]}, "Value null at 'tags.1.member.value'", id="no value"),
        pytest.param(
            {"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]},
            "at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
            id="too many tags",
        ),
        pytest.param({"SourceIdentity": "x"}, "Value 'x' at 'sourceIdentity'", id="identity too short"),
        pytest.param(
            {"SourceIdentity": "aws:x"}, "Value 'aws:x' at 'sourceIdentity'", id="AWS's own identity"
        ),
    ],
)
def test_each_part_has_bounds(sts: Any, role: Role, parameters: dict[str, Any], message: str) -> None:
    status, code, said = refused(sts, role, **parameters)

    assert (status, code) == (400, "ValidationError")
    assert "validation error detected" in said
    assert message in said


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        pytest.param(
            {"Tags": [*TEAM, {"Key": "team", "Value": ""}]},
            "InvalidParameterValue",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            id="a key twice",
        ),
        pytest.param(
            {"Tags": TEAM, "TransitiveTagKeys": ["project"]},
            "InvalidParameterValue",
            "The specified transitive tag key must be included in the requested tags.",
            id="a transitive key without a tag",
        ),
        pytest.param(
            {"Tags": [{"Key": "AWS:team", "Value": ""}]},
            "InvalidParameterValue",
            "aws: prefixed tag key names are not allowed for external use.",
            id="a key of AWS's",
        ),
        pytest.param(
            {"Policy": '{"Version": }'},
            "MalformedPolicyDocument",
            "This policy contains invalid Json",
            id="no JSON",
        ),
        pytest.param(
            {"Policy": "[]"}, "MalformedPolicyDocument", "This policy contains invalid Json", id="no object"
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    sts: Any, role: Role, parameters: dict[str, Any], code: str, message: str
) -> None:
    assert refused(sts, role, **parameters) == (400, code, message)


def test_a_policy_within_its_bounds_may_be_too_large_when_packed(sts: Any, role: Role) -> None:
    assert len(policy_of(60)) < 2048

    status, code, message = refused(sts, role, Policy=policy_of(60))

    assert (status, code) == (400, "PackedPolicyTooLarge")
    assert message.startswith("Packed policy consumes 1")
    assert message.endswith("% of allotted space, please use smaller policy.")


def test_tags_within_their_bounds_may_be_too_large_when_packed(sts: Any, role: Role) -> None:
    tags = [{"Key": f"key-{n * n}", "Value": f"{n**5 * 7919}-{n**7}"} for n in range(50)]

    status, code, message = refused(sts, role, Tags=tags)

    assert (status, code) == (400, "PackedPolicyTooLarge")
    assert message.startswith("Packed size of session tags consumes 1")


def test_a_code_is_not_spent_on_what_nobody_could_have(sts: Any, role: Role, device: MfaDevice) -> None:
    code = {"SerialNumber": device.serial, "TokenCode": device.code()}
    refused(sts, role, Policy="{", **code)

    assume(sts, role, Policy="{}", **code)


@pytest.mark.parametrize(
    ("parameters", "action"),
    [({"Tags": TEAM}, TAG_SESSION), ({"SourceIdentity": "alice"}, SET_SOURCE_IDENTITY)],
)
def test_tags_and_an_identity_take_a_permission_of_their_own(
    aws: Aws, sts: Any, alice: User, parameters: dict[str, Any], action: str
) -> None:
    others = {TAG_SESSION, SET_SOURCE_IDENTITY} - {action}
    role = aws.add_role("plain", trust=[alice.arn], also_allows=others)

    assert refused(sts, role, **parameters) == denied(alice.arn, action, role)


def test_who_is_not_trusted_learns_no_more_than_that(aws: Aws, sts: Any, alice: User) -> None:
    role = aws.add_role("theirs", trust=["333333333333"])

    assert refused(sts, role, Tags=TEAM) == denied(alice.arn, "sts:AssumeRole", role)


def test_policies_take_no_permission(aws: Aws, sts: Any, alice: User) -> None:
    role = aws.add_role("plain", trust=[alice.arn])

    assume(sts, role, Policy="{}", PolicyArns=READ_ONLY)


class TestChained:
    """What a session hands on to those that are made from it."""

    @pytest.fixture
    def second(self, aws: Aws, role: Role) -> Role:
        return aws.add_role("second", trust=[role.arn])

    @pytest.fixture
    def chained(self, client: Client, sts: Any, role: Role) -> Callable[..., Any]:
        return lambda **scope: client("sts", assume(sts, role, **scope)["Credentials"])

    def test_a_source_identity_stays(self, chained: Callable[..., Any], second: Role) -> None:
        second.also_allows = (SET_SOURCE_IDENTITY,)

        assert assume(chained(SourceIdentity="alice"), second)["SourceIdentity"] == "alice"

    def test_a_source_identity_cannot_be_changed(self, chained: Callable[..., Any], second: Role) -> None:
        second.also_allows = (SET_SOURCE_IDENTITY,)
        sts = chained(SourceIdentity="alice")
        arn = sts.get_caller_identity()["Arn"]

        assume(sts, second, SourceIdentity="alice")
        assert refused(sts, second, SourceIdentity="bob") == denied(arn, SET_SOURCE_IDENTITY, second)

    def test_what_is_handed_on_takes_the_permission_as_well(
        self, chained: Callable[..., Any], second: Role
    ) -> None:
        for scope, action in (
            ({"SourceIdentity": "alice"}, SET_SOURCE_IDENTITY),
            ({"Tags": TEAM, "TransitiveTagKeys": ["Team"]}, TAG_SESSION),
        ):
            sts = chained(**scope)
            assert refused(sts, second) == denied(sts.get_caller_identity()["Arn"], action, second)

    def test_a_tag_that_is_not_transitive_is_not_handed_on(
        self, chained: Callable[..., Any], second: Role
    ) -> None:
        assume(chained(Tags=TEAM), second)

    def test_a_transitive_tag_cannot_be_set_again(self, chained: Callable[..., Any], second: Role) -> None:
        second.also_allows = (TAG_SESSION,)
        sts = chained(Tags=TEAM, TransitiveTagKeys=["Team"])

        assert refused(sts, second, Tags=TEAM) == (400, "InvalidParameterValue", CONFLICT)
