"""Sweeping removes some files at once and some after a day. Others stay."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gds_exec.child.process_info import process_mark
from gds_exec.credentials.leftovers import sweep, sweep_beside, sweep_copies
from gds_exec.credentials.private_directory import open_private_directory
from gds_exec.session import file_name, serialise
from tests.cached import write_cached
from tests.fakes import a_session

DAY = 86_400
NOW = int(time.time())
LONG_LIVED = "[other]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = a-secret\n"
SHORT_LIVED = LONG_LIVED.replace("other", "session") + "aws_session_token = a-token\n"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    path = tmp_path / "cache"
    path.mkdir(0o700)
    return path


@pytest.fixture
def directory(cache: Path) -> Iterator[int]:
    descriptor = open_private_directory(str(cache))
    yield descriptor
    os.close(descriptor)


@pytest.fixture(scope="module")
def dead() -> str:
    """The mark of a process that has ended and was not reaped."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        mark = process_mark(process.pid)
        process.kill()
    return mark


def alive() -> str:
    return process_mark(os.getpid())


def foreign() -> str:
    """The mark of a process of another host, or of another container."""
    pid, place, born = alive().split(".")
    return f"{pid}.{int(place, 16) ^ 1:016x}.{born}"


def put(path: Path, text: str = "secret", *, age_seconds: float = 0) -> Path:
    path.write_text(text)
    os.utime(path, (NOW - age_seconds, NOW - age_seconds))
    return path


OF_A_PROCESS = [".0123.tmp", ".0123.config", ".0123.credentials", ".running3", ".running3.renewed"]


@pytest.mark.parametrize("suffix", OF_A_PROCESS)
def test_what_a_dead_process_left_goes_at_once(
    directory: int, cache: Path, dead: str, suffix: str
) -> None:  # matrix 37
    put(cache / f"{dead}{suffix}")

    sweep(directory, now=NOW)

    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("suffix", OF_A_PROCESS)
def test_what_belongs_to_a_live_process_stays_however_old_it_is(
    directory: int, cache: Path, suffix: str
) -> None:
    path = put(cache / f"{alive()}{suffix}", age_seconds=10 * DAY)

    sweep(directory, now=NOW)

    assert path.exists()


@pytest.mark.parametrize(
    ("name", "age_seconds", "is_kept"),
    [
        pytest.param(f"{foreign()}.0123.tmp", DAY - 60, True, id="of another host, and young"),
        pytest.param(f"{foreign()}.0123.tmp", DAY + 60, False, id="of another host, and old"),
        pytest.param(f"{foreign()}.0123.credentials", DAY + 60, False, id="copy of another host"),
        pytest.param(f"{foreign()}.running3", 10 * DAY, True, id="record of another host"),
        pytest.param("0123.tmp", DAY - 60, True, id="of an older version, and young"),
        pytest.param("0123.tmp", DAY + 60, False, id="of an older version, and old"),
        pytest.param("1-0123.config", DAY + 60, False, id="copy of an older version"),
        pytest.param("0123.shortcut2", DAY - 60, True, id="young shortcut"),
        pytest.param("0123.shortcut2", DAY + 60, False, id="old shortcut"),
        pytest.param("0123.putoff2", DAY + 60, False, id="old delay"),
        pytest.param("0123.shortcut1", DAY + 60, False, id="shortcut of the older format"),
        pytest.param("0123.spent", DAY - 60, True, id="spent step of the older format"),
        pytest.param("12.running1.renewed", DAY + 60, False, id="news of the older format"),
        pytest.param("12.running2", DAY + 60, False, id="record of the older format"),
        pytest.param("0123.session2", DAY + 60, False, id="damaged session"),
        pytest.param("0123.session2", DAY - 60, True, id="young damaged session"),
        pytest.param("0123.session1", DAY + 60, False, id="damaged session of the older format"),
        pytest.param("0123.lock", 10 * DAY, True, id="lock"),
        pytest.param("0123.spent2", 10 * DAY, True, id="spent step"),
        pytest.param("names", 10 * DAY, True, id="names for completion"),
        pytest.param("mine.txt", 10 * DAY, True, id="something else"),
    ],
)
def test_other_files_go_after_a_day_or_stay(
    directory: int, cache: Path, name: str, age_seconds: float, is_kept: bool
) -> None:
    path = put(cache / name, age_seconds=age_seconds)

    sweep(directory, now=NOW)

    assert path.exists() is is_kept


