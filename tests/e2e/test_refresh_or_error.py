"""`--refresh`: the command starts once its endpoint answers, or it does not start at all."""

import errno
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from .expectations import assert_ours, assert_speaks_as_ours
from .patience import eventually
from .programs import program
from .refreshed import records
from .test_cache_without_disk import in_namespace
from .test_refresh_surroundings import assert_same, copies, with_default_keys
from .world import GDS_EXEC, PYTHON, World, finish

__all__ = ["with_default_keys"]

# A command that reports at once whether its endpoint serves its session.
FETCHES = """
import json, os, urllib.request
request = urllib.request.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
request.add_header("Authorization", os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
print("served", json.load(urllib.request.urlopen(request))["AccessKeyId"])
"""
SERVED = re.compile(r"served ASIA[A-Z0-9]{16}")
REFRESHED = ("prod", "--refresh", "--", PYTHON, "-c", FETCHES)
MASKS = {
    "an empty /proc": "mount -t tmpfs tmpfs /proc",
    "no boot id": "mount --bind /dev/null /proc/sys/kernel/random/boot_id",
    "an empty /dev": "mount -t tmpfs tmpfs /dev",
    "an empty /proc and /dev": "mount -t tmpfs tmpfs /dev && mount -t tmpfs tmpfs /proc",
}
masked = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
linux = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
# A fault in the process that serves the session, and in no other.
BREAKS = """
import os, sys
def fail():
    raise OSError({errno}, os.strerror({errno}))
if "gds_exec.refresher" in sys.orig_argv:
    {fault}
"""
NO_LOOP = "import selectors; selectors.DefaultSelector = fail"
WAITS = """open({first!r}, 'w').close(); import time
    while not os.path.exists({then!r}): time.sleep(0.01)"""


def masking(mask: str, *argv: str) -> tuple[str, ...]:
    """Return the command in a mount namespace where `mask` has run."""
    return (*in_namespace("-Urm"), "sh", "-c", f'{mask} || exit 99; exec "$@"', "sh", *argv)


def breaking(world: World, fault: str) -> dict[str, str]:
    """Return an environment where the process that serves a session fails."""
    modules = world.home / "modules"
    modules.mkdir()
    program(modules / "sitecustomize.py", BREAKS.format(fault=fault, errno=errno.EMFILE))
    return {"PYTHONPATH": str(modules)}


def assert_nothing_is_left(world: World) -> None:
    """Assert that no record and no copy stays once our processes have ended."""
    eventually(lambda: assert_same((records(world), copies(world), refreshers(world)), ([], [], [])))


def refreshers(world: World) -> list[int]:
    """The processes that serve the sessions of this world. An ordinary user sees none."""
    mark = f"HOME={world.home}".encode()
    return [pid for pid in psutil.pids() if _is_refresher(Path(f"/proc/{pid}"), mark)]


def _is_refresher(process: Path, mark: bytes) -> bool:
    try:
        is_ours = mark in (process / "environ").read_bytes().split(b"\0")
        return is_ours and b"gds_exec.refresher" in (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


@linux
@masked
def test_without_a_terminal_the_endpoint_serves_where_the_system_hides_processes(
    mask: str, with_default_keys: World
) -> None:
    world = with_default_keys
    done = world.run_program(*masking(mask, GDS_EXEC, *REFRESHED))

    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    assert SERVED.fullmatch(done.stdout.decode().strip())
    assert_nothing_is_left(world)


@linux
def test_no_command_starts_if_its_end_cannot_be_seen(with_default_keys: World) -> None:
    world = with_default_keys
    environ = breaking(world, "os.__dict__.pop('pidfd_open', None)")
    done = world.run_program(*masking(MASKS["an empty /proc"], GDS_EXEC, *REFRESHED), environ=environ)

    assert_ours(done, 125, "cannot keep the session fresh: /proc is hidden")
    assert_nothing_is_left(world)


@linux
@pytest.mark.parametrize("mask", ["an empty /proc", "no boot id"])
def test_on_a_terminal_the_endpoint_serves_where_the_system_hides_processes(
    mask: str, with_default_keys: World
) -> None:
    world = with_default_keys
    terminal = world.terminal_program(*masking(MASKS[mask], GDS_EXEC, *REFRESHED))
    said = finish(terminal)

    assert terminal.exitstatus == 0, said
    assert SERVED.fullmatch(said.strip())
    assert_nothing_is_left(world)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(
            "import selectors; selectors.DefaultSelector = fail", "Too many open files", id="refused"
        ),
        pytest.param("os.kill(os.getpid(), 9)", "did not start", id="killed"),
        pytest.param("os.write(2, b'no such codec'); os._exit(1)", "no such codec", id="Python fails"),
    ],
)
def test_without_a_terminal_no_command_starts_if_its_session_is_not_served(
    fault: str, said: str, with_default_keys: World
) -> None:
    world = with_default_keys
    done = world.run(*REFRESHED, environ=breaking(world, fault))

    told = assert_ours(done, 125, "cannot keep the session fresh: ", said, "hint: ")
    assert len(told.splitlines()) == 2
    assert_nothing_is_left(world)


def test_on_a_terminal_no_command_starts_if_its_session_is_not_served(with_default_keys: World) -> None:
    world = with_default_keys
    terminal = world.terminal(*REFRESHED, environ=breaking(world, NO_LOOP))
    said = finish(terminal)

    assert terminal.exitstatus == 125, said
    assert_speaks_as_ours(said, "Too many open files")
    assert len(said.splitlines()) == 2
    assert_nothing_is_left(world)


def test_a_signal_while_the_endpoint_is_awaited_leaves_nothing_behind(with_default_keys: World) -> None:
    world = with_default_keys
    waiting, goes_on = world.home / "waiting", world.home / "goes_on"
    fault = WAITS.format(first=str(waiting), then=str(goes_on))
    environ = {**world.environ, **breaking(world, fault)}
    with subprocess.Popen([GDS_EXEC, *REFRESHED], env=environ, start_new_session=True) as process:
        eventually(lambda: assert_same(waiting.exists(), wanted=True))
        process.terminate()
        assert process.wait() == -signal.SIGTERM
    assert copies(world) == []
    goes_on.touch()

    assert_nothing_is_left(world)
