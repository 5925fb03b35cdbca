"""In CI, where nobody answers: no question, no wait, the right account, names and tags of the job."""

import json
import time

import pytest

from gds_exec.sandbox.principals import Role
from tests.aws.faults import Fault

from . import machines
from .expectations import assert_ours
from .observations import calls_of, session_names
from .world import PROMPT, SHOW_KEY, World, finish

CI = {"CI": "true"}
FAR = "333333333333"
TOO_LARGE = Fault("error", status=400, code="PackedPolicyTooLarge", message="Packed size consumes 112%")


@pytest.fixture
def deploy(world: World) -> Role:
    """A role that no profile names, and that nobody may assume yet."""
    return machines.plain_role(world, "deploy")


def tags_of(world: World) -> dict[str, str]:
    """Return the tags of the last AssumeRole."""
    parameters = calls_of(world.aws, "AssumeRole")[-1].parameters
    keys = [name for name in parameters if name.startswith("Tags.") and name.endswith(".Key")]
    return {parameters[key]: parameters[key.replace(".Key", ".Value")] for key in keys}


# Never a question


@pytest.mark.matrix(70)
@pytest.mark.parametrize(
    ("environ", "options"),
    [(CI, ()), ({"BUILD_TAG": "jenkins-app-1"}, ()), ({}, ("--no-input",)), ({"GDS_EXEC_NO_INPUT": "1"}, ())],
    ids=["CI", "Jenkins", "--no-input", "variable"],
)
def test_nobody_is_asked_although_there_is_a_terminal(
    environ: dict[str, str], options: tuple[str, ...], world: World
) -> None:
    world.add_role("prod")

    terminal = world.terminal("prod", *options, "--", "true", environ=environ)
    said = finish(terminal)

    assert terminal.exitstatus == 124
    assert PROMPT not in said
    assert "[nobody-to-ask]" in said
    assert "hint: " in said


@pytest.mark.matrix(70)
def test_who_cannot_be_asked_in_ci_is_told_what_to_set(world: World) -> None:
    world.add_role("prod")

    said = assert_ours(world.run("prod", "--", "true", environ=CI), 124, "[nobody-to-ask]", "in CI")

    assert "AWS_WEB_IDENTITY_TOKEN_FILE" in said
    assert "GDS_EXEC_MFA_CODE" in said


def test_a_code_that_is_given_is_used_in_ci_too(world: World) -> None:
    world.add_role("prod")

    assert world.run("prod", "--", "true", environ={**CI, "GDS_EXEC_MFA_CODE": world.code()}).returncode == 0


def test_ci_that_is_said_to_be_none_asks(world: World) -> None:
    world.add_role("prod")

    world.terminal("prod", "--", "true", environ={"CI": "false"}).expect(PROMPT)


# The right account, before the command starts


@pytest.mark.parametrize("how", ["option", "variable", "profile"])
def test_a_role_of_another_account_is_refused_before_anything_is_asked(how: str, world: World) -> None:
    expected = f"gds_exec_expect_account = {FAR}" if how == "profile" else ""
    world.add_role("prod", mfa=False, settings=expected)
    option = ("--expect-account", FAR) if how == "option" else ()
    environ = {"GDS_EXEC_EXPECT_ACCOUNT": FAR} if how == "variable" else {}

    done = world.run("prod", *option, "--", "sh", "-c", "echo started", environ=environ)

    assert_ours(done, 125, "222222222222", FAR, "[wrong-account]")
    assert world.aws.calls == []


def test_the_account_of_the_last_role_of_a_chain_counts(world: World, deploy: Role) -> None:
    machines.role_beyond(world, deploy, "far", account=FAR)
    world.write_config(
        f"[profile near]\nrole_arn = {deploy.arn}\ncredential_source = Environment\n"
        f"[profile far]\nrole_arn = arn:aws:iam::{FAR}:role/far\nsource_profile = near\n"
    )
    environ = machines.deployer(world, deploy)

    right = world.run("far", "--expect-account", FAR, "--", "true", environ=environ)
    wrong = world.run("far", "--expect-account", "222222222222", "--", "true", environ=environ)

    assert right.returncode == 0, right.stderr.decode()
    assert_ours(wrong, 125, "[wrong-account]")


def test_the_account_of_keys_without_a_role_is_asked_of_aws(world: World) -> None:
    wrong = world.run("gds-users", "--expect-account", FAR, "--", "sh", "-c", "echo started")
    right = world.run("gds-users", "--expect-account", "111111111111", "--", "sh", "-c", "echo started")

    assert_ours(wrong, 125, "111111111111", "[wrong-account]")
    assert right.stdout == b"started\n"


