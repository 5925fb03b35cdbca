"""One run for one role: what it reads, what it says, and who provides its session."""

from __future__ import annotations

import time

from gds_exec.cli.messages import Messages
from gds_exec.cli.names_file import renew_names
from gds_exec.cli.wiring import wired_cache, wired_files, wired_provider
from gds_exec.config.profiles import find_profile
from gds_exec.delivery.environment import callers_environment
from gds_exec.errors import BrokenProfile
from gds_exec.invocation import ASKED_FOR
from gds_exec.redaction import show
from gds_exec.terminal import Terminal
from gds_exec.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.profiles import Profile
    from gds_exec.credentials.cache import SessionCache
    from gds_exec.credentials.provider import Provider
    from gds_exec.credentials.session import SessionCredentials
    from gds_exec.invocation import Invocation


class Run(Value):
    """All of a run, put together; `environ` is the caller's own, `read_at` when its files were read."""

    invocation: Invocation
    environ: Mapping[str, str]
    messages: Messages
    files: AwsFiles
    read_at: float
    profile: Profile
    cache: SessionCache
    provider: Provider

    def remember(self, session: SessionCredentials) -> None:
        """Leave what lets a later run of this kind find the session without reading the files."""
        key = self.provider.kept_under
        if key is None or not self.messages.is_silent or self.invocation.mfa_max_age_seconds:
            return
        if self.profile.min_remaining_seconds or self.profile.mfa_max_age_seconds or self.profile.refresh:
            return
        from gds_exec.cli.remembering import remember_shortcut

        remember_shortcut(
            self.cache,
            self.invocation,
            self.environ,
            self.files,
            key=key,
            session=session,
            region=self.profile.region,
            read_at=self.read_at,
        )


def put_together(
    invocation: Invocation,
    environ: Mapping[str, str],
    *,
    messages: Messages | None = None,
    renewing: bool = False,
    open_terminal: Callable[[], Terminal | None] = Terminal.open,
    is_guest: bool = False,
) -> Run:
    """Read what the person has set up for this role. Raise a `ConfigError` where it leads to no keys.

    With `renewing`, a cached session that is due to be renewed does not do. A guest on the terminal is one
    that has it from another program.
    """
    _refuse_recursion(invocation, environ)
    environ = callers_environment(environ)
    messages = messages or Messages(quiet=invocation.quiet)
    read_at = time.time()
    files = wired_files(environ)
    profile = find_profile(files, invocation.role, environ=environ, source_profile=invocation.source_profile)
    for warning in profile.warnings:
        messages.warn(warning)
    cache = wired_cache(environ, messages=messages)
    renew_names(cache, files, read_at=read_at)
    provider = wired_provider(
        profile,
        invocation,
        environ,
        cache=cache,
        messages=messages,
        terminal=open_terminal(),
        renewing=renewing,
        is_guest=is_guest,
    )
    return Run(invocation, environ, messages, files, read_at, profile, cache, provider)


def _refuse_recursion(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Refuse a profile that names gds-exec, for that very profile, as its own credential_process."""
    if invocation.role in environ.get(ASKED_FOR, "").split("\n"):
        raise BrokenProfile(
            f"the credential_process of {show(invocation.role)} is gds-exec itself",
            hint="give the profile that names gds-exec another name than the role that gds-exec is to find",
        )
