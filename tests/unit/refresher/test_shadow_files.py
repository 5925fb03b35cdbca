"""Settings that hide an endpoint, and the copies of the AWS files as botocore reads them."""

import configparser
import io
import shlex
from pathlib import Path

import botocore.configloader
import botocore.exceptions
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gds_exec.refresher.shadow_files import Original, private_texts
from gds_exec.refresher.stored_keys import arguments_for, stored_keys_document

DEFAULT_HEADERS = ("default", "profile default", 'profile "default"', "profile\tdefault")
OTHER_HEADERS = (
    "a", "profile a", "Default", "default2", "profile defaults", "profile default x", "profiles", "]",
    "services default", "sso-session default", "profile", "ü",
)  # fmt: skip
CREDENTIAL_KEYS = (
    "aws_access_key_id", "aws_secret_access_key", "aws_security_token", "aws_session_token",
    "credential_process", "credential_source", "login_session", "role_arn", "source_profile",
    "sso_account_id", "sso_region", "sso_role_name", "sso_session", "sso_start_url",
    "web_identity_token_file",
)  # fmt: skip
OTHER_KEYS = ("region", "output", "s3", "aws_access_key_id_", "cli_pager", "ünï")
SECRET_KEYS = CREDENTIAL_KEYS[:4]
KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = a-secret\n"
ROLE = "role_arn = arn:aws:iam::123456789012:role/x\n"
CONFIG, CREDENTIALS = "/home/a b/.aws/config", "/home/a b/.aws/credentials"
PROGRAM = "/opt/it's here/gds-exec"


def copies(config: str, credentials: str) -> tuple[str | None, str | None]:
    return private_texts(
        Original(CONFIG, config, is_config=True),
        Original(CREDENTIALS, credentials, is_config=False),
        program=PROGRAM,
    )


def hides_endpoint(config: str, credentials: str) -> bool:
    return copies(config, credentials) != (None, None)


def reads(path: str, header: str) -> str:
    """The line that reads the keys of a section of an original file."""
    return f"credential_process = {shlex.join([PROGRAM, *arguments_for(path, header)])}\n"


def moved(name: str) -> str:
    return f"gds-exec-{name.encode().hex()}"


@pytest.mark.parametrize("key", CREDENTIAL_KEYS)
def test_a_default_profile_with_a_way_to_credentials_hides_the_endpoint(key: str) -> None:
    assert hides_endpoint(f"[default]\nregion = x\n{key} = y\n", "")


@pytest.mark.parametrize(
    ("config", "credentials", "expected"),
    [
        pytest.param("", "", False, id="empty files"),
        pytest.param("[default]\nregion = x\noutput = json\n", "", False, id="a region and a format"),
        pytest.param(f"[profile a]\n{KEYS}", f"[a]\n{KEYS}", False, id="others' credentials"),
        pytest.param("[default]\n#role_arn = x\n; role_arn = y\n", "", False, id="comments"),
        pytest.param("[default]\ns3 =\n  role_arn = x\n", "", False, id="below another setting"),
        pytest.param(f"[DEFAULT]\n{KEYS}", "", False, id="nobody to inherit"),
        pytest.param(f"[sso-session default]\n{KEYS}", "", False, id="another kind of section"),
        pytest.param("", f"[default]\n{KEYS}", True, id="keys in the credentials file"),
        pytest.param(f"[profile default]\n{KEYS}", "", True, id="as a profile"),
        pytest.param(f"[profile 'default']\n{KEYS}", "", True, id="quoted"),
        pytest.param(f"[ default ]\n{KEYS}", "", True, id="as other clients allow"),
        pytest.param("[default]\nRole_ARN: x", "", True, id="another spelling"),
        pytest.param("[default]\r\nregion = x\r\nrole_arn = x\r\n", "", True, id="CRLF"),
        pytest.param("  [default]\n  role_arn = x\n", "", True, id="indented"),
        pytest.param(f"[default]\nregion = x\n[DEFAULT]\n{KEYS}", "", True, id="inherited"),
    ],
)
def test_only_credentials_of_the_default_profile_hide_the_endpoint(
    config: str, credentials: str, expected: bool
) -> None:
    assert hides_endpoint(config, credentials) is expected


