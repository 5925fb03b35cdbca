"""`-e` as people use it: evaluated without quotes, parsed by programs, kept in files; and taken back."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable

import pexpect
import pytest

from .expectations import FAILED_EXPORT, assert_ours
from .programs import program
from .test_standard_error import BROKEN_STDERR
from .world import GDS_EXEC, PROMPT, PYTHON, REGION, World, finish, needs

Environment = dict[str, str]

SHOW = "env -0"
WHO_AM_I = 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'
SHELLS = {
    "bash": ("bash", "--norc"),
    "dash": ("dash",),
    "fish": ("fish", "--no-config"),
    "zsh": ("zsh", "-f"),
}
OURS = ("AWS_", "GDS_EXEC_")
every_posix_shell = pytest.mark.parametrize(
    "shell", [pytest.param(name, marks=needs(name)) for name in ("bash", "dash", "zsh")]
)
CONTRACT = re.compile(
    r"""unset AWS_CREDENTIALS_FILE;
unset AWS_DEFAULT_PROFILE;
unset AWS_PROFILE;
export AWS_REGION='eu-west-2';
export AWS_DEFAULT_REGION='eu-west-2';
export AWS_ACCESS_KEY_ID='ASIA[A-Z0-9]{16}';
export AWS_SECRET_ACCESS_KEY='[A-Za-z0-9+/]{40}';
export AWS_SESSION_TOKEN='[A-Za-z0-9+/=]{300,}';
((?:unset [A-Z_]+;\n)+)((?:export [A-Z_]+='[^']*';\n)+)"""
)


def script(world: World, shell: str, text: str, **environ: str) -> Environment:
    """The environment that is shown at the end of a script, run by a shell."""
    done = world.run_program(*SHELLS[shell], "-c", text, environ=environ)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    return environment_in(done.stdout)


def environment_in(shown: bytes) -> Environment:
    """What is shown of AWS's and our own variables; shells have others of theirs."""
    entries = [entry.split("=", 1) for entry in os.fsdecode(shown).split("\0") if entry]
    return {name: value for name, value in entries if name.startswith(OURS)}


def as_a_command(world: World, role: str = "prod", **environ: str) -> Environment:
    done = world.run(role, "--", "env", "-0", environ=environ)
    assert done.returncode == 0, done.stderr.decode()
    return environment_in(done.stdout)


def printed(world: World, *options: str, **environ: str) -> str:
    done = world.run("prod", "-e", *options, environ=environ)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    return done.stdout.decode()


def test_what_is_printed_has_the_form_that_programs_parse(signed_in: World) -> None:
    text = printed(signed_in)

    found = CONTRACT.fullmatch(text)
    assert found, "the contract's lines are not first, or not alone"
    unset, exported = (part.splitlines() for part in found.groups())
    assert unset == sorted(unset)
    assert {"unset AWS_SECURITY_TOKEN;", "unset AWS_ROLE_ARN;", "unset AWS_CREDENTIAL_FILE;"} <= set(unset)
    assert [line.split("=")[0] for line in exported] == [
        "export AWS_CREDENTIAL_EXPIRATION",
        "export GDS_EXEC_ROLE",
        "export GDS_EXEC_ROLE_REGION",
    ]


@every_posix_shell
@pytest.mark.parametrize("form", ["eval $({})", 'eval "$({})"'], ids=["unquoted", "quoted"])
@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="nothing"),
        pytest.param(
            {"AWS_PROFILE": "other profile *", "AWS_SECURITY_TOKEN": "stale", "AWS_REGION": "eu-west-1"},
            id="a profile and a region",
        ),
    ],
)
def test_an_eval_gives_a_shell_what_a_command_would_have(
    shell: str, form: str, environ: Environment, signed_in: World
) -> None:
    signed_in.write_config(f"{signed_in.config.read_text()}\n[profile other profile *]\nregion = x\n")
    (signed_in.home / "a").touch()
    evaluate = form.format(f"{GDS_EXEC} prod -e --art 1h")

    found = script(signed_in, shell, f"{evaluate}; {SHOW}", **environ)

    assert found == as_a_command(signed_in, **environ)