@pytest.mark.parametrize(
    ("ended_seconds_ago", "is_kept"),
    [
        pytest.param(-600, True, id="still good"),
        pytest.param(600, True, id="ended lately"),
        pytest.param(2 * DAY, False, id="ended long ago"),
    ],
)
def test_sessions_that_ended_long_ago_go(
    directory: int, cache: Path, ended_seconds_ago: int, is_kept: bool
) -> None:
    issued = NOW - ended_seconds_ago - 3600
    path = cache / file_name("key")
    write_cached(path, serialise(a_session(issued=issued, life=3600)))
    os.utime(path, (issued, issued))

    sweep(directory, now=NOW)

    assert path.exists() is is_kept


@pytest.mark.parametrize(
    ("ended_seconds_ago", "with_older_format", "is_kept"),
    [
        pytest.param(-600, False, True, id="still good"),
        pytest.param(1, False, False, id="expired"),
        pytest.param(-600, True, False, id="cleared"),
    ],
)
def test_a_session_of_the_older_format_goes_when_it_has_expired_or_is_cleared(
    directory: int, cache: Path, ended_seconds_ago: int, with_older_format: bool, is_kept: bool
) -> None:
    path = cache / "key.session1"
    path.touch(0o600)
    path.write_text(serialise(a_session(issued=NOW - ended_seconds_ago - 3600, life=3600)))

    sweep(directory, now=NOW, with_older_format=with_older_format)

    assert path.exists() is is_kept


@pytest.mark.parametrize(
    ("suffix", "text", "is_told"),
    [
        pytest.param(".0123.credentials", LONG_LIVED, True, id="a long-lived key"),
        pytest.param(".0123.config", LONG_LIVED.upper(), True, id="in capitals"),
        pytest.param(".0123.credentials", SHORT_LIVED, False, id="a session"),
        pytest.param(".0123.credentials", f"{SHORT_LIVED}{LONG_LIVED}", True, id="both"),
        pytest.param(".0123.credentials", "[other]\nregion = x\n", False, id="no key"),
        pytest.param(".0123.tmp", serialise(a_session()), False, id="a session that was being written"),
        pytest.param(".running3", LONG_LIVED, False, id="a record"),
    ],
)
def test_sweeping_says_whether_it_removed_a_long_lived_key(
    directory: int, cache: Path, dead: str, suffix: str, text: str, is_told: bool
) -> None:
    put(cache / f"{dead}{suffix}", text)

    assert sweep(directory, now=NOW) is is_told
    assert sweep(directory, now=NOW) is False


def test_sweeping_does_not_report_a_key_that_stays(directory: int, cache: Path) -> None:
    put(cache / f"{alive()}.0123.credentials", LONG_LIVED)

    assert sweep(directory, now=NOW) is False


def test_a_link_is_removed_and_its_target_is_neither_read_nor_removed(
    directory: int, cache: Path, tmp_path: Path, dead: str
) -> None:
    target = put(tmp_path / "target", LONG_LIVED)
    (cache / f"{dead}.0123.credentials").symlink_to(target)
    os.mkfifo(cache / f"{dead}.4567.credentials")

    assert sweep(directory, now=NOW) is False
    assert list(cache.iterdir()) == []
    assert target.exists()


def test_what_killed_writers_left_beside_a_file_goes(tmp_path: Path, dead: str) -> None:
    mine = put(tmp_path / "credentials", LONG_LIVED)
    others = [
        put(tmp_path / f".credentials.{alive()}.gds-exec.tmp"),
        put(tmp_path / f".config.{dead}.gds-exec.tmp"),
        put(tmp_path / f".credentials.{dead}.swp"),
    ]
    put(tmp_path / f".credentials.{dead}.gds-exec.tmp", LONG_LIVED)

    assert sweep_beside(str(mine), now=NOW) is True
    assert sorted(tmp_path.iterdir()) == sorted([mine, *others])