TABLE = [
    pytest.param(
        "",
        f"[default]\n{KEYS}region = x\n",
        None,
        "[default]\nregion = x\n",
        id="only the file that hides the endpoint is copied",
    ),
    pytest.param(
        f"[default]\n{ROLE}source_profile = a\nregion = x\n[profile b]\n{KEYS}",
        f"[a]\n{KEYS}",
        f"[default]\nregion = x\n[profile b]\n{reads(CONFIG, 'profile b')}",
        None,
        id="a credentials file without a default profile is not copied",
    ),
    pytest.param(
        "",
        f"[default]\n{KEYS}[a]\nregion = x\n{KEYS}aws_session_token = t\noutput = json\n",
        None,
        f"[default]\n[a]\nregion = x\noutput = json\n{reads(CREDENTIALS, 'a')}",
        id="others' keys are read from the original",
    ),
    pytest.param(
        "",
        f"[default]\n{KEYS}[a]\naws_secret_access_key = half\n",
        None,
        "[default]\n[a]\n",
        id="half a key is of no use",
    ),
    pytest.param(
        "",
        f"#aws_secret_access_key=old\n[default] # old\n{KEYS}\n; old\nregion=x\n  # old\n[a]\n# old",
        None,
        "[default]\nregion=x\n[a]\n",
        id="no comment is copied",
    ),
    pytest.param(
        "",
        "[default]\nrole_arn = x\n  y\n\n  # why\n  z\nregion = x\ns3 =\n  a = b\n\n  c = d\n",
        None,
        "[default]\nregion = x\ns3 =\n  a = b\n\n  c = d\n",
        id="settings of several lines",
    ),
    pytest.param(
        "",
        "[default]\r\nrole_arn=x\r\noutput = \udcff\x0c\r[ü]\rregion=\u2028x",
        None,
        "[default]\noutput = \udcff\x0c\n[ü]\nregion=\u2028x\n",
        id="line ends of all kinds and bytes that are not text",
    ),
    pytest.param(
        f"[profile b]\n  {ROLE}  source_profile = default\n  region = x\n",
        f"[default]\n{KEYS}",
        f"[profile b]\n  {ROLE}  source_profile = {moved('default')}\n  region = x\n",
        f"[default]\n[{moved('default')}]\n{reads(CREDENTIALS, 'default')}",
        id="a role whose source is the default profile",
    ),
    pytest.param(
        f"[default]\n{ROLE}source_profile = a\nmfa_serial = m\n[profile b]\n{ROLE}source_profile = default\n",
        f"[a]\n{KEYS}",
        f"[default]\nmfa_serial = m\n[profile b]\n{ROLE}source_profile = {moved('default')}\n"
        f"[profile {moved('default')}]\n{ROLE}source_profile = a\nmfa_serial = m\n",
        None,
        id="a role whose source is a default profile with a role",
    ),
    pytest.param(
        f"[profile a]\n{ROLE}source_profile = a\n",
        f"[default]\n{KEYS}[a]\n{KEYS}",
        f"[profile a]\n{ROLE}source_profile = {moved('a')}\n",
        f"[default]\n[a]\n[{moved('a')}]\n{reads(CREDENTIALS, 'a')}",
        id="a role with keys of its own",
    ),
    pytest.param(
        "",
        f"[default]\n{KEYS}[a]\nregion = x\n  aws_secret_access_key = s\noutput = json\n",
        None,
        "[default]\n[a]\nregion = x\noutput = json\n",
        id="a key that is indented by mistake is not copied",
    ),
    pytest.param(
        f"[profile a]\n{ROLE}source_profile = a\n{KEYS}",
        f"[default]\n{KEYS}",
        None,
        "[default]\n",
        id="keys in a file that is not copied are a source as before",
    ),
    pytest.param(
        "",
        f"[default]\n{KEYS}[a]\n  credential_process = own\n  region = x\n{KEYS}",
        None,
        f"[default]\n[a]\n  region = x\n{reads(CREDENTIALS, 'a')}",
        id="keys in the credentials file win over a credential_process",
    ),
    pytest.param(
        f"[default]\n{KEYS}[profile a]\ncredential_process = own\n{KEYS}",
        "",
        "[default]\n[profile a]\ncredential_process = own\n",
        None,
        id="a credential_process wins over keys in the config file",
    ),
    pytest.param(
        "",
        f"[DEFAULT]\n{KEYS}[default]\nregion = x\n[a]\nregion = y\n",
        None,
        f"[DEFAULT]\n{reads(CREDENTIALS, 'DEFAULT')}[a]\nregion = y\n",
        id="a default profile that inherits keys goes as a whole",
    ),
]


