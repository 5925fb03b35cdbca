"""The scope of a session, which several options set together."""

from __future__ import annotations

from gds_exec.credentials.session_scope import READ_ONLY_ARN, Scope, check_scope
from gds_exec.errors import UsageError
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gds_exec.invocation import Invocation

_LONGEST_FILE_BYTES = 1 << 20


def checked_scope(asked: Invocation) -> Invocation:
    """Return the invocation with its policy in one line of JSON.

    Raise `UsageError` for a policy that cannot be read, or a scope that AWS would refuse.
    """
    if asked.policy is not None:
        asked = asked.but(policy=_policy(asked.policy))
    scope = scope_of(asked)
    if scope is not None:
        check_scope(scope)
    return asked


def scope_of(asked: Invocation) -> Scope | None:
    """Return the scope that is asked for, None where none is."""
    scope = Scope(
        policy=asked.policy,
        policy_arns=_in_order([*asked.policy_arns, *([READ_ONLY_ARN] if asked.read_only else [])]),
        tags=tuple(sorted(map(_tag, asked.tags))),
        transitive_tags=_in_order(asked.transitive_tags),
        source_identity=asked.source_identity,
        external_id=asked.external_id,
    )
    return None if scope == Scope() else scope


def _in_order(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--tag '{show(text)}' has no value", hint="--tag KEY=VALUE")
    return key, value


def _policy(said: str) -> str:
    """Return the policy in one line of ASCII: what was said, or what stands in the file of that name."""
    is_here = said.lstrip().startswith("{")
    path = said.removeprefix("file://")  # as the AWS CLI wants it
    name = "--policy" if is_here else f"--policy '{show(path)}'"
    try:
        return _in_one_line(said if is_here else _content(path))
    except OSError as error:
        hint = "it takes a file, or JSON that begins with {"
        raise UsageError(f"{name} cannot be read: {error.strerror}", hint=hint) from None
    except (ValueError, RecursionError) as error:
        hint = 'a policy is JSON such as {"Version": "2012-10-17", "Statement": [...]}'
        raise UsageError(f"{name} is no policy: {show(str(error))}", hint=hint) from None


def _content(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(_LONGEST_FILE_BYTES).decode("utf-8-sig")


def _in_one_line(text: str) -> str:
    """Return the JSON object without blanks, which AWS counts. Raise `ValueError` for anything else."""
    import json  # only those wait for it who have a policy

    policy = json.loads(text, object_pairs_hook=_object)
    if not isinstance(policy, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004  # as the parser's own errors are
    return json.dumps(policy, separators=(",", ":"), allow_nan=False)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object in which nothing is lost: of two values of a name one would be, a Deny perhaps."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("it has a name twice in one object")
    return found
