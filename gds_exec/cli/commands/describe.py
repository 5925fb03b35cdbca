"""`gds-exec ROLE --describe`: what a role is, and what is cached of it. Neither AWS nor a person is asked."""

from __future__ import annotations

from gds_exec.cli import render
from gds_exec.cli.next_step import moment, print_outlook, time_left
from gds_exec.credentials.request import role_of
from gds_exec.options import duration_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.cli.runtime import Run
    from gds_exec.credentials.provider import Outlook
    from gds_exec.invocation import Invocation

    Lines = dict[str, str | None]
    Document = dict[str, str | int | dict[str, str | int | None] | None]


def describe(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Print what the files, the options and the cache say of the role."""
    print_outlook(invocation, environ, text=_text, document=_document)


def _text(run: Run, outlook: Outlook, now: float) -> str:
    seconds = _duration_seconds(outlook)
    lasts = None if seconds is None else f"{duration_text(seconds)} ({_duration_from(run, seconds)})"
    return render.yaml_lines(
        {**_facts(run, outlook), "duration": lasts, "session": _session_line(outlook, now)}
    )


def _document(run: Run, outlook: Outlook, now: float) -> Document:
    seconds = _duration_seconds(outlook)
    session = outlook.plan.session if outlook.plan.is_complete else None
    return {
        **_facts(run, outlook),
        "duration_seconds": seconds,
        "duration_from": None if seconds is None else _duration_from(run, seconds),
        "session": {
            "state": "keys" if not outlook.plan.requests else "cached" if session else "none",
            "expiration": moment(session),
            "seconds_left": int(session.seconds_left(now)) if session else None,
            "needs_code": outlook.plan.device is not None,
        },
    }


def _facts(run: Run, outlook: Outlook) -> Lines:
    profile = run.profile
    arn = profile.roles[-1].role_arn if profile.roles else None
    return {
        "role": profile.name,
        "arn": arn,
        "account": role_of(arn)[0] if arn else None,
        "region": run.region,
        "source_profile": profile.source.profile_name,
        "source": profile.source.owner,
        "mfa_device": profile.mfa_serial or _device_in(outlook),
    }


def _device_in(outlook: Outlook) -> str | None:
    """Return the device that has opened this role although its profile names none."""
    serials = (request.mfa_serial for request in outlook.plan.requests)
    return next(filter(None, serials), None)


def _duration_seconds(outlook: Outlook) -> int | None:
    return outlook.plan.requests[-1].duration_seconds if outlook.plan.requests else None


def _duration_from(run: Run, seconds: int) -> str:
    """Return what set the duration: what was asked, the profile, a minimum above it, or AWS's limit."""
    asked, profiles = run.invocation.duration_seconds, run.profile.duration_seconds
    wanted = asked or profiles
    if wanted is not None and seconds < wanted:
        return "limit"
    minimum = run.invocation.min_remaining_seconds or run.profile.min_remaining_seconds
    if seconds == minimum and seconds != wanted:
        return "minimum"
    return "asked" if asked else "profile" if profiles else "default"


def _session_line(outlook: Outlook, now: float) -> str:
    plan = outlook.plan
    if not plan.requests:
        return "none, the keys are used as they are"
    if plan.is_complete and plan.session:
        return f"cached, {time_left(plan.session, now)} left"
    return "none, a code is needed" if plan.device else "none, no code is needed"
