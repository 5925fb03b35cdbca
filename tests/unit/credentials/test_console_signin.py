import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from gds_exec.credentials.console_signin import console_seconds, signin_token
from gds_exec.errors import AwsRefused, AwsUnreachable, BrokenProfile, GdsExecError
from tests.fakes import a_session

HOUR = 3600


@dataclass
class Asked:
    """A request as the server met it."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]


@dataclass
class Signin:
    """A sign-in that answers as it is told to, and remembers what it was asked."""

    status: int = 200
    body: bytes = b'{"SigninToken": "the-token"}'
    location: str | None = None
    asked: list[Asked] = field(default_factory=list)
    endpoint: str = ""
    is_silent: bool = False
    piece_seconds: float = 0
    is_over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def signin() -> Iterator[Signin]:
    signin = Signin()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            signin.asked.append(Asked(self.command, self.path, dict(self.headers.items()), form))
            if signin.is_silent:
                signin.is_over.wait(30)
                return
            self.send_response_only(signin.status)
            if signin.location is not None:
                self.send_header("Location", signin.location)
            self.send_header("Content-Length", str(len(signin.body)))
            self.end_headers()
            for byte in signin.body if signin.piece_seconds else ():
                self.wfile.write(bytes((byte,)))
                signin.is_over.wait(signin.piece_seconds)
            if not signin.piece_seconds:
                self.wfile.write(signin.body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        signin.endpoint = f"http://127.0.0.1:{server.server_address[1]}/federation"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield signin
        signin.is_over.set()
        server.shutdown()
        thread.join()


def failure_of(signin: Signin, **more: Any) -> GdsExecError:
    with pytest.raises(GdsExecError) as failure:
        signin_token(a_session(), endpoint=signin.endpoint, **more)
    return failure.value


def test_a_session_is_exchanged_for_a_token(signin: Signin) -> None:
    assert signin_token(a_session(), endpoint=signin.endpoint) == "the-token"
    assert signin.asked[0].form["Action"] == "getSigninToken"
    assert json.loads(signin.asked[0].form["Session"]) == {
        "sessionId": "ASIAEXAMPLE0001",
        "sessionKey": "secret-0001",
        "sessionToken": "token-0001",
    }


@pytest.mark.matrix(67)
def test_the_session_is_in_no_url(signin: Signin) -> None:
    signin_token(a_session(), endpoint=signin.endpoint)

    [asked] = signin.asked
    assert (asked.method, asked.path) == ("POST", "/federation")
    assert not any("0001" in value for value in asked.headers.values())


@pytest.mark.matrix(68)
@pytest.mark.parametrize(
    ("life", "asked"),
    [
        pytest.param(900, None, id="a quarter of an hour"),
        pytest.param(HOUR, None, id="an hour, as a chained role has it at most"),
        pytest.param(HOUR + 2, None, id="an hour by clocks that differ a little"),
        pytest.param(2 * HOUR, "7200", id="two hours, which a chained role never has"),
        pytest.param(12 * HOUR + 2, "43200", id="no more than AWS lets one ask"),
    ],
)
def test_it_is_said_how_long_only_where_aws_takes_that(signin: Signin, life: int, asked: str | None) -> None:
    session = a_session(life=life)

    signin_token(session, endpoint=signin.endpoint)

    assert signin.asked[0].form.get("SessionDuration") == asked
    assert str(console_seconds(session) or "") == (asked or "")


@pytest.mark.matrix(67)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_is_ours(signin: Signin, status: int) -> None:
    signin.status, signin.body = status, b"<html>Invalid credentials parameter"

    failure = failure_of(signin)

    assert isinstance(failure, AwsRefused)
    assert str(status) in failure.message
    assert "--new-session" in (failure.hint or "")


@pytest.mark.matrix(67)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_or_broken_endpoint_may_be_asked_again(signin: Signin, status: int) -> None:
    signin.status = status

    failure = failure_of(signin)

    assert isinstance(failure, AwsUnreachable)
    assert str(status) in failure.message
    assert "again" in (failure.hint or "")


@pytest.mark.matrix(67)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(signin: Signin, status: int) -> None:
    signin.status = status
    signin.location = f"{signin.endpoint}?a-secret"

    failure = failure_of(signin)

    assert isinstance(failure, AwsUnreachable)
    assert len(signin.asked) == 1
    assert "points elsewhere (127.0.0.1)" in failure.message
    assert "a-secret" not in failure.message


@pytest.mark.parametrize("location", [None, "", "https://[x", "/login"])
def test_a_redirect_to_nowhere_is_one_too(signin: Signin, location: str | None) -> None:
    signin.status, signin.location = 302, location

    assert "points elsewhere (?)" in failure_of(signin).message


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<!DOCTYPE html><title>Welcome to Cafe WiFi", id="a captive portal"),
        pytest.param(b'{"SigninToken": "half-a', id="half an answer"),
        pytest.param(b"\x1f\x8b\x00\xff", id="garbage"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"[" * 60_000, id="a deep list"),
        pytest.param(b" " * 2_000_000, id="two million blanks"),
        pytest.param(b"{}", id="no token"),
        pytest.param(b'{"SigninToken": null}', id="null"),
        pytest.param(b'{"SigninToken": ""}', id="an empty token"),
    ],
)
def test_an_answer_that_aws_would_not_give_is_told_as_one(signin: Signin, body: bytes) -> None:
    signin.body = body

    failure = failure_of(signin)

    assert isinstance(failure, AwsUnreachable)
    assert "gave no answer that AWS would give" in failure.message
    assert "half-a" not in str(failure)


def test_an_endpoint_that_does_not_answer_is_given_up(signin: Signin) -> None:
    signin.is_silent = True

    failure = failure_of(signin, timeout_seconds=0.1)

    assert isinstance(failure, AwsUnreachable)
    assert "in time" in failure.message


def test_an_answer_that_takes_too_long_is_given_up(signin: Signin) -> None:
    signin.body, signin.piece_seconds = b" " * 60_000, 0.01

    failure = failure_of(signin, longest_call_seconds=0.3)

    assert isinstance(failure, AwsUnreachable)
    assert "did not answer in time" in failure.message


def test_an_endpoint_that_is_not_there_is_named() -> None:
    failure = failure_of(Signin(endpoint="http://127.0.0.1:1/federation"))

    assert isinstance(failure, AwsUnreachable)
    assert "127.0.0.1:1 cannot be reached" in failure.message


def test_a_file_of_certificates_that_holds_none_is_said(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate")

    with pytest.raises(BrokenProfile, match=r"bundle\.pem"):
        signin_token(a_session(), endpoint="https://127.0.0.1:1/federation", ca_bundle=str(bundle))