@needs("fish")
@pytest.mark.parametrize("form", ["eval ({})", "{} | source"])
def test_fish_has_what_a_command_would_have(form: str, signed_in: World) -> None:
    evaluate = form.format(f"{GDS_EXEC} prod -e --format fish")

    found = script(
        signed_in, "fish", f"{evaluate}; {SHOW}", AWS_PROFILE="it's \\ mine", AWS_REGION="eu-west-1"
    )

    assert found == as_a_command(signed_in, AWS_PROFILE="it's \\ mine", AWS_REGION="eu-west-1")


@every_posix_shell
def test_a_role_whose_name_is_trouble_survives_an_unquoted_eval(shell: str, world: World) -> None:
    name = "it's  a $(touch gone) * [role]\\ é"
    role = world.aws.add_role("prod", trust=[world.user.arn])
    header = 'profile "' + name.replace("\\", "\\\\") + '"'
    world.write_config(f"[{header}]\nrole_arn = {role.arn}\nsource_profile = gds-users\n")

    found = script(world, shell, f"eval $({GDS_EXEC} --role {shlex.quote(name)} -e); {SHOW}")

    assert found["GDS_EXEC_ROLE"] == name
    assert not (world.home / "gone").exists()


@every_posix_shell
def test_unset_brings_back_what_the_shell_had(shell: str, signed_in: World) -> None:
    evaluate, reverse = f"eval $({GDS_EXEC} prod -e)", f"eval $({GDS_EXEC} --unset)"
    environ = {"AWS_PROFILE": "gds-users"}

    before = script(signed_in, shell, SHOW, **environ)
    after = script(signed_in, shell, f"{evaluate}; {reverse}; {SHOW}", **environ)

    assert after == before


@needs("fish")
def test_fish_has_back_what_it_had(signed_in: World) -> None:
    evaluate = f"{GDS_EXEC} prod -e --format fish | source"
    reverse = f"{GDS_EXEC} --unset --format fish | source; and {SHOW}"

    before = script(signed_in, "fish", SHOW, AWS_PROFILE="gds-users")
    after = script(signed_in, "fish", f"{evaluate}; {reverse}", AWS_PROFILE="gds-users")

    assert after == before


@pytest.mark.parametrize("format_name", ["json", "dotenv", "ini", "github-env"])
def test_a_format_that_cannot_unset_is_refused_for_it(format_name: str, world: World) -> None:
    assert_ours(world.run("--unset", "--format", format_name), 2, "usage", "sh, fish, powershell, cmd")


@pytest.mark.matrix(96)
def test_one_role_after_another_in_one_shell_starts_from_the_base(signed_in: World) -> None:
    signed_in.add_role("other", mfa=False)
    evaluate = " ".join(f"eval $({GDS_EXEC} {role} -e);" for role in ("prod", "other"))

    found = script(signed_in, "bash", f"{evaluate} {SHOW}")

    assert found == as_a_command(signed_in, "other")


@pytest.mark.matrix(73)
def test_the_question_is_on_the_terminal_and_neither_in_what_is_captured_nor_on_standard_error(
    world: World,
) -> None:
    world.add_role("prod")
    line = f'CREDS=$({GDS_EXEC} prod -e 2>err.log); printf %s "$CREDS" >creds'
    terminal = world.terminal_program("sh", "-c", line)
    terminal.expect_exact(PROMPT)
    terminal.sendline(world.code())
    finish(terminal)

    assert (world.home / "err.log").read_bytes() == b""
    assert CONTRACT.fullmatch((world.home / "creds").read_text() + "\n")


def test_nothing_is_printed_where_there_is_no_session(world: World) -> None:
    world.add_role("prod")

    assert_ours(world.run("prod", "-e", "--format", "json"), 124, "nobody-to-ask")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("-e", "--format", "yaml"), id="a format"),
        pytest.param(("-e", "--write-profile", "my profile"), id="a profile"),
    ],
)
def test_what_cannot_be_done_is_refused_before_a_code_is_asked_for(
    options: tuple[str, ...], world: World
) -> None:
    world.add_role("prod")
    terminal = world.terminal("prod", *options)

    assert terminal.expect([pexpect.EOF, PROMPT]) == 0
    assert "[usage]" in terminal.before


def reads_env_files(program: str) -> bool:
    path = shutil.which(program)
    return (
        path is not None
        and subprocess.run([path, "--env-file=/dev/null", "-e", ""], check=False).returncode == 0
    )


