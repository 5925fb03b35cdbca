import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from threading import Thread

import pytest

from gds_exec.credentials.network import Connection
from gds_exec.credentials.request import (
    AssumeRoleRequest,
    IdentityToken,
    SessionTokenRequest,
    WebIdentityRequest,
)
from gds_exec.credentials.session_scope import READ_ONLY_ARN, Scope
from gds_exec.credentials.sts_client import Aws
from gds_exec.errors import (
    AnswerLost,
    AssumeRoleDenied,
    AwsRefused,
    AwsUnreachable,
    BrokenProfile,
    GdsExecError,
    InvalidResponse,
    SourceCredentialsInvalid,
    TokenCodeRefused,
)
from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import Role, User
from gds_exec.sandbox.sts import iso_time
from gds_exec.sandbox.wire import Request
from gds_exec.session import AccessKey
from tests.aws.faults import LISTING_FORBIDDEN, Fault
from tests.aws.json_web_tokens import write_jwt
from tests.aws.sandbox import Aws as Sandbox
from tests.aws.sandbox import TokenTrust, add_security_key
from tests.aws.server import respond, serve
from tests.aws.workloads import OidcProvider

HOUR = 3600
STRANGE = ["garbage", "html", "empty", "redirect", "truncated"]


@pytest.fixture
def sandbox() -> Sandbox:
    middle_of_a_step = time.time() // 30 * 30 + 15  # no code changes under a test
    return Sandbox(time=lambda: middle_of_a_step)


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with serve(sandbox) as url:
        yield url


@pytest.fixture
def alice(sandbox: Sandbox) -> User:
    return sandbox.add_user("alice")


@pytest.fixture
def device(alice: User) -> MfaDevice:
    return alice.add_mfa_device()


@pytest.fixture
def role(sandbox: Sandbox, alice: User) -> Role:
    return sandbox.add_role("admin", trust=[alice.arn], path="/teams/")


@pytest.fixture
def waits() -> list[float]:
    """What was waited between one try and the next, in seconds."""
    return []


@pytest.fixture
def aws(sandbox: Sandbox, url: str, waits: list[float]) -> Aws:
    return aws_at(url, sandbox, waits=waits)


def aws_at(
    url: str,
    sandbox: Sandbox,
    *,
    region: str = "eu-west-2",
    waits: list[float] | None = None,
    longest_call_seconds: float = 60,
) -> Aws:
    connection = Connection(region, sts_endpoint_url=url, iam_endpoint_url=url)
    wait = [].append if waits is None else waits.append
    return Aws(
        connection,
        now=sandbox.time,
        sleep=wait,
        fraction=lambda: 0.5,
        longest_call_seconds=longest_call_seconds,
    )


def key_of(user: User) -> AccessKey:
    return AccessKey(user.access_key_id, user.secret_access_key)


def assume(role: Role, seconds: int = HOUR) -> AssumeRoleRequest:
    return AssumeRoleRequest(role.arn, seconds)


def test_a_role_session_is_made_as_it_was_asked_for(sandbox: Sandbox, alice: User, aws: Aws) -> None:
    role = sandbox.add_role("theirs", trust=[alice.arn], external_id="our-id")
    request = AssumeRoleRequest(role.arn, 900, external_id="our-id")

    session = aws.make_session(request, key_of(alice), session_name="alice-1")

    assert session.arn == "arn:aws:sts::222222222222:assumed-role/theirs/alice-1"
    assert session.expiration == int(sandbox.now()) + 900
    assert session.life_seconds() == 900
    assert session.clock_offset == 0
    assert session.access_key.is_temporary
    assert aws.caller_arn(session.access_key) == session.arn


def test_all_of_a_scope_is_told_to_aws_and_nothing_that_is_not_in_it(
    sandbox: Sandbox, alice: User, aws: Aws
) -> None:
    marks = ["sts:TagSession", "sts:SetSourceIdentity"]
    role = sandbox.add_role("theirs", trust=[alice.arn], also_allows=marks)
    scope = Scope("{}", (READ_ONLY_ARN,), (("project", ""), ("team", "pay")), ("team",), "alice")

    for one in (scope, Scope(source_identity="alice")):
        request = AssumeRoleRequest(role.arn, 900, scope=one)
        aws.make_session(request, key_of(alice), session_name="alice-1")

    usual = {"DurationSeconds": "900", "RoleArn": role.arn, "RoleSessionName": "alice-1"}
    identity = {"SourceIdentity": "alice"}
    everything = {
        "Policy": "{}",
        "PolicyArns.member.1.arn": READ_ONLY_ARN,
        "Tags.member.1.Key": "project",
        "Tags.member.1.Value": "",
        "Tags.member.2.Key": "team",
        "Tags.member.2.Value": "pay",
        "TransitiveTagKeys.member.1": "team",
    }
    assert [call.parameters for call in sandbox.calls] == [usual | everything | identity, usual | identity]


