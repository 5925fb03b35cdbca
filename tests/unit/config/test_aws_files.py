"""The readers of AWS's files, against botocore's own loader and against everything that a path can name."""

import os
import pwd
import socket
import subprocess

import botocore.configloader
import botocore.exceptions
import botocore.session
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gds_exec.config.aws_files import AwsFiles, FileRead, home_directory, read_aws_files
from gds_exec.config.aws_ini import parse
from gds_exec.errors import BrokenFile

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEYS = f"aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n"

HEADERS = (
    "default", "DEFAULT", "profile default", "profile a", 'profile "a"', "profile 'a b'", "profile a b",
    "profile\ta", 'profile "a', "profile a\\ b", "profilex b", "profile", "a", "preview", "services s",
    "sso-session x", " b ", "]", "a]b", "ü", "profile ü", "",
)  # fmt: skip
KEY_NAMES = ("region", "REGION", "role_arn", "s3", "sts", "ünï", "a b", "", "#k", "[k")
VALUES = (
    "",
    "eu-west-1",
    "eu # c",
    "a=b",
    "a:b",
    "100%",
    "%(region)s",
    "; x",
    "x\t",
    '"quoted"',
    "\x0c",
    "\u2028v",
)
INDENTS = ("", "", "", " ", "  ", "\t", "\u00a0", "    ")


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".aws").mkdir()
    return tmp_path


def read(home, config=b"", credentials=b"") -> AwsFiles:
    """Write both files below `home`, as text or bytes, and read them."""
    for name, content in (("config", config), ("credentials", credentials)):
        path = home / ".aws" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o600)
    return read_aws_files({}, home=str(home))


def plain(sections):
    return {
        name: {key: setting.value for key, setting in dict(section).items()}
        for name, section in sections.items()
    }


def botocore_config(home):
    session = botocore.session.Session()
    session.set_config_variable("config_file", str(home / ".aws/config"))
    session.set_config_variable("credentials_file", str(home / ".aws/credentials"))
    return session.full_config


indents = st.sampled_from(INDENTS)
junk = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
lines = st.one_of(
    st.builds("{}[{}]{}".format, indents, st.sampled_from(HEADERS), st.sampled_from(("", " ", " # c", "x"))),
    st.builds(
        "{}{}{}{}".format, indents, st.sampled_from(KEY_NAMES), st.sampled_from(("=", " = ", ":", " ")),
        st.sampled_from(VALUES),
    ),
    st.builds("  {} = {}".format, st.sampled_from(KEY_NAMES), st.sampled_from(VALUES)),
    st.sampled_from(("", "  ", "# comment", "  ; comment", "[unclosed", "[")),
    junk,
)  # fmt: skip
well_formed_sections = st.lists(
    st.tuples(
        st.sampled_from([header for header in HEADERS if header]),
        st.dictionaries(st.sampled_from(("region", "role_arn", "ünï", "k:")), st.sampled_from(VALUES)),
        st.lists(st.sampled_from(("    a = b", "", "# c", "  c = d = e", "    \u2028x = y")), max_size=4),
    ),
    unique_by=lambda section: section[0],
    max_size=5,
)


def as_text(sections):
    return "\n".join(
        line
        for header, values, block in sections
        for line in (f"[{header}]", *(f"{key} = {value}" for key, value in values.items()), "s3 =", *block)
    )


texts = st.one_of(
    well_formed_sections.map(as_text),
    st.lists(lines, max_size=9).map("\n".join),
    st.tuples(well_formed_sections.map(as_text), lines).map("\n".join),
)


