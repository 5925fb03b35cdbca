"""What the command inherits from the caller through us: signals, bytes, limits and all the rest."""

import ast
import os
import resource
import signal
import subprocess

import pytest

from .expectations import assert_ours
from .programs import program
from .world import GDS_EXEC, PYTHON, World

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