@pytest.mark.skipif(not reads_env_files("node"), reason="there is no node that reads --env-file")
def test_node_reads_a_file_of_dotenv(signed_in: World) -> None:
    (signed_in.home / ".env").write_text(printed(signed_in, "--format", "dotenv"))
    show = 'process.stdout.write(Object.entries(process.env).map(e => e.join("=")).join("\\0"))'

    done = signed_in.run_program("node", "--env-file=.env", "-e", show)

    assert done.returncode == 0, done.stderr.decode()
    assert environment_in(done.stdout) == as_a_command(signed_in)


def test_a_file_of_dotenv_gives_a_container_the_session(signed_in: World) -> None:
    text = printed(signed_in, "--format", "dotenv")

    variables = dict(line.split("=", 1) for line in text.splitlines())
    (signed_in.home / "session.json").write_text(json.dumps(variables))
    run = f"import json, os; os.environ.update(json.load(open('session.json'))); {WHO_AM_I}"
    done = signed_in.run_program(PYTHON, "-c", run)
    assert b":assumed-role/prod/" in done.stdout, done.stderr.decode()


@pytest.mark.parametrize("format_name", ["ini", "credential-process"])
def test_an_sdk_has_the_role_from_a_file_or_a_process(format_name: str, signed_in: World) -> None:
    text = printed(signed_in, "--format", format_name)
    file = signed_in.home / "session"
    file.write_text(text)
    if format_name == "ini":
        environ = {
            "AWS_SHARED_CREDENTIALS_FILE": str(file),
            "AWS_PROFILE": "prod",
            "AWS_CONFIG_FILE": "/dev/null",
        }
    else:
        cat = program(signed_in.home / "cat", f"#!/bin/sh\ncat {file}\n")
        signed_in.write_config(f"[profile printed]\nregion = {REGION}\ncredential_process = {cat}\n")
        environ = {"AWS_PROFILE": "printed"}

    done = signed_in.run_program(PYTHON, "-c", WHO_AM_I, environ=environ)

    assert b":assumed-role/prod/" in done.stdout, done.stderr.decode()


def test_a_script_that_took_the_answer_of_assume_role_takes_ours(signed_in: World) -> None:
    answer = json.loads(printed(signed_in, "--format", "assume-role-json"))

    assert set(answer["Credentials"]) == {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert ":assumed-role/prod/" in answer["AssumedRoleUser"]["Arn"]


@pytest.mark.parametrize("format_name", ["sh", "github-env"])
def test_a_github_runner_is_told_to_keep_the_keys_out_of_its_log(format_name: str, signed_in: World) -> None:
    session = as_a_command(signed_in)

    done = signed_in.run("prod", "-e", "--format", format_name, environ={"GITHUB_ACTIONS": "true"})

    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    assert done.stderr.decode().splitlines() == [f"::add-mask::{session[name]}" for name in names]
    assert b"add-mask" not in done.stdout


def test_elsewhere_no_key_stands_on_standard_error(signed_in: World) -> None:
    assert signed_in.run("prod", "-e", "--format", "github-env").stderr == b""


@pytest.mark.matrix(80)
def test_what_is_printed_does_not_depend_on_the_locale(signed_in: World) -> None:
    options = ("--format", "fish")
    environ = {"AWS_PROFILE": "é", "LANG": "C", "PYTHONIOENCODING": "ascii"}
    signed_in.write_config(f"{signed_in.config.read_text()}\n[profile é]\nregion = x\n")

    assert "'é'" in printed(signed_in, *options, **environ)


@pytest.mark.matrix(81)
@pytest.mark.parametrize("broken", BROKEN_STDERR)
def test_what_cannot_be_said_does_not_cost_what_is_printed(broken: str, signed_in: World) -> None:
    line = f"{broken}; {GDS_EXEC} prod -e"  # with masks to say, on standard error

    done = signed_in.run_program("bash", "-c", line, environ={"GITHUB_ACTIONS": "true"})

    assert done.returncode == 0
    assert done.stdout.decode() == printed(signed_in)


def test_a_full_disk_is_said(signed_in: World) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [GDS_EXEC, "prod", "-e"],
            env=signed_in.environ,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )

    assert done.returncode == 125
    assert b"[output-failed]" in done.stderr


