"""What a session begins with where no file has keys: each kind, their order, and what is said of it."""

import json
from collections.abc import Callable

import pytest

from gds_exec.sandbox.principals import Role

from . import machines
from .expectations import assert_ours
from .observations import calls_of
from .patience import insist
from .world import SHOW_KEY, World, finish, needs

Place = Callable[[World, Role], dict[str, str]]
ARN = "arn:aws:iam::222222222222:role/"
FAR = "333333333333"
NOBODY = {"AWS_EC2_METADATA_DISABLED": "true"}


def token_in_aws_variable(world: World, role: Role) -> dict[str, str]:
    path = machines.token_file(world, machines.web_identity_token(world, role=role))
    return {"AWS_WEB_IDENTITY_TOKEN_FILE": str(path)}


def token_in_variable(world: World, role: Role) -> dict[str, str]:
    return {
        "CI_TOKEN": machines.web_identity_token(world, role=role),
        "GDS_EXEC_WEB_IDENTITY_TOKEN_ENV": "CI_TOKEN",
    }


def printed_token(world: World, role: Role) -> dict[str, str]:
    path = machines.token_file(world, machines.web_identity_token(world, role=role))
    return {"GDS_EXEC_WEB_IDENTITY_TOKEN_COMMAND": f"cat {path}"}


def instance(world: World, role: Role) -> dict[str, str]:
    own = machines.plain_role(world, "instance-role")
    role.trust += (own.arn,)
    return machines.instance(world, own)


def container(world: World, role: Role) -> dict[str, str]:
    own = machines.plain_role(world, "container-role")
    role.trust += (own.arn,)
    return machines.container(world, own)


PLACES = [
    pytest.param(machines.deployer, "environment", "the environment", id="keys in the environment"),
    pytest.param(token_in_aws_variable, "web-identity", "the web identity token in ", id="a token's file"),
    pytest.param(token_in_variable, "web-identity", "the web identity token in $CI_TOKEN", id="a variable"),
    pytest.param(
        printed_token, "web-identity", "the web identity token that the command prints", id="printed"
    ),
    pytest.param(machines.github, "github", "the job's web identity token of GitHub", id="GitHub's"),
    pytest.param(container, "container", "the container", id="a container"),
    pytest.param(instance, "instance", "the instance", id="an instance"),
]


@pytest.fixture
def elsewhere(world: World) -> World:
    """A machine without AWS files."""
    world.credentials.unlink()
    world.config.unlink()
    return world


def who(world: World, *argv: str, environ: dict[str, str]) -> str:
    """Return the ARN that a command has which runs as this."""
    done = world.run(*argv, "--", *SHOW_KEY, environ=environ)
    assert done.returncode == 0, done.stderr.decode()
    session = world.aws.credentials(done.stdout.decode().strip())
    assert session is not None
    return session.caller.arn


@pytest.mark.parametrize(("place", "kind", "owner"), PLACES)
def test_a_bare_role_begins_with_what_the_place_has(
    place: Place, kind: str, owner: str, elsewhere: World
) -> None:
    role = machines.plain_role(elsewhere, "deploy")
    environ = place(elsewhere, role)

    assert ":assumed-role/deploy/" in who(elsewhere, f"{ARN}deploy", environ=environ)
    assert ":assumed-role/deploy/" in who(elsewhere, f"{ARN}deploy", "--source", kind, environ=environ)

    explained = elsewhere.run("explain", f"{ARN}deploy", "--json", environ=environ)
    assert json.loads(explained.stdout)["source"].startswith(owner)


@pytest.mark.parametrize(("place", "kind", "owner"), PLACES)
def test_another_kind_than_the_place_has_is_missed(
    place: Place, kind: str, owner: str, elsewhere: World
) -> None:
    environ = NOBODY | place(elsewhere, machines.plain_role(elsewhere, "deploy"))
    others = {"profile", "environment", "github", "container"} - {kind}
    if kind not in ("web-identity", "github"):
        others.add("web-identity")

    for other in sorted(others):
        done = elsewhere.run(
            f"{ARN}deploy", "--source", other, "--", "true", environ=without_named_tokens(environ)
        )
        assert_ours(done, 125, "[no-access-key]")


def without_named_tokens(environ: dict[str, str]) -> dict[str, str]:
    """The environment without what asks for a token, beside which no other kind can be asked for."""
    return {name: value for name, value in environ.items() if not name.startswith("GDS_EXEC_WEB")}


