"""The user's AWS config and credentials files as one set of profiles; read, never written.

Merged as botocore merges them: `[profile x]` of the config file, then over it, key by key, `[x]` of
the credentials file. Unlike botocore this refuses a file that is there but cannot be read.
"""

import os
import pwd
import re
import shlex
import stat
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

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return everything that a person should hear of who asks about the files themselves."""
        found = (*self.missing_files, *self.unread_sections.values(), self.exposure)
        return tuple(warning for warning in found if warning)


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


def read_aws_files(environ: Mapping[str, str], *, home: str | None) -> AwsFiles:
    """Read the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name, else those below `home`.

    A file that is not there is empty. Raise BrokenFile, naming file and line, for any other that
    cannot be read or parsed.
    """
    locations = (
        _locate("AWS_CONFIG_FILE", ".aws/config", environ, home),
        _locate("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", environ, home),
    )
    config, credentials = (_read(location.path) for location in locations)
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


def _read(path: str) -> _File | None:
    if not path:
        return None
    try:
        content, mode = _read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BrokenFile(f"{show(path)} cannot be read: {(error.strerror or str(error)).lower()}") from error
    return _File(parse(_decode(path, content), path=path), mode)


def _read_bytes(path: str) -> _Content:
    with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            return _Content(file.readall(), status.st_mode)
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat(os.devnull).st_rdev:
            return _Content(b"", status.st_mode)
        raise BrokenFile(f"{show(path)} cannot be read: not a regular file")


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


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