def test_the_cached_session_of_another_account_than_expected_is_none(world: World) -> None:
    world.add_role("prod", mfa=False)
    assert world.run("prod", "--", "true").returncode == 0

    assert_ours(world.run("prod", "--expect-account", FAR, "--", "true"), 125, "[wrong-account]")


# A limit on getting credentials


def test_getting_credentials_ends_with_the_time_that_was_set(world: World, deploy: Role) -> None:
    environ = {**CI, **machines.deployer(world, deploy)}
    world.aws.fail("AssumeRole", Fault("hang", delay=30))
    begun = time.monotonic()

    done = world.run(deploy.arn, "--timeout", "1s", "--", "sh", "-c", "echo started", environ=environ)

    assert_ours(done, 125, "1s", "[out-of-time]", "--timeout")
    assert time.monotonic() - begun < 25, "it did not wait for the answer"


def test_a_helper_that_hangs_ends_with_it_too(world: World, deploy: Role) -> None:
    pid_file = world.home / "pid"
    helper = world.home / "helper"
    helper.write_text(f"#!/bin/sh\necho $$ >{pid_file}\nexec sleep 60\n")
    helper.chmod(0o755)
    options = ("--web-identity-token-command", str(helper), "--timeout", "1s")

    done = world.run(deploy.arn, *options, "--", "true", environ=CI)

    assert_ours(done, 125, "[out-of-time]")
    assert not _runs(pid_file.read_text().strip())


def test_the_command_itself_may_take_longer(world: World, deploy: Role) -> None:
    environ = {**CI, **machines.deployer(world, deploy)}

    done = world.run(deploy.arn, "--timeout", "2s", "--", "sh", "-c", "sleep 2.5; echo done", environ=environ)

    assert (done.returncode, done.stdout) == (0, b"done\n")


def _runs(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# What may be better in a moment, and what will not


@pytest.mark.matrix(64)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            Fault("error", status=400, code="IDPCommunicationError", message="the provider hung up", times=2),
            id="the provider does not answer AWS",
        ),
        pytest.param(
            Fault(
                "error",
                status=400,
                code="InvalidIdentityToken",
                message="Couldn't retrieve verification key from your identity provider,  please reference "
                "AssumeRoleWithWebIdentity documentation for requirements",
                times=2,
            ),
            id="its keys cannot be had",
        ),
        pytest.param(
            Fault("error", status=400, code="Throttling", message="Rate exceeded", times=2), id="busy"
        ),
        pytest.param(Fault("reset", times=2), id="reset"),
    ],
)
def test_what_passes_is_tried_again(fault: Fault, world: World, deploy: Role) -> None:
    path = machines.token_file(world, machines.web_identity_token(world, role=deploy))
    world.aws.fail("AssumeRoleWithWebIdentity", fault)

    done = world.run(deploy.arn, "--", "true", environ={**CI, "AWS_WEB_IDENTITY_TOKEN_FILE": str(path)})

    assert done.returncode == 0, done.stderr.decode()
    assert world.aws.count("AssumeRoleWithWebIdentity") == 3


@pytest.mark.matrix(64)
def test_what_goes_on_for_longer_is_told(world: World, deploy: Role) -> None:
    machines.trust_tokens(world, deploy).has_reachable_keys = False
    path = machines.token_file(world, machines.web_identity_token(world))

    done = world.run(deploy.arn, "--", "true", environ={**CI, "AWS_WEB_IDENTITY_TOKEN_FILE": str(path)})

    assert_ours(done, 125, "Couldn't retrieve verification key", "[aws-unreachable]")
    assert world.aws.count("AssumeRoleWithWebIdentity") == 3


def test_a_refusal_is_not_asked_again(world: World, deploy: Role) -> None:
    environ = {**CI, **machines.deployer(world, deploy)}
    deploy.trust = ()

    done = world.run(deploy.arn, "--", "true", environ=environ)

    assert_ours(done, 125, "[access-denied]")
    assert world.aws.count("AssumeRole") == 1


# Names and tags of the job


@pytest.mark.parametrize(
    ("job", "name"),
    [
        pytest.param(
            {"GITHUB_REPOSITORY": "alphagov/app", "GITHUB_RUN_ID": "4711"}, "alphagov-app-4711", id="GitHub"
        ),
        pytest.param({"CODEBUILD_BUILD_ID": "app:0b6a"}, "app-0b6a", id="CodeBuild"),
        pytest.param({"BUILD_TAG": "jenkins-app-main-12"}, "jenkins-app-main-12", id="Jenkins"),
        pytest.param(
            {"BUILD_PIPELINE_NAME": "deploy", "BUILD_JOB_NAME": "plan", "BUILD_NAME": "7"},
            "deploy-plan-7",
            id="Concourse",
        ),
        pytest.param({"BUILD_TAG": f"jenkins-{'x' * 70}-9"}, f"{'x' * 62}-9", id="a long one"),
        pytest.param(
            {"AWS_ROLE_SESSION_NAME": "chosen", "BUILD_TAG": "b"}, "chosen", id="a variable of AWS's"
        ),
    ],
)
def test_a_session_has_the_job_s_name(job: dict[str, str], name: str, world: World, deploy: Role) -> None:
    environ = {**CI, **machines.deployer(world, deploy), **job}

    assert world.run(deploy.arn, "--", "true", environ=environ).returncode == 0
    assert session_names(world.aws) == [name]