def test_an_mfa_session_is_made_with_a_code(aws: Aws, alice: User, device: MfaDevice) -> None:
    request = SessionTokenRequest(device.serial, 12 * HOUR)

    session = aws.make_session(request, key_of(alice), session_name="", token_code=device.code())

    assert session.life_seconds() == 12 * HOUR
    assert session.arn == ""


def test_no_file_of_the_person_and_no_profile_variable_is_heeded(
    aws: Aws, alice: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken").write_text("[[[")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "broken"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "broken"))
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")

    assert aws.caller_arn(key_of(alice)) == alice.arn


@pytest.mark.parametrize("kind", STRANGE)
def test_an_answer_that_is_not_of_aws_is_said_to_be_none(  # matrix 49, 50
    sandbox: Sandbox, aws: Aws, alice: User, role: Role, kind: str
) -> None:
    sandbox.fail("AssumeRole", Fault(kind, times=3))  # type: ignore[arg-type]

    with pytest.raises(
        AwsUnreachable, match=r"127\.0\.0\.1:\d+ gave no answer that AWS would give"
    ) as failure:
        aws.make_session(assume(role), key_of(alice), session_name="alice")

    assert type(failure.value) is AwsUnreachable
    assert "proxy or a sign-in page" in (failure.value.hint or "")
    assert sandbox.count("AssumeRole") == 1, "asked again, a sign-in page says the same"


@pytest.mark.parametrize("kind", [*STRANGE, "reset", "error"])
@pytest.mark.parametrize("after", [False, True], ids=["before the work", "after it"])
def test_a_call_with_a_code_is_sent_once_and_its_answer_is_lost(  # matrix 46
    sandbox: Sandbox, aws: Aws, alice: User, device: MfaDevice, kind: str, after: bool
) -> None:
    sandbox.fail("GetSessionToken", Fault(kind, times=9, after=after))  # type: ignore[arg-type]
    code = device.code()

    with pytest.raises(AnswerLost) as failure:
        aws.make_session(
            SessionTokenRequest(device.serial, HOUR), key_of(alice), session_name="", token_code=code
        )

    assert sandbox.count("GetSessionToken") == 1
    assert code not in everything_about(failure.value)


DRIPS = [Fault("drip", times=9, delay=0.01), Fault("drip-head", times=9, delay=0.01)]


@pytest.mark.parametrize("fault", DRIPS, ids=lambda fault: fault.kind)
@pytest.mark.parametrize("action", ["AssumeRole", "GetCallerIdentity"])
def test_a_call_that_takes_too_long_is_given_up_and_not_made_again(
    sandbox: Sandbox, url: str, alice: User, role: Role, action: str, fault: Fault
) -> None:
    sandbox.fail(action, fault)
    impatient = aws_at(url, sandbox, longest_call_seconds=0.5)

    with pytest.raises(AwsUnreachable, match=r"^127\.0\.0\.1:\d+ did not finish its answer within 0\.5 s$"):
        ask(action, impatient, alice, role)

    assert sandbox.count(action) == 1


def test_all_attempts_of_a_call_share_one_time_limit(
    sandbox: Sandbox, url: str, alice: User, role: Role
) -> None:
    sandbox.fail("AssumeRole", Fault("reset", times=9))
    impatient = aws_at(url, sandbox, longest_call_seconds=2)  # as long as the last wait between two attempts

    with pytest.raises(AwsUnreachable):
        impatient.make_session(assume(role), key_of(alice), session_name="alice")

    assert sandbox.count("AssumeRole") == 1


@pytest.mark.parametrize("fault", [*DRIPS, Fault("flood", times=9)], ids=lambda fault: fault.kind)
def test_a_code_is_not_sent_again_after_an_answer_without_end(
    sandbox: Sandbox, url: str, alice: User, device: MfaDevice, fault: Fault
) -> None:
    sandbox.fail("GetSessionToken", fault)
    impatient = aws_at(url, sandbox, longest_call_seconds=0.5)
    request = SessionTokenRequest(device.serial, HOUR)

    with pytest.raises(AnswerLost):
        impatient.make_session(request, key_of(alice), session_name="", token_code=device.code())

    assert sandbox.count("GetSessionToken") == 1


@pytest.mark.parametrize("action", ["AssumeRole", "GetCallerIdentity"])
def test_an_answer_that_is_too_long_is_given_up_and_not_asked_for_again(
    sandbox: Sandbox, aws: Aws, alice: User, role: Role, action: str
) -> None:
    sandbox.fail(action, Fault("flood", times=9))

    with pytest.raises(AwsUnreachable, match=r"^127\.0\.0\.1:\d+ sent more than 1 MiB$"):
        ask(action, aws, alice, role)

    assert sandbox.count(action) == 1


def test_the_search_for_a_device_is_limited_too(
    sandbox: Sandbox, url: str, alice: User, device: MfaDevice
) -> None:
    sandbox.fail("ListMFADevices", DRIPS[0])

    assert aws_at(url, sandbox, longest_call_seconds=0.5).totp_device(key_of(alice)) is None


LONG_ID = "A" * 129
MALFORMED_EXPIRATIONS = {
    "absent": None,
    "empty": "",
    "words": "soon",
    "a number": "1767960000",
    "NaN": "NaN",
    "infinity": "inf",
    "month 13": "2026-13-01T00:00:00Z",
    "a five-digit year": "99999-01-01T00:00:00Z",
    "an element": "<x/>",
}
MALFORMED_TEXTS = {
    "absent": None,
    "empty": "",
    "blank": " ",
    "two words": "ASIAEXAMPLE1 SIAEXAMPLE2",
    "two lines": "ASIAEXAMPLE1&#10;SIAEXAMPLE2",
    "carriage return": "ASIAEXAMPLE12345&#13;",
    "tab": "ASIAEXAMPLE1&#9;SIAEXAMPLE2",
    "delete": "ASIAEXAMPLE12345&#127;",
    "not ASCII": "ASIAEXAMPLE12345\u00e9",
    "an element": "<x/>",
}
MALFORMED_KEY_IDS = {
    **MALFORMED_TEXTS,
    "too short": "ASIA",
    "too long": LONG_ID,
    "a slash": "ASIAEXAMPLE1/SIAEXAMPLE2",
}
MALFORMED = [
    pytest.param(field, content, id=f"{field}: {name}")
    for field, contents in (
        ("AccessKeyId", MALFORMED_KEY_IDS),
        ("SecretAccessKey", MALFORMED_TEXTS),
        ("SessionToken", MALFORMED_TEXTS),
        ("Expiration", MALFORMED_EXPIRATIONS),
    )
    for name, content in contents.items()
]


@pytest.mark.parametrize(("field", "content"), MALFORMED)
def test_a_session_with_a_malformed_field_is_refused(
    sandbox: Sandbox, aws: Aws, alice: User, device: MfaDevice, field: str, content: str | None
) -> None:
    sandbox.fail("GetSessionToken", Fault("altered", times=9, fields=((field, content),)))
    request = SessionTokenRequest(device.serial, HOUR)

    with pytest.raises(InvalidResponse) as failure:
        aws.make_session(request, key_of(alice), session_name="", token_code=device.code())

    assert f"invalid response: the {field} is missing or malformed" in failure.value.message
    assert "EXAMPLE" not in everything_about(failure.value)
    assert sandbox.count("GetSessionToken") == 1


def in_hours(sandbox: Sandbox, hours: float) -> str:
    return iso_time(sandbox.now() + hours * HOUR)


@pytest.mark.parametrize(
    ("expiration", "words"),
    [
        pytest.param("9999-12-31T23:59:59Z", "more than 36 h away", id="the year 9999"),
        pytest.param(36.1, "more than 36 h away", id="a little over 36 h"),
        pytest.param(0, "is in the past", id="now"),
        pytest.param(-1, "is in the past", id="an hour ago"),
        pytest.param("1970-01-01T00:00:00Z", "is in the past", id="the epoch"),
        pytest.param("0001-01-01T00:00:00+14:00", "is in the past", id="the year 1"),
    ],
)
@pytest.mark.parametrize("offset", [0, 86_400 * 365], ids=["", "a clock that is a year behind"])
def test_a_session_with_an_impossible_expiration_is_refused(
    sandbox: Sandbox, aws: Aws, deploy: Role, expiration: str | float, words: str, offset: int
) -> None:
    sandbox.clock_offset = offset
    text = expiration if isinstance(expiration, str) else in_hours(sandbox, expiration)
    sandbox.fail(EXCHANGE, Fault("altered", times=9, fields=(("Expiration", text),)))

    with pytest.raises(InvalidResponse, match=words):
        exchanged(aws, deploy, token(sandbox))

    assert sandbox.count(EXCHANGE) == 1


@pytest.mark.parametrize(
    "hours",
    [pytest.param(0.1, id="shorter than asked"), pytest.param(36, id="the longest session of AWS")],
)
def test_a_session_of_another_length_than_asked_is_used(
    sandbox: Sandbox, aws: Aws, alice: User, role: Role, hours: float
) -> None:
    sandbox.fail("AssumeRole", Fault("altered", fields=(("Expiration", in_hours(sandbox, hours)),)))

    session = aws.make_session(assume(role), key_of(alice), session_name="alice")

    assert session.life_seconds() == hours * HOUR


@pytest.mark.parametrize(
    "expiration",
    [
        "{:%Y-%m-%dT%H:%M:%SZ}",
        "{:%Y-%m-%dT%H:%M:%S.123Z}",
        "{:%Y-%m-%dT%H:%M:%S+00:00}",
        "{:%Y-%m-%dT%H:%M:%S}",
    ],
)
def test_each_time_format_of_sts_is_read(
    sandbox: Sandbox, aws: Aws, alice: User, role: Role, expiration: str
) -> None:
    moment = datetime.fromtimestamp(sandbox.now() + 900, UTC)
    sandbox.fail("AssumeRole", Fault("altered", fields=(("Expiration", expiration.format(moment)),)))

    session = aws.make_session(assume(role), key_of(alice), session_name="alice")

    assert session.life_seconds() == 900


@pytest.mark.parametrize("field", ["Arn", "AssumedRoleUser"])
@pytest.mark.parametrize("content", [None, "", "arn:aws:sts::222222222222:assumed-role/admin/a&#10;b"])
def test_a_role_session_without_a_usable_arn_is_refused(
    sandbox: Sandbox, aws: Aws, alice: User, role: Role, field: str, content: str | None
) -> None:
    sandbox.fail("AssumeRole", Fault("altered", fields=((field, content),)))

    with pytest.raises(InvalidResponse, match="the Arn of the role's session is missing or malformed"):
        aws.make_session(assume(role), key_of(alice), session_name="alice")


@pytest.mark.parametrize("content", ["", "alice", "arn:aws:iam::111111111111:user/a&#10;b"])
def test_an_identity_without_a_usable_arn_is_refused(
    sandbox: Sandbox, aws: Aws, alice: User, content: str
) -> None:
    sandbox.fail("GetCallerIdentity", Fault("altered", fields=(("Arn", content),)))

    with pytest.raises(InvalidResponse, match="the Arn is malformed"):
        aws.caller_arn(key_of(alice))


def test_a_serial_that_no_call_could_carry_is_left_out(
    sandbox: Sandbox, aws: Aws, alice: User, device: MfaDevice
) -> None:
    sandbox.fail("ListMFADevices", Fault("altered", fields=(("SerialNumber", "arn:aws:iam::1:mfa/a&#10;b"),)))

    assert aws.totp_device(key_of(alice)) is None
    assert aws.totp_device(key_of(alice)) == device.serial


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("<x>" * 60_000 + "</x>" * 60_000, id="deep"),
        pytest.param("<AccessKeyId/>" * 60_000, id="wide"),
    ],
)
def test_a_strange_document_is_a_clear_error(
    sandbox: Sandbox, aws: Aws, alice: User, role: Role, content: str
) -> None:
    sandbox.fail("AssumeRole", Fault("altered", fields=(("Credentials", content),)))

    with pytest.raises(GdsExecError, match="invalid response"):
        aws.make_session(assume(role), key_of(alice), session_name="alice")


def everything_about(error: BaseException | None) -> str:
    """Return all that a log or a traceback could show of an error and of what caused it."""
    shown = ""
    while error is not None:
        shown += f"{error!r} {error} {vars(error)}"
        error = error.__cause__
    return shown


def test_throttling_with_a_code_is_not_retried(
    sandbox: Sandbox, aws: Aws, alice: User, device: MfaDevice
) -> None:
    sandbox.fail("GetSessionToken", throttling(times=1))
    request = SessionTokenRequest(device.serial, HOUR)

    with pytest.raises(AnswerLost, match="Rate exceeded"):
        aws.make_session(request, key_of(alice), session_name="", token_code=device.code())

    assert sandbox.count("GetSessionToken") == 1


def throttling(*, times: int) -> Fault:
    return Fault("error", times=times, status=400, code="Throttling", message="Rate exceeded")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(throttling(times=1), id="throttled"),
        pytest.param(Fault("error", status=429, code="TooMany"), id="too many"),
        pytest.param(Fault("reset"), id="reset"),
        pytest.param(Fault("error", status=503), id="unavailable"),
    ],
)
def test_a_call_without_a_code_is_sent_again(  # matrix 45, 48
    sandbox: Sandbox, aws: Aws, alice: User, role: Role, fault: Fault
) -> None:
    sandbox.fail("AssumeRole", fault)

    aws.make_session(assume(role), key_of(alice), session_name="alice")

    assert sandbox.count("AssumeRole") == 2


