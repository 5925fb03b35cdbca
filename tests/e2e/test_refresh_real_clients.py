"""Real clients whose commands outlive their sessions: `gds-exec ROLE --refresh -- COMMAND`.

The sandbox's sessions last 15 seconds here, by real time, for real clients decide by their own clocks.
"""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from . import terraform
from .observations import calls_of, codes_sent
from .patience import eventually
from .plain_proxy import PlainProxy, serve_plain_proxy
from .s3 import S3, serve_s3
from .world import PROMPT, PYTHON, World, finish, needs

LIFE_SECONDS = 15
ROLE_ARN = "arn:aws:sts::222222222222:assumed-role/readonly/"
REFRESHED = ("readonly", "--refresh", "--new-session", "--")
CTRL_C = "\x03"

# Programs beside the tests' own, where .ci/run puts them.
OLDER_BOTOCORE = os.path.join(sys.prefix, "older-botocore", "bin", "python")
NODE_MODULES = os.path.join(sys.prefix, "node_modules")
NODE = {"NODE_PATH": NODE_MODULES, "NODE_NO_WARNINGS": "1"}  # the SDK warns of every older Node

# Each calls again and again, with one client, until it is told that it is enough.
BOTO3_LOOP = """
import os, time, boto3
sts = boto3.client("sts", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
while not os.path.exists("enough"):
    sts.get_caller_identity()
    time.sleep(0.3)
"""
JAVASCRIPT_LOOP = """
const { existsSync } = require("fs");
const { setTimeout: sleep } = require("timers/promises");
const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
(async () => {
  const sts = new STSClient({ maxAttempts: 1 });
  while (!existsSync("enough")) {
    await sts.send(new GetCallerIdentityCommand({}));
    await sleep(300);
  }
})();
"""
AWS_CLI_LOOP = "until [ -e enough ]; do aws sts get-caller-identity >/dev/null || exit; sleep 0.3; done"

ASK_WITH_BOTO3 = (
    "import os, boto3; sts = boto3.client('sts', endpoint_url=os.environ['AWS_ENDPOINT_URL']); "
    "print(sts.get_caller_identity()['Arn'])"
)
ASK_WITH_AWS_CLI = ("aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")
# No SDK, but what somebody may write: it obeys the variables that name proxies, to the letter.
ASK_WITH_URLLIB = """
import contextlib, json, os
from urllib.error import HTTPError
from urllib.request import Request, urlopen
token = os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
request = Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={"Authorization": token})
print(json.load(urlopen(request, timeout=10))["AccessKeyId"][:4])
with contextlib.suppress(HTTPError):
    urlopen(os.environ["AWS_ENDPOINT_URL"], timeout=10)  # unsigned, so it is refused
"""

needs_older_botocore = pytest.mark.skipif(
    not os.path.exists(OLDER_BOTOCORE), reason="an older botocore is not installed"
)
needs_javascript_sdk = pytest.mark.skipif(
    not os.path.exists(os.path.join(NODE_MODULES, "@aws-sdk", "client-sts")),
    reason="the JavaScript SDK is not installed",
)


@pytest.fixture
def signed_in(world: World) -> World:
    """A world in which the sessions of the role `readonly` are short, and its MFA session is long."""
    world.add_role("readonly", max_session=7200)
    world.sign_in("readonly")
    world.aws.life_override = LIFE_SECONDS
    return world


@pytest.fixture
def s3(signed_in: World) -> Iterator[S3]:
    with serve_s3(signed_in.aws) as s3:
        yield s3


@pytest.fixture
def infra(signed_in: World, s3: S3) -> World:
    """A world with Terraform initialised in its home."""
    terraform.initialise(signed_in, s3, role="readonly")
    return signed_in


# Clients that call again and again


def keys_used(world: World) -> list[str]:
    return list(dict.fromkeys(call.access_key_id for call in calls_of(world.aws, "GetCallerIdentity")))


def expired_keys(world: World) -> list[str]:
    sessions = [world.aws.credentials(key) for key in keys_used(world)]
    return [s.access_key_id for s in sessions if s is not None and s.expiration <= world.aws.now()]