@given(config=texts, credentials=texts, line_end=st.sampled_from(("\n", "\r\n", "\r")))
@example(config="[DEFAULT]\ns3 =\n  broken", credentials="", line_end="\n")
@example(
    config="[DEFAULT]\nregion = x\ns3 =\n  a = b\n[profile a]\nregion = y", credentials="[a]", line_end="\n"
)
@example(config="[profile a]\nk = v\n\n  w\n# c\n\n  x\n\n", credentials="[a]\nk = u", line_end="\r")
@example(
    config="[default]\na=1\n[profile default]\nb=2", credentials="[profile x]\na=1", line_end="\n"
)  # matrix 121
@example(
    config="[profile a]\n  r = 1\n[k = 1\n[profile b]\nz = 0\n  r = 2\n[k = 2]", credentials="", line_end="\n"
)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_files_are_accepted_and_refused_as_by_botocore(home, config, credentials, line_end):
    contents = [text.replace("\n", line_end) for text in (config, credentials)]
    try:
        files = read(home, *contents)
    except BrokenFile:
        with pytest.raises(botocore.exceptions.ConfigParseError):
            botocore_config(home)
        return
    expected = botocore_config(home)
    assert plain(files.profiles) == expected["profiles"]
    assert plain(files.services) == expected.get("services", {})


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        pytest.param("[a]\nk=1\n\n[a]\n", 4, "[a] stands twice, first on line 1", id="112-section-twice"),
        pytest.param(
            "[profile x]\nregion=1\nREGION=2",
            3,
            "key 'region' stands twice in [profile x]",
            id="112-key-twice",
        ),
        pytest.param("\n# c\nregion = x\n", 3, "no [section] stands above this line", id="113-no-header"),
        pytest.param("[a\nk=v", 1, "no [section] stands above this line", id="113-unclosed-first"),
        pytest.param("[a]\n[b\n", 2, "neither a [section] nor 'key = value'", id="113-unclosed"),
        pytest.param("[a]\nk=1\n= v", 3, "neither a [section] nor 'key = value'", id="113-no-key"),
        pytest.param(b"[a]\r\nk=1\r\nn=Andr\xe9", 3, "a byte that is not UTF-8", id="113-latin-1"),
        pytest.param(b"[a]\rk=1\r\xff", 3, "a byte that is not UTF-8", id="113-latin-1-after-cr"),
        pytest.param("[a]\nk=\0", 2, "a NUL character", id="113-nul"),
        pytest.param(
            "[a]\ns3 =\n  x", 2, "the lines below 's3' are not all 'key = value'", id="114-bad-block"
        ),
        pytest.param(
            "[a]\n\x1b[1mk=1\n\x1b[1mk=1", 3, r"key '\x1b[1mk' stands twice in [a]", id="82-escape-in-key"
        ),
    ],
)
def test_broken_file_is_refused_with_its_line(home, content, line, reason):
    with pytest.raises(BrokenFile) as refusal:
        read(home, config=content)
    assert refusal.value.message == f"{home}/.aws/config, line {line}: {reason}"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[a]\n" + SECRET.encode() + b"\n", id="junk-line"),
        pytest.param(b"[a]\nk = " + SECRET.encode() + b"\xff", id="undecodable"),
        pytest.param(b"[a]\nk =\n  " + SECRET.encode(), id="block"),
    ],
)
def test_refusal_does_not_repeat_what_the_file_holds(home, content):
    with pytest.raises(BrokenFile) as refusal:
        read(home, credentials=content)
    causes = (refusal.value, refusal.value.__cause__, refusal.value.__context__)
    assert SECRET not in "".join(map(repr, causes))


@pytest.mark.parametrize(
    "mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"], ids=["utf-8", "utf-16-le", "utf-16-be"]
)
def test_byte_order_mark_is_named(home, mark):
    """Matrix 110."""
    with pytest.raises(BrokenFile, match="config starts with a byte-order mark") as refusal:
        read(home, config=mark + b"[default]\n")
    assert "UTF-8" in refusal.value.hint


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "111-crlf", "111-cr"])
def test_every_value_knows_its_file_and_line(home, line_end):
    config = line_end.join(("# c", "[profile a]", "region = eu-west-1", "s3 =", "  x = y", "output = json"))
    section = read(home, config=config, credentials="[a]\nregion = eu-west-2").profiles["a"]
    assert {key: (setting.origin, setting.value) for key, setting in dict(section).items()} == {
        "region": (f"{home}/.aws/credentials, line 2", "eu-west-2"),
        "s3": (f"{home}/.aws/config, line 4", {"x": "y"}),
        "output": (f"{home}/.aws/config, line 6", "json"),
    }


