"""A profile that `--write-profile` wrote holds a copied session. Nothing starts from it."""

from pathlib import Path

import pytest

from gds_exec.config.aws_files import WRITTEN_FOR, AwsFiles, read_aws_files
from gds_exec.config.profiles import find_base, find_profile, profile_names
from gds_exec.config.sources import CredentialProcess, StoredKeys
from gds_exec.errors import BrokenProfile, CopiedSession, NoAccessKey, UnknownRole

ARN = "arn:aws:iam::123456789012:role/"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEYS = f"aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n"
BASE = f"[base]\n{KEYS}"
SESSION = (
    f"aws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\naws_session_token = T\n"
)
NO_INSTANCE = {"AWS_EC2_METADATA_DISABLED": "true"}
PROD = f"[profile prod]\nrole_arn = {ARN}prod\nsource_profile = base\n"


def copy(name: str, role: str = "prod", *more: str) -> str:
    return "\n".join((f"[{name}]", f"{WRITTEN_FOR} = {role}", SESSION, *more, ""))


def from_copy(name: str, source: str = "tmp", *more: str) -> str:
    return "\n".join(
        (f"[profile {name}]", f"role_arn = {ARN}{name}", f"source_profile = {source}", *more, "")
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    return tmp_path


def write(home: Path, *, config: str = "", credentials: str = "") -> AwsFiles:
    for name, text in (("config", config), ("credentials", credentials)):
        path = home / ".aws" / name
        path.write_text(text)
        path.chmod(0o600)
    return read_aws_files({}, home=str(home))


@pytest.mark.parametrize(
    ("config", "credentials", "environ"),
    [
        pytest.param(PROD, copy("tmp") + BASE, {}, id="beside the only keys"),
        pytest.param(PROD, copy("default") + BASE, {}, id="as the default profile"),
        pytest.param(
            f"{PROD}[default]\nregion = x\n",
            copy("default") + BASE,
            {},
            id="as the default profile, which has a region too",
        ),
        pytest.param(PROD, copy("default") + copy("tmp", "other") + BASE, {}, id="twice"),
        pytest.param(PROD, copy("tmp") + BASE, {"AWS_PROFILE": "base"}, id="beside the keys that are named"),
        pytest.param(f"{PROD}[profile tmp]\n{WRITTEN_FOR} = prod\n{SESSION}", BASE, {}, id="moved by hand"),
    ],
)
@pytest.mark.parametrize("role", [f"{ARN}x", "123456789012/x", "prod"])
def test_a_copy_is_not_taken_for_the_persons_own_keys(
    home: Path, config: str, credentials: str, environ: dict[str, str], role: str
) -> None:
    files = write(home, config=config, credentials=credentials)

    assert find_base(files, environ=environ).source.profile_name == "base"
    assert find_profile(files, role, environ=environ).source.profile_name == "base"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(
            "[default]\ncredential_process = p\n", CredentialProcess("default", "p"), id="credential_process"
        ),
        pytest.param(
            f"[default]\n{KEYS}", StoredKeys("default", "AKIAIOSFODNN7EXAMPLE", SECRET), id="access keys"
        ),
    ],
)
def test_what_the_person_has_in_the_config_file_stays_the_base(
    home: Path, config: str, expected: object
) -> None:
    files = write(home, config=config, credentials=copy("default"))

    assert find_base(files, environ={}).source == expected


def test_a_role_in_the_config_file_is_run_as_that_file_says(home: Path) -> None:
    files = write(home, config=PROD, credentials=BASE + copy("prod", "prod", "source_profile = prod"))

    profile = find_profile(files, "prod", environ={})

    assert [role.role_arn for role in profile.roles] == [f"{ARN}prod"]
    assert profile.source == StoredKeys("base", "AKIAIOSFODNN7EXAMPLE", SECRET)


