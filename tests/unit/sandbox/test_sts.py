import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import User
from gds_exec.sandbox.state import Aws

Client = Callable[..., Any]

UNKNOWN_SERIAL = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  "
    "Please verify your MFA serial number is valid and associated with this user."
)
HALF_OF_MFA = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code."
CHAINED = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
ROLE_MAXIMUM = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."


def assert_refused(call: Callable[[], object], status: int, code: str, message: str) -> None:
    with pytest.raises(ClientError) as refused:
        call()
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert (answer["Error"]["Code"], answer["Error"]["Message"]) == (code, message)


def seconds_left(aws: Aws, credentials: dict[str, Any]) -> float:
    expiration: dt.datetime = credentials["Expiration"]
    return expiration.timestamp() - aws.now()


def assume(sts: Any, arn: str, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = sts.assume_role(RoleArn=arn, **{"RoleSessionName": "me", **parameters})
    return answer


def test_everybody_learns_who_they_are(
    aws: Aws, client: Client, alice: User, plain_session: dict[str, Any]
) -> None:
    role = aws.add_role("readonly", trust=[alice.arn])
    role_session = assume(client("sts", alice), role.arn)["Credentials"]
    arns = [client("sts", keys).get_caller_identity()["Arn"] for keys in (alice, plain_session, role_session)]
    assert arns == [alice.arn, alice.arn, "arn:aws:sts::222222222222:assumed-role/readonly/me"]


def test_credentials_look_like_those_of_aws(alice: User, plain_session: dict[str, Any]) -> None:
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", alice.access_key_id)
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", plain_session["AccessKeyId"])
    assert len(alice.secret_access_key) == len(plain_session["SecretAccessKey"]) == 40
    assert len(plain_session["SessionToken"]) > 300


@pytest.mark.parametrize(
    ("asked", "life"), [({}, 43200), ({"DurationSeconds": 900}, 900), ({"DurationSeconds": 129600}, 129600)]
)
def test_an_mfa_session_lives_as_long_as_asked(
    aws: Aws, client: Client, alice: User, asked: dict[str, int], life: int
) -> None:
    session = client("sts", alice).get_session_token(**asked)["Credentials"]
    assert seconds_left(aws, session) == life


@pytest.mark.parametrize(("asked", "life"), [({}, 3600), ({"DurationSeconds": 43200}, 43200)])
def test_a_role_session_lives_as_long_as_asked(
    aws: Aws, client: Client, alice: User, asked: dict[str, int], life: int
) -> None:
    role = aws.add_role("admin", trust=[alice.arn], max_session=43200)
    assert seconds_left(aws, assume(client("sts", alice), role.arn, **asked)["Credentials"]) == life


@pytest.mark.parametrize(
    ("parameters", "constraint"),
    [
        ({"DurationSeconds": 899}, "Value '899' at 'durationSeconds'"),
        ({"DurationSeconds": 129601}, "Value '129601' at 'durationSeconds'"),
        (
            {"SerialNumber": "arn:aws:iam::111111111111:mfa/alice", "TokenCode": "12 456"},
            "Value '12 456' at 'tokenCode'",
        ),
    ],
)
def test_get_session_token_has_bounds(
    client: Client, alice: User, parameters: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(ClientError, match=f"ValidationError.*1 validation error detected: {constraint}"):
        client("sts", alice).get_session_token(**parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"DurationSeconds": 43201},
        {"DurationSeconds": 0},
        {"RoleSessionName": "x"},
        {"RoleSessionName": "a b"},
        {"RoleSessionName": "x" * 65},
        {"ExternalId": "x"},
        {"TokenCode": "12345"},
    ],
)
def test_assume_role_has_bounds(aws: Aws, client: Client, alice: User, parameters: dict[str, Any]) -> None:
    role = aws.add_role("readonly", trust=[alice.arn])
    with pytest.raises(ClientError, match=r"ValidationError.*1 validation error detected"):
        assume(client("sts", alice), role.arn, **parameters)


def mfa_parameters(device: MfaDevice, **changes: str | None) -> dict[str, str]:
    wanted = {"SerialNumber": device.serial, "TokenCode": device.code()} | changes
    return {name: value for name, value in wanted.items() if value is not None}


@pytest.mark.parametrize("action", ["get_session_token", "assume_role"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"TokenCode": None}, HALF_OF_MFA, id="no code"),
        pytest.param({"SerialNumber": None}, HALF_OF_MFA, id="no serial"),
        pytest.param(
            {"SerialNumber": "arn:aws:iam::111111111111:mfa/bob"}, UNKNOWN_SERIAL, id="another's device"
        ),
        pytest.param({"TokenCode": "wrong"}, WRONG_CODE, id="wrong code"),
    ],
)
def test_mfa_that_fails(
    aws: Aws,
    client: Client,
    alice: User,
    device: MfaDevice,
    action: str,
    changes: dict[str, str | None],
    message: str,
) -> None:
    aws.add_user("bob").add_mfa_device()
    if changes.get("TokenCode") == "wrong":
        changes = {"TokenCode": device.code(5)}
    role = aws.add_role("readonly", trust=[alice.arn])
    role_parameters = {"RoleArn": role.arn, "RoleSessionName": "me"} if action == "assume_role" else {}
    call = getattr(client("sts", alice), action)
    parameters = role_parameters | mfa_parameters(device, **changes)
    assert_refused(lambda: call(**parameters), 403, "AccessDenied", message)


