"""The files, the cache, the locks and AWS, as the environment and a profile say."""

from __future__ import annotations

import os

from gds_exec.config.aws_files import credentials_path, home_directory, read_aws_files
from gds_exec.credentials.background import PreparedAws
from gds_exec.credentials.cache import open_cache
from gds_exec.credentials.leftovers import sweep, sweep_beside, sweep_copies
from gds_exec.credentials.locks import Holder, Locks
from gds_exec.credentials.network import Connection, check_ca_bundle, check_endpoint
from gds_exec.environment import effective_region
from gds_exec.errors import AwsUnreachable, UsageError
from gds_exec.redaction import show
from gds_exec.session import cache_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.profiles import Profile
    from gds_exec.credentials.cache import SessionCache
    from gds_exec.credentials.sts_client import StsApi
    from gds_exec.output import Messages
    from gds_exec.terminal import Terminal

    Environ = Mapping[str, str]

_HOME_REGIONS = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def wired_files(environ: Environ) -> AwsFiles:
    """Return what the user has in their AWS files."""
    return read_aws_files(environ, home=home_directory(environ))


def wired_aws(profile: Profile, environ: Environ, *, region: str | None, messages: Messages) -> PreparedAws:
    """Return AWS as this profile reaches it; botocore is loaded when it is first needed."""
    check_ca_bundle(profile.ca_bundle)
    urls = (profile.sts_endpoint_url, profile.iam_endpoint_url)
    for host in sorted({host for host in map(check_endpoint, urls) if host is not None}):
        messages.warn_anyway(f"AWS is asked at {show(host)}, as AWS_ENDPOINT_URL or the profile says")
    connection = Connection(
        region=_region(profile, environ, asked=region),
        sts_endpoint_url=profile.sts_endpoint_url,
        iam_endpoint_url=profile.iam_endpoint_url,
        ca_bundle=profile.ca_bundle,
    )
    return PreparedAws(lambda: _aws(connection))


def wired_cache(environ: Environ, *, messages: Messages, is_wanted: bool = True) -> SessionCache:
    """Return the cache, or one that keeps nothing: not on this disk, or not wanted, as in CI.

    A directory that the user names is always used. Raise `UsageError` if GDS_EXEC_CACHE_DIR is unusable.
    Files that killed processes left behind are removed first.
    """
    chosen = environ.get("GDS_EXEC_CACHE_DIR", "")
    if chosen and not os.path.isabs(chosen):
        raise UsageError("GDS_EXEC_CACHE_DIR is no absolute path", hint="write it out: /home/…, without ~")
    if is_wanted or chosen:
        cache = open_cache(cache_path(environ, _existing_home(environ)), warn=messages.warn_once())
    else:
        cache = open_cache(None, warn=lambda _text: None)
    sweep_leftovers(cache, environ, messages=messages)
    return cache


def sweep_leftovers(
    cache: SessionCache, environ: Environ, *, messages: Messages, is_thorough: bool = False
) -> None:
    """Remove files that killed processes left behind, and tell the person if one had an access key.

    With `is_thorough`, also remove sessions in an older format, and copies from runs without a cache.
    """
    with_copies = is_thorough or cache.directory is None
    had_keys = [
        cache.directory is not None and sweep(cache.directory, with_older_format=is_thorough),
        sweep_beside(credentials_path(environ, home=home_directory(environ))),
        with_copies and sweep_copies(temporary_parent(environ)),
    ]
    if any(had_keys):
        messages.warn_anyway(
            "removed a copy of your long-lived access key that a killed gds-exec had left on this disk"
        )


def temporary_parent(environ: Environ) -> str:
    """Return the directory for temporary files."""
    named = environ.get("TMPDIR", "")
    return named if os.path.isabs(named) else "/tmp"  # noqa: S108  # only to make a private directory in it


def wired_locks(
    cache: SessionCache, terminal: Terminal | None, *, messages: Messages, timeout_seconds: float
) -> Locks:
    """Return the locks of the sessions in this cache."""
    return Locks(
        cache.directory,
        me=Holder(os.getpid(), terminal.device if terminal else 0),
        timeout_seconds=timeout_seconds,
        tell=lambda holder: _tell(holder, terminal, messages),
        warn=cache.warn,
    )


def _tell(holder: Holder, terminal: Terminal | None, messages: Messages) -> None:
    what = f"waiting for another gds-exec (pid {holder.pid}), which is getting this session"
    if terminal is None:
        messages.notice(what)
    elif holder.terminal != terminal.device:  # on the same one, its prompt is there to see
        terminal.say(f"gds-exec: {what}")


def _region(profile: Profile, environ: Environ, *, asked: str | None) -> str:
    """Return the region whose STS is asked: the one that the command will see, else the partition's first."""
    region = effective_region(environ, asked=asked, of_role=profile.region)
    return region or _HOME_REGIONS.get(partition_of(profile), "us-east-1")


def partition_of(profile: Profile) -> str:
    """Return `aws`, `aws-cn` …, so that a user's MFA session is one for all roles and for none."""
    arn = profile.roles[-1].role_arn if profile.roles else profile.mfa_serial or ""
    return arn.split(":")[1] if arn.startswith("arn:") else "aws"


def _existing_home(environ: Environ) -> str | None:
    home = home_directory(environ)
    # A home that is not there, as that of `nobody`, is not ours to make.
    return home if home and os.path.isdir(home) else None


def _aws(connection: Connection) -> StsApi:
    import logging

    from gds_exec.installation import check_botocore, module_of_another

    logging.getLogger().addHandler(logging.NullHandler())  # a library's own messages are not for the person
    try:
        from gds_exec.credentials.sts_client import Aws  # which loads botocore
    except (OSError, ImportError) as error:  # too many open files, for one
        if (of_another := module_of_another(error)) is not None:
            raise of_another from error
        reason = getattr(error, "strerror", None) or str(error)
        raise AwsUnreachable(f"botocore cannot be loaded: {show(reason)}") from error
    check_botocore()
    return Aws(connection)
