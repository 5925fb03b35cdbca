"""The lines that people had for `gds aws`, with `gds-exec` in its place and real programs around it.

The shapes of these lines, and where else each is shown:

1. `ROLE -- COMMAND`, a shell, a script, a Makefile's targets: `test_real_clients`.
2. Without `--`, options after the role, the command's options its own: `test_command_line`.
3. Standard input is the command's: all of it in `test_real_clients` and `test_streams`.
4. Standard output is the command's, captured or piped: `test_real_clients`.
5. A far shell behind a `--` of the command's own.
6. Statuses and standard error as without us: all of it in `test_real_clients` and `test_export`.
7. Variables set in front: all of it in `test_real_clients` and `test_environment`.
8. One code for a loop over roles: all of it in `test_real_clients`.
9. Inside another role's shell: all of it in `test_real_clients` and `test_role_shell`.
10. `eval $(ROLE -e)`, unquoted: `test_export`.
11. Aliases, functions and a Node program; mise and Rake, which are not here, hand their lines to a shell.
12. A file of `-e`, and containers that are given the variables: `test_export`.
"""

import re
import shlex

import pytest

from .expectations import FAILED_EXPORT, assert_ours
from .patience import insist
from .programs import program
from .s3 import serve_s3
from .shells import BASH, FISH, ZSH, Shell
from .world import GDS_EXEC, PROMPT, PYTHON, World, finish, needs

EIGHT_HOURS = 8 * 3600
CTRL_C = "\x03"
WHO_AM_I = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
PASSWORD = b"eyJwYXlsb2FkIjoi%\\n\n"
# What `docker` does with its options: a password is all of standard input, and in the container
# are the variables that were named.
DOCKER = f"""\
#!{PYTHON}
import os, sys
verb, *arguments = sys.argv[1:]
if verb == "login":
    assert arguments == ["--username", "AWS", "--password-stdin"], arguments
    open("password", "wb").write(sys.stdin.buffer.read())
    sys.exit()
inside = {{}}
while arguments[0] == "-e":
    inside[arguments[1]] = os.environ[arguments[1]]
    del arguments[:2]
image, *command = arguments
os.execvpe(command[0], command, inside)
"""
# What `kubectl exec -it` does: the far shell has a terminal of its own, to which each key is passed on.
KUBECTL = f"""\
#!{PYTHON}
import os, pty, sys
ours, far = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
assert ours == ["exec", "-it", "deploy/app", "-c", "app"], ours
sys.exit(os.waitstatus_to_exitcode(pty.spawn(far)))
"""
# A program that reads what `-e` prints with the pattern that such programs have.
NODE = r"""
const said = require("child_process").execFileSync("gds-exec", ["prod", "-e"], { encoding: "utf8" });
const found = Object.fromEntries(
  [...said.matchAll(/export\s+(\w+)=['"]?([^'";]+)['"]?/g)].map(([, name, value]) => [name, value]));
console.log(`node has ${found.AWS_ACCESS_KEY_ID} in ${found.AWS_REGION}`);
"""
ALIASES = {
    BASH.name: "shopt -s expand_aliases\nalias as-prod='gds-exec prod --'\nalias quietly='gds-exec -q'\n",
    ZSH.name: "alias as-prod='gds-exec prod --'\nalias quietly='gds-exec -q'\n",
    FISH.name: "alias as-prod 'gds-exec prod --'\nalias quietly 'gds-exec -q'\n",
}
FUNCTIONS = {
    BASH.name: 'as() { local role=$1; shift; gds-exec "$role" "$@"; }\n',
    ZSH.name: 'as() { local role=$1; shift; gds-exec "$role" "$@"; }\n',
    FISH.name: "function as; gds-exec $argv[1] $argv[2..]; end\n",
}
WITHOUT_SETTINGS = {BASH.name: "--norc", ZSH.name: "-f", FISH.name: "--no-config"}
REPORT = "sh -c 'echo \"$GDS_EXEC_ROLE<$1>\"; exit 3' - 'a b'"
LONG_SESSIONS = [
    ("prod", "--art", "8h"),
    ("-art", "8h", "prod"),
    ("prod", "-art=8h"),
    ("--assume-role-ttl", "480m", "prod"),
]
NOTICE = "lasts 1h at most"
TWO_HOURS = ("chained", "--duration", "2h")
every_shell = pytest.mark.parametrize(
    "shell", [pytest.param(shell, id=shell.name, marks=needs(shell.name)) for shell in (BASH, ZSH, FISH)]
)
every_ending = pytest.mark.parametrize("separator", [("--",), ()], ids=["with --", "without --"])
PLACES = [
    pytest.param(("prod", "-r", "eu-west-1", "{}"), id="at the end"),
    pytest.param(("prod", "{}", "--region", "eu-west-1"), id="after the role"),
    pytest.param(("{}", "-r", "eu-west-1", "prod"), id="in front"),
    pytest.param(("{}", "-q", "--role", "prod", "-r=eu-west-1"), id="with --role"),
    pytest.param(("-q{}r", "eu-west-1", "prod"), id="in a cluster"),
]


