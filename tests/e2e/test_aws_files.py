"""The user's AWS files, in every layout and every state of disrepair: rows 110 to 126."""

import json
import os
import resource
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from .expectations import assert_ours
from .observations import calls_of, session_names
from .world import SHOW_KEY, World, finish

SHOW_REGIONS = ("sh", "-c", 'echo "$AWS_REGION $AWS_DEFAULT_REGION"')


def assumes(world: World, role: str, arn: str, **environ: str) -> None:
    """Check that `role` runs a command, and that it was this role that was assumed."""
    done = world.run(role, "--", *SHOW_KEY, environ=environ)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.startswith(b"ASIA")
    assert calls_of(world.aws, "AssumeRole")[-1].parameters["RoleArn"] == arn


# Layouts.


def _config_only(world: World, arn: str) -> None:
    keys = world.keys_section("profile gds-users", world.user)
    world.credentials.unlink()
    world.write_config(f"{keys}\n[profile reader]\nrole_arn = {arn}\nsource_profile = gds-users\n")


def _credentials_only(world: World, arn: str) -> None:
    keys = world.keys_section("gds-users", world.user)
    world.config.unlink()
    world.write_credentials(f"{keys}\n[reader]\nrole_arn = {arn}\nsource_profile = gds-users\n")


def _both(world: World, arn: str) -> None:
    world.write_config(f"[profile reader]\nrole_arn = {arn}\nsource_profile = gds-users\n")


def _keys_beside_the_role(world: World, arn: str) -> None:
    keys = world.keys_section("reader", world.user)
    world.write_credentials(f"{keys}role_arn = {arn}\nsource_profile = reader\n")


def _role_split_between_the_files(world: World, arn: str) -> None:
    keys = world.keys_section("gds-users", world.user)
    world.write_config("[profile reader]\nrole_arn = of-the-config\nsource_profile = gds-users\n")
    world.write_credentials(f"{keys}\n[reader]\nrole_arn = {arn}\n")


def _default_as_the_source(world: World, arn: str) -> None:
    world.write_credentials(world.keys_section("default", world.user))
    world.write_config(f"[profile reader]\nrole_arn = {arn}\nsource_profile = default\n")


def _profile_default_wins_over_an_earlier_default(world: World, arn: str) -> None:
    stale = world.keys_section("default", world.user).replace("AKIA", "AKIAOLD")
    keys = world.keys_section("profile default", world.user)
    world.credentials.unlink()
    world.write_config(f"{stale}\n{keys}\n[profile reader]\nrole_arn = {arn}\nsource_profile = default\n")


def _quoted_and_spaced(world: World, arn: str) -> None:
    text = f'[profile "reader"]\nrole_arn   :  {arn}\n\n# a comment\n; another\nSOURCE_PROFILE=gds-users\n'
    world.write_config(text)


def _crlf(world: World, arn: str) -> None:
    _both(world, arn)
    for path in (world.config, world.credentials):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def _cr(world: World, arn: str) -> None:
    _both(world, arn)
    for path in (world.config, world.credentials):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r"))


def _no_last_newline(world: World, arn: str) -> None:
    _both(world, arn)
    for path in (world.config, world.credentials):
        path.write_bytes(path.read_bytes().rstrip())


def _nested_block(world: World, arn: str) -> None:
    _both(world, arn)
    with world.config.open("a") as file:
        file.write(
            "s3 =\n    max_concurrent_requests = 20\n    addressing_style = path\nregion = eu-west-2\n"
        )


def _unknown_sections(world: World, arn: str) -> None:
    _both(world, arn)
    with world.config.open("a") as file:
        file.write(
            "[plugins]\ncli = x\n[sso-session gds]\nsso_region = eu-west-2\n[services s]\nsts =\n  x = y\n"
        )


@pytest.mark.matrix(111, 114, 121)
@pytest.mark.parametrize(
    "lay_out",
    [
        _config_only,
        _credentials_only,
        _both,
        _keys_beside_the_role,
        _role_split_between_the_files,
        _default_as_the_source,
        _profile_default_wins_over_an_earlier_default,
        _quoted_and_spaced,
        _crlf,
        _cr,
        _no_last_newline,
        _nested_block,
        _unknown_sections,
    ],
)
def test_every_layout_of_the_files_leads_to_the_role(
    world: World, lay_out: Callable[[World, str], None]
) -> None:
    role = world.aws.add_role("reader", trust=[world.user.arn])
    lay_out(world, role.arn)
    assumes(world, "reader", role.arn)


