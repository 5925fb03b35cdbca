"""Names become complete profiles by botocore's rules, and what does not lead to keys is refused in words."""

import os
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import botocore.credentials
import botocore.exceptions
import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gds_exec import errors
from gds_exec.config.aws_files import AwsFiles, read_aws_files
from gds_exec.config.profiles import (
    CredentialProcess,
    Profile,
    Role,
    StoredKeys,
    find_base,
    find_profile,
    profile_names,
)

ARN = "arn:aws:iam::123456789012:role/"
DEVICE = "arn:aws:iam::123456789012:mfa/"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEYS = f"aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n"
BASE = f"[gds-users]\n{KEYS}"


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".aws").mkdir()
    return tmp_path


def write(home, config, credentials) -> AwsFiles:
    for name, content in (("config", config), ("credentials", credentials)):
        path = home / ".aws" / name
        path.write_text(content)
        path.chmod(0o600)
    return read_aws_files({}, home=str(home))


def find(home, role, *, config="", credentials="", environ=None, source_profile=None) -> Profile:
    files = write(home, config, credentials)
    return find_profile(files, role, environ=environ or {}, source_profile=source_profile)


def role_profile(name, *settings, source="gds-users"):
    return "\n".join((f"[profile {name}]", f"role_arn = {ARN}{name}", f"source_profile = {source}", *settings, ""))


def stored(name):
    return StoredKeys(name, "AKIAIOSFODNN7EXAMPLE", SECRET)


def test_later_layout_is_found(home):
    config = role_profile(
        "team",
        f"mfa_serial = {DEVICE}alice",
        "mfa_process = ykman oath accounts code --single gds-users",
        "region = eu-west-1",
        "duration_seconds = 3600",
        "external_id = x:1",
        "role_session_name = alice",
        "ca_bundle = /ca.pem",
    )
    assert find(home, "team", config=config, credentials=BASE) == Profile(
        name="team",
        source=stored("gds-users"),
        roles=(Role(f"{ARN}team", "team", "x:1", "alice", 3600),),
        mfa_serial=f"{DEVICE}alice",
        mfa_process="ykman oath accounts code --single gds-users",
        region="eu-west-1",
        ca_bundle="/ca.pem",
        duration_seconds=3600,
    )


def test_original_layout_is_found(home):
    credentials = BASE + f"[team]\nsource_profile = gds-users\nrole_arn = {ARN}team\nmfa_serial = {DEVICE}a\n"
    profile = find(home, "team", credentials=credentials)
    assert (profile.roles, profile.source) == ((Role(f"{ARN}team", "team"),), stored("gds-users"))


def test_profile_with_keys_and_no_role_has_no_roles(home):
    profile = find(home, "gds-users", credentials=f"{BASE}mfa_serial = {DEVICE}a\naws_session_token = T\n")
    assert profile == Profile(
        name="gds-users",
        source=StoredKeys("gds-users", "AKIAIOSFODNN7EXAMPLE", SECRET, "T"),
        mfa_serial=f"{DEVICE}a",
        source_mfa_serial=f"{DEVICE}a",
    )


def test_credential_process_gives_the_keys(home):
    config = role_profile("team") + "[profile gds-users]\ncredential_process = aws-vault export gds-users\n"
    assert find(home, "team", config=config).source == CredentialProcess("gds-users", "aws-vault export gds-users")


@pytest.mark.parametrize(
    ("config", "credentials", "expected"),
    [
        pytest.param("credential_process = p\n", KEYS, StoredKeys, id="credentials-file-before-process"),
        pytest.param(f"credential_process = p\n{KEYS}", "", CredentialProcess, id="process-before-config-file"),
        pytest.param(f"sso_session = s\n{KEYS}", "", StoredKeys, id="keys-before-half-an-sso-profile"),
        pytest.param("login_session = s\n", KEYS, StoredKeys, id="credentials-file-before-login"),
    ],
)
def test_keys_are_looked_for_in_botocores_order(home, config, credentials, expected):
    profile = find(home, "x", config=f"[profile x]\n{config}", credentials=f"[x]\n{credentials}")
    assert type(profile.source) is expected


def test_chain_assumes_from_the_keys_towards_the_wanted_role(home):
    config = (
        role_profile("c", "duration_seconds = 1800", source="b")
        + role_profile("b", "region = eu-west-2", "mfa_process = code", f"mfa_serial = {DEVICE}far", source="a")
        + role_profile("a", f"mfa_serial = {DEVICE}near", "region = eu-west-3")
    )
    profile = find(home, "c", config=config, credentials=f"{BASE}mfa_serial = {DEVICE}source\n")
    assert [role.role_arn for role in profile.roles] == [f"{ARN}a", f"{ARN}b", f"{ARN}c"]
    assert (profile.mfa_serial, profile.source_mfa_serial) == (f"{DEVICE}near", f"{DEVICE}source")
    assert (profile.region, profile.mfa_process, profile.duration_seconds) == ("eu-west-2", "code", 1800)


def test_device_beside_the_keys_is_not_taken_for_a_role_but_remembered(home):
    profile = find(home, "team", config=role_profile("team"), credentials=f"{BASE}mfa_serial = {DEVICE}a\n")
    assert (profile.mfa_serial, profile.source_mfa_serial) == (None, f"{DEVICE}a")