@pytest.mark.parametrize(("config", "credentials", "config_copy", "credentials_copy"), TABLE)
def test_copies_say_the_same_without_keys(
    config: str, credentials: str, config_copy: str | None, credentials_copy: str | None
) -> None:
    assert copies(config, credentials) == (config_copy, credentials_copy)


SECRET = "a-canary"
indents = st.sampled_from(("", "", "", " ", "  ", "\t", "\u00a0"))
keys = st.sampled_from((*SECRET_KEYS[:3], "source_profile", "role_arn", "SSO_Session", *OTHER_KEYS, "REGION"))
values = st.sampled_from(("", "x", "a", "default", "a = b", "a:b", "[default]", "# x", "\u2028v", "\x0c"))
fillers = st.sampled_from(
    ("", "  ", f"# {SECRET}", f"    ; {SECRET}", "  a = b", "   role_arn = y", "\u2028")
)
settings_of_a_section = st.lists(
    st.tuples(
        st.tuples(indents, keys, st.sampled_from(("=", " = ", ":", " : ")), values),
        st.lists(fillers, max_size=3),
    ),
    unique_by=lambda setting: setting[0][1].lower(),
    max_size=4,
)
headers = st.sampled_from(DEFAULT_HEADERS) | st.sampled_from(OTHER_HEADERS) | st.just("DEFAULT")
files = st.lists(
    st.tuples(
        indents,
        headers,
        st.sampled_from(("", " # c", "x")),
        st.lists(fillers, max_size=1),
        settings_of_a_section,
    ),
    unique_by=lambda section: section[1],
    max_size=5,
)


def as_lines(sections):
    for indent, header, rest, below, set_here in sections:
        yield from (f"{indent}[{header}]{rest}", *below)
        for setting, continuation in set_here:
            secret = SECRET if setting[1] in SECRET_KEYS else ""
            yield from ("".join(setting) + secret, *continuation)


texts = st.builds(
    lambda sections, line_end: line_end.join(as_lines(sections)),
    files,
    st.sampled_from(("\n", "\r\n", "\r")),
)

Sections = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("aws") / "config"


def as_botocore_reads(text: str, file: Path) -> Sections | None:
    """The sections by their headers, or nothing where botocore, and so gds-exec, refuses the file."""
    file.write_bytes(text.encode())
    try:
        return botocore.configloader.raw_config_parse(str(file), parse_subsections=False)
    except botocore.exceptions.ConfigParseError:
        return None


def everything_else(sections: Sections, *, inherits: bool) -> Sections:
    """The sections of the user, without what a copy may change in them."""
    changed = {*SECRET_KEYS, "credential_process", "source_profile"}
    return {
        header: {
            key: "\n".join(line for line in value.split("\n") if not begins_secret(line)).rstrip("\n")
            for key, value in settings.items()
            if key not in (CREDENTIAL_KEYS if header in DEFAULT_HEADERS else changed)
        }
        for header, settings in sections.items()
        if "gds-exec-" not in header and not (inherits and header in DEFAULT_HEADERS)
    }


def begins_secret(line: str) -> bool:
    """Say whether a client that ignores indents would read the line as a secret."""
    return line.partition("=")[0].partition(":")[0].strip().lower() in SECRET_KEYS


def inherits_credentials(text: str) -> bool:
    parser = configparser.RawConfigParser()
    parser.read_file(io.StringIO(text, newline=None))
    return not parser.defaults().keys().isdisjoint(CREDENTIAL_KEYS)


