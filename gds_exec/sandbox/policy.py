"""Whether a role's trust policy lets a caller in, or a token."""

import re

from gds_exec.sandbox.principals import Caller, Role


def is_trusted(caller: Caller, role: Role, *, external_id: str | None, now: float) -> bool:
    """Return whether `caller` may assume `role`: AWS says the same no to whatever was missing."""
    if role.denies_everybody or not _is_principal(caller, role):
        return False
    if role.external_id is not None and role.external_id != external_id:
        return False
    return _satisfies_mfa(caller, role, now=now)


def is_token_trusted(role: Role, *, provider: str, subject: str, audience: str) -> bool:
    """Return whether a token whose signature and times are good opens `role`."""
    return not role.denies_everybody and any(
        trust.provider == provider and _is_like(subject, trust.subject) and _is_like(audience, trust.audience)
        for trust in role.token_trust
    )


def _is_like(text: str, pattern: str) -> bool:
    """Return what IAM's StringLike says: `*` is any text, `?` any character."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _is_principal(caller: Caller, role: Role) -> bool:
    names = {caller.arn, caller.account, f"arn:aws:iam::{caller.account}:root", "*"}
    if caller.role is not None:
        names.add(caller.role.arn)
    return not names.isdisjoint(role.trust)


def _satisfies_mfa(caller: Caller, role: Role, *, now: float) -> bool:
    # aws:MultiFactorAuthAge is absent without MFA, and no numeric condition holds on an absent key.
    if role.mfa_max_age is not None:
        return caller.mfa_at is not None and now - caller.mfa_at < role.mfa_max_age
    return not role.require_mfa or caller.mfa_at is not None
