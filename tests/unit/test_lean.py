from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gds_exec import lean
from gds_exec.lean import Value


class Point(Value):
    x: int
    y: int = 0


class Door(Value):
    name: str
    secret: str = "1234"

    _unshown = ("secret",)

    @property
    def is_named(self) -> bool:
        return bool(self.name)


def test_fields_are_given_by_place_or_by_name() -> None:
    assert (Point(1, 2).x, Point(1, y=2).y, Point(x=1).y) == (1, 2, 0)


@pytest.mark.parametrize(
    ("positional", "named"),
    [((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"z": 1})],
    ids=["missing", "too many", "twice", "unknown"],
)
def test_fields_that_do_not_fit_are_refused(positional: tuple[int, ...], named: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="Point"):
        Point(*positional, **named)


def test_values_are_equal_by_type_and_fields() -> None:
    class Place(Value):
        x: int
        y: int = 0

    assert Point(1) == Point(1, 0)
    assert hash(Point(1)) == hash(Point(1, 0))
    assert Point(1) != Point(2)
    assert Point(1) != Place(1)


def test_a_value_is_never_changed() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="never changed"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="never changed"):
        del point.x
    assert point == Point(1)


def test_a_changed_copy_leaves_the_first_as_it_was() -> None:
    point = Point(1, 2)
    assert point.but(y=3) == Point(1, 3)
    assert point == Point(1, 2)
    with pytest.raises(TypeError):
        point.but(z=3)


def test_what_is_not_for_showing_is_not_shown() -> None:
    assert repr(Door("front")) == "Door(name='front')"
    assert Door("front").is_named


def test_it_imports_nothing() -> None:
    code = "import sys; before = set(sys.modules); import gds_exec.lean; print(set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert eval(done.stdout) <= {"gds_exec", "gds_exec.lean", "__future__"}


class Trouble(Exception):
    pass


BOTH = pytest.mark.parametrize("library", [contextlib, lean], ids=["contextlib", "ours"])


@BOTH
def test_what_is_behind_the_yield_comes_after_the_block(library: Any) -> None:
    done = []

    @library.contextmanager
    def noted(name: str, *, end: str) -> Iterator[str]:
        done.append(f"{name} begins")
        yield name
        done.append(end)

    with noted("work", end="work ends") as name:
        done.append(f"in {name}")

    assert done == ["work begins", "in work", "work ends"]


@BOTH
@pytest.mark.parametrize("error", [Trouble("x"), KeyboardInterrupt(), StopIteration("x"), GeneratorExit()])
def test_an_error_of_the_block_passes_through_and_tidies_up(library: Any, error: BaseException) -> None:
    done = []

    @library.contextmanager
    def tidied() -> Iterator[None]:
        try:
            yield
        finally:
            done.append("tidied")

    with pytest.raises(type(error)) as caught, tidied():
        raise error

    assert caught.value is error
    assert done == ["tidied"]


@BOTH
def test_an_error_may_be_swallowed_or_exchanged(library: Any) -> None:
    @library.contextmanager
    def as_other(exchange: Callable[[], BaseException] | None) -> Iterator[None]:
        try:
            yield
        except Trouble as error:
            if exchange is not None:
                raise exchange() from error

    with as_other(None):
        raise Trouble
    with pytest.raises(ValueError, match="other") as caught, as_other(lambda: ValueError("other")):
        raise Trouble
    assert isinstance(caught.value.__cause__, Trouble)


@BOTH
def test_a_generator_yields_once(library: Any) -> None:
    @library.contextmanager
    def twice() -> Iterator[None]:
        with contextlib.suppress(Trouble):
            yield
        yield

    with pytest.raises(RuntimeError), twice():
        pass
    with pytest.raises(RuntimeError), twice():
        raise Trouble


@BOTH
def test_only_the_named_errors_are_suppressed(library: Any) -> None:
    with library.suppress(OSError, Trouble):
        raise FileNotFoundError
    with library.suppress(OSError):
        pass
    with pytest.raises(Trouble), library.suppress(OSError):
        raise Trouble
