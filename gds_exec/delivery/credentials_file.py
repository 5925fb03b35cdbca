"""The profiles that gds-exec writes into the AWS credentials file, and removes again.

The file is written whole or not at all, and only its owner can read it then. Every other byte of it stays
the same. A section without our mark is never changed.
"""

from __future__ import annotations

import fcntl
import os
import stat

from gds_exec.child.process_info import process_mark
from gds_exec.config.aws_files import WRITTEN_FOR
from gds_exec.config.aws_ini import INHERITED_BY_ALL, parse
from gds_exec.config.ini_lines import ini_lines
from gds_exec.credentials.leftovers import UNFINISHED_SUFFIX
from gds_exec.credentials.private_directory import replace_file
from gds_exec.environment import credential_variables
from gds_exec.errors import BrokenFile, OutputFailed, UnknownRole
from gds_exec.lean import contextmanager, suppress
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gds_exec.config.ini_lines import IniLine
    from gds_exec.session import SessionCredentials

    Settings = Mapping[str, str]

_OURS = frozenset(
    (
        WRITTEN_FOR,
        "aws_access_key_id",
        "aws_credential_expiration",
        "aws_secret_access_key",
        "aws_session_token",
        "region",
    )
)
# A header of nothing else is the same profile to every client.
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@:/-")
_LINE_ENDS = ("\r\n", "\n", "\r")


def write_profile(path: str, name: str, settings: Settings) -> None:
    """Write the settings into `[name]` of the credentials file at `path`, which is made if need be.

    A link stays one: the file that it leads to is written. Raise `OutputFailed`, or `BrokenFile`, where
    the file is left as it was.
    """
    _change(path, lambda text: with_profile(text, name, settings))


def remove_profile(path: str, name: str) -> None:
    """Remove what `write_profile` wrote into `[name]` of the credentials file at `path`.

    Raise `UnknownRole` if there is no such section, and `OutputFailed` or `BrokenFile` as `write_profile`.
    """
    missing = UnknownRole(
        f"no profile is named '{show(name)}' in {show(path)}",
        hint="check the name, and the path in AWS_SHARED_CREDENTIALS_FILE",
    )

    def without(text: str) -> str:
        changed = without_profile(text, name)
        if changed is None:
            raise missing
        return changed

    if not os.path.exists(path):
        raise missing
    _change(path, without)


def is_profile_name(text: str) -> bool:
    """Say whether a section of this name is a profile, and the same one, to every client."""
    return text not in ("", INHERITED_BY_ALL) and _NAME_CHARACTERS.issuperset(text)


def credential_settings(session: SessionCredentials, *, region: str | None) -> dict[str, str]:
    """Return the settings of a profile that has this session for its keys."""
    settings = {name.lower(): value for name, value in credential_variables(session).items()}
    return {**settings, "region": region} if region else settings


def written_settings(session: SessionCredentials, *, role: str, region: str | None) -> dict[str, str]:
    """Return the settings with our mark, which names the role."""
    note = show(role).encode("ascii", "backslashreplace").decode("ascii").strip()
    return {WRITTEN_FOR: note, **credential_settings(session, region=region)}


def section_text(name: str, settings: Settings, *, line_end: str = "\n") -> str:
    """Return a section of its own. Raise `OutputFailed` where clients would not read it back as it is."""
    if not is_profile_name(name):
        raise OutputFailed(f"'{show(name)}' cannot be the name of a section in an AWS credentials file")
    return f"[{name}]{line_end}{_setting_lines(settings, indent='', line_end=line_end)}"


def with_profile(text: str, name: str, settings: Settings) -> str:
    """Return the text of a credentials file with these settings in the section `[name]`.

    A section that we wrote keeps its place and any settings that others added. A new section comes last.
    If the text had no newline at its end, it gets none. Raise `OutputFailed` for a section that is not ours.
    """
    lines = list(ini_lines(text))
    line_end = _line_end(lines)
    if not any(_is_header_of(name, line) for line in lines):
        written = text + _gap(text, line_end) + section_text(name, settings, line_end=line_end)
        return _ended_as(text, written)
    mark = _mark(lines, name, hint="choose another name")
    written = _setting_lines(settings, indent=mark.indent, line_end=line_end)
    others = (line for line in lines if line is mark or not _is_ours(name, line))
    return _ended_as(text, "".join(written if line is mark else line.text for line in others))


