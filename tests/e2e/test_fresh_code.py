"""Roles that want a fresh code, and commands that want enough time: met, or refused before they start."""

import subprocess

import pytest

from .expectations import assert_ours
from .kept import HOUR, MFA_LIFE, key_id, leave, make_older, mfa_session, role_session
from .observations import codes_sent, durations, sessions_made
from .patience import eventually
from .refreshed import LIVES, assert_serves_another, without_terminal
from .test_refresh import Clock, assert_says
from .world import PROMPT, SHOW_KEY, World, finish, needs

MINUTE = 60
FRESH = ("--mfa-max-age", "15m")
IN_PROFILE = "gds_exec_mfa_max_age = 15m"
REMEDY = "an MFA code is needed: gds-exec renew prod, in another terminal"

wherever_it_is_set = pytest.mark.parametrize(
    ("options", "environ", "setting"),
    [
        pytest.param(FRESH, {}, "", id="option"),
        pytest.param((), {"GDS_EXEC_MFA_MAX_AGE": "900"}, "", id="variable"),
        pytest.param((), {}, IN_PROFILE, id="profile"),
        pytest.param(FRESH, {}, "gds_exec_mfa_max_age = 8h", id="option over profile"),
    ],
)


def opened(world: World, minutes: int, *, settings: str = "") -> None:
    """Have the code been given, and `prod` been opened, that long ago."""
    world.add_role("prod", settings=settings)
    world.sign_in("prod")
    for path in world.sessions():
        make_older(path, minutes * MINUTE)
    world.aws.calls.clear()


def key_of(done: "subprocess.CompletedProcess[bytes]") -> str:
    """The access key id that SHOW_KEY printed."""
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout.decode().strip()


def shown_key(world: World, *options: str, environ: dict[str, str] | None = None, role: str = "prod") -> str:
    return key_of(world.run(role, *options, "--", *SHOW_KEY, environ=environ))


# A fresh code


@wherever_it_is_set
def test_a_code_that_is_too_old_is_asked_for_again(
    options: tuple[str, ...], environ: dict[str, str], setting: str, world: World
) -> None:
    opened(world, 16, settings=setting)
    old = key_id(role_session(world))
    terminal = world.terminal("prod", *options, "--", *SHOW_KEY, environ=environ)
    terminal.expect_exact(f"{PROMPT}prod ({world.device.serial}): ")
    terminal.sendline(world.code())
    said = finish(terminal)

    assert terminal.exitstatus == 0, said
    assert said.split()[-1] == key_id(role_session(world)) != old
    assert sessions_made(world.aws) == ("GetSessionToken", "AssumeRole")


@wherever_it_is_set
def test_a_code_that_is_young_enough_is_not_asked_for_again(
    options: tuple[str, ...], environ: dict[str, str], setting: str, world: World
) -> None:
    opened(world, 14, settings=setting)

    assert shown_key(world, *options, environ=environ) == key_id(role_session(world))
    assert world.aws.calls == []


@wherever_it_is_set
def test_where_nobody_can_be_asked_for_a_fresh_code_the_command_does_not_start(
    options: tuple[str, ...], environ: dict[str, str], setting: str, world: World
) -> None:
    opened(world, 16, settings=setting)

    done = world.run("prod", *options, "--", "touch", "started", environ=environ)

    assert_ours(done, 124, "nobody-to-ask", "prod", world.device.serial)
    assert not (world.home / "started").exists()
    assert world.aws.calls == []


def test_who_does_not_want_a_fresh_code_goes_on_with_the_old_one(world: World) -> None:
    opened(world, 16)

    assert shown_key(world) == key_id(role_session(world))
    assert world.aws.calls == []


def test_a_fresh_code_serves_until_it_is_too_old_itself(world: World) -> None:
    opened(world, 16)
    done = world.run("prod", *FRESH, "--mfa-code", world.code(), "--", *SHOW_KEY)

    assert shown_key(world, *FRESH) == key_of(done)
    assert codes_sent(world.aws) == 1


def test_a_role_session_of_now_that_was_made_from_an_old_code_does_not_do(world: World) -> None:
    opened(world, 16)
    assert world.run("renew", "prod").returncode == 0

    done = world.run("prod", *FRESH, "--", "true")

    assert_ours(done, 124, "nobody-to-ask")


