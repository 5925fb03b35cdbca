import os
from pathlib import Path

import pytest

from gds_exec.child.lookup import helper_path


@pytest.fixture
def helper(tmp_path: Path) -> Path:
    path = tmp_path / "ykman"
    path.touch(0o755)
    return path


def test_a_helper_is_found_on_the_search_path(helper: Path) -> None:
    assert helper_path("ykman", {"PATH": f"/nowhere:{helper.parent}"}) == str(helper)


@pytest.mark.parametrize("path", [".", "", ":", "./", "..:.", ".:/nowhere:"])
def test_a_helper_is_not_taken_from_where_we_happen_to_be(
    path: str, helper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(helper.parent)

    assert helper_path("ykman", {"PATH": path}) is None


def test_a_helper_that_cannot_be_run_is_passed_over(helper: Path) -> None:
    helper.chmod(0o644)

    assert helper_path("ykman", {"PATH": str(helper.parent)}) is None


def test_without_a_search_path_the_system_s_default_is_searched() -> None:
    found = helper_path("sh", {})

    assert found is not None
    assert os.path.dirname(found) in os.defpath.split(":")
