"""The loop with a real endpoint and real renewals, in a home where AWS is never reached."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from gds_exec.child.lookup import installed_program
from gds_exec.options import REFRESH_WORKER
from gds_exec.refresher.endpoint import bind
from gds_exec.refresher.handoff import Handoff
from gds_exec.refresher.loop import RefreshLoop
from gds_exec.session import SessionCredentials, file_name, serialise
from tests.cached import write_cached
from tests.fakes import Said, a_session

TOKEN = "0123abcd" * 8
PROGRAM = installed_program()
PATIENCE_SECONDS = 30
ARN = "arn:aws:sts::222222222222:assumed-role/admin/alice"
CONFIG = """
[profile admin]
role_arn = arn:aws:iam::222222222222:role/admin
source_profile = base
mfa_serial = arn:aws:iam::111111111111:mfa/alice
"""
CREDENTIALS = """
[base]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = a-secret
"""


class Kept:
    """A session with so many seconds left that is kept for a command, and its user's home."""

    def __init__(self, home: Path, *, left: int, config: str = CONFIG, program: str = PROGRAM) -> None:
        self.cache = home / "cache"
        self.cache.mkdir(0o700)
        for name, text in (("config", config), ("credentials", CREDENTIALS)):
            (home / name).touch(0o600)
            (home / name).write_text(text)
        self.said = Said()
        self._others = psutil.Process().children()  # which other tests may have left, as zombies too
        self._is_closed = False
        listener = bind()
        self._address = listener.getsockname()
        self.keeping = RefreshLoop(
            Handoff(session(left=left), "admin", "key", str(self.cache), ("--role=admin",), program),
            {
                "AWS_CONFIG_FILE": str(home / "config"),
                "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
                "GDS_EXEC_CACHE_DIR": str(home),
                "GDS_EXEC_DURATION": "no duration, which would fail a renewal that had it",
                "HOME": str(home),
                "PATH": os.environ["PATH"],
            },
            listener=listener,
            token=TOKEN,
            say=self.said,
        )

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.keeping.close()

    def turn_until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.said.text
            self.keeping.turn(longest_seconds=0.05)

    def renewals(self) -> list[psutil.Process]:
        """Return the renewals that run, or that have ended and were not waited for."""
        begun = [child for child in psutil.Process().children() if child not in self._others]
        return [child for child in begun if is_renewal(child)]

    def answered(self) -> str:
        """Return what a client of the endpoint is answered."""
        heard = bytearray()

        def hear() -> bool:
            try:
                piece = client.recv(65_536)
            except BlockingIOError:
                return False
            heard.extend(piece)
            return not piece

        with socket.create_connection(self._address, timeout=PATIENCE_SECONDS) as client:
            host = f"127.0.0.1:{self._address[1]}"
            client.sendall(
                f"GET /credentials HTTP/1.1\r\nHost: {host}\r\nAuthorization: {TOKEN}\r\n\r\n".encode()
            )
            client.settimeout(0)
            self.turn_until(hear)
        return heard.decode()


def session(*, left: int, mark: str = "0001") -> SessionCredentials:
    return a_session(mark, issued=int(time.time()) + left - 3600, arn=ARN)


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Callable[..., Kept]]:
    kept: list[Kept] = []

    def begin(**how: object) -> Kept:
        kept.append(Kept(tmp_path, **how))  # type: ignore[arg-type]
        return kept[-1]

    yield begin
    for each in kept:
        each.close()


def is_renewal(process: psutil.Process) -> bool:
    return process.status() == psutil.STATUS_ZOMBIE or REFRESH_WORKER in process.cmdline()


def test_the_session_is_served(keep: Callable[..., Kept]) -> None:
    kept = keep(left=3600)

    answer = kept.answered()

    assert answer.startswith("HTTP/1.1 200 ")
    assert '"Token": "token-0001"' in answer
    assert kept.keeping.url == f"http://127.0.0.1:{kept._address[1]}/credentials"
    assert kept.renewals() == []


def test_a_session_that_another_process_renewed_is_served(keep: Callable[..., Kept]) -> None:
    kept = keep(left=60)
    path = kept.cache / file_name("key")
    write_cached(path, serialise(session(left=3600, mark="0002")))

    assert '"Token": "token-0002"' in kept.answered()
    assert kept.renewals() == []


def test_where_only_a_person_can_help_and_none_can_be_asked_it_is_told_what_to_do(
    keep: Callable[..., Kept],
) -> None:
    kept = keep(left=250)

    kept.turn_until(lambda: kept.said.lines)

    (line,) = kept.said.lines
    assert line.startswith("the session of admin ends in 4 min: an MFA code is needed: gds-exec renew admin")
    assert '"Token": "token-0001"' in kept.answered()


def test_a_renewal_that_fails_is_told_in_its_own_words(keep: Callable[..., Kept]) -> None:
    kept = keep(left=600, config="")

    kept.turn_until(lambda: kept.said.lines)

    (line,) = kept.said.lines
    assert line.startswith("the session of admin ends in 9 min: no profile is named")
    assert not line.endswith("]")
    assert "hint" not in line


def answers_with_another_version(path: Path) -> None:
    """Call gds-exec as a refresher of another version does."""
    path.write_text(f'#!/bin/sh\nshift 2\nexec "{PROGRAM}" {REFRESH_WORKER} 999 "$@"\n')


def does_not_know_the_subcommand(path: Path) -> None:
    """Take the subcommand for a role and its version for a command, as older versions do."""
    path.write_text(f'#!/bin/sh\nexec "{PROGRAM}" admin -- no-such-command-999 "$@"\n')


def prints_nothing_that_we_know(path: Path) -> None:
    path.write_text("#!/bin/sh\necho 'gds-exec session 999'\n")


def is_not_there(path: Path) -> None:
    """Leave it missing."""


def cannot_be_run(path: Path) -> None:
    path.mkdir()


UPGRADED = "gds-exec was upgraded while this command ran"


@pytest.mark.parametrize(
    ("lay", "reason"),
    [
        (answers_with_another_version, UPGRADED),
        (does_not_know_the_subcommand, UPGRADED),
        (prints_nothing_that_we_know, UPGRADED),
        (is_not_there, "{} cannot be started: No such file or directory"),
        (cannot_be_run, "{} cannot be started: Permission denied"),
    ],
)
def test_a_session_that_another_gds_exec_cannot_renew_is_served_until_its_end(
    lay: Callable[[Path], None], reason: str, keep: Callable[..., Kept], tmp_path: Path
) -> None:
    program = tmp_path / "gds-exec"
    lay(program)
    if program.is_file():
        program.chmod(0o755)
    kept = keep(left=600, program=str(program))

    kept.turn_until(lambda: kept.said.lines)

    (line,) = kept.said.lines
    assert line.startswith("the session of admin ends in 9 min: ")
    assert line.endswith(reason.format(program))
    assert '"Token": "token-0001"' in kept.answered()


def test_a_session_that_has_ended_is_served_to_nobody_with_the_reason(keep: Callable[..., Kept]) -> None:
    kept = keep(left=-5, config="")
    kept.turn_until(lambda: kept.said.lines)

    answer = kept.answered()

    assert answer.startswith("HTTP/1.1 503 ")
    assert "the session has ended: no profile is named" in answer
    assert "token-0001" not in answer


def test_a_renewal_that_is_in_flight_ends_with_the_command(keep: Callable[..., Kept]) -> None:
    kept = keep(left=600)
    kept.turn_until(kept.renewals)

    kept.close()

    assert kept.renewals() == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(kept._address, timeout=PATIENCE_SECONDS)
