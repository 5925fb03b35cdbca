"""The bounds of parameters that AWS checks before anything else, and its words for breaking them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gds_exec.sandbox.refusals import AwsError, validation_error


@dataclass(frozen=True, slots=True)
class Text:
    """A string parameter; `pattern` is in the form in which AWS's message quotes it.

    Where that is more than Python understands, `is_allowed` tells of each character.
    """

    name: str
    shortest: int
    longest: int
    pattern: str | None = None
    is_required: bool = False
    is_allowed: Callable[[str], bool] | None = None

    def violations(self, value: str) -> Iterator[str]:
        if self.pattern is not None and not self._fits(self.pattern, value):
            yield f"Member must satisfy regular expression pattern: {self.pattern}"
        if len(value) < self.shortest:
            yield f"Member must have length greater than or equal to {self.shortest}"
        if len(value) > self.longest:
            yield f"Member must have length less than or equal to {self.longest}"

    def _fits(self, pattern: str, value: str) -> bool:
        if self.is_allowed is not None:
            return all(map(self.is_allowed, value))
        return re.fullmatch(pattern, value, re.ASCII) is not None


@dataclass(frozen=True, slots=True)
class Number:
    """An integer parameter."""

    name: str
    least: int
    most: int
    is_required: bool = False

    def violations(self, value: str) -> Iterator[str]:
        number = _integer(value)
        if number < self.least:
            yield f"Member must have value greater than or equal to {self.least}"
        if number > self.most:
            yield f"Member must have value less than or equal to {self.most}"


def validate(parameters: Mapping[str, str], constraints: Sequence[Text | Number]) -> None:
    """Raise AWS's ValidationError, which lists all that is wrong and quotes the values as they came."""
    violations = [line for constraint in constraints for line in _violations(parameters, constraint)]
    if violations:
        plural = "" if len(violations) == 1 else "s"
        raise validation_error(
            f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}"
        )


def _violations(parameters: Mapping[str, str], constraint: Text | Number) -> Iterator[str]:
    member = _member(constraint.name)
    value = parameters.get(constraint.name)
    if value is None:
        if constraint.is_required:
            yield f"Value null at '{member}' failed to satisfy constraint: Member must not be null"
        return
    for violation in constraint.violations(value):
        yield f"Value '{value}' at '{member}' failed to satisfy constraint: {violation}"


def _member(name: str) -> str:
    """Return AWS's word for a parameter: `tags.1.member.key` for Tags.member.1.Key."""
    parts = re.sub(r"\bmember\.([0-9]+)", r"\1.member", name).split(".")
    return ".".join(part[0].lower() + part[1:] for part in parts)


def _integer(value: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise AwsError(400, "MalformedInput", f'For input string: "{value}"')
    return int(value)