@pytest.mark.parametrize("action", ["AssumeRole", "GetCallerIdentity"])
def test_an_error_that_stays_is_tried_three_times_a_little_later_each_time(  # matrix 45
    sandbox: Sandbox, aws: Aws, waits: list[float], alice: User, role: Role, action: str
) -> None:
    sandbox.fail(action, Fault("reset", times=9))

    with pytest.raises(AwsUnreachable):
        ask(action, aws, alice, role)

    assert sandbox.count(action) == 3
    assert waits == [0.5, 1.0]


def ask(action: str, aws: Aws, alice: User, role: Role) -> None:
    if action == "AssumeRole":
        aws.make_session(assume(role), key_of(alice), session_name="alice")
    else:
        aws.caller_arn(key_of(alice))


def test_a_device_is_looked_for_once(sandbox: Sandbox, aws: Aws, alice: User, device: MfaDevice) -> None:
    sandbox.fail("ListMFADevices", Fault("reset"))

    assert aws.totp_device(key_of(alice)) is None
    assert sandbox.count("ListMFADevices") == 1


def test_each_call_is_signed_with_its_own_keys(sandbox: Sandbox, aws: Aws, alice: User, role: Role) -> None:
    bob = sandbox.add_user("bob")
    session = aws.make_session(assume(role), key_of(alice), session_name="alice")

    arns = [aws.caller_arn(key) for key in (session.access_key, key_of(alice), key_of(bob))]

    assert arns == [session.arn, alice.arn, bob.arn]


