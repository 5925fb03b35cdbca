import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gds_exec.credentials.cache import DeviceMemory, SessionCache, open_cache
from gds_exec.session import AccessKey, SessionCredentials, file_name, with_checksum
from tests.cached import cached_text, write_cached
from tests.fakes import NOON, Said, a_session, never
from tests.processes import run_python, strace

KEY = "0123abcd"

KEEP = """
import sys
from gds_exec.credentials.cache import open_cache
from tests.fakes import Clock, a_session
cache = open_cache(sys.argv[1], warn=print)
cache.keep("0123abcd", a_session())
"""


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SessionCache]:
    cache = open_cache(str(tmp_path), warn=never)
    yield cache
    assert cache.directory is not None
    os.close(cache.directory)


def key_id(session: SessionCredentials | None) -> str | None:
    return session and session.access_key.access_key_id


def test_what_is_kept_is_found_by_the_next_process(tmp_path: Path) -> None:
    run_python(KEEP, tmp_path)

    assert key_id(open_cache(str(tmp_path), warn=never).find(KEY)) == key_id(a_session())


def test_what_is_kept_replaces_what_was_there(cache: SessionCache) -> None:
    cache.keep(KEY, a_session("0001"))
    cache.keep(KEY, a_session("0002"))

    assert key_id(cache.find(KEY)) == key_id(a_session("0002"))


def test_a_broken_file_is_replaced(cache: SessionCache, tmp_path: Path) -> None:
    (tmp_path / file_name(KEY)).write_bytes(b"\xff")
    assert cache.find(KEY) is None

    cache.keep(KEY, a_session())

    assert key_id(cache.find(KEY)) == key_id(a_session())


def test_one_request_never_finds_the_session_of_another(cache: SessionCache) -> None:
    cache.keep(KEY, a_session())

    assert cache.find("another") is None


def test_a_dropped_session_is_gone_and_may_be_dropped_again(cache: SessionCache) -> None:
    cache.keep(KEY, a_session())

    cache.drop(KEY)
    cache.drop(KEY)

    assert cache.find(KEY) is None


def test_the_step_of_the_last_code_is_remembered_for_each_device(cache: SessionCache) -> None:
    one, other = DeviceMemory(cache, "one"), DeviceMemory(cache, "other")
    assert one.spent_step() is None

    one.spend_step(5)
    one.spend_step(6)
    other.spend_step(7)

    assert (one.spent_step(), other.spent_step()) == (6, 7)


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "1" * 12, "٣"])
def test_a_step_that_is_no_number_is_forgotten(cache: SessionCache, tmp_path: Path, text: str) -> None:
    DeviceMemory(cache, "one").spend_step(5)
    (path,) = tmp_path.glob("one*")
    write_cached(path, text)

    assert DeviceMemory(cache, "one").spent_step() is None


def test_a_code_itself_is_written_nowhere(cache: SessionCache, tmp_path: Path) -> None:
    DeviceMemory(cache, "one").spend_step(NOON // 30)

    assert [cached_text(path) for path in tmp_path.iterdir()] == [f"{NOON // 30}\n"]


def test_without_a_home_nothing_is_kept_and_one_warning_says_so() -> None:  # matrix 32
    said = Said()
    cache = open_cache(None, warn=said)

    cache.keep(KEY, a_session())
    cache.spend_step("one", 5)
    cache.drop(KEY)

    assert (cache.find(KEY), cache.spent_step("one")) == (None, None)
    assert said.lines == ["there is no home directory: sessions are not cached"]


def test_a_directory_that_is_not_ours_alone_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target").chmod(0o755)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    said = Said()

    assert open_cache(str(tmp_path / "link"), warn=said).directory is None
    assert (
        said.text == f"sessions are not cached: {tmp_path}/link is a link to a directory that others can read"
    )


def test_a_path_that_can_be_no_directory_is_named(tmp_path: Path) -> None:  # matrix 30
    path = tmp_path / "file"
    path.write_text("")
    said = Said()

    assert open_cache(str(path), warn=said).directory is None
    assert said.text == f"sessions are not cached: {path}: Not a directory"


def test_a_session_that_no_file_can_hold_costs_a_warning(tmp_path: Path) -> None:
    said = Said()
    cache = open_cache(str(tmp_path), warn=said)
    two_lines = SessionCredentials(AccessKey("id", "secret", "to\nken"), issued=1, expiration=2)

    cache.keep(KEY, two_lines)

    assert said.text == "this session is not cached: AWS gave a session of more than one line"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "session",
    [
        pytest.param(SessionCredentials.long_lived(AccessKey("id", "secret"), now=1), id="no end"),
        pytest.param(
            SessionCredentials(AccessKey("id", "secret", "token"), issued=1, expiration=10**11),
            id="no near end",
        ),
        pytest.param(a_session(life=200_000), id="longer than any of AWS's"),
        pytest.param(a_session(clock_offset=10**6), id="a clock that is weeks off"),
        pytest.param(
            SessionCredentials(AccessKey("id", "secret", "t" * 70_000), issued=1, expiration=2),
            id="a long token",
        ),
        pytest.param(
            SessionCredentials(AccessKey("id", "secret", "tok\u00e9n"), issued=1, expiration=2),
            id="not ASCII",
        ),
        pytest.param(
            SessionCredentials(AccessKey("id", "", "token"), issued=1, expiration=2), id="no secret"
        ),
    ],
)
def test_a_session_that_cannot_be_read_back_gives_a_warning(
    tmp_path: Path, session: SessionCredentials
) -> None:
    said = Said()
    cache = open_cache(str(tmp_path), warn=said)

    cache.keep(KEY, session)

    [line] = said.lines
    assert line.startswith("this session is not cached: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "session",
    [
        pytest.param(a_session(), id="an hour"),
        pytest.param(a_session(life=129_600), id="36 h"),
        pytest.param(a_session(clock_offset=-900), id="a clock that is ahead"),
        pytest.param(
            SessionCredentials(AccessKey("id", "secret", "t" * 32_000), issued=1, expiration=2),
            id="a long token",
        ),
    ],
)
def test_a_session_that_can_be_read_back_is_cached_silently(
    cache: SessionCache, session: SessionCredentials
) -> None:
    cache.keep(KEY, session, about="a-role\n\u00e9")

    found = cache.find(KEY)
    assert found is not None
    assert found.access_key.session_token == session.access_key.session_token
    assert (found.issued, found.expiration) == (session.issued, session.expiration)


