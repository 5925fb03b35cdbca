"""What the options that ask for a session say together, the same for every command that has one."""

import inspect
from collections.abc import Callable, Iterable
from functools import partial

from gds_exec.cli import options
from gds_exec.cli.grouping import in_place_of
from gds_exec.cli.scope_options import asked_scope
from gds_exec.invocation import DEFAULT_WAIT_SECONDS, Invocation

Ask = Callable[..., Invocation]
_SCOPE_PARAMETERS = frozenset(inspect.signature(asked_scope).parameters)


@in_place_of("scope", asked_scope)
def asked_session(
    *,
    duration: options.Duration = None,
    min_remaining: options.MinRemaining = None,
    mfa_max_age: options.MfaMaxAge = None,
    refresh: options.Refresh = False,
    new_session: options.NewSession = False,
    session_name: options.SessionName = None,
    region: options.Region = None,
    expect_account: options.ExpectAccount = None,
    timeout: options.Timeout = None,
    cache: options.Cache = False,
    source_profile: options.SourceProfile = None,
    source: options.Source = None,
    web_identity_token_file: options.WebIdentityTokenFile = None,
    web_identity_token_env: options.WebIdentityTokenEnv = None,
    web_identity_token_command: options.WebIdentityTokenCommand = None,
    audience: options.Audience = None,
    pass_id_token: options.PassIdToken = False,
    scope: str | None = None,
    ci_tags: options.CiTags = False,
    mfa_code: options.MfaCode = None,
    no_input: options.NoInput = False,
    wait: options.Wait = None,
    quiet: options.Quiet = False,
) -> Ask:
    """Return what asks for that session, once it is told of which role, and for what."""
    return partial(
        Invocation,
        duration_seconds=duration,
        min_remaining_seconds=min_remaining,
        mfa_max_age_seconds=mfa_max_age,
        refresh=refresh,
        new_session=new_session,
        session_name=session_name,
        region=region,
        expect_account=expect_account,
        timeout_seconds=timeout,
        cache=cache,
        source_profile=source_profile,
        source=source,
        web_identity_token_file=web_identity_token_file,
        web_identity_token_env=web_identity_token_env,
        web_identity_token_command=web_identity_token_command,
        audience=audience,
        pass_id_token=pass_id_token,
        scope=scope,
        ci_tags=ci_tags,
        mfa_code=mfa_code,
        no_input=no_input,
        wait_seconds=DEFAULT_WAIT_SECONDS if wait is None else wait,
        quiet=quiet,
    )


def fields_of(parameters: Iterable[str]) -> frozenset[str]:
    """Return the fields of an invocation that these parameters of `asked_session` set."""
    return frozenset(map(_field_of, parameters)) & Invocation.__annotations__.keys()


def _field_of(name: str) -> str:
    if name in _SCOPE_PARAMETERS:
        return "scope"
    return f"{name}_seconds" if f"{name}_seconds" in Invocation.__annotations__ else name