def test_files_may_stand_elsewhere(world: World) -> None:
    role = world.add_role("reader", mfa=False)
    elsewhere = world.home / "else where"
    elsewhere.mkdir()
    world.config.rename(elsewhere / "config")
    world.credentials.rename(elsewhere / "credentials")
    assert_ours(world.run("reader", "--", "true"), 125, "[unknown-role]")
    assumes(
        world,
        "reader",
        role.arn,
        AWS_CONFIG_FILE=f"{elsewhere}/config",
        AWS_SHARED_CREDENTIALS_FILE="~/else where/credentials",
    )


@pytest.mark.matrix(121)
def test_profile_section_of_the_credentials_file_keeps_the_word_in_its_name(world: World) -> None:
    role = world.aws.add_role("reader", trust=[world.user.arn])
    keys = world.keys_section("gds-users", world.user)
    world.write_credentials(f"{keys}[profile reader]\nrole_arn = {role.arn}\nsource_profile = gds-users\n")
    assert_ours(world.run("reader", "--", "true"), 125, "[unknown-role]", "'profile reader'")
    assumes(world, "profile reader", role.arn)


@pytest.mark.parametrize("form", ["team-reader", "222222222222/team/x/reader", "{arn}"])
def test_role_may_have_a_path(world: World, form: str) -> None:
    role = world.aws.add_role("reader", path="/team/x/", trust=[world.user.arn])
    world.write_config(f"[profile team-reader]\nrole_arn = {role.arn}\nsource_profile = gds-users\n")
    assumes(world, form.format(arn=role.arn), role.arn)
    assert world.run(form.format(arn=role.arn), "--", "true").returncode == 0
    assert world.aws.count("AssumeRole") == 1


@pytest.mark.matrix(94)
def test_variables_that_would_compete_decide_nothing(world: World) -> None:
    role = world.add_role("reader", mfa=False)
    competing = {
        "AWS_PROFILE": "not-there",
        "AWS_DEFAULT_PROFILE": "not-there",
        "AWS_ACCESS_KEY_ID": "AKIAFOREIGN",
        "AWS_SECRET_ACCESS_KEY": "foreign",
        "AWS_SESSION_TOKEN": "foreign",
        "AWS_SECURITY_TOKEN": "foreign",
        "AWS_ROLE_ARN": "arn:aws:iam::333333333333:role/foreign",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
        "AWS_CREDENTIAL_FILE": "/nowhere",
        "BOTO_CONFIG": "/nowhere",
    }
    assumes(world, "reader", role.arn, **competing)
    assert {call.access_key_id for call in world.aws.calls} == {world.user.access_key_id}


# Files that cannot be read.


@pytest.mark.matrix(110, 112, 113, 114)
@pytest.mark.parametrize("file", ["config", "credentials"])
@pytest.mark.parametrize(
    ("added", "words"),
    [
        pytest.param(b"[twice]\na = 1\n[twice]\n", ("line 3", "stands twice"), id="duplicate-section"),
        pytest.param(
            b"[x]\nregion = a\nregion = b\n", ("line 3", "'region' stands twice"), id="duplicate-key"
        ),
        pytest.param(b"[x]\nname = Andr\xe9\n", ("line 2", "UTF-8"), id="latin-1"),
        pytest.param(b"[x]\nname = a\0b\n", ("line 2", "NUL"), id="nul"),
        pytest.param(b"region = x\n", ("line 1", "no [section]"), id="no-section"),
        pytest.param(b"[x\nregion = x\n", ("line 1",), id="unclosed"),
        pytest.param(b"[x]\nregion\n", ("line 2",), id="no-value"),
        pytest.param(b"[x]\ns3 =\n  max_queue 5\n", ("line 2", "'s3'"), id="bad-nested-block"),
        pytest.param(b"\xef\xbb\xbf[x]\n", ("starts with a byte-order mark",), id="utf-8-mark"),
        pytest.param("[x]\n".encode("utf-16"), ("starts with a byte-order mark",), id="utf-16"),
    ],
)
def test_broken_file_is_named_with_its_line_and_left_as_it_was(
    world: World, file: str, added: bytes, words: tuple[str, ...]
) -> None:
    path = world.home / ".aws" / file
    path.write_bytes(added + b"[canary]\naws_secret_access_key = canary-secret\n")
    before = path.read_bytes()
    said = assert_ours(world.run("reader", "--debug", "--", "true"), 125, "[broken-file]", str(path), *words)
    assert "canary-secret" not in said
    assert path.read_bytes() == before


