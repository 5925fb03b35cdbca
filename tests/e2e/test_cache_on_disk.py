"""What may be found where the cached sessions should be, and that nothing of it does harm."""

import os
import re
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cached import cached_text, write_cached

from .world import SHOW_KEY, World

KEY = re.compile(r"ASIA[A-Z0-9]{16}")
LATE = 99_999_999_999


@pytest.fixture
def cached(world: World) -> Path:
    """The file of a role that needs no code, so that a new session can be had without a person."""
    world.add_role("plain", mfa=False)
    assert world.run("plain", "--", "true").returncode == 0
    (file,) = world.sessions()
    return file


def run_and_see_key(world: World) -> str:
    result = world.run("plain", "--", *SHOW_KEY, timeout=20)
    assert result.returncode == 0, result.stderr
    assert result.stderr == b""
    return result.stdout.decode().strip()


def fields(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)


def with_field(text: str, name: str, value: str | None) -> str:
    """The text of a session's file with one line of it changed or, for None, left out."""
    line = "" if value is None else f"{name}={value}\n"
    return re.sub(rf"^{name}=.*\n", lambda _: line, text, flags=re.MULTILINE)


def assert_asked_anew_and_replaced(world: World, file: Path) -> None:
    before = world.aws.count("AssumeRole")
    key = run_and_see_key(world)
    assert world.aws.count("AssumeRole") == before + 1
    assert fields(file)["access_key_id"] == key
    assert stat.S_IMODE(file.lstat().st_mode) == 0o600
    assert run_and_see_key(world) == key
    assert list(world.cache.glob("*.tmp")) == []


@pytest.mark.matrix(18)
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda good: good[:1], id="one byte"),
        pytest.param(lambda good: good[: len(good) // 2], id="half"),
        pytest.param(lambda good: good[:-1], id="all but one byte"),
        pytest.param(lambda _: bytes(range(256)) * 4, id="binary"),
        pytest.param(lambda _: b"[" * 60_000, id="nested"),
        pytest.param(lambda good: good.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(lambda good: b"\xef\xbb\xbf" + good, id="byte-order mark"),
        pytest.param(lambda good: good + good, id="twice"),
        pytest.param(lambda good: good.replace(b"session 1", b"session 3"), id="another version"),
        pytest.param(lambda good: good + b"\0" * 70_000, id="too long"),
    ],
)
def test_a_damaged_file_is_asked_anew_and_replaced(
    world: World, cached: Path, damage: Callable[[bytes], bytes]
) -> None:
    cached.write_bytes(damage(cached.read_bytes()))

    assert_asked_anew_and_replaced(world, cached)


@pytest.mark.matrix(19, 20)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("expiration", value) for value in ("NaN", "", "true", "-1", "1e9", "0x7fffffff", "١٢")],
        ("expiration", "1000000000"),
        ("expiration", str(10**11)),
        ("issued", str(LATE)),
        ("issued", None),
        ("secret_access_key", None),
        ("session_token", ""),
        ("arn", "arn:aws:sts::222222222222:assumed-role/other/alice"),
        ("arn", None),
        ("clock_offset", "-9999999"),
    ],
    ids=lambda value: str(value)[:24].encode("ascii", "replace").decode(),
)
def test_a_field_that_cannot_be_is_asked_anew(
    world: World, cached: Path, name: str, value: str | None
) -> None:
    write_cached(cached, with_field(cached_text(cached), name, value))

    assert_asked_anew_and_replaced(world, cached)


@pytest.mark.matrix(19)
def test_a_session_longer_than_aws_gives_is_asked_anew(world: World, cached: Path) -> None:
    write_cached(cached, with_field(cached_text(cached), "expiration", str(LATE)))

    assert_asked_anew_and_replaced(world, cached)


@pytest.mark.matrix(20)
def test_an_extra_field_does_no_harm(world: World, cached: Path) -> None:
    write_cached(cached, cached_text(cached).replace("end\n", "mood=good\nend\n"))

    assert run_and_see_key(world) == fields(cached)["access_key_id"]
    assert world.aws.count("AssumeRole") == 1


@pytest.mark.matrix(22)
def test_a_link_is_replaced_and_what_it_leads_to_is_not_touched(world: World, cached: Path) -> None:
    victim = world.home / "victim"
    victim.write_bytes(cached.read_bytes())
    victim.chmod(0o600)
    before = victim.read_bytes()
    cached.unlink()
    cached.symlink_to(victim)

    assert_asked_anew_and_replaced(world, cached)
    assert not cached.is_symlink()
    assert victim.read_bytes() == before


