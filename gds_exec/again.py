"""How a session is asked for again: in arguments, and in an environment that says nothing else."""

from __future__ import annotations

import os
import sys

from gds_exec.invocation import FLAGS, SCOPE_OPTIONS, VALUE_OPTIONS, variable_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.invocation import Invocation


def session_arguments(invocation: Invocation) -> tuple[str, ...]:
    """Return the options that ask for the same session again."""
    values = (
        ("--role", invocation.role),
        ("--duration", invocation.duration_seconds),
        ("--min-remaining", invocation.min_remaining_seconds),
        ("--mfa-max-age", invocation.mfa_max_age_seconds),
        ("--region", invocation.region),
        ("--source-profile", invocation.source_profile),
        ("--source", invocation.source),
        ("--web-identity-token-file", invocation.web_identity_token_file),
        ("--web-identity-token-env", invocation.web_identity_token_env),
        ("--web-identity-token-command", invocation.web_identity_token_command),
        ("--audience", invocation.audience),
        ("--expect-account", invocation.expect_account),
        ("--session-name", invocation.session_name),
        ("--timeout", invocation.timeout_seconds),
        ("--scope", invocation.scope),
    )
    flags = (("--ci-tags", invocation.ci_tags), ("--cache", invocation.cache))
    said = [f"{name}={value}" for name, value in values if value is not None]
    return (*said, *(name for name, is_set in flags if is_set))


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without a token code, which has been spent by then."""
    return {name: value for name, value in environ.items() if name != variable_of("--mfa-code")}


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the variables that stand for options."""
    options = (*VALUE_OPTIONS.values(), *SCOPE_OPTIONS, *FLAGS.values(), "--debug")
    names = {variable_of(option) for option in options}
    return {name: value for name, value in environ.items() if name not in names}


def installed_program() -> str:
    """Return the path of gds-exec, for a process whose PATH may differ from ours."""
    beside = os.path.join(os.path.dirname(sys.executable), "gds-exec")
    return beside if os.access(beside, os.X_OK) else os.path.abspath(sys.argv[0])
