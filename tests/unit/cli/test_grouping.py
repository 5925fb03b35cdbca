"""Several commands have the same options from one function, which reads them for all."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from gds_exec.cli.grouping import in_place_of


def group(*, colour: str = "red", size: int = 1) -> str:
    return f"{size} {colour}"


@in_place_of("asked", group)
def command(first: str = "", *, asked: str, last: bool = False) -> tuple[str, str, bool]:
    """Say what was asked."""
    return first, asked, last


def test_a_group_s_options_stand_in_the_place_of_what_they_say_together() -> None:
    assert list(inspect.signature(command).parameters) == ["first", "colour", "size", "last"]
    assert command.__doc__ == "Say what was asked."


def test_a_group_s_options_are_read_by_the_group() -> None:
    arguments: dict[str, Any] = {"colour": "blue", "size": 2, "last": True}

    assert command("x", **arguments) == ("x", "2 blue", True)


def test_what_a_command_is_without_stays_at_its_default() -> None:
    @in_place_of("asked", group, without=("size",))
    def smaller(*, asked: str) -> str:
        return asked

    arguments: dict[str, Any] = {"colour": "blue"}
    assert list(inspect.signature(smaller).parameters) == ["colour"]
    assert smaller(**arguments) == "1 blue"


def test_groups_may_stand_in_groups() -> None:
    @in_place_of("inner", group)
    def outer(*, inner: str, shape: str = "round") -> str:
        return f"{inner} {shape}"

    @in_place_of("asked", outer)
    def whole(*, asked: str) -> str:
        return asked

    arguments: dict[str, Any] = {"colour": "blue", "size": 2, "shape": "flat"}
    assert list(inspect.signature(whole).parameters) == ["colour", "size", "shape"]
    assert whole(**arguments) == "2 blue flat"


def test_a_group_stands_for_a_parameter_that_there_is() -> None:
    with pytest.raises(StopIteration):
        in_place_of("other", group)(command)
