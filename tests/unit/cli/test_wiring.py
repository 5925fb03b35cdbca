import os
from pathlib import Path

import pytest

from gds_exec.cli.wiring import wired_cache
from gds_exec.errors import UsageError
from gds_exec.output import Messages


@pytest.mark.parametrize("path", ["o", "~/o", "./o"])
def test_a_relative_cache_directory_of_our_own_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="GDS_EXEC_CACHE_DIR is no absolute path"):
        wired_cache({"GDS_EXEC_CACHE_DIR": path, "HOME": "/h"}, messages=Messages())


def test_the_cache_is_where_it_was_told_to_be(tmp_path: Path) -> None:
    cache = wired_cache({"GDS_EXEC_CACHE_DIR": str(tmp_path)}, messages=Messages())

    assert cache.directory is not None
    os.close(cache.directory)
    assert (tmp_path / "gds-exec").is_dir()


def test_a_cache_that_is_not_wanted_is_none_and_is_not_missed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cache = wired_cache({"HOME": str(tmp_path)}, messages=Messages(), is_wanted=False)

    assert cache.directory is None
    assert [*tmp_path.iterdir()] == []
    assert capfd.readouterr().err == ""


def test_who_names_a_cache_wants_one(tmp_path: Path) -> None:
    cache = wired_cache({"GDS_EXEC_CACHE_DIR": str(tmp_path)}, messages=Messages(), is_wanted=False)

    assert cache.directory is not None
    os.close(cache.directory)