def test_a_fresh_code_for_one_role_opens_another_whose_session_is_older_anew(world: World) -> None:
    opened(world, 16)
    world.add_role("other")
    old = key_id(role_session(world))
    assert world.run("other", *FRESH, "--mfa-code", world.code(), "--", "true").returncode == 0

    assert shown_key(world, *FRESH) != old
    assert sessions_made(world.aws) == ("GetSessionToken", "AssumeRole", "AssumeRole")


def test_a_session_that_carries_the_code_itself_is_judged_by_its_own_age(world: World) -> None:
    direct = ("--duration", "2h")
    world.add_role("prod", max_session=2 * HOUR)
    world.sign_in("prod", *direct)
    make_older(role_session(world), 14 * MINUTE)
    assert shown_key(world, *direct, *FRESH) == key_id(role_session(world))

    make_older(role_session(world), 2 * MINUTE)
    assert_ours(world.run("prod", *direct, *FRESH, "--", "true"), 124, "nobody-to-ask")


def test_a_role_without_mfa_is_never_asked_for_a_code(world: World) -> None:
    world.add_role("prod", mfa=False, settings=IN_PROFILE)
    assert world.run("prod", "--", "true").returncode == 0
    make_older(role_session(world), 16 * MINUTE)

    assert shown_key(world) == key_id(role_session(world))


def test_renew_wants_a_fresh_code_too(world: World) -> None:
    opened(world, 16, settings=IN_PROFILE)

    assert_ours(world.run("renew", "prod"), 124, "nobody-to-ask")

    done = world.run("renew", "prod", "--mfa-code", world.code())
    assert done.returncode == 0, done.stderr.decode()
    assert sessions_made(world.aws) == ("GetSessionToken", "AssumeRole")


def test_a_document_is_not_renewed_from_a_code_that_is_too_old(world: World) -> None:
    opened(world, 16, settings=IN_PROFILE)
    old = leave(world, 800)
    done = world.run("credential-process", "prod")
    assert (done.returncode, old in done.stdout.decode()) == (0, True)

    leave(world, -10)
    assert_ours(world.run("credential-process", "prod"), 124, "nobody-to-ask")
    assert world.aws.calls == []


@needs("faketime")
def test_a_refreshed_command_is_not_renewed_from_a_code_that_is_too_old(world: World) -> None:
    world.add_role("prod", settings=IN_PROFILE)
    world.sign_in("prod")
    clock = Clock(world)
    with without_terminal(world, "prod", "--refresh", "--", *LIVES, environ=clock.environ) as run:
        old = run.served.fetch().key_id
        clock.jump(HOUR - 4 * MINUTE)

        assert run.served.fetch().key_id == old
        eventually(lambda: assert_says(run.said, REMEDY))
        assert run.served.fetch().key_id == old
        assert sessions_made(world.aws) == ("GetSessionToken", "AssumeRole")

        renewed = world.run("renew", "prod", "--mfa-code", world.code(), environ=clock.environ)
        assert renewed.returncode == 0, renewed.stderr.decode()
        eventually(lambda: assert_serves_another(run.served, old))


@pytest.mark.parametrize(
    ("options", "environ", "setting", "status", "slug"),
    [
        pytest.param(("--mfa-max-age", "soon"), {}, "", 2, "usage", id="option"),
        pytest.param((), {"GDS_EXEC_MFA_MAX_AGE": "0"}, "", 2, "usage", id="variable"),
        pytest.param((), {}, "gds_exec_mfa_max_age = soon", 125, "broken-profile", id="max age"),
        pytest.param((), {}, "gds_exec_min_remaining = soon", 125, "broken-profile", id="min remaining"),
    ],
)
def test_what_is_no_duration_is_refused(
    options: tuple[str, ...], environ: dict[str, str], setting: str, status: int, slug: str, world: World
) -> None:
    world.add_role("prod", settings=setting)

    assert_ours(world.run("prod", *options, "--", "true", environ=environ), status, slug)
    assert world.aws.calls == []


# Enough time