def outlive_two_sessions(world: World, running: pexpect.spawn) -> None:
    """Return when the command has gone on calling after two of the sessions that it used had expired."""

    def check(assertion: Callable[[], bool]) -> None:
        if not running.isalive():
            pytest.fail(finish(running))
        assert assertion()

    eventually(lambda: check(lambda: len(expired_keys(world)) >= 2), seconds=60)
    before = world.aws.count("GetCallerIdentity")
    eventually(lambda: check(lambda: world.aws.count("GetCallerIdentity") > before))


@pytest.mark.matrix(94)
@pytest.mark.parametrize(
    "client",
    [
        pytest.param((PYTHON, "-c", BOTO3_LOOP), id="boto3"),
        pytest.param((OLDER_BOTOCORE, "-c", BOTO3_LOOP), id="older botocore", marks=needs_older_botocore),
        pytest.param(("node", "-e", JAVASCRIPT_LOOP), id="JavaScript", marks=needs_javascript_sdk),
        pytest.param(("sh", "-c", AWS_CLI_LOOP), id="aws", marks=needs("aws")),
    ],
)
def test_no_client_ever_uses_an_expired_key(signed_in: World, client: tuple[str, ...]) -> None:
    running = signed_in.terminal(*REFRESHED, *client, environ=NODE)
    outlive_two_sessions(signed_in, running)
    (signed_in.home / "enough").touch()
    said = finish(running)
    assert (running.exitstatus, said) == (0, "")
    assert {call.status for call in signed_in.aws.calls} == {200}


# Terraform


def errored_state(world: World) -> Path:
    return world.home / "errored.tfstate"


def test_terraform_outlives_two_sessions(infra: World, s3: S3) -> None:
    terraform.write_main(infra, s3, command=f"sleep {2 * LIFE_SECONDS + 1}")
    applied = infra.run(*REFRESHED, *terraform.APPLY, timeout=100)
    assert applied.returncode == 0, applied.stderr.decode()
    assert b"1 added" in applied.stdout
    assert not errored_state(infra).exists()
    assert not s3.is_locked()
    assert s3.refused == []
    assert len(set(s3.taken)) >= 2


def test_without_refreshing_terraform_loses_its_state_and_its_lock(infra: World, s3: S3) -> None:
    terraform.write_main(infra, s3, command=f"sleep {LIFE_SECONDS + 1}")
    applied = infra.run("readonly", "--new-session", "--", *terraform.APPLY, timeout=100)
    assert applied.returncode == 1
    assert b"ExpiredToken" in applied.stderr
    assert errored_state(infra).exists()
    assert s3.is_locked()
    assert len(set(s3.refused)) == 1


def assert_renewed_and_expired(world: World, access_key_id: str, *, codes: int) -> None:
    session = world.aws.credentials(access_key_id)
    assert session is not None
    assert codes_sent(world.aws) == codes
    assert session.expiration <= world.aws.now()


@pytest.mark.matrix(105)
def test_a_code_is_asked_for_while_terraform_waits_for_approval(infra: World, s3: S3) -> None:
    infra.aws.life_override = 36  # the last twelfth, in which a person is asked, is 3 seconds
    running = infra.terminal("readonly", "--refresh", "--duration=2h", "--", "terraform", "apply")
    running.expect(PROMPT)
    running.sendline(infra.code())
    running.expect("Enter a value: ")
    codes = codes_sent(infra.aws)
    running.expect(PROMPT)
    running.sendline(infra.code())
    running.expect("terraform goes on")
    first = s3.taken[-1]
    eventually(lambda: assert_renewed_and_expired(infra, first, codes=codes + 1))
    running.sendline("yes")
    said = finish(running)
    assert running.exitstatus == 0, said
    assert "1 added" in said
    assert s3.taken[-1] != first
    assert codes_sent(infra.aws) == codes + 1
    assert not errored_state(infra).exists()
    assert not s3.is_locked()
    assert s3.refused == []


def by_the_terminal(running: pexpect.spawn) -> None:
    running.send(CTRL_C)


