import os
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from gds_exec.child.redirect_page import RedirectPage, owner_of_connection

SECRET_URL = "https://signin.example/federation?SigninToken=a-secret"
# As Linux tells of connections; the addresses are those of a little-endian machine.
ROW = "   1: {local} {remote} 01 00000000:00000000 00:00000000 00000000  {uid}        0 12345 1\n"
HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


class Visit:
    """Served visitors: what each was answered, and whether one was led on."""

    def __init__(self, page: RedirectPage, *requests: tuple[str, str]) -> None:
        self.answers: list[tuple[int, str | None]] = []
        with page:
            visitors = threading.Thread(target=self._visit, args=(page, requests))
            visitors.start()
            self.is_led_on = page.lead_on(within_seconds=20, is_hopeless=lambda: not visitors.is_alive())
            visitors.join()

    def _visit(self, page: RedirectPage, requests: tuple[tuple[str, str], ...]) -> None:
        for method, path in requests:
            with socket.create_connection(("127.0.0.1", page.port), timeout=5) as connection:
                connection.sendall(f"{method} {path} HTTP/1.0\r\n\r\n".encode())
                self.answers.append(read_answer(connection))


def read_answer(connection: socket.socket) -> tuple[int, str | None]:
    """Return the status, and where the answer leads."""
    head = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    lines = head.splitlines()
    locations = [line.partition(": ")[2] for line in lines if line.startswith("Location: ")]
    return int(lines[0].split()[1]), (locations or [None])[0]


def test_whoever_knows_the_page_is_led_on() -> None:
    page = RedirectPage(SECRET_URL)

    visit = Visit(page, ("GET", page.path))

    assert visit.is_led_on
    assert visit.answers == [(302, SECRET_URL)]


def test_the_page_s_own_address_says_nothing() -> None:
    with RedirectPage(SECRET_URL) as page, RedirectPage(SECRET_URL) as other:
        assert "a-secret" not in page.url
        assert page.path != other.path
        assert len(page.path) > 40


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/favicon.ico"), ("GET", "/é"), ("POST", "{page}"), ("HEAD", "{page}")],
)
def test_nobody_else_is_led_on_and_the_page_waits(method: str, path: str) -> None:
    page = RedirectPage(SECRET_URL)

    visit = Visit(page, (method, path.format(page=page.path)), ("GET", page.path))

    assert visit.answers[0][0] in (404, 501)
    assert visit.answers[0][1] is None
    assert visit.is_led_on


def test_the_page_leads_on_once() -> None:
    with RedirectPage(SECRET_URL) as page, ExitStack() as stack:
        visitors = [socket.create_connection(("127.0.0.1", page.port), timeout=5) for _ in range(2)]
        for visitor in map(stack.enter_context, visitors):
            visitor.sendall(f"GET {page.path} HTTP/1.0\r\n\r\n".encode())
        for _ in visitors:
            page.handle_request()

        answers = sorted(read_answer(visitor)[0] for visitor in visitors)

    assert answers == [302, 404]


@pytest.mark.parametrize(
    ("owner", "status"),
    [
        pytest.param(lambda *_, **__: os.geteuid() + 1, 403, id="another user"),
        pytest.param(lambda *_, **__: os.geteuid(), 302, id="the same user"),
        pytest.param(lambda *_, **__: 0, 302, id="root, from whom nothing is safe"),
        pytest.param(lambda *_, **__: None, 302, id="where it is not told"),
    ],
)
def test_another_user_who_has_read_the_browser_s_command_line_is_not_led_on(
    owner: Callable[..., int | None], status: int
) -> None:
    page = RedirectPage(SECRET_URL, owner=owner)

    visit = Visit(page, ("GET", page.path))

    assert visit.answers[0][0] == status
    assert visit.is_led_on is (status == 302)


def test_nobody_is_waited_for_once_it_is_hopeless() -> None:
    with RedirectPage(SECRET_URL) as page:
        assert not page.lead_on(within_seconds=3600, is_hopeless=lambda: True)


def test_nobody_is_waited_for_for_ever() -> None:
    times = iter([0.0, 1.0, 60.0])
    with RedirectPage(SECRET_URL) as page:
        is_led_on = page.lead_on(within_seconds=60, is_hopeless=lambda: False, clock=lambda: next(times))

    assert not is_led_on


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells whose a connection is")
def test_whose_a_connection_is_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            assert owner_of_connection(client.getsockname()[1], to_port=port) == os.geteuid()


@pytest.mark.parametrize("family", ["0000000000000000FFFF0000", ""], ids=["IPv4 in IPv6", "IPv4"])
def test_the_user_of_exactly_this_connection_is_told(tmp_path: Path, family: str) -> None:
    here = f"{family}{int.from_bytes(socket.inet_aton('127.0.0.1'), 'little'):08X}"
    rows = [(1000, 2000, 41), (2000, 1000, 42), (1000, 2001, 43)]
    table = tmp_path / "tcp"
    table.write_text(
        HEADING
        + "".join(
            ROW.format(local=f"{here}:{a:04X}", remote=f"{here}:{b:04X}", uid=uid) for a, b, uid in rows
        )
    )

    assert owner_of_connection(2000, to_port=1000, tables=["/nowhere", str(table)]) == 42
    assert owner_of_connection(2000, to_port=1001, tables=[str(table)]) is None