class KeptOpen(ThreadingTCPServer):
    """The sandbox behind connections that stay open, as AWS's own do; they and their headers are recorded."""

    daemon_threads = True

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(("127.0.0.1", 0), _KeptOpenHandler)
        self.sandbox = sandbox
        self.connections = 0
        self.headers: list[set[str]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _KeptOpenHandler(BaseHTTPRequestHandler):
    server: KeptOpen
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        self.server.headers.append({name.lower() for name in self.headers})
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request.of_form(f"{self.server.url}{self.path}", dict(self.headers.items()), body)
        response = respond(self.server.sandbox, request)
        self.send_response_only(response.status)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)


@pytest.fixture
def kept_open(sandbox: Sandbox) -> Iterator[KeptOpen]:
    with KeptOpen(sandbox) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_one_connection_serves_all_keys_and_all_calls(
    sandbox: Sandbox, kept_open: KeptOpen, alice: User, device: MfaDevice, role: Role
) -> None:
    aws = aws_at(kept_open.url, sandbox)

    aws.caller_arn(key_of(alice))
    request = SessionTokenRequest(device.serial, HOUR)
    session = aws.make_session(request, key_of(alice), session_name="", token_code=device.code())
    aws.make_session(assume(role), session.access_key, session_name="alice")

    assert kept_open.connections == 1


