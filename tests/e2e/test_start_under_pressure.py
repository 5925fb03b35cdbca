"""With little memory, or an early Ctrl-C, the command runs, or at most one error says why not."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .expectations import assert_ours
from .programs import program
from .world import GDS_EXEC, PYTHON, UNMEASURED, World

# In KiB: from what Python needs for itself to more than a call to AWS needs.
SIZES = (*range(12_000, 17_000, 500), *range(18_000, 66_000, 4_000))
# Sends SIGINT when a module is about to be loaded.
INTERRUPTS = """
import os, signal, sys
class Interrupts:
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(Interrupts)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts)
"""


def run_with_memory(world: World, kib: int, *argv: str) -> "subprocess.CompletedProcess[bytes]":
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (kib * 1024, kib * 1024))

    return world.run_program(*argv, environ=UNMEASURED, preexec_fn=limit)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")
@pytest.mark.parametrize("kib", SIZES)
def test_too_little_memory_is_one_clear_error_or_no_trouble(kib: int, world: World) -> None:
    world.add_role("open", mfa=False)
    if run_with_memory(world, kib, PYTHON, "-c", "x = bytearray(1_000_000); import os").returncode != 0:
        pytest.skip("Python itself does not start")

    done = run_with_memory(world, kib, GDS_EXEC, "open", "--", "echo", "ran")

    if done.returncode == 0:
        assert (done.stdout, done.stderr) == (b"ran\n", b"")
    else:
        assert_ours(done, 125, "the system is out of resources: ", "[system-refused]")


@pytest.mark.parametrize(
    "module", ["gds_exec", "gds_exec.invocation", "gds_exec.warm", "gds_exec.cli", "gds_exec.error_boundary"]
)
def test_ctrl_c_kills_silently_from_the_first_line_of_ours(module: str, world: World) -> None:
    interrupted = interrupt_at(world, module, GDS_EXEC)

    assert (interrupted.returncode, interrupted.stdout, interrupted.stderr) == (-signal.SIGINT, b"", b"")


def test_an_ignored_ctrl_c_stays_ignored_from_the_first_line_of_ours(world: World) -> None:
    done = interrupt_at(world, "gds_exec", "sh", "-c", 'trap "" INT; exec "$@"', "sh", GDS_EXEC)

    assert_ours(done, 125, "unknown-role")


def interrupt_at(world: World, module: str, *argv: str) -> "subprocess.CompletedProcess[bytes]":
    modules = world.home / "modules"
    modules.mkdir()
    program(modules / "sitecustomize.py", INTERRUPTS.format(module=module))
    path = os.pathsep.join([str(modules), str(Path(__file__).parents[2])])
    return world.run_program(*argv, "nosuch", "--", "true", environ={**UNMEASURED, "PYTHONPATH": path})