def test_files_beside_the_target_of_a_link_go(tmp_path: Path, dead: str) -> None:
    (tmp_path / "dots").mkdir()
    target = put(tmp_path / "dots" / "creds", LONG_LIVED)
    (tmp_path / "credentials").symlink_to(target)
    left = put(tmp_path / "dots" / f".creds.{dead}.gds-exec.tmp", LONG_LIVED)

    assert sweep_beside(str(tmp_path / "credentials"), now=NOW) is True
    assert not left.exists()


@pytest.mark.parametrize("path", ["", "/nowhere-at-all/credentials"])
def test_without_a_file_there_is_nothing_beside_it(path: str) -> None:
    assert sweep_beside(path, now=NOW) is False


def test_copies_of_a_dead_process_go_with_their_directory(tmp_path: Path, dead: str) -> None:
    for mark in (dead, alive(), foreign()):
        (tmp_path / f"gds-exec-{mark}.0123").mkdir(0o700)
        put(tmp_path / f"gds-exec-{mark}.0123" / "a.credentials", LONG_LIVED)
    (tmp_path / f"gds-exec-{dead}.link").symlink_to(tmp_path / f"gds-exec-{alive()}.0123")

    assert sweep_copies(str(tmp_path), now=NOW) is True
    left = {path.name for path in tmp_path.iterdir() if not path.is_symlink()}
    assert left == {f"gds-exec-{alive()}.0123", f"gds-exec-{foreign()}.0123"}
    assert (tmp_path / f"gds-exec-{alive()}.0123" / "a.credentials").exists()


@pytest.mark.parametrize("name", ["gds-exec-mywork", "gds-exec-1.2", "gds-exec-1.2.3", "gds-exec-0123abcd"])
def test_a_directory_of_the_user_s_own_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    notes = put(tmp_path / name / "notes.config", LONG_LIVED, age_seconds=9 * DAY)
    os.utime(tmp_path / name, (0, 0))

    assert sweep_copies(str(tmp_path), now=NOW) is False
    assert notes.exists()


def test_what_else_lies_in_a_directory_of_copies_stays(tmp_path: Path, dead: str) -> None:
    path = tmp_path / f"gds-exec-{dead}.0123"
    path.mkdir()
    copy, notes = put(path / "a.credentials", LONG_LIVED), put(path / "notes")

    assert sweep_copies(str(tmp_path), now=NOW) is True
    assert (copy.exists(), notes.exists()) == (False, True)


def test_a_link_to_the_directory_for_temporary_files_is_followed(tmp_path: Path, dead: str) -> None:
    path = tmp_path / "real" / f"gds-exec-{dead}.0123"
    path.mkdir(parents=True)
    put(path / "a.credentials", LONG_LIVED)
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert sweep_copies(str(tmp_path / "link"), now=NOW) is True
    assert not path.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may remove every file")
def test_a_key_that_cannot_be_removed_is_not_told_of(directory: int, cache: Path, dead: str) -> None:
    put(cache / f"{dead}.0123.credentials", LONG_LIVED)
    cache.chmod(0o500)

    assert sweep(directory, now=NOW) is False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to another user")
def test_a_directory_of_another_user_stays(tmp_path: Path, dead: str) -> None:
    path = tmp_path / f"gds-exec-{dead}.0123"
    path.mkdir()
    copy = put(path / "a.credentials", LONG_LIVED)
    os.chown(path, 65534, -1)

    assert sweep_copies(str(tmp_path), now=NOW) is False
    assert copy.exists()


def test_a_directory_that_cannot_be_listed_costs_nothing() -> None:
    reading, writing = os.pipe()
    try:
        assert sweep(reading, now=NOW) is False
    finally:
        os.close(reading)
        os.close(writing)
    assert sweep_copies("/nowhere-at-all", now=NOW) is False