def test_a_rehearsal_sends_nothing_and_leaves_the_calls_as_they_were(
    sandbox: Sandbox, aws: Aws, alice: User, device: MfaDevice, role: Role
) -> None:
    aws.caller_arn(key_of(alice))
    sandbox.calls.clear()
    aws.rehearse()
    assert sandbox.calls == []

    request = SessionTokenRequest(device.serial, HOUR)
    aws.make_session(request, key_of(alice), session_name="", token_code=device.code())
    session = aws.make_session(assume(role), key_of(alice), session_name="a-name")

    assert [call.action for call in sandbox.calls] == ["GetSessionToken", "AssumeRole"]
    assert session.access_key.access_key_id.startswith("ASIA")


@pytest.mark.parametrize(
    ("idle_seconds", "connections"),
    [
        pytest.param(20, 1, id="while a code is typed"),
        pytest.param(40, 2, id="a long pause"),
        pytest.param(-3600, 2, id="the clock was set"),
    ],
)
def test_a_connection_that_idled_is_not_trusted_with_a_call(
    sandbox: Sandbox, kept_open: KeptOpen, alice: User, idle_seconds: int, connections: int
) -> None:
    clock = [sandbox.time()]
    aws = Aws(Connection("eu-west-2", sts_endpoint_url=kept_open.url), now=lambda: clock[0])

    aws.caller_arn(key_of(alice))
    clock[0] += idle_seconds
    aws.caller_arn(key_of(alice))

    assert kept_open.connections == connections


