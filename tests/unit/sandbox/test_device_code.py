import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest

from gds_exec.errors import ConfigError, HelperFailed
from gds_exec.sandbox.device_code import DeviceCode, current_code, next_code, remember_spent_steps
from gds_exec.sandbox.mfa_device import code_at_step, new_secret

STEP = 57_000_000
NOW = STEP * 30 + 9.5
SECRET = new_secret()


class Sandboxes:
    """Directories as running sandboxes leave them, whose locks last as long as the test."""

    def __init__(self, parent: Path, stack: ExitStack) -> None:
        self._parent = parent
        self._stack = stack

    def start(self, name: str, *, secret: str = SECRET, began: float = NOW) -> tuple[Path, IO[str]]:
        directory = self._parent / name
        directory.mkdir(mode=0o700)
        (directory / "device").write_text(secret)
        lock = self._stack.enter_context((directory / "pid").open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.utime(directory / "pid", (began, began))
        return directory, lock


@pytest.fixture
def sandboxes(tmp_path: Path) -> Iterator[Sandboxes]:
    with ExitStack() as stack:
        yield Sandboxes(tmp_path, stack)


@pytest.mark.parametrize(
    ("spent", "step", "seconds_left"),
    [
        pytest.param([], STEP, 20, id="the current one"),
        pytest.param([STEP - 1], STEP, 20, id="the one before does not matter"),
        pytest.param([STEP], STEP + 1, 50, id="the next"),
        pytest.param([STEP, STEP + 1], STEP - 1, 20, id="the one before"),
    ],
)
def test_a_code_that_is_not_spent(spent: list[int], step: int, seconds_left: int) -> None:
    assert next_code(SECRET, spent=spent, now=NOW) == DeviceCode(code_at_step(SECRET, step), seconds_left)


def test_when_each_code_is_spent_there_is_a_wait() -> None:
    with pytest.raises(HelperFailed) as failed:
        next_code(SECRET, spent=[STEP - 1, STEP, STEP + 1], now=NOW)
    assert failed.value.hint == "the next comes in 21 s"


def test_the_sandbox_around_us_is_asked(sandboxes: Sandboxes, tmp_path: Path) -> None:
    ours, _ = sandboxes.start("gds-exec-try-ours", began=NOW - 60)
    sandboxes.start("gds-exec-try-newer", secret=new_secret())
    environ = {"GDS_EXEC_SANDBOX": str(ours)}
    code = current_code(environ, temporary_directory=str(tmp_path), now=lambda: NOW)
    assert code.digits == code_at_step(SECRET, STEP)


def test_elsewhere_the_newest_sandbox_is_asked(sandboxes: Sandboxes, tmp_path: Path) -> None:
    sandboxes.start("gds-exec-try-z", secret=new_secret(), began=NOW - 60)
    sandboxes.start("gds-exec-try-a")
    sandboxes.start("something-else", secret=new_secret(), began=NOW + 60)
    code = current_code({}, temporary_directory=str(tmp_path), now=lambda: NOW)
    assert code.digits == code_at_step(SECRET, STEP)


def test_spent_steps_are_remembered(sandboxes: Sandboxes) -> None:
    directory, _ = sandboxes.start("gds-exec-try-a")
    remember = remember_spent_steps(str(directory))
    remember(STEP)
    remember(STEP + 1)
    code = current_code({"GDS_EXEC_SANDBOX": str(directory)}, now=lambda: NOW)
    assert code.digits == code_at_step(SECRET, STEP - 1)


def test_a_step_spent_while_the_sandbox_vanishes_is_let_go(tmp_path: Path) -> None:
    remember_spent_steps(str(tmp_path / "gone"))(STEP)
    assert list(tmp_path.iterdir()) == []


def test_a_sandbox_whose_process_died_is_not_asked(sandboxes: Sandboxes, tmp_path: Path) -> None:
    directory, lock = sandboxes.start("gds-exec-try-dead")
    lock.close()
    for environ in ({}, {"GDS_EXEC_SANDBOX": str(directory)}):
        with pytest.raises(ConfigError, match="no sandbox is running"):
            current_code(environ, temporary_directory=str(tmp_path))


def test_a_link_to_a_sandbox_is_not_followed(sandboxes: Sandboxes, tmp_path: Path) -> None:
    directory, _ = sandboxes.start("elsewhere")
    (tmp_path / "gds-exec-try-link").symlink_to(directory)
    with pytest.raises(ConfigError):
        current_code({}, temporary_directory=str(tmp_path))


def test_without_a_sandbox_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as failed:
        current_code({}, temporary_directory=str(tmp_path))
    assert failed.value.hint == "start one with: gds-exec try"
