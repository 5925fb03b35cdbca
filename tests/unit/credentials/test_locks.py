import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gds_exec.credentials.locks import Holder, Locks
from gds_exec.errors import GdsExecError, LockTimeout
from gds_exec.terminal import Suspended
from tests.fakes import NOON, Clock, Said, never
from tests.processes import python_running, run_python, strace

LOCKS = """
import os, sys, time
from gds_exec.credentials.locks import Holder, Locks
from gds_exec.credentials.private_directory import open_private_directory
locks = Locks(
    open_private_directory(sys.argv[1]),
    me=Holder(os.getpid(), 7),
    timeout_seconds=60,
    tell=print,
    warn=print,
    sleep=lambda _: time.sleep(0.001),
)
"""
HOLD = f"""{LOCKS}
with locks.hold("key"):
    print("ready", flush=True)
    sys.stdin.read()
"""
TAKE = f"""{LOCKS}
with locks.hold("key"):
    print("done")
"""


class Told:
    def __init__(self) -> None:
        self.holders: list[Holder] = []

    def __call__(self, holder: Holder) -> None:
        self.holders.append(holder)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    tmp_path.chmod(0o700)
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def locks(directory: int | None, clock: Clock | None = None, **seams: Any) -> Locks:
    """Return locks that must not have to wait, or to say anything, where a test does not expect it."""
    defaults: dict[str, Any] = {
        "me": Holder(os.getpid()),
        "timeout_seconds": 300,
        "tell": never,
        "warn": never,
        "clock": clock or Clock(),
        "sleep": clock.sleep if clock else never,
    }
    return Locks(directory, **{**defaults, **seams})


def is_free(directory: int) -> bool:
    try:
        with locks(directory, Clock(), timeout_seconds=0, tell=Told()).hold("key"):
            return True
    except LockTimeout:
        return False


def test_a_lock_is_held_by_one_and_free_again_afterwards(directory: int) -> None:
    with locks(directory).hold("key"):
        assert not is_free(directory)

    assert is_free(directory)


def test_a_lock_is_free_after_a_failure_inside(directory: int) -> None:
    with pytest.raises(ZeroDivisionError), locks(directory).hold("key"):
        raise ZeroDivisionError

    assert is_free(directory)


def test_locks_of_different_names_do_not_wait_for_each_other(directory: int) -> None:
    with locks(directory).hold("key"), locks(directory).hold("other"):
        pass


def test_processes_that_look_lock_and_look_lose_nothing(tmp_path: Path) -> None:
    """Each adds one to a number in a file, many times: without a lock, sums would be lost."""
    script = f"""{LOCKS}
for _ in range(40):
    with locks.hold("key"):
        with open(sys.argv[2]) as file:
            number = int(file.read())
        with open(sys.argv[2], "w") as file:
            file.write(str(number + 1))
"""
    number = tmp_path / "number"
    number.write_text("0")
    command = [sys.executable, "-c", script, str(tmp_path / "cache"), str(number)]

    processes = [subprocess.Popen(command) for _ in range(4)]

    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0, 0]
    assert number.read_text() == "160"


def test_a_lock_whose_holder_was_killed_is_free(tmp_path: Path, directory: int) -> None:  # matrix 3
    with python_running(HOLD, tmp_path) as holder:
        assert not is_free(directory)
        holder.kill()
        holder.wait()

        assert is_free(directory)


def test_those_who_wait_are_told_of_the_holder_once_and_after_a_second(  # matrix 9
    tmp_path: Path, directory: int
) -> None:
    clock, told = Clock(0), Told()
    told_at: list[float] = []
    with python_running(HOLD, tmp_path) as holder:

        def tell(who: Holder) -> None:
            told(who)
            told_at.append(clock.now)

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            if clock.now > 5:
                holder.kill()
                holder.wait()

        with locks(directory, clock, tell=tell, sleep=sleep).hold("key"):
            pass

    assert told.holders == [Holder(holder.pid, 7)]
    assert told_at == [pytest.approx(1.05, abs=0.06)]


def test_waiting_ends_with_the_pid_of_the_holder(tmp_path: Path, directory: int) -> None:  # matrix 9
    clock = Clock(0)
    waiting = locks(directory, clock, timeout_seconds=300, tell=Told())

    with (
        python_running(HOLD, tmp_path) as holder,
        pytest.raises(LockTimeout, match=rf"pid {holder.pid}\) .* 300 s") as failure,
        waiting.hold("key"),
    ):
        pass

    assert clock.now == pytest.approx(300, abs=0.1)
    assert "--wait" in (failure.value.hint or "")


