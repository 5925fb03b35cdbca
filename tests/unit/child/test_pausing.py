"""Each script here leads a process group of its own, in which it stops others."""

import os

import pytest

from tests.processes import run_python

# Starts processes, and prints what comes of them.
STAGE = """
import os, signal, subprocess, sys, time
os.setpgid(0, 0)
from gds_exec.child.pausing import Unstoppable, pausing
import psutil

started, told = [], []

def start(code="import time; print('ready', flush=True); time.sleep(60)", **options):
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **options)
    started.append(process)
    assert process.stdout.readline() == "ready\\n"
    return process

def state(process):
    return psutil.Process(process.pid).status()

def is_stopped(*processes):
    return [state(process) == "stopped" for process in processes]

def eventually(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

ELSEWHERE = {"process_group": 0}
"""
END = """
for process in started:
    process.kill()
    process.wait()
"""


def printed_by(script: str, *arguments: str) -> list[str]:
    return run_python(
        f"{STAGE}\ntry:\n{indented(script)}\nfinally:\n{indented(END)}", *arguments
    ).splitlines()


def indented(script: str) -> str:
    return "\n".join(f"    {line}" for line in script.splitlines())


def test_the_command_and_our_group_stop_and_go_on_afterwards() -> None:
    printed = printed_by("""
command, member = start(**ELSEWHERE), start()
with pausing(command.pid, announce=told.append) as pause:
    print(*is_stopped(command, member))
    pause()
    print(*is_stopped(command, member))
eventually(lambda: is_stopped(command, member) == [False, False])
""")

    assert printed == ["False False", "True True"]


def test_the_descendants_of_the_command_stop_in_whatever_group_they_are() -> None:
    printed = printed_by("""
command = start(
    "import subprocess, sys; sys.stdout.flush()\\n"
    "child = [sys.executable, '-c', 'import time; print(\\"ready\\", flush=True); time.sleep(60)']\\n"
    "subprocess.run(child, process_group=0)",
    **ELSEWHERE)
[descendant] = psutil.Process(command.pid).children()
with pausing(command.pid, announce=told.append) as pause:
    pause()
    print(*is_stopped(command, descendant))
eventually(lambda: is_stopped(command, descendant) == [False, False])
descendant.kill()
""")

    assert printed == ["True True"]


def test_our_ancestors_the_spared_and_strangers_do_not_stop() -> None:
    asker = """
import os, subprocess, sys
from gds_exec.child.pausing import pausing
import psutil
command, witness, stranger = map(int, sys.argv[1:])
with pausing(command, spare={witness}, announce=lambda pids: None) as pause:
    pause()
    print(*(psutil.Process(pid).status() for pid in (command, witness, stranger, os.getppid())))
"""
    printed = printed_by(
        """
command, witness, stranger = start(), start(), start(**ELSEWHERE)
pids = [str(process.pid) for process in (command, witness, stranger)]
asker = subprocess.run([sys.executable, "-c", sys.argv[1], *pids], stdout=subprocess.PIPE, text=True)
print(asker.stdout, end="")
""",
        asker,
    )

    assert printed == ["stopped sleeping sleeping sleeping"]


def test_who_was_stopped_before_stays_stopped() -> None:
    printed = printed_by("""
command, member = start(), start()
member.send_signal(signal.SIGSTOP)
eventually(lambda: is_stopped(member) == [True])
with pausing(command.pid, announce=told.append) as pause:
    pause()
eventually(lambda: is_stopped(command) == [False])
print(*is_stopped(member), told == [[command.pid]])
""")

    assert printed == ["True True"]


def test_who_is_to_be_stopped_is_announced_before() -> None:
    printed = printed_by("""
command, member = start(), start()
def announce(pids):
    print(pids == sorted([command.pid, member.pid]), *is_stopped(command, member))
with pausing(command.pid, announce=announce) as pause:
    pause()
""")

    assert printed == ["True False False"]


def test_who_appears_meanwhile_is_stopped_too() -> None:
    printed = printed_by("""
command = start()
def announce(pids):
    told.append(pids)
    if len(told) == 1:
        start()
with pausing(command.pid, announce=announce) as pause:
    pause()
    print(*is_stopped(*started))
eventually(lambda: is_stopped(*started) == [False, False])
print(told == [[process.pid] for process in started])
""")

    assert printed == ["True True", "True"]


def test_it_is_given_up_where_there_are_always_more_and_all_go_on() -> None:
    printed = printed_by("""
command = start()
def announce(pids):
    started.append(subprocess.Popen(["sleep", "60"]))
try:
    with pausing(command.pid, announce=announce) as pause:
        pause()
except Unstoppable:
    print("unstoppable")
eventually(lambda: True not in is_stopped(*started))
""")

    assert printed == ["unstoppable"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_it_is_given_up_where_somebody_is_not_ours_to_stop_and_all_go_on() -> None:
    printed = printed_by("""
def become_another():
    os.setresuid(65534, 65534, 65534)
mine = os.fork()
if mine == 0:
    become_another()
    time.sleep(60)
    os._exit(0)
eventually(lambda: psutil.Process(mine).uids().real == 65534)
of_root = start()
asker = os.fork()
if asker == 0:
    become_another()
    try:
        with pausing(mine, announce=told.append) as pause:
            pause()
    except Unstoppable:
        print("unstoppable", told == [sorted([mine, of_root.pid])], flush=True)
    os._exit(0)
os.waitpid(asker, 0)
eventually(lambda: psutil.Process(mine).status() == state(of_root) == "sleeping")
os.kill(mine, signal.SIGKILL)
""")

    assert printed == ["unstoppable True"]


def test_who_waits_for_a_child_does_not_see_it_stopped() -> None:
    waiting = """
import os, time
child = os.fork()
if child == 0:
    time.sleep(60)
print("ready", flush=True)
while True:
    _, status = os.waitpid(child, os.WUNTRACED)
    print("stopped" if os.WIFSTOPPED(status) else "ended", flush=True)
    if not os.WIFSTOPPED(status):
        break
"""
    printed = printed_by(
        """
command = start(sys.argv[1])
for _ in range(10):
    with pausing(command.pid, announce=told.append) as pause:
        pause()
psutil.Process(command.pid).children()[0].kill()
print(command.stdout.readline())
""",
        waiting,
    )

    assert printed[0] == "ended"


def test_who_ended_meanwhile_is_left_alone() -> None:
    printed = printed_by("""
command, member = start(), start()
with pausing(command.pid, announce=told.append) as pause:
    pause()
    command.kill()
    command.wait()
eventually(lambda: is_stopped(member) == [False])
with pausing(command.pid, announce=told.append) as pause:
    pause()
    print(*is_stopped(member))
""")

    assert printed == ["True"]


def test_psutil_is_loaded_by_those_who_stop_somebody_alone() -> None:
    script = "import sys; from gds_exec.child import pausing; print('psutil' in sys.modules)"

    assert run_python(script) == "False\n"