def test_a_wrong_code_is_refused_and_not_repeated(
    sandbox: Sandbox, aws: Aws, alice: User, device: MfaDevice
) -> None:
    wrong = device.code(step_offset=50)

    with pytest.raises(TokenCodeRefused) as failure:
        aws.make_session(
            SessionTokenRequest(device.serial, HOUR), key_of(alice), session_name="", token_code=wrong
        )

    assert failure.value.code == "AccessDenied"
    assert wrong not in everything_about(failure.value)
    assert sandbox.count("GetSessionToken") == 1


def test_a_code_that_aws_quotes_is_in_nothing_that_can_be_logged(
    aws: Aws, alice: User, device: MfaDevice
) -> None:
    request = SessionTokenRequest(device.serial, HOUR)

    with pytest.raises(AwsRefused, match="failed to satisfy constraint") as failure:
        aws.make_session(request, key_of(alice), session_name="", token_code="abcdef")

    assert "abcdef" not in everything_about(failure.value)


def test_a_denied_role_is_not_asked_for_again(sandbox: Sandbox, aws: Aws, alice: User) -> None:  # matrix 57
    nobody = sandbox.add_role("nobodys", trust=[])

    with pytest.raises(AssumeRoleDenied, match="nobodys"):
        aws.make_session(assume(nobody), key_of(alice), session_name="alice")

    assert sandbox.count("AssumeRole") == 1


def test_a_deleted_key_is_told_apart_from_a_wrong_secret(  # matrix 61, 62
    sandbox: Sandbox, aws: Aws, alice: User
) -> None:
    with pytest.raises(SourceCredentialsInvalid, match="secret access key does not belong"):
        aws.caller_arn(AccessKey(alice.access_key_id, "wrong"))
    sandbox.switch_off_key(alice)
    with pytest.raises(SourceCredentialsInvalid, match="not valid"):
        aws.caller_arn(key_of(alice))


@pytest.mark.parametrize(("offset", "left"), [(-600, HOUR - 600), (0, HOUR), (600, HOUR)])
def test_the_difference_of_the_clocks_comes_from_the_date_header(
    sandbox: Sandbox, aws: Aws, alice: User, role: Role, offset: int, left: int
) -> None:
    sandbox.clock_offset = offset

    session = aws.make_session(assume(role), key_of(alice), session_name="alice")

    assert session.clock_offset == offset
    assert session.seconds_left(sandbox.time()) == left
    assert session.life_seconds() == HOUR


@pytest.mark.parametrize(("offset", "words"), [(-7200, "120 min ahead of"), (7200, "120 min behind")])
def test_a_clock_that_is_far_off_is_told_with_its_difference(  # matrix 38
    sandbox: Sandbox, aws: Aws, alice: User, role: Role, offset: int, words: str
) -> None:
    sandbox.clock_offset = offset

    with pytest.raises(AwsRefused, match=f"this machine's clock is {words} AWS's"):
        aws.make_session(assume(role), key_of(alice), session_name="alice")


def test_an_answer_for_another_account_is_refused(
    sandbox: Sandbox, aws: Aws, alice: User, role: Role
) -> None:
    asked = role.arn
    role.account = "999999999999"  # what answers says so, whatever it was asked for

    with pytest.raises(AwsRefused, match="is for another role: arn:aws:sts::999999999999:assumed-role/admin"):
        aws.make_session(AssumeRoleRequest(asked, HOUR), key_of(alice), session_name="alice")


