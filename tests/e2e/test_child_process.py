"""The command notices nothing: its status, its signals, its terminal and its limits are its own."""

import ast
import os
import re
import resource
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from .expectations import assert_ours
from .observations import calls_of
from .patience import await_state, eventually
from .shells import Shell, every_shell
from .world import GDS_EXEC, PROMPT, PYTHON, World, finish

# Runs the installed program in a copy of this interpreter for each status, for its imports cost most.
EVERY_STATUS = """
import os, sys
import gds_exec.__main__, gds_exec.cli.app, gds_exec.cli.messages
for status in range(256):
    pid = os.fork()
    if pid == 0:
        sys.argv = ["gds-exec", "prod", "--", "/bin/sh", "-c", f"exit {status}"]
        gds_exec.__main__.main()
    _, how = os.waitpid(pid, 0)
    if not os.WIFEXITED(how) or os.WEXITSTATUS(how) != status:
        sys.exit(f"{how} instead of {status}")
print("every one")
"""
SIGNALS = "TERM HUP USR1 USR2 INT QUIT WINCH CONT TSTP TTIN TTOU ALRM PIPE XFSZ"
HEEDS_SIGNALS = f"""
import signal, sys
numbers = [getattr(signal, "SIG" + name) for name in "{SIGNALS}".split()]
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
print("ready", flush=True)
for _ in numbers:
    print(signal.Signals(signal.sigwait(numbers)).name, flush=True)
"""
AT_THE_TERMINAL = """
import signal, sys
def tell(number, _frame):
    print(f"got-{signal.Signals(number).name}", flush=True)
for name in ("SIGINT", "SIGQUIT", "SIGCONT"):
    signal.signal(getattr(signal, name), tell)
print("begun", flush=True)
line = sys.stdin.readline()
print(f"read-{line.strip()}", flush=True)
sys.exit(7)
"""
SHOW_BYTES = "import os, sys; print(([os.fsencode(a) for a in sys.argv[1:]], dict(os.environb)))"
SURROUNDINGS = """
import os, resource, signal
names = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
print({name: resource.getrlimit(getattr(resource, name)) for name in names})
print("nice", os.nice(0), "umask", oct(os.umask(0)), "cwd", os.getcwd(), "PWD", os.environ.get("PWD"))
print("groups", sorted(os.getgroups()), os.getresuid(), os.getresgid())
print("scheduler", os.sched_getscheduler(0), sorted(os.sched_getaffinity(0)))
print("session", os.getsid(0), "group", os.getpgrp(), "parent", os.getppid())
print("oom", open("/proc/self/oom_score_adj").read(), "dumpable", os.stat("/proc/self/fd").st_uid)
print("timers", signal.getitimer(signal.ITIMER_REAL))
status = open("/proc/self/status").read()
wanted = ("Sig", "Shd", "NoNewPrivs", "Seccomp:", "Cap", "THP")
print([line for line in status.splitlines() if line.startswith(wanted) and "SigQ" not in line])
"""


@pytest.fixture
def signed_in(world: World) -> World:
    world.add_role("prod")
    world.sign_in("prod")
    return world


