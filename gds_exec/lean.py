"""Cheap stand-ins for dataclasses and contextlib, for modules that run before the question for a code.

Importing dataclasses costs 10 to 22 ms and contextlib 2 ms; a bare interpreter starts in 10. A person waits
for everything that runs before the question, so those modules use `Value`, `contextmanager` and
`suppress` from here. All other modules use the standard library. A module that defines values begins
with `from __future__ import annotations`, so that no type is evaluated.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import contextmanager, suppress
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_):
        return lambda decorated: decorated

    def contextmanager(function):
        """Make a context manager of a generator that yields once."""

        def begin(*arguments, **named):
            return _Context(function(*arguments, **named))

        return begin

    class _Context:
        def __init__(self, generator):
            self._generator = generator

        def __enter__(self):
            return next(self._generator)

        def __exit__(self, kind, error, traceback):
            if kind is None:
                self._finish()
                return False
            try:
                self._generator.throw(error)
            except StopIteration as end:
                return end is not error
            except BaseException as raised:
                # Python makes a RuntimeError of a StopIteration that leaves a generator.
                is_passed_on = isinstance(error, StopIteration) and raised.__cause__ is error
                if raised is not error and not is_passed_on:
                    raise
                error.__traceback__ = traceback  # without our frames
                return False
            raise RuntimeError("the generator goes on after its error")

        def _finish(self):
            for _ in self._generator:
                raise RuntimeError("the generator yields twice")

    class suppress:  # noqa: N801  # it stands in for contextlib's
        """Go on behind the block where one of these errors comes out of it."""

        def __init__(self, *kinds):
            self._kinds = kinds

        def __enter__(self):
            return None

        def __exit__(self, kind, _error, _traceback):
            return kind is not None and issubclass(kind, self._kinds)


@dataclass_transform(frozen_default=True)
class Value:
    """Base of a value: its annotations are its fields, in their order, as a dataclass has them.

    A field that the class gives a value has that for its default; defaults are shared, so they must
    not be changed either. `_unshown` names the fields that `repr` leaves out. `_notes` names the fields
    that only describe the value, such as where it was found: `repr` and comparisons leave them out.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _unshown: ClassVar[tuple[str, ...]] = ()
    _notes: ClassVar[tuple[str, ...]] = ()

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
        hidden = (*self._unshown, *self._notes)
        shown = (f"{name}={getattr(self, name)!r}" for name in self._fields if name not in hidden)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is never changed: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is never changed: {name}")

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self._fields if name not in self._notes)


__all__ = ["Value", "contextmanager", "suppress"]