@pytest.fixture
def programs(world: World) -> World:
    """A world with stand-ins for the programs whose other side is not here."""
    directory = world.home / "bin"
    directory.mkdir()
    program(directory / "docker", DOCKER)
    program(directory / "kubectl", KUBECTL)
    world.environ["PATH"] = f"{directory}:{world.environ['PATH']}"
    return world


@pytest.fixture
def talkative(world: World) -> World:
    """A world in which `chained` gives rise to a notice, whenever two hours are asked for."""
    hub = world.add_role("hub")
    world.add_role("chained", mfa=False, trust=[hub.arn], source_profile="hub", max_session=EIGHT_HOURS)
    return world


def seconds_asked(world: World) -> list[int]:
    """How long each session of a role was to last."""
    calls = [call for call in world.aws.calls if call.action == "AssumeRole"]
    return [int(call.parameters["DurationSeconds"]) for call in calls]


def at_any_time(printed: bytes) -> bytes:
    """What was printed but for how much time is left."""
    return re.sub(rb", \S.* left$", b"", printed, flags=re.MULTILINE)


# 1 and 2: a command


@every_ending
def test_every_target_of_a_makefile_is_made_as_the_role(separator: tuple[str, ...], signed_in: World) -> None:
    (signed_in.home / "Makefile").write_text(
        ".PHONY: dev forms/rds apply\ndev forms/rds apply:\n\t@echo $@ as $(GDS_EXEC_ROLE)\n"
    )

    done = signed_in.run("prod", *separator, "make", "-s", "dev", "forms/rds", "apply")

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"dev as prod\nforms/rds as prod\napply as prod\n"


@every_shell
def test_a_shell_may_be_the_command(shell: Shell, world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", "--", *shell.argv)
    terminal.expect_exact(PROMPT)
    terminal.sendline(world.code())
    insist(terminal, shell.quiet, "> ")
    insist(terminal, "echo as-$GDS_EXEC_ROLE", "as-prod")
    terminal.sendline("exit 4")
    finish(terminal)

    assert terminal.exitstatus == 4


@pytest.mark.matrix(93)
@needs("git")
@pytest.mark.parametrize("asked", LONG_SESSIONS, ids=" ".join)
def test_how_long_is_ours_beside_the_role_and_d_is_git_s_after_push(
    asked: tuple[str, ...], world: World
) -> None:
    world.add_role("prod", max_session=EIGHT_HOURS)
    far = world.home / "far.git"
    author = "-c user.name=Alice -c user.email=alice@example.gov.uk"
    made = world.run_program(
        "sh",
        "-ec",
        f"git init -q --bare far.git; git init -q near; cd near; git remote add origin ../far.git;"
        f"git {author} commit -q --allow-empty -m begin; git push -q origin HEAD:main HEAD:topic",
    )
    assert made.returncode == 0, made.stderr.decode()

    push = ("git", "push", "-q", "-d", "origin", "topic")
    done = world.run(*asked, "-t", world.code(), *push, cwd=world.home / "near")

    assert (done.returncode, done.stderr) == (0, b"")
    branches = world.run_program("git", "-C", str(far), "branch", "--format", "%(refname:short)")
    assert branches.stdout == b"main\n"
    assert seconds_asked(world) == [EIGHT_HOURS]


@needs("aws")
def test_the_aws_cli_without_dashes_has_its_own_options(signed_in: World) -> None:
    with serve_s3(signed_in.aws) as s3:
        target = f"s3://{s3.bucket}/old"
        command = ("aws", "s3", "rm", target, "--region", "eu-west-1", "--endpoint-url", s3.url)
        done = signed_in.run("prod", *command)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"delete: {target}\n".encode(), b"")


