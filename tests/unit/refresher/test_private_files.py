import os
import resource
import stat
from pathlib import Path

import pytest

from gds_exec.refresher.private_files import remove_private_files, write_private_files
from tests.processes import run_python

WRITE = """
import sys
from gds_exec.refresher.private_files import write_private_files
write_private_files(sys.argv[1], config=b"x", credentials=b"y")
"""
WRITE_MORE_THAN_FITS = """
import sys
from gds_exec.refresher.private_files import write_private_files
try:
    write_private_files(sys.argv[1], config=b"x", credentials=b"y" * 50)
except OSError:
    print("refused")
"""


def test_both_files_are_written_as_they_are(tmp_path: Path) -> None:
    contents = {"config": b"[default]\r\noutput = \xff\x00\n", "credentials": b""}

    files = write_private_files(str(tmp_path), **contents)

    assert files.config
    assert files.credentials
    assert Path(files.config).read_bytes() == contents["config"]
    assert Path(files.credentials).read_bytes() == contents["credentials"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777], ids=oct)
def test_only_their_owner_can_read_them_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    run_python(WRITE, tmp_path, preexec=lambda: os.umask(umask))  # matrix 34

    assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()] == [0o600, 0o600]


def test_commands_that_run_at_once_have_files_of_their_own(tmp_path: Path) -> None:
    first, second = (write_private_files(str(tmp_path), config=b"", credentials=b"") for _ in range(2))

    assert len({first.config, first.credentials, second.config, second.credentials}) == 4


def test_their_paths_hold_wherever_the_command_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    files = write_private_files(".", config=b"c", credentials=b"s")
    monkeypatch.chdir("/")

    assert files.config
    assert Path(files.config).read_bytes() == b"c"


def test_removed_files_are_gone_and_can_be_removed_again(tmp_path: Path) -> None:
    files = write_private_files(str(tmp_path), config=b"", credentials=b"")

    remove_private_files(files, with_directory=False)
    remove_private_files(files, with_directory=False)

    assert list(tmp_path.iterdir()) == []


def test_a_file_without_a_copy_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    files = write_private_files(str(tmp_path / "made"), config=None, credentials=b"s")

    assert files.config is None
    assert [str(path) for path in (tmp_path / "made").iterdir()] == [files.credentials]
    remove_private_files(files, with_directory=True)
    assert list(tmp_path.iterdir()) == []


def test_files_that_do_not_fit_leave_nothing_behind(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))

    said = run_python(WRITE_MORE_THAN_FITS, tmp_path, preexec=limit)

    assert said == "refused\n"
    assert list(tmp_path.iterdir()) == []
