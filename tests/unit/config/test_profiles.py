"""Names become complete profiles by botocore's rules, and what does not lead to keys is refused in words."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import botocore.credentials
import botocore.exceptions
import botocore.session
import pytest
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.utils import ensure_boolean
from hypothesis import given, settings
from hypothesis import strategies as st

from gds_exec import errors
from gds_exec.config.aws_files import AwsFiles, read_aws_files
from gds_exec.config.profiles import Profile, Role, find_base, find_profile, profile_names
from gds_exec.config.sources import (
    CONTAINER,
    ENVIRONMENT,
    GITHUB,
    INSTANCE,
    PROFILE,
    TOKEN_COMMAND,
    TOKEN_FILE,
    WEB_IDENTITY,
    ContainerRole,
    CredentialProcess,
    EnvironmentKeys,
    InstanceRole,
    StoredKeys,
    WantedSource,
    WebIdentityToken,
)
from gds_exec.options import OPTIONS
from gds_exec.redaction import show

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


def find(home, role, *, config="", credentials="", environ=None, **asked) -> Profile:
    files = write(home, config, credentials)
    return find_profile(files, role, environ=environ or {}, **asked)


def role_profile(name, *settings, source="gds-users"):
    return "\n".join(
        (f"[profile {name}]", f"role_arn = {ARN}{name}", f"source_profile = {source}", *settings, "")
    )


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
    assert find(home, "team", config=config).source == CredentialProcess(
        "gds-users", "aws-vault export gds-users"
    )


@pytest.mark.parametrize(
    ("config", "credentials", "expected"),
    [
        pytest.param("credential_process = p\n", KEYS, StoredKeys, id="credentials-file-before-process"),
        pytest.param(
            f"credential_process = p\n{KEYS}", "", CredentialProcess, id="process-before-config-file"
        ),
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
        + role_profile("b", "mfa_process = code", f"mfa_serial = {DEVICE}far", source="a")
        + role_profile("a", f"mfa_serial = {DEVICE}near")
    )
    profile = find(home, "c", config=config, credentials=f"{BASE}mfa_serial = {DEVICE}source\n")
    assert [role.role_arn for role in profile.roles] == [f"{ARN}a", f"{ARN}b", f"{ARN}c"]
    assert (profile.mfa_serial, profile.source_mfa_serial) == (f"{DEVICE}near", f"{DEVICE}source")
    assert (profile.mfa_process, profile.duration_seconds) == ("code", 1800)


@pytest.mark.parametrize(
    ("role", "region"),
    [
        pytest.param("with", "eu-west-1", id="its-own"),
        pytest.param("without", None, id="none-of-its-source"),
        pytest.param("empty", None, id="empty"),
        pytest.param("gds-users", "eu-west-3", id="of-keys"),
        pytest.param("123456789012/x", "eu-west-3", id="of-the-base-of-a-bare-role"),
    ],
)
def test_region_is_the_named_profiles_own_as_for_the_aws_cli(home, role, region):
    config = (
        role_profile("with", "region = eu-west-1")
        + role_profile("without")
        + role_profile("empty", "region =")
        + "[profile gds-users]\nregion = eu-west-3\n"
    )
    assert find(home, role, config=config, credentials=BASE).region == region


def test_region_of_a_bare_role_is_not_that_of_its_bases_source(home):
    config = role_profile("base") + "[profile gds-users]\nregion = eu-west-3\n"
    assert find(home, f"{ARN}x", config=config, credentials=BASE, source_profile="base").region is None


def test_device_beside_the_keys_is_not_taken_for_a_role_but_remembered(home):
    profile = find(home, "team", config=role_profile("team"), credentials=f"{BASE}mfa_serial = {DEVICE}a\n")
    assert (profile.mfa_serial, profile.source_mfa_serial) == (None, f"{DEVICE}a")


def test_unusable_device_beside_the_keys_does_not_spoil_a_role_that_does_not_need_it(home):
    credentials = f"{BASE}mfa_serial = arn:aws:iam::123456789012:user/a\n"
    assert find(home, "team", config=role_profile("team"), credentials=credentials).source_mfa_serial is None


def test_nothing_is_inherited_from_default(home):
    config = (
        f"[default]\nregion = eu-west-1\nmfa_serial = {DEVICE}a\nendpoint_url = http://x\n"
        + role_profile("team")
    )
    profile = find(home, "team", config=config, credentials=BASE)
    assert (profile.region, profile.mfa_serial, profile.sts_endpoint_url) == (None, None, None)


def test_source_profile_that_is_asked_for_replaces_the_profiles_own(home):
    config = f"[profile team]\nrole_arn = {ARN}team\ncredential_source = Environment\n" + role_profile(
        "team2"
    )
    credentials = BASE + f"[other]\n{KEYS}"
    for name in ("team", "team2"):
        profile = find(home, name, config=config, credentials=credentials, source_profile="other")
        assert profile.source == stored("other")


def test_source_profile_that_is_asked_for_does_not_change_a_profile_without_a_role(home):
    credentials = BASE + f"[other]\n{KEYS}"
    assert find(home, "gds-users", credentials=credentials, source_profile="other").source == stored(
        "gds-users"
    )


class NarratingSts:
    """Answers AssumeRole with a key id that tells the whole way: `key > arn > arn`."""

    def __init__(self, access_key_id):
        self.access_key_id = access_key_id

    def assume_role(self, **request):
        credentials = {
            "AccessKeyId": f"{self.access_key_id} > {request['RoleArn']} {request.get('DurationSeconds')}",
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": datetime.now(UTC) + timedelta(hours=1),
        }
        user = {"Arn": "arn:aws:sts::123456789012:assumed-role/x/y"}
        return {"Credentials": credentials, "AssumedRoleUser": user}


def way_by_botocore(home, name):
    session = botocore.session.Session()
    session.set_config_variable("config_file", str(home / ".aws/config"))
    session.set_config_variable("credentials_file", str(home / ".aws/credentials"))
    builder = botocore.credentials.ProfileProviderBuilder(session)
    roles = botocore.credentials.AssumeRoleProvider(
        load_config=lambda: session.full_config,
        client_creator=lambda service, **keys: NarratingSts(keys["aws_access_key_id"]),
        cache={},
        profile_name=name,
        profile_provider_builder=builder,
    )
    resolver = botocore.credentials.CredentialResolver(
        [roles, *builder.providers(name, disable_env_vars=True)]
    )
    try:
        found = resolver.load_credentials()
    except (botocore.exceptions.InvalidConfigError, botocore.exceptions.PartialCredentialsError):
        return "refused"
    return found.get_frozen_credentials().access_key if found else "refused"


def way(home, name):
    try:
        profile = find_profile(read_aws_files({}, home=str(home)), name, environ={})
    except (errors.BrokenProfile, errors.NoAccessKey):
        return "refused"
    hops = (f"{role.role_arn} {role.duration_seconds}" for role in profile.roles)
    return " > ".join((profile.source.access_key_id, *hops))


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
def test_every_chain_leads_where_botocores_leads_or_is_refused_by_both(layout):
    """Matrix 119."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / ".aws").mkdir()
        write(home, "\n".join(config_text(layout)), "\n".join(credentials_text(layout)))
        for name in layout:
            assert way(home, name) == way_by_botocore(home, name)


