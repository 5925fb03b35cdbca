"""`gds-exec explain ROLE`: how a session would be had, what says so, and what stands in the cache.

Neither AWS nor a person is asked, and no helper is run. What is secret, or might be, is not shown.
"""

from __future__ import annotations

import sys
import time

from gds_exec.cli import render
from gds_exec.cli.next_step import called, moment, next_step, time_left
from gds_exec.cli.runtime import put_together
from gds_exec.cli.scope_options import with_scope
from gds_exec.cli.source_wiring import wanted_source
from gds_exec.config.setting_provenance import traced_settings
from gds_exec.config.source_provenance import candidates
from gds_exec.config.sources import WebIdentityToken
from gds_exec.credentials.mfa_sources import DialogCode, GivenCode, PersonCode, ProcessCode, YubiKeyCode
from gds_exec.credentials.request import SessionTokenRequest
from gds_exec.options import duration_text
from gds_exec.output import printing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.cli.runtime import Run
    from gds_exec.config.provenance import TracedSetting
    from gds_exec.config.source_provenance import Candidate
    from gds_exec.credentials.provider import Outlook
    from gds_exec.credentials.request import Request
    from gds_exec.invocation import Invocation
    from gds_exec.session import SessionCredentials

    Row = tuple[str, ...]
    Fact = dict[str, str | int | bool | None]
    Document = dict[str, str | list[str] | list[Fact] | None]

_SOURCES = {
    GivenCode: ("given", "the code that was given"),
    ProcessCode: ("process", "the profile's mfa_process"),
    YubiKeyCode: ("ykman", "a YubiKey, asked by ykman"),
    PersonCode: ("terminal", "a person at this terminal"),
    DialogCode: ("dialog", "a person, in a dialog on this desktop"),
}


def explain(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Print the way to the role's session from here, now."""
    run = put_together(invocation, environ)
    outlook = run.provider.outlook()
    now = time.time()
    text = render.as_json(_document(run, outlook, now)) if invocation.as_json else _text(run, outlook, now)
    with printing():
        sys.stdout.write(text)


def _text(run: Run, outlook: Outlook, now: float) -> str:
    sources = [_SOURCES[type(source)][1] for source in outlook.code_sources]
    following = [*outlook.plan.notices, next_step(outlook, run.profile, now=now)]
    sections: dict[str, list[Row]] = {
        "chain": _chain_rows(run, outlook, now),
        "settings": [(setting.name, setting.value, setting.origin) for setting in _settings(run, outlook)],
        "first credentials, in order": [_candidate_row(candidate) for candidate in _candidates(run)],
        "codes would come from": [(source,) for source in sources or ["nobody: nothing here can give one"]],
        "next": [(sentence,) for sentence in following],
    }
    return "\n".join(f"{title}\n{render.aligned(rows, indent='  ')}" for title, rows in sections.items())


def _document(run: Run, outlook: Outlook, now: float) -> Document:
    steps = zip(outlook.plan.requests, outlook.held, strict=True)
    return {
        "role": run.profile.name,
        "source_profile": run.profile.source.profile_name,
        "source": run.profile.source.owner,
        "chain": [_step(request, held, now) for request, held in steps],
        "settings": [_setting(setting) for setting in _settings(run, outlook)],
        "sources": [_candidate(candidate) for candidate in _candidates(run)],
        "code_sources": [_SOURCES[type(source)][0] for source in outlook.code_sources],
        "notices": list(outlook.plan.notices),
        "next": next_step(outlook, run.profile, now=now),
    }


def _settings(run: Run, outlook: Outlook) -> list[TracedSetting]:
    requests = outlook.plan.requests
    settings = traced_settings(
        run.files,
        run.profile,
        run.invocation,
        environ=run.environ,
        default_seconds=requests[-1].duration_seconds if requests else None,
    )
    return with_scope(settings, run)


def _candidates(run: Run) -> list[Candidate]:
    return candidates(
        run.profile.source,
        is_bare=run.profile.name not in run.files.profiles,
        wanted=wanted_source(run.invocation),
        environ=run.environ,
    )


def _candidate(candidate: Candidate) -> Fact:
    return {"kind": candidate.kind, "source": candidate.owner, "is_taken": candidate.is_taken}


def _candidate_row(candidate: Candidate) -> Row:
    return candidate.kind, candidate.owner or "none here", "taken" if candidate.is_taken else ""


def _chain_rows(run: Run, outlook: Outlook, now: float) -> list[Row]:
    """Return a row a step: from the keys, by way of what is cached, to the session that is wanted."""
    source = run.profile.source
    what = "token" if isinstance(source, WebIdentityToken) else "keys"
    rows: list[Row] = [(what, source.owner, "", "")]
    for position, (request, held) in enumerate(zip(outlook.plan.requests, outlook.held, strict=True)):
        is_usable = position < outlook.plan.done
        state = _state(held, now, is_usable=is_usable)
        rows.append((called(request), _about(request), duration_text(request.duration_seconds), state))
    return rows


def _state(held: SessionCredentials | None, now: float, *, is_usable: bool) -> str:
    if held is None:
        return "not cached"
    if held.is_from_the_future(now):
        return "cached by a clock that was ahead: not used"
    if held.seconds_left(now) <= 0:
        return "cached, and has ended"
    return f"cached, {time_left(held, now)} left{'' if is_usable else ': not used'}"


def _step(request: Request, held: SessionCredentials | None, now: float) -> Fact:
    return {
        "kind": called(request),
        "name": _about(request),
        "duration_seconds": request.duration_seconds,
        "with_code_of": request.mfa_serial,
        "expiration": moment(held),
        "seconds_left": max(0, int(held.seconds_left(now))) if held else None,
    }


def _setting(setting: TracedSetting) -> Fact:
    return {
        "name": setting.name,
        "value": setting.value,
        "from": setting.kind,
        "where": setting.where or None,
        "line": setting.line,
    }


def _about(request: Request) -> str:
    return request.mfa_serial if isinstance(request, SessionTokenRequest) else request.role_arn
