"""What people really run as a role, and the shapes in which they write it."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from . import terraform
from .patience import insist
from .s3 import S3, serve_s3
from .world import GDS_EXEC, PROMPT, PYTHON, REGION, World, finish, needs

ASK_WITH_BOTO3 = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
ASK_WITH_AWS_CLI = ("aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")
ROLE_ARN = "arn:aws:sts::222222222222:assumed-role/readonly/"
SHOW_ROLE = "echo role is $GDS_EXEC_ROLE"
CTRL_C, CTRL_Z = "\x03", "\x1a"


@pytest.fixture
def signed_in(world: World) -> World:
    """A world with the role `readonly`, whose session is there already."""
    world.add_role("readonly")
    world.sign_in("readonly")
    return world


@pytest.fixture
def s3(world: World) -> Iterator[S3]:
    """An S3 that the commands of this world find, with a bucket in it."""
    with serve_s3(world.aws) as s3:
        world.environ["AWS_ENDPOINT_URL_S3"] = s3.url
        yield s3


def session_key(world: World) -> str:
    """The access key id that a command of the role `readonly` gets."""
    shown = world.run("readonly", "--", "printenv", "AWS_ACCESS_KEY_ID")
    return shown.stdout.decode().strip()


# AWS's own clients


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(ASK_WITH_AWS_CLI, id="aws", marks=needs("aws")),
        pytest.param((PYTHON, "-c", ASK_WITH_BOTO3), id="boto3"),
    ],
)
@pytest.mark.parametrize(
    "leftover",
    [
        {},
        {"AWS_PROFILE": "nonsense", "AWS_SECURITY_TOKEN": "stale", "AWS_ACCESS_KEY_ID": "AKIASTALE"},
        {"AWS_PROFILE": "", "AWS_CREDENTIAL_EXPIRATION": "2001-01-01T00:00:00Z"},
    ],
    ids=["clean", "another profile", "an empty profile"],
)
def test_the_client_acts_as_the_role(
    signed_in: World, client: tuple[str, ...], leftover: dict[str, str]
) -> None:
    done = signed_in.run("readonly", "--", *client, environ=leftover)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().startswith(ROLE_ARN)
    assert done.stderr == b""
    asked = signed_in.aws.calls[-1]
    assert (asked.action, asked.status) == ("GetCallerIdentity", 200)
    assert asked.access_key_id == session_key(signed_in)


@needs("aws")
def test_the_clis_own_profiles_go_on_working_beside_us(signed_in: World) -> None:
    done = signed_in.run_program(*ASK_WITH_AWS_CLI, "--profile", "gds-users", "--region", REGION)
    assert done.stdout.decode().strip() == signed_in.user.arn, done.stderr


@needs("aws")
def test_data_streams_through_the_cli_in_both_directions(signed_in: World, s3: S3) -> None:
    data = bytes(range(256)) * 4096
    target = f"s3://{s3.bucket}/data"
    put = signed_in.run("readonly", "--", "aws", "s3", "cp", "-", target, input=data)
    assert put.returncode == 0, put.stderr
    got = signed_in.run("readonly", "--", "aws", "s3", "cp", target, "-")
    assert (got.returncode, got.stdout) == (0, data)
    assert set(s3.taken) == {session_key(signed_in)}


@needs("aws-shell")
def test_the_interactive_aws_shell_works(signed_in: World) -> None:
    shell = signed_in.terminal("readonly", "--", "aws-shell")
    shell.expect("aws> ", timeout=240)  # it builds an index at its first start
    shell.send("sts get-caller-identity\r")
    shell.expect(ROLE_ARN)
    shell.send(".exit\r")
    finish(shell)
    assert shell.exitstatus == 0


# make and git


def test_make_s_own_status_and_options_come_through(signed_in: World) -> None:
    makefile = "all:\n\t@echo as $(GDS_EXEC_ROLE) in $(ENV) at $(AWS_REGION)\n\t@exit 7\n"
    (signed_in.home / "infra").mkdir()
    (signed_in.home / "infra" / "Makefile").write_text(makefile)
    make = ("make", "-C", "infra", "-d", "--debug=n", "--no-print-directory", "-s", "ENV=dev", "all")
    alone = signed_in.run_program(*make, environ={"GDS_EXEC_ROLE": "readonly", "AWS_REGION": REGION})
    done = signed_in.run("readonly", *make)
    assert done.returncode == alone.returncode == 2
    assert b"as readonly in dev at eu-west-2\n" in done.stdout
    assert done.stdout.splitlines()[-1:] == alone.stdout.splitlines()[-1:]
    assert done.stderr == alone.stderr


@pytest.fixture
def repository(signed_in: World) -> Path:
    """A git repository with a branch `topic` beside the current one."""
    where = signed_in.home / "repository"
    identity = ("-c", "user.name=Alice", "-c", "user.email=alice@example.gov.uk")
    for command in (
        ("init", "-q", str(where)),
        ("-C", str(where), *identity, "commit", "-q", "--allow-empty", "-m", "begin"),
        ("-C", str(where), "branch", "topic"),
    ):
        made = signed_in.run_program("git", *command)
        assert made.returncode == 0, made.stderr
    return where


@needs("git")
@pytest.mark.parametrize("separator", [("--",), ()], ids=["with --", "without --"])
def test_an_option_after_git_is_git_s(signed_in: World, repository: Path, separator: tuple[str, ...]) -> None:
    done = signed_in.run("readonly", *separator, "git", "branch", "-d", "topic", cwd=repository)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"Deleted branch topic")
    refused = signed_in.run("readonly", *separator, "git", "branch", "-d", "topic", cwd=repository)
    assert refused.returncode == 1


@needs("git")
def test_a_git_alias_may_stand_on_either_side(signed_in: World, repository: Path) -> None:
    for name, meaning in (("as-readonly", "!gds-exec readonly --"), ("who", f"!{SHOW_ROLE}")):
        signed_in.run_program("git", "config", f"alias.{name}", meaning, cwd=repository)
    outside = signed_in.run_program("git", "as-readonly", "sh", "-c", SHOW_ROLE, cwd=repository)
    inside = signed_in.run("readonly", "git", "who", cwd=repository)
    assert outside.stdout == inside.stdout == b"role is readonly\n", outside.stderr + inside.stderr


# Programs that own the terminal


def test_ctrl_c_is_the_interactive_program_s_own(signed_in: World) -> None:
    python = signed_in.terminal("readonly", "--", PYTHON, "-i", "-q", environ={"TERM": "dumb"})
    python.expect(">>> ")
    python.sendline("import os; (os.isatty(0), os.isatty(1), os.isatty(2), os.environ['GDS_EXEC_ROLE'])")
    python.expect(re.escape("(True, True, True, 'readonly')"))
    python.expect(">>> ")
    python.send(CTRL_C)
    python.expect("KeyboardInterrupt")
    python.expect(">>> ")
    python.sendline("os._exit(6 * 7)")
    finish(python)
    assert python.exitstatus == 42


def test_a_code_typed_first_does_not_reach_the_program(world: World) -> None:
    world.add_role("readonly")
    python = world.terminal("readonly", PYTHON, "-i", "-q", environ={"TERM": "dumb"})
    python.expect(PROMPT)
    code = world.code()
    python.sendline(code)
    python.expect(">>> ")
    python.sendline("'left over:' + repr(__import__('select').select([0], [], [], 0)[0])")
    python.expect(re.escape("left over:[]"))
    python.sendline("exit()")
    finish(python)
    assert python.exitstatus == 0


def test_jobs_of_an_interactive_shell_stop_and_continue(signed_in: World) -> None:
    environ = {"TERM": "dumb", "PS1": "$ "}
    bash = signed_in.terminal("readonly", "--", "bash", "--norc", "--noediting", "-i", environ=environ)
    bash.sendline("sh -c 'echo begun-$((1 + 1)); exec cat'")
    bash.expect("begun-2")
    bash.send(CTRL_Z)
    bash.expect("Stopped")
    bash.sendline("fg")
    bash.expect("exec cat'\r\n")
    insist(bash, "again", "again\r\nagain")
    bash.send(CTRL_C)
    insist(bash, "echo status-$? as $GDS_EXEC_ROLE", "status-130 as readonly")
    bash.sendline("exit 5")
    finish(bash)
    assert bash.exitstatus == 5


@needs("less")
def test_a_pager_gets_keys_one_by_one_and_gives_the_terminal_back(signed_in: World) -> None:
    (signed_in.home / "long").write_text("".join(f"line-{number}\n" for number in range(1, 1000)))
    pager = signed_in.terminal_program(
        "sh", "-c", f"stty -a >before; {GDS_EXEC} readonly -- less long; stty -a >after"
    )
    pager.expect("line-23\r")
    pager.send("G")
    pager.expect("line-999\r")
    pager.send("g")
    pager.expect("line-1\r")
    pager.send("q")
    finish(pager)
    assert pager.exitstatus == 0
    assert (signed_in.home / "after").read_text() == (signed_in.home / "before").read_text()


# Terraform


@pytest.fixture
def infra(signed_in: World, s3: S3) -> World:
    """A world in whose home Terraform has been initialised, with its state in S3, without a network."""
    terraform.initialise(signed_in, s3, role="readonly")
    return signed_in


def test_terraform_plans_and_applies_as_the_role(infra: World, s3: S3) -> None:
    plan = ("readonly", "--", "terraform", "plan", "-input=false", "-detailed-exitcode")
    infra.aws.calls.clear()
    assert infra.run(*plan).returncode == 2
    applied = infra.run("readonly", "--", *terraform.APPLY)
    assert applied.returncode == 0, applied.stderr
    assert b"1 added" in applied.stdout
    assert infra.run(*plan).returncode == 0
    assert set(s3.taken) == {session_key(infra)}
    # Terraform looks who it is before it uses the backend; unlike moto, our STS checks signatures.
    assert {(call.action, call.access_key_id, call.status) for call in infra.aws.calls} == {
        ("GetCallerIdentity", session_key(infra), 200)
    }


def test_one_ctrl_c_reaches_terraform_once_and_it_releases_its_lock(infra: World, s3: S3) -> None:
    terraform.write_main(infra, s3, command="echo begun; exec sleep 60")
    running = infra.terminal("readonly", "--", *terraform.APPLY)
    running.expect("begun")
    assert s3.is_locked()
    running.send(CTRL_C)
    said = finish(running)
    assert running.exitstatus == 1
    assert said.count("Interrupt received") == 1
    assert "Gracefully shutting down" in said
    assert "Two interrupts" not in said
    assert not s3.is_locked()


# The shapes in which people write it


def sh(world: World, script: str, **more: object) -> "subprocess.CompletedProcess[bytes]":
    """Run a line as people write it, without a terminal."""
    return world.run_program("sh", "-c", script, **more)


@pytest.mark.parametrize(
    ("script", "stdout"),
    [
        pytest.param("printf 'a b\\nc' | gds-exec readonly -- cat", "a b\nc", id="standard input"),
        pytest.param("printf x | gds-exec readonly sh -c 'cat; cat'", "x", id="standard input to its end"),
        pytest.param(
            "ID=$(gds-exec readonly -- printf '%s\\n\\n' 42); echo \"<$ID>\"", "<42>\n", id="captured output"
        ),
        pytest.param(
            "gds-exec readonly -- printf password | sh -c 'read p; echo \"<$p>\"'",
            "<password>\n",
            id="a pipe",
        ),
        pytest.param(
            "AWS_REGION=eu-west-1 gds-exec readonly -- sh -c 'echo $AWS_REGION $AWS_DEFAULT_REGION'",
            "eu-west-1 eu-west-1\n",
            id="a region before it",
        ),
        pytest.param(
            "GITHUB_TOKEN=canary gds-exec readonly -- printenv GITHUB_TOKEN",
            "canary\n",
            id="a token before it",
        ),
        pytest.param("gds-exec readonly -- ls /nonexistent 2>/dev/null || true", "", id="|| true"),
        pytest.param("gds-exec readonly -- false || echo failed", "failed\n", id="|| something"),
        pytest.param("gds-exec readonly --art 1h printf '<%s>' -d -- -s", "<-d><--><-s>", id="options after"),
        pytest.param(
            "gds-exec readonly -- env x=1 sh -c 'echo $0 $1 $x' -- -it", "-- -it 1\n", id="a second --"
        ),
        pytest.param("gds-exec readonly -- $SHELL -c 'echo $GDS_EXEC_ROLE'", "readonly\n", id="$SHELL"),
        pytest.param("gds-exec readonly -- bash -l -c 'echo $GDS_EXEC_ROLE'", "readonly\n", id="bash -l"),
        pytest.param("gds-exec readonly -- ./script.sh 'a b'", "script a b\n", id="a script"),
        pytest.param("gds-exec readonly -- yes | head -n 1", "y\n", id="a reader that leaves"),
        pytest.param(
            "gds-exec readonly -- gds-exec readonly sh -c 'echo $GDS_EXEC_ROLE'", "readonly\n", id="nested"
        ),
        pytest.param(
            "g() { gds-exec readonly -- \"$@\"; }; g sh -c 'exit 3'; echo $?", "3\n", id="a function"
        ),
        pytest.param(
            "printf '1\\n2\\n' | while read n; do gds-exec readonly -- echo $n </dev/null; done",
            "1\n2\n",
            id="while read",
        ),
        pytest.param("printf '1 2' | xargs -n 1 gds-exec readonly -- echo", "1\n2\n", id="xargs"),
    ],
)
def test_the_line_means_what_it_means_without_us(signed_in: World, script: str, stdout: str) -> None:
    program = signed_in.home / "script.sh"
    program.write_text('#!/bin/sh\necho script "$@"\n')
    program.chmod(0o755)
    done = sh(signed_in, script)
    assert (done.returncode, done.stdout.decode()) == (0, stdout), done.stderr
    assert done.stderr == b""


def test_one_code_does_for_a_loop_over_five_roles(world: World) -> None:
    accounts = ("tools", "test", "integration", "staging", "production")
    for account in accounts:
        world.add_role(f"team-{account}")
    one = f"gds-exec team-$account -- sh -c {shlex.quote(SHOW_ROLE)}"
    terminal = world.terminal_program("sh", "-c", f"for account in {' '.join(accounts)}; do {one}; done")
    terminal.expect(PROMPT)
    terminal.sendline(world.code())
    said = finish(terminal)
    assert PROMPT not in said
    assert re.findall(r"role is (\S+)", said) == [f"team-{account}" for account in accounts]
    assert (world.aws.count("GetSessionToken"), world.aws.count("AssumeRole")) == (1, 5)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param('ID=$({}); echo "<$ID>"', "<out err>", id="captured"),
        pytest.param("{} | tr a-z A-Z", "OUT ERR", id="piped"),
        pytest.param("{} 2>/dev/null || true", "out err", id="without standard error"),
        pytest.param("printf ignored | {}", "out err", id="fed"),
        pytest.param("{} >out 2>err </dev/null; cat out err; wc -c <err", r"out err\s+0", id="to files"),
    ],
)
def test_the_question_goes_past_the_pipes_to_the_person(world: World, line: str, shown: str) -> None:
    world.add_role("readonly")
    terminal = world.terminal_program("sh", "-c", line.format("gds-exec readonly -- echo out err"))
    terminal.expect(f"{PROMPT}readonly ")
    terminal.sendline(world.code())
    terminal.expect(shown)
    finish(terminal)
    assert terminal.exitstatus == 0


def test_a_failure_of_ours_stops_a_script_and_leaves_captured_output_empty(world: World) -> None:
    world.add_role("readonly")
    done = sh(world, 'set -e; ID=$(gds-exec readonly -- echo wrong); echo "went on with <$ID>"')
    assert done.returncode == 124
    assert done.stdout == b""


def test_a_role_s_shell_opens_another_role(world: World) -> None:
    world.add_role("readonly")
    world.add_role("admin")
    environ = {"TERM": "dumb", "PS1": "$ ", "SHELL": shutil.which("bash") or "/bin/sh"}
    shell: pexpect.spawn = world.terminal("readonly", environ=environ)
    shell.expect(PROMPT)
    shell.sendline(world.code())
    shell.sendline(f"gds-exec admin -- {PYTHON} -c {shlex.quote(ASK_WITH_BOTO3)}")
    shell.expect("arn:aws:sts::222222222222:assumed-role/admin/")
    shell.sendline(f"{PYTHON} -c {shlex.quote(ASK_WITH_BOTO3)}")
    shell.expect(ROLE_ARN)
    shell.sendline("exit 3")
    finish(shell)
    assert shell.exitstatus == 3
    assert world.aws.count("GetSessionToken") == 1
