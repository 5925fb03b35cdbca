import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError, SSLError
from botocore.parsers import ResponseParserError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import User
from tests.aws.faults import Fault, FaultKind
from tests.aws.sandbox import Aws
from tests.aws.server import serve

Client = Callable[..., Any]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/latest/api/token"),
        ("POST", "/latest/api/token"),
        ("POST", "/v2/credentials/x"),
        ("PUT", "/actions/idtoken"),
        ("GET", "/latest"),
        ("GET", "/actions/idtoken/x"),
    ],
)
def test_an_endpoint_has_its_own_methods_and_paths(ask: Callable[..., Any], method: str, path: str) -> None:
    answer = ask(method, path)
    assert (answer.status, "InvalidAction" in answer.text) == (400, True)


def test_calls_are_recorded_without_the_code(
    aws: Aws, client: Client, alice: User, device: MfaDevice
) -> None:
    code = device.code()
    client("sts", alice).get_session_token(SerialNumber=device.serial, TokenCode=code)
    with pytest.raises(ClientError):
        client("sts", alice).get_session_token(SerialNumber=device.serial, TokenCode=code)
    taken, refused = aws.calls
    assert taken.parameters == {"SerialNumber": device.serial, "TokenCode": "(given)"}
    assert (taken.action, taken.access_key_id, taken.status, taken.error_code) == (
        "GetSessionToken", alice.access_key_id, 200, "",
    )  # fmt: skip
    assert (refused.status, refused.error_code) == (403, "AccessDenied")
    assert (aws.count("GetSessionToken"), aws.count("AssumeRole")) == (2, 0)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("reset"), ConnectionClosedError),
        (Fault("hang", delay=0.01), ConnectionClosedError),
        (Fault("garbage"), ResponseParserError),
        (Fault("truncated"), ResponseParserError),
        (Fault("truncated", after=True), ResponseParserError),
        (Fault("html"), KeyError),
        (Fault("empty"), ResponseParserError),
        (Fault("redirect"), ResponseParserError),
        (Fault("error"), ClientError),
    ],
    ids=lambda value: f"{value.kind} after={value.after}" if isinstance(value, Fault) else value.__name__,
)
def test_a_fault_happens_once_to_its_own_action(
    aws: Aws, client: Client, alice: User, fault: Fault, error: type[Exception]
) -> None:
    sts = client("sts", alice)
    aws.fail("GetCallerIdentity", fault)
    sts.get_session_token()
    with pytest.raises(error):
        sts.get_caller_identity()
    assert sts.get_caller_identity()["Arn"] == alice.arn
    assert aws.count("GetCallerIdentity") == 2


def test_a_fault_may_be_any_error_of_aws(aws: Aws, client: Client, alice: User) -> None:
    throttled = Fault("error", times=2, status=400, code="Throttling", message="Rate exceeded")
    aws.fail("GetCallerIdentity", throttled)
    for _ in range(2):
        with pytest.raises(ClientError, match=r"Throttling.*Rate exceeded"):
            client("sts", alice).get_caller_identity()
    client("sts", alice).get_caller_identity()
    assert [(call.status, call.error_code) for call in aws.calls] == [(400, "Throttling")] * 2 + [(200, "")]


@pytest.mark.parametrize(("after", "is_spent"), [(True, True), (False, False)])
def test_a_lost_answer_spends_the_code_and_a_lost_question_does_not(
    aws: Aws, client: Client, alice: User, device: MfaDevice, after: bool, is_spent: bool
) -> None:
    aws.fail("GetSessionToken", Fault("reset", after=after))
    with pytest.raises(ConnectionClosedError):
        client("sts", alice).get_session_token(SerialNumber=device.serial, TokenCode=device.code())
    assert device.spend(device.code()) is not is_spent
    assert [call.error_code for call in aws.calls] == ["" if after else "reset"]


def test_a_slow_answer_is_a_good_one(aws: Aws, client: Client, alice: User) -> None:
    aws.fail("GetCallerIdentity", Fault("slow", delay=0.05))
    assert client("sts", alice).get_caller_identity()["Arn"] == alice.arn


@pytest.mark.parametrize("kind", ["drip", "drip-head"])
def test_a_drip_is_a_good_answer_in_the_end(aws: Aws, client: Client, alice: User, kind: FaultKind) -> None:
    aws.fail("GetCallerIdentity", Fault(kind, delay=0.0001))
    assert client("sts", alice).get_caller_identity()["Arn"] == alice.arn