def test_both_layouts_are_read_and_the_credentials_file_wins(home):
    files = read(
        home,
        config="[profile a]\nregion = one\noutput = json\n[profile c]\nregion = three\n",
        credentials="[a]\nregion = two\n[b]\nrole_arn = x\n",
    )
    assert plain(files.profiles) == {
        "a": {"region": "two", "output": "json"},
        "b": {"role_arn": "x"},
        "c": {"region": "three"},
    }
    assert plain(files.config_profiles)["a"] == {"region": "one", "output": "json"}


@pytest.mark.parametrize("value", ["100%", "eu # c", "a ; b", "%(x)s", "${HOME}", "'q'"])
def test_values_are_verbatim(home, value):
    """Matrix 116."""
    assert read(home, config=f"[default]\nregion = {value}").profiles["default"]["region"].value == value


@pytest.mark.parametrize(
    ("header", "name", "advice"),
    [
        pytest.param("profile my prof", "my prof", '[profile "my prof"]', id="115-unquoted-space"),
        pytest.param("profile it's", "it's", '[profile "it\'s"]', id="115-open-quote"),
        pytest.param("my-team", "my-team", "[profile my-team]", id="no-word-profile"),
    ],
)
def test_section_that_is_no_profile_is_told_of(home, header, name, advice):
    files = read(home, config=f"\n[{header}]\nrole_arn = x\n")
    assert files.profiles == {}
    warning = f"{home}/.aws/config, line 2: [{header}] is not read as a profile: write {advice}"
    assert files.unread_sections == {name: warning}


def test_sections_of_other_tools_are_left_in_peace(home):
    files = read(home, config="[preview]\ncloudfront = true\n[plugins]\nx = y\n")
    assert (files.profiles, files.unread_sections) == ({}, {})


@pytest.mark.parametrize(
    ("mode", "credentials", "warns"),
    [
        pytest.param(0o644, f"[a]\n{KEYS}", True, id="124-world"),
        pytest.param(0o640, f"[a]\n{KEYS}", True, id="124-group"),
        pytest.param(0o600, f"[a]\n{KEYS}", False, id="owner-alone"),
        pytest.param(0o644, "[a]\nrole_arn = x\n", False, id="no-secret-in-it"),
    ],
)
def test_secrets_that_others_can_read_are_warned_of(home, mode, credentials, warns):
    read(home, credentials=credentials)
    path = home / ".aws/credentials"
    path.chmod(mode)
    warning = f"{path} holds secrets and can be read by others: chmod 600 {path}"
    assert read_aws_files({}, home=str(home)).exposure == (warning if warns else None)


def test_absent_files_are_empty(tmp_path):
    """Matrix 117."""
    files = read_aws_files({}, home=str(tmp_path))
    assert (files.profiles, files.missing_files) == ({}, ())
    assert files.paths == (f"{tmp_path}/.aws/config", f"{tmp_path}/.aws/credentials")


def test_files_know_what_was_read(home):
    read(home, config="[default]\n")
    (home / ".aws/credentials").unlink()
    path = f"{home}/.aws/config"
    assert read_aws_files({}, home=str(home)).read == (
        FileRead(path, os.stat(path)),
        FileRead(f"{home}/.aws/credentials", None),
    )


def test_status_is_that_of_the_file_behind_a_link(home, tmp_path):
    read(home, config="[default]\n")
    link = tmp_path / "link"
    link.symlink_to(home / ".aws/config")
    config, _ = read_aws_files({"AWS_CONFIG_FILE": str(link)}, home=str(home)).read
    assert config == FileRead(str(link), os.stat(home / ".aws/config"))


def test_status_is_from_before_the_content_was_read(home):
    """What is changed in between must not look unchanged later: reading itself is the change here."""
    read(home, config="[default]\n")
    path = home / ".aws/config"
    os.utime(path, ns=(0, path.stat().st_mtime_ns))
    config, _ = read_aws_files({}, home=str(home)).read
    if path.stat().st_atime_ns == 0:
        pytest.skip("this file system does not note when a file is read")
    assert config.status.st_atime_ns == 0