# 4 and 5: pipes and far shells


@pytest.mark.matrix(73)
def test_a_password_reaches_docker_to_the_byte_while_a_code_and_a_notice_reach_the_person(
    programs: World, talkative: World
) -> None:
    (programs.home / "password-to-be").write_bytes(PASSWORD)
    role = shlex.join(TWO_HOURS)
    terminal = talkative.terminal_program(
        "sh", "-c", f"gds-exec {role} -- cat password-to-be | docker login --username AWS --password-stdin"
    )
    terminal.expect_exact(PROMPT)
    terminal.sendline(talkative.code())
    said = finish(terminal)

    assert terminal.exitstatus == 0, said
    assert NOTICE in said
    assert (programs.home / "password").read_bytes() == PASSWORD


@pytest.mark.matrix(87, 93)
@every_ending
def test_ctrl_c_reaches_the_far_shell_behind_a_second_pair_of_dashes(
    separator: tuple[str, ...], programs: World, signed_in: World
) -> None:
    kubectl = ("kubectl", "exec", "-it", "deploy/app", "-c", "app", "--")
    far = programs.terminal("prod", *separator, *kubectl, *BASH.argv)
    insist(far, BASH.quiet, "> ")
    insist(far, "test -t 0 && test -t 1 && test -t 2 && echo ter''minal", "terminal")
    far.sendline("sh -c 'echo be''gun; exec cat'")
    far.expect("begun")
    far.send(CTRL_C)
    insist(far, "echo far-$?", "far-130")
    far.sendline("exit 3")
    finish(far)

    assert far.exitstatus == 3


# 10 to 12: what -e prints


@every_shell
def test_an_unquoted_eval_asks_for_the_code_and_signs_the_shell_in_for_eight_hours(
    shell: Shell, world: World
) -> None:
    world.add_role("prod", max_session=EIGHT_HOURS)
    is_fish = shell.name == FISH.name
    line = (
        "eval (gds-exec prod -e --art 8h --format fish)" if is_fish else "eval $(gds-exec prod -e --art 8h)"
    )
    terminal = shell.open(world)
    terminal.sendline(line)
    terminal.expect_exact(PROMPT)
    terminal.sendline(world.code())
    insist(terminal, "echo has-$AWS_ACCESS_KEY_ID", "has-ASIA[A-Z0-9]{16}")
    terminal.sendline(f"exec {PYTHON} -c {shlex.quote(WHO_AM_I)}")
    terminal.expect(":assumed-role/prod/")
    finish(terminal)

    assert seconds_asked(world) == [EIGHT_HOURS]


def test_an_eval_that_forgot_e_is_told_the_line_to_type_before_a_code_is_asked_for(world: World) -> None:
    world.add_role("prod")
    terminal = world.terminal_program("sh", "-c", "eval $(gds-exec prod); echo has-$AWS_ACCESS_KEY_ID")
    said = finish(terminal)

    assert "hint: gds-exec ROLE -- COMMAND [ARG]..., or for eval: gds-exec ROLE -e\n" in said
    assert said.endswith("has-\n")


@every_shell
def test_aliases_and_functions_hand_everything_on(shell: Shell, signed_in: World) -> None:
    path = signed_in.home / "lines"
    calls = (f"as-prod {REPORT}", f"as prod -- {REPORT}", f"as prod {REPORT}", f"quietly prod -- {REPORT}")
    lines = "".join(f"{call}; echo {shell.status}\n" for call in calls)
    path.write_text(ALIASES[shell.name] + FUNCTIONS[shell.name] + lines)

    done = signed_in.run_program(shell.name, WITHOUT_SETTINGS[shell.name], str(path))

    assert (done.stdout, done.stderr) == (b"prod<a b>\n3\n" * len(calls), b"")


