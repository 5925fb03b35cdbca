"""`gds-exec explain ROLE`: how a session would be had, what says so, and what stands in the cache.

Neither AWS nor a person is asked, and no helper is run. What is secret, or might be, is not shown.
"""

from __future__ import annotations

from gds_exec.cli import render
from gds_exec.cli.next_step import called, moment, next_step, print_outlook, time_left
from gds_exec.cli.source_wiring import wanted_source
from gds_exec.config.environment_sources import candidates
from gds_exec.config.provenance import DEFAULT, OPTION, VARIABLE, Setting, from_variable
from gds_exec.config.sources import WebIdentityToken
from gds_exec.credentials.mfa_sources import DialogCode, GivenCode, PersonCode, ProcessCode, YubiKeyCode
from gds_exec.credentials.request import SessionTokenRequest
from gds_exec.credentials.session_scope import READ_ONLY_ARN
from gds_exec.environment import REGION_VARIABLES, is_false
from gds_exec.options import MFA_SOURCE, OPTIONS, SCOPE_ROWS, SPELLINGS, duration_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gds_exec.cli.runtime import Run
    from gds_exec.config.environment_sources import Candidate
    from gds_exec.credentials.provider import Outlook
    from gds_exec.credentials.request import Request
    from gds_exec.invocation import Invocation
    from gds_exec.options import Option
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
# These settings stand together, in this order; all others follow.
_FIRST = (
    *("mfa_serial", "mfa_process", "ykman_account", "gds_exec_ykman_account", "mfa_source", "mfa_code"),
    *("region", "duration", "min_remaining", "mfa_max_age", "expect_account", "refresh"),
)
# A profile or its source carries these.
_CARRIED = ("source_profile", *(f"web_identity_token_{kind}" for kind in ("file", "env", "command")))
_OTHER_ROWS = [
    row
    for row in OPTIONS
    if row.field and row.variable and row.field not in _CARRIED and row not in SCOPE_ROWS
]


def explain(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Print the way to the role's session from here, now."""
    print_outlook(invocation, environ, text=_text, document=_document)


def _text(run: Run, outlook: Outlook, now: float) -> str:
    sources = [_SOURCES[type(source)][1] for source in outlook.code_sources]
    following = [*outlook.plan.notices, next_step(outlook, run.profile, now=now)]
    sections: dict[str, list[Row]] = {
        "chain": _chain_rows(run, outlook, now),
        "settings": [(setting.name, setting.text, setting.origin) for setting in settings_of(run, outlook)],
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
        "settings": [_setting(setting) for setting in settings_of(run, outlook)],
        "sources": [_candidate(candidate) for candidate in _candidates(run)],
        "code_sources": [_SOURCES[type(source)][0] for source in outlook.code_sources],
        "notices": list(outlook.plan.notices),
        "next": next_step(outlook, run.profile, now=now),
    }


def settings_of(run: Run, outlook: Outlook) -> list[Setting]:
    """Return all that decides about this run: what the profile carries, and the options, which win."""
    profile, environ, requests = run.profile, run.environ, outlook.plan.requests
    asked = {setting.name: setting for setting in _asked(run.invocation, _OTHER_ROWS)}
    settings = (
        Setting("region", "none", DEFAULT),
        Setting("duration", requests[-1].duration_seconds, DEFAULT) if requests else None,
        *profile.settings,
        from_variable("mfa_source", MFA_SOURCE.variable, environ),
        *(from_variable("region", variable, environ) for variable in reversed(REGION_VARIABLES)),
        *asked.values(),
    )
    last = {setting.name: setting for setting in settings if setting is not None}
    session_name = last.pop("session_name", None)
    found = (
        *_of_roles(run, session_name),
        profile.source.setting,
        *(last[name] for name in dict.fromkeys((*_FIRST, *asked, *last)) if name in last),
        *(file.setting for file in run.files.read),
        *_asked(run.invocation, SCOPE_ROWS),
    )
    return [as_said(setting, environ) for setting in found if setting is not None]


def _of_roles(run: Run, session_name: Setting | None) -> list[Setting]:
    """Return what the roles carry, the wanted one first, except where an option wins."""
    replaced = {"role_session_name": session_name, "external_id": run.invocation.external_id}
    bare: list[Setting] = []
    named: list[Setting] = []
    for role in reversed(run.profile.roles):
        is_wanted = role is run.profile.roles[-1]
        kept = (one for one in role.settings if not (is_wanted and replaced.get(one.name)))
        (named if role.profile_name else bare).extend(kept)
    chain = [*bare, *filter(None, [session_name]), *named]
    # The variable may name the sessions of several roles. It is shown once, at the end.
    return sorted(dict.fromkeys(chain), key=lambda one: one.where == "AWS_ROLE_SESSION_NAME")


def _asked(invocation: Invocation, rows: Iterable[Option]) -> Iterator[Setting]:
    """Return the options of these rows that were given."""
    for row in rows:
        value = getattr(invocation, row.field)
        if value != row.default:
            for each in sorted(value) if row.is_repeatable else [value]:
                yield Setting(row.name[2:].replace("-", "_"), each, OPTION, row.name)


def as_said(setting: Setting, environ: Mapping[str, str]) -> Setting:
    """Return the setting of an option with the variable that stands for it, if that says the same."""
    if setting.kind != OPTION:
        return setting
    row = SPELLINGS[setting.where]
    variable = row.variable or ""
    if _says(row, environ.get(variable, ""), setting.value):
        setting = setting.but(kind=VARIABLE, where=variable)
    return setting.but(value=READ_ONLY_ARN) if row.field == "read_only" else setting


def _says(row: Option, text: str, value: object) -> bool:
    if row.is_flag:
        return not is_false(text)
    if row.field == "policy":  # which may have been read from a file since
        return text != ""
    if row.is_repeatable:
        return value in text.split()
    try:
        return row.value_of(text) == value
    except ValueError:
        return False


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


def _setting(setting: Setting) -> Fact:
    return {
        "name": setting.name,
        "value": setting.text,
        "from": setting.kind,
        "where": setting.where or None,
        "line": setting.line,
    }


def _about(request: Request) -> str:
    return request.mfa_serial if isinstance(request, SessionTokenRequest) else request.role_arn
