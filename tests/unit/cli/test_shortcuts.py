"""What a run that went the long way leaves for the next one."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gds_exec.cli.shortcuts import remember_shortcut
from gds_exec.config.aws_files import read_aws_files
from gds_exec.credentials.cache import open_cache
from gds_exec.invocation import Invocation
from tests.fakes import a_session, never

LATER = 10.0


def is_remembered(
    tmp_path: Path,
    environ: dict[str, str],
    *,
    now: float | None = None,
    meanwhile: Callable[[], object] = int,
) -> bool:
    files = read_aws_files(environ, home=environ["HOME"])
    meanwhile()
    remember_shortcut(
        open_cache(str(tmp_path / "cache"), warn=never),
        Invocation(role="admin"),
        environ,
        files,
        key="key",
        session=a_session(arn="arn:aws:sts::222222222222:assumed-role/admin/alice"),
        region=None,
        read_at=time.time() + LATER if now is None else now,
    )
    return any((tmp_path / "cache").glob("*.shortcut2"))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text("[profile admin]\n")
    return path


@pytest.fixture
def environ(config: Path, tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(config)}


def test_files_that_stat_can_tell_are_remembered(tmp_path: Path, environ: dict[str, str]) -> None:
    assert is_remembered(tmp_path, environ)


@pytest.mark.parametrize("seconds_ago", [0, 1.9, -60])
def test_files_of_which_another_change_might_not_show_are_not(
    tmp_path: Path, environ: dict[str, str], config: Path, seconds_ago: float
) -> None:
    assert not is_remembered(tmp_path, environ, now=config.stat().st_ctime + seconds_ago)


def test_a_pipe_is_not_remembered(tmp_path: Path, environ: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"[profile admin]\n")
    os.close(writing)

    assert not is_remembered(tmp_path, {**environ, "AWS_CONFIG_FILE": f"/dev/fd/{reading}"})


@pytest.mark.parametrize("path", ["config", "$D/config", "~nobody/config"])
def test_a_path_that_more_than_our_variables_decide_is_not_remembered(
    tmp_path: Path, environ: dict[str, str], path: str
) -> None:
    assert not is_remembered(tmp_path, {**environ, "AWS_CONFIG_FILE": path})


def test_the_state_that_was_read_is_remembered_and_not_a_later_one(
    tmp_path: Path, environ: dict[str, str], config: Path
) -> None:
    read = config.stat()

    assert is_remembered(tmp_path, environ, meanwhile=lambda: config.write_text("[profile other]\n"))

    (shortcut,) = (tmp_path / "cache").glob("*.shortcut2")
    assert f" {read.st_mtime_ns} " in shortcut.read_text()
    assert f" {config.stat().st_mtime_ns} " not in shortcut.read_text()