def no_bytes_in_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_full_disk_costs_one_warning_and_leaves_nothing(tmp_path: Path) -> None:  # matrix 28
    said = run_python(KEEP, tmp_path, preexec=no_bytes_in_files)

    assert said == "this session is not cached: File too large\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        pytest.param("fsync", "EIO", "Input/output error", id="fsync"),
        pytest.param("rename,renameat,renameat2", "ENOSPC", "No space left on device", id="rename"),
        pytest.param("fchmod", "EROFS", "Read-only file system", id="read-only"),
    ],
)
def test_a_fault_of_the_disk_costs_one_warning_and_no_file_is_half(  # matrix 31
    tmp_path: Path, call: str, error: str, words: str
) -> None:
    run_python(KEEP, tmp_path)
    before = (tmp_path / file_name(KEY)).read_bytes()

    said = run_python(KEEP, tmp_path, under=strace("-o", "/dev/null", "-e", f"inject={call}:error={error}"))

    assert words in said
    assert said.count("\n") == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {file_name(KEY): before}


def test_a_directory_that_holds_other_things_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)

    open_cache(str(tmp_path / "gds-exec"), warn=never)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


def test_the_device_that_opened_a_role_is_remembered(tmp_path: Path) -> None:
    cache = open_cache(str(tmp_path / "cache"), warn=never)
    assert cache.device_of("key") is None

    cache.keep_device("key", "arn:aws:iam::111111111111:mfa/alice")

    assert cache.device_of("key") == "arn:aws:iam::111111111111:mfa/alice"


def test_a_renewal_is_put_off_for_every_process(cache: SessionCache, tmp_path: Path) -> None:
    cache.put_off(KEY, NOON + 0.9)
    cache.put_off(KEY, NOON + 30.9)

    assert open_cache(str(tmp_path), warn=never).put_off_until(KEY) == NOON + 30
    assert cache.put_off_until("another") == 0


def test_where_nothing_is_kept_nothing_is_put_off() -> None:
    cache = SessionCache(None, warn=never)

    cache.put_off(KEY, NOON)

    assert cache.put_off_until(KEY) == 0


def test_a_shortcut_is_rewritten_only_if_it_says_something_new(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "name.shortcut2"
    cache = open_cache(str(tmp_path / "cache"), warn=never)
    cache.keep_shortcut(path.name, "this way\n")
    inode = path.stat().st_ino
    cache.keep_shortcut(path.name, "this way\n")
    assert path.stat().st_ino == inode

    cache.keep_shortcut(path.name, "that way\n")

    assert path.read_text() == with_checksum("that way\n")


def test_a_shortcut_that_cannot_be_kept_costs_not_a_word(tmp_path: Path) -> None:
    cache = open_cache(str(tmp_path / "cache"), warn=never)
    (tmp_path / "cache" / "name.shortcut2").mkdir()

    cache.keep_shortcut("name.shortcut2", "this way")
    SessionCache(None, warn=never).keep_shortcut("name.shortcut2", "this way")

    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["name.shortcut2"]