SELF = role_profile("a", source="a")
NEITHER = f"[profile a]\nrole_arn = {ARN}a\n"
VAULT = "aws-vault export --format=json --no-session"


@pytest.mark.parametrize(
    ("config", "error", "message", "hint"),
    [
        pytest.param(
            role_profile("a", source="b") + role_profile("b", source="a"),
            errors.BrokenProfile,
            "profile 'a' never reaches access keys (a → b → a)",
            "let 'b' name a source_profile that has keys",
            id="119-circle",
        ),
        pytest.param(
            SELF,
            errors.BrokenProfile,
            "profile 'a' never reaches access keys (a → a)",
            "let 'a' name a source_profile that has keys",
            id="119-itself-without-keys",
        ),
        pytest.param(
            role_profile("a", source="b") + role_profile("b", source="c"),
            errors.BrokenProfile,
            "profile 'b' takes its keys from 'c', which does not exist (a → b → c)",
            f"add [profile c] with credential_process = {VAULT} c",
            id="119-missing-source",
        ),
        pytest.param(
            role_profile("a", source="gds-user") + "[profile gds-users]\n",
            errors.BrokenProfile,
            "profile 'a' takes its keys from 'gds-user', which does not exist (a → gds-user)",
            "did you mean 'gds-users'?",
            id="119-misspelt-source",
        ),
        pytest.param(
            role_profile("a", source="my base") + f"[profile my base]\n{KEYS}",
            errors.BrokenProfile,
            "profile 'a' takes its keys from 'my base', which does not exist (a → my base)",
            "{home}/.aws/config, line 4: [profile my base] is not read as a profile: "
            'write [profile "my base"]',
            id="115-source-with-an-unquoted-space",
        ),
        pytest.param(
            role_profile("a", "credential_source = Environment", source="b"),
            errors.BrokenProfile,
            "profile 'a' has both source_profile and credential_source",
            "keep the one that its keys come from",
            id="119-both-sources",
        ),
        pytest.param(
            role_profile("a", source="c") + f"[profile c]\nrole_arn = {ARN}c\n",
            errors.BrokenProfile,
            "profile 'c' has neither source_profile nor credential_source (a → c)",
            "add source_profile = NAME, where NAME is the profile with the access keys",
            id="119-neither-source",
        ),
        pytest.param(
            NEITHER + KEYS,
            errors.BrokenProfile,
            "profile 'a' has neither source_profile nor credential_source",
            "to use the keys beside its role_arn, add: source_profile = a",
            id="119-keys-beside-the-role",
        ),
        pytest.param(
            f"{NEITHER}credential_source = Moon\n",
            errors.BrokenProfile,
            "profile 'a' has an unknown credential_source 'Moon'",
            "AWS knows Environment, Ec2InstanceMetadata, EcsContainer",
            id="119-unknown-credential-source",
        ),
        pytest.param(
            f"{NEITHER}credential_source = Environment\n",
            errors.NoAccessKey,
            "profile 'a' has credential_source = Environment, and there are no keys in the environment",
            None,
            id="credential-source",
        ),
        pytest.param(
            "[profile a]\naws_access_key_id = AKIA\n",
            errors.BrokenProfile,
            "{home}/.aws/config, line 2: profile 'a' has half an access key: no aws_secret_access_key",
            "both halves must stand in the same file",
            id="119-no-secret",
        ),
        pytest.param(
            f"{SELF}aws_secret_access_key = {SECRET}\n",
            errors.BrokenProfile,
            "{home}/.aws/config, line 4: profile 'a' has half an access key: no aws_access_key_id",
            "both halves must stand in the same file",
            id="119-no-key-id",
        ),
        pytest.param(
            f"[profile a]\naws_access_key_id =\naws_secret_access_key = {SECRET}\n",
            errors.BrokenProfile,
            "{home}/.aws/config, line 2: profile 'a' has half an access key: no aws_access_key_id",
            "both halves must stand in the same file",
            id="119-empty-key-id",
        ),
        pytest.param(
            role_profile("a", source="b") + "[profile b]\nregion = x\n",
            errors.NoAccessKey,
            "profile 'b' has no access keys (a → b)",
            f"if aws-vault keeps them, add: credential_process = {VAULT} b",
            id="source-without-keys",
        ),
        pytest.param(
            "[profile a]\nregion = x\ncredential_process =\n",
            errors.NoAccessKey,
            "profile 'a' has neither access keys nor a role_arn",
            f"if aws-vault keeps them, add: credential_process = {VAULT} a",
            id="neither-keys-nor-role",
        ),
        pytest.param(
            "[profile a]\nsso_account_id = 1\nsso_start_url = x\n" + KEYS,
            errors.NotSupportedYet,
            "profile 'a' uses sso_start_url: signing in with IAM Identity Center is not supported yet",
            "run 'aws sso login --profile a', then use a profile with "
            "credential_process = aws configure export-credentials --profile a",
            id="identity-center",
        ),
        pytest.param(
            "[profile a]\nlogin_session = x\n",
            errors.NotSupportedYet,
            "profile 'a' uses login_session: signing in with 'aws login' is not supported yet",
            "use a profile with credential_process = aws configure export-credentials --profile a",
            id="aws-login",
        ),
        pytest.param(
            f"{NEITHER}web_identity_token_file =\n",
            errors.BrokenProfile,
            "{home}/.aws/config, line 3: web_identity_token_file names no file",
            None,
            id="web-identity",
        ),
        pytest.param(
            "[profile a]\nweb_identity_token_file = /t\n",
            errors.BrokenProfile,
            "profile 'a' has a web_identity_token_file and no role_arn",
            "add the role_arn of the role that the token is exchanged for",
            id="web-identity-of-no-role",
        ),
        pytest.param(
            "[profile a]\nrole_arn =\n  x = y\nsource_profile = a\n" + KEYS,
            errors.BrokenProfile,
            "{home}/.aws/config, line 2: role_arn is a block of indented settings, not a value",
            None,
            id="114-block-for-a-value",
        ),
    ],
)
def test_profile_that_does_not_lead_to_keys_says_why(home, config, error, message, hint):
    with pytest.raises(error) as refusal:
        find(home, "a", config=config)
    assert refusal.value.message == message.format(home=home)
    assert refusal.value.hint == (hint and hint.format(home=home))


