"""What a person may type for a role, and what to say of a name that nothing has."""

from __future__ import annotations

from gds_exec.config.aws_files import WRITTEN_FOR
from gds_exec.config.profile_values import ACCOUNT_DIGITS, ROLE_ARN_HINT, is_role_arn, text
from gds_exec.errors import CopiedSession, UnknownRole
from gds_exec.options import SUBCOMMANDS
from gds_exec.redaction import quoted, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.config.aws_files import AwsFiles


def role_arn_of(files: AwsFiles, role: str) -> str:
    """Return the ARN that `role`, which is no profile's name, stands for; raise UnknownRole if none does."""
    # A copy may have the name of its role, such as `123456789012/audit`. That name means the role itself.
    if role in files.copied_sessions and text(files.copied_sessions[role], WRITTEN_FOR) != role:
        raise _is_a_copy(files, role)
    if role.startswith("arn:"):
        return _checked_arn(role)
    account, slash, name = role.partition("/")
    if slash and account.isascii() and account.isdigit():
        return _role_in_account(role, account, name)
    if role in files.copied_sessions:
        raise _is_a_copy(files, role)
    raise UnknownRole(f"no profile is named {quoted(role)}", hint=hint_at_profile(files, role))


def copied_role(files: AwsFiles, name: str) -> str | None:
    """Return the role whose session the profile `name` holds, or None if its mark names no role.

    The marked role may itself be a copy, because earlier versions could copy a copy. Follow its mark then.
    """
    seen: list[str] = []
    role = name
    while role in files.copied_sessions and role not in seen and not (seen and role in files.profiles):
        seen.append(role)
        role = text(files.copied_sessions[role], WRITTEN_FOR) or ""
    return role if role and role not in seen else None


def holds_copy(files: AwsFiles, name: str) -> str:
    """Return an error's words for a copied session: `holds a copied session of prod (FILE, line 3: …)`."""
    role = copied_role(files, name)
    of_role = f" of {show(role)}" if role else ""
    place = files.copied_sessions[name][WRITTEN_FOR].origin
    return f"holds a copied session{of_role} ({place}: {WRITTEN_FOR})"


def hint_at_profile(files: AwsFiles, name: str) -> str:
    """Return what may help to find the profile that was meant by `name`."""
    if name in files.unread_sections:
        return files.unread_sections[name]
    hints = (*files.missing_files, did_you_mean(files, name))
    return "; ".join(filter(None, hints)) or where_looked(files)


def did_you_mean(files: AwsFiles, name: str) -> str | None:
    """Return a question with the profiles whose names are nearest to `name`, whatever their case."""
    import difflib  # only a failure needs it

    spellings = {profile.lower(): profile for profile in sorted(files.profiles)}
    near = difflib.get_close_matches(name.lower(), spellings, n=2)
    return f"did you mean {' or '.join(quoted(spellings[match]) for match in near)}?" if near else None


def where_looked(files: AwsFiles) -> str:
    """Return a hint that names the files."""
    if not files.paths:
        return "there is no home directory, and AWS_CONFIG_FILE is not set"
    paths = " and ".join(map(show, files.paths))
    is_any = files.profiles or files.copied_sessions
    return f"profiles are read from {paths}" if is_any else f"no profile in {paths}"


def _is_a_copy(files: AwsFiles, name: str) -> CopiedSession:
    import shlex  # only errors need it

    role = copied_role(files, name)
    typed = f"{'--role ' if role in SUBCOMMANDS else ''}{show(shlex.quote(role))}" if role else "ROLE"
    message = f"profile {quoted(name)} {holds_copy(files, name)}"
    return CopiedSession(message, hint=f"use the role itself: gds-exec {typed} -- COMMAND")


def _checked_arn(arn: str) -> str:
    if is_role_arn(arn):
        return arn
    raise UnknownRole(f"{quoted(arn)} is not the ARN of an IAM role", hint=ROLE_ARN_HINT)


def _role_in_account(role: str, account: str, name: str) -> str:
    arn = f"arn:aws:iam::{account}:role/{name}"
    if is_role_arn(arn):
        return arn
    if len(account) != ACCOUNT_DIGITS:
        message = f"{quoted(role)} begins with an account number of {len(account)} digits, not 12"
        raise UnknownRole(message, hint="a role can be written ACCOUNT/ROLE, as in 123456789012/NAME")
    raise UnknownRole(f"{quoted(role)} does not end in the name of a role", hint=ROLE_ARN_HINT)
