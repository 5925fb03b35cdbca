"""`gds-exec roles`: what there is to type, for a person and for a shell's completion."""

import time

import pytest

from .expectations import assert_ours
from .world import World


@pytest.fixture
def three(world: World) -> World:
    world.add_role("prod")
    world.add_role("staging")
    return world


def names(world: World, **environ: str) -> list[str]:
    done = world.run("roles", "--names", environ=environ)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


def is_warm(world: World) -> bool:
    done = world.run("roles", "--names", environ={"PYTHONPROFILEIMPORTTIME": "1"})
    return b"gds_exec.warm_names" in done.stderr and b"gds_exec.cli" not in done.stderr


def settle(world: World) -> None:
    changed = max(path.stat().st_ctime for path in (world.config, world.credentials))
    time.sleep(max(0.0, changed + 2.1 - time.time()))


def test_roles_are_listed_with_what_they_lead_to(three: World) -> None:
    done = three.run("roles")

    arn = "arn:aws:iam::222222222222:role"
    assert done.stdout.decode().splitlines() == [
        "  gds-users",
        f"  prod       {arn}/prod",
        f"  staging    {arn}/staging",
    ]


def test_names_come_one_a_line_and_the_second_time_without_reading_the_files(three: World) -> None:
    settle(three)
    found = names(three)

    assert found == ["gds-users", "prod", "staging"]
    assert is_warm(three)
    assert names(three) == found


def test_a_new_role_is_among_the_names_at_once(three: World) -> None:
    settle(three)
    names(three)
    three.add_role("audit")

    assert names(three) == ["audit", "gds-users", "prod", "staging"]


def test_other_files_have_other_names(three: World) -> None:
    settle(three)
    names(three)
    (three.home / "other").write_text("[profile elsewhere]\n")

    assert names(three, AWS_CONFIG_FILE=str(three.home / "other")) == ["elsewhere", "gds-users"]


def test_many_names_of_any_characters_are_kept(three: World) -> None:
    many = [f"équipe-{number}" for number in range(10_000)]
    three.write_config("".join(f"[profile {name}]\nregion = x\n" for name in many))
    settle(three)

    assert names(three) == names(three) == sorted([*many, "gds-users"])
    assert is_warm(three)


def test_a_broken_file_is_an_error_of_ours(three: World) -> None:
    three.write_config("nonsense\n")

    assert_ours(three.run("roles", "--names"), 125, "broken-file")