def program(path: Path, text: str | bytes, *, mode: int = 0o755) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def as_role(world: World, *command: str, **options: object) -> subprocess.Popen[str]:
    """Start a command as the role, to be watched while it runs."""
    return subprocess.Popen(
        [GDS_EXEC, "prod", "--", *command],
        env=world.environ,
        cwd=world.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.matrix(83)
def test_every_exit_status_comes_back(signed_in: World) -> None:
    done = signed_in.run_program(PYTHON, "-c", EVERY_STATUS)

    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b"every one\n"


@pytest.mark.matrix(83)
@pytest.mark.parametrize("status", [0, 1, 2, 124, 125, 126, 127, 128, 130, 255])
def test_a_status_of_the_command_is_not_taken_for_ours(status: int, signed_in: World) -> None:
    done = signed_in.run("prod", "--", "sh", "-c", f"exit {status}")

    assert done.returncode == status
    assert done.stderr == b""


@pytest.mark.matrix(84)
@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV", "INT", "ABRT", "PIPE"])
def test_a_command_that_a_signal_kills_is_seen_to_die_of_it(name: str, signed_in: World) -> None:
    done = signed_in.run("prod", "--", "sh", "-c", f"ulimit -c 0; kill -{name} $$")

    assert done.returncode == -getattr(signal, f"SIG{name}")


@pytest.mark.matrix(85, 92)
@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        pytest.param("no-such-command", 127, ("no-such-command on the PATH",), id="not on the PATH"),
        pytest.param("./missing", 127, ("no file ./missing",), id="no such file"),
        pytest.param("./plain/x", 127, ("no file",), id="below a file"),
        pytest.param("", 127, ("empty string",), id="empty"),
        pytest.param("./plain", 126, ("not executable", "hint: chmod +x ./plain"), id="not executable"),
        pytest.param("plain-on-path", 126, ("not executable",), id="not executable, on the PATH"),
        pytest.param("./dir", 126, ("is a directory",), id="a directory"),
        pytest.param("/", 126, ("is a directory",), id="the root"),
        pytest.param("./bad-shebang", 127, ("interpreter", "/no/such/interpreter"), id="no interpreter"),
        pytest.param("./windows", 127, ("interpreter", "hint: its lines end as on Windows"), id="CRLF"),
        pytest.param("./dir-shebang", 126, ("is a directory",), id="interpreter a directory"),
        pytest.param("./plain-shebang", 126, ("plain is not executable",), id="interpreter not executable"),
        pytest.param("./no-shebang", 126, ("hint: if it is a script",), id="no shebang"),
        pytest.param("./empty", 126, ("not a program",), id="an empty file"),
        pytest.param("./fifo", 126, ("cannot be run",), id="a FIFO"),
        pytest.param("./loop", 127, ("no file",), id="a link to itself"),
        pytest.param("n" * 300, 127, ("on the PATH",), id="a name too long"),
    ],
)
@pytest.mark.parametrize("before", [("--",), ()], ids=["after --", "plain"])
def test_what_cannot_be_run_is_found_out_before_anything_is_asked(
    command: str, status: int, words: tuple[str, ...], before: tuple[str, ...], world: World
) -> None:
    world.add_role("prod")
    home = world.home
    program(home / "plain", "x", mode=0o644)
    program(home / "bad-shebang", "#!/no/such/interpreter\n")
    program(home / "windows", "#!/bin/sh\r\necho\r\n")
    program(home / "dir-shebang", f"#!{home}\n")
    program(home / "plain-shebang", f"#!{home / 'plain'}\n")
    program(home / "no-shebang", "echo hello\n")
    program(home / "empty", "")
    (home / "dir").mkdir()
    (home / "loop").symlink_to("loop")
    os.mkfifo(home / "fifo", 0o755)
    (home / "bin").mkdir()
    program(home / "bin" / "plain-on-path", "x", mode=0o644)

    result = world.run("prod", *before, command, environ={"PATH": f"{home / 'bin'}:{os.defpath}"})

    assert_ours(result, status, *words)
    assert world.aws.calls == []


@pytest.mark.matrix(85)
def test_with_a_person_at_the_terminal_a_missing_command_still_asks_nothing(world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", "no-such-command")

    said = finish(terminal)

    assert terminal.exitstatus == 127
    assert PROMPT not in said
    assert world.aws.calls == []


@pytest.mark.matrix(86)
def test_every_signal_sent_to_us_reaches_the_command(signed_in: World) -> None:
    with as_role(signed_in, PYTHON, "-c", HEEDS_SIGNALS) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "ready\n"
        for name in SIGNALS.split():
            os.kill(command.pid, getattr(signal, f"SIG{name}"))
            assert command.stdout.readline() == f"SIG{name}\n"

    assert command.returncode == 0


@pytest.mark.matrix(84, 86)
@pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "QUIT", "KILL", "USR1"])
def test_a_signal_to_us_ends_the_command_as_it_would_without_us(name: str, signed_in: World) -> None:
    with as_role(signed_in, "sh", "-c", "ulimit -c 0; echo ready; exec sleep 60") as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "ready\n"
        eventually(lambda: _assert_is(command.pid, "sleep"))
        os.kill(command.pid, getattr(signal, f"SIG{name}"))

    assert command.returncode == -getattr(signal, f"SIG{name}")


