"""`gds-exec credential-process ROLE`: a document for the SDKs, a question for the person, and no more."""

import json
import signal
import subprocess
from calendar import timegm
from time import strptime

import pexpect
import pytest

from gds_exec.hidden_subcommands import subcommand_arguments
from gds_exec.options import STORED_KEYS
from tests.aws.faults import Fault

from .crowd import Crowd
from .expectations import assert_ours, assert_speaks_as_ours
from .kept import HOUR, kept, key_id, leave, mfa_session, role_session
from .observations import calls_of, codes_sent, sessions_made
from .programs import program
from .test_warm import settle
from .world import GDS_EXEC, PROMPT, PYTHON, REGION, UNMEASURED, World, finish, needs

DOCUMENT = ("credential-process", "prod")
CALLERS = 10
PROD = "arn:aws:iam::222222222222:role/prod"
ROLE_ARN = "arn:aws:sts::222222222222:assumed-role/prod/"
ASK_WITH_BOTO3 = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
ASK_TWICE_WITH_BOTO3 = """
import boto3
sts = boto3.client("sts")
sts.get_caller_identity()
input("once")
sts.get_caller_identity()
"""
COUNTED = '#!/bin/sh\necho run >>"$HOME/runs"\n[ $(wc -l <"$HOME/runs") -lt 9 ] && exec gds-exec "$@"\n'

clients = pytest.mark.parametrize(
    "client",
    [
        pytest.param(
            ("aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"),
            id="aws",
            marks=needs("aws"),
        ),
        pytest.param((PYTHON, "-c", ASK_WITH_BOTO3), id="boto3"),
    ],
)


@pytest.fixture
def direct(world: World) -> World:
    """A world in which `prod` was opened for two hours: only another code renews it."""
    world.add_role("prod", max_session=2 * HOUR, settings=f"duration_seconds = {2 * HOUR}")
    world.sign_in("prod")
    return world


def write_profile(world: World, name: str, setting: str) -> None:
    with world.config.open("a") as file:
        file.write(f"[profile {name}]\nregion = {REGION}\n{setting}\n")


def through_us(world: World) -> dict[str, str]:
    """The environment of a client that gets its credentials by a profile that names us."""
    write_profile(world, "through-us", "credential_process = gds-exec credential-process prod")
    return {"AWS_PROFILE": "through-us"}


def document_in(text: str | bytes) -> dict[str, str]:
    """What a credential_process printed, which is one line and nothing else."""
    assert text.count(b"\n" if isinstance(text, bytes) else "\n") == 1, text
    document = json.loads(text)
    assert document["Version"] == 1
    return document


def document_of(done: "subprocess.CompletedProcess[bytes]") -> dict[str, str]:
    assert done.returncode == 0, done.stderr.decode()
    return document_in(done.stdout)


def served_key(world: World, *options: str, environ: dict[str, str] | None = None) -> str:
    """The key id that is served, without a word, where nobody can be asked."""
    done = world.run(*DOCUMENT, *options, environ=environ)
    assert done.stderr == b""
    return document_of(done)["AccessKeyId"]


def ask_on_terminal(world: World) -> pexpect.spawn:
    """Run it as an SDK does, its output aside, on a terminal that shows what is said to the person."""
    return world.terminal_program("sh", "-c", f"exec {GDS_EXEC} {' '.join(DOCUMENT)} >out")


def printed_key(world: World) -> str:
    return document_in((world.home / "out").read_text())["AccessKeyId"]


def assert_nobody_is_asked(world: World, key: str) -> None:
    """Run it on a terminal: it says nothing, and serves that key."""
    terminal = ask_on_terminal(world)
    assert finish(terminal) == ""
    assert terminal.exitstatus == 0
    assert printed_key(world) == key


# What is printed


def test_the_document_is_all_that_is_printed(signed_in: World) -> None:
    done = signed_in.run(*DOCUMENT)

    session = kept(role_session(signed_in))
    document = document_of(done)
    assert set(document) == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert document["SecretAccessKey"] == session.access_key.secret_access_key
    assert document["SessionToken"] == session.access_key.session_token
    assert done.stderr == b""
    assert signed_in.aws.count("AssumeRole") == 1


@pytest.mark.parametrize("debug", ["--debug", "GDS_EXEC_DEBUG=1"])
@pytest.mark.parametrize("is_cached", [True, False], ids=["cached", "made"])
def test_debug_and_warnings_go_to_standard_error(debug: str, is_cached: bool, signed_in: World) -> None:
    signed_in.credentials.chmod(0o644)
    if not is_cached:
        role_session(signed_in).unlink()
    option, _, value = debug.partition("=")

    done = signed_in.run(*DOCUMENT, environ={option: value}) if value else signed_in.run(*DOCUMENT, option)

    assert document_of(done)["AccessKeyId"] == key_id(role_session(signed_in))
    assert b"can be read by others" in done.stderr


