"""`gds-exec roles`: what there is to type, for a person and for a shell's completion."""

import csv
import io
import json
import time

import pytest

from .expectations import assert_ours
from .world import REGION, World, finish

ODD = "équipe\x1b[31m\u202e[bold][/x]"


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


@pytest.mark.parametrize("argv", [("roles",), ()], ids=["roles", "gds-exec alone"])
def test_lines_for_a_pipe_are_two_spaces_the_name_two_spaces_and_what_it_leads_to(
    three: World, argv: tuple[str, ...]
) -> None:
    done = three.run(*argv)

    assert done.stdout.decode().splitlines() == [
        "  gds-users  access keys",
        "  prod       account 222222222222",
        "  staging    account 222222222222",
    ]


def test_a_script_that_takes_the_descriptions_off_has_the_names(three: World) -> None:
    line = r"""gds-exec | grep -E . | sed -E -e 's/^[ \t]+//' -e 's/ +[a-zA-Z0-9_ /t]+//' | sort"""

    done = three.run_program("sh", "-c", line)

    assert done.stdout.decode().splitlines() == ["gds-users", "prod", "staging"]


@pytest.mark.parametrize("argv", [("roles",), ()], ids=["roles", "gds-exec alone"])
def test_a_terminal_gets_a_table(three: World, argv: tuple[str, ...]) -> None:
    header, keys, prod, staging = finish(three.terminal(*argv, environ={"TERM": "dumb"})).splitlines()

    assert header.split() == ["role", "account", "role", "name", "region", "source"]
    assert keys.split() == ["gds-users", "access", "keys"]
    assert prod.split() == ["prod", "222222222222", "prod", REGION, "gds-users"]
    assert staging.index("222222222222") == header.index("account")


@pytest.mark.parametrize("form", ["--json", "--csv", "--names"])
def test_each_form_can_be_had_of_gds_exec_alone(three: World, form: str) -> None:
    alone, listed = three.run(form), three.run("roles", form)

    assert (alone.returncode, alone.stderr) == (0, b"")
    assert alone.stdout == listed.stdout != three.run("roles").stdout


@pytest.mark.parametrize("columns", [20, 40])
def test_a_narrow_terminal_gets_whole_names_first(three: World, columns: int) -> None:  # matrix 80
    lines = finish(three.terminal("roles", environ={"TERM": "dumb"}, dimensions=(24, columns))).splitlines()

    assert [line.split()[0] for line in lines] == ["role", "gds-users", "prod", "staging"]
    assert max(map(len, lines)) <= columns


def test_no_colour_is_needed_nor_forced_on_anyone(three: World) -> None:  # matrix 80
    plain = finish(three.terminal("roles", environ={"TERM": "dumb"}))
    without_colour = finish(three.terminal("roles", environ={"NO_COLOR": "1"}))

    assert "\x1b" not in plain
    assert "\x1b[3" not in without_colour


@pytest.mark.parametrize(
    "environ",
    [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {"LANG": "C"}, {"PYTHONIOENCODING": "ascii"}, {"COLUMNS": "20"}],
    ids=str,
)
@pytest.mark.parametrize("argv", [(), ("roles", "--csv"), ("roles", "--names")], ids=str)
def test_odd_names_are_only_names(  # matrix 80, 82
    world: World, argv: tuple[str, ...], environ: dict[str, str]
) -> None:
    world.write_config(f"[profile {ODD}]\nregion = x\n")

    done = world.run(*argv, environ=environ)

    assert done.returncode == 0, done.stderr.decode()
    assert rb"quipe\x1b[31m\u202e[bold][/x]" in done.stdout
    assert b"\x1b" not in done.stdout


def test_odd_names_are_only_names_in_a_table_too(world: World) -> None:  # matrix 82
    world.write_config(f"[profile {ODD}]\nregion = x\n")

    said = finish(world.terminal("roles", environ={"TERM": "dumb"}))

    assert r"équipe\x1b[31m\u202e[bold][/x]" in said
    assert "\x1b" not in said


def test_programs_read_json_or_csv(three: World) -> None:
    listed = json.loads(three.run("roles", "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(three.run("roles", "--csv").stdout.decode())))

    assert listed[1] == {
        "role": "prod",
        "arn": "arn:aws:iam::222222222222:role/prod",
        "account": "222222222222",
        "role_name": "prod",
        "region": REGION,
        "source": "gds-users",
    }
    assert rows == [{name: value or "" for name, value in role.items()} for role in listed]


def test_json_has_a_name_as_it_is(world: World) -> None:
    world.write_config(f"[profile {ODD}]\nregion = x\n")

    assert ODD in [role["role"] for role in json.loads(world.run("roles", "--json").stdout)]


def test_a_profile_that_is_broken_does_not_cost_the_list(three: World) -> None:
    three.write_config("[profile broken]\nrole_arn =\n  a = b\n[profile other]\nrole_arn = nonsense\n")

    assert three.run("roles").stdout.decode().splitlines() == [
        "  broken",
        "  gds-users  access keys",
        "  other      nonsense",
    ]


def test_ten_thousand_roles_are_listed_without_what_draws_tables(world: World) -> None:
    section = (
        "[profile role-{0}]\nrole_arn = arn:aws:iam::222222222222:role/{0}\nsource_profile = gds-users\n"
    )
    world.write_config("".join(section.format(number) for number in range(10_000)))

    done = world.run("roles", environ={"PYTHONPROFILEIMPORTTIME": "1"})

    assert done.stdout.count(b"\n") == 10_001
    assert b"| gds_exec.cli.commands.roles" in b" ".join(done.stderr.split())
    assert b"rich.table" not in done.stderr


def test_ten_thousand_roles_are_lines_on_a_terminal_too(world: World) -> None:
    world.write_config("".join(f"[profile role-{number}]\nregion = x\n" for number in range(10_000)))

    assert finish(world.terminal("roles")).splitlines()[0] == "  gds-users  access keys"


def test_whoever_has_no_profile_yet_is_told_where_they_are_read_from(world: World) -> None:
    world.write_credentials("")

    said = finish(world.terminal("roles"))

    assert "no profile in " in said
    assert "gds-exec try" in said


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