def without_profile(text: str, name: str) -> str | None:
    """Return the text without the settings from `with_profile`, or None if it has no such section.

    The header stays if others added settings below it. Raise `OutputFailed` for a section that is not ours.
    """
    lines = list(ini_lines(text))
    if not any(_is_header_of(name, line) for line in lines):
        return None
    _mark(lines, name, hint="to remove it, edit the file yourself")
    others = [line for line in lines if not _is_ours(name, line)]
    header = next(place for place, line in enumerate(others) if line.header == name)
    after = next((line for line in others[header + 1 :] if line.header != name or line.key), None)
    # Without its header, an indented line would continue a setting of the section above.
    if after is None or (after.header != name and not after.indent):
        is_gap = header > 0 and others[header - 1].text in _LINE_ENDS
        del others[header - 1 if is_gap else header : header + 1]
    return _ended_as(text, "".join(line.text for line in others))


def not_ours(name: str, *, hint: str = "choose another name") -> OutputFailed:
    """Return what to raise for a section that we did not write."""
    return OutputFailed(
        f"[{show(name)}] of the AWS credentials file was not written by gds-exec, and is left as it is",
        hint=hint,
    )


def _change(path: str, change: Callable[[str], str]) -> None:
    parent, name = os.path.split(os.path.realpath(path))
    try:
        with _locked_directory(parent) as directory:
            text = _read(directory, name, path=path)
            temporary = f".{name}.{process_mark(os.getpid())}{UNFINISHED_SUFFIX}"
            replace_file(directory, name, change(text).encode(), temporary=temporary)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputFailed(f"{show(path)} cannot be written: {reason}") from error


@contextmanager
def _locked_directory(path: str) -> Iterator[int]:
    """Yield a descriptor of the directory, made if need be; no other gds-exec writes into it inside."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # The directory's own lock leaves no file behind. NFS has none for what is open to be read only.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _read(directory: int, name: str, *, path: str) -> str:
    """Return the text of the file, none where there is no file; raise for one that we must not write."""
    try:
        status = os.stat(name, dir_fd=directory)
    except FileNotFoundError:
        _check_owner(os.fstat(directory), path)
        return ""
    if not stat.S_ISREG(status.st_mode):
        raise OutputFailed(f"{show(path)} cannot be written: it is not a regular file")
    _check_owner(status, path)
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory), "rb") as file:
        return _checked(file.read(), path)


def _check_owner(status: os.stat_result, path: str) -> None:
    # `sudo -E` keeps the user's HOME: root must not leave a file there that they cannot read.
    if status.st_uid not in {0, os.geteuid()}:
        raise OutputFailed(f"{show(path)} cannot be written: it belongs to another user")


def _checked(content: bytes, path: str) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = None
    if text is None:  # raised outside the handler: a UnicodeDecodeError carries the whole file
        raise BrokenFile(f"{show(path)} is not UTF-8")
    parse(text, path=path)
    return text


def _is_header_of(name: str, line: IniLine) -> bool:
    return line.header.strip() == name


def _mark(lines: Iterable[IniLine], name: str, *, hint: str) -> IniLine:
    """Return the line of our mark in a section. Raise `OutputFailed` if it is not ours."""
    lines = [line for line in lines if _is_header_of(name, line)]
    mark = next((line for line in lines if line.key == WRITTEN_FOR), None)
    if mark is None or any(line.header != name for line in lines):  # some clients read `[ name ]` as [name]
        raise not_ours(name, hint=hint)
    return mark


def _is_ours(name: str, line: IniLine) -> bool:
    return line.header == name and line.key in _OURS


def _setting_lines(settings: Settings, *, indent: str, line_end: str) -> str:
    for key, value in settings.items():
        if not (value.isascii() and value.isprintable() and value == value.strip()):
            raise OutputFailed(f"{key} cannot be written to an AWS credentials file: it is not plain text")
    return "".join(f"{indent}{key} = {value}{line_end}" for key, value in settings.items())


def _line_end(lines: Iterable[IniLine]) -> str:
    """Return how the first line ends."""
    first = next((line.text for line in lines), "")
    return first[len(first.rstrip("\r\n")) :] or "\n"


def _gap(text: str, line_end: str) -> str:
    """Return what parts a new section from what stands before it."""
    if not text:
        return ""
    if text.endswith("\r"):  # a "\n" after it would make one line end of both
        return "\r"
    return line_end if text.endswith("\n") else line_end * 2


def _ended_as(text: str, changed: str) -> str:
    """Return the changed text, without a last newline if `text` had none."""
    if not text or text.endswith(_LINE_ENDS):
        return changed
    end = next((end for end in _LINE_ENDS if changed.endswith(end)), "")
    return changed.removesuffix(end)
