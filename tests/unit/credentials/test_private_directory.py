import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gds_exec.child.process_info import has_ended
from gds_exec.credentials.private_directory import (
    NotPrivate,
    open_private_directory,
    write_atomically,
    write_checked,
)
from gds_exec.session import read_checked_text
from tests.processes import run_python, strace

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

WRITE = """
import sys
from gds_exec.credentials.private_directory import open_private_directory, write_atomically
write_atomically(open_private_directory(sys.argv[1]), "name", "text")
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    descriptor = open_private_directory(str(tmp_path))
    yield descriptor
    os.close(descriptor)


def opened_and_closed(path: Path) -> None:
    os.close(open_private_directory(str(path)))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777], ids=oct)
def test_directories_are_0700_and_files_0600_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    run_python(WRITE, tmp_path / "a" / "b", preexec=lambda: os.umask(umask))  # matrix 34

    assert [mode(tmp_path / name) for name in ("a", "a/b", "a/b/name")] == [0o700, 0o700, 0o600]


def test_a_directory_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:  # matrix 26
    path = tmp_path / "cache"
    path.mkdir()
    path.chmod(0o755)

    opened_and_closed(path)

    assert mode(path) == 0o700


def test_the_directories_above_it_stay_as_they_are(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    opened_and_closed(tmp_path / "cache")

    assert mode(tmp_path) == 0o755


def test_a_relative_path_is_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    opened_and_closed(Path("a/b"))

    assert (tmp_path / "a/b").is_dir()


def test_a_link_to_a_private_directory_of_ours_is_followed(tmp_path: Path) -> None:  # matrix 25
    (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    descriptor = open_private_directory(str(tmp_path / "link"))

    write_atomically(descriptor, "name", "text")
    os.close(descriptor)

    assert (tmp_path / "target/name").read_text() == "text"


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_link_to_a_directory_that_others_can_read_is_refused(tmp_path: Path, ending: str) -> None:
    target = tmp_path / "target"  # matrix 25
    target.mkdir()
    target.chmod(0o755)
    (tmp_path / "link").symlink_to(target)

    with pytest.raises(NotPrivate, match="link"):
        open_private_directory(f"{tmp_path}/link{ending}")

    assert mode(target) == 0o755
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "dangling link", "file above it"])
def test_what_is_no_directory_cannot_be_had(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cache"
    if kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_text("")

    with pytest.raises(OSError, match="cache"):
        open_private_directory(str(path / "below" if kind == "file above it" else path))


@needs_root
def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:  # matrix 27
    path = tmp_path / "cache"
    path.mkdir()
    path.chmod(0o755)
    os.chown(path, NOBODY, -1)

    with pytest.raises(NotPrivate, match="belongs to another user"):
        open_private_directory(str(path))

    assert mode(path) == 0o755


@needs_root
def test_root_makes_nothing_in_the_home_of_another_user(tmp_path: Path) -> None:  # matrix 27: sudo -E
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, -1)

    with pytest.raises(NotPrivate, match="belongs to another user"):
        open_private_directory(str(home / ".cache" / "gds-exec"))

    assert list(home.iterdir()) == []


@needs_root
def test_a_directory_of_root_is_refused_to_another_user() -> None:
    script = """
import os, sys
from gds_exec.credentials.private_directory import NotPrivate, open_private_directory
os.setuid(65534)
try:
    open_private_directory("/usr")
except NotPrivate as error:
    print(error)
"""
    assert run_python(script) == "/usr belongs to another user\n"


def test_a_refused_directory_leaves_no_descriptor_behind(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target").chmod(0o755)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    before = sorted(os.listdir("/dev/fd"))

    with pytest.raises(NotPrivate):
        open_private_directory(str(tmp_path / "link"))

    assert sorted(os.listdir("/dev/fd")) == before


def test_descriptors_do_not_reach_the_command(tmp_path: Path, directory: int) -> None:
    assert not os.get_inheritable(directory)


def test_a_written_file_replaces_the_old_one_whole(tmp_path: Path, directory: int) -> None:
    write_atomically(directory, "name", "old text, which is longer")
    write_atomically(directory, "name", "new")

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"name": "new"}


def test_a_link_is_replaced_and_its_target_stays(tmp_path: Path, directory: int) -> None:  # matrix 22
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "name").symlink_to(target)

    write_atomically(directory, "name", "new")

    assert target.read_text() == "precious"
    assert not (tmp_path / "name").is_symlink()
    assert mode(tmp_path / "name") == 0o600


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path, directory: int) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_atomically(directory, "name", "\udce9")

    assert list(tmp_path.iterdir()) == []


def test_a_name_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path, directory: int) -> None:
    (tmp_path / "name").mkdir()

    with pytest.raises(IsADirectoryError):
        write_atomically(directory, "name", "text")

    assert [path.name for path in tmp_path.iterdir()] == ["name"]


def test_a_power_cut_finds_the_old_or_the_new_file(tmp_path: Path) -> None:  # matrix 36
    """Order: the text is on the disk before it has its name, and the name before we go on."""
    cache, trace = tmp_path / "cache", tmp_path / "trace"
    traced = "trace=openat,write,fsync,rename,renameat,renameat2"
    run_python(WRITE, cache, under=strace("-y", "-o", str(trace), "-e", traced))

    calls = [line for line in trace.read_text().splitlines() if str(cache) in line]
    names = [re.sub(r"\(.*", "", call) for call in calls]

    assert [name.replace("at2", "").replace("renameat", "rename") for name in names] == [
        "openat",  # the directory
        "openat",  # the temporary file
        "write",
        "fsync",
        "rename",
        "fsync",
    ]
    assert "O_EXCL" in calls[1]
    assert ".tmp>" in calls[3]
    assert f"{cache}>" in calls[5]


def test_a_writer_killed_before_the_rename_leaves_the_old_file(tmp_path: Path) -> None:  # matrix 4
    write = WRITE.replace('"text"', "sys.argv[2]")
    run_python(write, tmp_path, "old")
    killing = strace("-o", "/dev/null", "-e", "inject=rename,renameat,renameat2:signal=KILL:error=EINTR")

    with pytest.raises(AssertionError):
        run_python(write, tmp_path, "new", under=killing)

    (left_behind,) = tmp_path.glob("*.tmp")
    assert left_behind.read_text() == "new"
    assert (tmp_path / "name").read_text() == "old"


def test_a_text_with_a_checksum_is_read_back(directory: int) -> None:
    write_checked(directory, "name", "text\n")

    assert read_checked_text(directory, "name") == "text\n"


def test_what_a_killed_writer_left_says_whose_it_is(tmp_path: Path) -> None:
    killing = strace("-o", "/dev/null", "-e", "inject=rename,renameat,renameat2:signal=KILL:error=EINTR")

    with pytest.raises(AssertionError):
        run_python(WRITE, tmp_path, under=killing)

    (left_behind,) = tmp_path.glob("*.tmp")
    assert has_ended(left_behind.name) is True


def test_a_directory_that_cannot_be_synced_still_gets_its_file(tmp_path: Path) -> None:  # some FUSE mounts
    refusing = strace("-o", "/dev/null", "-e", "inject=fsync:error=EINVAL:when=2")

    run_python(WRITE, tmp_path, under=refusing)

    assert (tmp_path / "name").read_text() == "text"