@pytest.mark.matrix(117)
@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
@pytest.mark.parametrize(
    "make",
    [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path)],
    ids=["directory", "fifo", "dev-zero", "link-to-itself"],
)
def test_file_that_is_no_file_is_named_and_not_waited_for(
    world: World, variable: str, make: Callable[[Path], None]
) -> None:
    world.add_role("reader", mfa=False)
    path = world.home / "odd"
    make(path)
    done = world.run("reader", "--", "true", environ={variable: str(path)}, timeout=10)
    assert_ours(done, 125, "[broken-file]", str(path), "cannot be read")


@pytest.mark.matrix(117)
def test_files_may_come_through_pipes(world: World) -> None:
    world.add_role("reader", mfa=False)
    files = f"AWS_CONFIG_FILE=<(cat {world.config}) AWS_SHARED_CREDENTIALS_FILE=<(cat {world.credentials})"
    script = f"{files} gds-exec reader -- echo started"
    done = world.run_program("bash", "-c", script)
    assert done.stdout == b"started\n", done.stderr.decode()


@pytest.mark.matrix(117)
@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file_is_named(world: World) -> None:
    world.credentials.chmod(0)
    done = world.run("reader", "--", "true")
    assert_ours(done, 125, "[broken-file]", str(world.credentials), "permission denied")


@pytest.mark.matrix(117)
@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_missing_file_is_named_where_it_was_named(world: World, variable: str) -> None:
    missing = str(world.home / "no-directory" / "no-file")
    done = world.run("reader", "--", "true", environ={variable: missing})
    assert_ours(done, 125, "[unknown-role]", f"{variable} names '{missing}'", "does not exist")


def test_no_files_at_all_is_told_with_where_they_would_be(world: World) -> None:
    world.config.unlink()
    world.credentials.unlink()
    assert_ours(world.run("reader", "--", "true"), 125, "[unknown-role]", f"no profile in {world.config}")


# Single settings.


@pytest.mark.matrix(115)
def test_section_with_a_space_unquoted_is_told_as_what_it_is(world: World) -> None:
    world.write_config("[profile my prof]\nrole_arn = x\n[profile reader2]\n[reader]\nrole_arn = x\n")
    assert_ours(
        world.run("my prof", "--", "true"), 125, "[unknown-role]", "line 1", 'write [profile "my prof"]'
    )
    assert_ours(world.run("reader", "--", "true"), 125, "[unknown-role]", "line 4", "write [profile reader]")


@pytest.mark.matrix(116)
@pytest.mark.parametrize("secret", ["100%(no)s%", "a#b # c ; d", "a=b:c", "'\"$HOME\\"])
def test_values_are_taken_as_they_stand(world: World, secret: str) -> None:
    role = world.add_role("reader", mfa=False)
    world.user.secret_access_key = secret
    world.write_credentials(world.keys_section("gds-users", world.user))
    assumes(world, "reader", role.arn)


@pytest.mark.parametrize(
    "line", ["aws_session_token = canary\n  X-Evil: 1\n", "aws_secret_access_key = canary\n  X-Evil: 1\n"]
)
def test_secret_of_several_lines_is_refused_unseen(world: World, line: str) -> None:
    world.add_role("reader", mfa=False)
    keys = world.keys_section("gds-users", world.user).splitlines(keepends=True)
    kept = [k for k in keys if k.partition(" ")[0] != line.partition(" ")[0]]
    world.write_credentials("".join(kept) + line)
    said = assert_ours(world.run("reader", "--debug", "--", "true"), 125)
    assert "canary" not in said