@needs("node")
def test_a_node_program_reads_what_e_prints_while_the_person_is_asked(world: World) -> None:
    world.add_role("prod")
    (world.home / "caller.js").write_text(NODE)
    terminal = world.terminal_program("node", "caller.js")
    terminal.expect_exact(PROMPT)
    terminal.sendline(world.code())
    said = finish(terminal)

    assert terminal.exitstatus == 0, said
    assert re.search("node has ASIA[A-Z0-9]{16} in eu-west-2\n", said)


@needs("bash")
def test_a_file_of_what_e_prints_signs_in_whoever_sources_it(signed_in: World) -> None:
    line = f"{GDS_EXEC} prod -e >.env && bash -c '. ./.env; {PYTHON} who.py'"
    (signed_in.home / "who.py").write_text(WHO_AM_I)

    done = signed_in.run_program("sh", "-c", line, environ={"AWS_PROFILE": "nobody"})

    assert (done.returncode, done.stderr) == (0, b"")
    assert b":assumed-role/prod/" in done.stdout


@pytest.mark.matrix(93)
@every_ending
def test_a_container_has_the_role_by_the_variables_that_docker_s_own_e_names(
    separator: tuple[str, ...], programs: World, signed_in: World
) -> None:
    names = (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
    )
    named = [word for name in names for word in ("-e", name)]

    done = programs.run("prod", *separator, "docker", "run", *named, "image", PYTHON, "-c", WHO_AM_I)

    assert done.returncode == 0, done.stderr.decode()
    assert b":assumed-role/prod/" in done.stdout


# Where the options stand


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("letter", ["e", "d"])
def test_what_to_do_is_asked_for_before_or_after_the_role(
    letter: str, place: tuple[str, ...], signed_in: World
) -> None:
    long = {"e": "--export", "d": "--describe"}[letter]
    argv = [word.replace("{}", letter if word.startswith("-q") else f"-{letter}") for word in place]

    done = signed_in.run(*argv)

    assert (done.returncode, done.stderr) == (0, b"")
    plain = signed_in.run("prod", "--region", "eu-west-1", long)
    assert at_any_time(done.stdout) == at_any_time(plain.stdout)
    assert b"eu-west-1" in done.stdout


@pytest.mark.parametrize("place", PLACES)
def test_a_login_is_asked_for_before_or_after_the_role(place: tuple[str, ...], signed_in: World) -> None:
    argv = [word.replace("{}", "l" if word.startswith("-q") else "-l") for word in place]

    done = signed_in.run("--print", *argv)

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Destination=https%3A%2F%2Feu-west-1." in done.stdout


@pytest.mark.matrix(92)
@pytest.mark.parametrize(
    ("argv", "words"),
    [
        pytest.param(("prod", "-e", "--", "ls"), ("--export", "a command"), id="-e and a command"),
        pytest.param(("prod", "-l", "ls"), ("--login", "a command"), id="-l and a command"),
        pytest.param(("prod", "-e", "-l"), ("--export", "--login"), id="-e and -l"),
        pytest.param(("prod", "-d", "8h"), ("hint: ", "--duration 8h"), id="-d for the duration"),
        pytest.param(("prod", "-e", "--"), ("no command after --",), id="-e and nothing after --"),
        pytest.param(("-e",), ("there is no role",), id="-e without a role"),
        pytest.param(("prod", "-l", ""), ("--login", "a command"), id="-l and an empty command"),
        pytest.param(("prod", "-o"), ("-o needs a value",), id="-o without a URL"),
    ],
)
def test_two_things_to_do_are_a_usage_error(
    argv: tuple[str, ...], words: tuple[str, ...], world: World
) -> None:
    world.add_role("prod")

    assert_ours(world.run(*argv), 2, "[usage]", *words, printed=FAILED_EXPORT if "-e" in argv else b"")
    assert world.aws.calls == []


@pytest.mark.matrix(91)
@pytest.mark.parametrize(
    ("argv", "status"),
    [
        pytest.param((b"\xff", "-e"), 125, id="role -e"),
        pytest.param(("-d", b"\xff"), 125, id="-d role"),
        pytest.param((b"\xff", "-l"), 125, id="role -l"),
        pytest.param(("prod", "-o", b"\xff"), 2, id="-o"),
        pytest.param(("prod", "-e", "--format", b"\xff"), 2, id="--format"),
        pytest.param(("prod", "--write-profile", b"\xff"), 2, id="--write-profile"),
    ],
)
def test_bytes_that_are_no_text_are_refused_and_shown(
    argv: tuple[str | bytes, ...], status: int, world: World
) -> None:
    world.add_role("prod")

    assert_ours(world.run(*argv), status, r"\udcff", printed=FAILED_EXPORT if "-e" in argv else b"")
    assert world.aws.calls == []


