"""Jobs that outlive their sessions, and the tokens that these were had with: `--refresh` where nobody is."""

from . import machines
from .observations import calls_of
from .patience import eventually
from .refreshed import Run, assert_serves_another, without_terminal
from .world import World

LIVES = ("sh", "-c", "echo ready; read line; exit 3")  # until it is written to
# So long lives a session by the sandbox's clock; we renew in its last quarter.
LIFE_SECONDS = 8


def outlive(run: Run) -> str:
    """Return when the endpoint has had two more sessions than the first; what key it has then."""
    key = run.served.fetch().key_id
    for _ in range(2):
        eventually(lambda key=key: assert_serves_another(run.served, key))
        key = run.served.fetch().key_id
    return key


def test_a_token_that_ends_in_the_middle_of_a_job_is_minted_again(world: World) -> None:
    role = machines.plain_role(world, "deploy")
    world.credentials.unlink()
    environ = machines.github(world, role, token_seconds=3)
    world.aws.life_override = LIFE_SECONDS

    with without_terminal(world, role.arn, "--refresh", "--", *LIVES, environ=environ) as run:
        outlive(run)
        assert run.end() == 3
        said = run.said()

    exchanged = calls_of(world.aws, "AssumeRoleWithWebIdentity")
    assert [call.status for call in exchanged] == [200] * len(exchanged)
    assert len(exchanged) >= 3
    assert world.aws.github.minted == len(exchanged), "none was used twice"
    assert all(line.startswith("::add-mask::") for line in said.splitlines()), said
    assert not world.cache.exists()


def test_every_session_of_a_job_is_masked_before_the_command_can_have_it(world: World) -> None:
    role = machines.plain_role(world, "deploy")
    world.credentials.unlink()
    environ = machines.github(world, role)
    world.aws.life_override = LIFE_SECONDS

    with without_terminal(world, role.arn, "--refresh", "--", *LIVES, environ=environ) as run:
        key = outlive(run)

        secret = run.served.fetch().document["SecretAccessKey"]
        assert f"::add-mask::{key}\n" in run.said()
        assert f"::add-mask::{secret}\n" in run.said()
        assert f"::add-mask::{run.served.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']}\n" in run.said()


def test_a_token_s_file_is_read_again_at_each_renewal(world: World) -> None:
    role = machines.plain_role(world, "deploy")
    world.credentials.unlink()
    first = machines.web_identity_token(world, role=role, lifetime_seconds=4)
    path = machines.token_file(world, first)
    world.aws.life_override = LIFE_SECONDS
    environ = {"CI": "true", "AWS_WEB_IDENTITY_TOKEN_FILE": str(path)}

    with without_terminal(world, role.arn, "--refresh", "--", *LIVES, environ=environ) as run:
        key = run.served.fetch().key_id
        machines.token_file(world, machines.web_identity_token(world))
        eventually(lambda: assert_serves_another(run.served, key))

        assert run.said() == ""


def test_a_token_that_nobody_renews_is_told_of_and_what_is_valid_is_served(world: World) -> None:
    role = machines.plain_role(world, "deploy")
    world.credentials.unlink()
    path = machines.token_file(world, machines.web_identity_token(world, role=role, lifetime_seconds=2))
    world.aws.life_override = LIFE_SECONDS
    environ = {"CI": "true", "AWS_WEB_IDENTITY_TOKEN_FILE": str(path)}

    with without_terminal(world, role.arn, "--refresh", "--", *LIVES, environ=environ) as run:
        key = run.served.fetch().key_id
        eventually(lambda: _assert_says(run, "web identity token has expired"))

        answer = run.served.fetch()
        assert (answer.status, answer.key_id) == (200, key)
        assert run.end() == 3, "the command goes on"


def test_keys_of_the_environment_and_an_instance_s_are_renewed_from(world: World) -> None:
    own = machines.plain_role(world, "instance-role")
    role = machines.plain_role(world, "deploy")
    role.trust += (own.arn,)
    world.credentials.unlink()
    places = (machines.deployer(world, role), machines.instance(world, own))
    world.aws.life_override = LIFE_SECONDS

    for environ in places:
        with without_terminal(
            world, role.arn, "--refresh", "--", *LIVES, environ={"CI": "true", **environ}
        ) as run:
            outlive(run)
            assert run.said() == ""


def _assert_says(run: Run, words: str) -> None:
    assert words in run.said()
