"""What narrows a role's session, or marks it: session policies, tags, identities.

All of it is told to AssumeRole, so all of it is in the key of what is cached. What AWS is sure to
refuse is found here, before a code is spent on it (STS, AssumeRole).
"""

from __future__ import annotations

import unicodedata

from gds_exec.config.profile_values import is_external_id
from gds_exec.errors import UsageError
from gds_exec.lean import Value
from gds_exec.options import is_account, is_session_name
from gds_exec.redaction import quoted

READ_ONLY_ARN = "arn:aws:iam::aws:policy/ReadOnlyAccess"

_POLICY_CHARACTERS = 2048
_POLICY_ARNS = 10
_TAGS = 50
_TAG_KEY_CHARACTERS = 128
_TAG_VALUE_CHARACTERS = 256
_TAG_SIGNS = frozenset("_.:/=+-@")
_TAG_HINT = "AWS takes letters, digits, blanks and _.:/=+-@: 1 to 128 in a key and up to 256 in a value"


class Scope(Value):
    """What is asked of a session besides its role, each kind in an order that does not depend on who asks."""

    policy: str | None = None
    policy_arns: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    transitive_tags: tuple[str, ...] = ()
    source_identity: str | None = None
    external_id: str | None = None

    @property
    def text(self) -> str:
        """The scope in a line, which no other scope has."""
        import json  # 7 ms, which only those spend who ask for a scope

        said = {name: getattr(self, name) for name in self._fields}
        return json.dumps(
            {name: value for name, value in said.items() if value not in (None, ())},
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @property
    def is_of_policies_alone(self) -> bool:
        return self == Scope(policy=self.policy, policy_arns=self.policy_arns)

    def with_tags(self, tags: tuple[tuple[str, str], ...]) -> Scope:
        """Return the scope with these tags besides its own, which win, as far as AWS takes them."""
        own = {key.lower() for key, _ in self.tags}
        others = tuple((key, _as_tag_value(value)) for key, value in tags if key.lower() not in own)
        return self.but(tags=tuple(sorted((*self.tags, *others[: _TAGS - len(self.tags)]))))

    def of_call(self, role_arn: str, *, is_first: bool, is_wanted: bool) -> Scope | None:
        """Return what is told to the AssumeRole of one role of a chain; its external id is told apart.

        A source identity stays with all sessions that follow, and can be set but once.
        """
        source_identity = self.source_identity if is_first else None
        if not is_wanted:
            return Scope(source_identity=source_identity) if source_identity else None
        arns = tuple(_beside(role_arn, arn) for arn in self.policy_arns)
        told = self.but(policy_arns=arns, source_identity=source_identity, external_id=None)
        return None if told == Scope() else told


def check_scope(scope: Scope) -> None:
    """Raise `UsageError` for what AWS would refuse."""
    _check_policies(scope)
    _check_tags(scope)
    _check_transitive_tags(scope)
    if scope.source_identity is not None and not is_session_name(scope.source_identity):
        raise UsageError(
            f"--source-identity {quoted(scope.source_identity)} cannot be one",
            hint="2 to 64 letters, digits and any of _ = + , . @ - are allowed",
        )
    if scope.external_id is not None and not is_external_id(scope.external_id):
        raise UsageError(
            f"--external-id {quoted(scope.external_id)} cannot be one",
            hint="2 to 1224 letters, digits and any of _ = + , . @ : / - are allowed",
        )


def _check_policies(scope: Scope) -> None:
    if scope.policy is not None and len(scope.policy) > _POLICY_CHARACTERS:
        raise UsageError(
            f"the policy has {len(scope.policy)} characters without its blanks: "
            f"AWS takes {_POLICY_CHARACTERS}",
            hint="make a managed policy of it, in the role's account, and name that with --policy-arn",
        )
    if len(scope.policy_arns) > _POLICY_ARNS:
        raise UsageError(
            f"{len(scope.policy_arns)} managed policies are asked for: AWS takes {_POLICY_ARNS}",
            hint="leave some out, or put some together",
        )
    for arn in scope.policy_arns:
        if not _is_policy_arn(arn):
            raise UsageError(
                f"--policy-arn {quoted(arn)} is not the ARN of an IAM policy",
                hint=f"it looks like arn:aws:iam::123456789012:policy/NAME or {READ_ONLY_ARN}",
            )


def _check_tags(scope: Scope) -> None:
    if len(scope.tags) > _TAGS:
        raise UsageError(f"{len(scope.tags)} tags are asked for: AWS takes {_TAGS}", hint="leave some out")
    seen: dict[str, str] = {}
    for key, value in scope.tags:
        _check_tag(key, value)
        if (same := seen.get(key.lower())) is not None:
            raise UsageError(
                f"--tag {quoted(same)} and {quoted(key)} are one tag",
                hint="each tag has one value, and AWS does not tell a from A in its key",
            )
        seen[key.lower()] = key


def _check_tag(key: str, value: str) -> None:
    is_key = key != "" and _is_tag_text(key, _TAG_KEY_CHARACTERS)
    if not (is_key and _is_tag_text(value, _TAG_VALUE_CHARACTERS)):
        raise UsageError(f"--tag {quoted(f'{key}={value}')} cannot be one", hint=_TAG_HINT)
    if _is_reserved(key) or _is_reserved(value):
        raise UsageError(
            f"--tag {quoted(f'{key}={value}')} cannot be one", hint="what begins with aws: is AWS's own"
        )


def _check_transitive_tags(scope: Scope) -> None:
    keys = {key.lower() for key, _ in scope.tags}
    for key in scope.transitive_tags:
        if key.lower() not in keys:
            raise UsageError(
                f"--transitive-tag {quoted(key)} is no tag of this session",
                hint=f"say its value as well: --tag {quoted(f'{key}=VALUE')}",
            )


def _is_policy_arn(text: str) -> bool:
    match text.split(":"):
        case ["arn", partition, "iam", "", account, policy]:
            name = policy.removeprefix("policy/")
            is_name = name not in ("", policy) and name.isascii() and name.isprintable() and " " not in name
            is_short = len(text) <= _POLICY_CHARACTERS
            return (
                partition.startswith("aws")
                and (is_account(account) or account == "aws")
                and is_name
                and is_short
            )
    return False


def _is_tag_text(text: str, longest: int) -> bool:
    return len(text) <= longest and all(
        character in _TAG_SIGNS or unicodedata.category(character)[0] in "LNZ" for character in text
    )


def _as_tag_value(text: str) -> str:
    """Return the text with what AWS takes in a tag's value, and no more of it."""
    usable = "".join(character if _is_tag_text(character, 1) else "_" for character in text)
    if _is_reserved(usable):  # as a workflow `AWS: deploy` would be
        usable = usable.replace(":", "_", 1)
    return usable[:_TAG_VALUE_CHARACTERS]


def _is_reserved(text: str) -> bool:
    return text.lower().startswith("aws:")


def _beside(role_arn: str, policy_arn: str) -> str:
    """Return the ARN of the policy in the role's partition: AWS's own policies are in each."""
    partition = role_arn.split(":")[1]
    of_aws = "arn:aws:iam::aws:"
    is_of_aws = policy_arn.startswith(of_aws)
    return f"arn:{partition}:iam::aws:{policy_arn.removeprefix(of_aws)}" if is_of_aws else policy_arn
