"""The composition root: from an invocation to the command, with the real things in every seam."""

import getpass
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from gds_exec.child.program import run_program
from gds_exec.child.refusal import check_format
from gds_exec.child.replacement import find_command, replace_process
from gds_exec.cli.messages import Messages
from gds_exec.config.aws_files import AwsFiles, home_directory, read_aws_files
from gds_exec.config.profiles import Profile, find_base, find_profile, profile_names
from gds_exec.credentials.aws import Aws, Connection, check_ca_bundle, check_endpoint
from gds_exec.credentials.cache import cache_path, open_cache
from gds_exec.credentials.locks import Holder, Locks
from gds_exec.credentials.mfa import GivenCode, PersonCode, ProcessCode, Question, TokenCodes
from gds_exec.credentials.plan import Asked
from gds_exec.credentials.provider import Provider
from gds_exec.credentials.request import Origin, made_up_session_name
from gds_exec.credentials.session import AccessKey, SessionCredentials
from gds_exec.credentials.source import KeySource, identity_of
from gds_exec.delivery.environment import child_environment
from gds_exec.errors import NobodyToAsk, UsageError
from gds_exec.invocation import Invocation
from gds_exec.redaction import show
from gds_exec.terminal import NotForeground, Terminal

Environ = Mapping[str, str]
_HELPER_SECONDS = 60

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """The file to execute, found before anything is asked, and the arguments it gets."""

    path: str
    argv: tuple[str, ...]


def run_as_role(invocation: Invocation, environ: Environ) -> NoReturn:
    """Become the command, with the role's credentials in its environment."""
    command = _command(invocation, environ)
    messages = Messages(quiet=invocation.quiet)
    files = _read_files(environ)
    profile = find_profile(files, invocation.role, environ=environ, source_profile=invocation.source_profile)
    for warning in profile.warnings:
        messages.warn(warning)
    session = _retrieve(invocation, profile, environ, messages)
    child_environ = child_environment(
        environ, session, role=invocation.role, region=profile.region, region_override=invocation.region
    )
    log.debug("becoming %s", os.path.basename(command.path))
    replace_process(command.path, command.argv, child_environ)


@dataclass(frozen=True, slots=True)
class BaseIdentity:
    """The profile whose keys everything starts from, and the ARN they act as."""

    profile: str
    arn: str


def base_identity(environ: Environ, *, source_profile: str | None) -> BaseIdentity:
    """Ask AWS who the base keys are; it needs no code."""
    profile = find_base(_read_files(environ), environ=environ, source_profile=source_profile)
    aws = _aws(profile, environ, region=None, messages=Messages())
    source = KeySource(profile.source, run=_helper(environ))
    return BaseIdentity(profile.source.profile_name, aws.caller_arn(source.fetch().access_key))


def role_identity(environ: Environ) -> str | None:
    """Return the ARN that the keys in this very environment act as, if gds-exec put them there."""
    if "GDS_EXEC_ROLE" not in environ or "AWS_ACCESS_KEY_ID" not in environ:
        return None
    key = AccessKey(
        environ["AWS_ACCESS_KEY_ID"],
        environ.get("AWS_SECRET_ACCESS_KEY", ""),
        environ.get("AWS_SESSION_TOKEN"),
    )
    base = find_base(_read_files(environ), environ=environ)
    return _aws(base, environ, region=None, messages=Messages(quiet=True)).caller_arn(key)


def is_role(name: str, environ: Environ) -> bool:
    """Say whether one of the user's profiles has this name."""
    return name in profile_names(_read_files(environ))


def _command(invocation: Invocation, environ: Environ) -> Command:
    argv = invocation.command
    if not argv:
        if not (invocation.shell or _is_at_terminal()):
            raise UsageError(
                "there is no command to run, and no terminal for a shell",
                hint="gds-exec ROLE -- COMMAND [ARG]...",
            )
        argv = (environ.get("SHELL") or "/bin/sh",)
    path = find_command(argv[0], path=environ.get("PATH"))
    check_format(path)
    return Command(path, argv)


def _is_at_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _read_files(environ: Environ) -> AwsFiles:
    return read_aws_files(environ, home=home_directory(environ))


def _retrieve(
    invocation: Invocation, profile: Profile, environ: Environ, messages: Messages
) -> SessionCredentials:
    terminal = None if invocation.no_input else Terminal.open()
    warn = messages.warn_once()
    cache = open_cache(cache_path(environ, home_directory(environ)), warn=warn)
    say = terminal.say if terminal else messages.notice
    locks = Locks(
        cache.directory,
        me=Holder(os.getpid(), terminal.device if terminal else 0),
        timeout_seconds=invocation.wait_seconds,
        tell=lambda holder: _tell(holder, terminal, messages),
        warn=warn,
    )
    provider = Provider(
        profile,
        _asked(invocation),
        origin=_origin(profile),
        source=KeySource(profile.source, run=_helper(environ)),
        sts=_aws(profile, environ, region=invocation.region, messages=messages),
        cache=cache,
        locks=locks,
        codes=_codes(invocation, profile, environ, terminal, say),
        make_session_name=lambda: made_up_session_name(_user(), time.time()),
        notice=messages.notice,
    )
    return provider.retrieve()