@pytest.mark.parametrize(
    ("environ", "home", "is_plain"),
    [
        pytest.param({"HOME": "/h"}, "/h", True, id="below-home"),
        pytest.param({}, "/h", False, id="home-of-the-password-database"),
        pytest.param({"HOME": "rel"}, "rel", False, id="relative-home"),
        pytest.param({}, None, False, id="no-home"),
        pytest.param({"HOME": "/h", "AWS_CONFIG_FILE": "/c"}, "/h", True, id="absolute"),
        pytest.param({"HOME": "/h", "AWS_CONFIG_FILE": "~/c"}, "/h", True, id="tilde"),
        pytest.param({"HOME": "/h", "AWS_CONFIG_FILE": "c"}, "/h", False, id="relative"),
        pytest.param({"HOME": "/h", "AWS_CONFIG_FILE": "/a/$B"}, "/h", False, id="variable"),
        pytest.param({"HOME": "/h", "AWS_CONFIG_FILE": "~/$B"}, "/h", False, id="variable-below-home"),
        pytest.param({"HOME": "/h", "AWS_CONFIG_FILE": "~nobody/c"}, "/h", False, id="home-of-another"),
        pytest.param({"HOME": "/h", "AWS_CONFIG_FILE": ""}, "/h", True, id="none-wanted"),
        pytest.param({"HOME": "/h", "AWS_SHARED_CREDENTIALS_FILE": "c"}, "/h", False, id="the-other-file"),
        pytest.param(
            {"AWS_CONFIG_FILE": "/c", "AWS_SHARED_CREDENTIALS_FILE": "/d"}, None, True, id="home-not-needed"
        ),
        pytest.param(
            {"AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": "/d"}, "/h", False, id="home-needed"
        ),
    ],
)
def test_location_is_plain_where_only_absolute_paths_and_home_lead_to_it(environ, home, is_plain):
    assert read_aws_files(environ, home=home).is_location_plain is is_plain


def test_file_below_something_that_is_no_directory_is_absent(tmp_path):
    (tmp_path / ".aws").write_text("a file")
    assert read_aws_files({}, home=str(tmp_path)).profiles == {}


def test_absent_file_that_a_variable_names_is_remembered(tmp_path):
    environ = {"AWS_CONFIG_FILE": f"{tmp_path}/x\x1b", "AWS_SHARED_CREDENTIALS_FILE": ""}
    files = read_aws_files(environ, home=str(tmp_path))
    assert files.missing_files == (
        rf"AWS_CONFIG_FILE names '{tmp_path}/x\x1b', which does not exist",
        "AWS_SHARED_CREDENTIALS_FILE names '', which does not exist",
    )


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))  # a socket's path has a short limit


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda path: path.mkdir(), "is a directory", id="117-directory"),
        pytest.param(os.mkfifo, "nothing was written to the pipe", id="117-fifo"),
        pytest.param(
            lambda path: path.symlink_to("/dev/zero"),
            "neither a regular file nor a pipe",
            id="117-dev-zero",
        ),
        pytest.param(
            lambda path: path.symlink_to(path), "too many levels of symbolic links", id="117-unreadable"
        ),
        pytest.param(make_socket, "no such device or address", id="117-socket"),
    ],
)
@pytest.mark.timeout(10)
def test_path_that_cannot_be_read_is_named(tmp_path, make, reason):
    path = tmp_path / "config"
    make(path)
    with pytest.raises(BrokenFile) as refusal:
        read_aws_files({"AWS_CONFIG_FILE": str(path)}, home=None)
    assert refusal.value.message == f"{path} cannot be read: {reason}"


def test_dev_null_is_an_empty_file():
    environ = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    files = read_aws_files(environ, home=None)
    assert (files.profiles, files.missing_files) == ({}, ())


def read_pipe(writer, **options) -> AwsFiles:
    """Read as AWS_CONFIG_FILE what a shell script writes into a pipe."""
    with subprocess.Popen(["sh", "-c", writer], stdout=subprocess.PIPE) as process:
        environ = {"AWS_CONFIG_FILE": f"/dev/fd/{process.stdout.fileno()}"}
        try:
            return read_aws_files(environ, home=None, **options)
        finally:
            process.kill()


