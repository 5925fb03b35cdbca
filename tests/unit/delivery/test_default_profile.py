"""What hides an endpoint, and the text without it, against botocore's own reader of the files."""

import configparser
import io
from pathlib import Path

import botocore.configloader
import botocore.exceptions
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gds_exec.delivery.default_profile import hides_endpoint, without_default_credentials

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
KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = a-secret\n"


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"[default]\n{KEYS}region = x\n", "[default]\nregion = x\n", id="the settings"),
        pytest.param(
            f"# mine\n\n[default]\n{KEYS}\n# its region\nregion=x\n[a]\n{KEYS}",
            f"# mine\n\n[default]\n\n# its region\nregion=x\n[a]\n{KEYS}",
            id="comments and empty lines stay",
        ),
        pytest.param(
            "[default]\nrole_arn = x\n  y\n\n  # why\n  z\nregion = x\n",
            "[default]\n\n  # why\nregion = x\n",
            id="with the lines that go on with them",
        ),
        pytest.param(
            "[default]\r\nrole_arn=x\r\nregion = x\r[a]\nrole_arn=x",
            "[default]\r\nregion = x\r[a]\nrole_arn=x",
            id="line ends of all kinds",
        ),
        pytest.param(
            "[default]\noutput = \udcff\x0c\nrole_arn=\udcfe",
            "[default]\noutput = \udcff\x0c\n",
            id="bytes that are no text",
        ),
        pytest.param(
            f"[DEFAULT]\n{KEYS}[default]\nregion = x\n[a]\nregion = y\n",
            f"[DEFAULT]\n{KEYS}[a]\nregion = y\n",
            id="the whole profile, where others inherit the same",
        ),
    ],
)
def test_the_rest_of_the_text_stays_as_it_is(text: str, expected: str) -> None:
    assert without_default_credentials(text) == expected


indents = st.sampled_from(("", "", "", " ", "  ", "\t", "\u00a0"))
keys = st.sampled_from((*CREDENTIAL_KEYS[:2], "role_arn", "SSO_Session", *OTHER_KEYS, "REGION"))
values = st.sampled_from(("", "x", "a = b", "a:b", "[default]", "# x", "\u2028v", "\x0c"))
fillers = st.sampled_from(("", "  ", "# role_arn = x", "    ; c", "  a = b", "   role_arn = y", "\u2028"))
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
    for indent, header, rest, below, settings in sections:
        yield from (f"{indent}[{header}]{rest}", *below)
        for setting, continuation in settings:
            yield from ("".join(setting), *continuation)


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


def without_credentials(sections: Sections) -> Sections:
    """The sections, but for the credential settings of the default ones."""
    return {
        header: {
            key: value
            for key, value in settings.items()
            if header not in DEFAULT_HEADERS or key not in CREDENTIAL_KEYS
        }
        for header, settings in sections.items()
    }


def inherits_credentials(text: str) -> bool:
    parser = configparser.RawConfigParser()
    parser.read_file(io.StringIO(text, newline=None))
    return not parser.defaults().keys().isdisjoint(CREDENTIAL_KEYS)


@given(text=texts)
@example(text="[default]\nrole_arn = x\n\n\n  y\n# c\n  z\n[a]\nrole_arn = x\n  y")
@example(text="[DEFAULT]\nrole_arn = x\n[a]\n[default]\nregion = x\n[profile default]\n# c")
@example(text="[DEFAULT]\nrole_arn = x\n[default]\n [a]")
@example(text="[default]\n  region = x\n role_arn = x\n  y\noutput = x\n z\n[a]")
def test_botocore_reads_everything_else_as_before(text: str, file: Path) -> None:
    before = as_botocore_reads(text, file)
    if before is None:
        return
    expected = without_credentials(before)
    if inherits_credentials(text):
        expected = {header: expected[header] for header in before if header not in DEFAULT_HEADERS}

    after = as_botocore_reads(without_default_credentials(text), file)

    assert after == expected
    profiles = botocore.configloader.build_profile_map(after)["profiles"]
    assert profiles.get("default", {}).keys().isdisjoint(CREDENTIAL_KEYS)


@given(text=texts)
def test_the_endpoint_is_hidden_where_botocore_finds_credentials(text: str, file: Path) -> None:
    sections = as_botocore_reads(text, file)
    if sections is None:
        return

    assert hides_endpoint(text, "") == hides_endpoint("", text) == (sections != without_credentials(sections))


junk = st.text(st.sampled_from("[]default=:#; \t\r\n\\\"'") | st.characters(codec="utf-8"))


without_inheritance = (
    st.lists(texts | junk, max_size=3).map("\n".join).filter(lambda text: "[DEFAULT]" not in text)
)


# Of one kind of line end: a CR and an LF that come to stand together would be one.
@given(text=without_inheritance.map(lambda text: text.replace("\r", "")))
def test_lines_are_only_ever_left_out(text: str) -> None:
    rest = iter(io.StringIO(text, newline=""))

    assert all(line in rest for line in io.StringIO(without_default_credentials(text), newline=""))


@given(text=texts)
def test_what_is_left_does_not_hide_the_endpoint(text: str) -> None:
    left = without_default_credentials(text)

    assert not hides_endpoint(left, left)
