"""What a run would do next, in words; and how long a session still lasts."""

from __future__ import annotations

import sys
import time

from gds_exec.cli import render
from gds_exec.cli.runtime import put_together
from gds_exec.config.sources import ContainerRole, CredentialProcess, InstanceRole, WebIdentityToken
from gds_exec.credentials.mfa_sources import DialogCode, GivenCode, PersonCode, ProcessCode, YubiKeyCode
from gds_exec.credentials.request import SessionTokenRequest
from gds_exec.options import duration_text
from gds_exec.output import printing
from gds_exec.redaction import show
from gds_exec.session import iso_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gds_exec.cli.runtime import Run
    from gds_exec.config.profiles import Profile
    from gds_exec.credentials.mfa import CodeSource
    from gds_exec.credentials.provider import Outlook
    from gds_exec.credentials.request import Request
    from gds_exec.invocation import Invocation
    from gds_exec.session import SessionCredentials

_HOW = {
    GivenCode: "the code that was given is sent for {}",
    ProcessCode: "mfa_process gives a code of {}",
    YubiKeyCode: "ykman gives a code of {}",
    PersonCode: "a code of {} is asked for on the terminal",
    DialogCode: "a code of {} is asked for in a dialog",
}


def print_outlook(
    invocation: Invocation,
    environ: Mapping[str, str],
    *,
    text: Callable[[Run, Outlook, float], str],
    document: Callable[[Run, Outlook, float], object],
) -> None:
    """Print what `text` or, for `--json`, `document` makes of a run, what it would do, and the time now."""
    run = put_together(invocation, environ)
    outlook = run.provider.outlook()
    now = time.time()
    printed = render.as_json(document(run, outlook, now)) if invocation.as_json else text(run, outlook, now)
    with printing():
        sys.stdout.write(printed)


def next_step(outlook: Outlook, profile: Profile, *, now: float) -> str:
    """Return, in a sentence, what stands between now and the command's start."""
    plan = outlook.plan
    if not plan.requests:
        return "nothing to ask: no session is made"
    if plan.is_complete and plan.session:
        return f"nothing to ask: the cached session has {time_left(plan.session, now)} left"
    made = _made(plan.requests[plan.done :])
    if plan.device is not None:
        return _with_code(plan.device, outlook.code_sources, made)
    if plan.session:
        left = time_left(plan.session, now)
        held = called(plan.requests[plan.done - 1])
        return f"nothing to ask: {made} made from the cached {held}, which has {left} left"
    denied = "; if AWS refuses that without MFA, a code is asked for" if _may_want_code(profile) else ""
    return f"nothing to ask: {made} made with {_keys(profile)}{denied}"


def moment(session: SessionCredentials | None) -> str | None:
    """Return when the session ends, as JSON has it."""
    if session is None or session.expiration is None:
        return None
    return iso_time(session.expiration)


def time_left(session: SessionCredentials, now: float) -> str:
    """Return for how long AWS still takes the session, as in `11h59m`: no seconds but in its last minute."""
    seconds = max(0, int(session.seconds_left(now)))
    return duration_text(seconds if seconds < 60 else seconds // 60 * 60)


def called(request: Request) -> str:
    """Return what a person calls the session that this yields."""
    return "MFA session" if isinstance(request, SessionTokenRequest) else "role session"


def _with_code(device: str, sources: Sequence[CodeSource], made: str) -> str:
    if not sources:
        return f"a code of {device} is needed, and nothing here can give one: exit status 124"
    return f"{_HOW[type(sources[0])].format(device)}, then {made} made"


def _made(requests: Sequence[Request]) -> str:
    each = [
        f"{_article(called(request))} of {duration_text(request.duration_seconds)}" for request in requests
    ]
    return f"{' and '.join(each)} {'is' if len(each) == 1 else 'are'}"


def _article(noun: str) -> str:
    return f"an {noun}" if noun.startswith("M") else f"a {noun}"


def _may_want_code(profile: Profile) -> bool:
    """Say whether a user may stand behind the keys, with a device that nobody has named."""
    is_of_user = not isinstance(profile.source, WebIdentityToken | ContainerRole | InstanceRole)
    return profile.mfa_serial is None and is_of_user


def _keys(profile: Profile) -> str:
    source = profile.source
    if isinstance(source, WebIdentityToken):
        return show(source.owner)
    if isinstance(source, CredentialProcess):
        return f"the keys that the credential_process of {show(source.profile_name)} prints"
    if isinstance(source, InstanceRole) and source.otherwise is not None:
        return f"the keys of {source.owner}, if this is one"
    return f"the keys of {show(source.profile_name or source.owner)}"