@pytest.mark.matrix(86)
def test_stopped_and_continued_by_a_process_it_goes_on(signed_in: World) -> None:
    with as_role(signed_in, "sh", "-c", "echo ready; read line; exit 3") as command:
        assert command.stdout is not None
        os.kill(command.pid, signal.SIGSTOP)
        await_state(command.pid, "stopped")
        os.kill(command.pid, signal.SIGCONT)
        assert command.stdout.readline() == "ready\n"

    assert command.returncode == 3


def _assert_is(pid: int, name: str) -> None:
    assert psutil.Process(pid).name() == name


@pytest.mark.matrix(87)
@every_shell
def test_keys_at_the_terminal_reach_the_command_once(shell: Shell, signed_in: World) -> None:
    program(signed_in.home / "witness.py", AT_THE_TERMINAL)

    assert seen_at(shell, signed_in, f"{GDS_EXEC} prod --") == seen_at(shell, signed_in, "")


def seen_at(shell: Shell, world: World, prefix: str) -> tuple[list[str], str]:
    """Sit at a shell, press every key at the witness, and return what it told and its status."""
    terminal = shell.open(world)
    seen = ""
    for key, answer in (
        (f"{prefix} {PYTHON} witness.py\n", r"begun\r"),
        ("\x03", "got-SIGINT"),
        ("\x1c", "got-SIGQUIT"),
        ("\x1a", r"(?i)(stopped|suspended)"),
        ("fg\n", "got-SIGCONT"),
        ("on\n", "read-on"),
        (f"echo status-{shell.status}\n", r"status-\d+"),
    ):
        terminal.send(key)
        terminal.expect(answer)
        seen += terminal.before + terminal.after
    told = re.findall(r"got-\w+|read-\w+", seen)
    assert told == ["got-SIGINT", "got-SIGQUIT", "got-SIGCONT", "read-on"]
    return told, terminal.after


@pytest.mark.matrix(87)
@every_shell
def test_ctrl_c_ends_a_command_that_does_not_mind_it_as_without_us(shell: Shell, signed_in: World) -> None:
    terminal = shell.open(signed_in)
    terminal.sendline(f"{GDS_EXEC} prod -- sh -c 'echo be''gun; sleep 60'")
    terminal.expect_exact("begun")
    terminal.sendintr()
    terminal.sendline(f"echo status-{shell.status}")

    terminal.expect(r"status-(\d+)")
    assert terminal.match.group(1) == "130"


@pytest.mark.matrix(88)
def test_a_command_whose_reader_has_gone_dies_of_sigpipe(signed_in: World) -> None:
    script = f"{GDS_EXEC} prod -- yes | head -n1; echo ${{PIPESTATUS[@]}}"
    done = signed_in.run_program("bash", "-c", script)

    assert done.stdout == b"y\n141 0\n"
    assert done.stderr == b""


@pytest.mark.matrix(88, 89)
@pytest.mark.parametrize(
    "before",
    [
        pytest.param("", id="nothing ignored"),
        pytest.param("nohup", id="nohup"),
        pytest.param("trap '' INT QUIT TERM USR1;", id="ignored by a trap"),
        pytest.param("trap '' TSTP TTIN TTOU CHLD;", id="job control ignored"),
    ],
)
@pytest.mark.parametrize("options", ["", "--mfa-code CODE"], ids=["cached", "cold"])
def test_signals_are_ignored_and_blocked_as_without_us(before: str, options: str, world: World) -> None:
    world.add_role("prod")
    if options:
        options = options.replace("CODE", world.code())
    else:
        world.sign_in("prod")
    look = "grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status"

    def run(prefix: str) -> tuple[int, bytes]:
        done = world.run_program("bash", "-c", f"{before} {prefix} {look}")
        return done.returncode, done.stdout

    status, ignored = run(f"{GDS_EXEC} prod {options} --")

    assert (status, ignored) == run("env")
    assert b"SigIgn" in ignored


@pytest.mark.matrix(89)
def test_blocked_signals_stay_blocked(signed_in: World) -> None:
    blocked = {signal.SIGUSR1, signal.SIGTERM, signal.SIGCHLD}
    done = signed_in.run(
        "prod",
        "grep",
        "SigBlk",
        "/proc/self/status",
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, blocked),
    )

    assert done.returncode == 0
    assert int(done.stdout.split()[1], 16) == sum(1 << (number - 1) for number in blocked)


