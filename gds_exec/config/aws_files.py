"""The user's AWS config and credentials files as one set of profiles; read, never written.

Merged as botocore merges them: `[profile x]` of the config file, then over it, key by key, `[x]` of
the credentials file. Unlike botocore this refuses a file that is there but cannot be read.
"""

from __future__ import annotations

import os
import pwd
import select
import stat
import time

from gds_exec.config.aws_ini import Section, parse
from gds_exec.config.provenance import DEFAULT, VARIABLE, Setting, place
from gds_exec.errors import BrokenFile
from gds_exec.lean import Value
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH
STATIC_KEYS = ("aws_access_key_id", "aws_secret_access_key")
SESSION_TOKENS = ("aws_security_token", "aws_session_token")  # botocore prefers the first
_SECRETS = (STATIC_KEYS[1], *SESSION_TOKENS)
SIGN_INS = (
    "role_arn",
    "credential_process",
    "sso_session",
    "sso_account_id",
    "web_identity_token_file",
    "login_session",
)
# The mark in a profile that `--write-profile` wrote. Its value is the role whose session was copied.
WRITTEN_FOR = "gds_exec_written_for"
_PIPE_SECONDS = 10.0  # to type the passphrase of what decrypts into it
_PIPE_LIMIT_MIB = 16
_PIECE_BYTES = 65_536


class FileRead(Value):
    """A file that was looked for: its status as its content began to be read, None where it is not there.

    Its path is empty where there is no home directory to look in. `setting` says what names the path.
    """

    path: str
    status: os.stat_result | None
    setting: Setting | None = None

    _notes = ("setting",)


class AwsFiles(Value):
    """What both files say.

    `copied_sessions` are the sections with our mark. Nothing may start from a copied session, so
    `profiles` and `credentials_profiles` leave it out. If such a profile also has credentials in the
    config file, `profiles` keeps that part.

    `is_location_plain`: the paths depend only on AWS_* and HOME. `unread_sections` says why a section is
    not a profile, by the name that was probably meant. `missing_files` says which variable names a
    missing file.
    """

    profiles: dict[str, Section]
    config_profiles: dict[str, Section]
    credentials_profiles: dict[str, Section]
    copied_sessions: dict[str, Section]
    services: dict[str, Section]
    config_file: FileRead
    credentials_file: FileRead
    is_location_plain: bool
    missing_files: tuple[str, ...]
    unread_sections: dict[str, str]
    exposure: str | None

    _unshown = (
        "profiles",
        "config_profiles",
        "credentials_profiles",
        "copied_sessions",
        "services",
        "unread_sections",
    )

    @property
    def read(self) -> tuple[FileRead, ...]:
        """Those of the two that have a path, config file first."""
        return tuple(file for file in (self.config_file, self.credentials_file) if file.path)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.read)


class _Location(Value):
    variable: str
    path: str
    is_named: bool
    is_plain: bool

    def setting(self, name: str) -> Setting:
        kind, where = (VARIABLE, self.variable) if self.is_named else (DEFAULT, "")
        return Setting(name, self.path, kind, where)


class _File(Value):
    sections: dict[str, Section]
    status: os.stat_result | None


_NO_FILE = _File({}, None)


def home_directory(
    environ: Mapping[str, str], *, getpwuid: Callable[[int], pwd.struct_passwd] = pwd.getpwuid
) -> str | None:
    """Return HOME, else what the password database says, else None: a container's user may have neither."""
    if home := environ.get("HOME"):
        return home
    try:
        return getpwuid(os.getuid()).pw_dir
    except KeyError:
        return None