@pytest.mark.matrix(120)
def test_duration_that_is_no_number_is_said_to_be_ignored(world: World) -> None:
    world.add_role("reader", mfa=False, settings="duration_seconds = 1h")
    done = world.run("reader", "--", "true")
    assert done.returncode == 0
    assert done.stderr.count(b"duration_seconds '1h' is ignored") == 1
    assert calls_of(world.aws, "AssumeRole")[-1].parameters["DurationSeconds"] == "3600"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        pytest.param("duration_seconds = 100", ("between 900 and 43200",), id="short-duration"),
        pytest.param("role_session_name = a b", ("role_session_name",), id="session-name-with-a-space"),
        pytest.param("external_id = a", ("external_id",), id="short-external-id"),
        pytest.param("mfa_serial = arn:aws:iam::111111111111:u2f/user/x/y", ("security key",), id="u2f"),
        pytest.param(
            "mfa_serial = arn:aws:iam::111111111111:user/alice",
            ("is a user, not an MFA device", "hint: it is probably arn:aws:iam::111111111111:mfa/alice"),
            id="user-as-serial",
        ),
    ],
)
def test_setting_that_cannot_be_used_is_refused_with_its_place(
    world: World, setting: str, words: tuple[str, ...]
) -> None:
    world.add_role("reader", mfa=False, settings=setting)
    done = world.run("reader", "--mfa-code", "123456", "--", "true")
    assert_ours(done, 125, "[broken-profile]", f"{world.config}, line ", *words)
    assert not world.aws.calls


@pytest.mark.parametrize("arn", ["", "reader", "arn:aws:iam::1:role/x", "arn:aws:iam::111111111111:user/x"])
def test_role_arn_that_is_none_is_refused_with_its_place(world: World, arn: str) -> None:
    world.write_config(f"[profile reader]\nrole_arn = {arn}\nsource_profile = gds-users\n")
    assert_ours(
        world.run("reader", "--", "true"), 125, f"{world.config}, line 2", "is not the ARN of an IAM role"
    )


# The way to the keys.


@pytest.mark.matrix(119)
@pytest.mark.parametrize(
    ("config", "words"),
    [
        pytest.param(
            "[profile a]\nrole_arn={r}\nsource_profile=b\n[profile b]\nrole_arn={r}\nsource_profile=c\n"
            "[profile c]\nrole_arn={r}\nsource_profile=a\n",
            ("[broken-profile]", "a → b → c → a"),
            id="loop-of-three",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\nsource_profile=a\n",
            ("[broken-profile]", "a → a"),
            id="self-without-keys",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\nsource_profile=gds-user\n",
            ("[source-profile-missing]", "'gds-user', which does not exist", "did you mean 'gds-users'?"),
            id="missing-source",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\nsource_profile=\n",
            ("[source-profile-missing]", "hint: source_profile is empty"),
            id="empty-source",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\nsource_profile=vaulted\n",
            ("credential_process = aws-vault export --format=json --no-session vaulted",),
            id="source-in-aws-vault",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\nsource_profile=b\n[profile b]\nregion=eu-west-2\n",
            ("[no-access-key]", "a → b", "aws-vault export --format=json --no-session b"),
            id="source-without-keys",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\nsource_profile=gds-users\ncredential_source=Environment\n",
            ("[broken-profile]", "both source_profile and credential_source"),
            id="both-sources",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\n", ("[broken-profile]", "neither source_profile nor"), id="no-source"
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\ncredential_source=Moon\n",
            ("[broken-profile]", "unknown credential_source 'Moon'", "Ec2InstanceMetadata"),
            id="unknown-credential-source",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\ncredential_source=Ec2InstanceMetadata\n",
            ("[no-access-key]", "AWS_EC2_METADATA_DISABLED forbids that"),
            id="instance",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\nsource_profile=b\n[profile b]\naws_access_key_id=AKIAX\n",
            ("[broken-profile]", "half an access key", "aws_secret_access_key"),
            id="key-without-secret",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\nsource_profile=b\n[profile b]\naws_secret_access_key=canary\n",
            ("[broken-profile]", "half an access key", "no aws_access_key_id"),
            id="secret-without-key",
        ),
        pytest.param(
            "[profile a]\nsso_session=gds\nsso_account_id=222222222222\nsso_role_name=x\n",
            ("[not-supported-yet]", "IAM Identity Center", "aws sso login --profile a"),
            id="sso",
        ),
        pytest.param(
            "[profile a]\nrole_arn={r}\nsource_profile=b\n[profile b]\nsso_start_url=https://x\nsso_account_id=2\n",
            ("[not-supported-yet]", "profile 'b' uses sso_"),
            id="sso-source",
        ),
        pytest.param(
            "[profile a]\nregion=eu-west-2\n", ("[no-access-key]", "neither access keys nor"), id="empty"
        ),
    ],
)
def test_way_that_leads_to_no_keys_is_drawn_and_refused(
    world: World, config: str, words: tuple[str, ...]
) -> None:
    role = world.aws.add_role("reader", trust=[world.user.arn])
    world.write_config(config.format(r=role.arn))
    said = assert_ours(world.run("a", "--", "true"), 125, *words)
    assert "canary" not in said
    assert not world.aws.calls


