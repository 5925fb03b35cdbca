"""What narrows or marks a session: it reaches STS, each scope has its own session, and renewals keep it."""

import json

import pytest

from .expectations import assert_ours
from .observations import calls_of, codes_sent
from .patience import eventually
from .refreshed import (
    Start,
    assert_serves_another,
    in_both_ways,
    leave,
    records,
    refreshing,
    without_terminal,
)
from .world import SHOW_KEY, World

MARKS = ("sts:TagSession", "sts:SetSourceIdentity")
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
SCOPE_PARAMETERS = ("Policy", "Tags", "TransitiveTagKeys", "SourceIdentity", "ExternalId")


@pytest.fixture
def plain(world: World) -> World:
    """A world in which the role `plain` wants no MFA, and lets its sessions be marked."""
    world.add_role("plain", mfa=False).also_allows = MARKS
    return world


def run(world: World, *options: str, role: str = "plain", environ: dict[str, str] | None = None) -> str:
    """Run a command with these options, and return the access key id that it sees."""
    done = world.run(role, *options, "--", *SHOW_KEY, environ=environ)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def scopes(world: World) -> list[dict[str, str]]:
    """What each AssumeRole was told of a scope."""
    return [
        {name: value for name, value in call.parameters.items() if name.startswith(SCOPE_PARAMETERS)}
        for call in calls_of(world.aws, "AssumeRole")
    ]


def test_read_only_is_a_policy_of_the_session(plain: World) -> None:
    run(plain, "--read-only")

    assert scopes(plain) == [{"PolicyArns.member.1.arn": READ_ONLY}]


def test_what_is_said_by_options_and_variables_reaches_sts(plain: World) -> None:
    (plain.home / "policy.json").write_text(json.dumps(POLICY, indent=2))
    variables = {"GDS_EXEC_TAG": "team=pay project=x", "GDS_EXEC_TRANSITIVE_TAG": "team"}

    run(
        plain,
        "--policy",
        "policy.json",
        "--source-identity",
        "alice",
        "--external-id=my-id",
        environ=variables,
    )

    assert scopes(plain) == [
        {
            "Policy": json.dumps(POLICY, separators=(",", ":")),
            "Tags.member.1.Key": "project",
            "Tags.member.1.Value": "x",
            "Tags.member.2.Key": "team",
            "Tags.member.2.Value": "pay",
            "TransitiveTagKeys.member.1": "team",
            "SourceIdentity": "alice",
            "ExternalId": "my-id",
        }
    ]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--policy", "{}"], id="policy"),
        pytest.param(["--policy-arn", "arn:aws:iam::222222222222:policy/ours"], id="policy ARN"),
        pytest.param(["--read-only"], id="read-only"),
        pytest.param(["--tag", "team=pay"], id="tag"),
        pytest.param(["--tag", "a=1", "--tag", "b=2"], id="tags"),
        pytest.param(["--tag", "a=1", "--transitive-tag", "a"], id="transitive tag"),
        pytest.param(["--source-identity", "alice"], id="source identity"),
        pytest.param(["--external-id", "my-id"], id="external id"),
    ],
)
def test_each_scope_has_its_own_session_and_is_served_it_again(options: list[str], plain: World) -> None:
    others = [run(plain), run(plain, "--tag", "a=1"), run(plain, "--policy", '{"Version": "2012-10-17"}')]

    ours = run(plain, *options)

    assert ours not in others
    assert run(plain, *options) == ours
    assert run(plain) == others[0]
    assert plain.aws.count("AssumeRole") == 4


def test_a_policy_file_that_has_changed_is_another_policy(plain: World) -> None:
    path = plain.home / "policy.json"
    path.write_text("{}")
    before = run(plain, "--policy", str(path))
    path.write_text('{"Version": "2012-10-17"}')

    assert run(plain, "--policy", str(path)) != before
    assert run(plain, "--policy", "{ }") == before, "where it stands makes no difference"


def test_an_external_id_wins_over_that_of_the_profile(world: World) -> None:
    world.add_role("theirs", mfa=False, external_id="right", settings="external_id = wrong")

    assert world.run("theirs", "--", "true").returncode == 125
    run(world, "--external-id", "right", role="theirs")


def test_with_mfa_one_code_does_for_all_scopes(world: World) -> None:
    world.add_role("prod").also_allows = MARKS
    world.sign_in("prod", "--read-only")

    run(world, role="prod")
    run(world, "--tag", "team=pay", role="prod")

    assert codes_sent(world.aws) == 1
    assert "PolicyArns.member.1.arn" not in calls_of(world.aws, "GetSessionToken")[0].parameters


def test_in_a_chain_the_first_role_gets_the_source_identity_and_the_last_one_the_rest(plain: World) -> None:
    first = next(iter(plain.aws.roles.values()))
    plain.add_role("inner", mfa=False, trust=[first.arn], source_profile="plain").also_allows = MARKS

    run(plain, "--read-only", "--tag", "team=pay", "--source-identity", "alice", role="inner")

    assert scopes(plain) == [
        {"SourceIdentity": "alice"},
        {"PolicyArns.member.1.arn": READ_ONLY, "Tags.member.1.Key": "team", "Tags.member.1.Value": "pay"},
    ]