def test_a_code_opens_one_session(client: Client, alice: User, device: MfaDevice) -> None:
    sts = client("sts", alice)
    sts.get_session_token(**mfa_parameters(device))
    assert_refused(lambda: sts.get_session_token(**mfa_parameters(device)), 403, "AccessDenied", WRONG_CODE)


def test_one_code_opens_many_roles_through_an_mfa_session(
    aws: Aws, client: Client, alice: User, mfa_session: dict[str, Any]
) -> None:
    roles = [aws.add_role(name, trust=[alice.arn], require_mfa=True) for name in ("one", "two")]
    sts = client("sts", mfa_session)
    assert [assume(sts, role.arn)["AssumedRoleUser"]["Arn"] for role in roles] == [
        "arn:aws:sts::222222222222:assumed-role/one/me",
        "arn:aws:sts::222222222222:assumed-role/two/me",
    ]


def test_a_role_opens_with_the_code_itself(aws: Aws, client: Client, alice: User, device: MfaDevice) -> None:
    role = aws.add_role("admin", trust=[alice.arn], require_mfa=True, max_session=43200)
    answer = assume(client("sts", alice), role.arn, DurationSeconds=43200, **mfa_parameters(device))
    assert seconds_left(aws, answer["Credentials"]) == 43200


@pytest.mark.parametrize(
    "role_options",
    [
        pytest.param(None, id="unknown role"),
        pytest.param({"trust": ["arn:aws:iam::111111111111:user/bob"]}, id="untrusted"),
        pytest.param({"require_mfa": True}, id="no MFA"),
    ],
)
def test_every_denial_reads_the_same(
    aws: Aws, client: Client, alice: User, role_options: dict[str, Any] | None
) -> None:
    if role_options is not None:
        aws.add_role("readonly", **{"trust": [alice.arn], **role_options})
    arn = "arn:aws:iam::222222222222:role/readonly"
    denied = f"User: {alice.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    assert_refused(lambda: assume(client("sts", alice), arn), 403, "AccessDenied", denied)


def test_a_role_session_carries_no_mfa(
    aws: Aws, client: Client, alice: User, mfa_session: dict[str, Any]
) -> None:
    first = aws.add_role("first", trust=[alice.arn], require_mfa=True)
    second = aws.add_role("second", trust=[first.arn], require_mfa=True)
    third = aws.add_role("third", trust=[first.arn])
    sts = client("sts", assume(client("sts", mfa_session), first.arn)["Credentials"])
    arn = "arn:aws:sts::222222222222:assumed-role/first/me"
    denied = f"User: {arn} is not authorized to perform: sts:AssumeRole on resource: {second.arn}"
    assert_refused(lambda: assume(sts, second.arn), 403, "AccessDenied", denied)
    assert assume(sts, third.arn)["AssumedRoleUser"]["Arn"].endswith("assumed-role/third/me")


def test_an_assumed_role_has_an_arn_and_an_id_of_its_own(aws: Aws, client: Client, alice: User) -> None:
    role = aws.add_role("readonly", trust=[alice.arn])
    answer = assume(client("sts", alice), role.arn)
    assert answer["AssumedRoleUser"] == {
        "Arn": "arn:aws:sts::222222222222:assumed-role/readonly/me",
        "AssumedRoleId": f"{role.role_id}:me",
    }
    assert {"PackedPolicySize", "SourceIdentity"}.isdisjoint(answer)


def test_a_role_has_a_longest_session(aws: Aws, client: Client, alice: User) -> None:
    role = aws.add_role("readonly", trust=[alice.arn], max_session=7200)
    sts = client("sts", alice)
    assert_refused(lambda: assume(sts, role.arn, DurationSeconds=7201), 400, "ValidationError", ROLE_MAXIMUM)


def test_an_mfa_session_counts_as_chaining(
    aws: Aws, client: Client, alice: User, mfa_session: dict[str, Any]
) -> None:
    role = aws.add_role("admin", trust=[alice.arn], max_session=43200)
    sts = client("sts", mfa_session)
    assume(sts, role.arn, DurationSeconds=3600)
    assert_refused(lambda: assume(sts, role.arn, DurationSeconds=3601), 400, "ValidationError", CHAINED)


def test_a_chained_role_lives_an_hour_at_most(aws: Aws, client: Client, alice: User) -> None:
    first = aws.add_role("first", trust=[alice.arn])
    second = aws.add_role("second", trust=[first.arn], max_session=43200)
    sts = client("sts", assume(client("sts", alice), first.arn)["Credentials"])
    assert_refused(lambda: assume(sts, second.arn, DurationSeconds=7200), 400, "ValidationError", CHAINED)


def test_a_session_cannot_get_a_session_token(client: Client, mfa_session: dict[str, Any]) -> None:
    message = "Cannot call GetSessionToken with session credentials"
    assert_refused(client("sts", mfa_session).get_session_token, 403, "AccessDenied", message)