def test_chain_of_three_roles_is_assumed_from_the_keys_up(world: World) -> None:
    first = world.add_role("first")
    second = world.add_role("second", mfa=False, trust=[first.arn], source_profile="first")
    third = world.add_role("third", mfa=False, trust=[second.arn], source_profile="second")
    done = world.run("third", "--mfa-code", world.code(), "--", "true")
    assert done.returncode == 0, done.stderr.decode()
    asked = [call.parameters["RoleArn"] for call in calls_of(world.aws, "AssumeRole")]
    assert asked == [first.arn, second.arn, third.arn]


def test_what_the_profile_says_of_the_session_is_asked_for(world: World) -> None:
    settings = "external_id = Te-st:1/2\nrole_session_name = me@work\nduration_seconds = 1800"
    world.add_role("reader", mfa=False, external_id="Te-st:1/2", settings=settings)
    done = world.run("reader", "--", "true")
    assert done.returncode == 0, done.stderr.decode()
    (call,) = calls_of(world.aws, "AssumeRole")
    assert (
        call.parameters.items()
        >= {
            "ExternalId": "Te-st:1/2",
            "RoleSessionName": "me@work",
            "DurationSeconds": "1800",
        }.items()
    )


@pytest.mark.parametrize(
    ("typed", "meant"), [("raeder", "reader"), ("READER", "reader"), ("readr", "reader"), ("xyzzy", None)]
)
def test_mistyped_profile_gets_a_suggestion(world: World, typed: str, meant: str | None) -> None:
    world.add_role("reader", mfa=False)
    said = assert_ours(world.run(typed, "--", "true"), 125, "[unknown-role]", f"'{typed}'", "hint: ")
    assert (f"did you mean '{meant}'" in said) == (meant is not None)


# Roles without a profile.


@pytest.mark.parametrize(
    "form", ["arn:aws:iam::222222222222:role/reader", "222222222222/reader"], ids=["arn", "account-role"]
)
@pytest.mark.parametrize(
    ("options", "environ", "section"),
    [
        pytest.param(("--source-profile", "gds-users"), {}, "gds-users", id="option"),
        pytest.param((), {"GDS_EXEC_SOURCE_PROFILE": "gds-users"}, "gds-users", id="our-variable"),
        pytest.param((), {"AWS_PROFILE": "gds-users"}, "gds-users", id="AWS_PROFILE"),
        pytest.param((), {"AWS_DEFAULT_PROFILE": "gds-users"}, "gds-users", id="AWS_DEFAULT_PROFILE"),
        pytest.param((), {}, "default", id="default"),
    ],
)
def test_role_without_a_profile_finds_its_keys(
    world: World, form: str, options: tuple[str, ...], environ: dict[str, str], section: str
) -> None:
    role = world.aws.add_role("reader", trust=[world.user.arn])
    other = world.aws.add_user("mallory")
    world.write_credentials(world.keys_section(section, world.user) + world.keys_section("other", other))
    done = world.run(form, *options, "--", "true", environ=environ)
    assert done.returncode == 0, done.stderr.decode()
    (call,) = calls_of(world.aws, "AssumeRole")
    assert call.parameters["RoleArn"] == role.arn
    assert call.access_key_id == world.user.access_key_id