@pytest.mark.parametrize(
    ("config", "credentials", "role", "hint"),
    [
        pytest.param(PROD, copy("tmp"), "tmp", "gds-exec prod -- COMMAND", id="of a profile"),
        pytest.param("", copy("tmp", f"{ARN}x"), "tmp", f"gds-exec {ARN}x -- COMMAND", id="of an ARN"),
        pytest.param("", copy("tmp", "1/x"), "tmp", "gds-exec 1/x -- COMMAND", id="of ACCOUNT/ROLE"),
        pytest.param("", copy("tmp", "my role"), "tmp", "gds-exec 'my role' -- COMMAND", id="quoted"),
        pytest.param(
            "",
            copy("tmp", "sessions"),
            "tmp",
            "gds-exec --role sessions -- COMMAND",
            id="named as a subcommand",
        ),
        pytest.param(
            PROD, copy("tmp") + copy("a", "tmp"), "a", "gds-exec prod -- COMMAND", id="of another copy"
        ),
        pytest.param(
            PROD,
            copy("prod", "x") + copy("tmp"),
            "tmp",
            "gds-exec prod -- COMMAND",
            id="of a role with a copy",
        ),
        pytest.param("", copy("tmp", "tmp"), "tmp", "gds-exec ROLE -- COMMAND", id="of itself"),
        pytest.param("", copy("tmp", ""), "tmp", "gds-exec ROLE -- COMMAND", id="of nothing"),
        pytest.param(
            "", copy("tmp", "a") + copy("a", "tmp"), "tmp", "gds-exec ROLE -- COMMAND", id="of one another"
        ),
        pytest.param(
            f"{PROD}[profile tmp]\nregion = x\n",
            copy("tmp"),
            "tmp",
            "gds-exec prod -- COMMAND",
            id="with a region in the config file",
        ),
        pytest.param(
            PROD,
            copy("tmp", "prod", f"role_arn = {ARN}x", "source_profile = base") + BASE,
            "tmp",
            "gds-exec prod -- COMMAND",
            id="with a role in the copy itself",
        ),
        pytest.param("", copy("1/x", "prod"), "1/x", "gds-exec prod -- COMMAND", id="named as another role"),
    ],
)
def test_a_copy_is_refused_as_a_role_and_the_error_names_the_role(
    home: Path, config: str, credentials: str, role: str, hint: str
) -> None:
    files = write(home, config=config, credentials=credentials)

    with pytest.raises(CopiedSession) as refusal:
        find_profile(
            files, role, environ={"CI": "true", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "b"}
        )

    assert refusal.value.message.startswith(f"profile '{role}' holds a copied session")
    assert f"{home}/.aws/credentials, line " in refusal.value.message
    assert refusal.value.hint == f"use the role itself: {hint}"


def test_the_message_names_the_role_and_the_mark(home: Path) -> None:
    files = write(home, config=PROD, credentials=BASE + copy("tmp"))

    with pytest.raises(CopiedSession) as refusal:
        find_profile(files, "tmp", environ={})

    place = f"{home}/.aws/credentials, line 5: gds_exec_written_for"
    assert refusal.value.message == f"profile 'tmp' holds a copied session of prod ({place})"


def test_a_copy_that_is_named_after_its_role_means_the_role(home: Path) -> None:
    role = "123456789012/audit"
    files = write(home, credentials=BASE + copy(role, role))

    profile = find_profile(files, role, environ={})

    assert (profile.source.profile_name, profile.roles[0].role_arn) == ("base", f"{ARN}audit")