# Their order


def test_of_all_that_a_place_has_the_first_in_order_is_taken(world: World) -> None:
    """Keys in the environment, a token, a profile, the container, the instance."""
    role = world.add_role("deploy", mfa=False)
    in_order = {
        "AWS_ACCESS_KEY_ID": machines.deployer(world, role),
        "AWS_WEB_IDENTITY_TOKEN_FILE": token_in_aws_variable(world, role),
        "file": {},
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": container(world, role),
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": instance(world, role),
    }
    owners = [
        "the environment",
        "the web identity token in ",
        "profile gds-users",
        "the container",
        "the instance",
    ]
    environ = {name: value for place in in_order.values() for name, value in place.items()}

    for name, owner in zip(in_order, owners, strict=True):
        explained = world.run("explain", f"{ARN}deploy", "--json", environ=environ)
        assert json.loads(explained.stdout)["source"].startswith(owner)
        assert ":assumed-role/deploy/" in who(world, f"{ARN}deploy", environ=environ)
        environ.pop(name, None)
        if name == "file":
            world.credentials.unlink()
            world.write_config("")


def test_a_named_profile_goes_before_keys_in_the_environment(world: World) -> None:
    role = world.add_role("deploy", mfa=False)
    environ = machines.deployer(world, role)

    assert who(world, "deploy", environ=environ)
    assert who(world, f"{ARN}deploy", "--source-profile", "gds-users", environ=environ)

    assert {call.access_key_id for call in calls_of(world.aws, "AssumeRole")} == {world.user.access_key_id}


def test_what_a_profile_names_stands_in_ci_too(world: World) -> None:
    role = world.add_role("deploy", mfa=False)
    environ = {"CI": "true", **machines.deployer(world, role), **token_in_aws_variable(world, role)}

    assert who(world, "deploy", environ=environ)

    assert world.aws.count("AssumeRoleWithWebIdentity") == 0
    assert {call.access_key_id for call in calls_of(world.aws, "AssumeRole")} == {world.user.access_key_id}


@pytest.mark.parametrize("lost", ["keys", "profile"])
def test_where_a_profile_s_source_is_not_here_the_token_stands_for_it_in_ci_alone(
    lost: str, world: World
) -> None:
    role = world.add_role("deploy", mfa=False)
    environ = token_in_aws_variable(world, role)
    world.write_credentials("[gds-users]\nregion = eu-west-2\n" if lost == "keys" else "")

    slug = "[no-access-key]" if lost == "keys" else "[source-profile-missing]"
    assert_ours(world.run("deploy", "--", "true", environ=environ), 125, slug)

    assert ":assumed-role/deploy/" in who(world, "deploy", environ={"CI": "true", **environ})


def test_where_nothing_is_there_the_profile_s_own_lack_is_told(world: World) -> None:
    world.add_role("deploy", mfa=False)
    world.write_credentials("")

    done = world.run("deploy", "--", "true", environ={"CI": "true"})

    assert_ours(done, 125, "gds-users", "[source-profile-missing]")


# Profiles that say themselves what they begin with


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("Environment", machines.deployer),
        ("Ec2InstanceMetadata", instance),
        ("EcsContainer", container),
    ],
    ids=["Environment", "Ec2InstanceMetadata", "EcsContainer"],
)
def test_a_profile_s_credential_source_is_asked(source: str, place: Place, world: World) -> None:
    role = machines.plain_role(world, "deploy")
    environ = place(world, role)
    world.write_config(f"[profile job]\nrole_arn = {role.arn}\ncredential_source = {source}\n")

    assert ":assumed-role/deploy/" in who(world, "job", environ=environ)


@pytest.mark.matrix(119)
@pytest.mark.parametrize("source", ["Environment", "Ec2InstanceMetadata", "EcsContainer"])
def test_a_credential_source_that_is_not_here_is_told(source: str, world: World) -> None:
    world.write_config(f"[profile job]\nrole_arn = {ARN}deploy\ncredential_source = {source}\n")

    assert_ours(world.run("job", "--", "true"), 125, f"credential_source = {source}", "[no-access-key]")