@pytest.mark.parametrize(("minutes", "is_renewed"), [(31, False), (29, True)])
def test_a_session_with_less_time_than_the_profile_wants_is_renewed(
    minutes: int, is_renewed: bool, world: World
) -> None:
    world.add_role("prod", settings="gds_exec_min_remaining = 30m")
    world.sign_in("prod")
    old = leave(world, minutes * MINUTE)

    assert (shown_key(world) != old) == is_renewed
    assert world.aws.count("AssumeRole") == 1 + is_renewed
    assert codes_sent(world.aws) == 1


def test_the_option_is_stronger_than_the_profile(world: World) -> None:
    world.add_role("prod", settings="gds_exec_min_remaining = 30m")
    world.sign_in("prod")
    old = leave(world, 20 * MINUTE)

    assert shown_key(world, "--min-remaining", "10m") == old


def test_a_minimum_above_the_duration_raises_it(world: World) -> None:
    world.add_role("prod", settings="gds_exec_min_remaining = 2h", max_session=2 * HOUR)

    world.sign_in("prod")

    assert durations(world.aws) == [("AssumeRole", 2 * HOUR)]


@pytest.mark.parametrize(
    ("options", "setting"),
    [(("--min-remaining", "2h"), ""), ((), "gds_exec_min_remaining = 2h")],
    ids=["option", "profile"],
)
@pytest.mark.parametrize("refresh", [(), ("--refresh",)], ids=["", "refreshed"])
def test_a_minimum_that_the_role_does_not_allow_is_refused_before_the_command_starts(
    refresh: tuple[str, ...], options: tuple[str, ...], setting: str, world: World
) -> None:
    world.add_role("prod", mfa=False, settings=setting, max_session=HOUR)

    done = world.run("prod", *refresh, *options, "--", "touch", "started")

    assert_ours(done, 125, "hint: ")
    assert not (world.home / "started").exists()
    assert world.sessions() == []


@pytest.mark.parametrize(
    ("options", "setting"),
    [(("--min-remaining", "30m"), ""), ((), "gds_exec_min_remaining = 30m")],
    ids=["option", "profile"],
)
def test_a_session_that_aws_makes_shorter_than_the_minimum_is_refused(
    options: tuple[str, ...], setting: str, world: World
) -> None:
    world.add_role("prod", mfa=False, settings=setting)
    world.aws.life_override = 20 * MINUTE

    done = world.run("prod", *options, "--", "touch", "started")

    assert_ours(done, 125, "session-too-short", "at least 30m were asked for", "hint: ")
    assert not (world.home / "started").exists()


def test_a_minimum_above_what_is_reached_through_another_role_is_refused_before_a_code_is_asked_for(
    world: World,
) -> None:
    hub = world.add_role("hub")
    world.add_role(
        "prod",
        mfa=False,
        trust=[hub.arn],
        source_profile="hub",
        settings="gds_exec_min_remaining = 2h",
        max_session=2 * HOUR,
    )
    terminal = world.terminal("prod", "--", "true")
    said = finish(terminal)

    assert terminal.exitstatus == 125
    assert "[session-too-short]" in said
    assert world.aws.calls == []


def test_a_minimum_that_only_a_code_can_meet_is_refused_where_nobody_can_be_asked(world: World) -> None:
    direct = f"duration_seconds = {2 * HOUR}\ngds_exec_min_remaining = 90m"
    world.add_role("prod", settings=direct, max_session=2 * HOUR)
    world.sign_in("prod")
    leave(world, 80 * MINUTE)

    done = world.run("prod", "--", "touch", "started")

    assert_ours(done, 124, "nobody-to-ask", "prod", world.device.serial)
    assert not (world.home / "started").exists()
    assert codes_sent(world.aws) == 1


def test_an_old_session_that_opens_the_roles_is_enough_for_a_minimum(world: World) -> None:
    world.add_role("prod", settings="gds_exec_min_remaining = 30m")
    world.sign_in("prod")
    make_older(mfa_session(world), MFA_LIFE - 20 * MINUTE)
    old = leave(world, 20 * MINUTE)

    assert shown_key(world) != old
    assert codes_sent(world.aws) == 1
