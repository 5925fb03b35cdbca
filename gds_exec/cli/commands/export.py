"""`gds-exec ROLE -e`: a session as text for a shell, a file or a program; `--unset` is the reverse.

`--write-profile` copies a session into a profile. gds-exec never takes credentials from that profile.
"""

from __future__ import annotations

import os
import sys

from gds_exec.cli.failed_export import begin_printing
from gds_exec.cli.runtime import put_together
from gds_exec.cli.wiring import wired_files
from gds_exec.config.aws_files import SIGN_INS, STATIC_KEYS
from gds_exec.delivery.credentials_file import is_profile_name, not_ours, remove_profile, written_settings
from gds_exec.delivery.credentials_file import write_profile as write_to_file
from gds_exec.delivery.environment_changes import role_changes, undoing_changes
from gds_exec.delivery.export_formats import DEFAULT_FORMAT, FORMATS, Export, export_text
from gds_exec.delivery.shell_syntax import SHELLS, statements
from gds_exec.environment import callers_environment, child_environment
from gds_exec.errors import OutputFailed, UsageError
from gds_exec.output import printing
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gds_exec.cli.runtime import Run
    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.invocation import Invocation
    from gds_exec.session import SessionCredentials


def export_session(invocation: Invocation, environ: Mapping[str, str]) -> None:
    """Print the session in a format, or write it into the AWS credentials file, or both.

    What cannot be the format or the profile is refused before a code is asked for.
    """
    format_name, write_profile = invocation.format_name, invocation.write_profile
    chosen = _checked_format(format_name, FORMATS)
    if write_profile is not None:
        _check_name(write_profile)
    run = put_together(invocation, environ)
    if write_profile is not None:
        _check_profile(run.files, write_profile)
    session = run.retrieve()
    run.remember(session)
    export = _export(run, session, environ)
    text = export_text(chosen, export)
    if write_profile is not None:
        _write(run, export, write_profile)
    if format_name is not None or write_profile is None:
        _print(text)


def export_nothing(environ: Mapping[str, str], *, format_name: str | None) -> None:
    """Print what takes a role out of the shell again that evaluates it."""
    shell = _checked_format(format_name, SHELLS)
    _print(statements(shell, undoing_changes(environ)))


def remove_written_profile(environ: Mapping[str, str], *, name: str) -> None:
    """Remove a profile that `--write-profile` wrote."""
    _check_name(name)
    remove_profile(_credentials_path(wired_files(callers_environment(environ))), name)


def _checked_format(name: str | None, known: Sequence[str]) -> str:
    if name is None:
        return DEFAULT_FORMAT
    if name not in known:
        raise UsageError(f"the format '{show(name)}' is not known here", hint=f"there is {', '.join(known)}")
    return name


def _check_name(name: str) -> None:
    if not is_profile_name(name):
        raise UsageError(
            f"'{show(name)}' is not a valid profile name for --write-profile",
            hint="use letters, digits and any of _+=,.@:/-",
        )


def _check_profile(files: AwsFiles, name: str) -> None:
    """Refuse a profile that we did not write, or that has credentials in the config file.

    Those credentials and the written keys would hide each other, depending on the SDK.
    """
    if name in files.credentials_profiles:
        raise not_ours(name)
    config = files.config_profiles.get(name)
    own = (key for key in (*SIGN_INS, *STATIC_KEYS) if config is not None and key in config)
    found = next(own, None)
    if config is not None and found is not None:
        raise OutputFailed(
            f"profile {show(name)} has credentials of its own ({config[found].origin}: {found})",
            hint="choose another name",
        )


def _export(run: Run, session: SessionCredentials, environ: Mapping[str, str]) -> Export:
    child = child_environment(run.environ, session, run.briefing)
    return Export(session, run.invocation.role, role_changes(environ, child))


def _write(run: Run, export: Export, name: str) -> None:
    path = _credentials_path(run.files)
    region = export.variables.get("AWS_REGION")
    write_to_file(path, name, written_settings(export.session, role=export.role, region=region))
    run.messages.notice(f"profile {show(name)} of {show(path)} has the session")


def _credentials_path(files: AwsFiles) -> str:
    path = files.credentials_file.path
    if not path:
        raise OutputFailed("the path of the AWS credentials file is unknown", hint="set HOME")
    return path


def _print(text: str) -> None:
    """Print it to the byte, whatever standard output takes its letters for."""
    begin_printing()
    with printing():
        sys.stdout.buffer.write(os.fsencode(text))