def test_a_profile_s_token_file_is_exchanged_for_its_role_whatever_the_environment_says(world: World) -> None:
    role = machines.plain_role(world, "deploy")
    path = machines.token_file(world, machines.web_identity_token(world, role=role))
    world.write_config(f"[profile job]\nrole_arn = {role.arn}\nweb_identity_token_file = {path}\n")

    assert ":assumed-role/deploy/" in who(world, "job", environ={"AWS_ROLE_ARN": f"{ARN}other"})


def test_a_role_behind_a_token_s_role_is_assumed_from_it(world: World) -> None:
    first = machines.plain_role(world, "first")
    machines.role_beyond(world, first, "far")
    path = machines.token_file(world, machines.web_identity_token(world, role=first))
    world.write_config(
        f"[profile near]\nrole_arn = {first.arn}\nweb_identity_token_file = {path}\n"
        f"[profile far]\nrole_arn = arn:aws:iam::{FAR}:role/far\nsource_profile = near\n"
    )

    assert f"{FAR}:assumed-role/far/" in who(world, "far", environ={})


# A token and the role that AWS_ROLE_ARN names


def test_a_token_with_a_role_of_its_own_goes_by_way_of_that(elsewhere: World) -> None:
    own = machines.plain_role(elsewhere, "ci")
    machines.role_beyond(elsewhere, own, "far")
    environ = {"AWS_ROLE_ARN": own.arn, **token_in_aws_variable(elsewhere, own)}

    assert ":assumed-role/ci/" in who(elsewhere, own.arn, environ=environ)
    assert f"{FAR}:assumed-role/far/" in who(elsewhere, f"{FAR}/far", environ=environ)

    exchanged = calls_of(elsewhere.aws, "AssumeRoleWithWebIdentity")
    assert {call.parameters["RoleArn"] for call in exchanged} == {own.arn}
    assert elsewhere.aws.count("AssumeRole") == 1


def test_a_role_without_a_token_file_means_no_web_identity(world: World) -> None:
    world.add_role("deploy", mfa=False)
    environ = {"AWS_ROLE_ARN": f"{ARN}other", "AWS_ROLE_SESSION_NAME": "a-setting"}

    assert who(world, f"{ARN}deploy", environ=environ).endswith(":assumed-role/deploy/a-setting")
    assert world.aws.count("AssumeRoleWithWebIdentity") == 0


@pytest.mark.parametrize("name", ["a", "with blanks", "x" * 65, "é"])
def test_a_session_name_that_sts_would_refuse_is_refused_before_any_call(name: str, world: World) -> None:
    world.add_role("deploy", mfa=False)

    done = world.run("deploy", "--", "true", environ={"AWS_ROLE_SESSION_NAME": name})

    assert_ours(done, 125, "AWS_ROLE_SESSION_NAME", "[broken-profile]")
    assert world.aws.calls == []


# Inside another role


@pytest.mark.parametrize("options", [(), ("--refresh",)], ids=["keys", "endpoint"])
def test_the_outer_role_stands_for_keys_that_the_command_does_not_see_any_more(
    options: tuple[str, ...], elsewhere: World
) -> None:
    outer = machines.plain_role(elsewhere, "outer")
    machines.role_beyond(elsewhere, outer, "inner")
    environ = machines.deployer(elsewhere, outer)
    inside = ("gds-exec", f"{FAR}/inner")

    arn = who(elsewhere, outer.arn, *options, "--", *inside, environ=environ)

    assert f"{FAR}:assumed-role/inner/" in arn


def test_a_person_is_told_that_the_outer_role_stands_for_what_has_gone(elsewhere: World) -> None:
    outer = machines.plain_role(elsewhere, "outer")
    machines.role_beyond(elsewhere, outer, "inner")
    environ = machines.deployer(elsewhere, outer)

    terminal = elsewhere.terminal(outer.arn, "--", "gds-exec", f"{FAR}/inner", "--", "true", environ=environ)

    terminal.expect(f"{FAR}/inner is assumed from the outer role {outer.arn}")


@needs("bash")
def test_a_role_shell_that_lost_its_source_keeps_the_session_that_it_begins_with(elsewhere: World) -> None:
    outer = machines.plain_role(elsewhere, "outer")
    environ = {**machines.deployer(elsewhere, outer), "SHELL": "bash"}

    terminal = elsewhere.terminal(outer.arn, environ=environ)

    terminal.expect_exact("this bash keeps the session that it begins with")
    insist(terminal, "echo shell-$GDS_EXEC_SHELL-", "shell--")
    terminal.sendeof()
    finish(terminal)