def test_role_without_a_profile_takes_the_only_keys_there_are_and_their_device(world: World) -> None:
    role = world.aws.add_role("reader", trust=[world.user.arn], require_mfa=True)
    keys = world.keys_section("anything", world.user)
    world.write_credentials(f"{keys}mfa_serial = {world.device.serial}\n")
    done = world.run("222222222222/reader", "--mfa-code", world.code(), "--", "true")
    assert done.returncode == 0, done.stderr.decode()
    assert calls_of(world.aws, "AssumeRole")[-1].parameters["RoleArn"] == role.arn


@pytest.mark.parametrize(
    ("role", "environ", "words"),
    [
        pytest.param(
            "222222222222/reader", {}, ("[no-access-key]", "2 profiles", "--source-profile"), id="two"
        ),
        pytest.param(
            "222222222222/reader",
            {"AWS_PROFILE": "gone"},
            ("AWS_PROFILE names profile 'gone'",),
            id="missing",
        ),
        pytest.param("22222/reader", {}, ("[unknown-role]", "5 digits, not 12"), id="short-account"),
        pytest.param("222222222222/", {}, ("[unknown-role]",), id="no-name"),
        pytest.param("arn:aws:iam::222222222222:user/x", {}, ("[unknown-role]", "ARN"), id="arn-of-a-user"),
        pytest.param(
            "arn:aws:sts::222222222222:assumed-role/x/y", {}, ("[unknown-role]",), id="arn-of-a-session"
        ),
    ],
)
def test_role_without_a_profile_that_cannot_be_is_told(
    world: World, role: str, environ: dict[str, str], words: tuple[str, ...]
) -> None:
    other = world.aws.add_user("mallory")
    world.write_credentials(world.keys_section("one", world.user) + world.keys_section("two", other))
    assert_ours(world.run(role, "--", "true", environ=environ), 125, *words)


# Names.

NAMES = {
    "unicode": "Ünïcødé-日本",
    "quotes": "it's",
    "space": "two words",
    "slash": "team/prod",
    "dots": "../../etc/passwd",
    "long": "x" * 300,
    "percent": "100%(x)s",
    "markup": "[bold]",
    "emoji": "💥",
    "looks-like-an-option": "--debug",
}


@pytest.mark.matrix(122)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_profile_may_have_any_name_and_leaves_it_in_no_file_name(world: World, name: str) -> None:
    role = world.aws.add_role("reader", trust=[world.user.arn])
    keys = world.keys_section("gds-users", world.user)
    world.write_credentials(f"{keys}\n[{name}]\nrole_arn = {role.arn}\nsource_profile = gds-users\n")
    done = world.run(f"--role={name}", "--", "sh", "-c", 'printf %s "$GDS_EXEC_ROLE"')
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode() == name
    (session,) = world.sessions()
    assert set(session.stem) <= set(string.hexdigits)


@pytest.mark.matrix(122)
def test_name_that_would_steer_the_terminal_is_shown_harmless(world: World) -> None:
    name = "a\x1b]0;owned\x07\u202e\x9b2J[/x]"
    said = assert_ours(world.run(name, "--", "true"), 125, "[unknown-role]", "[/x]", "\\x1b")
    assert all(line.isprintable() for line in said.splitlines())


# Changes while gds-exec remembers.


@pytest.mark.matrix(123)
@pytest.mark.parametrize(
    "changed", ["role_arn", "external_id", "role_session_name", "duration_seconds", "keys"]
)
def test_changed_profile_never_gets_the_session_of_before(world: World, changed: str) -> None:
    world.add_role("reader", mfa=False)
    other = world.aws.add_role("other", trust=["*"])
    first = world.run("reader", "--", *SHOW_KEY)
    config = world.config.read_text(encoding="utf-8")
    if changed == "role_arn":
        world.write_config(config.replace(":role/reader", ":role/other"))
    elif changed == "keys":
        bob = world.aws.add_user("bob")
        world.aws.roles[other.arn.replace("other", "reader")].trust = ("*",)
        world.write_credentials(world.keys_section("gds-users", bob))
    else:
        world.write_config(f"{config.rstrip()}\n{changed} = 1234\n")
    second = world.run("reader", "--", *SHOW_KEY)
    assert (first.returncode, second.returncode) == (0, 0), second.stderr.decode()
    assert first.stdout != second.stdout
    assert world.aws.count("AssumeRole") == 2