def test_a_name_that_is_asked_for_goes_before_the_job_s(world: World, deploy: Role) -> None:
    environ = {**CI, **machines.deployer(world, deploy), "BUILD_TAG": "jenkins-app-1"}

    assert world.run(deploy.arn, "--session-name", "mine", "--", "true", environ=environ).returncode == 0
    assert session_names(world.aws) == ["mine"]


def test_a_session_has_the_job_s_tags_where_that_is_asked(world: World, deploy: Role) -> None:
    deploy.also_allows = ("sts:TagSession",)
    environ = {**machines.github(world), **machines.deployer(world, deploy)}

    for options in ((), ("--ci-tags", "--tag", "actor=me")):
        assert world.run(deploy.arn, *options, "--", "true", environ=environ).returncode == 0
        if not options:
            assert tags_of(world) == {}

    assert tags_of(world) == {
        "Action": "__run",
        "Branch": "refs/heads/main",
        "Build": "4711",
        "Commit": environ["GITHUB_SHA"],
        "Repository": "alphagov/app",
        "Workflow": "deploy",
        "actor": "me",
    }


def test_tags_that_have_no_room_are_left_out_and_asked_for_once(world: World, deploy: Role) -> None:
    deploy.also_allows = ("sts:TagSession",)
    environ = {**CI, **machines.deployer(world, deploy), "BUILD_TAG": "jenkins-app-1"}
    world.aws.fail("AssumeRole", TOO_LARGE)

    terminal = world.terminal(deploy.arn, "--ci-tags", "--", *SHOW_KEY, environ=environ)
    said = finish(terminal)

    assert terminal.exitstatus == 0
    assert "no room for the tags of the CI job" in said
    assert world.aws.count("AssumeRole") == 2
    assert tags_of(world) == {}


def test_what_else_has_no_room_is_an_error(world: World, deploy: Role) -> None:
    deploy.also_allows = ("sts:TagSession",)
    environ = {**CI, **machines.deployer(world, deploy)}
    too_large = Fault(
        "error", status=400, code="PackedPolicyTooLarge", message="Packed size consumes 112%", times=9
    )
    world.aws.fail("AssumeRole", too_large)

    done = world.run(deploy.arn, "--tag", "a=b", "--", "true", environ=environ)

    assert_ours(done, 125, "[packed-policy-too-large]")
    assert world.aws.count("AssumeRole") == 1


# A token with less than its role


def test_a_token_s_session_is_scoped_as_any_other(world: World, deploy: Role) -> None:
    path = machines.token_file(world, machines.web_identity_token(world, role=deploy))
    environ = {**CI, "AWS_WEB_IDENTITY_TOKEN_FILE": str(path)}
    policy = '{"Version":"2012-10-17","Statement":[]}'

    done = world.run(deploy.arn, "--read-only", "--policy", policy, "--", "true", environ=environ)

    assert done.returncode == 0, done.stderr.decode()
    (call,) = calls_of(world.aws, "AssumeRoleWithWebIdentity")
    assert call.parameters["Policy"] == policy
    assert call.parameters["PolicyArns.member.1.arn"] == "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_marks_that_only_a_token_itself_can_bring_are_refused(world: World, deploy: Role) -> None:
    path = machines.token_file(world, machines.web_identity_token(world, role=deploy))
    environ = {**CI, "AWS_WEB_IDENTITY_TOKEN_FILE": str(path)}

    done = world.run(deploy.arn, "--tag", "team=pay", "--", "true", environ=environ)

    assert_ours(done, 2, "brings its own tags", "[usage]")
    assert world.aws.calls == []


# GitHub Actions


@pytest.mark.matrix(66)
def test_a_job_without_the_permission_is_told_of_it(world: World, deploy: Role) -> None:
    world.credentials.unlink()
    environ = machines.github(world, deploy, has_permission=False)

    said = assert_ours(world.run(deploy.arn, "--", "true", environ=environ), 125, "[no-access-key]")

    assert "id-token: write" in said


@pytest.mark.matrix(66)
def test_so_is_a_job_whose_profile_names_keys_that_are_not_here(world: World) -> None:
    world.add_role("prod", mfa=False)
    world.credentials.unlink()
    environ = machines.github(world, has_permission=False)

    said = assert_ours(world.run("prod", "--", "true", environ=environ), 125, "gds-users")

    assert "id-token: write" in said


