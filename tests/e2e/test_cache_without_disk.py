"""No home, a full disk, a disk that fails: the command runs, and at most one line says so."""

import errno
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.processes import strace

from .expectations import assert_ours
from .observations import codes_sent, sessions_made
from .world import GDS_EXEC, PROMPT, SHOW_KEY, UNMEASURED, World, finish

KEY = re.compile(r"ASIA[A-Z0-9]{16}\n")
SOMEBODY = 54321
NOT_CACHED = "gds-exec: sessions are not cached: "


def assert_ran(result: subprocess.CompletedProcess[bytes], *warnings: str) -> None:
    """The command ran with a session, after exactly these warnings."""
    assert result.returncode == 0, result.stderr
    assert KEY.fullmatch(result.stdout.decode())
    said = result.stderr.decode().splitlines()
    assert len(said) == len(warnings), said
    for line, warning in zip(said, warnings, strict=True):
        assert line.startswith("gds-exec: ")
        assert warning in line


def with_code(world: World) -> tuple[str, ...]:
    return ("readonly", "--mfa-code", world.code(), "--", *SHOW_KEY)


def files_by_name(world: World) -> dict[str, str]:
    return {"AWS_CONFIG_FILE": str(world.config), "AWS_SHARED_CREDENTIALS_FILE": str(world.credentials)}


@cache
def _is_allowed(*argv: str) -> bool:
    if shutil.which(argv[0]) is None:
        return False
    return subprocess.run(argv, capture_output=True, timeout=20, check=False).returncode == 0


def in_namespace(*argv: str) -> tuple[str, ...]:
    """The beginning of a command that runs in a namespace of its own, where this machine allows that."""
    if not _is_allowed("unshare", *argv, "true"):
        pytest.skip("there is no unshare, or this machine allows no namespaces of one's own")
    return ("unshare", *argv)


def as_somebody(*argv: str) -> tuple[str, ...]:
    """The command as a user whom the password database does not know."""
    return (*in_namespace("-U", f"--map-user={SOMEBODY}", f"--map-group={SOMEBODY}"), *argv)


def with_mount(options: str, place: Path, *argv: str) -> tuple[str, ...]:
    """The command that sees an empty file system at `place`; what is left there is listed on stderr."""
    place.mkdir(parents=True, exist_ok=True)
    script = f'place=$1; shift; mount -t tmpfs -o {options} tmpfs "$place" || exit 99; "$@"; s=$?'
    script += '; ls "$place" >&2; exit $s'
    return (*in_namespace("-Urm"), "sh", "-c", script, "sh", str(place), *argv)


@pytest.mark.matrix(28, 29, 30)
@pytest.mark.parametrize(
    ("options", "warning", "left"),
    [
        pytest.param("ro,mode=700", "Read-only file system", [], id="read-only"),
        pytest.param("size=4k,nr_inodes=2,mode=700", "No space left on device", ["gds-exec"], id="no inodes"),
        pytest.param("size=4k,mode=700", "No space left on device", ["gds-exec"], id="full"),
    ],
)
def test_a_disk_that_takes_nothing_costs_one_warning(
    world: World, options: str, warning: str, left: list[str]
) -> None:
    world.add_role("readonly")
    result = world.run_program(*with_mount(options, world.cache.parent, GDS_EXEC, *with_code(world)))
    said = result.stderr.decode().splitlines()

    assert result.returncode == 0, said
    assert KEY.fullmatch(result.stdout.decode())
    assert said[1:] == left
    assert warning in said[0]
    assert sessions_made(world.aws) == ("GetSessionToken", "AssumeRole")


@pytest.mark.matrix(28)
def test_a_disk_without_room_for_a_session_is_left_without_half_of_one(world: World) -> None:
    world.add_role("readonly")
    # Coverage would write its data on exec, where that limit is deadly again.
    result = world.run(
        *with_code(world),
        environ=UNMEASURED,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )

    assert_ran(result, f"this session is not cached: {os.strerror(errno.EFBIG)}")
    assert {path.suffix for path in world.cache.iterdir()} == {".lock"}


