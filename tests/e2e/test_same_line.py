"""One job script, unchanged: at a terminal with a person's code, and in CI with a token or with keys."""

import stat
from pathlib import Path

import pytest

from . import machines
from .observations import codes_sent, sessions_made
from .world import PATH, PROMPT, REGION, World, finish, needs

JOB = """#!/bin/sh
set -eu
gds-exec prod -- aws sts get-caller-identity --query Arn --output text
gds-exec prod --expect-account 222222222222 -- sh -c 'echo "$AWS_REGION"; exit 7'
"""


@pytest.fixture
def job(world: World) -> Path:
    """A job of a repository that brings its roles' profiles; only a person has the keys that these name."""
    world.add_role("prod", mfa=False)
    world.write_config(f"{world.config.read_text()}mfa_serial = {world.device.serial}\n")
    path = world.home / "job"
    path.write_text(JOB)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def in_ci(world: World, job: Path, environ: dict[str, str]) -> tuple[int, list[str], str]:
    """Run the job with nothing in its environment but this: its exit status, its output, what was said."""
    world.credentials.unlink()
    kept = {
        name: value for name, value in world.environ.items() if name.startswith(("COVERAGE_", "AWS_ENDP"))
    }
    variables = {**kept, "CI": "true", "HOME": str(world.home), "PATH": PATH, **environ}
    pairs = [f"{name}={value}" for name, value in variables.items()]
    done = world.run_program("env", "-i", *pairs, str(job))
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode()


@needs("aws")
def test_at_a_terminal_a_person_gives_one_code(job: Path, world: World) -> None:
    terminal = world.terminal_program(str(job))
    terminal.expect(PROMPT)
    terminal.sendline(world.code())

    lines = finish(terminal).splitlines()

    assert terminal.exitstatus == 7
    assert ":assumed-role/prod/" in lines[-2]
    assert lines[-1] == REGION
    assert codes_sent(world.aws) == 1


@needs("aws")
def test_in_ci_a_web_identity_token_opens_the_same_role(job: Path, world: World) -> None:
    role = next(iter(world.aws.roles.values()))
    token = machines.web_identity_token(world, role=role)
    path = machines.token_file(world, token)

    status, lines, said = in_ci(world, job, {"AWS_WEB_IDENTITY_TOKEN_FILE": str(path)})

    assert (status, said) == (7, "")
    assert ":assumed-role/prod/" in lines[0]
    assert lines[1] == REGION
    assert set(sessions_made(world.aws)) == set()
    assert world.aws.count("AssumeRoleWithWebIdentity") == 2
    assert token not in said + "".join(lines)


@needs("aws")
def test_in_ci_keys_in_the_environment_open_the_same_role(job: Path, world: World) -> None:
    role = next(iter(world.aws.roles.values()))

    status, lines, said = in_ci(world, job, machines.deployer(world, role))

    assert (status, said) == (7, "")
    assert ":assumed-role/prod/" in lines[0]
    assert lines[1] == REGION
    assert sessions_made(world.aws) == ("AssumeRole", "AssumeRole")
    assert codes_sent(world.aws) == 0


def test_nothing_is_left_on_the_disk_of_a_job(world: World) -> None:
    environ = {"CI": "true", **machines.deployer(world, machines.plain_role(world, "prod"))}
    world.credentials.unlink()
    before = sorted(path.name for path in world.home.rglob("*"))

    for line in (("222222222222/prod", "--refresh", "--", "true"), ("roles", "--names")):
        done = world.run(*line, environ=environ)
        assert (done.returncode, done.stderr) == (0, b"")

    assert sorted(path.name for path in world.home.rglob("*")) == before


@pytest.mark.parametrize("asked", ["option", "variable", "directory"])
def test_a_job_that_asks_for_it_keeps_its_sessions(asked: str, world: World) -> None:
    environ = {
        "CI": "true",
        **machines.deployer(world, machines.plain_role(world, "prod")),
        **({"GDS_EXEC_CACHE": "1"} if asked == "variable" else {}),
        **({"GDS_EXEC_CACHE_DIR": str(world.home / ".cache")} if asked == "directory" else {}),
    }
    line = ("222222222222/prod", *(["--cache"] if asked == "option" else []), "--", "true")

    for _ in range(2):
        assert world.run(*line, environ=environ).returncode == 0

    assert len(world.sessions()) == 1
    assert world.aws.count("AssumeRole") == 1
