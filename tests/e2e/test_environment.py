"""The environment of the command: the caller's, but for what acting as a role adds and takes away."""

import re

import pytest

from .world import GDS_EXEC, PROMPT, PYTHON, REGION, World, finish

Environment = dict[bytes, bytes]

SESSION = {
    b"AWS_ACCESS_KEY_ID": rb"ASIA[A-Z0-9]{16}",
    b"AWS_SECRET_ACCESS_KEY": rb"[A-Za-z0-9+/]{40}",
    b"AWS_SESSION_TOKEN": rb"[A-Za-z0-9+/=]{300,}",
    b"AWS_CREDENTIAL_EXPIRATION": rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ",
}
ADDED = {
    **SESSION,
    b"AWS_REGION": b"eu-west-2",
    b"AWS_DEFAULT_REGION": b"eu-west-2",
    b"GDS_EXEC_ROLE": b"prod",
    b"GDS_EXEC_ROLE_REGION": b"eu-west-2",
}
COMPETING = {
    "AWS_PROFILE": "other",
    "AWS_DEFAULT_PROFILE": "other",
    "AWS_SECURITY_TOKEN": "stale",
    "AWS_CREDENTIAL_FILE": "/nowhere",
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/stale",
    "AWS_ROLE_SESSION_NAME": "stale",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "stale",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere",
    "AWS_CREDENTIAL_EXPIRATION": "2001-01-01T00:00:00Z",
    "AWS_ACCESS_KEY_ID": "AKIASTALESTALESTALE1",
    "AWS_SECRET_ACCESS_KEY": "stale",
    "AWS_SESSION_TOKEN": "stale",
    "GDS_EXEC_MFA_CODE": "123456",
}
WHO_AM_I = """
import boto3
print(boto3.client("sts").get_caller_identity()["Arn"])
"""


def environment(world: World, *before: str, without: tuple[str, ...] = (), **environ: str) -> Environment:
    """What a program finds in its environment when it is run by the words `before`."""
    unset = [word for name in without for word in ("-u", name)]
    done = world.run_program("env", *unset, *before, "env", "-0", environ=environ)
    assert done.returncode == 0, done.stderr.decode()
    entries = [entry.split(b"=", 1) for entry in done.stdout.split(b"\0") if entry]
    assert len(dict(entries)) == len(entries), "a variable stands there twice"
    return dict(entries)


def as_role(world: World, *options: str, without: tuple[str, ...] = (), **environ: str) -> Environment:
    return environment(world, GDS_EXEC, "prod", *options, "--", without=without, **environ)


def assert_adds_only(added: Environment, *, given: Environment, found: Environment) -> None:
    """Check that what is found is what was given and what matches `added`, and nothing else."""
    gained = {name: value for name, value in found.items() if given.get(name) != value}
    assert set(gained) == set(added)
    for name, pattern in added.items():
        assert re.fullmatch(pattern, found[name]), name
    assert set(given) - set(found) == set()


@pytest.mark.matrix(94, 95)
@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LANG": "C"},
        {"LANG": "C", "LC_ALL": ""},
        {"LC_ALL": "C"},
        {"LC_CTYPE": "C"},
        {"LC_CTYPE": "POSIX"},
        {"LC_CTYPE": "C.UTF-8"},
        {"LC_CTYPE": "UTF-8"},
        {"LC_CTYPE": "C.UTF-8", "PYTHONUTF8": "1"},
        {"LC_CTYPE": "C", "PYTHONUTF8": "1"},
        {"PYTHONUTF8": "0"},
        {"PYTHONUTF8": "1"},
        {"PYTHONCOERCECLOCALE": "0"},
        {"PYTHONCOERCECLOCALE": "warn"},
        {"LANG": "nowhere.UTF-8"},
        {"PYTHONINSPECT": "1", "PYTHONUNBUFFERED": "1"},
        {"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"},
        {"PYTHONOPTIMIZE": "2", "PYTHONSAFEPATH": "1"},
        {"PYTHONHASHSEED": "7", "PYTHONPATH": "/nowhere"},
        {"LINES": "3", "COLUMNS": "4", "TERM": ""},
        {"EMPTY": "", "A B": "x=y", "multi": "one\ntwo", "BASH_FUNC_f%%": "() { :; }"},
        {"GDS_EXEC_QUIET": "1", "GDS_EXEC_WAIT": "1m"},
        {"AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "2", "AWS_CA_BUNDLE": "", "AWS_SDK_LOAD_CONFIG": "1"},
    ],
    ids=str,
)
def test_the_environment_is_the_callers_and_the_roles_and_nothing_else(
    environ: dict[str, str], signed_in: World
) -> None:
    locale = ("LANG", "LC_ALL", "LC_CTYPE", "LANGUAGE")
    unset = tuple(name for name in locale if name not in environ)

    given = environment(signed_in, without=unset, **environ)
    found = as_role(signed_in, without=unset, **environ)

    assert_adds_only(ADDED, given=given, found=found)


