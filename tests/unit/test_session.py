"""Sessions as values that show nothing, and as text that is read only where it is wholly right."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gds_exec.session import (
    HEADER,
    AccessKey,
    SessionCredentials,
    cache_path,
    epoch_of,
    file_name,
    from_hex,
    iso_time,
    open_if_private,
    parse,
    put_off_name,
    put_off_until,
    read,
    read_private_text,
    remainder,
    serialise,
    to_hex,
    with_checksum,
)
from tests.cached import write_cached
from tests.fakes import NOON, a_session

LONG_LIVED = SessionCredentials.long_lived(AccessKey("AKIAEXAMPLE1234", "a-secret"), now=NOON)


@pytest.mark.parametrize("form", [repr, str, lambda value: f"{value}", lambda value: f"{[value]}"])
@pytest.mark.parametrize("value", [a_session("WXYZ"), a_session("WXYZ").access_key])
def test_no_form_of_credentials_shows_more_than_the_end_of_the_key_id(value: object, form: object) -> None:
    shown = form(value)  # type: ignore[operator]

    assert "WXYZ" in shown
    assert not any(part in shown for part in ("ASIA", "secret", "token"))


def test_credentials_have_no_dict_that_a_debugger_or_logger_might_print() -> None:
    assert not hasattr(a_session(), "__dict__")
    assert not hasattr(a_session().access_key, "__dict__")


@pytest.mark.parametrize(
    ("clock_offset", "now", "left"),
    [
        pytest.param(0, NOON, 3600, id="clocks agree"),
        pytest.param(0, NOON + 3601, -1, id="expired"),
        pytest.param(7200, NOON - 7200, 3600, id="our clock is behind"),
        pytest.param(-600, NOON + 600, 3000, id="our clock is ahead, or was and is right by now"),
    ],
)
def test_seconds_left_are_reckoned_by_the_clock_that_is_further_on(
    clock_offset: int, now: float, left: float
) -> None:
    assert a_session(clock_offset=clock_offset).seconds_left(now) == left


def test_long_lived_keys_never_run_out() -> None:
    assert LONG_LIVED.seconds_left(NOON + 10**9) == float("inf")
    assert LONG_LIVED.life_seconds() == float("inf")


def test_a_session_lives_from_issue_to_expiration() -> None:
    assert a_session(life=900).life_seconds() == 900


def test_keys_with_a_session_token_are_temporary() -> None:
    assert a_session().access_key.is_temporary
    assert not LONG_LIVED.access_key.is_temporary


@pytest.mark.parametrize(
    ("clock_offset", "now", "age"),
    [
        pytest.param(0, NOON, 0, id="just made"),
        pytest.param(0, NOON + 90, 90, id="clocks agree"),
        pytest.param(7200, NOON - 7200 + 90, 90, id="our clock is behind"),
        pytest.param(-600, NOON + 600 + 90, 690, id="our clock is ahead, or was and is right by now"),
    ],
)
def test_the_age_is_reckoned_by_the_clock_that_is_further_on(
    clock_offset: int, now: float, age: float
) -> None:
    assert a_session(clock_offset=clock_offset).age_seconds(now) == age


@pytest.mark.parametrize(("seconds_before", "is_from_the_future"), [(300, False), (301, True)])
def test_a_session_is_from_the_future_where_the_clock_went_back_by_more_than_5_min(
    seconds_before: int, is_from_the_future: bool
) -> None:
    assert a_session().is_from_the_future(NOON - seconds_before) is is_from_the_future


# As text

KEY = "0123abcd"
SESSION = a_session(arn="arn:aws:sts::222222222222:assumed-role/admin/alice", clock_offset=-7)
GOOD = serialise(SESSION)
WHOLE = with_checksum(GOOD).encode()

values = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1)
LONGEST = 36 * 3600  # what GetSessionToken gives at most
epochs = st.integers(1, 10**11 - 1 - LONGEST)


@st.composite
def sessions(draw: st.DrawFn) -> SessionCredentials:
    issued = draw(epochs)
    return SessionCredentials(
        AccessKey(draw(values), draw(values), draw(values)),
        issued=issued,
        expiration=issued + draw(st.integers(1, LONGEST)),
        arn=draw(st.just("") | values),
        clock_offset=draw(st.integers(-999_999, 999_999)),
    )


def parts(session: SessionCredentials | None) -> tuple[object, ...] | None:
    if session is None:
        return None
    key = session.access_key
    return (
        key.access_key_id,
        key.secret_access_key,
        key.session_token,
        session.issued,
        session.expiration,
        session.clock_offset,
        session.arn,
    )


def with_field(name: str, value: str) -> str:
    lines = [f"{name}={value}" if line.startswith(f"{name}=") else line for line in GOOD.split("\n")]
    return "\n".join(lines)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def put(tmp_path: Path, data: bytes, mode: int = 0o600) -> Path:
    path = tmp_path / file_name(KEY)
    path.write_bytes(data)
    path.chmod(mode)
    return path


@given(sessions())
def test_a_session_comes_back_as_it_went(session: SessionCredentials) -> None:
    assert parts(parse(serialise(session))) == parts(session)


@pytest.mark.parametrize("end", range(len(GOOD)))
def test_no_beginning_of_a_good_file_is_a_session(end: int) -> None:  # matrix 18
    assert parse(GOOD[:end]) is None


@given(st.text())
@example("[]")
@example("null")
@example("[" * 60_000)
def test_text_of_any_kind_is_no_session(text: str) -> None:  # matrix 18
    assert parse(text) is None


@given(st.text())
@example("\n")
@example("=\n=")
def test_text_of_any_kind_between_header_and_end_is_no_session(text: str) -> None:
    assert parse(f"{HEADER}\n{text}\nend\n") is None


@pytest.mark.parametrize("name", ["issued", "expiration"])
@pytest.mark.parametrize(
    "value",
    ["", "NaN", "inf", "soon", "True", "-1", "0", "1e9", "1.5", "100000000000", "0x10", "٣", " 5", "None"],
)
def test_a_moment_that_is_no_epoch_second_makes_it_no_session(name: str, value: str) -> None:  # matrix 19
    assert parse(with_field(name, value)) is None


@pytest.mark.parametrize("value", ["", "-", "--1", "+1", "1.5", "NaN", "1000000", "٣"])
def test_a_clock_offset_that_is_no_number_of_seconds_makes_it_no_session(value: str) -> None:
    assert parse(with_field("clock_offset", value)) is None


@pytest.mark.parametrize("expiration", [SESSION.issued, SESSION.issued - 1])
def test_a_session_that_ends_before_it_begins_is_none(expiration: int) -> None:
    assert parse(with_field("expiration", str(expiration))) is None


def test_a_session_longer_than_aws_gives_is_none() -> None:
    assert parse(with_field("expiration", str(SESSION.issued + LONGEST))) is not None
    assert parse(with_field("expiration", str(SESSION.issued + LONGEST + 61))) is None


def test_two_sessions_in_one_file_are_none() -> None:  # matrix 36
    other = serialise(a_session("0002"))

    assert parse(GOOD + other) is None
    assert parse(GOOD.removesuffix("end\n") + other) is None


@pytest.mark.parametrize("name", ["access_key_id", "secret_access_key", "session_token"])
def test_an_empty_key_makes_it_no_session(name: str) -> None:
    assert parse(with_field(name, "")) is None


@pytest.mark.parametrize("line", GOOD.split("\n")[1:-2], ids=lambda line: line.partition("=")[0])
def test_a_missing_field_makes_it_no_session(line: str) -> None:  # matrix 20
    assert parse(GOOD.replace(f"{line}\n", "")) is None


def test_an_extra_field_is_kept_readable() -> None:  # matrix 20
    assert parts(parse(GOOD.replace("\nend\n", "\ncolour=blue\nend\n"))) == parts(SESSION)


def test_another_version_is_no_session_and_has_a_name_of_its_own() -> None:  # matrix 21
    assert parse(GOOD.replace(HEADER, "gds-exec session 2")) is None
    assert file_name(KEY).endswith("2")


def test_a_value_of_two_lines_is_never_written() -> None:
    two_lines = SessionCredentials(AccessKey("id", "secret", "to\nken"), issued=1, expiration=2)

    with pytest.raises(ValueError, match="more than one line"):
        serialise(two_lines)


def test_long_lived_keys_are_no_session() -> None:
    assert parse(serialise(SessionCredentials.long_lived(AccessKey("id", "secret"), now=NOON))) is None


def test_a_private_file_is_read(tmp_path: Path, directory: int) -> None:
    put(tmp_path, WHOLE)

    assert parts(read(directory, KEY)) == parts(SESSION)


def test_a_change_of_any_single_bit_is_detected(tmp_path: Path, directory: int) -> None:
    path = put(tmp_path, WHOLE)
    for position in range(len(WHOLE) * 8):
        damaged = bytearray(WHOLE)
        damaged[position // 8] ^= 1 << position % 8
        path.write_bytes(damaged)

        assert read(directory, KEY) is None, f"bit {position}"


@given(data=st.data())
def test_a_replaced_added_or_missing_part_of_a_file_is_detected(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    start = data.draw(st.integers(0, len(WHOLE)))
    end = data.draw(st.integers(start, min(len(WHOLE), start + 31)))
    damaged = WHOLE[:start] + data.draw(st.binary(max_size=31)) + WHOLE[end:]
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.mkdir(exist_ok=True)
    put(path, damaged)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert (read(descriptor, KEY) is not None) is (damaged == WHOLE)
    finally:
        os.close(descriptor)


def test_leading_zeros_count() -> None:
    assert remainder(b"\0name") != remainder(b"name") != remainder(b"name\0")


def test_an_absent_file_is_no_session(directory: int) -> None:
    assert read(directory, KEY) is None


@given(data=st.binary())
def test_bytes_of_any_kind_are_no_session(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.mkdir(exist_ok=True)
    put(path, data)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert read(descriptor, KEY) is None
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_can_use_is_not_read(tmp_path: Path, directory: int, mode: int) -> None:
    put(tmp_path, WHOLE, mode)  # matrix 24

    assert read(directory, KEY) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_another_user_is_not_read(tmp_path: Path, directory: int) -> None:  # matrix 24
    os.chown(put(tmp_path, WHOLE), 65534, -1)

    assert read(directory, KEY) is None


def test_a_link_is_not_followed(tmp_path: Path, directory: int) -> None:  # matrix 22
    target = put(tmp_path, WHOLE).rename(tmp_path / "target")
    (tmp_path / file_name(KEY)).symlink_to(target)

    assert read(directory, KEY) is None


def make_socket(path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(path))
    listener.close()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: os.mkfifo(path, 0o600), id="FIFO"),
        pytest.param(lambda path: path.mkdir(0o700), id="directory"),
        pytest.param(make_socket, id="socket"),
    ],
)
def test_what_is_no_file_is_passed_over_without_waiting(  # matrix 23
    tmp_path: Path, directory: int, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    make(tmp_path / file_name(KEY))

    assert read(directory, KEY) is None


@pytest.mark.parametrize(("size", "is_read"), [(65_536, True), (65_537, False)])
def test_a_file_above_64_kb_is_not_read(tmp_path: Path, directory: int, size: int, is_read: bool) -> None:
    put(tmp_path, b"a" * size)

    assert (read_private_text(directory, file_name(KEY)) is not None) is is_read


@pytest.mark.parametrize(
    ("content", "until"),
    [
        pytest.param(f"{NOON}\n", NOON, id="a moment"),
        pytest.param("", 0, id="nothing"),
        pytest.param("soon\n", 0, id="no number"),
        pytest.param("-1\n", 0, id="negative"),
        pytest.param("1.5\n", 0, id="a fraction"),
        pytest.param("9" * 12, 0, id="beyond every calendar"),
    ],
)
def test_until_when_a_renewal_is_put_off_is_a_moment_or_it_is_not(
    tmp_path: Path, directory: int, content: str, until: int
) -> None:
    path = tmp_path / put_off_name(KEY)
    write_cached(path, content)

    assert put_off_until(directory, KEY) == until


def test_others_cannot_put_a_renewal_off(tmp_path: Path, directory: int) -> None:
    path = tmp_path / put_off_name(KEY)
    write_cached(path, f"{NOON}\n")
    path.chmod(0o644)

    assert put_off_until(directory, KEY) == 0
    assert put_off_until(directory, "another") == 0


def test_reading_leaves_no_descriptor_behind(tmp_path: Path, directory: int) -> None:
    before = sorted(os.listdir("/dev/fd"))
    put(tmp_path, WHOLE)
    read(directory, KEY)
    put(tmp_path, b"\xff", 0o644)
    read(directory, KEY)

    assert sorted(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize(
    ("environ", "home", "path"),
    [
        pytest.param({}, "/home/a", "/home/a/.cache/gds-exec", id="home"),
        pytest.param({}, None, None, id="no home"),
        pytest.param({}, "", None, id="empty home"),
        pytest.param({}, "a", None, id="relative home"),
        pytest.param({"XDG_CACHE_HOME": "/x"}, "/home/a", "/x/gds-exec", id="XDG"),
        pytest.param({"XDG_CACHE_HOME": "/x"}, None, "/x/gds-exec", id="XDG without home"),
        pytest.param({"XDG_CACHE_HOME": "x"}, "/h", "/h/.cache/gds-exec", id="relative XDG"),
        pytest.param({"XDG_CACHE_HOME": ""}, "/h", "/h/.cache/gds-exec", id="empty XDG"),
        pytest.param({"GDS_EXEC_CACHE_DIR": "o"}, "/h", None, id="our own, relative"),
        pytest.param({"GDS_EXEC_CACHE_DIR": "/o", "XDG_CACHE_HOME": "/x"}, "/h", "/o/gds-exec", id="our own"),
    ],
)
def test_where_sessions_are_cached(  # matrix 32, 33
    environ: dict[str, str], home: str | None, path: str | None
) -> None:
    assert cache_path(environ, home) == path


@pytest.mark.parametrize(("mode", "is_opened"), [(0o700, True), (0o750, False), (0o701, False)])
def test_only_a_private_directory_is_opened(tmp_path: Path, mode: int, is_opened: bool) -> None:
    tmp_path.chmod(mode)
    descriptor = open_if_private(str(tmp_path))
    assert (descriptor is not None) is is_opened
    if descriptor is not None:
        assert not os.get_inheritable(descriptor)
        os.close(descriptor)


def test_what_is_no_directory_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert open_if_private(str(tmp_path / "file")) is None
    assert open_if_private(str(tmp_path / "absent")) is None


def test_times_are_written_in_utc_with_a_z() -> None:
    assert iso_time(1_767_323_045) == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05"])
def test_times_are_read_with_any_zone_and_as_utc_without_one(text: str) -> None:
    assert epoch_of(text) == 1_767_323_045


@given(st.text(st.characters()))
@example("\udcc3\udca9")  # two bytes that Python could not decode in one locale, and a letter in another
@example("\ud800")
def test_any_text_comes_back_from_hexadecimal_digits(text: str) -> None:
    digits = to_hex(text)

    assert digits.isascii()
    assert from_hex(digits) == text


@pytest.mark.parametrize("digits", ["6", "zz", "ff"])
def test_other_digits_hold_no_text(digits: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_hex(digits)