@pytest.mark.parametrize(
    ("setting", "reason", "hint"),
    [
        pytest.param(
            "role_arn = arn:aws:iam::123:role/x", "is not the ARN of an IAM role", "looks like", id="account"
        ),
        pytest.param("role_arn =", "is not the ARN of an IAM role", "looks like", id="empty-arn"),
        pytest.param(f"role_arn = {ARN}é", "is not the ARN of an IAM role", "looks like", id="non-ascii-arn"),
        pytest.param("role_session_name = é!", "is not 2 to 64 ASCII letters", None, id="session-name"),
        pytest.param("role_session_name = a", "is not 2 to 64 ASCII letters", None, id="short-session-name"),
        pytest.param("external_id = a b", "is not 2 to 1224 ASCII letters", None, id="external-id"),
        pytest.param("duration_seconds = 899", "is not between 900 and 43200", None, id="short-duration"),
        pytest.param("duration_seconds = 43201", "is not between 900 and 43200", None, id="long-duration"),
        pytest.param(
            "mfa_serial = arn:aws:iam::123456789012:user/team/alice",
            "is a user, not an MFA device",
            "it is probably arn:aws:iam::123456789012:mfa/alice",
            id="user-for-device",
        ),
        pytest.param(
            "mfa_serial = arn:aws:iam::123456789012:u2f/user/alice/k",
            "is a security key, whose answers STS does not take",
            "name a device that shows six-digit codes",
            id="security-key",
        ),
        pytest.param("services = none", "has no section [services none]", None, id="services"),
        pytest.param("gds_exec_min_remaining = soon", "is no duration such as 8h", None, id="no-minimum"),
        pytest.param("gds_exec_mfa_max_age = 15 m", "is no duration such as 8h", None, id="no-age"),
        pytest.param("gds_exec_refresh = yes", "is neither true nor false", None, id="no-truth"),
    ],
)
def test_setting_that_cannot_be_used_is_named_with_its_place(home, setting, reason, hint):
    key, _, value = (part.strip() for part in setting.partition("="))
    arn = "" if key == "role_arn" else f"\nrole_arn = {ARN}a"
    with pytest.raises(errors.BrokenProfile) as refusal:
        find(home, "a", config=f"[profile a]\n{setting}{arn}\nsource_profile = gds-users\n", credentials=BASE)
    assert refusal.value.message.startswith(f"{home}/.aws/config, line 2: {key} '{value}' {reason}")
    assert (hint or "") in (refusal.value.hint or "")


@pytest.mark.parametrize(
    ("value", "seconds", "is_warned_of"),
    [("900", 900, False), ("43200", 43200, False), ("1h", None, True), ("", None, True)],
    ids=["least", "most", "120-with-unit", "120-empty"],
)
def test_duration_that_botocore_ignores_is_ignored_and_said(home, value, seconds, is_warned_of):
    profile = find(home, "a", config=role_profile("a", f"duration_seconds = {value}"), credentials=BASE)
    warning = (
        f"{home}/.aws/config, line 4: duration_seconds '{value}' is ignored: not a whole number of seconds"
    )
    assert profile.duration_seconds == seconds
    assert profile.warnings == ((warning,) if is_warned_of else ())


def test_settings_of_ours_are_read_from_the_wanted_profile(home):
    config = role_profile(
        "team",
        "gds_exec_min_remaining = 1h30m",
        "gds_exec_mfa_max_age = 900",
        "gds_exec_refresh = True",
        "gds_exec_ykman_account = Amazon Web Services:alice",
    )
    profile = find(home, "team", config=config, credentials=BASE)
    assert (profile.min_remaining_seconds, profile.mfa_max_age_seconds, profile.refresh) == (5400, 900, True)
    assert profile.ykman_account == "Amazon Web Services:alice"


def test_what_ours_say_of_a_source_profile_is_not_said_of_the_role_but_for_the_yubikey(home):
    ours = "gds_exec_min_remaining = 1h\ngds_exec_mfa_max_age = 15m\ngds_exec_refresh = true\n"
    credentials = f"{BASE}{ours}gds_exec_ykman_account = aws\n"
    profile = find(home, "team", config=role_profile("team"), credentials=credentials)
    assert (profile.min_remaining_seconds, profile.mfa_max_age_seconds, profile.refresh) == (
        None,
        None,
        False,
    )
    assert profile.ykman_account == "aws"


@pytest.mark.parametrize("value", ["", "false", "FALSE"])
def test_refreshing_can_be_left_out(home, value):
    config = role_profile("team", f"gds_exec_refresh = {value}", "gds_exec_mfa_max_age =")
    profile = find(home, "team", config=config, credentials=BASE)
    assert (profile.refresh, profile.mfa_max_age_seconds) == (False, None)


def test_secrets_that_others_can_read_are_warned_of_where_they_are_used(home):
    """Matrix 124."""
    write(home, role_profile("a", source="vault") + "[profile vault]\ncredential_process = p\n", BASE)
    (home / ".aws/credentials").chmod(0o644)
    files = read_aws_files({}, home=str(home))
    assert find_profile(files, "gds-users", environ={}).warnings == (files.exposure,)
    assert find_profile(files, "a", environ={}).warnings == ()


TWO = f"[one]\n{KEYS}mfa_serial = {DEVICE}one\nregion = r1\nmfa_process = p\n[two]\n{KEYS}"


@pytest.mark.parametrize(
    ("role", "arn"),
    [
        (f"{ARN}path/to/x", f"{ARN}path/to/x"),
        ("arn:aws-cn:iam::123456789012:role/x", "arn:aws-cn:iam::123456789012:role/x"),
        ("arn:aws-us-gov:iam::123456789012:role/x", "arn:aws-us-gov:iam::123456789012:role/x"),
        ("123456789012/x", f"{ARN}x"),
        ("123456789012/path/x", f"{ARN}path/x"),
    ],
    ids=["path", "china", "us-gov", "account", "account-and-path"],
)
def test_role_without_a_profile_is_assumed_from_the_source_profile(home, role, arn):
    profile = find(home, role, credentials=TWO, source_profile="one")
    assert profile == Profile(
        name=role,
        source=stored("one"),
        roles=(Role(arn),),
        mfa_serial=f"{DEVICE}one",
        mfa_process="p",
        region="r1",
        source_mfa_serial=f"{DEVICE}one",
    )