def by_another_process(running: pexpect.spawn) -> None:
    os.killpg(running.pid, signal.SIGINT)


@pytest.mark.matrix(86, 87)
@pytest.mark.parametrize("interrupt", [by_the_terminal, by_another_process])
def test_one_interrupt_of_the_group_reaches_terraform_once(
    infra: World, s3: S3, interrupt: Callable[[pexpect.spawn], None]
) -> None:
    terraform.write_main(infra, s3, command="echo begun; exec sleep 60")
    running = infra.terminal(*REFRESHED, *terraform.APPLY)
    running.expect("begun")
    assert s3.is_locked()
    interrupt(running)
    said = finish(running)
    assert running.exitstatus == 1, said
    assert said.count("Interrupt received") == 1
    assert "Gracefully shutting down" in said
    assert "Two interrupts" not in said
    assert not s3.is_locked()


# Where clients are led astray


@pytest.fixture
def proxy(signed_in: World) -> Iterator[PlainProxy]:
    """The proxy of a network from which one gets nowhere without it."""
    with serve_plain_proxy(signed_in.url) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
            signed_in.environ[name] = proxy.url
        yield proxy


@pytest.mark.matrix(109)
@pytest.mark.parametrize(
    ("client", "answer"),
    [
        pytest.param((PYTHON, "-c", ASK_WITH_BOTO3), ROLE_ARN, id="boto3"),
        pytest.param(
            (OLDER_BOTOCORE, "-c", ASK_WITH_BOTO3), ROLE_ARN, id="older botocore", marks=needs_older_botocore
        ),
        pytest.param(ASK_WITH_AWS_CLI, ROLE_ARN, id="aws", marks=needs("aws")),
        pytest.param((PYTHON, "-c", ASK_WITH_URLLIB), "ASIA", id="urllib"),
    ],
)
def test_no_proxy_sees_the_endpoint_s_token(
    signed_in: World, proxy: PlainProxy, client: tuple[str, ...], answer: str
) -> None:
    show_token = 'echo "$AWS_CONTAINER_AUTHORIZATION_TOKEN"; AWS_ENDPOINT_URL=http://aws.example exec "$@"'
    done = signed_in.run(*REFRESHED, "sh", "-c", show_token, "sh", *client)
    assert done.returncode == 0, done.stderr.decode()
    token, answered = done.stdout.decode().splitlines()
    assert re.fullmatch("[0-9a-f]{64}", token)
    assert answered.startswith(answer)
    assert any("aws.example" in request for request in proxy.received), "the client does not use the proxy"
    assert not any(token in request or "/credentials" in request for request in proxy.received)


def on_a_terminal(world: World, *argv: str) -> str:
    running = world.terminal(*argv)
    said = finish(running)
    assert running.exitstatus == 0, said
    return said


def without_a_terminal(world: World, *argv: str) -> str:
    done = world.run(*argv)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def assert_gone(path: str) -> None:
    assert not os.path.exists(path)


@needs("aws")
@pytest.mark.matrix(94)
@pytest.mark.parametrize("run", [on_a_terminal, without_a_terminal])
def test_keys_in_the_default_profile_do_not_hide_the_role(signed_in: World, run: Callable[..., str]) -> None:
    signed_in.aws.life_override = None  # a busy machine would see notices of a short session
    stranger = signed_in.aws.add_user("stranger@example.gov.uk")
    files = signed_in.keys_section("default", stranger) + signed_in.keys_section("gds-users", signed_in.user)
    signed_in.write_credentials(files)
    script = '"$@"; "$@" --profile gds-users; echo "$AWS_CONFIG_FILE"; echo "$AWS_SHARED_CREDENTIALS_FILE"'
    said = run(signed_in, *REFRESHED, "sh", "-c", script, "sh", *ASK_WITH_AWS_CLI)
    assert said.count("\n") == 4, said
    role, user, config, copy = said.splitlines()
    assert role.startswith(ROLE_ARN)
    assert user == signed_in.user.arn
    assert config == ""
    assert copy not in {"", str(signed_in.credentials)}
    eventually(lambda: assert_gone(copy))
    assert signed_in.credentials.read_text() == files