def biggest_environment(argv_bytes: int) -> dict[str, str]:
    """Return variables of such a size that a program with this much argv can just be run."""

    def variables(size: int) -> dict[str, str]:
        whole, rest = divmod(size, 100_000)
        sizes = [100_000] * whole + [rest]
        return {f"FILLER_{number}": "x" * size for number, size in enumerate(sizes)}

    def is_too_big(size: int) -> bool:
        try:
            subprocess.run(["/bin/true", "x" * argv_bytes], env=variables(size), check=True)
        except OSError:
            return True
        return False

    fits, too_big = 0, 8_000_000
    while too_big - fits > 64:
        middle = (fits + too_big) // 2
        fits, too_big = (fits, middle) if is_too_big(middle) else (middle, too_big)
    return variables(fits)


@pytest.mark.matrix(90)
def test_an_environment_that_becomes_too_big_is_explained_by_its_biggest_variables(signed_in: World) -> None:
    needed = sum(len(name) + len(value) + 10 for name, value in signed_in.environ.items())
    filler = biggest_environment(argv_bytes=needed + 600)

    result = signed_in.run("prod", "--", "/bin/true", environ=filler)

    assert_ours(result, 126, "not-executable", "too big", "FILLER_1", "(98 KiB)")


@pytest.mark.matrix(90)
def test_an_environment_that_just_fits_is_passed_on(signed_in: World) -> None:
    filler = {f"FILLER_{number}": "x" * 100_000 for number in range(15)}

    done = signed_in.run("prod", "--", "sh", "-c", 'echo "${#FILLER_14}"', environ=filler)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"100000\n", b"")


@pytest.mark.matrix(91)
@pytest.mark.parametrize("locale", ["C.UTF-8", "C", "nowhere", ""])
def test_arguments_and_variables_that_are_no_text_arrive_byte_for_byte(locale: str, signed_in: World) -> None:
    raw = bytes(range(1, 256)).replace(b"\n", b"")
    environ = {**{name.encode(): value.encode() for name, value in signed_in.environ.items()}}
    environ |= {b"LANG": locale.encode(), b"RAW": raw, b"N\xff\xc3": b"name"}

    done = subprocess.run(
        [GDS_EXEC, "prod", "--", PYTHON, "-c", SHOW_BYTES, raw, b"\xff\xfe", b""],
        env=environ,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    arguments, variables = ast.literal_eval(done.stdout.decode())
    assert arguments == [raw, b"\xff\xfe", b""]
    assert variables[b"RAW"] == raw
    assert variables[b"N\xff\xc3"] == b"name"


@pytest.mark.matrix(91)
def test_a_command_whose_name_is_no_text_is_run_and_named(signed_in: World) -> None:
    name = b"caf\xe9\xff"
    path = os.path.join(os.fsencode(signed_in.home), name)
    with open(path, "w") as file:
        file.write("#!/bin/sh\necho ran\n")
    os.chmod(path, 0o755)

    ran = signed_in.run("prod", "--", os.fsdecode(b"./" + name))
    missed = signed_in.run("prod", "--", os.fsdecode(name))

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"ran\n", b"")
    assert_ours(missed, 127, r"caf\udce9\udcff")


@pytest.mark.matrix(93)
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["-h"],
        ["-v", "-d", "-e", "-s", "-l", "-o", "-q", "-V", "-r", "-t"],
        ["--", "x", "--", "--"],
        ["--version", "--debug", "--role", "other", "--mfa-code", "1"],
        ["-art", "-", "", " ", "a b", "*", "$HOME", "--x=y"],
        ["exec", "try", "whoami", "prod"],
        ["\u2013", "é", "--région=ouest"],
        ["@file", "%s", "\\n", "\n"],
    ],
    ids=str,
)
@pytest.mark.parametrize("before", [["--"], [], ["-q", "--"], ["--region", "eu-west-1"]], ids=str)
def test_nothing_after_the_command_is_ours(arguments: list[str], before: list[str], signed_in: World) -> None:
    echo = program(signed_in.home / "echo", f"#!{PYTHON}\nimport sys\nprint(ascii(sys.argv[1:]))\n")

    done = signed_in.run("prod", *before, str(echo), *arguments)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == ascii(arguments) + "\n"