def test_it_says_that_the_session_ends_a_minute_before_it_does(signed_in: World) -> None:
    document = document_of(signed_in.run(*DOCUMENT))

    told = timegm(strptime(document["Expiration"], "%Y-%m-%dT%H:%M:%SZ"))
    assert told == (kept(role_session(signed_in)).expiration or 0) - 60


def test_keys_that_do_not_end_have_no_expiration(world: World) -> None:
    done = world.run("credential-process", "gds-users")

    assert set(document_of(done)) == {"Version", "AccessKeyId", "SecretAccessKey"}


@pytest.mark.parametrize("is_cached", [True, False], ids=["cached", "made"])
def test_an_output_that_takes_nothing_is_an_error(is_cached: bool, signed_in: World) -> None:
    if not is_cached:
        role_session(signed_in).unlink()
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(
            [GDS_EXEC, *DOCUMENT], env=signed_in.environ, stdout=full, stderr=subprocess.PIPE
        )
        _, said = process.communicate(timeout=30)

    assert process.returncode == 125
    assert_speaks_as_ours(said.decode(), "output-failed")


@pytest.mark.parametrize(
    ("argv", "status", "slug"),
    [
        pytest.param(("credential-process",), 2, "usage", id="no role"),
        pytest.param((*DOCUMENT, "--", "true"), 2, "usage", id="a command"),
        pytest.param((*DOCUMENT, "other"), 2, "usage", id="two roles"),
        pytest.param((*DOCUMENT, "--shell"), 2, "usage", id="another action"),
        pytest.param((*DOCUMENT, "--duration", "long"), 2, "usage", id="no duration"),
        pytest.param(("credential-process", "nobody"), 125, "unknown-role", id="unknown role"),
    ],
)
def test_what_cannot_be_served_is_an_error_and_prints_nothing(
    argv: tuple[str, ...], status: int, slug: str, signed_in: World
) -> None:
    assert_ours(signed_in.run(*argv), status, slug)


# Who reads it


@pytest.mark.matrix(74)
@clients
def test_a_client_s_question_stands_on_the_terminal_and_is_asked_once(
    client: tuple[str, ...], world: World
) -> None:
    world.add_role("prod")
    environ = through_us(world)
    terminal = world.terminal_program(*client, environ=environ)
    terminal.expect_exact(f"{PROMPT}prod ({world.device.serial}): ")
    assert terminal.before == ""
    code = world.code()
    terminal.sendline(code)

    said = finish(terminal)
    assert terminal.exitstatus == 0, said
    assert said.startswith(f"{code}\n{ROLE_ARN}")
    again = world.terminal_program(*client, environ=environ)
    assert finish(again).startswith(ROLE_ARN)
    assert (codes_sent(world.aws), world.aws.count("AssumeRole")) == (1, 1)


@pytest.mark.matrix(74)
@clients
def test_a_client_where_nobody_can_be_asked_is_told_why(client: tuple[str, ...], world: World) -> None:
    world.add_role("prod")

    done = world.run_program(*client, environ=through_us(world))

    assert done.returncode != 0
    assert b"an MFA code is needed for prod" in done.stderr
    assert b"nobody-to-ask" in done.stderr
    assert world.aws.calls == []


def test_a_client_that_lives_on_gets_the_renewed_session_at_its_next_call(world: World) -> None:
    world.add_role("prod")
    world.aws.life_override = 800  # when botocore asks at every call
    world.sign_in("prod")
    world.aws.calls.clear()
    client = world.terminal_program(PYTHON, "-c", ASK_TWICE_WITH_BOTO3, environ=through_us(world))
    client.expect_exact("once")
    old = leave(world, 100)
    client.sendline("go on")

    said = finish(client)

    assert client.exitstatus == 0, said
    used = [call.access_key_id for call in calls_of(world.aws, "GetCallerIdentity")]
    assert used == [old, key_id(role_session(world))]
    assert sessions_made(world.aws) == ("AssumeRole",)


# How dear it is


def is_warm(world: World) -> bool:
    """Serve a document, and return whether that took next to no imports."""
    done = world.run(*DOCUMENT, environ={**UNMEASURED, "PYTHONPROFILEIMPORTTIME": "1"})  # coverage loads json
    document_of(done)
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    assert "gds_exec.warm_document" in modules
    return not modules & {"gds_exec.cli", "gds_exec.errors", "json", "typer", "botocore"}


