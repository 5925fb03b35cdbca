import os
from pathlib import Path

import pytest

from gds_exec.cli.messages import Messages
from gds_exec.cli.wiring import wired_cache
from gds_exec.errors import UsageError


@pytest.mark.parametrize("path", ["o", "~/o", "./o"])
def test_a_relative_cache_directory_of_our_own_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="GDS_EXEC_CACHE_DIR is no absolute path"):
        wired_cache({"GDS_EXEC_CACHE_DIR": path, "HOME": "/h"}, messages=Messages())


def test_the_cache_is_where_it_was_told_to_be(tmp_path: Path) -> None:
    cache = wired_cache({"GDS_EXEC_CACHE_DIR": str(tmp_path)}, messages=Messages())

    assert cache.directory is not None
    os.close(cache.directory)
    assert (tmp_path / "gds-exec").is_dir()