def _listen(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket must be short
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


@pytest.mark.matrix(23)
@pytest.mark.parametrize("put", [lambda path: os.mkfifo(path, 0o600), _listen], ids=["FIFO", "socket"])
def test_what_is_no_file_is_replaced_without_waiting(
    world: World, cached: Path, put: Callable[[Path], None]
) -> None:
    cached.unlink()
    put(cached)

    assert_asked_anew_and_replaced(world, cached)


@pytest.mark.matrix(23)
def test_a_directory_in_place_of_a_session_costs_one_warning(world: World, cached: Path) -> None:
    cached.unlink()
    cached.mkdir()
    result = world.run("plain", "--", *SHOW_KEY)

    assert result.returncode == 0
    assert KEY.match(result.stdout.decode())
    assert result.stderr == b"gds-exec: this session is not cached: Is a directory\n"
    assert list(world.cache.glob("*.tmp")) == []


@pytest.mark.matrix(23)
@pytest.mark.parametrize(
    ("put", "is_said"),
    [
        pytest.param(os.mkfifo, False, id="FIFO"),
        pytest.param(lambda path: path.mkdir(), True, id="directory"),
        pytest.param(lambda path: path.symlink_to("/etc/passwd"), True, id="link"),
    ],
)
def test_what_is_no_lock_file_costs_at_most_a_warning(
    world: World, cached: Path, put: Callable[[Path], None], is_said: bool
) -> None:
    (lock,) = world.cache.glob("*.lock")
    lock.unlink()
    put(lock)
    result = world.run("plain", "--new-session", "--", *SHOW_KEY, timeout=20)

    assert result.returncode == 0
    assert KEY.match(result.stdout.decode())
    assert (b"going on without a lock" in result.stderr) == is_said


@pytest.mark.matrix(24)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o000])
def test_a_file_that_others_can_use_is_replaced(world: World, cached: Path, mode: int) -> None:
    if mode == 0 and os.geteuid() == 0:
        pytest.skip("root reads a file whatever its mode is")
    cached.chmod(mode)

    assert_asked_anew_and_replaced(world, cached)


@pytest.mark.matrix(24)
def test_a_file_of_another_user_is_replaced(world: World, cached: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(cached, 54321, 54321)

    assert_asked_anew_and_replaced(world, cached)
    assert cached.stat().st_uid == 0


@pytest.mark.matrix(25)
@pytest.mark.parametrize("above", [False, True], ids=["gds-exec", ".cache"])
def test_a_cache_that_is_linked_to_a_private_directory_is_used(world: World, above: bool) -> None:
    world.add_role("plain", mfa=False)
    target = world.home / "elsewhere"
    target.mkdir(mode=0o700)
    link = world.cache.parent if above else world.cache
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)

    assert run_and_see_key(world) == run_and_see_key(world)
    assert link.is_symlink()
    assert world.aws.count("AssumeRole") == 1


@pytest.mark.matrix(25)
def test_nothing_is_written_through_a_link_to_a_directory_that_others_read(world: World) -> None:
    world.add_role("plain", mfa=False)
    target = world.home / "elsewhere"
    target.mkdir()
    target.chmod(0o755)
    world.cache.parent.mkdir()
    world.cache.symlink_to(target)
    result = world.run("plain", "--", *SHOW_KEY)

    assert result.returncode == 0
    assert result.stderr.count(b"\n") == 1
    assert b"sessions are not cached: " in result.stderr
    assert list(target.iterdir()) == []
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


@pytest.mark.matrix(26)
def test_a_cache_directory_that_others_read_is_closed_to_them(world: World, cached: Path) -> None:
    world.cache.chmod(0o755)

    assert run_and_see_key(world) == fields(cached)["access_key_id"]
    assert stat.S_IMODE(world.cache.stat().st_mode) == 0o700


@pytest.mark.matrix(34)
@pytest.mark.parametrize("umask", [0o000, 0o777], ids=oct)
def test_files_are_private_whatever_the_umask(world: World, umask: int) -> None:
    world.add_role("readonly")
    code = world.code()
    result = world.run("readonly", "--mfa-code", code, "--", "sh", "-c", "umask", umask=umask)

    assert result.returncode == 0, result.stderr
    assert int(result.stdout, 8) == umask
    assert result.stderr == b""
    assert stat.S_IMODE(world.cache.stat().st_mode) == 0o700
    found = list(world.cache.iterdir())
    assert {path.suffix for path in found} == {".session2", ".lock", ".spent2"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert world.run("readonly", "--", "true", umask=umask).returncode == 0


@pytest.mark.matrix(37)
def test_leftovers_of_a_killed_writer_are_removed_after_a_day(world: World, cached: Path) -> None:
    old, new = world.cache / "0123.tmp", world.cache / "4567.tmp"
    for path in (old, new):
        path.write_text("secret")
    yesterday = time.time() - 86_500
    os.utime(old, (yesterday, yesterday))
    run_and_see_key(world)

    assert not old.exists()
    assert new.exists()
