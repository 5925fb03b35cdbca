import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import psutil
import pytest

# Runs the command under a supervisor, and ends as it does.
PARENT = """
import os, selectors, sys
from gds_exec.child.foreground import end_like
from gds_exec.execute import find_command
from gds_exec.child.supervisor import Supervisor
from gds_exec.errors import GdsExecError
def turn(selector):
    for key, _ in selector.select():
        key.data()
def run(argv, before=lambda supervisor, selector: None):
    with selectors.DefaultSelector() as selector:
        supervisor = Supervisor(selector)
        try:
            supervisor.start(argv, find_command(argv[0], path=os.environ["PATH"]), os.environ)
            before(supervisor, selector)
            while supervisor.status is None:
                turn(selector)
        finally:
            supervisor.close()
    return supervisor.status
"""
RUN = f"{PARENT}end_like(run(sys.argv[1:]))"

# Prints the number of each signal that it gets, but for those that it is told to leave alone.
LISTENER = """
import os, signal, sys
def tell(number, _):
    os.write(1, b"got %d;\\n" % number)
woken, wakeup = os.pipe()
os.set_blocking(wakeup, False)
signal.set_wakeup_fd(wakeup)  # so that none falls between a look and a pause
left_alone = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, *map(int, sys.argv[1:])}
for number in signal.valid_signals() - left_alone:
    signal.signal(number, tell)
os.write(1, b"ready %d %d;\\n" % (os.getpid(), os.getppid()))
while os.read(woken, 100):
    pass
"""
LISTENING = [sys.executable, "-I", "-c", LISTENER]
STOPPABLE = [*LISTENING, *(str(int(number)) for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU))]
# The same for queued signals, which Python's handlers would take for one.
QUEUE = """
import os, signal
queued = {signal.SIGRTMIN, signal.SIGRTMAX}
signal.pthread_sigmask(signal.SIG_BLOCK, queued)
os.write(1, b"ready %d %d;\\n" % (os.getpid(), os.getppid()))
while True:
    os.write(1, b"got %d;\\n" % signal.sigwait(queued))
"""
# Python runs the handlers of what has arrived in the order of the numbers: this one's is the last.
MARK = signal.SIGRTMAX
NEVER_PASSED_ON = {
    *(signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ),
    *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS),
}
PASSED_ON = sorted(signal.valid_signals() - NEVER_PASSED_ON - {MARK})


def parent_of(*argv: str, script: str = RUN) -> list[str]:
    return [sys.executable, "-c", script, *argv]


def run(
    *argv: str, script: str = RUN, preexec: Callable[[], object] | None = None, **more: object
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        parent_of(*argv, script=script),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        preexec_fn=preexec,
        **more,
    )


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "gone"


def has_ended(pid: int) -> bool:
    return state_of(pid) in {"gone", "Z"}


class Scene:
    """A terminal on which a listening command runs under a supervisor, perhaps from a shell."""

    def __init__(self, terminal: "pexpect.spawn[str]") -> None:
        self.terminal = terminal
        terminal.delaybeforesend = None
        terminal.expect(r"ready (\d+) (\d+);")
        assert terminal.match is not None
        self.command, self.parent = int(terminal.match.group(1)), int(terminal.match.group(2))
        assert eventually(lambda: len(psutil.Process(self.parent).children()) == 2)
        (self.witness,) = (
            child.pid for child in psutil.Process(self.parent).children() if child.pid != self.command
        )
        self.settle()

    def settle(self) -> list[int]:
        """Return what the command has got since, once all that was sent before has reached it."""
        os.kill(self.parent, MARK)
        self.terminal.expect_exact(f"got {int(MARK)};")
        return self._told()

    def got(self, number: int) -> list[int]:
        """Wait for the signal and return all that came with it."""
        self.terminal.expect_exact(f"got {int(number)};")
        return [*self._told(), number, *self.settle()]

    def _told(self) -> list[int]:
        return [int(number) for number in re.findall(r"got (\d+);", self.terminal.before or "")]


@contextmanager
def on_a_terminal(*command: str, ignore_sighup: bool = False) -> Iterator[Scene]:
    argv = parent_of(*command)
    terminal = pexpect.spawn(
        argv[0], argv[1:], encoding="utf-8", timeout=20, echo=False, ignore_sighup=ignore_sighup
    )
    scene = Scene(terminal)
    try:
        yield scene
    finally:
        os.kill(scene.parent, signal.SIGKILL)
        terminal.close(force=True)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with on_a_terminal(*LISTENING) as scene:
        yield scene


