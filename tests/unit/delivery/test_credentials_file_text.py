"""The text of a credentials file with a profile written into it, against botocore's reader and our own."""

from pathlib import Path

import botocore.configloader
import botocore.exceptions
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from gds_exec.config.aws_ini import parse
from gds_exec.config.ini_lines import ini_lines
from gds_exec.delivery.credentials_file import (
    WRITTEN_FOR,
    credential_settings,
    is_profile_name,
    section_text,
    with_profile,
    without_profile,
    written_settings,
)
from gds_exec.errors import OutputFailed
from gds_exec.session import AccessKey, SessionCredentials

SESSION = SessionCredentials(
    AccessKey("ASIAEXAMPLE", "a-secret", "a-token"), issued=1_767_319_445, expiration=1_767_323_045
)
LONG_LIVED = SessionCredentials.long_lived(AccessKey("AKIAEXAMPLE", "other-secret"), now=0)
WRITTEN = (
    "[work]\n"
    "gds_exec_written_for = prod\n"
    "aws_access_key_id = ASIAEXAMPLE\n"
    "aws_secret_access_key = a-secret\n"
    "aws_session_token = a-token\n"
    "aws_credential_expiration = 2026-01-02T03:04:05Z\n"
    "region = eu-west-2\n"
)
SHORT = {WRITTEN_FOR: "prod", "aws_access_key_id": "NEW"}
MINE = "# mine\n\n[gds-users]\naws_access_key_id = AKIA\n"


