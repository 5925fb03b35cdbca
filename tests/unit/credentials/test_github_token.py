"""GitHub mints a token for a job: asked as it wants to be, again where it is busy, never after a no."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from gds_exec.credentials.github_token import mint
from gds_exec.errors import SourceFailed
from tests.aws.faults import Fault
from tests.aws.github_oidc import token_request_url
from tests.aws.json_web_tokens import read_jwt
from tests.aws.sandbox import Aws as Sandbox
from tests.aws.server import serve
from tests.fakes import never

REQUEST_TOKEN = "a-request-token"
AUDIENCE = "sts.amazonaws.com"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with serve(sandbox) as url:
        yield token_request_url(url)


class Waits:
    """What was waited between one try and the next, of waits that are as long as they may be, or half so."""

    def __init__(self, fraction: float = 0.5) -> None:
        self._fraction = fraction
        self.seconds: list[float] = []

    def mint(self, url: str, request_token: str = REQUEST_TOKEN, audience: str = AUDIENCE) -> str:
        return mint(url, request_token, audience, sleep=self.seconds.append, fraction=lambda: self._fraction)


@pytest.fixture
def waits() -> Waits:
    return Waits()


def test_a_token_is_minted_for_the_audience(sandbox: Sandbox, url: str, waits: Waits) -> None:
    token = waits.mint(url, sandbox.github.request_token, "ours & theirs/é?")

    assert read_jwt(token).claims["aud"] == "ours & theirs/é?"
    assert read_jwt(token).claims["sub"] == sandbox.github.subject
    assert waits.seconds == []


def test_each_token_is_another(sandbox: Sandbox, url: str, waits: Waits) -> None:
    first, second = (waits.mint(url, sandbox.github.request_token) for _ in range(2))

    assert first != second


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("error", status=500), id="500"),
        pytest.param(Fault("error", status=503), id="503"),
        pytest.param(Fault("error", status=429), id="429"),
        pytest.param(Fault("reset"), id="reset"),
        pytest.param(Fault("html"), id="a page"),
        pytest.param(Fault("empty"), id="nothing"),
        pytest.param(Fault("garbage"), id="garbage"),
        pytest.param(Fault("truncated"), id="half an answer"),
    ],
)
def test_github_is_asked_again_where_it_failed(
    sandbox: Sandbox, url: str, waits: Waits, fault: Fault
) -> None:
    sandbox.fail("GetGitHubToken", fault)

    assert waits.mint(url, sandbox.github.request_token).count(".") == 2
    assert waits.seconds == [0.5]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("error", times=9, status=502), "it answered 502"),
        (Fault("error", times=9, status=429), "it answered 429"),
        (Fault("reset", times=9), "ConnectionClosedError"),
        (Fault("html", times=9), "its answer holds no token"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
def test_a_failure_that_stays_is_tried_four_times_a_little_later_each_time(
    sandbox: Sandbox, url: str, waits: Waits, fault: Fault, reason: str
) -> None:
    sandbox.fail("GetGitHubToken", fault)

    with pytest.raises(SourceFailed, match=f"GitHub mints no token now: {reason}"):
        waits.mint(url, sandbox.github.request_token)

    assert waits.seconds == [0.5, 1, 2]
    assert sandbox.count("GetGitHubToken") == 4


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(
            Fault("drip", times=9, delay=0.01), r"did not finish its answer within 0\.5 s", id="drip"
        ),
        pytest.param(Fault("drip-head", times=9, delay=0.01), r"did not finish its answer", id="drip-head"),
        pytest.param(Fault("flood", times=9), "sent more than 1 MiB", id="flood"),
    ],
)
def test_an_answer_without_end_is_given_up(sandbox: Sandbox, url: str, fault: Fault, reason: str) -> None:
    sandbox.fail("GetGitHubToken", fault)

    with pytest.raises(SourceFailed, match=f"^GitHub {reason}"):
        mint(url, sandbox.github.request_token, AUDIENCE, sleep=never, longest_call_seconds=0.5)

    assert sandbox.count("GetGitHubToken") == 1


def test_those_who_were_turned_away_together_do_not_return_together(sandbox: Sandbox, url: str) -> None:
    early, late = Waits(0.1), Waits(0.9)

    for waits in (early, late):
        sandbox.fail("GetGitHubToken", Fault("error", times=3))
        waits.mint(url, sandbox.github.request_token)

    assert early.seconds == pytest.approx([0.1, 0.2, 0.4])
    assert late.seconds == pytest.approx([0.9, 1.8, 3.6])


class Scripted:
    """A server that gives every question one answer, and remembers what it was asked."""

    def __init__(self, server: ThreadingTCPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_address[1]}/token"
        self.status, self.body, self.headers = 200, b"{}", {}
        self.paths: list[str] = []
        self.authorizations: list[str | None] = []

    def answer(self, status: int, body: object = b"", **headers: str) -> None:
        self.status, self.headers = status, headers
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.paths.append(self.path)
            script.authorizations.append(self.headers["Authorization"])
            self.send_response(script.status)
            for name, value in script.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(script.body)))
            self.end_headers()
            self.wfile.write(script.body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        script = Scripted(server)
        Thread(target=server.serve_forever, daemon=True).start()
        yield script
        server.shutdown()


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_not_argued_with_and_names_the_permission(  # matrix 66
    scripted: Scripted, waits: Waits, status: int
) -> None:
    scripted.answer(status, {"message": f"{REQUEST_TOKEN} is not allowed"})

    with pytest.raises(
        SourceFailed, match=f"GitHub refused to mint a token for this job: {status}"
    ) as failure:
        waits.mint(scripted.url)

    assert "`permissions: id-token: write`" in str(failure.value.hint)
    assert (len(scripted.paths), waits.seconds) == (1, [])
    assert REQUEST_TOKEN not in f"{failure.value.message}{failure.value.hint}"


def test_the_request_token_follows_no_redirection(scripted: Scripted, waits: Waits) -> None:
    scripted.answer(302, Location=f"{scripted.url}/elsewhere")

    with pytest.raises(SourceFailed, match="302"):
        waits.mint(scripted.url)

    assert len(scripted.paths) == 1


@pytest.mark.parametrize(
    ("more", "query"),
    [
        pytest.param("", {"audience": ["a b"]}, id="no query"),
        pytest.param("?api-version=2.0", {"api-version": ["2.0"], "audience": ["a b"]}, id="a query"),
    ],
)
def test_what_the_url_asks_already_is_kept(
    scripted: Scripted, waits: Waits, more: str, query: dict[str, list[str]]
) -> None:
    scripted.answer(200, {"count": 1, "value": "a-token"})

    assert waits.mint(scripted.url + more, audience="a b") == "a-token"
    assert parse_qs(urlsplit(scripted.paths[0]).query) == query
    assert scripted.authorizations == [f"bearer {REQUEST_TOKEN}"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param([], id="a list"),
        pytest.param(None, id="null"),
        pytest.param({"token": "x"}, id="another name"),
        pytest.param({"value": None}, id="no token"),
        pytest.param({"value": ["x"]}, id="a list of tokens"),
    ],
)
def test_an_answer_without_a_token_is_none(scripted: Scripted, waits: Waits, body: object) -> None:
    scripted.answer(200, body)

    with pytest.raises(SourceFailed, match="its answer holds no token"):
        waits.mint(scripted.url)


@pytest.mark.parametrize(
    "url",
    [
        "http://actions.example/token",
        "http://127.0.0.1@actions.example/token",
        "ftp://127.0.0.1/token",
        "file:///etc/passwd",
        "https:///token",
        "https://a\\@b/token",
        "https://[x/token",
        "",
    ],
)
def test_the_request_token_goes_nowhere_without_tls_but_to_this_machine(url: str) -> None:
    with pytest.raises(SourceFailed, match="ACTIONS_ID_TOKEN_REQUEST_URL is no https URL") as failure:
        mint(url, REQUEST_TOKEN, AUDIENCE, sleep=never)

    assert REQUEST_TOKEN not in f"{failure.value.message}{failure.value.hint}"


def test_no_proxy_reads_what_is_asked_of_this_machine(
    scripted: Scripted, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    scripted.answer(200, {"value": "a-token"})

    assert waits.mint(scripted.url) == "a-token"


def test_a_request_token_that_cannot_be_sent_is_not_told(scripted: Scripted, waits: Waits) -> None:
    with pytest.raises(SourceFailed) as failure:
        waits.mint(scripted.url, f"{REQUEST_TOKEN}\nX: y")

    assert REQUEST_TOKEN not in f"{failure.value.message}{failure.value.hint}"
    assert scripted.paths == []


def test_certificates_that_are_not_there_are_a_failure_in_words(waits: Waits, tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="GitHub"):
        mint(
            "https://127.0.0.1:9/",
            REQUEST_TOKEN,
            AUDIENCE,
            ca_bundle=str(tmp_path / "none"),
            sleep=waits.seconds.append,
        )