@pytest.mark.matrix(28)
def test_a_person_is_asked_once_though_nothing_can_be_kept(world: World) -> None:
    world.add_role("readonly")
    world.cache.parent.write_text("a file where a directory should be")
    terminal = world.terminal("readonly", "--", *SHOW_KEY)
    terminal.expect(NOT_CACHED)
    terminal.expect(PROMPT)
    terminal.sendline(world.code())
    said = finish(terminal)

    assert terminal.exitstatus == 0
    assert KEY.search(said)
    assert PROMPT not in said
    assert "gds-exec: " not in said


@pytest.mark.matrix(31)
@pytest.mark.parametrize(
    ("calls", "error"), [("fsync", "EIO"), ("rename,renameat,renameat2", "ENOSPC"), ("fchmod", "EPERM")]
)
def test_a_disk_that_fails_costs_one_warning_and_leaves_no_half_file(
    world: World, calls: str, error: str
) -> None:
    world.add_role("readonly")
    tracer = strace("-f", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}")
    result = world.run_program(*tracer, GDS_EXEC, *with_code(world))

    assert_ran(result, os.strerror(getattr(errno, error)))
    assert list(world.cache.glob("*.tmp")) == []
    assert world.sessions() == []


@pytest.mark.matrix(32)
@pytest.mark.parametrize("home", ["relative", "~", "missing", "config"])
def test_without_a_usable_home_the_command_runs_and_nothing_is_made(world: World, home: str) -> None:
    world.add_role("readonly")
    found = {"missing": str(world.home / "nobody"), "config": str(world.config)}.get(home, home)
    before = sorted(world.home.rglob("*"))
    result = world.run(*with_code(world), environ={**files_by_name(world), "HOME": found})

    assert_ran(result, "there is no home directory: sessions are not cached")
    assert sorted(world.home.rglob("*")) == before


@pytest.mark.matrix(32)
@pytest.mark.parametrize("home", [None, ""], ids=["unset", "empty"])
def test_a_user_id_without_a_name_or_a_home_gets_its_session(world: World, home: str | None) -> None:
    world.add_role("readonly")
    script = "unset HOME" if home is None else f"HOME={home}"
    result = world.run_program(
        *as_somebody("sh", "-c", f'{script}; exec "$@"', "sh", GDS_EXEC, *with_code(world)),
        environ=files_by_name(world),
    )

    assert_ran(result, "there is no home directory: sessions are not cached")
    assert world.aws.calls[-1].parameters["RoleSessionName"].startswith(f"uid-{SOMEBODY}-")


def _give_to_somebody(world: World) -> None:
    for path in (world.home, *world.home.rglob("*")):
        os.chown(path, SOMEBODY, SOMEBODY)


@pytest.mark.matrix(33)
def test_a_relative_cache_home_is_as_good_as_none(world: World) -> None:
    world.add_role("readonly")
    result = world.run(*with_code(world), environ={"XDG_CACHE_HOME": "cache"})

    assert_ran(result)
    assert not (world.home / "cache").exists()
    assert len(world.sessions()) == 2


@pytest.mark.matrix(33)
def test_a_cache_home_is_made_where_it_is_missing(world: World) -> None:
    world.add_role("readonly")
    elsewhere = world.home / "var" / "cache"
    result = world.run(*with_code(world), environ={"XDG_CACHE_HOME": str(elsewhere)})

    assert_ran(result)
    assert len(list((elsewhere / "gds-exec").glob("*.session2"))) == 2
    assert not world.cache.exists()