def test_a_token_is_minted_for_the_audience_that_is_asked_for(world: World, deploy: Role) -> None:
    world.credentials.unlink()
    environ = machines.github(world, deploy, audience="gov uk/ci")

    wrong = world.run(deploy.arn, "--", "true", environ=environ)
    right = world.run(deploy.arn, "--audience", "gov uk/ci", "--", "true", environ=environ)

    assert_ours_but_masks(wrong.stderr.decode(), "Incorrect token audience")
    assert right.returncode == 0, right.stderr.decode()
    assert world.aws.github.minted == 2


def assert_ours_but_masks(said: str, *words: str) -> None:
    told = [line for line in said.splitlines() if not line.startswith("::add-mask::")]
    assert all(word in "\n".join(told) for word in words), said


@pytest.mark.parametrize("kind", ["error", "garbage", "empty", "reset"])
def test_github_that_is_busy_is_asked_again(kind: str, world: World, deploy: Role) -> None:
    world.credentials.unlink()
    environ = machines.github(world, deploy)
    world.aws.fail("GetGitHubToken", Fault(kind, times=2, status=503))

    assert world.run(deploy.arn, "--", "true", environ=environ).returncode == 0
    assert world.aws.count("GetGitHubToken") == 3


def test_the_runner_masks_the_session_before_the_command_starts(world: World, deploy: Role) -> None:
    world.credentials.unlink()
    environ = machines.github(world, deploy)

    done = world.run_program(
        "sh", "-c", f"gds-exec {deploy.arn} -- sh -c 'echo $AWS_SECRET_ACCESS_KEY' 2>&1", environ=environ
    )

    lines = done.stdout.decode().splitlines()
    secret = lines[-1]
    assert f"::add-mask::{secret}" in lines[:-1]
    assert [line.partition("::add-mask::")[0] for line in lines[:-1]] == [""] * 3


def test_elsewhere_nothing_is_masked(world: World, deploy: Role) -> None:
    environ = {**CI, **machines.deployer(world, deploy)}

    assert world.run(deploy.arn, "--", "true", environ=environ).stderr == b""


def test_the_command_cannot_ask_for_tokens_unless_it_may(world: World, deploy: Role) -> None:
    world.credentials.unlink()
    environ = machines.github(world, deploy)

    without = world.run(deploy.arn, "--", "env", environ=environ).stdout
    with_it = world.run(deploy.arn, "--pass-id-token", "--", "env", environ=environ).stdout
    refreshed = world.run(deploy.arn, "--refresh", "--", "env", environ=environ).stdout

    assert b"ACTIONS_ID_TOKEN_REQUEST" not in without + refreshed
    assert b"ACTIONS_ID_TOKEN_REQUEST_URL" in with_it
    assert b"ACTIONS_ID_TOKEN_REQUEST_TOKEN" in with_it


# A step that needs credentials alone


@pytest.mark.parametrize("file", ["env", "output"])
def test_a_step_leaves_its_session_to_the_steps_behind_it(file: str, world: World, deploy: Role) -> None:
    world.credentials.unlink()
    environ = machines.github(world, deploy)
    target = world.home / "file"
    step = f'gds-exec {deploy.arn} --export --format github-{file} >>"$GITHUB_FILE"'

    done = world.run_program("sh", "-c", step, environ={**environ, "GITHUB_FILE": str(target)})

    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""
    text = target.read_text()
    masks = [line.removeprefix("::add-mask::") for line in done.stderr.decode().splitlines()]
    assert len(masks) == 3
    assert all(secret in text for secret in masks)
    assert "add-mask" not in text


def test_a_step_s_result_is_had_as_json(world: World, deploy: Role) -> None:
    environ = {**CI, **machines.deployer(world, deploy)}

    done = world.run(deploy.arn, "--export", "--format", "json", environ=environ)

    assert set(json.loads(done.stdout)) >= {"AWS_ACCESS_KEY_ID", "AWS_CREDENTIAL_EXPIRATION"}
    assert done.stderr == b""


# Others' endpoints


@pytest.mark.matrix(126)
def test_an_endpoint_that_is_not_aws_s_is_named_once_and_no_token_goes_there_in_the_clear(
    world: World, deploy: Role
) -> None:
    path = machines.token_file(world, machines.web_identity_token(world, role=deploy))
    environ = {**CI, "AWS_WEB_IDENTITY_TOKEN_FILE": str(path)}

    plain = world.run(
        deploy.arn, "--", "true", environ={**environ, "AWS_ENDPOINT_URL_STS": "http://sts.example.com"}
    )

    assert_ours(plain, 125, "sts.example.com")
