import errno
import json
import os
import resource
import selectors
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from botocore.credentials import ContainerProvider
from botocore.exceptions import CredentialRetrievalError
from botocore.utils import ContainerMetadataFetcher
from hypothesis import example, given
from hypothesis import strategies as st

from gds_exec.delivery.sdk_documents import endpoint_document, error_document
from gds_exec.errors import SystemRefused
from gds_exec.refresher.endpoint import Answer, Endpoint, adopt, bind, new_token, url_of
from tests.fakes import Clock, a_session
from tests.processes import run_python

TOKEN = "0123abcd" * 8
SESSION = Answer(200, endpoint_document(a_session()))
NOTHING_VALID = Answer(503, error_document("SessionExpired", "run gds-exec renew in any terminal"))
PATIENCE_SECONDS = 10


class Served:
    """An endpoint and the loop it lives in, which turns when a test says so."""

    def __init__(self, selector: selectors.BaseSelector, clock: Clock) -> None:
        self.selector = selector
        self.clock = clock
        self.answers = [SESSION]
        self.listener = bind()
        self.address = self.listener.getsockname()
        self.endpoint = Endpoint(selector, self.listener, TOKEN, lambda: self.answers[-1], clock=clock)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.address[1]}"

    def client(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(self.address, timeout=PATIENCE_SECONDS)
        client.sendall(sent)
        return client

    def turn(self, seconds: float = 0.0) -> int:
        ready = self.selector.select(seconds)
        for key, _ in ready:
            key.data()
        self.endpoint.drop_overdue()
        return len(ready)

    def settle(self) -> None:
        while self.turn(0.02):
            pass

    def hear(self, client: socket.socket) -> bytes:
        """Return all that the client is sent until we hang up; turn the loop for it meanwhile."""
        heard = b""
        client.settimeout(0)
        for _ in range(10_000):
            self.turn(0.001)
            with suppress(BlockingIOError):
                piece = client.recv(65_536)
                heard += piece
                if not piece:
                    return heard
        raise AssertionError(f"no end after {heard!r}")

    def ask(self, sent: bytes) -> "Response":
        with self.client(sent) as client:
            return Response(self.hear(client))

    def request(self, line: str = "GET /credentials HTTP/1.1", **changes: str | None) -> bytes:
        """Return a good request, but for the changed fields; None leaves one out."""
        fields = {"Host": self.host, "Authorization": TOKEN, **changes}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]
        return "\r\n".join((line, *lines, "", "")).encode()


class Response:
    """What a client was sent, taken apart."""

    def __init__(self, heard: bytes) -> None:
        head, _, self.body = heard.partition(b"\r\n\r\n")
        line, *fields = head.decode().split("\r\n")
        self.status = int(line.split()[1])
        self.headers = dict(field.lower().split(": ") for field in fields)

    @property
    def document(self) -> dict[str, str]:
        document: dict[str, str] = json.loads(self.body)
        return document


@contextmanager
def serving(selector: selectors.BaseSelector | None = None) -> Iterator[Served]:
    with selector or selectors.DefaultSelector() as used:
        served = Served(used, Clock())
        try:
            yield served
        finally:
            served.endpoint.close()


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    free = os.dup(0)
    os.close(free)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_has_the_token_is_given_the_session_as_it_is_now(served: Served) -> None:
    for mark in ("0001", "0002"):
        served.answers.append(Answer(200, endpoint_document(a_session(mark))))

        response = served.ask(served.request())

        assert (response.status, response.document["Token"]) == (200, f"token-{mark}")


def test_a_response_is_whole_and_kept_by_nobody(served: Served) -> None:
    response = served.ask(served.request())

    assert response.headers == {
        "content-type": "application/json",
        "content-length": str(len(response.body)),
        "cache-control": "no-store",
        "connection": "close",
        "allow": "get",
    }


def test_where_nothing_is_valid_the_reason_is_given_and_a_status_that_is_tried_again(served: Served) -> None:
    served.answers.append(NOTHING_VALID)

    response = served.ask(served.request())

    assert (response.status, response.document["code"]) == (503, "SessionExpired")