@pytest.mark.matrix(93)
@pytest.mark.parametrize("name", ["--version", "-d", "--", "-q", "try", "-"])
def test_a_command_may_be_named_like_an_option_after_the_dashes(name: str, signed_in: World) -> None:
    (signed_in.home / "bin").mkdir()
    program(signed_in.home / "bin" / name, '#!/bin/sh\necho "ran $1"\n')

    done = signed_in.run(
        "prod", "--", name, "--help", environ={"PATH": f"{signed_in.home / 'bin'}:{os.defpath}"}
    )

    assert (done.returncode, done.stdout) == (0, b"ran --help\n")


@pytest.mark.parametrize(
    "argv",
    [
        ("prod", "--region", "eu-west-1", "--"),
        ("--region", "eu-west-1", "prod", "--"),
        ("--region=eu-west-1", "prod"),
        ("-r", "eu-west-1", "prod"),
        ("-reu-west-1", "prod", "--"),
        ("prod", "-qr", "eu-west-1"),
        ("-q", "--role", "prod", "-r", "eu-west-1", "--"),
        ("--role=prod", "-r", "eu-west-1"),
    ],
    ids=" ".join,
)
def test_options_stand_before_or_after_the_role(argv: tuple[str, ...], signed_in: World) -> None:
    done = signed_in.run(*argv, "sh", "-c", "echo $AWS_REGION $AWS_DEFAULT_REGION $GDS_EXEC_ROLE")

    assert (done.returncode, done.stdout) == (0, b"eu-west-1 eu-west-1 prod\n")


@pytest.mark.matrix(92)
@pytest.mark.parametrize(
    "argv",
    [
        pytest.param((), id="nothing"),
        pytest.param(("--",), id="only --"),
        pytest.param(("--", "true"), id="no role"),
        pytest.param(("prod", "--"), id="no command after --"),
        pytest.param(("prod",), id="no command and no terminal"),
        pytest.param(("prod", "--no-such-option", "--", "true"), id="unknown option"),
        pytest.param(("prod", "-Z", "true"), id="unknown letter"),
        pytest.param(("prod", "--duration", "8x", "--", "true"), id="bad duration"),
        pytest.param(("prod", "--duration", "", "--", "true"), id="empty duration"),
        pytest.param(("prod", "--duration", "-1h", "--", "true"), id="negative duration"),
        pytest.param(("prod", "--duration", "٣h", "--", "true"), id="duration in Arabic digits"),
        pytest.param(("prod", "--duration", "9" * 5000, "--", "true"), id="endless duration"),
        pytest.param(("prod", "--duration"), id="an option without its value"),
        pytest.param(("prod", "--min-remaining", "0", "--", "true"), id="zero minimum"),
        pytest.param(("prod", "--mfa-code", "12345", "--", "true"), id="short code"),
        pytest.param(("prod", "--mfa-code", "١٢٣٤٥٦", "--", "true"), id="code in Arabic digits"),
        pytest.param(("prod", "--region", "a b", "--", "true"), id="bad region"),
        pytest.param(("prod", "--session-name", "a b", "--", "true"), id="bad session name"),
        pytest.param(("prod", "-s", "--", "true"), id="shell and command"),
        pytest.param(("prod", "--quiet=yes", "--", "true"), id="a flag with a value"),
        pytest.param(("whoami", "more"), id="a word with too much"),
    ],
)
def test_a_command_line_that_cannot_be_understood_is_a_usage_error(
    argv: tuple[str, ...], world: World
) -> None:
    world.add_role("prod")

    result = world.run(*argv)

    assert_ours(result, 2, "[usage]", "hint: ")
    assert world.aws.calls == []


@pytest.mark.parametrize("options", [(), ("-s",), ("--shell", "-q")], ids=str)
def test_without_a_command_a_person_gets_their_shell_as_the_role(
    options: tuple[str, ...], signed_in: World
) -> None:
    shell = program(signed_in.home / "myshell", '#!/bin/sh\necho "shell of $GDS_EXEC_ROLE with $#"; exit 6\n')
    terminal = signed_in.terminal("prod", *options, environ={"SHELL": str(shell)})

    assert finish(terminal) == "shell of prod with 0\n"
    assert terminal.exitstatus == 6