def test_a_source_that_the_command_sees_too_is_begun_with_again(elsewhere: World) -> None:
    own = machines.plain_role(elsewhere, "instance-role")
    for name in ("outer", "inner"):
        machines.plain_role(elsewhere, name).trust += (own.arn,)
    environ = machines.instance(elsewhere, own)

    done = elsewhere.run(f"{ARN}outer", "--", "gds-exec", f"{ARN}inner", "--", *SHOW_KEY, environ=environ)

    session = elsewhere.aws.credentials(done.stdout.decode().strip())
    assert session is not None, done.stderr.decode()
    assert ":assumed-role/inner/" in session.caller.arn


# What does not go together


@pytest.mark.parametrize(
    "argv",
    [
        ("--web-identity-token-file", "a", "--web-identity-token-env", "B"),
        ("--web-identity-token-file", "a", "--source", "instance"),
        ("--web-identity-token-file", "a", "--source", "profile"),
        ("--source-profile", "gds-users", "--source", "environment"),
        ("--source-profile", "gds-users", "--web-identity-token-env", "B"),
        ("--source", "moon"),
        ("--expect-account", "12345"),
        ("--timeout", "soon"),
    ],
    ids=" ".join,
)
def test_two_sources_and_wrong_values_are_usage_errors(argv: tuple[str, ...], world: World) -> None:
    assert_ours(world.run(f"{ARN}deploy", *argv, "--", "true"), 2, "[usage]")


@pytest.mark.matrix(65)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, ("cannot be read: No such file", "hint: the CI"), id="missing"),
        pytest.param("", ("is empty",), id="empty"),
        pytest.param("\n", ("is empty",), id="a newline alone"),
        pytest.param("no token", ("is no JWT",), id="words"),
    ],
)
def test_a_token_s_file_that_holds_none_is_told(
    content: str | None, words: tuple[str, ...], elsewhere: World
) -> None:
    path = elsewhere.home / "token"
    if content is not None:
        path.write_text(content)
    environ = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(path)}

    done = elsewhere.run(f"{ARN}deploy", "--", "true", environ=environ)

    assert_ours(done, 125, "[source-failed]", *words)
    assert elsewhere.aws.calls == []


@pytest.mark.matrix(65)
def test_a_newline_behind_a_token_does_no_harm(elsewhere: World) -> None:
    role = machines.plain_role(elsewhere, "deploy")
    token = machines.web_identity_token(elsewhere, role=role)
    path = machines.token_file(elsewhere, f"{token}\n")

    assert who(elsewhere, role.arn, environ={"AWS_WEB_IDENTITY_TOKEN_FILE": str(path)})


@pytest.mark.matrix(65)
@pytest.mark.parametrize(
    ("claims", "words"),
    [
        pytest.param(
            {"lifetime_seconds": -60}, ("has expired", "[source-credentials-invalid]"), id="expired"
        ),
        pytest.param({"audience": "elsewhere"}, ("Incorrect token audience", "--audience"), id="audience"),
        pytest.param({"subject": "other"}, ("AssumeRoleWithWebIdentity", "[access-denied]"), id="subject"),
    ],
)
def test_a_token_that_aws_does_not_take_is_told_and_shown_nowhere(
    claims: dict[str, object], words: tuple[str, ...], elsewhere: World
) -> None:
    role = machines.plain_role(elsewhere, "deploy")
    machines.trust_tokens(elsewhere, role)
    token = machines.web_identity_token(elsewhere, **claims)
    path = machines.token_file(elsewhere, token)

    done = elsewhere.run(
        role.arn, "--debug", "--", "true", environ={"AWS_WEB_IDENTITY_TOKEN_FILE": str(path)}
    )

    said = done.stderr.decode()
    assert done.returncode == 125
    assert all(word in said for word in words), said
    assert token not in said
    assert elsewhere.aws.count("AssumeRoleWithWebIdentity") == 1, "a refusal is not asked again"


def test_a_token_stands_in_no_argument(elsewhere: World) -> None:
    role = machines.plain_role(elsewhere, "deploy")
    environ = token_in_variable(elsewhere, role)
    show = ("sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null")

    done = elsewhere.run(role.arn, "--refresh", "--", *show, environ=environ)

    assert b"gds_exec.refresher" in done.stdout
    assert environ["CI_TOKEN"].encode() not in done.stdout