def test_an_empty_environment_but_for_a_home_is_enough(signed_in: World) -> None:
    home = f"HOME={signed_in.home}"
    endpoint = f"AWS_ENDPOINT_URL={signed_in.url}"
    env = signed_in.run_program("sh", "-c", "command -v env").stdout.decode().strip()

    done = signed_in.run_program("env", "-i", home, endpoint, GDS_EXEC, "prod", "--", env)

    assert done.returncode == 0, done.stderr.decode()
    names = {line.split("=")[0] for line in done.stdout.decode().splitlines()}
    assert names == {"HOME", "AWS_ENDPOINT_URL", *(name.decode() for name in ADDED)}


@pytest.mark.matrix(94)
@pytest.mark.parametrize("value", [None, ""], ids=["stale", "empty"])
def test_what_would_compete_with_the_role_is_unset_and_not_blanked(
    value: str | None, signed_in: World
) -> None:
    competing = {name: stale if value is None else value for name, stale in COMPETING.items()}
    competing["GDS_EXEC_MFA_CODE"] = COMPETING["GDS_EXEC_MFA_CODE"]

    found = as_role(signed_in, **competing)

    assert {name for name in map(str.encode, competing) if name in found} == set(SESSION)
    for name, pattern in SESSION.items():
        assert re.fullmatch(pattern, found[name]), name


@pytest.mark.matrix(94)
def test_a_real_sdk_acts_as_the_role_whatever_stood_in_the_environment(signed_in: World) -> None:
    competing = {name: value for name, value in COMPETING.items() if not name.startswith("AWS_ACCESS")}

    done = signed_in.run("prod", "--", PYTHON, "-c", WHO_AM_I, environ=competing)

    assert done.returncode == 0, done.stderr.decode()
    assert b":assumed-role/prod/" in done.stdout


@pytest.mark.matrix(95)
@pytest.mark.parametrize(
    ("given", "options", "expected"),
    [
        pytest.param({}, (), (REGION, REGION), id="the role's"),
        pytest.param({"AWS_REGION": "us-east-1"}, (), ("us-east-1", "us-east-1"), id="AWS_REGION alone"),
        pytest.param(
            {"AWS_DEFAULT_REGION": "us-east-1"}, (), ("us-east-1", "us-east-1"), id="the default alone"
        ),
        pytest.param(
            {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-west-2"},
            (),
            ("us-east-1", "us-west-2"),
            id="both",
        ),
        pytest.param({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, (), (REGION, REGION), id="both empty"),
        pytest.param({"AWS_REGION": ""}, ("-r", "eu-west-1"), ("eu-west-1", "eu-west-1"), id="asked for"),
        pytest.param(
            {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-west-2"},
            ("--region", "eu-west-1"),
            ("eu-west-1", "eu-west-1"),
            id="asked for, over both",
        ),
        pytest.param({"GDS_EXEC_REGION": "eu-west-1"}, (), ("eu-west-1", "eu-west-1"), id="our variable"),
    ],
)
def test_both_names_of_the_region_are_set(
    given: dict[str, str], options: tuple[str, ...], expected: tuple[str, str], signed_in: World
) -> None:
    found = as_role(signed_in, *options, **given)

    assert (found[b"AWS_REGION"].decode(), found[b"AWS_DEFAULT_REGION"].decode()) == expected


def test_without_any_region_none_is_made_up(world: World) -> None:
    world.add_role("prod", mfa=False)
    world.write_config(world.config.read_text().replace(f"region = {REGION}", ""))

    found = as_role(world)

    assert b"AWS_REGION" not in found
    assert b"AWS_DEFAULT_REGION" not in found


@pytest.mark.matrix(96)
def test_nested_each_command_sees_its_own_role_alone(world: World) -> None:
    world.add_role("outer", settings="region = us-east-1")
    world.write_config(world.config.read_text().replace(f"region = {REGION}\n", ""))
    world.add_role("prod")
    world.sign_in("outer")

    outer = environment(world, GDS_EXEC, "outer", "--")
    inner = environment(world, GDS_EXEC, "outer", "--", GDS_EXEC, "prod", "--")

    assert inner[b"GDS_EXEC_ROLE"] == b"prod"
    assert not {outer[name] for name in SESSION if name != b"AWS_CREDENTIAL_EXPIRATION"} & set(inner.values())
    assert set(inner) == set(outer)


@pytest.mark.parametrize("streams", ["", "<&- 2>&-"], ids=["open", "closed"])
def test_asking_for_a_code_leaves_no_trace_in_the_environment(streams: str, world: World) -> None:
    world.add_role("prod")
    script = f"env -0 >without; {GDS_EXEC} prod -- env -0 >with {streams}"
    terminal = world.terminal_program("sh", "-c", script)
    terminal.expect_exact(PROMPT)
    terminal.sendline(world.code())
    finish(terminal)

    given, found = (
        dict(entry.split(b"=", 1) for entry in (world.home / name).read_bytes().split(b"\0") if entry)
        for name in ("without", "with")
    )
    assert_adds_only(ADDED, given=given, found=found)