def test_a_disabled_region_is_named(sandbox: Sandbox, url: str, alice: User) -> None:  # matrix 63
    sandbox.disabled_regions.add("ap-east-1")

    with pytest.raises(AwsRefused, match="not activated in this region"):
        aws_at(url, sandbox, region="ap-east-1").caller_arn(key_of(alice))


@pytest.mark.parametrize("region", ["not a region", "eu west 2", "-"])
def test_a_region_that_can_be_none_is_a_fault_of_the_profile(
    sandbox: Sandbox, url: str, alice: User, region: str
) -> None:
    with pytest.raises(BrokenProfile, match="is no AWS region"):
        aws_at(url, sandbox, region=region).caller_arn(key_of(alice))


def test_where_nobody_listens_aws_cannot_be_reached(sandbox: Sandbox, alice: User, role: Role) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:  # matrix 51
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    with pytest.raises(AwsUnreachable, match="cannot be reached: there is no connection") as failure:
        aws_at(url, sandbox).make_session(
            assume(role), key_of(alice), session_name="alice", token_code="123456"
        )

    assert type(failure.value) is AwsUnreachable  # the code was never sent


def test_a_dead_proxy_is_named_without_its_password(  # matrix 52
    sandbox: Sandbox, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://alice:hunter2@127.0.0.1:{port}")

    with pytest.raises(AwsUnreachable, match=r"the proxy 127\.0\.0\.1 does not let us through") as failure:
        aws_at("https://sts.example", sandbox).make_session(
            SessionTokenRequest("serial-number", HOUR), key_of(alice), session_name="", token_code="123456"
        )

    assert "hunter2" not in f"{failure.value.message}{failure.value.hint}"
    assert "HTTPS_PROXY" in (failure.value.hint or "")


def test_a_server_that_speaks_no_tls_is_not_trusted(sandbox: Sandbox, url: str, alice: User) -> None:
    with pytest.raises(AwsUnreachable, match="certificate is not trusted") as failure:  # matrix 51
        aws_at(url.replace("http:", "https:"), sandbox).make_session(
            SessionTokenRequest("serial-number", HOUR), key_of(alice), session_name="", token_code="123456"
        )

    assert "AWS_CA_BUNDLE" in (failure.value.hint or "")


def test_the_first_device_that_shows_codes_is_found(alice: User, aws: Aws) -> None:
    add_security_key(alice)
    second = alice.add_mfa_device("phone-b")
    first = alice.add_mfa_device("phone-a")

    assert aws.totp_device(key_of(alice)) == first.serial
    alice.devices.remove(first)
    assert aws.totp_device(key_of(alice)) == second.serial


def test_no_device_is_found_where_none_may_be_seen(sandbox: Sandbox, aws: Aws) -> None:
    shy = sandbox.add_user("bob")
    shy.add_mfa_device()
    sandbox.fail("ListMFADevices", LISTING_FORBIDDEN)
    without = sandbox.add_user("carol")

    assert aws.totp_device(key_of(shy)) is None
    assert aws.totp_device(key_of(without)) is None


def test_every_failure_of_the_door_is_one_of_ours(sandbox: Sandbox, aws: Aws, alice: User) -> None:
    for kind in ("garbage", "html", "empty", "redirect", "truncated"):
        sandbox.fail("GetCallerIdentity", Fault(kind))  # type: ignore[arg-type]
        with pytest.raises(GdsExecError):
            aws.caller_arn(key_of(alice))


ISSUER, SUBJECT, AUDIENCE = "https://ci.example.gov.uk", "pipeline:deploy", "sts.amazonaws.com"
EXCHANGE = "AssumeRoleWithWebIdentity"


@pytest.fixture
def provider(sandbox: Sandbox) -> OidcProvider:
    return sandbox.add_oidc_provider(ISSUER, audiences=[AUDIENCE])


@pytest.fixture
def deploy(sandbox: Sandbox, provider: OidcProvider) -> Role:
    trust = TokenTrust(provider.url, SUBJECT, AUDIENCE)
    return sandbox.add_role("deploy", trust=[], token_trust=[trust], max_session=12 * HOUR)


def token(sandbox: Sandbox, **claims: object) -> str:
    now = int(sandbox.now())
    return write_jwt({"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "exp": now + 300, **claims})


def exchanged(aws: Aws, role: Role, jwt: str) -> str:
    session = aws.make_session(WebIdentityRequest(role.arn, HOUR), IdentityToken(jwt), session_name="job-1")
    return session.arn


def test_a_token_is_exchanged_as_it_was_asked_for(sandbox: Sandbox, aws: Aws, deploy: Role) -> None:
    request = WebIdentityRequest(deploy.arn, 2 * HOUR, scope=Scope("{}", (READ_ONLY_ARN,)))

    session = aws.make_session(request, IdentityToken(token(sandbox)), session_name="job-1")

    assert session.arn == "arn:aws:sts::222222222222:assumed-role/deploy/job-1"
    assert session.life_seconds() == 2 * HOUR
    assert aws.caller_arn(session.access_key) == session.arn
    told = {name: value for name, value in sandbox.calls[0].parameters.items() if name != "WebIdentityToken"}
    assert told == {
        "DurationSeconds": "7200",
        "Policy": "{}",
        "PolicyArns.member.1.arn": READ_ONLY_ARN,
        "RoleArn": deploy.arn,
        "RoleSessionName": "job-1",
    }


def test_an_exchange_is_not_signed_even_after_calls_that_are(
    sandbox: Sandbox, kept_open: KeptOpen, alice: User, role: Role, deploy: Role
) -> None:
    aws = aws_at(kept_open.url, sandbox)
    session = aws.make_session(assume(role), key_of(alice), session_name="alice")
    aws.caller_arn(session.access_key)

    exchanged(aws, deploy, token(sandbox))

    *_, signed, unsigned = kept_open.headers
    assert {"authorization", "x-amz-security-token"} <= signed
    assert not {"authorization", "x-amz-security-token"} & unsigned


def no_key(*, times: int) -> Fault:
    message = "Couldn't retrieve verification key from your identity provider,  please reference …"
    return Fault("error", times=times, status=400, code="InvalidIdentityToken", message=message)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(no_key(times=2), id="no key now"),
        pytest.param(
            Fault("error", times=2, status=400, code="IDPCommunicationError", message="IdP"),
            id="provider busy",
        ),
        pytest.param(throttling(times=2), id="throttled"),
        pytest.param(Fault("reset", times=2), id="reset"),
    ],
)
def test_an_exchange_is_tried_again_where_the_identity_provider_hiccups(  # matrix 64
    sandbox: Sandbox, aws: Aws, waits: list[float], deploy: Role, fault: Fault
) -> None:
    sandbox.fail(EXCHANGE, fault)

    assert exchanged(aws, deploy, token(sandbox)).endswith("assumed-role/deploy/job-1")
    assert (sandbox.count(EXCHANGE), waits) == (3, [0.5, 1.0])


def test_an_identity_provider_whose_keys_stay_away_is_given_up(  # matrix 64
    sandbox: Sandbox, aws: Aws, deploy: Role, provider: OidcProvider
) -> None:
    provider.has_reachable_keys = False

    with pytest.raises(AwsUnreachable, match="Couldn't retrieve verification key"):
        exchanged(aws, deploy, token(sandbox))

    assert sandbox.count(EXCHANGE) == 3


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        pytest.param({"aud": "others"}, AwsRefused, id="audience"),
        pytest.param({"iss": "https://other.example"}, AwsRefused, id="issuer"),
        pytest.param({"sub": "pipeline:other"}, AssumeRoleDenied, id="subject"),
        pytest.param({"exp": 1}, SourceCredentialsInvalid, id="expired"),
    ],
)
def test_a_token_that_aws_refuses_is_sent_once_and_never_told(  # matrix 65
    sandbox: Sandbox,
    aws: Aws,
    waits: list[float],
    deploy: Role,
    claims: dict[str, object],
    error: type[AwsRefused],
) -> None:
    jwt = token(sandbox, **claims)

    with pytest.raises(error) as failure:
        exchanged(aws, deploy, jwt)

    assert type(failure.value) is error
    assert (sandbox.count(EXCHANGE), waits) == (1, [])
    assert jwt.rpartition(".")[2] not in f"{failure.value!r}{failure.value.message}{failure.value.hint}"


def test_the_answer_to_a_token_for_another_role_is_refused(sandbox: Sandbox, aws: Aws, deploy: Role) -> None:
    other = sandbox.add_role("other", trust=[], token_trust=deploy.token_trust)
    deploy.name, other.name = other.name, deploy.name  # AWS answers with the wrong one

    with pytest.raises(AwsRefused, match=r"the answer of .* is for another role"):
        exchanged(aws, deploy, token(sandbox))
