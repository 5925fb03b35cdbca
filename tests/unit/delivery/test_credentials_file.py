import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gds_exec.config.aws_files import WRITTEN_FOR
from gds_exec.config.aws_ini import parse
from gds_exec.credentials.leftovers import sweep_beside
from gds_exec.delivery.credentials_file import remove_profile, write_profile
from gds_exec.errors import BrokenFile, OutputFailed, UnknownRole
from tests.processes import run_python, strace

SETTINGS = {WRITTEN_FOR: "prod", "aws_access_key_id": "ASIA", "aws_secret_access_key": "a-secret"}
WRITTEN = f"[work]\n{WRITTEN_FOR} = prod\naws_access_key_id = ASIA\naws_secret_access_key = a-secret\n"
MINE = "# mine, é\n[gds-users]\naws_access_key_id = AKIA\n"
WRITE = """
import sys
from gds_exec.delivery.credentials_file import write_profile
write_profile(sys.argv[1], "work", {"gds_exec_written_for": "prod"})
"""
WRITE_MORE_THAN_FITS = """
import sys
from gds_exec.delivery.credentials_file import write_profile
from gds_exec.errors import OutputFailed
try:
    write_profile(sys.argv[1], "work", {"gds_exec_written_for": "prod"})
except OutputFailed as error:
    print(error.message.partition(" cannot be written: ")[2])
"""
WRITE_OFTEN = """
import sys
from gds_exec.delivery.credentials_file import write_profile
for number in range(20):
    write_profile(sys.argv[1], f"p{sys.argv[2]}-{number}", {"gds_exec_written_for": "prod"})
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".aws" / "credentials"


@pytest.fixture
def mine(path: Path) -> Path:
    path.parent.mkdir()
    path.write_text(MINE)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_and_its_directory_are_made_for_their_owner_alone(path: Path) -> None:
    write_profile(str(path), "work", SETTINGS)

    assert path.read_text() == WRITTEN
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert os.listdir(path.parent) == ["credentials"]


def test_what_is_there_stays_and_becomes_its_owners_alone(mine: Path) -> None:
    mine.chmod(0o644)

    write_profile(str(mine), "work", SETTINGS)

    assert mine.read_text() == f"{MINE}\n{WRITTEN}"
    assert mode(mine) == 0o600


@pytest.mark.parametrize("umask", [0o000, 0o777], ids=oct)
def test_only_its_owner_can_read_it_whatever_the_umask(umask: int, mine: Path) -> None:
    run_python(WRITE, mine, preexec=lambda: os.umask(umask))  # matrix 34

    assert mode(mine) == 0o600


def test_a_link_stays_and_what_it_leads_to_is_written(mine: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles" / "aws-credentials"
    elsewhere.parent.mkdir()
    mine.rename(elsewhere)
    mine.symlink_to("../dotfiles/aws-credentials")

    write_profile(str(mine), "work", SETTINGS)

    assert os.readlink(mine) == "../dotfiles/aws-credentials"
    assert elsewhere.read_text() == f"{MINE}\n{WRITTEN}"


def test_a_link_to_nothing_yet_stays_and_its_end_is_made(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "later")

    write_profile(str(path), "work", SETTINGS)

    assert path.is_symlink()
    assert (tmp_path / "later").read_text() == WRITTEN


def test_a_profile_that_is_removed_leaves_the_file_as_it_was_before(mine: Path) -> None:
    write_profile(str(mine), "work", SETTINGS)
    write_profile(str(mine), "other", SETTINGS)

    remove_profile(str(mine), "work")
    remove_profile(str(mine), "other")

    assert (mine.read_text(), mode(mine)) == (MINE, 0o600)
    assert os.listdir(mine.parent) == ["credentials"]


@pytest.mark.parametrize("content", [None, MINE], ids=["no file", "a file without it"])
def test_a_profile_that_is_not_there_cannot_be_removed(content: str | None, path: Path) -> None:
    if content is not None:
        path.parent.mkdir()
        path.write_text(content)

    with pytest.raises(UnknownRole, match=f"no profile is named 'work' in {path}"):
        remove_profile(str(path), "work")

    assert path.parent.exists() is (content is not None)
    assert content is None or path.read_text() == content


def test_whoever_reads_meanwhile_sees_the_old_file_or_the_new(mine: Path) -> None:
    with mine.open() as reader:
        write_profile(str(mine), "work", SETTINGS)

        assert reader.read() == MINE


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(b"[work]\naws_access_key_id = AKIA\n", OutputFailed, id="a section of the person's own"),
        pytest.param(b"[a]\nx = \xff\n", BrokenFile, id="not UTF-8"),
        pytest.param(b"[a]\nno setting\n", BrokenFile, id="not to be read"),
        pytest.param(b"[a]\n[a]\n", BrokenFile, id="a section twice"),
    ],
)
def test_a_file_that_is_not_to_be_changed_is_left_to_the_byte(
    content: bytes, error: type[Exception], mine: Path
) -> None:
    mine.write_bytes(content)
    before = mine.stat()

    with pytest.raises(error):
        write_profile(str(mine), "work", SETTINGS)
    with pytest.raises(error):
        remove_profile(str(mine), "work")

    assert (mine.read_bytes(), mine.stat().st_ino) == (content, before.st_ino)
    assert os.listdir(mine.parent) == ["credentials"]


def test_what_is_no_file_is_refused_without_waiting_for_its_writer(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)

    with pytest.raises(OutputFailed, match="not a regular file"):
        write_profile(str(path), "work", SETTINGS)


def test_a_directory_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OutputFailed, match="cannot be written: file exists"):
        write_profile(str(tmp_path / "file" / "credentials"), "work", SETTINGS)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_file_of_another_user_is_not_taken_over(mine: Path) -> None:  # `sudo -E`
    os.chown(mine, 4242, 4242)

    with pytest.raises(OutputFailed, match="belongs to another user"):
        write_profile(str(mine), "work", SETTINGS)


def test_on_a_full_disk_the_old_file_stays_whole(mine: Path) -> None:  # matrix 28
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))

    said = run_python(WRITE_MORE_THAN_FITS, mine, preexec=limit)

    assert said == "file too large\n"
    assert mine.read_text() == MINE
    assert os.listdir(mine.parent) == ["credentials"]


def test_what_a_killed_writer_left_beside_the_file_can_be_swept(mine: Path) -> None:
    before = mine.read_text()
    killing = strace("-o", "/dev/null", "-e", "inject=rename,renameat,renameat2:signal=KILL:error=EINTR")

    with pytest.raises(AssertionError):
        run_python(WRITE_OFTEN, mine, "0", under=killing)
    assert len(os.listdir(mine.parent)) == 2

    sweep_beside(str(mine))

    assert os.listdir(mine.parent) == ["credentials"]
    assert mine.read_text() == before


def test_writers_at_once_lose_nothing_of_each_other(mine: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE_OFTEN, str(mine), str(number)]) for number in range(4)
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 4

    expected = {f"p{writer}-{number}" for writer in range(4) for number in range(20)}
    assert set(parse(mine.read_text(), path="credentials")) == {"gds-users", *expected}