@pytest.mark.parametrize(
    ("config", "role", "asked", "words", "hint"),
    [
        pytest.param(
            PROD + from_copy("app"),
            "app",
            {},
            "profile 'app' takes its keys from 'tmp', which holds a copied session of prod",
            "use the profile 'prod' or a profile with keys of your own as the source_profile",
            id="source_profile",
        ),
        pytest.param(
            from_copy("app"),
            "app",
            {},
            "profile 'app' takes its keys from 'tmp', which holds a copied session of prod",
            "use a profile with keys of your own as the source_profile",
            id="source_profile, and the copied role is not a profile",
        ),
        pytest.param(
            PROD + from_copy("app", "hub") + from_copy("hub"),
            "app",
            {},
            "(app → hub → tmp)",
            None,
            id="source_profile of a source_profile",
        ),
        pytest.param(
            PROD + from_copy("tmp"),
            "tmp",
            {},
            "profile 'tmp' takes its keys from 'tmp', which holds a copied session of prod",
            None,
            id="a role whose source is the copy beside it",
        ),
        pytest.param(
            PROD,
            "prod",
            {"source_profile": "tmp"},
            "profile 'prod' takes its keys from 'tmp', which holds a copied session",
            None,
            id="--source-profile for a profile",
        ),
        pytest.param(
            PROD,
            f"{ARN}x",
            {"source_profile": "tmp"},
            "--source-profile names profile 'tmp', which holds a copied session of prod",
            "name a profile with keys of your own",
            id="--source-profile for an ARN",
        ),
        *(
            pytest.param(
                PROD,
                role,
                {"environ": {variable: "tmp"}},
                f"{variable} names profile 'tmp', which holds a copied session of prod",
                f"unset {variable}, or name a profile with keys of your own: --source-profile NAME",
                id=f"{variable} for {role}",
            )
            for variable in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
            for role in (f"{ARN}x", "123456789012/x")
        ),
    ],
)
@pytest.mark.parametrize("place", [{}, {"CI": "true"}], ids=["here", "in CI"])
def test_a_copy_is_refused_as_a_source_and_the_error_names_the_mark(
    home: Path,
    config: str,
    role: str,
    asked: dict[str, object],
    words: str,
    hint: str | None,
    place: dict[str, str],
) -> None:
    files = write(home, config=config, credentials=BASE + copy("tmp"))

    with pytest.raises(CopiedSession) as refusal:
        find_profile(files, role, **{**asked, "environ": {**place, **asked.get("environ", {})}})

    assert words in refusal.value.message
    assert f"{home}/.aws/credentials, line 5: {WRITTEN_FOR}" in refusal.value.message
    assert hint is None or refusal.value.hint == hint


def test_a_variable_that_names_a_copy_does_not_matter_to_a_role_with_a_source_of_its_own(home: Path) -> None:
    files = write(home, config=PROD, credentials=BASE + copy("tmp"))

    assert find_profile(files, "prod", environ={"AWS_PROFILE": "tmp"}).source.profile_name == "base"


def test_if_there_are_only_copies_the_error_says_that_they_do_not_count(home: Path) -> None:
    files = write(home, config=PROD, credentials=copy("tmp") + copy("default"))

    with pytest.raises(NoAccessKey) as refusal:
        find_base(files, environ=NO_INSTANCE)

    assert refusal.value.message == (
        "no profile has access keys; copied sessions do not count: 'default', 'tmp'"
    )


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(PROD, ["base", "prod"], id="alone"),
        pytest.param(f"{PROD}[profile tmp]\nregion = x\n", ["base", "prod"], id="with other settings"),
        pytest.param(PROD + from_copy("tmp", "base"), ["base", "prod", "tmp"], id="beside a role"),
    ],
)
def test_a_copy_is_not_among_the_roles_to_run(home: Path, config: str, expected: list[str]) -> None:
    files = write(home, config=config, credentials=BASE + copy("tmp"))

    assert profile_names(files) == expected


def test_a_copy_is_not_suggested_for_an_unknown_name(home: Path) -> None:
    files = write(home, credentials=copy("work"))

    with pytest.raises(UnknownRole) as refusal:
        find_profile(files, "wrok", environ={})

    assert "work" not in (refusal.value.hint or "")
    assert "no profile in" not in (refusal.value.hint or "")


def test_a_mark_that_is_a_block_of_settings_is_refused_with_its_place(home: Path) -> None:
    files = write(home, credentials=f"[tmp]\n{WRITTEN_FOR} =\n  a = b\n{KEYS}")

    with pytest.raises(BrokenProfile, match="line 2: gds_exec_written_for is a block"):
        find_profile(files, "tmp", environ={})
