"""`gds-exec ROLE --refresh -- COMMAND`: from a session to the refresher that keeps it fresh.

The refresher is gds-exec executed anew: what it took to get the session would cost the memory of
several refreshers for as long as the command runs.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import tempfile

from gds_exec.child.lookup import installed_program
from gds_exec.child.process_info import birth, process_mark
from gds_exec.child.spawn import read_until, start_detached
from gds_exec.cli.wiring import temporary_parent
from gds_exec.credentials.leftovers import DIRECTORY_PREFIX
from gds_exec.environment import endpoint_environment, is_github_actions, without_secrets
from gds_exec.errors import GdsExecError, SystemRefused
from gds_exec.execute import replace_process
from gds_exec.invocation import session_arguments
from gds_exec.lean import suppress
from gds_exec.output import emit, reason_said
from gds_exec.refresher.endpoint import bind, new_token, url_of
from gds_exec.refresher.handoff import READY, Handoff, Sidecar, send
from gds_exec.refresher.private_files import PrivateFiles, remove_private_files, write_private_files
from gds_exec.refresher.shadow_files import Original, private_texts
from gds_exec.signals import all_blocked, deadly_signals_unwind, interruptible
from gds_exec.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from gds_exec.cli.runtime import Run
    from gds_exec.config.aws_files import FileRead
    from gds_exec.session import SessionCredentials

_STANDARD_ERROR = 2
_PATIENCE_SECONDS = 20.0  # the refresher needs far less, even on a busy machine
# It may run a module, because it starts in the same moment as we do: from the same installation.
_REFRESHER = (sys.executable, "-P", "-m", "gds_exec.refresher")


def become_refreshed(path: str, run: Run, session: SessionCredentials) -> NoReturn:
    """Have the program at `path` run with a session that is kept fresh, and its exit status be ours.

    Raise `CommandNotFound`, `CommandNotExecutable` or `SystemRefused` where that cannot be.
    """
    with deadly_signals_unwind(), interruptible():  # until the refresher removes the copies
        files = _private_files(run)
        try:
            _become_kept(path, run, session, files)
        except BaseException:
            if files is not None:
                remove_private_files(files, with_directory=run.cache.path is None)  # as it would
            raise


def _become_kept(path: str, run: Run, session: SessionCredentials, files: PrivateFiles | None) -> NoReturn:
    argv, briefing = run.invocation.command or (path,), run.briefing
    handoff = Handoff(
        session,
        run.invocation.role,
        run.provider.kept_under or "",
        run.cache.path,
        session_arguments(run.invocation),
        installed_program(),
        (files.config, files.credentials) if files else None,
        may_ask=not run.invocation.no_input,
        region=briefing.region,
        region_override=briefing.region_override,
        lost_source=briefing.lost_source,
        may_request_tokens=briefing.may_request_tokens,
    )
    environ = without_secrets(run.environ)
    if Terminal.open() is not None:
        # None is heeded before the refresher can pass it on, and tidy up.
        with all_blocked() as blocked:
            handed_off = send(handoff.but(blocked_signals=tuple(map(int, blocked))))
            _become_refresher([*_REFRESHER, str(handed_off), path, *argv], environ)
    listener, token = bind(), new_token()
    if is_github_actions(run.environ):
        from gds_exec.output import mask_in_job_log

        mask_in_job_log(token)
    _start_refresher(
        handoff, environ, program=os.path.basename(path), listener=listener.fileno(), token=token
    )
    child_environ = endpoint_environment(
        environ,
        briefing,
        url=url_of(listener),
        token=token,
        config_file=files.config if files else None,
        credentials_file=files.credentials if files else None,
    )
    replace_process(path, argv, child_environ)


def _become_refresher(argv: list[str], environ: Mapping[str, str]) -> NoReturn:
    try:
        replace_process(argv[0], argv, environ)
    except GdsExecError as error:  # it is about gds-exec, not about the command
        raise _cannot_refresh(error.message) from error


def _start_refresher(
    handoff: Handoff, environ: Mapping[str, str], *, program: str, listener: int, token: str
) -> None:
    """Start the refresher beside us; return once it serves the session, or raise `SystemRefused`."""
    pid = os.getpid()
    reading, writing = os.pipe()
    stderr = os.dup(_STANDARD_ERROR)
    handed_off = send(handoff, Sidecar(pid, birth(pid), program, listener, token, stderr))
    for descriptor in (listener, stderr):
        os.set_inheritable(descriptor, True)  # noqa: FBT003  # as os has it
    try:
        refresher = start_detached([*_REFRESHER, str(handed_off)], environ=environ, stderr=writing)
    except OSError as error:
        raise _cannot_refresh(error.strerror or str(error)) from error
    os.set_inheritable(listener, False)  # noqa: FBT003  # as os has it
    for descriptor in (handed_off, stderr, writing):
        os.close(descriptor)
    try:
        said = read_until(reading, READY, seconds=_PATIENCE_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.kill(refresher, signal.SIGKILL)  # it is alive: its end would have closed the pipe
        raise _cannot_refresh("the process that renews it did not start in time") from None
    finally:
        os.close(reading)
    if not said.endswith(READY):
        raise _cannot_refresh(reason_said(said) or "the process that renews it did not start")
    emit(said.removesuffix(READY).decode(errors="replace"))


def _cannot_refresh(reason: str) -> SystemRefused:
    return SystemRefused(
        f"cannot keep the session fresh: {reason}",
        hint="run it without --refresh: the command then keeps its first session",
    )


def _private_files(run: Run) -> PrivateFiles | None:
    """Return copies of the AWS files that would hide the endpoint, None if neither does."""
    config, credentials = private_texts(
        _original(run.files.config_file, is_config=True),
        _original(run.files.credentials_file, is_config=False),
        program=installed_program(),
    )
    if config is None and credentials is None:
        return None
    try:
        return write_private_files(
            run.cache.path or _temporary_directory(run.environ),
            config=_bytes(config),
            credentials=_bytes(credentials),
        )
    except OSError as error:
        raise SystemRefused(
            f"[default] in your AWS files hides the refreshed session, and cannot be copied without its "
            f"keys: {error.strerror}",
            hint="name the profile something else, or leave --refresh out",
        ) from error


def _temporary_directory(environ: Mapping[str, str]) -> str:
    """Make a private directory whose name contains our process mark."""
    prefix = f"{DIRECTORY_PREFIX}{process_mark(os.getpid())}."
    return tempfile.mkdtemp(prefix=prefix, dir=temporary_parent(environ))


def _original(file: FileRead, *, is_config: bool) -> Original:
    if file.status is None or not stat.S_ISREG(file.status.st_mode):
        return Original(file.path, "", is_config)
    path = os.path.abspath(file.path)
    with open(path, "rb") as content:
        return Original(path, content.read().decode("utf-8", "surrogateescape"), is_config)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")