def test_a_cached_session_is_served_with_next_to_no_imports(world: World) -> None:
    world.add_role("prod")
    settle(world)
    world.sign_in("prod")
    document_of(world.run(*DOCUMENT))
    assert is_warm(world)

    leave(world, 800)
    assert not is_warm(world)
    assert is_warm(world)
    assert world.aws.count("AssumeRole") == 2


def test_while_a_renewal_is_put_off_what_is_valid_is_served_with_next_to_no_imports(direct: World) -> None:
    settle(direct)
    direct.run(*DOCUMENT)
    leave(direct, 800)

    assert not is_warm(direct)
    assert is_warm(direct)


# Renewal


@pytest.mark.parametrize(("seconds", "is_renewed"), [(1000, False), (800, True), (-10, True)])
def test_a_session_is_renewed_without_a_word_when_it_is_due(
    seconds: int, is_renewed: bool, signed_in: World
) -> None:
    old = leave(signed_in, seconds)

    assert (served_key(signed_in) != old) == is_renewed
    assert signed_in.aws.count("AssumeRole") == 1 + is_renewed
    assert codes_sent(signed_in.aws) == 1


def test_many_callers_of_a_session_that_is_due_share_one_renewal(signed_in: World) -> None:
    old = leave(signed_in, 800)
    crowd = Crowd(signed_in.home / "crowd", [DOCUMENT] * CALLERS)

    done = signed_in.run_program(*crowd.command)

    assert crowd.statuses() == [0] * CALLERS, done.stderr.decode()
    outputs = [(signed_in.home / "crowd" / f"{number}.out").read_text() for number in range(CALLERS)]
    assert (
        {document_in(text)["AccessKeyId"] for text in outputs} == {key_id(role_session(signed_in))} != {old}
    )
    assert signed_in.aws.count("AssumeRole") == 2
    assert done.stderr == b""


def test_a_renewal_that_fails_is_said_once_and_what_is_valid_is_served(signed_in: World) -> None:
    old = leave(signed_in, 800)
    signed_in.aws.fail("AssumeRole", Fault("error", times=9, status=403, code="AccessDenied"))
    terminal = ask_on_terminal(signed_in)
    said = finish(terminal)
    asked = signed_in.aws.count("AssumeRole")

    assert "gds-exec: the session was not renewed: " in said
    assert (terminal.exitstatus, printed_key(signed_in)) == (0, old)
    assert_nobody_is_asked(signed_in, old)
    assert signed_in.aws.count("AssumeRole") == asked


def test_where_only_a_code_helps_it_is_not_asked_for_while_there_is_time(direct: World) -> None:
    old = leave(direct, 400)

    assert_nobody_is_asked(direct, old)


def test_where_only_a_code_helps_it_is_asked_for_when_little_time_is_left(direct: World) -> None:
    old = leave(direct, 200)
    terminal = ask_on_terminal(direct)
    terminal.expect(PROMPT)
    terminal.sendline(direct.code())
    finish(terminal)

    assert terminal.exitstatus == 0
    assert printed_key(direct) == key_id(role_session(direct)) != old


@pytest.mark.parametrize("answer", ["\r", "\x04"], ids=["Enter", "Ctrl-D"])
def test_who_declines_keeps_the_session_and_is_left_alone_for_a_while(answer: str, direct: World) -> None:
    old = leave(direct, 200)
    terminal = ask_on_terminal(direct)
    terminal.expect(PROMPT)
    terminal.send(answer)
    said = finish(terminal)

    assert PROMPT not in said
    assert "gds-exec: the session was not renewed: " in said
    assert (terminal.exitstatus, printed_key(direct)) == (0, old)
    assert_nobody_is_asked(direct, old)
    assert codes_sent(direct.aws) == 1


def test_who_interrupts_the_question_ends_it_and_is_left_alone_for_a_while(direct: World) -> None:
    old = leave(direct, 200)
    terminal = ask_on_terminal(direct)
    terminal.expect(PROMPT)
    terminal.sendcontrol("c")
    finish(terminal)

    assert terminal.signalstatus == signal.SIGINT
    assert (direct.home / "out").read_text() == ""
    assert_nobody_is_asked(direct, old)


@pytest.mark.parametrize("options", [(), ("--no-input",)], ids=["no terminal", "no input"])
def test_where_nobody_can_be_asked_what_is_valid_is_served(options: tuple[str, ...], direct: World) -> None:
    old = leave(direct, 200)

    done = direct.run(*DOCUMENT, *options)

    assert document_of(done)["AccessKeyId"] == old