@pytest.mark.parametrize("role", [f"{ARN}x", "123456789012/x"])
def test_name_of_a_profile_wins_over_what_it_looks_like(home, role):
    assert find(home, role, credentials=f"[{role}]\n{KEYS}").roles == ()


@pytest.mark.parametrize(
    ("credentials", "environ", "source_profile", "expected"),
    [
        pytest.param(TWO, {"AWS_PROFILE": "one"}, "two", "two", id="option-first"),
        pytest.param(
            TWO, {"AWS_PROFILE": "one", "AWS_DEFAULT_PROFILE": "two"}, None, "two", id="as-botocore"
        ),
        pytest.param(
            TWO, {"AWS_PROFILE": "one", "AWS_DEFAULT_PROFILE": ""}, None, "one", id="empty-is-unset"
        ),
        pytest.param(f"{TWO}[default]\n{KEYS}", {}, None, "default", id="default"),
        pytest.param(f"{BASE}[default]\nregion = x\n", {}, None, "gds-users", id="default-without-keys"),
        pytest.param(f"{BASE}{role_profile('a')}", {}, None, "gds-users", id="only-one-with-keys"),
        pytest.param("[one]\ncredential_process = p\n[b]\nregion=x", {}, None, "one", id="only-process"),
    ],
)
def test_keys_of_a_bare_role_and_of_the_base_come_from_the_same_profile(
    home, credentials, environ, source_profile, expected
):
    files = write(home, "", credentials)
    profile = find_profile(files, f"{ARN}x", environ=environ, source_profile=source_profile)
    base = find_base(files, environ=environ, source_profile=source_profile)
    assert profile.source == base.source
    assert (base.name, base.source.profile_name, base.roles) == (expected, expected, ())


def test_bare_role_and_base_go_through_a_source_profile_that_is_itself_a_role(home):
    config = role_profile(
        "hub", f"mfa_serial = {DEVICE}hub", "duration_seconds = 900", "endpoint_url = http://x"
    )
    files = write(home, config, f"{BASE}mfa_serial = {DEVICE}source\n")
    profile = find_profile(files, f"{ARN}x", environ={}, source_profile="hub")
    base = find_base(files, environ={}, source_profile="hub")
    assert profile.roles == (Role(f"{ARN}hub", "hub", duration_seconds=900), Role(f"{ARN}x"))
    assert (profile.mfa_serial, profile.duration_seconds) == (f"{DEVICE}hub", None)
    assert (base.name, base.roles, base.mfa_serial) == ("gds-users", (), f"{DEVICE}hub")
    assert profile.sts_endpoint_url == base.sts_endpoint_url == "http://x"


def test_device_beside_the_keys_serves_a_bare_role_whose_source_names_none(home):
    files = write(home, role_profile("hub"), f"{BASE}mfa_serial = {DEVICE}source\n")
    assert find_profile(files, f"{ARN}x", environ={}, source_profile="hub").mfa_serial == f"{DEVICE}source"
    assert find_base(files, environ={}, source_profile="hub").mfa_serial == f"{DEVICE}source"


@pytest.mark.parametrize(
    ("credentials", "environ", "source_profile", "error", "message", "hint"),
    [
        pytest.param(
            TWO,
            {},
            None,
            errors.NoAccessKey,
            "2 profiles have access keys: 'one', 'two'",
            "--source-profile",
            id="two",
        ),
        pytest.param(
            "".join(f"[p{number}]\n{KEYS}" for number in range(10)),
            {},
            None,
            errors.NoAccessKey,
            "10 profiles have access keys: 'p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7' and 2 more",
            "--source-profile",
            id="many",
        ),
        pytest.param(
            "[a]\nregion = x\n",
            {"AWS_EC2_METADATA_DISABLED": "true"},
            None,
            errors.NoAccessKey,
            "no profile has access keys",
            "are read from",
            id="none",
        ),
        pytest.param(
            BASE,
            {},
            "gds-user",
            errors.BrokenProfile,
            "--source-profile names profile 'gds-user', which does not exist",
            "did you mean 'gds-users'?",
            id="option-names-nothing",
        ),
        pytest.param(
            BASE,
            {"AWS_PROFILE": "zzz"},
            None,
            errors.BrokenProfile,
            "AWS_PROFILE names profile 'zzz', which does not exist",
            "profiles are read from",
            id="variable-names-nothing",
        ),
    ],
)
def test_bare_role_without_one_clear_source_says_what_to_name(
    home, credentials, environ, source_profile, error, message, hint
):
    with pytest.raises(error) as refusal:
        find(home, f"{ARN}x", credentials=credentials, environ=environ, source_profile=source_profile)
    assert refusal.value.message == message
    assert hint in refusal.value.hint


@pytest.mark.parametrize(
    ("role", "message", "hint"),
    [
        pytest.param("gds-user", "no profile is named 'gds-user'", "did you mean 'gds-users'?", id="near"),
        pytest.param(
            "GDS_USERS", "no profile is named 'GDS_USERS'", "did you mean 'gds-users'?", id="other-case"
        ),
        pytest.param(
            "my prof", "no profile is named 'my prof'", 'write [profile "my prof"]', id="115-unquoted"
        ),
        pytest.param("zzz", "no profile is named 'zzz'", "profiles are read from", id="far"),
        pytest.param("\x1b[1m", r"no profile is named '\x1b[1m'", "profiles are read from", id="82-escape"),
        pytest.param("", "no profile is named ''", "profiles are read from", id="empty"),
        pytest.param(
            "arn:aws:iam::123456789012:user/x",
            "'arn:aws:iam::123456789012:user/x' is not the ARN of an IAM role",
            "looks like",
            id="arn-of-a-user",
        ),
        pytest.param(
            "12345/x",
            "'12345/x' begins with an account number of 5 digits, not 12",
            "123456789012/NAME",
            id="account",
        ),
        pytest.param(
            "123456789012/", "'123456789012/' does not end in the name of a role", "looks like", id="no-name"
        ),
        pytest.param("team/x", "no profile is named 'team/x'", "profiles are read from", id="slash"),
    ],
)
def test_unknown_role_is_refused_with_what_may_have_been_meant(home, role, message, hint):
    with pytest.raises(errors.UnknownRole) as refusal:
        find(home, role, config="[profile my prof]\nregion = x\n", credentials=BASE)
    assert refusal.value.message == message
    assert hint in refusal.value.hint


