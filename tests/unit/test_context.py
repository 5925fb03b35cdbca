"""Our context managers against those of the standard library."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gds_exec import context


class Trouble(Exception):
    pass


BOTH = pytest.mark.parametrize("library", [contextlib, context], ids=["contextlib", "ours"])


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
