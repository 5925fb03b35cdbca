"""The provider of a role's session, put together: the composition root."""

from __future__ import annotations

import os
import time

from gds_exec.cli.prompt import CI_SILENCE, LEFT_OUT_SILENCE, NO_INPUT_SILENCE, Desktop, Person
from gds_exec.cli.source_wiring import helper, new_session_name, wired_source
from gds_exec.cli.wiring import partition_of, wired_aws, wired_locks
from gds_exec.config.ci import is_ci, job_tags
from gds_exec.credentials.chain_cache import ChainCache
from gds_exec.credentials.mfa import STEP_SECONDS, TokenCodes
from gds_exec.credentials.mfa_sources import (
    ANY_OCCASION,
    SOURCE_NAMES,
    DialogCode,
    GivenCode,
    PersonCode,
    ProcessCode,
    YubiKeyCode,
    named_sources,
)
from gds_exec.credentials.plan import Asked
from gds_exec.credentials.planner import Planner
from gds_exec.credentials.provider import Provider
from gds_exec.credentials.request import Origin
from gds_exec.credentials.sts_calls import StsCalls
from gds_exec.lean import Value
from gds_exec.options import MFA_SOURCE, SCOPE_ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gds_exec.config.profiles import Profile
    from gds_exec.credentials.background import PreparedAws
    from gds_exec.credentials.cache import SessionCache
    from gds_exec.credentials.mfa import CodeSource
    from gds_exec.credentials.mfa_sources import Occasion
    from gds_exec.credentials.session_scope import Scope
    from gds_exec.invocation import Invocation
    from gds_exec.output import Messages
    from gds_exec.terminal import Terminal


class Situation(Value):
    """Who wants a session, what for, and how they can be reached."""

    profile: Profile
    invocation: Invocation
    environ: Mapping[str, str]
    messages: Messages
    terminal: Terminal | None
    occasion: Occasion = ANY_OCCASION

    @property
    def silence(self) -> str | None:
        """Why nobody is to be asked, or `None`."""
        if self.invocation.no_input:
            return NO_INPUT_SILENCE
        return CI_SILENCE if is_ci(self.environ) else None


def wired_provider(situation: Situation, cache: SessionCache) -> Provider:
    """Return the provider of the session that was asked for."""
    profile, invocation, environ = situation.profile, situation.invocation, situation.environ
    messages = situation.messages
    aws = wired_aws(profile, environ, region=invocation.region, messages=messages)
    source = wired_source(profile, environ, at_terminal=not situation.occasion.is_guest)
    chains = ChainCache(
        Origin(source.identity, profile.sts_endpoint_url or partition_of(profile)),
        cache,
        wired_locks(cache, situation.terminal, messages=messages, timeout_seconds=_lock_seconds(invocation)),
    )
    sts = StsCalls(
        aws,
        token_codes(situation, aws),
        chains,
        role=profile.name,
        new_session_name=lambda: new_session_name(environ),
    )
    planner = Planner(profile, what_was_asked(situation), source=source, cache=chains)
    return Provider(planner, source, sts, chains, notice=messages.notice)


def what_was_asked(situation: Situation, *, now: Callable[[], float] = time.time) -> Asked:
    """Return what the invocation asks of the session, or else what the profile does."""
    profile, invocation = situation.profile, situation.invocation

    def first_set(*values: int | None) -> int | None:
        return next((value for value in values if value is not None), None)

    return Asked(
        duration_seconds=invocation.duration_seconds,
        min_remaining_seconds=first_set(invocation.min_remaining_seconds, profile.min_remaining_seconds),
        session_name=invocation.session_name,
        scope=_scope(invocation),
        job_tags=job_tags(situation.environ) if invocation.ci_tags else (),
        expected_account=invocation.expect_account or profile.expected_account,
        mfa_max_age_seconds=first_set(invocation.mfa_max_age_seconds, profile.mfa_max_age_seconds),
        new_session=invocation.new_session,
        at=now(),
        renewing=situation.occasion.is_renewal,
    )


def token_codes(situation: Situation, aws: PreparedAws) -> TokenCodes:
    """Return the sources of MFA codes, in the order in which they are tried."""
    profile, invocation, environ = situation.profile, situation.invocation, situation.environ
    occasion, terminal, wait_seconds = situation.occasion, situation.terminal, invocation.wait_seconds
    # The other sources were tried, without a person, before a guest asks one.
    named = ["terminal"] if occasion.is_guest else named_sources(environ.get(MFA_SOURCE.variable, ""))
    order = named or SOURCE_NAMES
    person = Person(
        terminal,
        aws=aws,
        timeout_seconds=wait_seconds,
        silence=situation.silence or (None if "terminal" in order else LEFT_OUT_SILENCE),
        may_decline=occasion.is_renewal,
        meanwhile=_load_what_comes_after,
    )
    desktop = Desktop(
        environ,
        is_to_be_asked=situation.silence is None,
        run=helper(environ, timeout_seconds=wait_seconds),
        hint=occasion.hint,
    )
    say = terminal.say if terminal else situation.messages.notice
    run = helper(environ)
    sources: Mapping[str, CodeSource] = {
        "process": ProcessCode(profile.mfa_process, run=run),
        "ykman": YubiKeyCode(profile.ykman_account, is_named="ykman" in named, environ=environ, run=run),
        "terminal": PersonCode(person.ask, say=say, can_ask=person.is_there, occasion=occasion),
        "dialog": DialogCode(desktop.ask, can_ask=desktop.is_there, occasion=occasion),
    }
    in_order = (GivenCode(invocation.mfa_code), *(sources[name] for name in order))
    return TokenCodes(in_order, say=say, why_nobody=person.why_not)


def _scope(invocation: Invocation) -> Scope | None:
    if not any(getattr(invocation, row.field) for row in SCOPE_ROWS):
        return None
    from gds_exec.cli.scope_options import scope_of  # most runs have no scope

    return scope_of(invocation)


def _lock_seconds(invocation: Invocation) -> float:
    """Return how long to wait for another gds-exec. A code that was given expires meanwhile."""
    return min(invocation.wait_seconds, STEP_SECONDS) if invocation.mfa_code else invocation.wait_seconds


def _load_what_comes_after() -> None:
    """Import, while a person types, what is wanted as soon as they have."""
    from gds_exec.child import process_info
    from gds_exec.cli import (
        completion_names,  # noqa: F401
        shortcuts,  # noqa: F401
    )

    process_info.process_mark(os.getpid())  # it is remembered
