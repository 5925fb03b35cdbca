"""Values: a few named fields, equal by what they hold, never changed.

What dataclasses are for elsewhere; but importing those costs more than starting the interpreter
does, and all that stands before the question for a code is waited for. A module that defines
values begins with `from __future__ import annotations`: nothing is evaluated for a type.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_):
        return lambda decorated: decorated


@dataclass_transform(frozen_default=True)
class Value:
    """Base of a value: its annotations are its fields, in their order, as a dataclass has them.

    A field that the class gives a value has that for its default; defaults are shared, so they must
    not be changed either. `_unshown` names the fields that `repr` leaves out.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _unshown: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)

    def __init__(self, *positional: Any, **named: Any) -> None:
        given = dict(zip(self._fields, positional, strict=False))
        if len(given) < len(positional) or given.keys() & named.keys() or named.keys() - set(self._fields):
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(self._fields)}")
        self.__dict__.update(given, **named)
        for name in self._fields:
            if not hasattr(self, name):
                raise TypeError(f"{type(self).__name__} needs {name}")

    def but(self, **changes: Any) -> Self:
        """Return a copy in which these fields are different."""
        return type(self)(**{name: getattr(self, name) for name in self._fields} | changes)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self._fields if name not in self._unshown)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is never changed: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is never changed: {name}")

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self._fields)
