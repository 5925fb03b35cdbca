"""What a chain begins with, wired: keys or a token, and the processes and services that give them."""

from __future__ import annotations

import os
import pwd
import time

from gds_exec.config.ci import job_name
from gds_exec.config.provenance import OPTION, Setting
from gds_exec.config.sources import (
    DEFAULT_AUDIENCE,
    PROFILE,
    TOKEN_COMMAND,
    TOKEN_FILE,
    TOKEN_VARIABLE,
    WEB_IDENTITY,
    WantedSource,
    WebIdentityToken,
)
from gds_exec.credentials.key_source import KeySource
from gds_exec.credentials.request import job_session_name, made_up_session_name
from gds_exec.environment import GITHUB_TOKEN, GITHUB_URL, without_outer_role
from gds_exec.errors import UsageError
from gds_exec.invocation import ASKED_FOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from gds_exec.config.profiles import Profile
    from gds_exec.config.sources import ContainerRole, InstanceRole
    from gds_exec.credentials.token_source import TokenSource
    from gds_exec.invocation import Invocation

    Environ = Mapping[str, str]

_HELPER_SECONDS = 60


def wanted_source(invocation: Invocation) -> WantedSource:
    """Return what was asked of the source of the first credentials. Raise `UsageError` for two of them."""
    audience = invocation.audience or DEFAULT_AUDIENCE
    tokens = {
        "--web-identity-token-file": (TOKEN_FILE, invocation.web_identity_token_file),
        "--web-identity-token-env": (TOKEN_VARIABLE, invocation.web_identity_token_env),
        "--web-identity-token-command": (TOKEN_COMMAND, invocation.web_identity_token_command),
    }
    named = {option: token for option, token in tokens.items() if token[1] is not None}
    _check_one_source(invocation, list(named))
    token = None
    for option, (kind, where) in named.items():
        setting = Setting(option[2:].replace("-", "_"), where, OPTION, option)
        token = WebIdentityToken(kind, where or "", setting=setting)
    return WantedSource(invocation.source, token, audience)


def _check_one_source(invocation: Invocation, token_options: list[str]) -> None:
    asked = list(token_options)
    if invocation.source_profile is not None:
        asked.append("--source-profile")
    goes_with = "--source-profile" if invocation.source == PROFILE else "--web-identity-token"
    if invocation.source not in (None, PROFILE, WEB_IDENTITY) or (
        invocation.source is not None and not all(option.startswith(goes_with) for option in asked)
    ):
        asked.append(f"--source {invocation.source}")
    if len(asked) > 1:
        raise UsageError(f"{asked[0]} and {asked[-1]} exclude each other", hint="leave one of them out")


def wired_source(profile: Profile, environ: Environ, *, at_terminal: bool = True) -> KeySource | TokenSource:
    """Return what begins this profile's chain; a process that has it may run `at_terminal`."""
    # A credential_process may be gds-exec again, which must not ask for the same profile for ever.
    asked_for = [*filter(None, environ.get(ASKED_FOR, "").split("\n")), profile.name]
    run = helper({**without_outer_role(environ), ASKED_FOR: "\n".join(asked_for)}, at_terminal=at_terminal)
    if isinstance(profile.source, WebIdentityToken):
        from gds_exec.credentials.token_source import TokenSource  # which a person has no use for

        return TokenSource(
            profile.source, environ=environ, run=run, mint=lambda audience: _mint(audience, profile, environ)
        )
    return KeySource(profile.source, run=run, ask_metadata=lambda source: _ask_metadata(source, environ))


def new_session_name(environ: Environ) -> str:
    """Return a name for a session that was given none: the CI job's, or else the user's and the time."""
    job = job_name(environ)
    return job_session_name(job) if job else made_up_session_name(_user(), time.time())


def helper(
    environ: Environ, *, at_terminal: bool = True, timeout_seconds: float = _HELPER_SECONDS
) -> Callable[[str], str]:
    """Return what runs a program of the user's, for a limited time, and returns what it prints."""

    def run(command: str) -> str:
        from gds_exec.child.program import run_program  # which loads subprocess

        return run_program(command, environ=environ, timeout_seconds=timeout_seconds, at_terminal=at_terminal)

    return run


def _mint(audience: str, profile: Profile, environ: Environ) -> str:
    from gds_exec.credentials.github_token import mint  # which loads botocore

    return mint(environ[GITHUB_URL], environ[GITHUB_TOKEN], audience, ca_bundle=profile.ca_bundle)


def _ask_metadata(source: ContainerRole | InstanceRole, environ: Environ) -> dict[str, Any]:
    from gds_exec.credentials.machine_credentials import ask_metadata  # which loads botocore

    return ask_metadata(source, environ)


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a uid without a passwd entry, as in many containers
        return f"uid-{os.geteuid()}"