def settings(session: SessionCredentials = SESSION, *, role: str = "prod") -> dict[str, str]:
    return written_settings(session, role=role, region="eu-west-2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", WRITTEN, id="an empty file"),
        pytest.param(MINE, f"{MINE}\n{WRITTEN}", id="after what is there"),
        pytest.param(MINE.rstrip("\n"), f"{MINE}\n{WRITTEN}".rstrip("\n"), id="whose last line has no end"),
        pytest.param("[a]\r\n", "[a]\r\n\r\n" + WRITTEN.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(f"{WRITTEN}{MINE}", f"{WRITTEN}{MINE}", id="written before, in its place"),
    ],
)
def test_a_profile_is_written_beside_what_is_there(text: str, expected: str) -> None:
    assert with_profile(text, "work", settings()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f"[work]\n{WRITTEN_FOR} = x\naws_access_key_id = OLD\n# why\noutput = json\nregion = a\n\n[b]\n",
            f"[work]\n{WRITTEN_FOR} = prod\naws_access_key_id = NEW\n# why\noutput = json\n\n[b]\n",
            id="what others added stays",
        ),
        pytest.param(
            f"[work]\n{WRITTEN_FOR} = x\naws_access_key_id = OLD\n  more\n; c\n  and more\noutput = json\n",
            f"[work]\n{WRITTEN_FOR} = prod\naws_access_key_id = NEW\n; c\noutput = json\n",
            id="a value that goes on goes as a whole",
        ),
        pytest.param(
            f"  [work]\n  output = json\n  {WRITTEN_FOR} = x\n  [b]\n",
            f"  [work]\n  output = json\n  {WRITTEN_FOR} = prod\n  aws_access_key_id = NEW\n  [b]\n",
            id="indented",
        ),
        pytest.param(
            f"[work]\n{WRITTEN_FOR} = x\nregion = a",
            f"[work]\n{WRITTEN_FOR} = prod\naws_access_key_id = NEW",
            id="at the end of a file without an end",
        ),
        pytest.param(
            f"[work]\r\n{WRITTEN_FOR} = x\r\n[b]\n",
            f"[work]\r\n{WRITTEN_FOR} = prod\r\naws_access_key_id = NEW\r\n[b]\n",
            id="CRLF",
        ),
        pytest.param(
            f"[b]\ns3 =\n  [work]\n  {WRITTEN_FOR} = x\n[work]\n{WRITTEN_FOR} = x\n",
            f"[b]\ns3 =\n  [work]\n  {WRITTEN_FOR} = x\n"
            f"[work]\n{WRITTEN_FOR} = prod\naws_access_key_id = NEW\n",
            id="what only looks like a header",
        ),
    ],
)
def test_a_section_of_ours_is_written_anew_and_nothing_else(text: str, expected: str) -> None:
    assert with_profile(text, "work", SHORT) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[work]\naws_access_key_id = AKIA\n", id="keys"),
        pytest.param("[work]\n", id="empty"),
        pytest.param("[work]", id="without an end"),
        pytest.param(f"[work]\n# {WRITTEN_FOR} = prod\n", id="a marker in a comment"),
        pytest.param(f"[work]\ns3 =\n  {WRITTEN_FOR} = prod\n", id="below another setting"),
        pytest.param(f"[DEFAULT]\n{WRITTEN_FOR} = prod\n[work]\nregion = x\n", id="an inherited marker"),
        pytest.param(f"[ work ]\n{WRITTEN_FOR} = x\n", id="what other clients take for the same"),
        pytest.param(f"{WRITTEN}[work ]\nregion = x\n", id="besides one of ours"),
    ],
)
def test_a_section_that_is_not_ours_is_never_written_over(text: str) -> None:
    with pytest.raises(
        OutputFailed, match=r"\[work\] of the AWS credentials file was not written by gds-exec"
    ):
        with_profile(text, "work", settings())
    with pytest.raises(OutputFailed, match="was not written by gds-exec"):
        without_profile(text, "work")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(WRITTEN, "", id="the only section"),
        pytest.param(f"{MINE}\n{WRITTEN}", MINE, id="the last section"),
        pytest.param(f"{MINE}{WRITTEN}", MINE, id="without a blank line above"),
        pytest.param(f"{MINE}\n{WRITTEN}\n[b]\n", f"{MINE}\n[b]\n", id="between others"),
        pytest.param(f"{WRITTEN}{MINE}", MINE, id="the first section"),
        pytest.param(f"{MINE}\n{WRITTEN}".replace("\n", "\r\n"), MINE.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(
            f"{WRITTEN}# why\noutput = json\n\n[b]\n",
            "[work]\n# why\noutput = json\n\n[b]\n",
            id="settings that others added stay below the header",
        ),
        pytest.param(f"{WRITTEN}\n# of b\n[b]\n", "\n# of b\n[b]\n", id="comments stay"),
        pytest.param(
            f"{WRITTEN.replace('= a-token', '= a-token' + chr(10) + '  more')}[b]\n",
            "[b]\n",
            id="a value that goes on goes as a whole",
        ),
        pytest.param(
            f"[a]\nx = 1\n[work]\n  {WRITTEN_FOR} = prod\n  [b]\n",
            "[a]\nx = 1\n[work]\n  [b]\n",
            id="a header stays if the next one would else go on with another setting",
        ),
        pytest.param(f"[work]\n{WRITTEN_FOR} = prod\n", "", id="nothing but the mark"),
        pytest.param(MINE, None, id="no such section"),
    ],
)
def test_what_was_written_is_removed_and_nothing_else(text: str, expected: str | None) -> None:
    assert without_profile(text, "work") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("work", True), ("default", True), ("a.b_c-d@e/f:1+=,", True), ("", False), ("DEFAULT", False),
        ("my work", False), ("a]", False), ("[a", False), ("#a", False), ("a\nb", False), ("é", False),
    ],
)  # fmt: skip
def test_only_a_name_that_every_client_reads_the_same_way_is_taken(name: str, expected: bool) -> None:
    assert is_profile_name(name) is expected


def test_keys_that_last_are_written_without_token_and_expiration() -> None:
    assert credential_settings(LONG_LIVED, region=None) == {
        "aws_access_key_id": "AKIAEXAMPLE",
        "aws_secret_access_key": "other-secret",
    }


@pytest.mark.parametrize("value", ["X\nb", "X\r", " X", "X ", "X\x1b", "Xé"], ids=repr)
def test_a_value_that_would_not_be_read_back_is_refused_without_telling_it(value: str) -> None:
    with pytest.raises(OutputFailed, match="region cannot be written") as refusal:
        section_text("work", {"region": value})

    assert "X" not in refusal.value.message


@given(role=st.text())
def test_whatever_a_role_is_called_its_section_is_our_own(role: str) -> None:
    text = with_profile("", "work", settings(role=role))

    assert with_profile(text, "work", settings()) == WRITTEN