@pytest.mark.matrix(124)
def test_credentials_that_others_can_read_are_warned_of_once(world: World) -> None:
    world.add_role("reader", mfa=False)
    path = world.credentials
    path.chmod(0o644)
    done = world.run("reader", "--", "echo", "started")
    assert done.returncode == 0
    assert done.stdout == b"started\n"
    assert done.stderr.decode().splitlines() == [
        f"gds-exec: {path} holds secrets and can be read by others: chmod 600 {path}"
    ]
    assert world.run("-q", "reader", "--", "true").stderr == b""


@pytest.mark.matrix(118)
def test_ten_thousand_profiles_cost_less_than_a_second(world: World) -> None:
    role = world.add_role("reader", mfa=False)
    with world.config.open("a") as file:
        file.writelines(
            f"[profile p{n}]\nrole_arn = {role.arn}\nsource_profile = gds-users\nregion = eu-west-2\n"
            for n in range(10_000)
        )
    assert world.run("p9999", "--", "true").returncode == 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert world.run("p9999", "--", "true").returncode == 0
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 1
    assert_ours(world.run("p1000O", "--", "true"), 125, "did you mean 'p1000'")


# credential_process.


def _process(world: World, command: str, *more: str) -> None:
    world.write_credentials("")
    world.write_config("\n".join(["[profile gds-users]", f"credential_process = {command}", *more, ""]))


def _script(world: World, text: str) -> str:
    path = world.home / "a helper"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o700)
    return f'"{path}"'


def _document(access_key_id: str, secret_access_key: str, token: str | None = None) -> str:
    document = {"Version": 1, "AccessKeyId": access_key_id, "SecretAccessKey": secret_access_key}
    return json.dumps(document | ({"SessionToken": token} if token else {}))


def test_credential_process_may_give_long_lived_keys(world: World) -> None:
    count = world.home / "count"
    document = _document(world.user.access_key_id, world.user.secret_access_key)
    _process(world, _script(world, f"echo run >>'{count}'; echo '{document}'"))
    world.add_role("admin")
    world.sign_in("admin")
    assert world.run("admin", "--", "true").returncode == 0
    assert count.read_text() == "run\n", "a cached session needs no process"


def test_credential_process_may_give_a_session_which_takes_the_code_along(world: World) -> None:
    with world.aws.lock:
        caller = world.aws.credentials(world.user.access_key_id)
        assert caller is not None
        session = world.aws.issue(caller.caller, duration_seconds=3600)
    document = _document(session.access_key_id, session.secret_access_key, session.token)
    _process(world, _script(world, f"echo '{document}'"))
    world.add_role("plain", mfa=False)
    world.add_role("admin")
    done = world.run("plain", "--", "true")
    assert done.returncode == 0, done.stderr.decode()
    done = world.run("admin", "--mfa-code", world.code(), "--", "true")
    assert done.returncode == 0, done.stderr.decode()
    assert world.aws.count("GetSessionToken") == 0, "a session cannot make an MFA session"


@pytest.mark.matrix(125)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "echo canary; echo 'vault is locked' >&2; exit 3",
            ("exit status 3", "vault is locked"),
            id="fails",
        ),
        pytest.param("echo canary-junk", ("it is no JSON",), id="junk"),
        pytest.param("echo '[\"canary\"]'", ("no Version 1",), id="list"),
        pytest.param('echo \'{"Version": 2, "x": "canary"}\'', ("no Version 1",), id="version-2"),
        pytest.param('echo \'{"Version": 1, "AccessKeyId": "canary"}\'', ("SecretAccessKey",), id="half"),
        pytest.param("head -c 70000 /dev/zero | tr '\\0' '{'", ("65,536 bytes",), id="too-much"),
        pytest.param("head -c 60000 /dev/zero | tr '\\0' '['", ("no JSON",), id="deep"),
        pytest.param("printf '\\377canary'", ("not UTF-8",), id="not-utf-8"),
        pytest.param("kill -9 $$", ("SIGKILL",), id="killed"),
        pytest.param("read answer </dev/tty", ("exit status",), id="wants-a-terminal"),
        pytest.param("true", ("it is no JSON",), id="nothing"),
        pytest.param(
            "printf 'bad\\033]0;x\\007\\n' >&2; exit 1", ("bad\\x1b]0;x",), id="steers-the-terminal"
        ),
    ],
)
def test_credential_process_that_gives_no_keys_is_told_without_what_it_printed(
    world: World, text: str, words: tuple[str, ...]
) -> None:
    _process(world, _script(world, text))
    world.add_role("plain", mfa=False)
    said = assert_ours(world.run("plain", "--", "true", timeout=20), 125, "[helper-failed]", *words)
    assert "canary" not in said
    assert "\x1b" not in said


