import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.child.process_info import process_mark
from gds_exec.errors import Upgraded
from gds_exec.process_registry import (
    COMMAND,
    SHELL,
    Running,
    all_running,
    find,
    forget,
    note,
    this_process,
)
from gds_exec.session import with_checksum
from tests.fakes import NOON, Clock

ARGUMENTS = ("--role=admin", "--duration=3600")
texts = st.text(st.characters(exclude_categories=()))  # a name may be no UTF-8


def of_pid(pid: int, *, since: int = NOON, role: str = "admin") -> Running:
    return Running(process_mark(pid), COMMAND, role, "terraform", "0123abcd", ARGUMENTS, since)


def rewrite(path: Path, old: str, new: str) -> None:
    """Change a record and give it a correct checksum."""
    text, _, _ = path.read_text().rpartition("checksum=")
    path.write_text(with_checksum(text.replace(old, new, 1)))


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def other() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def test_a_record_says_how_its_session_was_asked_for(directory: int) -> None:
    running = this_process(
        SHELL, role="admin", program="bash", key="0123abcd", arguments=ARGUMENTS, now=Clock(NOON + 0.9)
    )

    name = note(directory, running)

    assert running == Running(process_mark(os.getpid()), SHELL, "admin", "bash", "0123abcd", ARGUMENTS, NOON)
    assert name is not None
    assert find(directory, name) == running


@given(role=texts, program=texts, arguments=st.lists(texts).map(tuple))
def test_names_of_any_characters_are_found_again(
    tmp_path_factory: pytest.TempPathFactory, role: str, program: str, arguments: tuple[str, ...]
) -> None:
    path = tmp_path_factory.getbasetemp() / "running"
    path.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    running = Running(process_mark(os.getpid()), COMMAND, role, program, "key", arguments, NOON)
    try:
        assert find(descriptor, note(descriptor, running) or "") == running
    finally:
        os.close(descriptor)


def test_what_runs_is_listed_the_oldest_first(directory: int, other: "subprocess.Popen[bytes]") -> None:
    ours, others = of_pid(os.getpid(), since=NOON), of_pid(other.pid, since=NOON - 1)
    note(directory, ours)
    note(directory, others)

    assert all_running(directory) == [others, ours]


def test_what_has_ended_is_neither_found_nor_kept(
    directory: int, other: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    name = note(directory, of_pid(other.pid))
    other.kill()
    other.wait()

    assert name is not None
    assert find(directory, name) is None
    assert all_running(directory) == []
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_was_given_the_id_of_another_is_told_apart(
    directory: int, other: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    name = note(directory, of_pid(other.pid)) or ""
    reborn = tmp_path / name.replace(str(other.pid), str(os.getpid()))
    (tmp_path / name).rename(reborn)

    assert find(directory, reborn.name) is None


def test_what_runs_in_another_container_is_neither_listed_nor_forgotten(
    directory: int, tmp_path: Path
) -> None:
    name = note(directory, of_pid(os.getpid())) or ""
    pid, _place, born, suffix = name.split(".")
    foreign = tmp_path / f"{pid}.{'9' * 16}.{born}.{suffix}"
    (tmp_path / name).rename(foreign)

    assert all_running(directory) == []
    assert find(directory, foreign.name) is None
    assert foreign.exists()


def test_what_is_forgotten_is_gone_and_may_be_forgotten_again(directory: int, tmp_path: Path) -> None:
    note(directory, of_pid(os.getpid()))

    forget(directory, of_pid(os.getpid()))
    forget(directory, of_pid(os.getpid()))

    assert list(tmp_path.iterdir()) == []


def test_other_files_are_left_alone(directory: int, tmp_path: Path) -> None:
    (tmp_path / "0123abcd.session2").touch(0o600)

    assert all_running(directory) == []
    assert (tmp_path / "0123abcd.session2").exists()


@pytest.mark.parametrize("name", ["", "running3", "1.session2", "-1.running3", "x.running3", "٣.running3"])
def test_a_name_of_something_else_is_no_record(directory: int, name: str) -> None:
    assert find(directory, name) is None


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.chmod(0o640), id="others can read it"),
        pytest.param(lambda path: path.write_text(""), id="empty"),
        pytest.param(lambda path: path.write_text(path.read_text()[:-5]), id="cut short"),
        pytest.param(lambda path: path.write_text("x" + path.read_text()), id="one byte more"),
        pytest.param(lambda path: rewrite(path, "role=6", "role=zz"), id="no digits"),
        pytest.param(lambda path: rewrite(path, str(NOON).encode().hex(), "61"), id="no moment"),
        pytest.param(
            lambda path: path.write_text(path.read_text().replace("role=6", "role=7", 1)),
            id="one bit is wrong",
        ),
        pytest.param(lambda path: path.write_bytes(b"\xff"), id="bytes"),
    ],
)
def test_a_record_that_is_not_sound_is_none(
    directory: int, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    name = note(directory, of_pid(os.getpid())) or ""
    assert find(directory, name) is not None

    spoil(tmp_path / name)

    assert find(directory, name) is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: rewrite(path, "running 3", "running 999"), id="another format"),
        pytest.param(lambda path: rewrite(path, "role=", "new=\nrole="), id="an unknown field"),
        pytest.param(lambda path: rewrite(path, "role=", "rolle="), id="a missing field"),
        pytest.param(
            lambda path: path.rename(path.with_name(path.name.replace("running3", "running999"))),
            id="another suffix",
        ),
    ],
)
def test_a_record_of_another_version_says_so_to_its_shell_and_is_left_alone(
    directory: int, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    note(directory, of_pid(os.getpid()))
    (path,) = tmp_path.iterdir()
    change(path)
    (path,) = tmp_path.iterdir()

    with pytest.raises(Upgraded, match="upgraded while this shell was open"):
        find(directory, path.name)
    assert all_running(directory) == []
    assert path.exists()


def test_only_we_can_read_a_record(directory: int, tmp_path: Path) -> None:
    name = note(directory, of_pid(os.getpid())) or ""

    assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_where_the_disk_does_not_allow_it_there_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "removed"
    path.mkdir()
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    path.rmdir()
    try:
        assert note(descriptor, of_pid(os.getpid())) is None
    finally:
        os.close(descriptor)


def test_a_record_begins_now_where_nothing_else_is_said() -> None:
    before = int(time.time())

    running = this_process(COMMAND, role="admin", program="ls", key="key", arguments=())

    assert before <= running.since <= time.time()