@pytest.mark.parametrize("options", [(), ("--no-input",)], ids=["no terminal", "no input"])
def test_where_nothing_is_valid_and_nobody_can_be_asked_nothing_is_printed(
    options: tuple[str, ...], direct: World
) -> None:
    leave(direct, -10)

    done = direct.run(*DOCUMENT, *options)

    assert_ours(done, 124, "nobody-to-ask", "prod", direct.device.serial)


# Settings in the environment


def test_a_code_in_the_environment_opens_the_session(world: World) -> None:
    world.add_role("prod")

    key = served_key(world, environ={"GDS_EXEC_MFA_CODE": world.code()})

    assert key == key_id(role_session(world))
    assert served_key(world) == key


def test_a_spent_code_in_the_environment_does_no_harm_while_it_is_not_needed(signed_in: World) -> None:
    key = key_id(role_session(signed_in))

    assert served_key(signed_in, environ={"GDS_EXEC_MFA_CODE": signed_in.handed_out[0]}) == key
    assert codes_sent(signed_in.aws) == 1


@pytest.mark.parametrize("variable", ["GDS_EXEC_REFRESH", "GDS_EXEC_QUIET", "GDS_EXEC_NO_INPUT"])
def test_settings_for_commands_change_nothing_in_it(variable: str, signed_in: World) -> None:
    assert served_key(signed_in, environ={variable: "1"}) == key_id(role_session(signed_in))


def test_a_new_session_is_made_where_the_environment_asks_for_one(signed_in: World) -> None:
    old = key_id(role_session(signed_in))

    new = served_key(signed_in, environ={"GDS_EXEC_NEW_SESSION": "1"})

    assert new == key_id(role_session(signed_in)) != old
    assert codes_sent(signed_in.aws) == 1


def test_a_session_of_another_length_is_another_session(signed_in: World) -> None:
    old = key_id(role_session(signed_in))
    life = 30 * 60

    new = document_of(signed_in.run(*DOCUMENT, environ={"GDS_EXEC_DURATION": "30m"}))

    assert new["AccessKeyId"] != old
    lives = sorted(round(kept(path).life_seconds()) for path in signed_in.sessions())
    assert lives[0] == pytest.approx(life, abs=5)
    assert mfa_session(signed_in).exists()


# A profile that names us for itself


@pytest.mark.parametrize("asked", [DOCUMENT, ("prod", "--", "true")], ids=["document", "command"])
@pytest.mark.parametrize(
    "profiles",
    [
        pytest.param({"prod": "credential_process = {} credential-process prod"}, id="its own"),
        pytest.param(
            {
                "prod": "credential_process = {} credential-process other",
                "other": "credential_process = {} credential-process prod",
            },
            id="through a second",
        ),
        pytest.param(
            {
                "prod": f"role_arn = {PROD}\nsource_profile = base",
                "base": "credential_process = {} credential-process prod",
            },
            id="its source's",
        ),
        pytest.param({"prod": "credential_process = {} prod -- true"}, id="as a command"),
    ],
)
def test_a_profile_that_leads_back_to_itself_ends_soon_with_a_line(
    profiles: dict[str, str], asked: tuple[str, ...], world: World
) -> None:
    counted = program(world.home / "counted", COUNTED)
    for name, setting in profiles.items():
        write_profile(world, name, setting.format(counted))

    done = world.run(*asked)

    assert_ours(done, 125, "is gds-exec itself")
    assert (world.home / "runs").read_text().count("run") <= len(profiles)


def test_a_role_may_begin_with_the_keys_of_a_document_of_ours(signed_in: World) -> None:
    write_profile(signed_in, "hub", "credential_process = gds-exec credential-process prod")
    signed_in.add_role("team", mfa=False, trust=[PROD], source_profile="hub")

    done = signed_in.run("credential-process", "team")

    assert document_of(done)["AccessKeyId"] == key_id(role_session(signed_in, "team"))


@pytest.mark.parametrize("lost", ["file", "section"])
def test_missing_stored_keys_are_one_error_line_without_a_secret(lost: str, world: World) -> None:
    if lost == "file":
        world.credentials.unlink()
    encoded = [text.encode().hex() for text in (str(world.credentials), "other")]

    done = world.run(*subcommand_arguments(STORED_KEYS, *encoded))

    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.count(b"\n") == 1
    assert str(world.credentials) in done.stderr.decode()
    assert world.user.secret_access_key not in done.stderr.decode()