def test_a_holder_that_says_nothing_of_itself_is_waited_for_all_the_same(
    tmp_path: Path, directory: int
) -> None:
    with python_running(HOLD, tmp_path):
        (tmp_path / "key.lock").write_text("")

        with pytest.raises(LockTimeout, match="another gds-exec"), locks(directory, Clock()).hold("key"):
            pass


def test_a_stopped_holder_is_not_waited_for(tmp_path: Path, directory: int) -> None:  # matrix 8
    said = Said()
    with python_running(HOLD, tmp_path) as holder:
        holder.send_signal(signal.SIGSTOP)
        os.waitpid(holder.pid, os.WUNTRACED)

        ours = locks(directory, Clock(), warn=said)
        with ours.hold("key"):
            assert said.text == "", "there may be nothing left to do"
            ours.mention_passed()

    assert said.text == f"gds-exec (pid {holder.pid}) is stopped: going on without it"


def test_going_on_without_a_stopped_holder_leaves_its_note_alone(tmp_path: Path, directory: int) -> None:
    with python_running(HOLD, tmp_path) as holder:
        holder.send_signal(signal.SIGSTOP)
        os.waitpid(holder.pid, os.WUNTRACED)
        with locks(directory, Clock(), warn=Said()).hold("key"):
            pass

        assert (tmp_path / "key.lock").read_text() == f"{holder.pid} 7"


def test_those_who_pass_a_stopped_holder_still_go_one_by_one(tmp_path: Path, directory: int) -> None:
    with python_running(HOLD, tmp_path) as holder:
        holder.send_signal(signal.SIGSTOP)
        os.waitpid(holder.pid, os.WUNTRACED)

        with (
            locks(directory, Clock(), warn=Said()).hold("key"),
            pytest.raises(LockTimeout, match=f"pid {os.getpid()}"),
            locks(directory, Clock(), warn=Said(), tell=Told()).hold("key"),
        ):
            pass
        with locks(directory, Clock(), warn=Said()).hold("key"):
            pass


def test_ctrl_z_while_waiting_unwinds_instead_of_stopping(directory: int) -> None:
    clock = Clock()

    def press_ctrl_z(seconds: float) -> None:
        clock.sleep(seconds)
        signal.raise_signal(signal.SIGTSTP)

    waiting = locks(directory, clock, sleep=press_ctrl_z, tell=Told())
    before = signal.getsignal(signal.SIGTSTP)

    with locks(directory).hold("key"), pytest.raises(Suspended), waiting.hold("key"):
        pass

    assert signal.getsignal(signal.SIGTSTP) is before
    assert is_free(directory)


def test_without_a_directory_there_is_no_lock() -> None:
    with locks(None).hold("key"), locks(None).hold("key"):
        pass


def test_a_lock_file_that_cannot_be_made_costs_a_warning(directory: int) -> None:  # matrix 29
    said = Said()

    with locks(directory, warn=said).hold("no/such/directory"):
        pass

    assert said.text == "going on without a lock: No such file or directory"


@pytest.mark.parametrize("error", ["ENOLCK", "ENOSYS", "EOPNOTSUPP", "EIO"])
def test_a_disk_that_knows_no_locks_costs_a_warning(tmp_path: Path, error: str) -> None:  # matrix 11
    under = strace("-o", "/dev/null", "-e", f"inject=flock:error={error}")

    warning, done = run_python(TAKE, tmp_path, under=under).splitlines()

    assert warning.startswith("going on without a lock: ")
    assert done == "done"


def test_an_interrupted_call_is_made_again(tmp_path: Path) -> None:  # matrix 12
    under = strace("-o", "/dev/null", "-e", "inject=flock:error=EINTR:when=1")

    assert run_python(TAKE, tmp_path, under=under) == "done\n"


def test_a_full_disk_does_not_cost_the_lock(tmp_path: Path) -> None:  # matrix 28
    under = strace("-o", "/dev/null", "-e", "inject=pwrite64:error=ENOSPC")

    assert run_python(TAKE, tmp_path, under=under) == "done\n"


def test_the_command_does_not_inherit_the_lock(directory: int) -> None:  # matrix 14
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("there is no /proc")

    with locks(directory).hold("key"):
        listing = ["ls", "-l", "/proc/self/fd"]
        done = subprocess.run(listing, close_fds=False, capture_output=True, text=True, check=False)

    assert " 0 -> " in done.stdout
    assert ".lock" not in done.stdout


def test_lock_files_stay_for_ever(tmp_path: Path, directory: int) -> None:  # matrix 13
    with locks(directory).hold("key"):
        inode = (tmp_path / "key.lock").stat().st_ino
    with locks(directory).hold("key"):
        pass

    assert (tmp_path / "key.lock").stat().st_ino == inode


