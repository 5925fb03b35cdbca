"""`credential-process` served warm, as a process of its own: it prints a document, or comes back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gds_exec.session import put_off_name
from gds_exec.warm_document import document_of
from tests.cached import write_cached
from tests.fakes import NOON, a_session
from tests.processes import run_python
from tests.unit.test_warm import DECLINED, Home

SERVE = """
import sys
from gds_exec.invocation import read_plainly
from gds_exec.warm_document import serve_document
environ = dict(pair.split("=", 1) for pair in sys.argv[1].split("\\n"))
invocation = read_plainly(sys.argv[2:], environ)
if invocation is None or not serve_document(invocation, environ):
    print("declined")
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def printed(home: Home, *arguments: str, **environ: str) -> str:
    pairs = "\n".join(f"{name}={value}" for name, value in {**home.environ, **environ}.items())
    return run_python(SERVE, pairs, "credential-process", *(arguments or ("admin",)))


def is_served(home: Home, *arguments: str, **environ: str) -> bool:
    text = printed(home, *arguments, **environ)
    return text != DECLINED and json.loads(text)["AccessKeyId"] == "ASIAEXAMPLE0001"


def test_a_cached_session_is_printed_as_one_line_of_json(home: Home) -> None:
    text = printed(home)

    document = json.loads(text)
    assert text.count("\n") == 1
    assert document.keys() == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert (document["SecretAccessKey"], document["SessionToken"]) == ("secret-0001", "token-0001")


@pytest.mark.parametrize(
    ("life", "expiration"),
    [
        pytest.param(3600, "2026-01-09T12:59:00Z", id="a minute early"),
        pytest.param(900, "2026-01-09T12:14:00Z", id="also of 15 min"),
        pytest.param(150, "2026-01-09T12:02:20Z", id="a fifteenth of a short life"),
    ],
)
def test_it_is_said_to_end_a_little_before_it_does(life: int, expiration: str) -> None:
    assert json.loads(document_of(a_session(issued=NOON, life=life)))["Expiration"] == expiration


@pytest.mark.parametrize(
    ("left", "life", "is_enough"),
    [
        pytest.param(930, 3600, True, id="more than a quarter of an hour"),
        pytest.param(890, 3600, False, id="due"),
        pytest.param(-1, 3600, False, id="ended"),
        pytest.param(250, 900, True, id="more than a quarter of a short life"),
        pytest.param(200, 900, False, id="less than that"),
        pytest.param(4000, 3600, False, id="from the future"),
    ],
)
def test_only_what_need_not_be_renewed_is_served(home: Home, left: int, life: int, is_enough: bool) -> None:
    home.keep(home.session(left=left, life=life))

    assert is_served(home) is is_enough


@pytest.mark.parametrize(
    ("left", "put_off_seconds", "is_enough"),
    [
        pytest.param(200, 60, True, id="put off"),
        pytest.param(200, -1, False, id="no longer put off"),
        pytest.param(-1, 60, False, id="ended meanwhile"),
        pytest.param(4000, 60, False, id="from the future"),
    ],
)
def test_what_has_been_put_off_is_served_as_long_as_aws_takes_it(
    home: Home, left: int, put_off_seconds: int, is_enough: bool
) -> None:
    home.keep(home.session(left=left))
    write_cached(home.cache / put_off_name("key"), f"{int(time.time()) + put_off_seconds}\n")

    assert is_served(home) is is_enough


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("admin", "--refresh"), id="which has no meaning for a document"),
        pytest.param(("--no-input", "admin"), id="no input"),
        pytest.param(("admin", "--wait", "5m"), id="wait"),
        pytest.param(("--role", "admin"), id="--role"),
        pytest.param(("admin", "--region", "eu-west-1"), id="region"),
    ],
)
def test_what_does_not_matter_to_the_session_is_served(home: Home, arguments: tuple[str, ...]) -> None:
    assert is_served(home, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("other",),
        ("admin", "--duration", "2h"),
        ("admin", "--mfa-max-age", "15m"),
        ("admin", "--new-session"),
        ("admin", "--mfa-code", "123456"),
        ("admin", "ls"),
        ("admin", "--", "ls"),
        ("admin", "-s"),
        ("--help",),
        ("--role",),
    ],
    ids=" ".join,
)
def test_another_request_is_declined(home: Home, arguments: tuple[str, ...]) -> None:
    assert printed(home, *arguments) == DECLINED


def test_whoever_is_run_by_a_credential_process_of_ours_is_declined(home: Home) -> None:
    assert printed(home, GDS_EXEC_CREDENTIAL_PROCESS="another") == DECLINED


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda home: home.config.touch(), id="a file that may have changed"),
        pytest.param(lambda home: (home.cache / "key.session2").unlink(), id="no session"),
        pytest.param(lambda home: home.cache.chmod(0o750), id="a cache that others can enter"),
    ],
)
def test_what_is_not_certain_is_declined(home: Home, spoil: Callable[[Home], object]) -> None:
    spoil(home)

    assert printed(home) == DECLINED