def test_a_profile_is_written_for_clients_that_read_the_file(signed_in: World) -> None:
    mine = signed_in.credentials.read_text()

    done = signed_in.run("prod", "--write-profile", "prod-session")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert signed_in.credentials.read_text().startswith(mine)
    who = signed_in.run_program(PYTHON, "-c", WHO_AM_I, environ={"AWS_PROFILE": "prod-session"})
    assert b":assumed-role/prod/" in who.stdout, who.stderr.decode()


def test_a_profile_is_written_again_in_its_place(signed_in: World) -> None:
    signed_in.run("prod", "--write-profile", "prod-session")
    once = signed_in.credentials.read_text()

    done = signed_in.run("prod", "--new-session", "--write-profile", "prod-session")

    assert done.returncode == 0, done.stderr.decode()
    again = signed_in.credentials.read_text()
    assert again != once
    assert [line.split(" = ")[0] for line in again.splitlines()] == [
        line.split(" = ")[0] for line in once.splitlines()
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("gds-users", "was not written by gds-exec", id="the person's own keys"),
        pytest.param("prod", "has credentials of its own", id="the role itself"),
        pytest.param("vault", ": credential_process)", id="keys that a helper keeps"),
        pytest.param("keys", ": aws_access_key_id)", id="keys in the config file"),
    ],
)
def test_a_profile_of_the_persons_own_is_left_alone_and_no_code_spent(
    name: str, words: str, world: World
) -> None:
    world.add_role("prod")
    world.write_config(
        f"{world.config.read_text()}\n[profile vault]\ncredential_process = false\n[profile keys]\n"
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"
    )
    mine = world.credentials.read_bytes()

    assert_ours(world.run("prod", "--write-profile", name), 125, "output-failed", words)
    assert world.credentials.read_bytes() == mine


def older_copy(world: World, name: str) -> str:
    """A profile that an earlier version wrote, with an expired session."""
    return (
        f"\n[{name}]\ngds_exec_written_for = prod\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\n"
        f"aws_secret_access_key = {world.user.secret_access_key}\naws_session_token = gone\n"
        f"aws_credential_expiration = 2020-01-01T00:00:00Z\nregion = {REGION}\n"
    )


@pytest.fixture(params=["written now", "written by an earlier version"])
def copied(request: pytest.FixtureRequest, signed_in: World) -> Callable[[str], None]:
    """Copy the session of prod into a profile, as this version or an earlier one does."""

    def copy(name: str) -> None:
        if request.param == "written now":
            done = signed_in.run("prod", "--write-profile", name)
            assert done.returncode == 0, done.stderr.decode()
        else:
            signed_in.write_credentials(signed_in.credentials.read_text() + older_copy(signed_in, name))

    return copy


@pytest.mark.parametrize("name", ["tmp", "default"])
@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        pytest.param(("whoami",), b":user/alice@example.gov.uk", id="whoami"),
        pytest.param(
            ("222222222222/open", "-r", REGION, "--", PYTHON, "-c", WHO_AM_I),
            b":assumed-role/open/",
            id="ACCOUNT/ROLE",
        ),
        pytest.param(("prod", "--", PYTHON, "-c", WHO_AM_I), b":assumed-role/prod/", id="its own role"),
    ],
)
def test_a_written_profile_is_not_taken_for_the_persons_own_keys(
    argv: tuple[str, ...], expected: bytes, name: str, copied: Callable[[str], None], signed_in: World
) -> None:
    signed_in.aws.add_role("open", trust=[signed_in.user.arn], require_mfa=False)
    copied(name)

    done = signed_in.run(*argv)

    assert (done.returncode, expected in done.stdout) == (0, True), done.stderr.decode()


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("tmp", "--", "true"), id="a command"),
        pytest.param(("tmp", "-e"), id="an export"),
        pytest.param(("tmp", "-d"), id="a description"),
        pytest.param(("tmp", "--login", "--print"), id="the console"),
        pytest.param(("tmp", "--switch-role"), id="a switch-role link"),
        pytest.param(("tmp", "--write-profile", "again"), id="a copy of the copy"),
        pytest.param(("explain", "tmp"), id="explain"),
        pytest.param(("credential-process", "tmp"), id="credential-process"),
        pytest.param(("renew", "tmp"), id="renew"),
    ],
)
def test_a_written_profile_is_refused_as_a_role_and_the_error_names_the_role(
    argv: tuple[str, ...], world: World
) -> None:
    world.add_role("prod")
    world.write_credentials(world.credentials.read_text() + older_copy(world, "tmp"))

    assert_ours(
        world.run(*argv),
        125,
        "profile 'tmp' holds a copied session of prod",
        "credentials, line 6: gds_exec_written_for",
        "copied-session",
        "hint: use the role itself: gds-exec prod -- COMMAND",
        printed=FAILED_EXPORT if "-e" in argv else b"",
    )