def read_aws_files(
    environ: Mapping[str, str], *, home: str | None, pipe_seconds: float = _PIPE_SECONDS
) -> AwsFiles:
    """Read the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name, else those below `home`.

    Either may be a pipe, as in `AWS_CONFIG_FILE=<(...)`, whose writers have `pipe_seconds`. A file
    that is not there is empty. Raise BrokenFile, naming file and line, for any other that cannot be
    read or parsed.
    """
    locations = (
        _locate("AWS_CONFIG_FILE", "~/.aws/config", environ, home),
        _locate_credentials(environ, home),
    )
    config, credentials = files = [_read(location.path, pipe_seconds=pipe_seconds) for location in locations]
    located = list(zip(locations, files, strict=True))
    sorted_sections = _sort_sections(config.sections)
    copied = _copied_sessions(sorted_sections.profiles, credentials.sections)
    in_config, in_credentials = sorted_sections.profiles, credentials.sections
    if copied:
        in_config = {
            name: section
            for name, section in in_config.items()
            if name not in copied or _has_credentials(section)
        }
        in_credentials = {name: section for name, section in in_credentials.items() if name not in copied}
    return AwsFiles(
        profiles=_merge(in_config, in_credentials),
        config_profiles=sorted_sections.profiles,
        credentials_profiles=in_credentials,
        copied_sessions=copied,
        services=sorted_sections.services,
        config_file=FileRead(locations[0].path, config.status, locations[0].setting("config_file")),
        credentials_file=FileRead(
            locations[1].path, credentials.status, locations[1].setting("credentials_file")
        ),
        is_location_plain=all(location.is_plain for location in locations),
        missing_files=tuple(
            f"{location.variable} names '{show(location.path)}', which does not exist"
            for location, file in located
            if location.is_named and file.status is None
        ),
        unread_sections=sorted_sections.unread,
        exposure=_exposure(credentials, locations[1].path),
    )


def credentials_path(environ: Mapping[str, str], *, home: str | None) -> str:
    """Return the path of the credentials file, or an empty text if it is unknown."""
    return _locate_credentials(environ, home).path


def _locate_credentials(environ: Mapping[str, str], home: str | None) -> _Location:
    return _locate("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", environ, home)


def _locate(variable: str, default: str, environ: Mapping[str, str], home: str | None) -> _Location:
    named = environ.get(variable)
    written = default if named is None else named
    path = "" if named is None and not home else _expand(written, environ, home)
    return _Location(
        variable, path, is_named=named is not None, is_plain=_is_plain(written, path, environ, home)
    )


def _is_plain(written: str, path: str, environ: Mapping[str, str], home: str | None) -> bool:
    """Say whether neither another variable, the working directory nor the password database had a say."""
    if "$" in written:
        return False
    if written.startswith("~"):
        return _is_below_home(written) and os.path.isabs(path) and environ.get("HOME") == home
    return not written or os.path.isabs(written)


def _expand(path: str, environ: Mapping[str, str], home: str | None) -> str:
    if "$" in path:
        path = _with_variables(path, environ)
    if not _is_below_home(path):
        return os.path.expanduser(path)
    return path if home is None else home.rstrip("/") + path[1:]


def _is_below_home(path: str) -> bool:
    return path == "~" or path.startswith("~/")


def _with_variables(path: str, environ: Mapping[str, str]) -> str:
    import re  # few paths have a variable in them

    return re.sub(
        r"\$(\w+|\{[^}]*\})",
        lambda found: environ.get(found[1].strip("{}"), found[0]),
        path,
        flags=re.ASCII,
    )


def _read(path: str, *, pipe_seconds: float) -> _File:
    if not path:
        return _NO_FILE
    try:
        content, status = _read_bytes(path, pipe_seconds=pipe_seconds)
    except (FileNotFoundError, NotADirectoryError):
        return _NO_FILE
    except OSError as error:
        raise _unreadable(path, (error.strerror or str(error)).lower()) from error
    return _File(parse(_decode(path, content), path=path), status)


def _read_bytes(path: str, *, pipe_seconds: float) -> tuple[bytes, os.stat_result]:
    with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
        # Taken before the content: what is changed while it is read does not look unchanged later.
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            return file.readall(), status
        if stat.S_ISFIFO(status.st_mode):
            return _read_pipe(path, file.fileno(), seconds=pipe_seconds), status
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat(os.devnull).st_rdev:
            return b"", status
        raise _unreadable(path, "neither a regular file nor a pipe")


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _read_pipe(path: str, descriptor: int, *, seconds: float) -> bytes:
    # On macOS /dev/fd/N is opened as it already is, O_NONBLOCK or not.
    os.set_blocking(descriptor, False)
    deadline = time.monotonic() + seconds
    content = bytearray()
    while piece := _next_piece(descriptor, deadline=deadline):
        content += piece
        if len(content) > _PIPE_LIMIT_MIB << 20:
            raise _unreadable(path, f"more than {_PIPE_LIMIT_MIB} MiB came through the pipe")
    if piece is None:
        raise _unreadable(path, f"the pipe was not closed within {seconds:g} seconds")
    # A writer that left without a word looks like none at all: both are refused.
    if not content:
        raise _unreadable(path, "nothing was written to the pipe")
    return bytes(content)


