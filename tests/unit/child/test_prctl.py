import os
import sys

import pytest

from gds_exec.child.prctl import open_descriptors
from tests.processes import run_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked")

IS_DUMPABLE = "ctypes.CDLL(None).prctl(3)"


def test_a_process_may_be_inspected_until_it_forbids_that() -> None:
    script = f"""
import ctypes
from gds_exec.child.prctl import forbid_inspection
before = {IS_DUMPABLE}
forbid_inspection()
print(before, {IS_DUMPABLE})
"""

    assert run_python(script) == "1 0\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_process_of_the_user_cannot_read_the_environment() -> None:
    script = """
import os
from gds_exec.child.prctl import forbid_inspection
os.setgroups([]); os.setgid(65534); os.setuid(65534)
def can_another_read():
    pid = os.fork()
    if pid == 0:
        try:
            open(f"/proc/{os.getppid()}/environ", "rb").read()
        except PermissionError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0
forbid_inspection()
print(can_another_read())
"""

    assert run_python(script) == "False\n"


def test_the_program_that_we_execute_may_be_inspected() -> None:
    script = f"""
import os, sys
from gds_exec.child.prctl import forbid_inspection
forbid_inspection()
os.execv(sys.executable, [sys.executable, "-c", "import ctypes; print({IS_DUMPABLE})"])
"""

    assert run_python(script) == "1\n"


def test_a_process_whose_parent_has_ended_already_ends_with_it() -> None:
    script = """
import os
from gds_exec.child.prctl import end_with
pid = os.fork()
if pid == 0:
    end_with(os.getpid())  # which is not its parent
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""

    assert run_python(script) == "-9\n"


def test_a_process_whose_parent_lives_goes_on() -> None:
    script = """
import os
from gds_exec.child.prctl import end_with
parent = os.getpid()
pid = os.fork()
if pid == 0:
    end_with(parent)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""

    assert run_python(script) == "0\n"


def test_a_process_can_take_another_name() -> None:
    script = """
from gds_exec.child.prctl import take_name
take_name("another")
print(open("/proc/self/comm").read(), end="")
"""

    assert run_python(script) == "another\n"


@pytest.mark.parametrize(
    "directories", [("/dev/fd",), ("/no/such/directory",), ()], ids=["fd", "missing", "none"]
)
def test_the_open_descriptors_are_known_whatever_lists_them(directories: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    try:
        assert {0, 1, 2, reading, writing} <= set(open_descriptors(directories=directories))
    finally:
        os.close(reading)
        os.close(writing)

    assert {reading, writing}.isdisjoint(open_descriptors(directories=directories))