def test_without_shell_the_variable_there_is_bin_sh(signed_in: World) -> None:
    terminal = signed_in.terminal("prod", environ={"SHELL": ""})
    terminal.sendline("echo $0 $AWS_ACCESS_KEY_ID; exit 4")

    terminal.expect(r"/bin/sh ASIA[A-Z0-9]{16}")
    finish(terminal)
    assert terminal.exitstatus == 4


def test_a_shell_that_is_asked_for_needs_no_terminal(signed_in: World) -> None:
    done = signed_in.run("prod", "-s", input=b"echo $GDS_EXEC_ROLE; exit 5\n")

    assert (done.returncode, done.stdout) == (5, b"prod\n")


@pytest.mark.parametrize("shell", ["/no/such/shell", "no-such-shell"])
def test_a_shell_that_is_missing_is_said_before_anything_is_asked(shell: str, world: World) -> None:
    world.add_role("prod")

    assert_ours(world.run("prod", "-s", environ={"SHELL": shell}), 127, shell)
    assert world.aws.calls == []


@pytest.mark.matrix(96)
def test_inside_gds_exec_the_inner_one_begins_again_from_the_base_keys(world: World) -> None:
    world.add_role("outer")
    inner = world.add_role("inner")
    world.sign_in("outer")

    done = world.run("outer", "--", GDS_EXEC, "inner", "--", "sh", "-c", "echo $GDS_EXEC_ROLE")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"inner\n", b"")
    assert calls_of(world.aws, "AssumeRole")[-1].parameters["RoleArn"] == inner.arn
    assert world.aws.count("GetSessionToken") == 1


@pytest.mark.matrix(97)
def test_the_command_is_our_process_and_has_no_children_that_it_did_not_make(world: World) -> None:
    world.add_role("prod", settings=f"mfa_process = sh -c 'echo {world.code()}'")
    with as_role(world, "sh", "-c", "echo ready; read line; exit 0") as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "ready\n"
        process = psutil.Process(command.pid)

        assert process.name() == "sh"
        assert process.children() == []
        assert process.num_threads() == 1


@pytest.mark.matrix(100)
@pytest.mark.parametrize(
    "surroundings",
    [
        pytest.param("", id="as they are"),
        pytest.param("umask 027; ulimit -c 0; ulimit -n 77; ulimit -S -s 4096", id="limits"),
        pytest.param("umask 777; ulimit -c 12345; ulimit -f 1000000", id="other limits"),
        pytest.param("mkdir -p 'a b'; cd 'a b'; renice -n 5 $$ >/dev/null", id="nice, elsewhere"),
        pytest.param("mkdir gone; cd gone; rmdir ../gone; cd /", id="back from a vanished directory"),
        pytest.param("echo 300 >/proc/self/oom_score_adj", id="OOM score"),
        pytest.param("taskset -cp 0 $$ >/dev/null", id="one processor"),
    ],
)
@pytest.mark.parametrize("is_cached", [True, False], ids=["cached", "cold"])
def test_everything_else_about_the_process_is_as_without_us(
    surroundings: str, is_cached: bool, world: World
) -> None:
    world.add_role("prod")
    options = f"--mfa-code {world.code()}"
    if is_cached:
        world.sign_in("prod")
        options = ""
    witness = program(world.home / "surroundings.py", SURROUNDINGS)
    command = f"{PYTHON} {witness}"
    script = f"{surroundings}\n{command} >&3\n{GDS_EXEC} prod {options} -- {command} >&4"

    done = world.run_program("bash", "-c", f"exec 3>without 4>with\n{script}", preexec_fn=allow_cores)

    assert done.returncode == 0, done.stderr.decode()
    without, with_us = ((world.home / name).read_text() for name in ("without", "with"))
    assert without.count("\n") > 6
    assert with_us == without


def allow_cores() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (min(hard, 20_000_000) if hard >= 0 else 20_000_000, hard))


@pytest.mark.matrix(100)
def test_a_working_directory_that_has_vanished_is_no_concern(signed_in: World) -> None:
    script = f"mkdir gone; cd gone; rmdir ../gone; {GDS_EXEC} prod -- /bin/sh -c 'echo ran'"

    done = signed_in.run_program("bash", "-c", script)

    assert (done.returncode, done.stdout) == (0, b"ran\n")