@pytest.mark.matrix(30, 33)
@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "GDS_EXEC_CACHE_DIR"])
@pytest.mark.parametrize(
    "place", [lambda world: "/proc", lambda world: str(world.config)], ids=["unwritable", "file"]
)
def test_a_cache_home_that_cannot_be_used_costs_one_warning(
    world: World, variable: str, place: Callable[[World], str]
) -> None:
    world.add_role("readonly")
    path = f"{place(world)}/sessions"
    result = world.run(*with_code(world), environ={variable: path})

    assert_ran(result, f"{NOT_CACHED}{path}")


@pytest.mark.matrix(27)
@pytest.mark.parametrize("is_cache_there", [False, True], ids=["no cache yet", "a cache"])
def test_root_in_the_home_of_a_user_leaves_nothing_there(world: World, is_cache_there: bool) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be root in another user's home")
    world.add_role("readonly")
    if is_cache_there:
        world.cache.mkdir(parents=True, mode=0o700)
    _give_to_somebody(world)
    before = sorted(world.home.rglob("*"))
    result = world.run(*with_code(world))

    assert_ran(result, "belongs to another user")
    assert sorted(world.home.rglob("*")) == before
    assert {path.stat().st_uid for path in before} == {SOMEBODY}


@pytest.mark.matrix(35)
@pytest.mark.parametrize("limit", [5, 6, 7, 8, 10, 20])
def test_too_few_descriptors_are_one_clear_error_or_no_trouble(world: World, limit: int) -> None:
    world.add_role("readonly")
    result = world.run(
        *with_code(world), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    )

    if result.returncode == 0:
        assert KEY.fullmatch(result.stdout.decode())
    else:
        assert_ours(result, 125, os.strerror(errno.EMFILE))
    assert list(world.cache.glob("*.tmp")) == []


@pytest.mark.matrix(36)
@pytest.mark.skipif(os.geteuid() != 0, reason="strace cannot read the memory of who forbids inspection")
def test_a_session_is_written_aside_synced_and_renamed(world: World, tmp_path: Path) -> None:
    world.add_role("plain", mfa=False)
    log = tmp_path / "log"
    calls = "open,openat,write,fchmod,fsync,rename,renameat,renameat2,execve"
    tracer = strace("-o", str(log), "-y", "-e", f"trace={calls}")
    assert world.run_program(*tracer, GDS_EXEC, "plain", "--", "true").returncode == 0

    lines = [line for line in log.read_text().splitlines() if "execve" in line or str(world.cache) in line]
    (temporary,) = {name for line in lines for name in re.findall(r"[0-9.a-f]+\.[0-9a-f]{32}\.tmp", line)}
    (session,) = world.sessions()
    steps = [
        re.compile(rf'open.*"{temporary}".*O_EXCL.*0600'),
        re.compile(rf"fchmod\(.*{temporary}>, 0600"),
        re.compile(rf"write\(.*{temporary}>"),
        re.compile(rf"fsync\(.*{temporary}>"),
        re.compile(rf'rename.*"{temporary}".*"{session.name}"'),
        re.compile(rf"fsync\(\d+<{re.escape(str(world.cache))}>"),
        re.compile(r'execve\(.*\["true"\]'),
    ]
    places = [next(place for place, line in enumerate(lines) if step.search(line)) for step in steps]
    assert places == sorted(places)


@pytest.mark.matrix(4)
@pytest.mark.parametrize(
    "nth", [1, 2, 3], ids=["before the step", "before the MFA session", "before the role"]
)
def test_a_holder_killed_between_the_answer_and_the_save_leaves_no_half_file(world: World, nth: int) -> None:
    world.add_role("readonly")
    calls = "rename,renameat,renameat2"
    tracer = strace("-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:signal=KILL:when={nth}")
    killed = world.run_program(*tracer, GDS_EXEC, *with_code(world))
    assert killed.returncode == -9
    assert killed.stdout == b""
    after = world.run(*with_code(world))

    assert_ran(after)
    assert codes_sent(world.aws) in {1, 2}
    assert len(world.sessions()) == 2
    result = world.run("readonly", "--", *SHOW_KEY)
    assert result.stdout == after.stdout
