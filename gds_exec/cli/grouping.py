"""A way for several commands to have the same options: one function that reads them for all."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

_Asked = TypeVar("_Asked")
_Decorator = Callable[[Callable[..., _Asked]], Callable[..., _Asked]]


def in_place_of(
    name: str, group: Callable[..., Any], *, without: Sequence[str] = ()
) -> Callable[[Callable[..., _Asked]], Callable[..., _Asked]]:
    """Give a command the options of `group` in the place of its parameter `name`, which they say together.

    Those that it is to be `without` stay at their defaults.
    """
    options = [one for one in inspect.signature(group).parameters.values() if one.name not in without]

    def decorate(command: Callable[..., _Asked]) -> Callable[..., _Asked]:
        @wraps(command)
        def with_options(*positional: Any, **arguments: Any) -> _Asked:
            said = {one.name: arguments.pop(one.name) for one in options}
            return command(*positional, **arguments, **{name: group(**said)})

        with_options.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # typer reads it
            _exchanged(list(inspect.signature(command).parameters.values()), name, options)
        )
        return with_options

    return decorate


def _exchanged(
    parameters: list[inspect.Parameter], name: str, options: Sequence[inspect.Parameter]
) -> list[inspect.Parameter]:
    place = next(at for at, parameter in enumerate(parameters) if parameter.name == name)
    kind = parameters[place].kind
    return [*parameters[:place], *(one.replace(kind=kind) for one in options), *parameters[place + 1 :]]