# Other profiles, whose keys the copies of the AWS files do not hold

BOTO3_PROFILES = """
import os, sys, boto3
for profile in sys.argv[1:]:
    session = boto3.Session(profile_name=profile)
    print(session.client("sts", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).get_caller_identity()["Arn"])
"""
JAVASCRIPT_PROFILES = """
const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
(async () => {
  for (const profile of process.argv.slice(1)) {
    const sts = new STSClient({ profile });
    console.log((await sts.send(new GetCallerIdentityCommand({}))).Arn);
  }
})();
"""
AWS_CLI_PROFILES = """
for profile in "$@"; do
    aws sts get-caller-identity --query Arn --output text --profile "$profile" || exit
done
"""
# This botocore does not know AWS_ENDPOINT_URL, and so assumes no role here.
ONLY_KEYS = ("gds-users", "in the config")
ALL_PROFILES = (*ONLY_KEYS, "by-default")


@pytest.fixture
def with_profiles(signed_in: World) -> World:
    """A world whose `[default]` hides the endpoint, with other profiles of all kinds."""
    signed_in.aws.life_override = None
    config = signed_in.config.read_text()
    own = signed_in.keys_section('profile "in the config"', signed_in.user)
    role = signed_in.aws.add_role("by-default", trust=[signed_in.user.arn])
    signed_in.write_config(
        f"{config}{own}[profile by-default]\nrole_arn = {role.arn}\nsource_profile = default\n"
    )
    with signed_in.credentials.open("a") as file:
        file.write(
            f"# {signed_in.user.secret_access_key}\n{signed_in.keys_section('default', signed_in.user)}"
        )
    return signed_in


@pytest.mark.parametrize(
    ("client", "profiles"),
    [
        pytest.param((PYTHON, "-c", BOTO3_PROFILES), ALL_PROFILES, id="boto3"),
        pytest.param(
            (OLDER_BOTOCORE, "-c", BOTO3_PROFILES), ONLY_KEYS, id="older botocore", marks=needs_older_botocore
        ),
        pytest.param(
            ("node", "-e", JAVASCRIPT_PROFILES),
            ("gds-users", "by-default"),  # it knows no profile with a blank in its name
            id="JavaScript",
            marks=needs_javascript_sdk,
        ),
        pytest.param(("sh", "-c", AWS_CLI_PROFILES, "sh"), ALL_PROFILES, id="aws", marks=needs("aws")),
    ],
)
def test_other_profiles_are_used_as_without_gds_exec(
    with_profiles: World, client: tuple[str, ...], profiles: tuple[str, ...]
) -> None:
    show_copies = 'cat "$AWS_CONFIG_FILE" "$AWS_SHARED_CREDENTIALS_FILE" >copies; exec "$@"'
    done = with_profiles.run(
        *REFRESHED,
        "sh",
        "-c",
        show_copies,
        "sh",
        *client,
        *profiles,
        environ={**NODE, "AWS_REGION": "eu-west-2"},
    )

    assert done.returncode == 0, done.stderr.decode()
    arns = done.stdout.decode().splitlines()
    assert arns[: len(profiles) - 1] == [with_profiles.user.arn] * (len(profiles) - 1)
    assert arns[-1] == with_profiles.user.arn or ":assumed-role/by-default/" in arns[-1]
    assert with_profiles.user.secret_access_key not in (with_profiles.home / "copies").read_text()


def test_terraform_uses_the_keys_of_another_profile(infra: World, s3: S3) -> None:
    with infra.credentials.open("a") as file:
        file.write(infra.keys_section("default", infra.user))
    main = infra.home / "main.tf"
    main.write_text(main.read_text().replace('backend "s3" {', 'backend "s3" {\n    profile = "gds-users"'))
    s3.taken.clear()

    done = infra.run(*REFRESHED, "terraform", "init", "-input=false", "-reconfigure", timeout=100)

    assert done.returncode == 0, done.stderr.decode()
    assert set(s3.taken) == {infra.user.access_key_id}