@pytest.mark.parametrize(
    ("line", "changes", "status"),
    [
        pytest.param("GET /credentials HTTP/1.0", {}, 200, id="the older HTTP"),
        pytest.param("GET /credentials HTTP/1.1", {"X_Other": "ä"}, 200, id="a field that says nothing"),
    ],
)
def test_what_is_unusual_but_right_is_answered(
    line: str, changes: dict[str, str], status: int, served: Served
) -> None:
    assert served.ask(served.request(line, **changes)).status == status


def test_the_names_of_fields_are_read_in_any_case(served: Served) -> None:
    request = served.request().replace(b"Host: ", b"hOST:").replace(b"Authorization: ", b"AUTHORIZATION:  \t")

    assert served.ask(request).status == 200


GET = "GET /credentials HTTP/1.1"
REFUSED = [
    pytest.param(GET, {"Authorization": None}, 403, id="no token", marks=pytest.mark.matrix(101)),
    pytest.param(GET, {"Authorization": ""}, 403, id="empty token", marks=pytest.mark.matrix(101)),
    pytest.param(GET, {"Authorization": TOKEN[:-1]}, 403, id="less token", marks=pytest.mark.matrix(101)),
    pytest.param(GET, {"Authorization": f"{TOKEN}0"}, 403, id="more token", marks=pytest.mark.matrix(101)),
    pytest.param(GET, {"Authorization": TOKEN.upper()}, 403, id="other case", marks=pytest.mark.matrix(101)),
    pytest.param(GET, {"Authorization": f"Bearer {TOKEN}"}, 403, id="scheme", marks=pytest.mark.matrix(101)),
    pytest.param(GET, {"Authorization": "ключ"}, 403, id="not ASCII", marks=pytest.mark.matrix(101)),
    pytest.param(GET, {"authorization": TOKEN}, 403, id="two tokens", marks=pytest.mark.matrix(101)),
    pytest.param(GET, {"Host": None}, 403, id="no host", marks=pytest.mark.matrix(102)),
    pytest.param(GET, {"Host": "evil.example"}, 403, id="another host", marks=pytest.mark.matrix(102)),
    pytest.param(GET, {"Host": "127.0.0.1"}, 403, id="no port", marks=pytest.mark.matrix(102)),
    pytest.param(GET, {"Host": "127.0.0.1:1"}, 403, id="another port", marks=pytest.mark.matrix(102)),
    pytest.param(GET, {"host": "evil.example"}, 403, id="two hosts", marks=pytest.mark.matrix(102)),
    pytest.param(GET, {"Origin": "null"}, 403, id="a page", marks=pytest.mark.matrix(103)),
    pytest.param(GET, {"Sec_Fetch_Site": "none"}, 403, id="typed in", marks=pytest.mark.matrix(103)),
    pytest.param(GET, {"sec_fetch_mode": "cors"}, 403, id="fetched", marks=pytest.mark.matrix(103)),
    pytest.param("HEAD /credentials HTTP/1.1", {}, 405, id="HEAD", marks=pytest.mark.matrix(103)),
    pytest.param("POST /credentials HTTP/1.1", {}, 405, id="POST", marks=pytest.mark.matrix(103)),
    pytest.param("OPTIONS /credentials HTTP/1.1", {}, 405, id="OPTIONS", marks=pytest.mark.matrix(103)),
    pytest.param("get /credentials HTTP/1.1", {}, 405, id="a method of no name"),
    pytest.param("GET / HTTP/1.1", {}, 404, id="root"),
    pytest.param("GET /credentials/ HTTP/1.1", {}, 404, id="longer path"),
    pytest.param("GET /credentials?role=admin HTTP/1.1", {}, 404, id="query"),
    pytest.param("GET /role-arn/arn:aws:iam::1:role/admin HTTP/1.1", {}, 404, id="another role"),
    pytest.param(GET, {"X_Filling": "x" * 9000}, 431, id="too much", marks=pytest.mark.matrix(104)),
    pytest.param("GET /credentials HTTP/2.0", {}, 400, id="another HTTP", marks=pytest.mark.matrix(104)),
    pytest.param("GET /credentials", {}, 400, id="no version", marks=pytest.mark.matrix(104)),
    pytest.param("GET  /credentials HTTP/1.1", {}, 400, id="a blank too many", marks=pytest.mark.matrix(104)),
    pytest.param(GET, {"X ": "y"}, 400, id="a blank in a name", marks=pytest.mark.matrix(104)),
    pytest.param(GET, {"": "y"}, 400, id="no name", marks=pytest.mark.matrix(104)),
    pytest.param(GET, {"X": "y\r\n folded"}, 400, id="a folded line", marks=pytest.mark.matrix(104)),
    pytest.param(GET, {"X": "y\nZ: z"}, 400, id="half a line end", marks=pytest.mark.matrix(104)),
    pytest.param(GET, {"X": "\0"}, 400, id="a control character", marks=pytest.mark.matrix(104)),
]


