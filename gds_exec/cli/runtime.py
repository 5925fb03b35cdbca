"""One run for one role: what it reads, what it says, and who provides its session."""

from __future__ import annotations

import time

from gds_exec.cli.provider_wiring import Situation, wired_provider
from gds_exec.cli.source_wiring import wanted_source
from gds_exec.cli.wiring import wired_cache, wired_files
from gds_exec.config.ci import is_ci
from gds_exec.config.profiles import find_profile
from gds_exec.config.sources import CredentialProcess, StoredKeys, is_seen_by_command
from gds_exec.credentials.mfa_sources import ANY_OCCASION, Occasion
from gds_exec.environment import callers_environment, effective_region, is_github_actions
from gds_exec.errors import BrokenProfile, OutOfTime
from gds_exec.invocation import ASKED_FOR
from gds_exec.lean import Value
from gds_exec.options import duration_text
from gds_exec.output import Messages
from gds_exec.redaction import show
from gds_exec.signals import time_limit
from gds_exec.terminal import Terminal
from gds_exec.warm import briefing_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.profiles import Profile
    from gds_exec.credentials.cache import SessionCache
    from gds_exec.credentials.provider import Provider
    from gds_exec.environment import Briefing
    from gds_exec.invocation import Invocation
    from gds_exec.session import SessionCredentials


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

    @property
    def briefing(self) -> Briefing:
        """What a command is told besides its session."""
        source = self.profile.source
        lost_source = None if is_seen_by_command(source) else source.owner
        return briefing_of(self.invocation, region=self.profile.region, lost_source=lost_source)

    @property
    def region(self) -> str | None:
        """The region that a command sees."""
        asked, of_role = self.invocation.region, self.profile.region
        return effective_region(self.environ, asked=asked, of_role=of_role)

    def retrieve(self) -> SessionCredentials:
        """Return the session that was asked for. Raise a `GdsExecError` that says why there is none."""
        return self.within_time(self.provider.retrieve)

    def within_time(self, get: Callable[[], SessionCredentials]) -> SessionCredentials:
        """Return the session that `get` gets, within the time that was set for that."""
        seconds = self.invocation.timeout_seconds
        with time_limit(seconds, otherwise=lambda: _out_of_time(seconds or 0)):
            session = get()
        from gds_exec.cli.completion_names import renew_names  # loaded by now, if a person typed a code

        renew_names(self.cache, self.files, read_at=self.read_at)
        if is_github_actions(self.environ):
            from gds_exec.output import mask_in_job_log

            mask_in_job_log(*session.access_key.parts)
        return session

    def remember(self, session: SessionCredentials) -> None:
        """Leave what lets a later run of this kind find the session without reading the files."""
        key = self.provider.kept_under
        if key is None or not self.messages.is_silent or self.invocation.mfa_max_age_seconds:
            return
        if self.profile.min_remaining_seconds or self.profile.mfa_max_age_seconds or self.profile.refresh:
            return
        # The warm path looks at nothing outside of the AWS files: no variable, no token.
        if not isinstance(self.profile.source, StoredKeys | CredentialProcess) or self.invocation.ci_tags:
            return
        from gds_exec.cli.shortcuts import remember_shortcut

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
    open_terminal: Callable[[], Terminal | None] = Terminal.open,
    occasion: Occasion = ANY_OCCASION,
) -> Run:
    """Read what the person has set up for this role. Raise a `ConfigError` where it leads to no keys."""
    _refuse_recursion(invocation, environ)
    environ = callers_environment(environ)
    messages = messages or Messages(quiet=invocation.quiet)
    read_at = time.time()
    files = wired_files(environ)
    profile = find_profile(
        files,
        invocation.role,
        environ=environ,
        source_profile=invocation.source_profile,
        wanted=wanted_source(invocation),
    )
    for warning in profile.warnings:
        messages.warn(warning)
    cache = wired_cache(environ, messages=messages, is_wanted=invocation.cache or not is_ci(environ))
    situation = Situation(profile, invocation, environ, messages, open_terminal(), occasion)
    provider = wired_provider(situation, cache)
    return Run(invocation, environ, messages, files, read_at, profile, cache, provider)


def _out_of_time(seconds: int) -> OutOfTime:
    return OutOfTime(
        f"no credentials were had within {duration_text(seconds)}",
        hint="--timeout (GDS_EXEC_TIMEOUT) sets how long that may take",
    )


def _refuse_recursion(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Refuse a profile that names gds-exec, for that very profile, as its own credential_process."""
    if invocation.role in environ.get(ASKED_FOR, "").split("\n"):
        raise BrokenProfile(
            f"the credential_process of {show(invocation.role)} is gds-exec itself",
            hint="give the profile that names gds-exec another name than the role that gds-exec is to find",
        )
