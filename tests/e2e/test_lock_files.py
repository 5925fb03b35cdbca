"""Locks on file systems that know none, lock files that vanish, and commands that outlive their lock."""

import errno
import os
import re
import time
from pathlib import Path

import pytest

from tests.processes import strace

from .observations import codes_sent, sessions_made
from .world import GDS_EXEC, PROMPT, SHOW_KEY, World, finish

KEY = re.compile(r"ASIA[A-Z0-9]{16}")


@pytest.mark.matrix(11)
@pytest.mark.parametrize("error", ["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def test_where_there_are_no_locks_the_command_runs_with_one_warning(world: World, error: str) -> None:
    world.add_role("readonly")
    tracer = strace("-f", "-o", "/dev/null", "-e", "trace=flock", "-e", f"inject=flock:error={error}")
    result = world.run_program(*tracer, GDS_EXEC, "readonly", "--mfa-code", world.code(), "--", *SHOW_KEY)

    assert result.returncode == 0, result.stderr
    assert KEY.match(result.stdout.decode())
    reason = os.strerror(getattr(errno, error))
    assert result.stderr.decode() == f"gds-exec: going on without a lock: {reason}\n"
    assert len(world.sessions()) == 2


@pytest.mark.matrix(12)
def test_an_interrupted_lock_is_tried_again_without_a_word(world: World) -> None:
    world.add_role("readonly")
    tracer = strace("-f", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=EINTR:when=1")
    result = world.run_program(*tracer, GDS_EXEC, "readonly", "--mfa-code", world.code(), "--", *SHOW_KEY)

    assert result.returncode == 0
    assert result.stderr == b""


@pytest.mark.matrix(13)
def test_a_lock_file_deleted_while_held_costs_at_most_a_second_question(world: World) -> None:
    world.add_role("readonly")
    first = world.terminal("readonly", "--", *SHOW_KEY)
    first.expect(PROMPT)
    for lock in world.cache.glob("*.lock"):
        lock.unlink()
    second = world.terminal("readonly", "--", *SHOW_KEY)
    second.expect(PROMPT)
    keys = []
    for terminal in (second, first):
        terminal.sendline(world.code())
        keys += KEY.findall(finish(terminal))
        assert terminal.exitstatus == 0

    assert len(keys) == 2
    result = world.run("readonly", "--", *SHOW_KEY)
    assert result.stdout.decode().strip() in keys


@pytest.mark.matrix(13)
def test_lock_files_are_never_deleted(world: World) -> None:
    world.add_role("readonly")
    world.sign_in("readonly")
    locks = {(lock.name, lock.stat().st_ino) for lock in world.cache.glob("*.lock")}
    world.run("readonly", "--new-session", "--", "true")

    assert locks
    assert {(lock.name, lock.stat().st_ino) for lock in world.cache.glob("*.lock")} == locks


@pytest.mark.matrix(14)
def test_a_command_that_lives_on_holds_no_lock_and_no_file_of_ours(world: World) -> None:
    world.add_role("readonly", mfa=False)
    first = world.terminal("readonly", "--", "sh", "-c", "echo started; read line")
    first.expect("started")
    started = time.monotonic()
    result = world.run("readonly", "--new-session", "--wait", "1s", "--", *SHOW_KEY)

    assert result.returncode == 0, result.stderr
    assert time.monotonic() - started < 5
    descriptors = Path(f"/proc/{first.pid}/fd")
    if descriptors.is_dir():
        assert not [link for link in map(os.readlink, descriptors.iterdir()) if "gds-exec" in link]
    first.sendline("")
    finish(first)


@pytest.mark.matrix(15, 21)
def test_a_newer_version_of_the_format_is_left_as_it_is(world: World) -> None:
    world.add_role("readonly", mfa=False)
    assert world.run("readonly", "--", "true").returncode == 0
    (ours,) = world.sessions()
    newer = ours.with_suffix(".session3")
    newer.write_bytes(b"gds-exec session 3\nsomething=else\nend\n")
    newer.chmod(0o600)
    ours.unlink()
    result = world.run("readonly", "--", *SHOW_KEY)

    assert result.returncode == 0
    assert result.stderr == b""
    assert newer.read_bytes() == b"gds-exec session 3\nsomething=else\nend\n"
    assert sessions_made(world.aws) == ("AssumeRole", "AssumeRole")
    assert ours.read_text().startswith("gds-exec session 1\n")
    assert codes_sent(world.aws) == 0