@pytest.fixture
def shell() -> Iterator["pexpect.spawn[str]"]:
    shell = pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], encoding="utf-8", timeout=20)
    shell.sendline("bind 'set enable-bracketed-paste off'; PS1='$ '; echo rea''dy")
    shell.expect_exact("ready")
    yield shell
    shell.close(force=True)


@pytest.fixture
def job(shell: "pexpect.spawn[str]", tmp_path: Path) -> Iterator[Scene]:
    shell.sendline(file_of(tmp_path, parent_of(*STOPPABLE)))
    scene = Scene(shell)
    yield scene
    os.kill(scene.parent, signal.SIGKILL)


def file_of(tmp_path: Path, argv: list[str]) -> str:
    """A short line for a shell: what is typed at one is echoed, and may wrap."""
    path = tmp_path / "run"
    path.write_text(f"exec {shlex.join(argv)}\n")
    return f"sh {path}"


def typed(scene: Scene) -> None:
    scene.terminal.sendcontrol("c")


def to_us(scene: Scene) -> None:
    os.kill(scene.parent, signal.SIGINT)


def to_the_group(scene: Scene) -> None:
    os.killpg(os.getpgid(scene.parent), signal.SIGINT)


def to_the_command(scene: Scene) -> None:
    os.kill(scene.command, signal.SIGINT)


def test_an_interrupt_arrives_once_whoever_sends_it_to_whom(scene: Scene) -> None:  # matrix 86, 87
    for send in (typed, to_us, to_the_group, to_the_command) * 30:
        send(scene)

        assert (send.__name__, scene.got(signal.SIGINT)) == (send.__name__, [signal.SIGINT])


@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to us", "to the group"])
def test_every_signal_arrives_once(send: Callable[[int, int], None], scene: Scene) -> None:  # matrix 86
    for number in PASSED_ON:
        send(scene.parent, number)

        assert scene.got(number) == [number]


def test_real_time_signals_arrive_as_often_as_they_were_sent() -> None:
    with on_a_terminal(sys.executable, "-I", "-c", QUEUE) as scene:
        for _ in range(5):
            os.kill(scene.parent, signal.SIGRTMIN)
        for _ in range(5):
            scene.terminal.expect_exact(f"got {int(signal.SIGRTMIN)};")

        assert scene.settle() == []


def test_without_its_witness_a_terminals_signals_still_arrive_once(scene: Scene) -> None:
    os.kill(scene.witness, signal.SIGKILL)
    assert eventually(lambda: state_of(scene.witness) == "gone")

    for send in (typed, to_the_group, to_the_command) * 3:
        send(scene)
        assert scene.got(signal.SIGINT) == [signal.SIGINT]
    os.kill(scene.parent, signal.SIGTERM)
    assert scene.got(signal.SIGTERM) == [signal.SIGTERM]


def test_a_witness_that_is_stopped_delays_nothing_for_long(scene: Scene) -> None:
    os.kill(scene.witness, signal.SIGSTOP)
    assert eventually(lambda: state_of(scene.witness) == "T")

    os.kill(scene.parent, signal.SIGTERM)
    assert scene.got(signal.SIGTERM) == [signal.SIGTERM]
    typed(scene)
    assert scene.got(signal.SIGINT) == [signal.SIGINT]

    os.kill(scene.witness, signal.SIGCONT)
    assert eventually(lambda: state_of(scene.witness) == "S")
    to_us(scene)
    assert scene.got(signal.SIGINT) == [signal.SIGINT]


def test_ctrl_z_stops_both_and_fg_continues_both_once(job: Scene) -> None:  # matrix 87
    for _ in range(5):
        job.terminal.sendcontrol("z")
        job.terminal.expect_exact("Stopped")
        assert [state_of(pid) for pid in (job.command, job.parent, job.witness)] == ["T", "T", "S"]
        job.terminal.sendline("fg")
        assert job.got(signal.SIGCONT) == [signal.SIGCONT]


def test_a_stop_that_is_sent_to_us_stops_both(job: Scene) -> None:  # matrix 86
    os.kill(job.parent, signal.SIGTSTP)
    job.terminal.expect_exact("Stopped")
    assert [state_of(pid) for pid in (job.command, job.parent)] == ["T", "T"]

    os.kill(job.parent, signal.SIGCONT)
    assert eventually(lambda: state_of(job.command) == "S")
    assert job.got(signal.SIGCONT) == [signal.SIGCONT]


