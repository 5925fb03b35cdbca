"""What AssumeRole is told besides the role: session policies, session tags, a source identity."""

import json
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gds_exec.sandbox import refusals
from gds_exec.sandbox.principals import Caller, Role
from gds_exec.sandbox.validation import Text, validate

_ARN_CHARACTERS = r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+"
_POLICY = Text("Policy", 1, 2048, pattern=r"[\u0009\u000A\u000D\u0020-\u00FF]+")
_SOURCE_IDENTITY = Text("SourceIdentity", 2, 64, pattern=r"[\w+=,.@-]*")
_POLICY_ARNS_LIMIT = 10
_TAGS_LIMIT = 50
_TAG_SIGNS = "_.:/=+-@"
# AWS does not say how it packs. This is of that order: 1,690 characters of policy were 157 % once.
_PACKED_LIMIT_BYTES = 448


@dataclass(frozen=True, slots=True)
class SessionScope:
    """The policies and marks of one session that is asked for; the keys of tags are in lower case."""

    policy: str | None
    policy_arns: tuple[str, ...]
    tags: dict[str, str]
    transitive_keys: frozenset[str]
    source_identity: str | None

    @property
    def packed_percentage(self) -> int | None:
        """How much of AWS's space the policies and tags take; None where there are none."""
        if not (self.policy or self.policy_arns or self.tags):
            return None
        plain = json.dumps([self.policy, self.policy_arns, self.tags], separators=(",", ":"))
        return -(-100 * len(zlib.compress(plain.encode(), 9)) // _PACKED_LIMIT_BYTES)


def read_scope(parameters: Mapping[str, str]) -> SessionScope:
    """Return what is asked for; raise AWS's refusal where that cannot be had by anybody."""
    tags = list(_members(parameters, "Tags"))
    policy_arns = list(_members(parameters, "PolicyArns"))
    transitive_tags = list(_members(parameters, "TransitiveTagKeys"))
    _validate(parameters, policy_arns, tags, transitive_tags)
    scope = SessionScope(
        policy=parameters.get("Policy"),
        policy_arns=tuple(parameters[f"{member}.arn"] for member in policy_arns),
        tags={parameters[f"{member}.Key"].lower(): parameters[f"{member}.Value"] for member in tags},
        transitive_keys=frozenset(parameters[member].lower() for member in transitive_tags),
        source_identity=parameters.get("SourceIdentity"),
    )
    if len(scope.tags) < len(tags):
        raise refusals.duplicate_tag_keys()
    if any(text.startswith("aws:") for tag in scope.tags.items() for text in map(str.lower, tag)):
        raise refusals.tag_of_aws()
    if not scope.transitive_keys <= scope.tags.keys():
        raise refusals.transitive_key_without_tag()
    _check_size(scope)
    return scope


def check_permitted(scope: SessionScope, caller: Caller, role: Role) -> None:
    """Raise AWS's refusal where this caller may not ask for it, or the role not be given it.

    What a session has inherited needs the permission as well.
    """
    if not caller.transitive_tags.keys().isdisjoint(scope.tags):
        raise refusals.transitive_key_conflicts()
    if scope.tags or caller.transitive_tags:
        _check_allowed("sts:TagSession", caller, role)
    if scope.source_identity or caller.source_identity:
        _check_allowed("sts:SetSourceIdentity", caller, role)
    if caller.source_identity and scope.source_identity not in (None, caller.source_identity):
        raise refusals.not_authorized(caller.arn, action="sts:SetSourceIdentity", resource=role.arn)


def _validate(
    parameters: Mapping[str, str], policy_arns: list[str], tags: list[str], transitive_tags: list[str]
) -> None:
    arns = (
        Text(f"{member}.arn", 20, 2048, pattern=_ARN_CHARACTERS, is_required=True) for member in policy_arns
    )
    keys = (_tag_text(f"{member}.Key", 1, 128, "+") for member in tags)
    values = (_tag_text(f"{member}.Value", 0, 256, "*") for member in tags)
    transitive = (_tag_text(member, 1, 128, "+") for member in transitive_tags)
    validate(parameters, [_POLICY, *arns, *keys, *values, *transitive, _SOURCE_IDENTITY])
    for name, members, limit in (
        ("policyArns", policy_arns, _POLICY_ARNS_LIMIT),
        ("tags", tags, _TAGS_LIMIT),
        ("transitiveTagKeys", transitive_tags, _TAGS_LIMIT),
    ):
        if len(members) > limit:
            raise refusals.too_many_members(name, limit)


def _tag_text(name: str, shortest: int, longest: int, repetition: str) -> Text:
    pattern = rf"[\p{{L}}\p{{Z}}\p{{N}}_.:/=+\-@]{repetition}"
    return Text(name, shortest, longest, pattern=pattern, is_required=True, is_allowed=_is_tag_character)


def _is_tag_character(character: str) -> bool:
    return character in _TAG_SIGNS or unicodedata.category(character)[0] in "LZN"


def _members(parameters: Mapping[str, str], name: str) -> Iterator[str]:
    """Return the names of the parameters that are a list's, without the fields of its members."""
    number = 1
    while any(
        given == (member := f"{name}.member.{number}") or given.startswith(f"{member}.")
        for given in parameters
    ):
        yield member
        number += 1


def _check_size(scope: SessionScope) -> None:
    if scope.policy is not None and not _is_json_object(scope.policy):
        raise refusals.malformed_policy()
    percentage = scope.packed_percentage
    if percentage is not None and percentage > 100:
        has_policy = scope.policy is not None or scope.policy_arns != ()
        raise refusals.packed_too_large(percentage, has_policy=has_policy)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _check_allowed(action: str, caller: Caller, role: Role) -> None:
    if action not in role.also_allows:
        raise refusals.not_authorized(caller.arn, action=action, resource=role.arn)