@pytest.mark.parametrize(
    ("environ", "hint"),
    [
        pytest.param({}, "no profile in {home}/.aws/config and {home}/.aws/credentials", id="117-absent"),
        pytest.param(
            {"AWS_CONFIG_FILE": "{home}/x"},
            "AWS_CONFIG_FILE names '{home}/x', which does not exist",
            id="117-named",
        ),
    ],
)
def test_unknown_role_without_any_profile_names_the_files(tmp_path, environ, hint):
    files = read_aws_files(
        {key: value.format(home=tmp_path) for key, value in environ.items()}, home=str(tmp_path)
    )
    with pytest.raises(errors.UnknownRole) as refusal:
        find_profile(files, "x", environ={})
    assert refusal.value.hint == hint.format(home=tmp_path)


def test_unknown_role_without_a_home_says_so():
    """Matrix 32."""
    with pytest.raises(errors.UnknownRole) as refusal:
        find_profile(read_aws_files({}, home=None), "x", environ={})
    assert refusal.value.hint == "there is no home directory, and AWS_CONFIG_FILE is not set"


ENDPOINTS = """\
[profile plain]
endpoint_url = http://profile
[profile split]
endpoint_url = http://profile
services = local
[profile ignoring]
endpoint_url = http://profile
ignore_configured_endpoint_urls = True
[services local]
sts =
  endpoint_url = http://service-sts
"""


@pytest.mark.parametrize(
    ("name", "environ", "sts", "iam"),
    [
        pytest.param("plain", {}, "http://profile", "http://profile", id="profile"),
        pytest.param("split", {}, "http://service-sts", "http://profile", id="services"),
        pytest.param("split", {"AWS_ENDPOINT_URL": "http://e"}, "http://e", "http://e", id="variable-first"),
        pytest.param(
            "plain",
            {"AWS_ENDPOINT_URL": "http://e", "AWS_ENDPOINT_URL_IAM": "http://iam"},
            "http://e",
            "http://iam",
            id="variable-of-the-service",
        ),
        pytest.param(
            "plain", {"AWS_ENDPOINT_URL": ""}, "http://profile", "http://profile", id="empty-is-unset"
        ),
        pytest.param("ignoring", {}, None, None, id="ignored-by-profile"),
        pytest.param(
            "ignoring",
            {"AWS_ENDPOINT_URL": "http://e", "AWS_ENDPOINT_URL_STS": "http://sts"},
            None,
            None,
            id="variables-ignored-by-profile",
        ),
        pytest.param(
            "plain", {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, None, None, id="ignored-by-variable"
        ),
        pytest.param(
            "ignoring",
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"},
            "http://profile",
            "http://profile",
            id="variable-over-profile",
        ),
    ],
)
def test_endpoints_are_resolved_as_by_botocore(home, name, environ, sts, iam):
    config = ENDPOINTS.replace("]\nendpoint", f"]\n{KEYS}endpoint")
    profile = find(home, name, config=config, environ=environ)
    assert (profile.sts_endpoint_url, profile.iam_endpoint_url) == (sts, iam)
    assert urls_by_botocore(home, name, environ) == (sts, iam)


def urls_by_botocore(home, name, environ):
    session = botocore.session.Session(profile=name)
    session.set_config_variable("config_file", str(home / ".aws/config"))
    scoped = session.get_scoped_config()
    ignored = environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") or scoped.get(
        "ignore_configured_endpoint_urls"
    )
    if ensure_boolean(ignored):
        return (None, None)
    return tuple(
        ConfiguredEndpointProvider(session.full_config, scoped, service, environ).provide()
        for service in ("sts", "iam")
    )


def test_endpoint_of_a_service_that_is_no_block_is_refused(home):
    config = f"[profile a]\nservices = s\n{KEYS}[services s]\nsts = http://x\n"
    with pytest.raises(errors.BrokenProfile, match="config, line 6: sts is not a block of indented settings"):
        find(home, "a", config=config)


def test_certificates_named_by_the_variable_win(home):
    config = f"[profile a]\nca_bundle = /profile\n{KEYS}"
    assert find(home, "a", config=config).ca_bundle == "/profile"
    assert find(home, "a", config=config, environ={"AWS_CA_BUNDLE": "/variable"}).ca_bundle == "/variable"


def test_the_variable_of_requests_names_certificates_where_nothing_of_awss_does(home: Path) -> None:
    environ, config = {"REQUESTS_CA_BUNDLE": "/requests"}, f"[profile a]\nca_bundle = /profile\n{KEYS}"

    assert find(home, "a", config=config, environ=environ).ca_bundle == "/profile"
    assert find(home, "a", config=f"[profile a]\n{KEYS}", environ=environ).ca_bundle == "/requests"


names = st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r]"), min_size=1, max_size=300).filter(
    lambda name: name.strip() and name != "DEFAULT"
)