def test_some_fields_of_a_good_answer_may_be_altered(aws: Aws, client: Client, alice: User) -> None:
    aws.fail("GetCallerIdentity", Fault("altered", fields=(("Arn", "a&amp;b"), ("UserId", None))))
    answer = client("sts", alice).get_caller_identity()
    assert answer["Arn"] == "a&b"
    assert answer["Account"] == "111111111111"
    assert "UserId" not in answer


def test_a_flood_goes_on_until_the_client_leaves(aws: Aws) -> None:
    aws.fail("GetCallerIdentity", Fault("flood"))
    body = b"Action=GetCallerIdentity"
    with serve(aws) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            got = 0
            while got < 10_000_000:
                got += len(connection.recv(65_536))


def test_a_client_gives_up_on_a_call_that_hangs(aws: Aws, client: Client, alice: User) -> None:
    aws.fail("GetCallerIdentity", Fault("hang"))
    impatient = client("sts", alice, read_timeout=0.1)
    with pytest.raises(ReadTimeoutError):
        impatient.get_caller_identity()


def test_closing_ends_what_hangs(aws: Aws) -> None:
    aws.fail("GetCallerIdentity", Fault("hang"))
    body = b"Action=GetCallerIdentity"
    with serve(aws) as url:
        address = urlsplit(url)
        connection = socket.create_connection((address.hostname, address.port), timeout=5)
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        wait_for_call(aws, "GetCallerIdentity")
    with connection:
        assert connection.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port), timeout=5)


def wait_for_call(aws: Aws, action: str) -> None:
    arrived = threading.Event()
    for _ in range(500):
        if aws.count(action):
            return
        arrived.wait(0.01)
    raise AssertionError(f"{action} never arrived")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sandbox")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "sandbox.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file


@pytest.fixture
def https_url(aws: Aws, certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serve(aws, ssl_context=context) as url:
        yield url


def test_it_speaks_tls(client: Client, alice: User, certificate: Path, https_url: str) -> None:
    sts = client("sts", alice, endpoint_url=https_url, verify=str(certificate))
    assert sts.get_caller_identity()["Arn"] == alice.arn


def test_a_client_that_distrusts_us_leaves_quietly(
    capfd: pytest.CaptureFixture[str], client: Client, alice: User, https_url: str, certificate: Path
) -> None:
    with pytest.raises(SSLError):
        client("sts", alice, endpoint_url=https_url).get_caller_identity()
    trusting = client("sts", alice, endpoint_url=https_url, verify=str(certificate))
    assert trusting.get_caller_identity()["Arn"] == alice.arn
    assert capfd.readouterr().err == ""


def test_a_reset_under_tls_is_a_reset(
    aws: Aws, client: Client, alice: User, certificate: Path, https_url: str
) -> None:
    aws.fail("GetCallerIdentity", Fault("reset"))
    with pytest.raises(ConnectionClosedError):
        client("sts", alice, endpoint_url=https_url, verify=str(certificate)).get_caller_identity()


def test_a_call_of_the_federation_is_recorded_without_its_secrets(
    aws: Aws, ask: Callable[..., Any], client: Client, alice: User
) -> None:
    role = aws.add_role("reader", trust=[alice.arn])
    made = client("sts", alice).assume_role(RoleArn=role.arn, RoleSessionName="me")["Credentials"]
    session = {
        "sessionId": made["AccessKeyId"],
        "sessionKey": made["SecretAccessKey"],
        "sessionToken": made["SessionToken"],
    }
    query = urlencode({"Action": "getSigninToken", "Session": json.dumps(session)})
    token = json.loads(ask("GET", f"/federation?{query}").text)["SigninToken"]
    login = urlencode({"Action": "login", "SigninToken": token, "Destination": "https://x.example/"})

    assert "Invalid Destination" in ask("GET", f"/federation?{login}").text

    assert [(call.action, call.status, call.error_code) for call in aws.calls] == [
        ("AssumeRole", 200, ""), ("getSigninToken", 200, ""), ("login", 400, "BadRequest"),
    ]  # fmt: skip
    assert aws.calls[1].parameters == {"Session": "(given)"}
    assert not any(secret in repr(aws) for secret in (made["SecretAccessKey"], token))


def test_the_federation_can_be_made_to_fail(aws: Aws, ask: Callable[..., Any]) -> None:
    aws.fail("getSigninToken", Fault("error", status=503))

    assert ask("GET", "/federation?Action=getSigninToken").status == 503