def test_a_command_stopped_by_another_process_does_not_stop_us(job: Scene) -> None:
    os.kill(job.command, signal.SIGSTOP)
    assert eventually(lambda: state_of(job.command) == "T")
    os.kill(job.parent, signal.SIGTERM)
    assert eventually(lambda: f"{1 << (signal.SIGTERM - 1):016x}" in signals_of(job.command))  # it is pending

    assert state_of(job.parent) == "S"
    os.kill(job.command, signal.SIGCONT)
    assert sorted(job.got(signal.SIGCONT)) == [signal.SIGTERM, signal.SIGCONT]


def signals_of(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


def test_reading_the_terminal_from_the_background_stops_both(
    shell: "pexpect.spawn[str]", tmp_path: Path
) -> None:
    def is_stopped() -> bool:
        shell.sendline("jobs")
        return shell.expect_exact(["Stopped", pexpect.TIMEOUT], timeout=1) == 0

    shell.sendline(f"{file_of(tmp_path, parent_of('cat'))} &")
    assert eventually(is_stopped)
    shell.sendline("fg")
    shell.sendline("typed now")
    shell.expect_exact("typed now\r\ntyped now\r\n")
    shell.sendcontrol("d")
    shell.sendline("echo status $?")
    shell.expect_exact("status 0")


def test_in_a_pipeline_the_command_dies_of_a_closed_pipe() -> None:  # matrix 88
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -1; exit ${PIPESTATUS[0]}', "bash", *parent_of("yes")],
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert (done.stdout, done.returncode) == (b"y\n", 128 + signal.SIGPIPE)


@pytest.mark.parametrize("status", [0, 1, 2, 126, 127, 128, 255])
def test_we_end_with_the_exit_status_of_the_command(status: int) -> None:
    assert run("sh", "-c", f"exit {status}").returncode == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGINT])
def test_we_die_by_the_signal_that_killed_the_command(number: signal.Signals) -> None:  # matrix 84
    assert run("sh", "-c", f"kill -{number.value} $$").returncode == -number


@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to us", "to the group"])
def test_a_deadly_signal_ends_both_through_the_command(send: Callable[[int, int], None]) -> None:
    with subprocess.Popen(
        parent_of("sh", "-c", "echo ready; exec sleep 60"), stdout=-1, process_group=0
    ) as us:
        assert us.stdout is not None
        assert us.stdout.readline() == b"ready\n"
        send(us.pid, signal.SIGTERM)

        assert us.wait(30) == -signal.SIGTERM


def test_when_we_are_killed_nothing_stays(scene: Scene) -> None:  # matrix 97
    os.kill(scene.parent, signal.SIGKILL)

    assert eventually(lambda: has_ended(scene.command) and has_ended(scene.witness))


CHILDREN_AFTERWARDS = f"""{PARENT}
run(sys.argv[1:])
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("none")
"""


@pytest.mark.parametrize("argv", [("true",), ("sh", "-c", "kill -9 $$")], ids=["exit", "signal"])
def test_when_the_command_has_ended_nothing_stays(argv: tuple[str, ...]) -> None:  # matrix 97
    assert run(*argv, script=CHILDREN_AFTERWARDS).stdout == "none\n"


OTHER_CHILDREN = f"""{PARENT}
def before(supervisor, selector):
    for status in ("0", "5"):
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit " + status], {{}})
        supervisor.on_exit(pid, lambda status: ended.append(os.waitstatus_to_exitcode(status)))
    while len(ended) < 2:
        turn(selector)
    os.kill(supervisor.pid, 15)
ended = []
status = run(sys.argv[1:], before)
print(sorted(ended), status)
"""


def test_the_end_of_another_child_is_told_and_is_not_the_commands() -> None:
    assert run("sleep", "60", script=OTHER_CHILDREN).stdout == f"[0, 5] {int(signal.SIGTERM)}\n"


FAILURE = f"""{PARENT}
try:
    selector = selectors.DefaultSelector()
    supervisor = Supervisor(selector)
    supervisor.start(sys.argv[1:], sys.argv[1], dict(os.environ, BIG="x" * int(os.environ.get("SIZE", "0"))))
except GdsExecError as error:
    supervisor.close()
    print(type(error).__name__, error.message)
    print(open(f"/proc/self/task/{{os.getpid()}}/children").read() or "no child")
"""


