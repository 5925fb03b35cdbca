import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import User
from gds_exec.sandbox.state import Aws
from tests.fakes import Clock

Client = Callable[..., Any]


def raw_answer(url: str, request: bytes) -> bytes:
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_every_answer_has_the_sandbox_s_time_and_a_request_id(
    aws: Aws, clock: Clock, client: Client, alice: User
) -> None:
    clock.advance(600)
    metadata = client("sts", alice).get_caller_identity()["ResponseMetadata"]
    date = parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
    assert date.timestamp() == int(aws.now())
    assert metadata["HTTPHeaders"]["x-amzn-requestid"] == metadata["RequestId"]


def test_an_error_has_them_too(aws: Aws, clock: Clock, client: Client, alice: User) -> None:
    clock.advance(7200)
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


def test_no_secret_is_printed(aws: Aws, alice: User, device: MfaDevice, mfa_session: dict[str, Any]) -> None:
    held = aws.credentials(mfa_session["AccessKeyId"])
    printed = repr((aws, alice, device, held, aws.credentials(alice.access_key_id)))
    for secret in (
        alice.secret_access_key,
        device.secret,
        mfa_session["SecretAccessKey"],
        mfa_session["SessionToken"],
    ):
        assert secret not in printed


SIGNALLED_WHILE_SERVING = """
import os, signal
from gds_exec.sandbox.server import Server, serve
from gds_exec.sandbox.state import Aws

with serve(Server(Aws())):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    os.kill(os.getpid(), signal.SIGUSR1)
    assert signal.sigwait({signal.SIGUSR1}) == signal.SIGUSR1
"""


def test_a_signal_waits_for_the_main_thread() -> None:
    command = [sys.executable, "-c", SIGNALLED_WHILE_SERVING]

    assert subprocess.run(command, timeout=30, check=False).returncode == 0


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/federation"), ("GET", "/federation/x"), ("GET", "/latest/api/token")]
)
def test_an_endpoint_has_its_own_methods_and_paths(ask: Callable[..., Any], method: str, path: str) -> None:
    answer = ask(method, path)
    assert (answer.status, "InvalidAction" in answer.text) == (400, True)
