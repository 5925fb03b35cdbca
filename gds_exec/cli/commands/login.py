"""`--login`, `--open` and their like: the AWS console as a role, in the person's browser."""

from __future__ import annotations

import os
import sys

from gds_exec.child.browser import browser_command, open_in_browser
from gds_exec.cli.runtime import put_together
from gds_exec.cli.wiring import wired_files
from gds_exec.config import profile_values
from gds_exec.config.role_names import role_arn_of
from gds_exec.credentials.console_signin import signin_token
from gds_exec.credentials.network import check_endpoint
from gds_exec.credentials.request import role_of
from gds_exec.delivery.console_url import (
    console_for,
    destination,
    federation_endpoint,
    signin_url,
    switch_role_url,
)
from gds_exec.environment import callers_environment, without_secrets
from gds_exec.errors import BrokenProfile, UsageError
from gds_exec.output import debug, printing
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.cli.runtime import Run
    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.invocation import Invocation

_ONCE = "it signs in once, within 15 minutes"


def open_console(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Sign the person's browser in to the console as the role, at a page or a service's page.

    The URL that does so is printed instead where that is wanted, or where there is no browser. With
    `--switch-role` it is the link for somebody who is signed in already: nothing is asked of AWS.
    """
    url, service = invocation.url, invocation.service
    if invocation.is_switch_role and (url or service):
        raise UsageError(
            "--switch-role leads to the console's home page", hint="leave out --open and --service"
        )
    if invocation.is_switch_role:
        _print(_switch_role_url(invocation.role, wired_files(callers_environment(environ))))
        return
    run = put_together(invocation, environ)
    signin = _signin_url(run, url=url, service=service)
    if invocation.is_printed or not _is_opened(signin, run):
        _print(signin)


def _switch_role_url(role: str, files: AwsFiles) -> str:
    section = files.profiles.get(role)
    if section is None:
        role_arn = role_arn_of(files, role)
        return switch_role_url(role_arn, display_name=role_of(role_arn)[1])
    if "role_arn" not in section:
        raise _no_role(role)
    return switch_role_url(profile_values.role_arn(section), display_name=role)


def _signin_url(run: Run, *, url: str | None, service: str | None) -> str:
    if not run.profile.roles:
        raise _no_role(run.profile.name)
    console = console_for(run.profile.roles[-1].role_arn)
    where = destination(console, region=run.region, service=service, url=url)
    endpoint = federation_endpoint(console, _endpoint_url(run))
    session = run.retrieve()
    debug(f"a sign-in token is asked for at {endpoint}")
    token = signin_token(session, endpoint=endpoint, ca_bundle=run.profile.ca_bundle)
    return signin_url(endpoint, token=token, destination=where)


def _no_role(name: str) -> BrokenProfile:
    return BrokenProfile(
        f"profile '{show(name)}' has no role, and only a role can be signed in to the console",
        hint="name a profile that has a role_arn: gds-exec roles lists them",
    )


def _endpoint_url(run: Run) -> str | None:
    """Return what is set in the place of AWS's own sign-in, and say where that is."""
    url = run.profile.signin_endpoint_url
    host = check_endpoint(url)
    if host is not None:
        run.messages.warn_anyway(
            f"the console's sign-in is at {show(host)}, as AWS_ENDPOINT_URL or the profile says"
        )
    return url


def _is_opened(signin: str, run: Run) -> bool:
    command = browser_command(run.environ)
    if command is None:
        run.messages.notice(f"there is no browser here: open this URL in yours; {_ONCE}")
        return False
    name = show(os.path.basename(command[0]))
    debug(f"{name} is given a page that leads on to the console")
    is_opened = open_in_browser(signin, command, without_secrets(run.environ))
    if not is_opened:
        run.messages.warn(f"{name} has not opened the console: open this URL yourself; {_ONCE}")
    return is_opened


def _print(url: str) -> None:
    with printing():
        sys.stdout.write(f"{url}\n")