@pytest.mark.parametrize(
    ("argv", "environ", "told"),
    [
        pytest.param(["/no/such"], {}, "CommandNotFound there is no file /no/such", id="missing"),
        pytest.param(["/etc/passwd"], {}, "CommandNotExecutable /etc/passwd cannot be run", id="no program"),
        pytest.param(["/"], {}, "CommandNotExecutable / cannot be run", id="directory"),
        pytest.param(["/bin/true"], {"SIZE": "200000"}, "CommandNotExecutable the arguments", id="too big"),
    ],
)
def test_a_command_that_cannot_be_run_is_an_error_of_ours(  # matrix 85, 90
    argv: list[str], environ: dict[str, str], told: str
) -> None:
    done = run(*argv, script=FAILURE, env={**os.environ, **environ})

    assert done.stdout.startswith(told), done
    assert done.stdout.endswith("no child\n")


def test_an_argument_with_a_nul_is_an_error_of_ours() -> None:  # matrix 92
    script = FAILURE.replace("start(sys.argv[1:]", r"start(['true', 'a\0b']")

    assert run("/bin/true", script=script).stdout.startswith(
        "CommandNotExecutable /bin/true cannot be run: emb"
    )


@pytest.mark.parametrize(
    ("ignored", "blocked"),
    [
        pytest.param((), (), id="neither"),
        pytest.param((signal.SIGHUP,), (), id="nohup"),
        pytest.param((signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGCHLD), (), id="ignored"),
        pytest.param((), (signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD), id="blocked"),
    ],
)
def test_the_command_finds_its_signals_as_we_found_ours(  # matrix 88, 89
    ignored: tuple[signal.Signals, ...], blocked: tuple[signal.Signals, ...]
) -> None:
    def ignore_and_block() -> None:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)

    look = ["grep", "-E", "SigBlk|SigIgn", "/proc/self/status"]
    without_us = subprocess.run(
        look, capture_output=True, text=True, timeout=30, check=True, preexec_fn=ignore_and_block
    ).stdout

    assert run(*look, preexec=ignore_and_block).stdout == without_us
    # Not the two real-time signals of glibc's own, which whoever started these tests may have left ignored.
    sets = [int(line.split()[1], 16) & 0x7FFF_FFFF for line in without_us.splitlines()]
    assert sets == [bits(blocked), bits(ignored)]


def bits(numbers: tuple[signal.Signals, ...]) -> int:
    return sum(1 << (number - 1) for number in numbers)


def test_a_signal_that_our_caller_ignores_still_reaches_a_command_that_wants_it() -> None:  # matrix 89
    with on_a_terminal(*LISTENING, ignore_sighup=True) as scene:
        os.kill(scene.parent, signal.SIGHUP)

        assert scene.got(signal.SIGHUP) == [signal.SIGHUP]


def test_the_command_keeps_its_callers_descriptors_and_gets_none_of_ours() -> None:  # matrix 14
    reading, writing = os.pipe()
    os.write(writing, b"handed down")
    code = "import os, sys; print(os.read(int(sys.argv[1]), 100), len(os.listdir('/dev/fd')))"

    done = run(sys.executable, "-I", "-c", code, str(reading), pass_fds=(reading,))
    os.close(reading)
    os.close(writing)

    assert done.stdout == "b'handed down' 5\n"  # besides the streams only this, and the one that lists them


def test_the_witness_holds_nothing_open_and_is_not_named_as_we_are(scene: Scene) -> None:
    held = [os.readlink(f"/proc/{scene.witness}/fd/{n}") for n in os.listdir(f"/proc/{scene.witness}/fd")]

    assert sorted(target.split(":")[0] for target in held) == ["/dev/null"] * 3 + ["pipe"] * 2
    assert Path(f"/proc/{scene.witness}/comm").read_text() == "witness\n"
    assert os.getpgid(scene.witness) == os.getpgid(scene.command) == os.getpgid(scene.parent)


SURROUNDINGS = """
import os, resource
names = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
print({name: resource.getrlimit(getattr(resource, name)) for name in names})
print(os.nice(0), oct(os.umask(0)), os.getcwd(), os.getgroups(), os.getsid(0))
print(open("/proc/self/oom_score_adj").read())
"""


def test_the_surroundings_of_the_command_are_as_without_us(tmp_path: Path) -> None:  # matrix 100
    command = [sys.executable, "-I", "-c", SURROUNDINGS]

    def change() -> None:
        os.nice(3)
        os.umask(0o027)

    plain = subprocess.run(
        command, cwd=tmp_path, preexec_fn=change, capture_output=True, text=True, check=True
    )
    with_us = run(*command, cwd=tmp_path, preexec=change)

    assert with_us.stdout == plain.stdout