@pytest.mark.parametrize("count", [1, 10_000], ids=["one-piece", "more-than-a-pipe-holds"])
@pytest.mark.timeout(10)
def test_pipe_is_read_until_its_writer_closes_it(count):
    """Matrix 117."""
    files = read_pipe(f"seq -f '[profile p%.0f]' {count}")
    assert list(files.profiles) == [f"p{number}" for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("writer", "options", "reason"),
    [
        pytest.param("true", {}, "nothing was written to the pipe", id="silent"),
        pytest.param(
            "echo '[default]'; exec sleep 60",
            {"pipe_seconds": 0.5},
            "the pipe was not closed within 0.5 seconds",
            id="slow",
        ),
        pytest.param(
            "exec head -c 17000000 /dev/zero", {}, "more than 16 MiB came through the pipe", id="long"
        ),
    ],
)
@pytest.mark.timeout(10)
def test_pipe_that_does_not_yield_a_file_is_refused(writer, options, reason):
    """Matrix 117."""
    with pytest.raises(BrokenFile, match=f"^/dev/fd/[0-9]+ cannot be read: {reason}$"):
        read_pipe(writer, **options)


@pytest.mark.parametrize(
    "path", ["~/.aws/config", "$AWS_HOME/config", "${AWS_HOME}/config"], ids=["tilde", "variable", "braces"]
)
def test_paths_in_variables_are_expanded(home, path):
    read(home, config="[default]\nregion = x\n")
    environ = {"AWS_CONFIG_FILE": path, "AWS_HOME": f"{home}/.aws"}
    assert plain(read_aws_files(environ, home=f"{home}/").profiles) == {"default": {"region": "x"}}


@pytest.mark.parametrize("path", ["$UNSET/config", "~nobody-of-that-name/config", "~"])
def test_what_cannot_be_expanded_stays_as_it_is(path):
    environ = {"AWS_CONFIG_FILE": path}
    assert read_aws_files(environ, home=None).missing_files == (
        f"AWS_CONFIG_FILE names '{path}', which does not exist",
    )


PASSWD_ENTRY = pwd.getpwuid(os.getuid())


@pytest.mark.parametrize(
    ("environ", "entries", "expected"),
    [
        pytest.param({"HOME": "/h"}, {}, "/h", id="32-set"),
        pytest.param({"HOME": "rel"}, {}, "rel", id="32-relative"),
        pytest.param({"HOME": ""}, {os.getuid(): PASSWD_ENTRY}, PASSWD_ENTRY.pw_dir, id="32-empty"),
        pytest.param({}, {os.getuid(): PASSWD_ENTRY}, PASSWD_ENTRY.pw_dir, id="32-unset"),
        pytest.param({}, {}, None, id="32-no-passwd-entry"),
    ],
)
def test_home_is_found_or_known_to_be_missing(environ, entries, expected):
    assert home_directory(environ, getpwuid=entries.__getitem__) == expected


def test_without_a_home_only_named_files_are_read(home):
    """Matrix 32."""
    read(home, config="[default]\nregion = x\n")
    files = read_aws_files({"AWS_CONFIG_FILE": f"{home}/.aws/config"}, home=None)
    assert list(files.profiles) == ["default"]
    assert read_aws_files({}, home=None).paths == ()


def test_no_representation_holds_a_secret(home):
    files = read(home, config=f"[profile a]\n{KEYS}", credentials=f"[a]\n{KEYS}")
    setting = parse(f"[a]\n{KEYS}", path="x")["a"]["aws_secret_access_key"]
    for shown in (repr(files), repr(files.profiles), f"{setting} {setting!r}"):
        assert SECRET not in shown


def test_ten_thousand_profiles_are_read_as_botocore_reads_them(home):
    """Matrix 118."""
    profile = "[profile team-{0}]\nrole_arn = arn:{0}\nsource_profile = base\nregion = eu-west-1\n\n"
    read(home, config="".join(map(profile.format, range(10_000))))

    files = read_aws_files({}, home=str(home))

    assert len(files.profiles) == 10_000
    assert set(files.profiles) == set(botocore_config(home)["profiles"])
