"""The user's AWS config and credentials files as one set of profiles; read, never written.

Merged as botocore merges them: `[profile x]` of the config file, then over it, key by key, `[x]` of
the credentials file. Unlike botocore this refuses a file that is there but cannot be read.
"""

import os
import pwd
import re
import select
import shlex
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gds_exec.config.aws_ini import ParsedFile, Section, parse, place
from gds_exec.errors import BrokenFile
from gds_exec.redaction import show

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH
_SECRETS = ("aws_secret_access_key", "aws_session_token", "aws_security_token")
_VARIABLE = re.compile(r"\$(\w+|\{[^}]*\})", re.ASCII)
_NOTHING = ParsedFile({}, {})
_PIPE_SECONDS = 10.0  # to type the passphrase of what decrypts into it
_PIPE_LIMIT_MIB = 16
_PIECE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class AwsFiles:
    """What both files say.

    `unread_sections` says, by the name that was probably meant, why a section is no profile;
    `missing_files` says which variable names a file that is not there.
    """

    profiles: dict[str, Section] = field(default_factory=dict, repr=False)
    config_profiles: dict[str, Section] = field(default_factory=dict, repr=False)
    credentials_profiles: dict[str, Section] = field(default_factory=dict, repr=False)
    services: dict[str, Section] = field(default_factory=dict, repr=False)
    paths: tuple[str, ...] = ()
    missing_files: tuple[str, ...] = ()
    unread_sections: dict[str, str] = field(default_factory=dict, repr=False)
    exposure: str | None = None


class _Location(NamedTuple):
    variable: str
    path: str
    is_named: bool


class _Content(NamedTuple):
    content: bytes
    mode: int


class _File(NamedTuple):
    parsed: ParsedFile
    mode: int


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
        _locate("AWS_CONFIG_FILE", ".aws/config", environ, home),
        _locate("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", environ, home),
    )
    config, credentials = (_read(location.path, pipe_seconds=pipe_seconds) for location in locations)
    profiles, services, unread_sections = _sort_sections(config.parsed if config else _NOTHING, locations[0])
    credentials_profiles = credentials.parsed.sections if credentials else {}
    return AwsFiles(
        profiles=_merge(profiles, credentials_profiles),
        config_profiles=profiles,
        credentials_profiles=credentials_profiles,
        services=services,
        paths=tuple(location.path for location in locations if location.path),
        missing_files=tuple(
            f"{location.variable} names '{show(location.path)}', which does not exist"
            for location, file in zip(locations, (config, credentials), strict=True)
            if location.is_named and file is None
        ),
        unread_sections=unread_sections,
        exposure=_exposure(credentials, locations[1]) if credentials else None,
    )


def _locate(variable: str, default: str, environ: Mapping[str, str], home: str | None) -> _Location:
    named = environ.get(variable)
    if named is not None:
        return _Location(variable, _expand(named, environ, home), is_named=True)
    return _Location(variable, os.path.join(home, default) if home else "", is_named=False)


def _expand(path: str, environ: Mapping[str, str], home: str | None) -> str:
    path = _VARIABLE.sub(lambda found: environ.get(found[1].strip("{}"), found[0]), path)
    if path != "~" and not path.startswith("~/"):
        return os.path.expanduser(path)
    return path if home is None else home.rstrip("/") + path[1:]


def _read(path: str, *, pipe_seconds: float) -> _File | None:
    if not path:
        return None
    try:
        content, mode = _read_bytes(path, pipe_seconds=pipe_seconds)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(path, (error.strerror or str(error)).lower()) from error
    return _File(parse(_decode(path, content), path=path), mode)


def _read_bytes(path: str, *, pipe_seconds: float) -> _Content:
    with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            return _Content(file.readall(), status.st_mode)
        if stat.S_ISFIFO(status.st_mode):
            return _Content(_read_pipe(path, file.fileno(), seconds=pipe_seconds), status.st_mode)
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat(os.devnull).st_rdev:
            return _Content(b"", status.st_mode)
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


class _SortedSections(NamedTuple):
    profiles: dict[str, Section]
    services: dict[str, Section]
    unread: dict[str, str]


def _sort_sections(config: ParsedFile, location: _Location) -> _SortedSections:
    """Tell the config file's sections apart by the first word of their headers, as botocore does.

    It asks only how a header begins: `[profiles x]` is a profile, and of two sections for one name the
    later wins, `[default]` and `[profile default]` included.
    """
    found = _SortedSections({}, {}, {})
    for header, section in config.sections.items():
        words = _words(header)
        if header == "default":
            found.profiles[header] = section
        elif header.startswith("profile") and len(words) == 2:
            found.profiles[words[1]] = section
        elif header.startswith("services") and len(words) == 2:
            found.services[words[1]] = section
        elif header.startswith("profile "):
            name = header.removeprefix("profile ").strip()
            found.unread[name] = _unread(
                place(location.path, config.header_lines[header]), header, f'"{name}"'
            )
        elif "role_arn" in section or "aws_access_key_id" in section:
            found.unread[header] = _unread(place(location.path, config.header_lines[header]), header, header)
    return found


def _words(header: str) -> list[str]:
    if not any(character in header for character in "'\"\\"):
        return [word for word in header.replace("\t", " ").split(" ") if word]
    try:
        return shlex.split(header)
    except ValueError:
        return []


def _unread(where: str, header: str, name: str) -> str:
    return f"{where}: [{show(header)}] is not read as a profile: write [profile {show(name)}]"


def _merge(config: dict[str, Section], credentials: dict[str, Section]) -> dict[str, Section]:
    merged = config | credentials
    for name in config.keys() & credentials.keys():
        merged[name] = config[name] | credentials[name]
    return merged


def _exposure(credentials: _File, location: _Location) -> str | None:
    if not credentials.mode & _READABLE_BY_OTHERS:
        return None
    if not any(secret in section for section in credentials.parsed.sections.values() for secret in _SECRETS):
        return None
    path = show(location.path)
    return f"{path} holds secrets and can be read by others: chmod 600 {shlex.quote(path)}"
