"""`gds-exec renew`: a fresh session now, made as what runs has asked for it."""

import time

import pytest

from .expectations import assert_ours, assert_speaks_as_ours
from .kept import HOUR, MFA_LIFE, kept, key_id, leave, make_older, mfa_session, role_session
from .observations import codes_sent, durations, session_names, sessions_made
from .patience import eventually
from .refreshed import LIVES, Start, assert_serves_another, in_both_ways, with_terminal
from .world import GDS_EXEC, PROMPT, World, finish

SECONDS = 60
DIRECT = ("--duration", "2h")  # opened with a code, and by nothing else


def renewed(world: World, *argv: str, environ: dict[str, str] | None = None) -> None:
    """Renew where nobody can be asked; nothing is printed for a program, or said to one."""
    done = world.run("renew", *argv, environ=environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def left_of(world: World, role: str = "prod") -> float:
    return kept(role_session(world, role)).seconds_left(time.time())


def test_a_session_is_made_although_the_cached_one_is_good(signed_in: World) -> None:
    old = key_id(role_session(signed_in))

    renewed(signed_in, "prod")

    assert key_id(role_session(signed_in)) != old
    assert sessions_made(signed_in.aws) == ("GetSessionToken", "AssumeRole", "AssumeRole")


def test_the_next_command_gets_it(signed_in: World) -> None:
    renewed(signed_in, "prod")

    done = signed_in.run("prod", "--", "printenv", "AWS_ACCESS_KEY_ID")

    assert done.stdout.decode().strip() == key_id(role_session(signed_in))
    assert signed_in.aws.count("AssumeRole") == 2


def test_a_person_is_told_how_long_it_lasts(signed_in: World) -> None:
    terminal = signed_in.terminal("renew", "prod")

    assert finish(terminal) == "gds-exec: the session of prod is fresh: 1h left\n"
    assert terminal.exitstatus == 0


@pytest.mark.parametrize("quiet", ["--quiet", "GDS_EXEC_QUIET=1"])
def test_who_wants_quiet_is_told_nothing(quiet: str, signed_in: World) -> None:
    option, _, value = quiet.partition("=")
    environ, options = ({option: value}, []) if value else ({}, [option])

    assert finish(signed_in.terminal("renew", "prod", *options, environ=environ)) == ""


def test_several_roles_are_renewed_in_their_order_with_one_code(world: World) -> None:
    for role in ("prod", "other"):
        world.add_role(role)
    terminal = world.terminal_program("sh", "-c", f"exec {GDS_EXEC} renew prod other >out")
    terminal.expect_exact(f"{PROMPT}prod ")
    terminal.sendline(world.code())
    said = finish(terminal)

    assert [line.split()[4] for line in said.splitlines() if "fresh" in line] == ["prod", "other"]
    assert PROMPT not in said
    assert sessions_made(world.aws) == ("GetSessionToken", "AssumeRole", "AssumeRole")
    assert (world.home / "out").read_bytes() == b""


@pytest.mark.parametrize("minutes", [10, 20])
def test_a_code_is_asked_for_when_the_session_that_opens_the_roles_is_nearly_over(
    minutes: int, signed_in: World
) -> None:
    make_older(mfa_session(signed_in), MFA_LIFE - minutes * SECONDS)
    old = key_id(role_session(signed_in))
    terminal = signed_in.terminal("renew", "prod")
    if minutes < 15:
        terminal.expect_exact(f"{PROMPT}prod ({signed_in.device.serial}): ")
        terminal.sendline(signed_in.code())
    said = finish(terminal)

    assert terminal.exitstatus == 0
    assert PROMPT not in said
    assert key_id(role_session(signed_in)) != old
    assert codes_sent(signed_in.aws) == (2 if minutes < 15 else 1)


def test_a_code_may_be_given(world: World) -> None:
    world.add_role("prod", max_session=2 * HOUR)
    world.sign_in("prod", *DIRECT)

    renewed(world, "prod", *DIRECT, "--mfa-code", world.code())
    renewed(world, "prod", *DIRECT, environ={"GDS_EXEC_MFA_CODE": world.code()})

    assert durations(world.aws) == [("AssumeRole", 2 * HOUR)] * 3
    assert len(world.sessions()) == 1


# How it fails


def test_outside_a_role_shell_the_role_must_be_named(signed_in: World) -> None:
    assert_ours(signed_in.run("renew"), 2, "usage", "no role given", "hint: gds-exec renew ROLE")


def test_a_record_of_a_role_shell_that_is_gone_names_no_role(signed_in: World) -> None:
    gone = {"GDS_EXEC_SHELL": str(signed_in.cache / "999999999.running3")}

    assert_ours(signed_in.run("renew", environ=gone), 2, "usage")


@pytest.mark.parametrize(
    ("argv", "status", "slug"),
    [
        pytest.param(("nobody",), 125, "unknown-role", id="unknown role"),
        pytest.param(("prod", "--duration", "long"), 2, "usage", id="no duration"),
        pytest.param(("prod", "--duration", "99h"), 2, "usage", id="longer than AWS gives"),
        pytest.param(("prod", "--shell"), 2, "usage", id="another action"),
    ],
)
def test_what_cannot_be_renewed_is_an_error(
    argv: tuple[str, ...], status: int, slug: str, signed_in: World
) -> None:
    assert_ours(signed_in.run("renew", *argv), status, slug)
    assert signed_in.aws.count("AssumeRole") == 1


def test_the_roles_before_one_that_cannot_be_renewed_are(signed_in: World) -> None:
    old = key_id(role_session(signed_in))

    assert_ours(signed_in.run("renew", "prod", "nobody"), 125, "unknown-role", "nobody")

    assert key_id(role_session(signed_in)) != old


@pytest.mark.parametrize("no_input", [{}, {"GDS_EXEC_NO_INPUT": "1"}], ids=["no terminal", "no input"])
def test_where_nobody_can_be_asked_the_old_session_stays(no_input: dict[str, str], world: World) -> None:
    world.add_role("prod", max_session=2 * HOUR)
    world.sign_in("prod", *DIRECT)
    old = key_id(role_session(world))

    done = world.run("renew", "prod", *DIRECT, environ=no_input)

    assert_ours(done, 124, "nobody-to-ask", "prod", world.device.serial)
    assert key_id(role_session(world)) == old


def test_who_declines_keeps_the_old_session(world: World) -> None:
    world.add_role("prod", max_session=2 * HOUR)
    world.sign_in("prod", *DIRECT)
    old = key_id(role_session(world))
    terminal = world.terminal("renew", "prod", *DIRECT)
    terminal.expect(PROMPT)
    terminal.send("\x04")
    said = finish(terminal)

    assert terminal.exitstatus == 124
    assert_speaks_as_ours(said.partition("\n")[2], "nobody-to-ask")
    assert key_id(role_session(world)) == old


def test_who_waits_for_another_renewal_has_what_that_made(world: World) -> None:
    world.add_role("prod", max_session=2 * HOUR)
    world.sign_in("prod", *DIRECT)
    first = world.terminal("renew", "prod", *DIRECT)
    first.expect_exact(PROMPT)
    second = world.terminal("renew", "prod", *DIRECT)
    second.expect_exact("waiting for another gds-exec")

    first.sendline(world.code())
    finish(first)
    said = finish(second)

    assert (first.exitstatus, second.exitstatus) == (0, 0), said
    assert PROMPT not in said
    assert "the session of prod is fresh" in said
    assert codes_sent(world.aws) == 2


# What runs


@in_both_ways
def test_a_command_is_served_what_was_renewed_elsewhere_as_it_had_asked_for_it(
    start: Start, world: World
) -> None:
    world.add_role("prod", max_session=2 * HOUR)
    world.sign_in("prod", *DIRECT, "--session-name", "deploy")
    old = leave(world, 400)  # due, but not yet worth a question
    asked = (*DIRECT, "--session-name", "deploy", "--min-remaining", "1s")
    with start(world, "prod", "--refresh", *asked, "--", *LIVES) as run:
        assert run.served.fetch().key_id == old
        eventually(lambda: _assert_recorded(world))

        renewed(world, "prod", "--mfa-code", world.code())

        eventually(lambda: assert_serves_another(run.served, old))
        assert run.served.fetch().key_id == key_id(role_session(world))
    assert durations(world.aws) == [("AssumeRole", 2 * HOUR)] * 2
    assert session_names(world.aws) == ["deploy"] * 2


@in_both_ways
def test_a_command_is_served_what_was_renewed_elsewhere_although_its_own_is_good(
    start: Start, signed_in: World
) -> None:
    leave(signed_in, 3000)
    with start(signed_in, "prod", "--refresh", "--", *LIVES) as run:
        old = run.served.fetch().key_id

        renewed(signed_in, "prod")

        new = key_id(role_session(signed_in))
        assert new != old
        assert run.served.fetch().key_id == new


def _assert_recorded(world: World) -> None:
    assert list(world.cache.glob("*.running3"))


def test_a_session_that_is_asked_for_otherwise_than_what_runs_is_renewed_for_itself(world: World) -> None:
    world.add_role("prod", max_session=2 * HOUR)
    world.sign_in("prod", *DIRECT)
    with with_terminal(world, "prod", "--refresh", *DIRECT, "--", *LIVES) as run:
        key = run.served.fetch().key_id

        renewed(world, "prod", "--duration", "30m", "--mfa-code", world.code())

        assert durations(world.aws)[1:] == [("GetSessionToken", MFA_LIFE), ("AssumeRole", HOUR // 2)]
        assert run.served.fetch().key_id == key


def test_a_command_that_has_ended_does_not_say_how_to_renew(signed_in: World) -> None:
    done = signed_in.run("prod", "--refresh", "--duration", "30m", "--", "true")
    assert done.returncode == 0

    renewed(signed_in, "prod")

    assert durations(signed_in.aws)[-1] == ("AssumeRole", HOUR)