@pytest.mark.matrix(125)
@pytest.mark.parametrize("command", ["/nowhere/helper", "echo {} > stolen; touch stolen", "'unclosed", "''"])
def test_credential_process_is_run_without_a_shell(world: World, command: str) -> None:
    _process(world, command)
    world.add_role("plain", mfa=False)
    assert_ours(world.run("plain", "--", "true"), 125, "[helper-failed]")
    assert not (world.home / "stolen").exists()


@pytest.mark.matrix(125)
def test_credential_process_may_ask_the_person(world: World) -> None:
    document = _document(world.user.access_key_id, world.user.secret_access_key)
    asking = "printf 'passphrase: ' >&2; read answer; test \"$answer\" = sesame || exit 1"
    _process(world, _script(world, f"{asking}; echo '{document}'"))
    world.add_role("plain", mfa=False)
    child = world.terminal("plain", "--", "echo", "started")
    child.expect_exact("passphrase: ")
    child.sendline("sesame")
    assert "started" in finish(child)
    assert child.exitstatus == 0


@pytest.mark.matrix(125)
def test_credential_process_sees_no_code_of_ours(world: World) -> None:
    seen = world.home / "seen"
    document = _document(world.user.access_key_id, world.user.secret_access_key)
    _process(world, _script(world, f"env >'{seen}'; echo '{document}'"))
    world.add_role("plain", mfa=False)
    done = world.run("plain", "--", "true", environ={"GDS_EXEC_MFA_CODE": "918273"})
    assert done.returncode == 0, done.stderr.decode()
    assert "918273" not in seen.read_text()


# Region.


@pytest.mark.parametrize(
    ("options", "environ", "regions"),
    [
        pytest.param((), {}, "eu-west-2 eu-west-2", id="of-the-profile"),
        pytest.param((), {"AWS_REGION": "us-east-1"}, "us-east-1 us-east-1", id="AWS_REGION-alone"),
        pytest.param((), {"AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1 us-east-1", id="default-alone"),
        pytest.param(
            (),
            {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-2"},
            "us-east-1 us-east-2",
            id="both",
        ),
        pytest.param((), {"AWS_REGION": ""}, "eu-west-2 eu-west-2", id="empty"),
        pytest.param(
            ("--region", "eu-west-1"), {"AWS_REGION": "us-east-1"}, "eu-west-1 eu-west-1", id="option-wins"
        ),
        pytest.param((), {"GDS_EXEC_REGION": "eu-west-1"}, "eu-west-1 eu-west-1", id="our-variable"),
    ],
)
def test_region_is_what_was_asked_for_or_the_callers_or_the_profiles(
    world: World, options: tuple[str, ...], environ: dict[str, str], regions: str
) -> None:
    world.add_role("reader", mfa=False)
    done = world.run("reader", *options, "--", *SHOW_REGIONS, environ=environ)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().strip() == regions


@pytest.mark.parametrize(
    ("role", "regions"),
    [
        pytest.param("reader", b"\x20\n", id="profile"),
        pytest.param("222222222222/reader", b"eu-west-3 eu-west-3\n", id="bare-role"),
    ],
)
def test_region_of_the_source_profile_serves_only_a_role_without_a_profile(
    world: World, role: str, regions: bytes
) -> None:
    arn = world.aws.add_role("reader", trust=[world.user.arn]).arn
    world.write_config(
        f"[profile gds-users]\nregion = eu-west-3\n"
        f"[profile reader]\nrole_arn = {arn}\nsource_profile = gds-users\n"
    )
    assert world.run(role, "--", *SHOW_REGIONS).stdout == regions
    assert len(session_names(world.aws)) == 1