def _next_piece(descriptor: int, *, deadline: float) -> bytes | None:
    """Return what has come, nothing once no writer is left, or None at the deadline."""
    readiness = select.poll()
    readiness.register(descriptor, select.POLLIN)
    while True:
        # Read before the wait: poll never returns for a pipe that has not had a writer yet.
        try:
            return os.read(descriptor, _PIECE_BYTES)
        except BlockingIOError:
            milliseconds = max(0.0, deadline - time.monotonic()) * 1000
            if not readiness.poll(milliseconds):
                return None


def _unreadable(path: str, reason: str) -> BrokenFile:
    return BrokenFile(f"{show(path)} cannot be read: {reason}")


def _decode(path: str, content: bytes) -> str:
    if content.startswith(_BYTE_ORDER_MARKS):
        raise BrokenFile(
            f"{show(path)} starts with a byte-order mark", hint="save it as UTF-8 without a byte-order mark"
        )
    position = content.find(b"\0")
    reason = "a NUL character"
    if position < 0:
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            position, reason = error.start, "a byte that is not UTF-8"
    # Raised outside the handler: a UnicodeDecodeError carries the whole file, secrets included.
    raise BrokenFile(f"{place(path, _line_at(content, position))}: {reason}")


def _line_at(content: bytes, position: int) -> int:
    return content[:position].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1


class _SortedSections(Value):
    profiles: dict[str, Section]
    services: dict[str, Section]
    unread: dict[str, str]


def _sort_sections(sections: dict[str, Section]) -> _SortedSections:
    """Tell the config file's sections apart by the first word of their headers, as botocore does.

    It asks only how a header begins: `[profiles x]` is a profile, and of two sections for one name the
    later wins, `[default]` and `[profile default]` included.
    """
    profiles: dict[str, Section] = {}
    services: dict[str, Section] = {}
    unread: dict[str, str] = {}
    for header, section in sections.items():
        words = header_words(header)
        if header == "default":
            profiles[header] = section
        elif header.startswith("profile") and len(words) == 2:
            profiles[words[1]] = section
        elif header.startswith("services") and len(words) == 2:
            services[words[1]] = section
        elif header.startswith("profile "):
            name = header.removeprefix("profile ").strip()
            unread[name] = _unread(section, header, f'"{name}"')
        elif "role_arn" in section or "aws_access_key_id" in section:
            unread[header] = _unread(section, header, header)
    return _SortedSections(profiles, services, unread)


def header_words(header: str) -> list[str]:
    """Return the words of a section's header, without quotes, as a shell splits them."""
    if "'" in header or '"' in header or "\\" in header:
        return _words_by_shell_rules(header)
    words = header.replace("\t", " ").split(" ")
    return [word for word in words if word] if "" in words else words


def _words_by_shell_rules(header: str) -> list[str]:
    import shlex  # few headers are quoted

    try:
        return shlex.split(header)
    except ValueError:
        return []


def _unread(section: Section, header: str, name: str) -> str:
    return f"{section.place}: [{show(header)}] is not read as a profile: write [profile {show(name)}]"


def _copied_sessions(config: dict[str, Section], credentials: dict[str, Section]) -> dict[str, Section]:
    """Return the sections with our mark. A person may have moved one to the config file."""
    return {
        name: section
        for sections in (config, credentials)
        for name, section in sections.items()
        if WRITTEN_FOR in section
    }


def _has_credentials(section: Section) -> bool:
    """Say whether a section that we did not write has keys or another way to get credentials."""
    return WRITTEN_FOR not in section and any(key in section for key in (*STATIC_KEYS, *SIGN_INS))


def _merge(config: dict[str, Section], credentials: dict[str, Section]) -> dict[str, Section]:
    merged = config | credentials
    for name in config.keys() & credentials.keys():
        merged[name] = credentials[name].over(config[name])
    return merged


def _exposure(credentials: _File, path: str) -> str | None:
    if credentials.status is None or not credentials.status.st_mode & _READABLE_BY_OTHERS:
        return None
    if not any(secret in section for section in credentials.sections.values() for secret in _SECRETS):
        return None
    import shlex  # dear, and few are told this

    return f"{show(path)} holds secrets and can be read by others: chmod 600 {shlex.quote(show(path))}"