@given(names)
@settings(max_examples=60, deadline=None)
def test_profiles_may_have_any_name(name):
    """Matrix 122."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / ".aws").mkdir()
        files = write(home, "", f"[{name}]\n{KEYS}")
        assert profile_names(files) == [name]
        assert find_profile(files, name, environ={}).source == stored(name)


@given(st.text(max_size=40), st.text(max_size=10))
@settings(max_examples=100, deadline=None)
def test_no_refusal_controls_the_terminal(role, source_profile):
    """Matrix 82."""
    with tempfile.TemporaryDirectory() as directory:
        files = read_aws_files({}, home=directory)
        with pytest.raises(errors.ConfigError) as refusal:
            find_profile(files, role, environ={}, source_profile=source_profile)
    said = refusal.value.message + (refusal.value.hint or "")
    assert said == show(said)


def test_names_are_listed_in_order(home):
    files = write(home, "[profile b]\n[profile a]\n", "[c]\n[b]\n")
    assert profile_names(files) == ["a", "b", "c"]


def test_no_representation_holds_a_secret(home):
    profile = find(home, "gds-users", credentials=f"{BASE}aws_session_token = TOKEN\n")
    assert SECRET not in repr(profile)
    assert "TOKEN" not in repr(profile)


ENV_KEYS = {"AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": SECRET}
TOKEN = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"}
OUTER = {"GDS_EXEC_OUTER_ROLE": "outer"}
OWN_ROLE = {"AWS_ROLE_ARN": f"{ARN}ci"}
TASK = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/task"}
NO_INSTANCE = {"AWS_EC2_METADATA_DISABLED": "true"}
CI = {"CI": "true"}
MINTING = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x/?v=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}
EVERYTHING = ENV_KEYS | TOKEN | MINTING | TASK

IN_ENVIRONMENT = EnvironmentKeys("AKIAENVIRONMENT", SECRET)
IN_FILE = WebIdentityToken(TOKEN_FILE, "/run/token")
MINTED = WebIdentityToken(GITHUB)
OF_TASK = ContainerRole("/task", is_path=True)
PRINTED = WebIdentityToken(TOKEN_COMMAND, "print-token")
BARE = f"{ARN}x"


@pytest.mark.parametrize(
    ("credentials", "environ", "source_profile", "expected"),
    [
        pytest.param(BASE, EVERYTHING, "gds-users", stored("gds-users"), id="--source-profile"),
        pytest.param(BASE, EVERYTHING, None, IN_ENVIRONMENT, id="keys-in-the-environment"),
        pytest.param(
            BASE,
            ENV_KEYS | TASK | OUTER,
            None,
            IN_ENVIRONMENT.but(outer_role="outer"),
            id="those-of-an-outer-role-are-said-to-be-its",
        ),
        pytest.param(
            BASE, ENV_KEYS | MINTING | OUTER, None, MINTED, id="a-token-before-those-of-an-outer-role"
        ),
        pytest.param(BASE, TOKEN | TASK | {"AWS_PROFILE": "gds-users"}, None, IN_FILE, id="token"),
        pytest.param(BASE, MINTING | TASK, None, MINTED, id="token-of-github"),
        pytest.param(
            f"{TWO}[default]\n{KEYS}", TASK | {"AWS_PROFILE": "two"}, None, stored("two"), id="AWS_PROFILE"
        ),
        pytest.param(f"{TWO}[default]\n{KEYS}", TASK, None, stored("default"), id="default"),
        pytest.param(BASE, TASK, None, stored("gds-users"), id="the-only-profile-with-keys"),
        pytest.param("[a]\nregion = x\n", TASK, None, OF_TASK, id="container"),
        pytest.param(
            BASE, OWN_ROLE, None, stored("gds-users"), id="AWS_ROLE_ARN-without-a-token-file-means-nothing"
        ),
    ],
)
def test_role_without_a_profile_begins_with_the_first_source_that_is_here(
    home, credentials, environ, source_profile, expected
):
    profile = find(home, BARE, credentials=credentials, environ=environ, source_profile=source_profile)
    assert (profile.source, profile.roles) == (expected, (Role(BARE),))


def test_role_without_a_profile_begins_with_the_instance_as_a_last_hope(home):
    source = find(home, BARE, credentials="[a]\nregion = x\n").source
    assert source == InstanceRole(
        otherwise="no profile has access keys",
        otherwise_hint=f"profiles are read from {home}/.aws/config and {home}/.aws/credentials",
    )


@pytest.mark.parametrize("environ", [TASK, {}])
def test_several_profiles_with_keys_are_not_passed_over_in_silence(home, environ):
    with pytest.raises(errors.NoAccessKey, match="2 profiles have access keys"):
        find(home, BARE, credentials=TWO, environ=environ)


@pytest.mark.parametrize(
    ("role", "environ", "roles"),
    [
        pytest.param(BARE, {}, ["x"], id="no-role-of-its-own"),
        pytest.param(BARE, OWN_ROLE, ["ci", "x"], id="another-role-of-its-own"),
        pytest.param(f"{ARN}ci", OWN_ROLE, ["ci"], id="this-very-role-of-its-own"),
        pytest.param("ci", OWN_ROLE, ["ci"], id="this-very-role-by-its-profile"),
        pytest.param("far", {}, ["ci", "far"], id="through-another-profile"),
        pytest.param("far", {"AWS_ROLE_ARN": f"{ARN}far"}, ["far"], id="straight-to-the-end-of-a-chain"),
        pytest.param("far", OWN_ROLE, ["ci", "far"], id="in-the-middle-of-a-chain"),
        pytest.param("far", {"AWS_ROLE_ARN": f"{ARN}z"}, ["z", "ci", "far"], id="before-a-chain"),
    ],
)
def test_token_is_exchanged_for_its_own_role_or_else_for_the_first(home, role, environ, roles):
    config = role_profile("ci", source="nowhere") + role_profile("far", source="ci")
    profile = find(home, role, config=config, environ=CI | TOKEN | environ)
    assert profile.source == IN_FILE
    assert [one.role_arn.removeprefix(ARN) for one in profile.roles] == roles


def test_role_of_a_token_that_is_no_role_is_refused(home):
    with pytest.raises(errors.BrokenProfile, match="AWS_ROLE_ARN is not the ARN of an IAM role"):
        find(home, BARE, environ=TOKEN | {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:user/x"})


def test_base_of_a_token_is_its_own_role(home):
    files = write(home, "", "")
    base = find_base(files, environ=TOKEN | OWN_ROLE)
    assert (base.name, base.roles, base.source) == (f"{ARN}ci", (Role(f"{ARN}ci"),), IN_FILE)
    with pytest.raises(errors.NoAccessKey, match="exchanged for a role, and none is named") as refusal:
        find_base(files, environ=TOKEN)
    assert refusal.value.hint == "set AWS_ROLE_ARN, or name a role"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param(ENV_KEYS | TOKEN, IN_ENVIRONMENT, id="keys"),
        pytest.param(TOKEN | TASK, IN_FILE, id="token"),
        pytest.param(MINTING | TASK, MINTED, id="token-of-github"),
        pytest.param(TASK, OF_TASK, id="container"),
    ],
)
@pytest.mark.parametrize(
    "config",
    [
        pytest.param(role_profile("a", source="missing"), id="its-source-is-missing"),
        pytest.param(
            role_profile("a", source="b") + "[profile b]\nregion = x\n", id="its-source-has-no-keys"
        ),
    ],
)
def test_profile_without_keys_here_falls_to_what_is_here_in_ci_alone(home, config, environ, expected):
    with pytest.raises((errors.NoAccessKey, errors.SourceProfileMissing)):
        find(home, "a", config=config, environ=environ)
    profile = find(home, "a", config=config, environ=environ | CI)
    assert (profile.source, profile.roles) == (expected, (Role(f"{ARN}a", "a"),))


@pytest.mark.parametrize("said", ["Environment", "EcsContainer"])
def test_credential_source_that_is_not_here_falls_to_the_token_in_ci_too(home, said):
    config = f"[profile a]\nrole_arn = {ARN}a\ncredential_source = {said}\n"
    assert find(home, "a", config=config, environ=CI | TOKEN).source == IN_FILE
    with pytest.raises(errors.NoAccessKey):
        find(home, "a", config=config, environ=TOKEN)


@pytest.mark.parametrize("environ", [CI | EVERYTHING, EVERYTHING])
def test_profile_whose_source_has_keys_is_not_changed_by_what_is_here(home, environ):
    profile = find(home, "a", config=role_profile("a"), credentials=BASE, environ=environ | OWN_ROLE)
    assert (profile.source, profile.roles) == (stored("gds-users"), (Role(f"{ARN}a", "a"),))


def test_what_the_profile_says_of_its_device_is_not_said_of_another_source(home):
    config = role_profile("a", f"mfa_serial = {DEVICE}alice", source="missing")
    assert find(home, "a", config=config, environ=CI | TOKEN).mfa_serial is None
    own = find(home, "a", config=config.replace("missing", "gds-users"), credentials=BASE, environ=CI | TOKEN)
    assert own.mfa_serial == f"{DEVICE}alice"


@pytest.mark.parametrize("asked", [{"source_profile": "b"}, {"wanted": WantedSource(PROFILE)}])
def test_profile_that_was_asked_for_does_not_fall_to_anything_in_ci(home, asked):
    config = role_profile("a", source="b") + "[profile b]\nregion = x\n"
    with pytest.raises(errors.NoAccessKey, match="profile 'b' has no access keys"):
        find(home, "a", config=config, environ=CI | EVERYTHING, **asked)


def test_ci_without_anything_says_what_the_profile_lacks_when_the_instance_has_nothing_either(home):
    config = role_profile("a", source="missing")
    source = find(home, "a", config=config, environ=CI | {"GITHUB_ACTIONS": "true"}).source
    assert source.otherwise == "profile 'a' takes its keys from 'missing', which does not exist (a → missing)"
    assert "id-token: write" in source.otherwise_hint
    with pytest.raises(errors.SourceProfileMissing):
        find(home, "a", config=config, environ=CI | NO_INSTANCE)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(WantedSource(ENVIRONMENT), IN_ENVIRONMENT, id="environment"),
        pytest.param(WantedSource(WEB_IDENTITY), IN_FILE, id="web-identity"),
        pytest.param(WantedSource(GITHUB), MINTED, id="github"),
        pytest.param(
            WantedSource(GITHUB, audience="ours"), MINTED.but(audience="ours"), id="github-for-an-audience"
        ),
        pytest.param(WantedSource(CONTAINER), OF_TASK, id="container"),
        pytest.param(WantedSource(INSTANCE), InstanceRole(), id="instance"),
        pytest.param(WantedSource(token=PRINTED), PRINTED, id="a-token-that-was-named"),
        pytest.param(WantedSource(PROFILE), stored("gds-users"), id="profile"),
    ],
)
@pytest.mark.parametrize("role", ["a", BARE])
def test_source_that_is_asked_for_is_taken_and_no_other(home, role, wanted, expected):
    profile = find(home, role, config=role_profile("a"), credentials=BASE, environ=EVERYTHING, wanted=wanted)
    assert profile.source == expected
    assert [one.role_arn for one in profile.roles] == [f"{ARN}{'a' if role == 'a' else 'x'}"]


def test_source_that_is_asked_for_and_is_not_here_is_refused(home):
    with pytest.raises(errors.NoAccessKey, match="there are no keys in the environment"):
        find(home, "a", config=role_profile("a"), credentials=BASE, wanted=WantedSource(ENVIRONMENT))


def test_source_that_is_asked_for_begins_all_roles_on_the_way(home):
    config = role_profile("c", source="b") + role_profile("b", source="a") + role_profile("a")
    asked = {"config": config, "environ": ENV_KEYS, "wanted": WantedSource(ENVIRONMENT)}
    profile = find(home, "c", **asked)
    assert [role.role_arn.removeprefix(ARN) for role in profile.roles] == ["a", "b", "c"]
    profile = find(home, "c", credentials=f"[b]\n{KEYS}", **asked)
    assert [role.role_arn.removeprefix(ARN) for role in profile.roles] == ["c"]  # for b has keys of its own


def test_circle_of_profiles_is_gone_round_once_where_another_source_begins_it(home):
    config = role_profile("b", source="a") + role_profile("a", source="b")
    profile = find(home, "b", config=config, environ=ENV_KEYS, wanted=WantedSource(ENVIRONMENT))
    assert [role.role_arn.removeprefix(ARN) for role in profile.roles] == ["a", "b"]


@pytest.mark.parametrize(
    ("environ", "settings_", "names"),
    [
        pytest.param({}, ["role_session_name = of-a"], [None, "of-a", None], id="profile"),
        pytest.param({"AWS_ROLE_SESSION_NAME": "job"}, [], ["job", "job", "job"], id="variable"),
        pytest.param(
            {"AWS_ROLE_SESSION_NAME": "job"},
            ["role_session_name = of-a"],
            ["job", "of-a", "job"],
            id="the-profile-s-own-name-before-the-variable",
        ),
        pytest.param({"AWS_ROLE_SESSION_NAME": ""}, [], [None, None, None], id="empty"),
    ],
)
def test_sessions_are_named_by_their_profile_or_else_by_the_variable(home, environ, settings_, names):
    config = role_profile("a", *settings_, source="missing") + role_profile("b", source="a")
    profile = find(home, "b", config=config, environ=CI | TOKEN | OWN_ROLE | environ)
    assert [role.session_name for role in profile.roles] == names


@pytest.mark.parametrize("name", ["a b", "x", "a" * 65, "é" * 3, "a/b"])
def test_session_name_that_sts_does_not_take_is_refused_before_it_is_asked(home, name):
    with pytest.raises(errors.BrokenProfile, match=r"AWS_ROLE_SESSION_NAME .* is not 2 to 64") as refusal:
        find(home, "a", config=role_profile("a"), credentials=BASE, environ={"AWS_ROLE_SESSION_NAME": name})
    assert refusal.value.hint == "correct it, or say --session-name"


def test_account_that_is_expected_is_the_wanted_profile_s_own(home):
    config = (
        role_profile("a", "gds_exec_expect_account = 123456789012")
        + role_profile("b", source="a")
        + role_profile("c", "gds_exec_expect_account = 1234")
    )
    assert find(home, "a", config=config, credentials=BASE).expected_account == "123456789012"
    assert find(home, "b", config=config, credentials=BASE).expected_account is None
    with pytest.raises(
        errors.BrokenProfile, match="gds_exec_expect_account '1234' is not an account's number"
    ):
        find(home, "c", config=config, credentials=BASE)


CREDENTIAL_SOURCES = ("Environment", "EcsContainer", "Ec2InstanceMetadata")
MACHINE = {
    "AWS_ACCESS_KEY_ID": "environment",
    "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "container",
}


class SourceOfBotocores:
    """One of the providers that `credential_source` names; it has a key that says which."""

    METHOD = "x"

    def __init__(self, canonical_name, access_key_id):
        self.CANONICAL_NAME = canonical_name
        self._access_key_id = access_key_id

    def load(self):
        if self._access_key_id is None:
            return None
        return botocore.credentials.Credentials(self._access_key_id, "s")


class NarratingStsOfTokens(NarratingSts):
    def assume_role(self, **request):
        return super().assume_role(**{**request, "DurationSeconds": None})

    def assume_role_with_web_identity(self, *, WebIdentityToken, **request):  # noqa: N803  # as botocore has it
        return type(self)(WebIdentityToken).assume_role(**request)


class NarratingBuilder(botocore.credentials.ProfileProviderBuilder):
    def _create_web_identity_provider(self, profile_name, disable_env_vars):
        return botocore.credentials.AssumeRoleWithWebIdentityProvider(
            load_config=lambda: self._session.full_config,
            client_creator=lambda _service, **_options: NarratingStsOfTokens(""),
            cache={},
            profile_name=profile_name,
            disable_env_vars=disable_env_vars,
            token_loader_cls=lambda path: lambda: f"token in {path}",
        )


def source_by_botocore(home, name, environ):
    session = botocore.session.Session()
    session.set_config_variable("config_file", str(home / ".aws/config"))
    session.set_config_variable("credentials_file", str(home / ".aws/credentials"))
    builder = NarratingBuilder(session)
    sources = [
        SourceOfBotocores("Environment", environ.get("AWS_ACCESS_KEY_ID")),
        SourceOfBotocores("EcsContainer", environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")),
        SourceOfBotocores("Ec2InstanceMetadata", "instance"),
    ]
    roles = botocore.credentials.AssumeRoleProvider(
        load_config=lambda: session.full_config,
        client_creator=lambda _service, **keys: NarratingStsOfTokens(keys["aws_access_key_id"]),
        cache={},
        profile_name=name,
        credential_sourcer=botocore.credentials.CanonicalNameCredentialSourcer(sources),
        profile_provider_builder=builder,
    )
    providers = [roles, *builder.providers(name, disable_env_vars=True)]
    try:
        found = botocore.credentials.CredentialResolver(providers).load_credentials()
    except (
        botocore.exceptions.InvalidConfigError,
        botocore.exceptions.PartialCredentialsError,
        botocore.exceptions.CredentialRetrievalError,
    ):
        return "refused"
    return found.get_frozen_credentials().access_key if found else "refused"


def source_of(home, name, environ):
    try:
        profile = find_profile(read_aws_files({}, home=str(home)), name, environ=environ)
    except (errors.BrokenProfile, errors.NoAccessKey):
        return "refused"
    match profile.source:
        case ContainerRole():
            first = "container"
        case InstanceRole():
            first = "instance"
        case WebIdentityToken():
            first = f"token in {profile.source.where}"
        case _:
            first = profile.source.access_key_id
    return " > ".join((first, *(f"{role.role_arn} None" for role in profile.roles)))


ways_to_a_source = st.fixed_dictionaries(
    {},
    optional={
        "role_arn": st.sampled_from([f"{ARN}r{number}" for number in range(3)]),
        "source_profile": st.sampled_from(NAMES),
        "credential_source": st.sampled_from((*CREDENTIAL_SOURCES, "environment")),
        "web_identity_token_file": st.just("/token"),
    },
)
layouts_with_sources = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(ways_to_a_source, keys, st.just(())), min_size=2
)


@given(layouts_with_sources, st.sampled_from(({}, MACHINE)))
@settings(max_examples=200, deadline=None)
def test_every_source_without_a_person_is_the_one_that_botocore_takes(layout, environ):
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / ".aws").mkdir()
        write(home, "\n".join(config_text(layout)), "")
        for name in layout:
            assert source_of(home, name, environ) == source_by_botocore(home, name, environ)


@pytest.mark.parametrize(
    ("settings_", "environ", "error", "message"),
    [
        pytest.param(
            "credential_source = Environment",
            {},
            errors.NoAccessKey,
            "credential_source = Environment, and there are no keys in the environment",
            id="119-no-keys",
        ),
        pytest.param(
            "credential_source = EcsContainer",
            {},
            errors.NoAccessKey,
            "credential_source = EcsContainer, and no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            id="119-no-container",
        ),
        pytest.param(
            "credential_source = Ec2InstanceMetadata",
            NO_INSTANCE,
            errors.NoAccessKey,
            "credential_source = Ec2InstanceMetadata, and AWS_EC2_METADATA_DISABLED forbids that",
            id="119-no-instance",
        ),
        pytest.param(
            "credential_source = Elsewhere",
            {},
            errors.BrokenProfile,
            "profile 'a' has an unknown credential_source 'Elsewhere'",
            id="119-unknown",
        ),
        pytest.param(
            "credential_source = Environment\nsource_profile = gds-users",
            ENV_KEYS,
            errors.BrokenProfile,
            "profile 'a' has both source_profile and credential_source",
            id="119-both",
        ),
        pytest.param(
            "web_identity_token_file =",
            {},
            errors.BrokenProfile,
            "config, line 3: web_identity_token_file names no file",
            id="no-file",
        ),
    ],
)
def test_source_of_a_profile_that_is_not_here_is_said_with_the_profile(
    home, settings_, environ, error, message
):
    with pytest.raises(error) as refusal:
        find(home, "a", config=f"[profile a]\nrole_arn = {ARN}a\n{settings_}\n", environ=environ)
    assert message in refusal.value.message


def test_token_of_a_profile_is_for_that_profile_s_role_whatever_the_variables_say(home):
    config = role_profile("b", source="a") + f"[profile a]\nrole_arn = {ARN}a\nweb_identity_token_file = /t\n"
    profile = find(home, "b", config=config, environ=TOKEN | OWN_ROLE)
    assert profile.source == WebIdentityToken(TOKEN_FILE, "/t", profile_name="a")
    assert [role.role_arn.removeprefix(ARN) for role in profile.roles] == ["a", "b"]


KEYS_OF_A_ROLE = {
    "duration_seconds": "3600",
    "external_id": "an-id",
    "gds_exec_expect_account": "123456789012",
    "gds_exec_mfa_max_age": "1h",
    "gds_exec_min_remaining": "10m",
    "gds_exec_refresh": "true",
    "gds_exec_ykman_account": "aws",
    "region": "eu-west-2",
    "role_session_name": "alice",
    "source_profile": "gds-users",
}


def test_every_key_that_the_table_of_options_names_is_read_from_a_profile(home):
    settings = "".join(f"{key} = {value}\n" for key, value in KEYS_OF_A_ROLE.items())
    config = f"[profile prod]\nrole_arn = {ARN}prod\n{settings}"

    profile = find(home, "prod", config=config, credentials=BASE)

    found = {setting.line for setting in (*profile.settings, *profile.roles[-1].settings)}
    assert found >= set(range(3, 3 + len(KEYS_OF_A_ROLE)))
    named = {row.profile_key for row in OPTIONS if row.profile_key} - {"web_identity_token_file"}
    assert named == KEYS_OF_A_ROLE.keys()
