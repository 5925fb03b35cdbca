"""Every setting of a run is traced to the line, the variable or the option that set it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gds_exec.cli.commands.explain import as_said, settings_of
from gds_exec.cli.runtime import put_together
from gds_exec.config.provenance import NOT_SHOWN, OPTION, Setting
from gds_exec.invocation import Invocation

ARN = "arn:aws:iam::222222222222:role/"
DEVICE = "arn:aws:iam::111111111111:mfa/alice"
KEYS = """[gds-users]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = a-secret
"""
CONFIG = f"""[profile prod]
role_arn = {ARN}prod
source_profile = gds-users
mfa_serial = {DEVICE}
region = eu-west-2
duration_seconds = 7200
role_session_name = alice
external_id = ab:cd
gds_exec_min_remaining = 15m
gds_exec_mfa_max_age = 30m
gds_exec_refresh = true
mfa_process = print-a-secret-seed

[profile inner]
role_arn = {ARN}inner
source_profile = prod
"""


class Home:
    def __init__(self, path: Path) -> None:
        self.path = path
        (path / ".aws").mkdir()
        self.write(config=CONFIG, credentials=KEYS)

    @property
    def config(self) -> str:
        return str(self.path / ".aws" / "config")

    @property
    def credentials(self) -> str:
        return str(self.path / ".aws" / "credentials")

    def write(self, **contents: str) -> None:
        for name, content in contents.items():
            (self.path / ".aws" / name).write_text(content)

    def trace(
        self, role: str, environ: dict[str, str] | None = None, **asked: Any
    ) -> dict[str, list[Setting]]:
        """All settings of a run, by their names: in a chain there may be several of one name."""
        environ = {"HOME": str(self.path), "GDS_EXEC_CACHE_DIR": str(self.path / "cache"), **(environ or {})}
        (self.path / "token").write_text("e30.e30.e30")
        run = put_together(Invocation(role=role, **asked), environ, open_terminal=lambda: None)
        found: dict[str, list[Setting]] = {}
        for setting in settings_of(run, run.provider.outlook()):
            found.setdefault(setting.name, []).append(setting)
        return found

    def one(
        self, name: str, role: str = "prod", environ: dict[str, str] | None = None, **asked: Any
    ) -> tuple[str, str]:
        """The value of the only setting of that name, and what set it."""
        (setting,) = self.trace(role, environ, **asked)[name]
        return setting.text, setting.origin.replace(f"{self.path}/", "")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)  # where relative paths lead to
    return Home(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("role_arn", f"{ARN}prod", 2),
        ("source_profile", "gds-users", 3),
        ("mfa_serial", DEVICE, 4),
        ("region", "eu-west-2", 5),
        ("duration", "2h", 6),
        ("role_session_name", "alice", 7),
        ("external_id", "ab:cd", 8),
        ("min_remaining", "15m", 9),
        ("mfa_max_age", "30m", 10),
        ("refresh", "yes", 11),
    ],
    ids=str,
)
def test_what_the_profile_says_is_traced_to_its_line(home: Home, name: str, value: str, line: int) -> None:
    assert home.one(name) == (value, f".aws/config, line {line}")


@pytest.mark.parametrize(
    ("name", "asked", "value"),
    [
        ("duration", {"duration_seconds": 28800}, "8h"),
        ("min_remaining", {"min_remaining_seconds": 600}, "10m"),
        ("mfa_max_age", {"mfa_max_age_seconds": 900}, "15m"),
        ("region", {"region": "us-east-1"}, "us-east-1"),
        ("refresh", {"refresh": True}, "yes"),
        ("session_name", {"session_name": "ci-1"}, "ci-1"),
        ("new_session", {"new_session": True}, "yes"),
        ("no_input", {"no_input": True}, "yes"),
        ("wait", {"wait_seconds": 10}, "10s"),
        ("mfa_code", {"mfa_code": "123456"}, NOT_SHOWN),
        ("expect_account", {"expect_account": "222222222222"}, "222222222222"),
        ("timeout", {"timeout_seconds": 90}, "1m30s"),
        ("source", {"source": "profile"}, "profile"),
        ("audience", {"audience": "ours"}, "ours"),
        ("cache", {"cache": True}, "yes"),
        ("ci_tags", {"ci_tags": True}, "yes"),
        ("pass_id_token", {"pass_id_token": True}, "yes"),
    ],
    ids=str,
)
def test_what_was_asked_for_is_traced_to_its_option_or_to_the_variable_that_says_the_same(
    home: Home, name: str, asked: dict[str, Any], value: str
) -> None:
    option = "--" + name.replace("_", "-")
    variable = "GDS_EXEC_" + name.upper()
    spoken = "1" if value == "yes" else str(next(iter(asked.values())))

    assert home.one(name, **asked) == (value, option)
    assert home.one(name, environ={variable: spoken}, **asked) == (value, variable)
    assert home.one(name, environ={variable: "0"}, **asked) == (value, option)


def test_an_option_takes_the_place_of_what_the_profile_says(home: Home) -> None:
    home.write(credentials=KEYS + KEYS.replace("gds-users", "other"))

    found = home.trace("prod", source_profile="other", session_name="ci-1")

    assert [setting.origin for setting in found["source_profile"]] == ["--source-profile"]
    assert "role_session_name" not in found
    assert found["aws_access_key_id"][0].origin == f"{home.credentials}, line 5"


def test_each_role_of_a_chain_is_traced_to_its_own_profile(home: Home) -> None:
    found = home.trace("inner")

    assert [(setting.value, setting.line) for setting in found["role_arn"]] == [
        (f"{ARN}inner", 15),
        (f"{ARN}prod", 2),
    ]
    assert [setting.value for setting in found["source_profile"]] == ["prod", "gds-users"]
    assert found["mfa_serial"][0].line == 4


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_caller_s_region_goes_before_the_profile_s(home: Home, variable: str) -> None:
    assert home.one("region", environ={variable: "eu-west-1"}) == ("eu-west-1", variable)


def test_what_nothing_sets_is_our_own_default(home: Home) -> None:
    assert home.one("duration", "inner") == ("1h", "default")
    assert home.one("region", "inner") == ("none", "default")


@pytest.mark.parametrize(
    ("environ", "asked", "origin"),
    [
        pytest.param({}, {}, "default", id="the only profile with keys"),
        pytest.param({"AWS_PROFILE": "gds-users"}, {}, "AWS_PROFILE", id="AWS_PROFILE"),
        pytest.param(
            {"AWS_PROFILE": "prod", "AWS_DEFAULT_PROFILE": "gds-users"}, {}, "AWS_DEFAULT_PROFILE", id="both"
        ),
        pytest.param(
            {"AWS_PROFILE": "prod"}, {"source_profile": "gds-users"}, "--source-profile", id="option"
        ),
    ],
)
def test_a_role_without_a_profile_says_whose_keys_it_begins_with(
    home: Home, environ: dict[str, str], asked: dict[str, Any], origin: str
) -> None:
    assert home.one("role_arn", f"{ARN}bare", environ, **asked) == (f"{ARN}bare", "the command line")
    assert home.one("source_profile", f"{ARN}bare", environ, **asked) == ("gds-users", origin)


def test_of_an_access_key_the_last_four_are_told_and_the_file(home: Home) -> None:
    assert home.one("aws_access_key_id") == ("…MPLE", ".aws/credentials, line 2")


def test_helper_commands_are_not_told(home: Home) -> None:
    home.write(credentials="", config=CONFIG + "[profile gds-users]\ncredential_process = print a-secret\n")

    assert home.one("credential_process") == (NOT_SHOWN, ".aws/config, line 18")
    assert home.one("mfa_process") == (NOT_SHOWN, ".aws/config, line 12")


def test_where_codes_come_from_may_be_said_by_variables(home: Home) -> None:
    environ = {"GDS_EXEC_MFA_SOURCE": "ykman,terminal", "GDS_EXEC_YKMAN_ACCOUNT": "gds"}

    assert home.one("mfa_source", environ=environ) == ("ykman,terminal", "GDS_EXEC_MFA_SOURCE")
    assert home.one("ykman_account", environ=environ) == ("gds", "GDS_EXEC_YKMAN_ACCOUNT")


SERVICES = "services = ours\n[services ours]\nsts =\n  endpoint_url = https://a\n"


@pytest.mark.parametrize(
    ("environ", "setting", "value", "origin"),
    [
        pytest.param(
            {"AWS_ENDPOINT_URL_STS": "https://s", "AWS_ENDPOINT_URL": "https://e"},
            "",
            "https://s",
            "AWS_ENDPOINT_URL_STS",
            id="variable of the service",
        ),
        pytest.param({"AWS_ENDPOINT_URL": "https://e"}, "", "https://e", "AWS_ENDPOINT_URL", id="variable"),
        pytest.param({}, SERVICES, "https://a", ".aws/config, line 6", id="services section"),
        pytest.param(
            {}, "endpoint_url = https://p\n", "https://p", ".aws/config, line 4", id="the profile's own"
        ),
    ],
)
def test_an_endpoint_is_traced_by_the_rules_that_found_it(
    home: Home, environ: dict[str, str], setting: str, value: str, origin: str
) -> None:
    home.write(config=f"[profile prod]\nrole_arn = {ARN}prod\nsource_profile = gds-users\n{setting}")

    assert home.one("sts_endpoint_url", environ=environ) == (value, origin)


def test_certificates_are_traced_to_the_variable_or_the_profile(home: Home) -> None:
    ours, theirs = (str(home.path / name) for name in ("ours.pem", "theirs.pem"))
    for bundle in (ours, theirs):
        Path(bundle).touch()
    home.write(config=CONFIG.replace("region = eu-west-2", f"ca_bundle = {ours}"))

    assert home.one("ca_bundle") == (ours, ".aws/config, line 5")
    assert home.one("ca_bundle", environ={"AWS_CA_BUNDLE": theirs}) == (theirs, "AWS_CA_BUNDLE")


def test_the_files_themselves_say_what_named_them(home: Home) -> None:
    environ = {"AWS_SHARED_CREDENTIALS_FILE": home.credentials}

    assert home.one("config_file", environ=environ) == (home.config, "default")
    assert home.one("credentials_file", environ=environ) == (home.credentials, "AWS_SHARED_CREDENTIALS_FILE")


def test_the_account_that_a_profile_expects_is_traced_to_its_line(home: Home) -> None:
    home.write(config=CONFIG.replace("region = eu-west-2", "gds_exec_expect_account = 222222222222"))

    assert home.one("expect_account") == ("222222222222", ".aws/config, line 5")
    assert home.one("expect_account", expect_account="222222222222") == ("222222222222", "--expect-account")


TOKEN = {"AWS_WEB_IDENTITY_TOKEN_FILE": "token"}
OWN = {"AWS_ROLE_ARN": f"{ARN}ci"}


def roles_told(home: Home, role: str, environ: dict[str, str]) -> list[tuple[str, str]]:
    found = home.trace(role, environ).get("role_arn", [])
    return [(setting.value.removeprefix(ARN), setting.origin.rpartition("/")[2]) for setting in found]


@pytest.mark.parametrize(
    ("role", "environ", "told"),
    [
        pytest.param(
            f"{ARN}bare",
            TOKEN | OWN,
            [("bare", "the command line"), ("ci", "AWS_ROLE_ARN")],
            id="a token of another role",
        ),
        pytest.param(f"{ARN}ci", TOKEN | OWN, [("ci", "the command line")], id="a token of this role"),
        pytest.param(f"{ARN}bare", TOKEN, [("bare", "the command line")], id="a token of no role"),
        pytest.param("prod", {"AWS_ROLE_ARN": f"{ARN}prod"}, [("prod", "config, line 2")], id="no token"),
        pytest.param(
            "inner",
            {"AWS_ROLE_ARN": f"{ARN}prod"},
            [("inner", "config, line 15"), ("prod", "config, line 2")],
            id="no token, and a chain that begins with that role",
        ),
    ],
)
def test_the_role_of_a_token_is_told_where_it_comes_between(
    home: Home, role: str, environ: dict[str, str], told: list[tuple[str, str]]
) -> None:
    assert roles_told(home, role, environ) == told


@pytest.mark.parametrize(
    ("role", "asked", "told"),
    [
        pytest.param("inner", {}, ["config, line 7", "AWS_ROLE_SESSION_NAME"], id="one of two is named"),
        pytest.param("prod", {}, ["config, line 7"], id="the profile has a name"),
        pytest.param(f"{ARN}bare", {}, ["AWS_ROLE_SESSION_NAME"], id="no profile"),
        pytest.param(f"{ARN}bare", {"session_name": "ci-1"}, [], id="an option has a name"),
    ],
)
def test_the_variable_that_names_sessions_is_told_where_it_names_one(
    home: Home, role: str, asked: dict[str, Any], told: list[str]
) -> None:
    found = home.trace(role, {"AWS_ROLE_SESSION_NAME": "job"}, **asked).get("role_session_name", [])

    assert [setting.origin.rpartition("/")[2] for setting in found] == told


def test_the_keys_source_of_a_profile_is_traced_to_its_line(home: Home) -> None:
    home.write(config=f"[profile prod]\nrole_arn = {ARN}prod\ncredential_source = Ec2InstanceMetadata\n")

    assert home.one("credential_source") == ("Ec2InstanceMetadata", ".aws/config, line 3")


@pytest.mark.parametrize(
    ("name", "value", "spoken", "is_variable"),
    [
        pytest.param("source", "github", "github", True, id="the same text"),
        pytest.param("source", "github", "container", False, id="another text"),
        pytest.param("duration", 3600, "60m", True, id="the same time in other words"),
        pytest.param("duration", 3600, "soon", False, id="no time"),
        pytest.param("refresh", True, "1", True, id="a truth"),
        pytest.param("refresh", True, "yes", True, id="a truth in a word"),
        pytest.param("refresh", True, "off", False, id="an untruth"),
        pytest.param("refresh", True, "", False, id="nothing"),
        pytest.param("policy", "{}", "policy.json", True, id="a policy in a file"),
        pytest.param(
            "web-identity-token-file", "/ours", "/ours", True, id="a token in a file that our variable names"
        ),
        pytest.param("tag", "a=b", "c=d a=b", True, id="one of several tags"),
        pytest.param("tag", "a=b", "c=d", False, id="no tag"),
    ],
)
def test_an_option_is_the_variable_s_where_that_says_the_same(
    name: str, value: object, spoken: str, is_variable: bool
) -> None:
    setting = Setting(name, value, OPTION, f"--{name}")
    variable = f"GDS_EXEC_{name.upper().replace('-', '_')}"

    found = as_said(setting, {variable: spoken})

    assert found.origin == (variable if is_variable else f"--{name}")


def test_the_variable_of_a_token_s_role_is_told_if_it_decides_where_the_chain_begins(home: Home) -> None:
    found = home.trace("inner", TOKEN | {"AWS_ROLE_ARN": f"{ARN}prod"}, source="web-identity")

    assert ("AWS_ROLE_ARN", f"{ARN}prod") in [(one.origin, one.value) for one in found["role_arn"]]


def test_a_serial_is_traced_to_the_profile_that_is_nearest_to_the_keys(home: Home) -> None:
    inner = f"[profile inner]\nrole_arn = {ARN}inner\nsource_profile = prod\nmfa_serial = {DEVICE}\n"
    prod = f"[profile prod]\nrole_arn = {ARN}prod\ncredential_source = Environment\nmfa_serial = {DEVICE}\n"
    keys = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "a-secret"}
    home.write(config=inner + prod, credentials="")

    assert home.one("mfa_serial", "inner", keys) == (DEVICE, ".aws/config, line 8")


def test_the_settings_of_a_profile_with_keys_are_told_when_other_keys_are_used(home: Home) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "a-secret"}
    home.write(credentials=KEYS + "region = eu-west-2\n")

    assert home.one("region", "gds-users", keys, source="environment") == (
        "eu-west-2",
        ".aws/credentials, line 4",
    )


def test_a_default_profile_with_a_role_is_named_as_the_source(home: Home) -> None:
    home.write(config=f"[default]\nrole_arn = {ARN}def\nsource_profile = gds-users\n")

    found = home.trace(f"{ARN}bare")["source_profile"]

    assert [(one.value, one.origin.rpartition("/")[2]) for one in found] == [
        ("default", "default"),
        ("gds-users", "config, line 3"),
    ]