@pytest.mark.parametrize(("line", "changes", "status"), REFUSED)
def test_anything_else_is_refused_without_a_secret_or_a_word_to_browsers(
    line: str, changes: dict[str, str | None], status: int, served: Served
) -> None:
    response = served.ask(served.request(line, **changes))

    assert response.status == status
    assert response.document.keys() == {"code", "message"}
    assert not [name for name in response.headers if name.startswith("access-control-")]
    assert TOKEN.encode() not in response.body


@pytest.mark.matrix(104)
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET /credentials\r\n", id="HTTP/0.9"),
        pytest.param(b"GET /credentials\n", id="HTTP/0.9 by hand"),
        pytest.param(b"\r\n", id="an empty line"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01", id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
    ],
)
def test_what_cannot_become_a_request_is_refused_without_waiting_for_more(
    sent: bytes, served: Served
) -> None:
    assert served.ask(sent).status == 400
    assert served.clock.now == Clock().now


@pytest.mark.matrix(104)
def test_a_line_without_an_end_is_refused_when_it_is_too_long(served: Served) -> None:
    assert served.ask(b"G" * 1_000_000).status == 431


def test_a_request_that_is_cut_off_is_refused(served: Served) -> None:
    with served.client(served.request()[:-1]) as client:
        client.shutdown(socket.SHUT_WR)

        assert Response(served.hear(client)).status == 400


def test_a_request_may_come_in_pieces(served: Served) -> None:
    with served.client() as client:
        for byte in served.request():
            client.send(bytes((byte,)))
            served.turn()

        assert Response(served.hear(client)).status == 200


def test_a_client_that_sends_more_than_its_request_hears_the_whole_answer(served: Served) -> None:
    long = Answer(200, error_document("Long", "x" * 60_000))
    served.answers.append(long)

    response = served.ask(served.request() + b"more" * 100_000)

    assert response.body.decode() == long.document


def test_an_answer_that_the_connection_cannot_hold_waits_for_a_slow_client(served: Served) -> None:
    long = Answer(200, error_document("Long", "x" * 8_000_000))
    served.answers.append(long)
    with served.client(served.request()) as client:
        served.settle()
        assert served.turn() == 0

        assert Response(served.hear(client)).body.decode() == long.document


@pytest.mark.matrix(104)
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="silent"),
        pytest.param(b"GET /credentials HTTP/1.1\r\nX-Slow: ", id="slow loris"),
        pytest.param(b"POST / HTTP/1.1\r\n\r\n", id="answered, and does not hang up"),
    ],
)
def test_a_client_that_stays_is_dropped_after_seconds(sent: bytes, served: Served) -> None:
    with served.client(sent) as client:
        served.settle()
        assert served.endpoint.seconds_to_deadline() == 5

        served.clock.advance(4)
        served.turn()
        assert served.endpoint.seconds_to_deadline() == 1

        served.clock.advance(1)
        assert served.endpoint.seconds_to_deadline() == 0
        served.hear(client)
        assert served.endpoint.seconds_to_deadline() is None


def test_the_loop_may_sleep_when_the_last_client_has_hung_up(served: Served) -> None:
    served.ask(served.request())
    served.settle()

    assert served.endpoint.seconds_to_deadline() is None
    assert len(served.selector.get_map()) == 1


