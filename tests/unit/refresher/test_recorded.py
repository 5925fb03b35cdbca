import os
from pathlib import Path

import pytest

from gds_exec.child.process_info import process_mark
from gds_exec.process_registry import COMMAND, Running, all_running
from gds_exec.refresher.handoff import Handoff
from gds_exec.refresher.loop import recorded
from gds_exec.refresher.private_files import private_files_of
from tests.fakes import NOON, a_session

ARGUMENTS = ("--role=admin",)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    path = tmp_path / "cache"
    path.mkdir(0o700)
    return path


def handed_off(cache: Path | None, *, copies: tuple[str, str] | None = None) -> Handoff:
    return Handoff(a_session(), "admin", "key", cache and str(cache), ARGUMENTS, "gds-exec", copies)


def listed(cache: Path) -> list[Running]:
    descriptor = os.open(cache, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return all_running(descriptor)
    finally:
        os.close(descriptor)


def test_a_command_is_listed_while_it_runs_with_how_to_renew_its_session(cache: Path) -> None:
    with recorded(handed_off(cache), "terraform", now=lambda: NOON):
        mark = process_mark(os.getpid())
        assert listed(cache) == [Running(mark, COMMAND, "admin", "terraform", "key", ARGUMENTS, NOON)]

    assert list(cache.iterdir()) == []


def test_a_command_beside_us_is_listed_by_its_own_process(cache: Path) -> None:
    with recorded(handed_off(cache), "terraform", pid=os.getppid()):
        assert [record.pid for record in listed(cache)] == [os.getppid()]

    assert list(cache.iterdir()) == []


def test_an_error_leaves_no_traces_either(cache: Path) -> None:
    copies = (cache / "a.config", cache / "a.credentials")
    for copy in copies:
        copy.touch()

    handoff = handed_off(cache, copies=(str(copies[0]), str(copies[1])))

    with pytest.raises(ZeroDivisionError), private_files_of(handoff), recorded(handoff, "terraform"):
        raise ZeroDivisionError

    assert list(cache.iterdir()) == []


def test_copies_of_files_go_with_the_command_and_may_have_gone_before(cache: Path) -> None:
    copy = cache / "a.config"
    copy.touch()

    with private_files_of(handed_off(None, copies=(str(copy), str(cache / "gone")))):
        assert copy.exists()

    assert not copy.exists()


def test_a_cache_that_others_can_enter_gets_no_record(cache: Path) -> None:
    cache.chmod(0o750)

    with recorded(handed_off(cache), "terraform"):
        assert list(cache.iterdir()) == []


def test_no_descriptor_is_left_behind(cache: Path) -> None:
    before = sorted(os.listdir("/dev/fd"))

    with recorded(handed_off(cache), "terraform"):
        pass

    assert sorted(os.listdir("/dev/fd")) == before