def test_a_written_profile_cannot_be_a_source_profile(
    copied: Callable[[str], None], signed_in: World
) -> None:
    signed_in.add_role("app", mfa=False, source_profile="tmp")
    copied("tmp")
    who = ("--", PYTHON, "-c", WHO_AM_I)

    words = ("which holds a copied session of prod", "credentials, line 6: gds_exec_written_for", "hint: ")
    assert_ours(signed_in.run("app", *who), 125, "'app' takes its keys from 'tmp'", *words)
    assert_ours(signed_in.run("prod", "--source-profile", "tmp", *who), 125, *words)
    assert_ours(signed_in.run("222222222222/app", *who, environ={"AWS_PROFILE": "tmp"}), 125, *words)
    assert_ours(signed_in.run("whoami", environ={"AWS_PROFILE": "tmp"}), 125, *words)
    done = signed_in.run("prod", *who, environ={"AWS_PROFILE": "tmp"})
    assert b":assumed-role/prod/" in done.stdout, done.stderr.decode()


def test_a_written_profile_is_not_listed_among_the_roles(
    copied: Callable[[str], None], signed_in: World
) -> None:
    copied("tmp")

    for argv in (("roles",), ("roles", "--names"), ()):
        shown = signed_in.run(*argv).stdout
        assert b"prod" in shown
        assert b"tmp" not in shown


@pytest.mark.parametrize("name", ["tmp", "default"])
def test_a_written_profile_is_removed_and_the_file_is_as_before(
    name: str, copied: Callable[[str], None], signed_in: World
) -> None:
    mine = signed_in.credentials.read_bytes()
    copied(name)

    done = signed_in.run("--write-profile", name, "--unset")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert signed_in.credentials.read_bytes() == mine


def test_within_a_role_shell_a_profile_is_removed_from_the_persons_own_file(signed_in: World) -> None:
    mine = signed_in.credentials.read_bytes()
    signed_in.run("prod", "--write-profile", "tmp")

    done = signed_in.run("prod", "--refresh", "--", GDS_EXEC, "--unset", "--write-profile=tmp")

    assert done.returncode == 0, done.stderr.decode()
    assert signed_in.credentials.read_bytes() == mine


@pytest.mark.parametrize(
    ("name", "slug", "words"),
    [
        pytest.param("tmp", "unknown-role", "no profile is named 'tmp' in", id="a missing profile"),
        pytest.param("gds-users", "output-failed", "was not written by gds-exec", id="the person's own keys"),
        pytest.param("prod", "unknown-role", "no profile is named 'prod' in", id="a role of the config file"),
    ],
)
def test_only_a_written_profile_can_be_removed(name: str, slug: str, words: str, world: World) -> None:
    world.add_role("prod")
    mine = world.credentials.read_bytes(), world.config.read_bytes()

    assert_ours(world.run("--write-profile", name, "--unset"), 125, slug, words, "hint: ")
    assert (world.credentials.read_bytes(), world.config.read_bytes()) == mine


def test_only_write_profile_writes_to_the_persons_files(signed_in: World) -> None:
    def files() -> list[tuple[bytes, int]]:
        return [
            (path.read_bytes(), path.stat().st_mtime_ns) for path in (signed_in.config, signed_in.credentials)
        ]

    before = files()
    for format_name in ("sh", "ini", "credential-process"):
        printed(signed_in, "--format", format_name)

    assert files() == before
    assert sorted(os.listdir(signed_in.config.parent)) == ["config", "credentials"]
