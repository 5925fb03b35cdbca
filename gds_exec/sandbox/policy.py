"""Whether a role's trust policy lets a caller in."""

from gds_exec.sandbox.principals import Caller, Role


def is_trusted(caller: Caller, role: Role, *, external_id: str | None, now: float) -> bool:
    """Return whether `caller` may assume `role`: AWS says the same no to whatever was missing."""
    if role.denies_everybody or not _is_principal(caller, role):
        return False
    if role.external_id is not None and role.external_id != external_id:
        return False
    return _satisfies_mfa(caller, role, now=now)


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