@settings(deadline=None)
@given(config=texts, credentials=texts)
@example(config="", credentials="[default]\nrole_arn = x\n\n\n  y\n# c\n  z\n[a]\nrole_arn = x\n  y")
@example(config="", credentials="[DEFAULT]\nrole_arn = x\n[a]\n[default]\nregion = x\n[profile default]\n# c")
@example(config="", credentials="[DEFAULT]\nrole_arn = x\n[default]\n [a]")
@example(config="[default]\n  region = x\n role_arn = x\n  y\noutput = x\n z\n[a]", credentials="")
def test_botocore_reads_everything_else_as_before(config: str, credentials: str, file: Path) -> None:
    befores = [as_botocore_reads(text, file) for text in (config, credentials)]
    if None in befores:
        return

    for text, before, copy in zip((config, credentials), befores, copies(config, credentials), strict=True):
        if copy is None:
            continue
        after = as_botocore_reads(copy, file)
        inherits = inherits_credentials(text)
        assert everything_else(after, inherits=inherits) == everything_else(before, inherits=inherits)
        profiles = botocore.configloader.build_profile_map(after)["profiles"]
        assert profiles.get("default", {}).keys().isdisjoint(CREDENTIAL_KEYS)


@settings(deadline=None)
@given(config=texts, credentials=texts)
def test_no_secret_and_no_comment_is_in_a_copy(config: str, credentials: str, file: Path) -> None:
    if None in [as_botocore_reads(text, file) for text in (config, credentials)]:
        return

    assert SECRET not in "".join(copy or "" for copy in copies(config, credentials))


@given(text=texts)
def test_the_endpoint_is_hidden_where_botocore_finds_credentials(text: str, file: Path) -> None:
    sections = as_botocore_reads(text, file)
    if sections is None:
        return

    found = any(
        header in DEFAULT_HEADERS and not settings.keys().isdisjoint(CREDENTIAL_KEYS)
        for header, settings in sections.items()
    )
    assert hides_endpoint(text, "") == hides_endpoint("", text) == found


junk = st.text(st.sampled_from("[]default=:#; \t\r\n\\\"'") | st.characters(codec="utf-8"))
anything = st.lists(texts | junk, max_size=3).map("\n".join)


@settings(deadline=None)
@given(config=anything, credentials=anything)
def test_copies_do_not_hide_the_endpoint(config: str, credentials: str) -> None:
    config_copy, credentials_copy = copies(config, credentials)

    left = (
        config if config_copy is None else config_copy,
        credentials if credentials_copy is None else credentials_copy,
    )
    assert not hides_endpoint(*left)


@pytest.mark.parametrize("name", ["a", "a b", "it's", 'a "b"', "ü # c", "x;y"])
def test_the_line_in_a_copy_leads_to_the_keys_of_its_section(name: str, tmp_path: Path) -> None:
    path = tmp_path / "it's; the # credentials"
    text = f"[default]\n{KEYS}[{name}]\n{KEYS.replace('EXAMPLE', 'OTHER')}"
    path.write_text(text)
    credentials = Original(str(path), text, is_config=False)

    _, copy = private_texts(Original(CONFIG, "", is_config=True), credentials, program=PROGRAM)

    assert copy is not None
    program, *arguments = shlex.split(copy.splitlines()[-1].removeprefix("credential_process = "))
    assert program == PROGRAM
    assert "AKIAOTHER" in stored_keys_document(arguments[2:])


def test_settings_of_ours_are_not_copied_for_they_may_hold_a_secret() -> None:
    keys = "aws_access_key_id = AKIA\naws_secret_access_key = a-secret\n"
    config = (
        f"[default]\n{keys}[profile a]\nregion = x\nmfa_process = oathtool SEED\ngds_exec_refresh = true\n"
    )

    copy, _ = private_texts(
        Original("/c", config, is_config=True), Original("/s", "", is_config=False), program="gds-exec"
    )

    assert copy is not None
    assert "region = x" in copy
    assert not any(word in copy for word in ("mfa_process", "SEED", "gds_exec_"))