@pytest.mark.parametrize("umask", [0o000, 0o777], ids=oct)
def test_a_lock_file_is_0600_whatever_the_umask(tmp_path: Path, umask: int) -> None:  # matrix 34
    run_python(TAKE, tmp_path, preexec=lambda: os.umask(umask))

    assert stat.S_IMODE((tmp_path / "key.lock").stat().st_mode) == 0o600


def test_a_link_in_place_of_the_lock_file_is_not_followed(tmp_path: Path, directory: int) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "key.lock").symlink_to(target)
    said = Said()

    with locks(directory, warn=said).hold("key"):
        pass

    assert target.read_text() == "precious"
    assert said.lines


@pytest.mark.parametrize("note", ["", "garbage", "1", "1 2 3", "-1 0", "x y", "\N{SUPERSCRIPT TWO} 1"])
def test_a_note_of_any_kind_does_no_harm(tmp_path: Path, directory: int, note: str) -> None:
    with locks(directory).hold("key"):
        (tmp_path / "key.lock").write_text(note)

        assert not is_free(directory)


def test_the_holder_is_looked_at_only_when_it_has_been_long(tmp_path: Path, directory: int) -> None:
    clock = Clock(0)
    looked_at: list[float] = []

    def is_stopped(pid: int) -> bool:
        looked_at.append(clock.now)
        return False

    waiting = locks(directory, clock, timeout_seconds=2, tell=Told(), is_stopped=is_stopped)
    with locks(directory).hold("key"), pytest.raises(LockTimeout), waiting.hold("key"):
        pass

    assert min(looked_at) > 1


def test_of_all_who_wait_on_one_terminal_one_tells_the_person(tmp_path: Path, directory: int) -> None:
    told = Told()

    def second_waits(seconds: float) -> None:
        first_clock.sleep(seconds)
        if first_clock.now > NOON + 5:
            raise Suspended
        if len(told.holders) == 1:
            with pytest.raises(LockTimeout):
                waiting(Clock(), Holder(2, 7), never).hold("key").__enter__()
            with pytest.raises(LockTimeout):
                waiting(Clock(), Holder(3, 8), told).hold("key").__enter__()

    def waiting(clock: Clock, me: Holder, tell: Any, **seams: Any) -> Locks:
        seams = {"timeout_seconds": 2, "sleep": clock.sleep, **seams}
        return locks(directory, clock, me=me, tell=tell, **seams)

    first_clock = Clock()
    with python_running(HOLD, tmp_path), pytest.raises(Suspended):
        waiting(first_clock, Holder(1, 7), told, sleep=second_waits, timeout_seconds=60).hold(
            "key"
        ).__enter__()

    assert len(told.holders) == 2, "the first on its terminal, and the third on another"


def test_a_holder_that_let_go_before_it_stopped_is_not_passed(tmp_path: Path, directory: int) -> None:
    with python_running(HOLD, tmp_path) as holder:

        def stops_after_letting_go(_pid: int) -> bool:
            holder.communicate(timeout=20)
            return True

        ours = locks(directory, Clock(), is_stopped=stops_after_letting_go)
        with ours.hold("key"):
            ours.mention_passed()

    assert not (tmp_path / "key.1.lock").exists()


def test_who_fails_keeps_the_lock_until_that_has_been_said(tmp_path: Path, directory: int) -> None:
    ours = locks(directory)
    with pytest.raises(GdsExecError), ours.hold("key"):
        raise GdsExecError("three wrong codes")
    assert not is_free(directory)

    with ours.hold("another"):
        assert is_free(directory)


def test_it_is_known_whether_there_was_somebody_to_wait_for(tmp_path: Path, directory: int) -> None:
    alone = locks(directory)
    with alone.hold("key"):
        assert not alone.has_waited
    with python_running(HOLD, tmp_path) as holder:
        clock = Clock()
        second = locks(directory, clock, sleep=lambda _: holder.communicate(timeout=20))
        with second.hold("key"):
            assert second.has_waited


def test_who_cannot_know_whether_another_tells_waits_all_the_same(tmp_path: Path, directory: int) -> None:
    (tmp_path / "terminal-7.telling").symlink_to("elsewhere")
    told = Told()
    clock = Clock()
    with python_running(HOLD, tmp_path):
        waiting = locks(directory, clock, me=Holder(1, 7), tell=told, timeout_seconds=3, sleep=clock.sleep)
        with pytest.raises(LockTimeout):
            waiting.hold("key").__enter__()

    assert len(told.holders) == 1