# Quiet


@pytest.mark.parametrize("quiet", [(), ("-q",), ("--quiet",)], ids=str)
def test_notices_are_for_a_person_who_sees_them_and_did_not_ask_for_quiet(
    quiet: tuple[str, ...], talkative: World
) -> None:
    talkative.sign_in("hub")
    command = (*TWO_HOURS, *quiet, "--", "printf", "own\\n")

    seen = talkative.terminal(*command)
    captured = talkative.run(*command)
    beside = talkative.terminal_program("sh", "-c", f"{shlex.join((GDS_EXEC, *command))} 2>err")

    assert (NOTICE in finish(seen)) is (not quiet)
    assert (captured.returncode, captured.stdout, captured.stderr) == (0, b"own\n", b"")
    assert finish(beside) == "own\n"
    assert (talkative.home / "err").read_bytes() == b""


def test_a_notice_stands_on_the_terminal_and_not_in_what_is_captured(talkative: World) -> None:
    talkative.sign_in("hub")
    line = f'ID=$(gds-exec {shlex.join(TWO_HOURS)} -- echo 42); printf "%s" "$ID" >id'
    terminal = talkative.terminal_program("sh", "-c", line)

    assert NOTICE in finish(terminal)
    assert (talkative.home / "id").read_bytes() == b"42"


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(("-e",), id="-e"),
        pytest.param(("-d",), id="-d"),
        pytest.param(("-q", "--", "env"), id="a command"),
    ],
)
def test_skipping_the_check_of_the_address_changes_nothing(rest: tuple[str, ...], signed_in: World) -> None:
    asked = len(signed_in.aws.calls)
    plain = signed_in.run("prod", *rest)

    after = signed_in.run("prod", "--skip-ip-range-checks", *rest)
    before = signed_in.run("--skip-ip-range-checks", "prod", *rest)

    assert (plain.returncode, plain.stderr) == (0, b"")
    for done in (after, before):
        assert (done.returncode, done.stderr) == (0, b"")
        assert at_any_time(done.stdout) == at_any_time(plain.stdout)
    assert len(signed_in.aws.calls) == asked


# Other tools' habits


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("exec", "prod", "--", "ls"), id="exec ROLE -- COMMAND"),
        pytest.param(("exec", "prod"), id="exec ROLE"),
        pytest.param(("aws", "prod", "-l"), id="aws ROLE -l"),
        pytest.param(("aws", "prod", "--", "ls"), id="aws ROLE -- COMMAND"),
        pytest.param(("login", "prod"), id="login ROLE"),
        pytest.param(("export", "--duration", "1h", "prod"), id="export OPTIONS ROLE"),
    ],
)
def test_a_word_of_another_tool_is_answered_with_the_line_to_type(
    argv: tuple[str, ...], world: World
) -> None:
    world.add_role("prod")

    assert_ours(world.run(*argv), 127, "hint: the role comes first", ": gds-exec prod …")
    assert world.aws.calls == []


def test_a_role_that_is_named_like_a_program_is_told_from_a_habit_too(world: World) -> None:
    world.add_role("test")

    assert_ours(world.run("exec", "test", "--", "ls"), 125, "[unknown-role]", ": gds-exec test …")


def test_a_role_that_is_named_like_a_habit_is_a_role(world: World) -> None:
    world.add_role("exec", mfa=False)

    done = world.run("exec", "echo", "ran")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"ran\n", b"")


@pytest.mark.parametrize("dash", ["–", "—"])  # noqa: RUF001  # what a word processor makes of --
def test_a_dash_that_a_word_processor_made_is_named_before_anything_is_asked(dash: str, world: World) -> None:
    world.add_role("prod")

    done = world.run("prod", dash, "ls")

    assert_ours(done, 2, "[usage]", f"'{dash}' begins with a dash", "hint: type - and --")
    assert world.aws.calls == []