indents = st.sampled_from(("", "", "", " ", "  ", "\t"))
keys = st.sampled_from(("aws_access_key_id", "Region", "output", "s3", "aws_session_token", WRITTEN_FOR))
values = st.sampled_from(("", "x", "a = b", "[work]", "# x"))
fillers = st.sampled_from(("", "  ", "# [work]", "    ; c", "  a = b", "   region = y"))
settings_of_a_section = st.lists(
    st.tuples(
        st.tuples(indents, keys, st.sampled_from(("=", " = ", ":")), values), st.lists(fillers, max_size=3)
    ),
    unique_by=lambda setting: setting[0][1].lower(),
    max_size=4,
)
headers = st.sampled_from(("work", "work", "a", "default", "DEFAULT", "profile work", "]", "ü"))
files = st.lists(
    st.tuples(indents, headers, st.lists(fillers, max_size=1), settings_of_a_section),
    unique_by=lambda section: section[1],
    max_size=4,
)


def as_lines(sections):
    for indent, header, below, settings in sections:
        yield from (f"{indent}[{header}]", *below)
        for setting, continuation in settings:
            yield from ("".join(setting), *continuation)


texts = st.builds(
    lambda sections, line_end, last: line_end.join(as_lines(sections)) + last,
    files,
    st.sampled_from(("\n", "\r\n", "\r")),
    st.sampled_from(("", "\n")),
)
Sections = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("aws") / "credentials"


def as_botocore_reads(text: str, file: Path) -> Sections:
    """The sections by their headers, as text; no example where botocore, and so we, refuse the file."""
    file.write_bytes(text.encode())
    try:
        botocore.configloader.raw_config_parse(str(file))
    except botocore.exceptions.ConfigParseError:
        reject()
    return botocore.configloader.raw_config_parse(str(file), parse_subsections=False)


@given(text=texts)
def test_botocore_and_we_read_the_profile_and_all_others_as_before(text: str, file: Path) -> None:
    before = as_botocore_reads(text, file)
    try:
        written = with_profile(text, "work", settings())
    except OutputFailed:
        assert "work" in before
        return

    inherited = as_botocore_reads(f"{text}\n[nobody]", file)["nobody"]
    after = as_botocore_reads(written, file)

    assert after["work"] == {**inherited, **others_in(before.get("work", {})), **settings()}
    assert without_work(after) == without_work(before)
    ours = parse(written, path="credentials")["work"]
    assert {key: ours[key].value for key in settings()} == settings()


def others_in(section: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in section.items() if key not in settings()}


def without_work(sections: Sections) -> Sections:
    return {header: section for header, section in sections.items() if header != "work"}


@given(text=texts)
def test_written_twice_it_is_as_written_once(text: str, file: Path) -> None:
    as_botocore_reads(text, file)
    try:
        once = with_profile(text, "work", settings())
    except OutputFailed:
        return

    assert with_profile(with_profile(text, "work", settings(LONG_LIVED)), "work", settings()) == once


@given(text=texts | st.text(st.sampled_from("[]a=# \t\r\n")))
def test_written_and_removed_it_is_as_before_to_the_byte(text: str) -> None:
    if any(line.header.strip() == "work" for line in ini_lines(text)):
        reject()

    assert without_profile(with_profile(text, "work", settings()), "work") == text


@given(text=texts)
def test_botocore_reads_all_others_as_before_when_it_is_removed(text: str, file: Path) -> None:
    before = as_botocore_reads(text, file)
    try:
        removed = without_profile(text, "work")
    except OutputFailed:
        assert "work" in before
        return
    if removed is None:
        assert "work" not in before
        return

    inherited = as_botocore_reads(f"{text}\n[nobody]", file)["nobody"]
    after = as_botocore_reads(removed, file)

    assert without_work(after) == without_work(before)
    left = {**inherited, **others_in(before["work"])}
    assert after.get("work", left if left == inherited else None) == left


@given(text=texts | st.text(st.sampled_from("[]work=:#; \t\r\n") | st.characters(codec="utf-8")))
def test_the_lines_of_a_text_are_the_text(text: str) -> None:
    assert "".join(line.text for line in ini_lines(text)) == text
