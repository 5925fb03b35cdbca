"""The examples for CI that the README has, run as each CI runs them, with the sandbox in AWS's place."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gds_exec.sandbox.principals import Role

from . import machines
from .world import World, needs

README = Path(__file__).parents[2] / "README.md"
ACCOUNT = "123456789012"
SHOW_IDENTITY = "#!/bin/sh\nexec aws sts get-caller-identity --query Arn --output text\n"
Line = tuple[list[str], dict[str, str]]


def example(of: str) -> str:
    """Return the block of code whose first line is a comment that begins so."""
    blocks = re.findall(r"(?ms)^```\w+\n(?:#|//) (.*?)^```", README.read_text())
    (found,) = (block for block in blocks if block.startswith(of))
    return found.partition("\n")[2]


def parsed(of: str) -> Any:
    # Concourse's own signs for secrets are words to YAML.
    return yaml.safe_load(example(of).replace("((", "<").replace("))", ">"))


def in_github(world: World, role: Role) -> Line:
    workflow = parsed("GitHub Actions")
    (line,) = (step["run"] for step in workflow["jobs"]["deploy"]["steps"] if "run" in step)
    has_permission = workflow["permissions"]["id-token"] == "write"
    return shlex.split(line), machines.github(world, role, has_permission=has_permission)


def in_concourse(world: World, role: Role) -> Line:
    (task,) = parsed("Concourse")
    secrets = machines.deployer(world, role)
    params = {
        name: secrets[name] if value.startswith("<") else value
        for name, value in task["config"]["params"].items()
    }
    return [task["config"]["run"]["path"], *task["config"]["run"]["args"]], params


def in_jenkins(world: World, role: Role) -> Line:
    own = machines.plain_role(world, "agent")
    role.trust += (own.arn,)
    (line,) = re.findall(r"sh '(.*)'", example("Jenkins"))
    return shlex.split(line), {"BUILD_TAG": "jenkins-app-1", **machines.instance(world, own)}


def in_codebuild(world: World, role: Role) -> Line:
    own = machines.plain_role(world, "project")
    role.trust += (own.arn,)
    (line,) = parsed("CodeBuild")["phases"]["build"]["commands"]
    return shlex.split(line), {
        "AWS_REGION": "eu-west-2",
        "CODEBUILD_BUILD_ID": "app:0b6a",
        **machines.container(world, own),
    }


@needs("aws")
@pytest.mark.parametrize(
    "ci", [in_github, in_concourse, in_jenkins, in_codebuild], ids=lambda ci: ci.__name__
)
def test_the_example_runs_its_command_as_the_role(ci: Callable[[World, Role], Line], world: World) -> None:
    world.credentials.unlink()
    world.config.unlink()
    role = world.aws.add_role("deploy", trust=(), account=ACCOUNT)
    argv, environ = ci(world, role)
    deploy = world.home / "deploy"
    deploy.write_text(SHOW_IDENTITY)
    deploy.chmod(0o755)

    done = world.run_program(*argv, environ=environ)

    assert done.returncode == 0, done.stderr.decode()
    assert f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/" in done.stdout.decode(), done.stderr.decode()
