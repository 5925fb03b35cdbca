import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gds_exec.cli.completion_names import renew_names, write_names
from gds_exec.config.aws_files import AwsFiles, read_aws_files
from gds_exec.credentials.cache import SessionCache, open_cache

EDITED, READ = 1_000_000_000, 1_000_003_600


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SessionCache]:
    cache = open_cache(str(tmp_path / "cache"), warn=pytest.fail)
    assert cache.directory is not None
    yield cache
    os.close(cache.directory)


@pytest.fixture
def names(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "names"


def files_with(tmp_path: Path, text: str, *, edited: float = EDITED) -> AwsFiles:
    config = tmp_path / ".aws" / "config"
    config.parent.mkdir(exist_ok=True)
    config.write_text(text)
    os.utime(config, (edited, edited))
    return read_aws_files({"HOME": str(tmp_path)}, home=str(tmp_path))


def test_each_name_stands_with_what_it_is_below_the_files(
    tmp_path: Path, cache: SessionCache, names: Path
) -> None:
    text = "[profile b]\nrole_arn = arn:x\nsource_profile = a\n[profile a]\nregion = eu-west-2\n"

    write_names(cache, files_with(tmp_path, text), read_at=READ)

    header = f"# gds-exec names 1\t{tmp_path}/.aws/config\t\n"
    assert names.read_text() == f"{header}a\t\nb\tarn:x\n"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("r\N{LATIN SMALL LETTER E WITH ACUTE}le", "r\N{LATIN SMALL LETTER E WITH ACUTE}le"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
    ],
    ids=["letters of any language", "control characters"],
)
def test_names_are_written_as_they_may_be_shown(
    name: str, written: str, tmp_path: Path, cache: SessionCache, names: Path
) -> None:
    text = f"[{name}]\nregion = x\n"
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(text)
    os.utime(tmp_path / ".aws" / "credentials", (EDITED, EDITED))

    write_names(cache, files_with(tmp_path, ""), read_at=READ)

    assert names.read_text().splitlines()[1:] == [f"{written}\t"]


def test_it_is_dated_before_the_files_were_read(tmp_path: Path, cache: SessionCache, names: Path) -> None:
    write_names(cache, files_with(tmp_path, "[profile a]\n"), read_at=READ)

    assert EDITED < names.stat().st_mtime < READ


@pytest.mark.parametrize("edited", [READ - 1, READ, READ + 60])
def test_of_files_that_may_still_change_unseen_there_is_none(
    edited: float, tmp_path: Path, cache: SessionCache, names: Path
) -> None:
    write_names(cache, files_with(tmp_path, "[profile a]\n", edited=edited), read_at=READ)

    assert not names.exists()


def test_where_no_shell_could_know_the_files_there_is_none(
    tmp_path: Path, cache: SessionCache, names: Path
) -> None:
    files_with(tmp_path, "[profile a]\n")
    files = read_aws_files({"AWS_CONFIG_FILE": "$HOME/.aws/config"}, home=str(tmp_path))

    write_names(cache, files, read_at=READ)

    assert not names.exists()


def test_a_run_renews_the_list_only_if_a_file_was_edited_since(
    tmp_path: Path, cache: SessionCache, names: Path
) -> None:
    renew_names(cache, files_with(tmp_path, "[profile a]\n"), read_at=READ)
    first = names.read_text()
    renew_names(cache, files_with(tmp_path, "[profile b]\n"), read_at=READ)
    unchanged = names.read_text()
    renew_names(cache, files_with(tmp_path, "[profile c]\n", edited=READ), read_at=READ + 60)

    assert first == unchanged
    assert names.read_text().endswith("\nc\t\n")


def test_no_run_waits_for_a_very_long_list_to_be_written(
    tmp_path: Path, cache: SessionCache, names: Path
) -> None:
    files = files_with(tmp_path, "".join(f"[profile a{number}]\n" for number in range(1000)))

    renew_names(cache, files, read_at=READ)
    assert not names.exists()
    write_names(cache, files, read_at=READ)
    assert len(names.read_text().splitlines()) == 1001


def test_a_cache_that_keeps_nothing_keeps_no_names(tmp_path: Path) -> None:
    write_names(SessionCache(None, warn=pytest.fail), files_with(tmp_path, "[profile a]\n"), read_at=READ)

    assert os.listdir(tmp_path) == [".aws"]
