import http.client
import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError, SSLError
from botocore.parsers import ResponseParserError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gds_exec.sandbox.faults import Fault, FaultKind
from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import User
from gds_exec.sandbox.server import serve
from gds_exec.sandbox.state import Aws

Client = Callable[..., Any]


def raw_answer(url: str, request: bytes) -> bytes:
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_every_answer_has_the_sandbox_s_time_and_a_request_id(aws: Aws, client: Client, alice: User) -> None:
    aws.clock_offset = 600
    metadata = client("sts", alice).get_caller_identity()["ResponseMetadata"]
    date = parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
    assert date.timestamp() == int(aws.now())
    assert metadata["HTTPHeaders"]["x-amzn-requestid"] == metadata["RequestId"]


def test_an_error_has_them_too(aws: Aws, client: Client, alice: User) -> None:
    aws.clock_offset = 7200
    with pytest.raises(ClientError) as refused:
        client("sts", alice).get_caller_identity()
    headers = refused.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert parsedate_to_datetime(headers["date"]).timestamp() == int(aws.now())
    assert len(headers["x-amzn-requestid"]) == 36


def test_an_error_is_xml_in_aws_s_form(url: str) -> None:
    answer = raw_answer(url, b"POST / HTTP/1.1\r\nContent-Length: 24\r\n\r\nAction=GetCallerIdentity")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 ")
    assert body.startswith(
        b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        b"<Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message>"
        b"</Error><RequestId>"
    )


def test_an_unknown_action_is_refused(url: str) -> None:
    body = b"Action=GetFederationToken&Version=2011-06-15"
    answer = raw_answer(url, b"POST / HTTP/1.1\r\nContent-Length: 44\r\n\r\n" + body)
    assert b"Could not find operation GetFederationToken for version 2011-06-15" in answer


@pytest.mark.parametrize("length", ["65537", "-1", "many", "9" * 30])
def test_a_body_without_a_sensible_length_is_not_read(url: str, length: str) -> None:
    answer = raw_answer(url, f"POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_other_services_are_not_played(url: str, method: str) -> None:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    try:
        connection.request(method, "/bucket/key")
        answer = connection.getresponse()
        assert (answer.status, b"InvalidAction" in answer.read()) == (400, method != "HEAD")
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/latest/api/token"),
        ("POST", "/latest/api/token"),
        ("POST", "/v2/credentials/x"),
        ("PUT", "/actions/idtoken"),
        ("PUT", "/federation"),
        ("GET", "/latest"),
        ("GET", "/actions/idtoken/x"),
    ],
)
def test_a_place_has_its_own_methods_and_paths(ask: Callable[..., Any], method: str, path: str) -> None:
    answer = ask(method, path)
    assert (answer.status, "InvalidAction" in answer.text) == (400, True)


def test_nothing_is_ever_printed(
    capfd: pytest.CaptureFixture[str], client: Client, url: str, alice: User
) -> None:
    raw_answer(url, b"\x16\x03\x01 not HTTP\r\n\r\n")
    raw_answer(url, b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n")
    client("sts", alice).get_caller_identity()
    assert capfd.readouterr() == ("", "")


def test_text_from_outside_stays_text(aws: Aws, client: Client, alice: User) -> None:
    with pytest.raises(ClientError) as refused:
        client("sts", alice).assume_role(RoleArn="<&\x1b>" + "x" * 20, RoleSessionName="me")
    assert "sts:AssumeRole on resource: <&\ufffd>xx" in refused.value.response["Error"]["Message"]


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


def test_one_code_in_many_threads_opens_one_session(
    aws: Aws, client: Client, alice: User, device: MfaDevice
) -> None:
    sts, parameters = client("sts", alice), {"SerialNumber": device.serial, "TokenCode": device.code()}
    outcomes: list[str] = []

    def call() -> None:
        try:
            sts.get_session_token(**parameters)
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
        else:
            outcomes.append("opened")

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["AccessDenied"] * 7 + ["opened"]
    assert aws.count("GetSessionToken") == 8


def test_no_secret_is_printed(aws: Aws, alice: User, device: MfaDevice, mfa_session: dict[str, Any]) -> None:
    held = aws.credentials(mfa_session["AccessKeyId"])
    printed = repr((aws, alice, alice.key, device, held, aws.credentials(alice.access_key_id)))
    for secret in (
        alice.secret_access_key,
        device.secret,
        mfa_session["SecretAccessKey"],
        mfa_session["SessionToken"],
    ):
        assert secret not in printed


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


SIGNALLED_WHILE_SERVING = """
import os, signal
from gds_exec.sandbox.server import serve
from gds_exec.sandbox.state import Aws

with serve(Aws()):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    os.kill(os.getpid(), signal.SIGUSR1)
    assert signal.sigwait({signal.SIGUSR1}) == signal.SIGUSR1
"""


def test_a_signal_waits_for_the_main_thread() -> None:
    command = [sys.executable, "-c", SIGNALLED_WHILE_SERVING]

    assert subprocess.run(command, timeout=30, check=False).returncode == 0


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