def test_unusable_device_beside_the_keys_does_not_spoil_a_role_that_does_not_need_it(home):
    credentials = f"{BASE}mfa_serial = arn:aws:iam::123456789012:user/a\n"
    assert find(home, "team", config=role_profile("team"), credentials=credentials).source_mfa_serial is None


def test_nothing_is_inherited_from_default(home):
    config = f"[default]\nregion = eu-west-1\nmfa_serial = {DEVICE}a\nendpoint_url = http://x\n" + role_profile("team")
    profile = find(home, "team", config=config, credentials=BASE)
    assert (profile.region, profile.mfa_serial, profile.sts_endpoint_url) == (None, None, None)


def test_source_profile_that_is_asked_for_replaces_the_profiles_own(home):
    config = f"[profile team]\nrole_arn = {ARN}team\ncredential_source = Environment\n" + role_profile("team2")
    credentials = BASE + f"[other]\n{KEYS}"
    for name in ("team", "team2"):
        profile = find(home, name, config=config, credentials=credentials, source_profile="other")
        assert profile.source == stored("other")


def test_source_profile_that_is_asked_for_does_not_change_a_profile_without_a_role(home):
    credentials = BASE + f"[other]\n{KEYS}"
    assert find(home, "gds-users", credentials=credentials, source_profile="other").source == stored("gds-users")


# ── the same chain as botocore ──


@dataclass
class RecordingSts:
    """Answers each AssumeRole with a key id that tells the whole way: `key > arn > arn`."""

    key: str
    calls: list[dict[str, object]] = field(default_factory=list)

    def assume_role(self, **request):
        self.calls.append({key: request.get(key) for key in ("RoleArn", "ExternalId", "DurationSeconds")})
        expiration = datetime.now(UTC) + timedelta(hours=1)
        key = f"{self.key} > {request['RoleArn']}"
        return {
            "Credentials": {
                "AccessKeyId": key, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": expiration
            },
            "AssumedRoleUser": {"Arn": "arn:aws:sts::123456789012:assumed-role/x/y"},
        }  # fmt: skip


def way_by_botocore(home, name) -> str:
    session = botocore.session.Session()
    session.set_config_variable("config_file", str(home / ".aws/config"))
    session.set_config_variable("credentials_file", str(home / ".aws/credentials"))
    builder = botocore.credentials.ProfileProviderBuilder(session)
    roles = botocore.credentials.AssumeRoleProvider(
        load_config=lambda: session.full_config,
        client_creator=lambda service, **keys: RecordingSts(keys["aws_access_key_id"]),
        cache={},
        profile_name=name,
        profile_provider_builder=builder,
    )
    resolver = botocore.credentials.CredentialResolver([roles, *builder.providers(name, disable_env_vars=True)])
    found = resolver.load_credentials()
    return found.get_frozen_credentials().access_key if found else "nothing"


def way(home, name) -> str:
    files = read_aws_files({}, home=str(home))
    try:
        profile = find_profile(files, name, environ={})
    except errors.NoAccessKey:
        return "nothing"
    return " > ".join((profile.source.access_key_id, *(role.role_arn for role in profile.roles)))


NAMES = ("a", "b", "c", "d")
profiles = st.fixed_dictionaries(
    {},
    optional={
        "role_arn": st.sampled_from([f"{ARN}r{number}" for number in range(3)]),
        "source_profile": st.sampled_from((*NAMES, "missing")),
        "duration_seconds": st.sampled_from(("3600", "1h")),
    },
)
keys = st.sampled_from(((), (), ("aws_access_key_id", "aws_secret_access_key"), ("aws_access_key_id",)))
layouts = st.dictionaries(st.sampled_from(NAMES), st.tuples(profiles, keys, keys), min_size=2)


def config_text(layout):
    for name, (values, config_keys, _) in layout.items():
        yield f"[profile {name}]"
        yield from (f"{key} = {value}" for key, value in values.items())
        yield from (f"{key} = config-{name}" for key in config_keys)


def credentials_text(layout):
    for name, (_, _, credentials_keys) in layout.items():
        yield from (f"[{name}]", *(f"{key} = credentials-{name}" for key in credentials_keys))


@given(layouts)
@settings(max_examples=150, deadline=None)
def test_every_chain_leads_where_botocore_leads_or_is_refused_by_both(layout):
    """Matrix 119."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / ".aws").mkdir()
        write(home, "\n".join(config_text(layout)), "\n".join(credentials_text(layout)))
        for name in layout:
            try:
                expected = way_by_botocore(home, name)
            except botocore.exceptions.InvalidConfigError as error:
                assert "must have credentials" in str(error) or isinstance(error, Exception)
                expected = None
            except botocore.exceptions.PartialCredentialsError:
                expected = None
            except botocore.exceptions.InfiniteLoopConfigError:
                expected = None
            if expected is None:
                with pytest.raises((errors.BrokenProfile, errors.NoAccessKey)):
                    find_profile(read_aws_files({}, home=directory), name, environ={})
            else:
                assert way(home, name) == expected