def test_another_partition_has_a_read_only_policy_of_its_own(plain: World) -> None:
    plain.config.write_text(plain.config.read_text().replace("arn:aws:", "arn:aws-cn:"))

    done = plain.run("plain", "--read-only", "--", "true")

    assert done.returncode == 125, "the sandbox has no role there"
    assert scopes(plain) == [{"PolicyArns.member.1.arn": READ_ONLY.replace("arn:aws:", "arn:aws-cn:")}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(["--policy", "missing.json"], ["--policy 'missing.json' cannot be read"], id="no file"),
        pytest.param(["--policy", "{"], ["--policy is no policy"], id="no JSON"),
        pytest.param(["--policy", json.dumps({"a": "x" * 2048})], ["2056 characters"], id="too long"),
        pytest.param(["--tag", "team"], ["--tag 'team' has no value"], id="no value"),
        pytest.param(["--transitive-tag", "team"], ["'team' is no tag"], id="no such tag"),
        pytest.param(["--source-identity", "aws:me"], ["--source-identity 'aws:me'"], id="AWS's own"),
        pytest.param(["--external-id", "x"], ["--external-id 'x'"], id="too short"),
    ],
)
def test_what_aws_would_refuse_is_a_usage_error_before_a_code_is_asked_for(
    options: list[str], words: list[str], world: World
) -> None:
    world.add_role("prod")

    assert_ours(world.run("prod", *options, "--", "true"), 2, *words, "[usage]", "hint: ")
    assert world.aws.calls == []


def test_without_a_role_there_is_nothing_to_scope(world: World) -> None:
    done = world.run("gds-users", "--read-only", "--", "true")

    assert_ours(done, 2, "profile gds-users has no role", "[usage]")


@pytest.mark.parametrize(
    ("option", "value", "action"),
    [("--tag", "team=pay", "sts:TagSession"), ("--source-identity", "alice", "sts:SetSourceIdentity")],
)
def test_a_trust_policy_that_allows_no_marks_is_explained_and_no_code_is_tried(
    option: str, value: str, action: str, world: World
) -> None:
    world.add_role("strict", mfa=False)

    done = world.run("strict", option, value, "--", "true")

    assert_ours(done, 125, f"AWS refused {option}", f"hint: have the role's trust policy allow {action}")
    assert world.aws.count("AssumeRole") == 1


def test_what_is_too_large_when_packed_is_explained_with_the_percentage(plain: World) -> None:
    many = [f"service{n * n}:Get{n * 7919}" for n in range(60)]
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Action": many, "Resource": "*"}]})

    said = assert_ours(plain.run("plain", "--policy", policy, "--", "true"), 125, "hint: ", "--policy-arn")

    assert "Packed policy consumes 1" in said
    assert "% of allotted space" in said


@in_both_ways
def test_a_refreshed_command_keeps_its_scope(start: Start, plain: World) -> None:
    tagged = {"GDS_EXEC_TAG": "team=pay"}
    run(plain, "--read-only", environ=tagged)
    key_id = leave(plain, seconds=600)
    _, *argv = refreshing(options=("--read-only",))

    with start(plain, "plain", *argv, environ=tagged) as running:
        eventually(lambda: assert_serves_another(running.served, key_id))
        assert running.end() == 3

    assert (
        scopes(plain)
        == [{"PolicyArns.member.1.arn": READ_ONLY, "Tags.member.1.Key": "team", "Tags.member.1.Value": "pay"}]
        * 2
    )


def test_renew_renews_what_runs_with_its_scope(plain: World) -> None:
    before = run(plain, "--read-only")
    _, *argv = refreshing(options=("--read-only",))

    def is_known() -> None:
        assert records(plain)

    with without_terminal(plain, "plain", *argv):
        eventually(is_known)
        assert plain.run("renew", "plain").returncode == 0

    assert run(plain, "--read-only") != before
    assert scopes(plain) == [{"PolicyArns.member.1.arn": READ_ONLY}] * 2


def test_renew_takes_a_scope(plain: World) -> None:
    before = run(plain, "--read-only")

    assert plain.run("renew", "plain", "--read-only").returncode == 0

    assert run(plain, "--read-only") != before
    assert plain.aws.count("AssumeRole") == 2


def test_a_credential_process_takes_a_scope(plain: World) -> None:
    done = plain.run("credential-process", "plain", "--read-only")

    assert json.loads(done.stdout)["AccessKeyId"] == run(plain, "--read-only")


def test_an_exported_session_takes_a_scope(plain: World) -> None:
    done = plain.run("plain", "-e", "--read-only")

    assert f"'{run(plain, '--read-only')}'" in done.stdout.decode()
