"""What a person finds in `gds-exec try`: a user, an MFA device, four roles, and the AWS files for them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import Role, User
from gds_exec.sandbox.state import Aws

USER_PROFILE = "try-user"
REGION = "eu-west-2"
_MARKS = ("sts:TagSession", "sts:SetSourceIdentity")
_COMMENT = """\
# Written by `gds-exec try`, and gone when it ends. There is no [default], which would stand before
# what gds-exec gives a command: `aws --profile try-user` signs with the user's own keys.
"""


@dataclass(frozen=True, slots=True)
class RoleProfile:
    """A role, and how its profile reaches it.

    A role that another one leads to needs no MFA of its own: a role session has no device.
    """

    name: str
    role: Role
    source_profile: str = USER_PROFILE
    needs_mfa: bool = True


@dataclass(frozen=True, slots=True)
class Scenery:
    user: User
    device: MfaDevice
    profiles: tuple[RoleProfile, ...]


def furnish(aws: Aws, *, on_spent: Callable[[int], None]) -> Scenery:
    """Put the user, the device and the roles into `aws`; `on_spent` is told each spent step."""
    user = aws.add_user(USER_PROFILE)
    device = user.add_mfa_device(on_spent=on_spent)
    readonly = aws.add_role("readonly", trust=[user.arn], require_mfa=True, also_allows=_MARKS)
    admin = aws.add_role(
        "admin", trust=[user.arn], require_mfa=True, max_session=12 * 3600, also_allows=_MARKS
    )
    chained = aws.add_role("chained", trust=[readonly.arn], account="333333333333", also_allows=_MARKS)
    open_role = aws.add_role("no-mfa", trust=[user.arn], also_allows=_MARKS)
    profiles = (
        RoleProfile("try-readonly", readonly),
        RoleProfile("try-admin", admin),
        RoleProfile("try-chained", chained, source_profile="try-readonly", needs_mfa=False),
        RoleProfile("try-no-mfa", open_role, needs_mfa=False),
    )
    return Scenery(user, device, profiles)


def config_text(scenery: Scenery, *, mfa_process: str | None) -> str:
    """Return the AWS config file; `mfa_process` is what supplies codes where no person can."""
    sections = [f"[profile {USER_PROFILE}]\nregion = {REGION}\n"]
    for profile in scenery.profiles:
        lines = "\n".join(_profile_lines(profile, scenery.device.serial, mfa_process))
        sections.append(f"[profile {profile.name}]\n{lines}\n")
    return "\n".join([_COMMENT, *sections])


def credentials_text(scenery: Scenery) -> str:
    """Return the AWS credentials file."""
    return (
        f"[{USER_PROFILE}]\n"
        f"aws_access_key_id = {scenery.user.access_key_id}\n"
        f"aws_secret_access_key = {scenery.user.secret_access_key}\n"
    )


def _profile_lines(profile: RoleProfile, mfa_serial: str, mfa_process: str | None) -> Iterator[str]:
    yield f"role_arn = {profile.role.arn}"
    yield f"source_profile = {profile.source_profile}"
    yield f"region = {REGION}"
    if profile.needs_mfa:
        yield f"mfa_serial = {mfa_serial}"
        if mfa_process is not None:
            yield f"mfa_process = {mfa_process}"