@pytest.mark.parametrize(
    "sent", [pytest.param(b"", id="at once"), pytest.param(b"GET / HTTP/1.1\r\n", id="in a request")]
)
def test_a_client_that_resets_its_connection_is_forgotten(sent: bytes, served: Served) -> None:
    with served.client(sent) as client:
        served.turn(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
    served.settle()

    assert served.endpoint.seconds_to_deadline() is None


def test_a_client_whom_somebody_else_has_accepted_is_no_failure(served: Served) -> None:
    with served.client():
        [(listener, _)] = served.selector.select(1)
        listener.data()
        listener.data()

        assert served.endpoint.seconds_to_deadline() == 5


@pytest.mark.matrix(104)
def test_a_thousand_idle_clients_take_few_descriptors_and_keep_nobody_out(served: Served) -> None:
    with ExitStack() as latest:
        for _ in range(10):
            earlier = latest.pop_all()
            for _ in range(100):
                latest.enter_context(served.client(b"GET "))
                served.turn()
            earlier.close()
        served.settle()

        assert len(served.selector.get_map()) == 1 + 64
        assert served.ask(served.request()).status == 200


@pytest.mark.matrix(104)
def test_a_crowd_of_honest_clients_is_served_to_the_last(served: Served) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(served.client(served.request())) for _ in range(100)]
        served.settle()

        assert [Response(served.hear(client)).status for client in crowd] == [200] * 100


@pytest.mark.matrix(104)
def test_without_a_free_descriptor_clients_wait_and_the_loop_sleeps(served: Served) -> None:
    with served.client(served.request()) as client:
        with no_descriptor_left():
            assert served.turn(1) == 1
            assert served.turn() == 0
            assert served.endpoint.seconds_to_deadline() == 0.25
            served.clock.advance(0.25)
            served.turn()
            assert served.turn() == 1  # tried again, in vain
            assert served.turn() == 0
        served.clock.advance(0.25)

        assert Response(served.hear(client)).status == 200


class FullSelector(selectors.SelectSelector):
    """A selector with room for the listener alone, as under the kernel's limit on watches."""

    def register(self, fileobj: object, events: int, data: object = None) -> selectors.SelectorKey:
        if self.get_map():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().register(fileobj, events, data)  # type: ignore[arg-type]


def test_a_client_that_cannot_be_watched_is_hung_up_on() -> None:
    with serving(FullSelector()) as served, served.client() as client:
        assert served.hear(client) == b""
        assert served.endpoint.seconds_to_deadline() == 0.25


def test_closing_ends_everything_even_in_the_middle_of_a_turn() -> None:
    with selectors.DefaultSelector() as selector:
        served = Served(selector, Clock())
        with served.client() as client, served.client():
            served.turn(1)
            client.shutdown(socket.SHUT_WR)
            ready = selector.select(1)
            served.endpoint.close()
            for key, _ in ready:
                key.data()

            assert len(ready) == 2
            assert client.recv(1) == b""
        assert not selector.get_map()
        assert served.endpoint.seconds_to_deadline() is None


@given(st.lists(st.binary(max_size=200), max_size=4))
@example([b"GET /credentials HTTP/1.1\r\n: \r\n\r\n"])
@example([b"GET /credentials HTTP/1.1\r", b"\n\r", b"\n"])
def test_no_bytes_whatever_make_it_raise_or_give_the_session_away(pieces: list[bytes]) -> None:  # matrix 104
    with serving() as served:
        with served.client() as client:
            for piece in pieces:
                with suppress(ConnectionError):
                    client.sendall(piece)
                served.turn()
            with suppress(OSError):
                client.shutdown(socket.SHUT_WR)
            heard = served.hear(client)

        assert Response(heard).status in {400, 403}
        assert b"secret-0001" not in heard


@given(st.data())
def test_a_good_request_with_one_byte_changed_is_answered_in_one_way_or_another(data: st.DataObject) -> None:
    with serving() as served:
        request = bytearray(served.request())
        request[data.draw(st.integers(0, len(request) - 1))] = data.draw(st.integers(0, 255))
        with served.client(bytes(request)) as client:
            client.shutdown(socket.SHUT_WR)

            assert Response(served.hear(client)).status in {200, 400, 403, 404, 405}