def _asked(invocation: Invocation) -> Asked:
    return Asked(
        duration_seconds=invocation.duration_seconds,
        min_remaining_seconds=invocation.min_remaining_seconds,
        session_name=invocation.session_name,
        new_session=invocation.new_session,
    )


def _origin(profile: Profile) -> Origin:
    partition = profile.roles[-1].role_arn.split(":")[1] if profile.roles else ""
    return Origin(identity_of(profile.source), profile.sts_endpoint_url or partition)


def _codes(
    invocation: Invocation,
    profile: Profile,
    environ: Environ,
    terminal: Terminal | None,
    say: Callable[[str], None],
) -> TokenCodes:
    person = _Person(terminal, timeout_seconds=invocation.wait_seconds)
    sources = (
        GivenCode(invocation.mfa_code),
        ProcessCode(profile.mfa_process, run=_helper(environ)),
        PersonCode(person.ask, say=say, can_ask=person.is_there),
    )
    return TokenCodes(sources, say=say, why_nobody=person.why_not)


class _Person:
    """Whoever sits at the terminal, if there is one and it is ours to use."""

    def __init__(self, terminal: Terminal | None, *, timeout_seconds: float) -> None:
        self._terminal = terminal
        self._timeout_seconds = timeout_seconds

    def is_there(self) -> bool:
        return self._terminal is not None and self._terminal.is_foreground()

    def ask(self, prompt: str) -> str | None:
        """Return what was typed. Raise `NobodyToAsk` where nothing was in time."""
        if self._terminal is None:
            raise NobodyToAsk("there is no terminal", hint=_HOW_WITHOUT_A_PERSON)
        try:
            return self._terminal.ask(prompt, timeout_seconds=self._timeout_seconds)
        except TimeoutError:
            raise NobodyToAsk(
                f"nobody gave an MFA code within {self._timeout_seconds:.0f} s",
                hint="--wait (GDS_EXEC_WAIT) sets how long to wait",
            ) from None
        except NotForeground:
            raise NobodyToAsk("this is a background job", hint=_HOW_IN_BACKGROUND) from None

    def why_not(self, question: Question) -> NobodyToAsk:
        wanted = f"an MFA code is needed for {show(question.role)} ({show(question.device)})"
        if self._terminal is None:
            return NobodyToAsk(f"{wanted}, and there is no terminal to ask on", hint=_HOW_WITHOUT_A_PERSON)
        return NobodyToAsk(f"{wanted}, and this is a background job", hint=_HOW_IN_BACKGROUND)


_HOW_WITHOUT_A_PERSON = (
    "set GDS_EXEC_MFA_CODE, or mfa_process in the profile, or run it in a terminal first: the session is kept"
)
_HOW_IN_BACKGROUND = "run it in the foreground once: the session is kept"


def _tell(holder: Holder, terminal: Terminal | None, messages: Messages) -> None:
    text = f"waiting for another gds-exec (pid {holder.pid}) that gets this session"
    if terminal is None:
        messages.notice(text)
    elif holder.terminal != terminal.device:  # on the same one, its prompt is there to see
        terminal.say(f"gds-exec: {text}")


def _aws(profile: Profile, environ: Environ, *, region: str | None, messages: Messages) -> Aws:
    check_ca_bundle(profile.ca_bundle)
    foreign = check_endpoint(profile.sts_endpoint_url)
    if foreign is not None:
        messages.warn(f"AWS STS is asked for at {show(foreign)}, as AWS_ENDPOINT_URL or the profile says")
    check_endpoint(profile.iam_endpoint_url)
    arn = profile.roles[-1].role_arn if profile.roles else ""
    connection = Connection(
        region=_region(environ, asked=region, of_profile=profile.region, arn=arn),
        sts_endpoint_url=profile.sts_endpoint_url,
        iam_endpoint_url=profile.iam_endpoint_url,
        ca_bundle=profile.ca_bundle,
    )
    return Aws(connection)


_HOME_REGIONS = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def _region(environ: Environ, *, asked: str | None, of_profile: str | None, arn: str) -> str:
    """Return the region whose STS is asked: as the command will see it, else the partition's first."""
    of_caller = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    partition = arn.split(":")[1] if arn else "aws"
    return asked or of_caller or of_profile or _HOME_REGIONS.get(partition, "us-east-1")


def _helper(environ: Environ) -> Callable[[str], str]:
    return lambda command: run_program(command, environ=environ, timeout_seconds=_HELPER_SECONDS)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a passwd entry, as in many containers
        return f"uid-{os.getuid()}"