def test_no_secret_is_printed_by_accident(served: Served) -> None:
    with served.client(served.request()[:-2]):
        served.settle()
        printed = repr([served.endpoint, *served.selector.get_map().values(), SESSION])

    assert "secret-0001" not in printed
    assert TOKEN not in printed


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(len(bytes.fromhex(token)) == 32 for token in tokens)


def test_it_listens_on_loopback_alone_and_for_this_process_alone() -> None:
    with bind() as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert not listener.get_inheritable()
        assert not listener.getblocking()


def test_a_socket_that_was_handed_over_is_served_with_who_already_waits() -> None:
    bound = bind()
    with socket.create_connection(bound.getsockname(), timeout=PATIENCE_SECONDS) as client:
        os.set_inheritable(bound.fileno(), True)
        url = url_of(bound)
        listener = adopt(bound.detach())
        assert not listener.get_inheritable()
        with selectors.DefaultSelector() as selector:
            endpoint = Endpoint(selector, listener, TOKEN, lambda: SESSION)
            for key, _ in selector.select(PATIENCE_SECONDS):
                key.data()
            assert len(selector.get_map()) == 2
            assert endpoint.url == url
            endpoint.close()
        assert client.recv(1) == b""


def failing(times: int) -> Callable[[], socket.socket]:
    errors = [OSError(errno.EADDRINUSE, "Address already in use")] * times

    def listen() -> socket.socket:
        if errors:
            raise errors.pop()
        return bind()

    return listen


@pytest.mark.matrix(107)
def test_a_port_that_was_taken_in_between_is_no_failure() -> None:
    with bind(listen=failing(2)) as listener:
        assert listener.getsockname()[1]


@pytest.mark.matrix(107)
def test_where_no_port_can_be_had_it_says_so() -> None:
    with pytest.raises(SystemRefused, match=r"on 127\.0\.0\.1: Address already in use") as refused:
        bind(listen=failing(3))

    assert "--refresh" in (refused.value.hint or "")


@pytest.mark.matrix(108)
def test_where_loopback_is_down_it_says_so_instead_of_listening_in_vain() -> None:
    alone = ("unshare", "-rn")
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("there is no unshare, or this machine allows no namespaces of one's own")
    script = "from gds_exec.refresher.endpoint import bind; bind()"

    done = subprocess.run(
        [*alone, sys.executable, "-c", script], stderr=subprocess.PIPE, timeout=60, check=False
    )

    assert b"SystemRefused: nothing can be served on 127.0.0.1: Network is unreachable" in done.stderr


@contextmanager
def turning(served: Served) -> Iterator[dict[str, str]]:
    """Turn the loop in a thread; yield the variables with which an SDK finds the endpoint."""
    is_over = threading.Event()

    def loop() -> None:
        while not is_over.is_set():
            served.turn(0.02)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": served.endpoint.url,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": TOKEN,
        }
    finally:
        is_over.set()
        thread.join()


def test_botocore_fetches_the_session_and_when_it_expires(served: Served) -> None:
    session = a_session(life=10**9)
    served.answers.append(Answer(200, endpoint_document(session, role_arn="arn:aws:iam::1:role/admin")))
    with turning(served) as environ:
        credentials = ContainerProvider(environ=environ).load()

        assert credentials.get_frozen_credentials() == ("ASIAEXAMPLE0001", "secret-0001", "token-0001", None)
        assert credentials._expiry_time.timestamp() == session.expiration


def test_botocore_shows_the_reason_where_nothing_is_valid(served: Served) -> None:
    served.answers.append(NOTHING_VALID)
    impatient = ContainerMetadataFetcher(sleep=lambda _seconds: None)
    with turning(served) as environ:
        provider = ContainerProvider(environ=environ, fetcher=impatient)

        with pytest.raises(
            CredentialRetrievalError, match=r"response 503 .*run gds-exec renew in any terminal"
        ):
            provider.load()


def test_nothing_dear_stays_in_memory_for_it() -> None:
    loaded = run_python(
        "import sys; old = {*sys.modules}; import gds_exec.refresher.endpoint; print(*{*sys.modules} - old)"
    ).split()

    assert "gds_exec.refresher.endpoint" in loaded
    assert not {"_hashlib", "dataclasses", "http", "json", "logging", "re", "ssl", "typing"}.intersection(
        loaded
    )
