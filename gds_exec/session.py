"""Credentials as values: a long-lived access key, and a session that AWS STS gave, also as lines of text.

Small slotted classes that print nothing of what they hold; never changed after construction. With
what reads their text safely they are all that the warm path needs of the cache, and one module, for
each costs it a hundredth of its time. Reading never raises for what it finds: a file that is not
wholly right is no session. Each file of the cache ends in a checksum, because one damaged digit could
make an expired session look valid.
"""

import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

HEADER = "gds-exec session 1"
SUFFIX = ".session2"
SHORTCUT_SUFFIX = ".shortcut2"
PUT_OFF_SUFFIX = ".putoff2"
RECORD_SUFFIX = ".running3"
NEWS_SUFFIX = ".renewed"  # which the hooks of role shells know too
COPY_SUFFIXES = (".config", ".credentials")  # of AWS's files, for a command that is refreshed
_CLOCK_TOLERANCE_SECONDS = 300
_BEGIN_SECONDS, _BEGIN_PART = 300, 4
_LIMIT_BYTES = 65_536
_EPOCH_DIGITS = 11
_PRIME = 2**255 - 19
_CHECKSUM = "checksum="
_CHECKSUM_CHARACTERS = len(_CHECKSUM) + 64 + 1
LONGEST_LIFE_SECONDS = 129_600  # API_GetSessionToken
CLOCK_SLACK_SECONDS = 60  # `issued` is by our clock, `expiration` by AWS's
_ABOUT = "about"  # in hexadecimal digits, for a person may call it anything
_FIELDS = (
    "access_key_id",
    "secret_access_key",
    "session_token",
    "issued",
    "expiration",
    "clock_offset",
    "arn",
)


class AccessKey:
    """An access key, with a session token if it is itself temporary."""

    __slots__ = ("access_key_id", "secret_access_key", "session_token")

    def __init__(self, access_key_id: str, secret_access_key: str, session_token: str | None = None) -> None:
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.session_token = session_token

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…{self.access_key_id[-4:]})"

    @property
    def is_temporary(self) -> bool:
        return self.session_token is not None

    @property
    def parts(self) -> tuple[str, ...]:
        parts = (self.access_key_id, self.secret_access_key, self.session_token)
        return tuple(part for part in parts if part)


class SessionCredentials:
    """What to sign with until `expiration`; long-lived keys have none.

    `issued` and `expiration` are seconds since the epoch by AWS's clock, which is
    `clock_offset` seconds ahead of the clock of this machine.
    """

    __slots__ = ("access_key", "arn", "clock_offset", "expiration", "issued")

    def __init__(
        self,
        access_key: AccessKey,
        *,
        issued: int,
        expiration: int | None,
        arn: str = "",
        clock_offset: int = 0,
    ) -> None:
        self.access_key = access_key
        self.issued = issued
        self.expiration = expiration
        self.arn = arn
        self.clock_offset = clock_offset

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…{self.access_key.access_key_id[-4:]}, expiration={self.expiration})"

    @classmethod
    def long_lived(cls, access_key: AccessKey, *, now: float) -> "Self":
        return cls(access_key, issued=int(now), expiration=None)

    def seconds_left(self, now: float) -> float:
        """Return the seconds until AWS refuses these credentials: infinity for long-lived keys.

        Never more than there are: a clock that was ahead may have been set right since.
        """
        if self.expiration is None:
            return float("inf")
        return self.expiration - (now + max(0, self.clock_offset))

    def age_seconds(self, now: float) -> float:
        """Return how many seconds ago it was made, never fewer: see `seconds_left`."""
        return now + max(0, self.clock_offset) - self.issued

    def is_from_the_future(self, now: float) -> bool:
        """Return whether the clock went back since it was made: then "not expired" means nothing."""
        return self.issued - _CLOCK_TOLERANCE_SECONDS > now + self.clock_offset

    def can_begin(self, now: float, *, min_remaining_seconds: float | None) -> bool:
        """Return whether a command may begin with this session, found in the cache.

        Without a minimum asked for, five minutes must be left, or a quarter of a shorter life.
        """
        if min_remaining_seconds is None:
            min_remaining_seconds = self.part_of_life(_BEGIN_SECONDS, _BEGIN_PART)
        return not self.is_from_the_future(now) and self.seconds_left(now) >= min_remaining_seconds

    def part_of_life(self, seconds: float, part: int) -> float:
        """Return these seconds, or a part of the session's life if that is less: 1/`part` of it."""
        return min(seconds, self.life_seconds() / part)

    def life_seconds(self) -> float:
        """Return how many seconds the session was made for."""
        return float("inf") if self.expiration is None else self.expiration - self.issued


def iso_time(epoch: float) -> str:
    """Return seconds since the epoch as AWS writes a time. The JavaScript SDK refuses `+00:00` for the Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))


def epoch_of(iso_time: str) -> int:
    """Return a time as seconds since the epoch; UTC if it has no zone. Raise `ValueError` for other text."""
    from datetime import UTC, datetime  # the warm path reads no such time

    moment = datetime.fromisoformat(iso_time)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def to_hex(text: str) -> str:
    """Return any text as hexadecimal digits, for a line of a file or an argument.

    With `surrogatepass`, because each surrogate comes back as it was. `surrogateescape` would make
    one letter of two bytes that Python could not decode.
    """
    return text.encode("utf-8", "surrogatepass").hex()


def from_hex(digits: str) -> str:
    """Return the text from `to_hex`. Raise `ValueError` for other digits."""
    return bytes.fromhex(digits).decode("utf-8", "surrogatepass")


def cache_path(environ: "Mapping[str, str]", home: str | None) -> str | None:
    """Return where sessions are cached: our own directory in GDS_EXEC_CACHE_DIR, or in the user's cache.

    A relative XDG_CACHE_HOME is ignored, as the XDG Base Directory Specification wants it. A relative
    GDS_EXEC_CACHE_DIR is nowhere.
    """
    user_cache = environ.get("XDG_CACHE_HOME", "")
    if chosen := environ.get("GDS_EXEC_CACHE_DIR", ""):
        parent = chosen
    elif os.path.isabs(user_cache):
        parent = user_cache
    else:
        parent = os.path.join(home or "", ".cache")
    return os.path.join(parent, "gds-exec") if os.path.isabs(parent) else None


def open_if_private(path: str) -> int | None:
    """Return a descriptor of a directory that is ours and that nobody else can enter, or `None`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    status = os.fstat(descriptor)
    if status.st_uid == os.geteuid() and not status.st_mode & 0o077:
        return descriptor
    os.close(descriptor)
    return None


def put_off_until(directory: int, key: str) -> int:
    """Return until when the renewal of this session is put off, in seconds since the epoch, or 0."""
    text = (read_checked_text(directory, put_off_name(key)) or "").strip()
    return _epoch(text) or 0


def put_off_name(key: str) -> str:
    """Return the name of the file that says until when a renewal is put off."""
    return key + PUT_OFF_SUFFIX


def file_name(key: str) -> str:
    """Return the name of a session's file: every version of the format has names of its own."""
    return key + SUFFIX


def serialise(session: SessionCredentials, *, about: str = "") -> str:
    """Return the text of a session's file; `about` is what a person calls it.

    Raise `ValueError` for a session that has no such text.
    """
    key = session.access_key
    values = (
        key.access_key_id,
        key.secret_access_key,
        key.session_token or "",
        str(session.issued),
        str(session.expiration),
        str(session.clock_offset),
        session.arn,
    )
    if any("\n" in value for value in values):
        raise ValueError("AWS gave a session of more than one line")
    fields = [f"{name}={value}" for name, value in zip(_FIELDS, values, strict=True)]
    if about:
        fields.append(f"{_ABOUT}={to_hex(about)}")
    return "\n".join([HEADER, *fields, "end", ""])


def about(text: str) -> str:
    """Return what a person calls the session that a file's text holds, or an empty text."""
    digits = next((line[len(_ABOUT) + 1 :] for line in text.split("\n") if line.startswith(f"{_ABOUT}=")), "")
    try:
        return from_hex(digits)
    except ValueError:
        return ""


def parse(text: str) -> SessionCredentials | None:
    """Return the session that a file's text holds, or `None` if it does not hold a whole one."""
    lines = text.split("\n")
    if lines[0] != HEADER or lines[-2:] != ["end", ""]:
        return None
    pairs = [line.split("=", 1) for line in lines[1:-2] if "=" in line]
    found = dict(pairs)
    # A field twice is two files in one, of which half would be the other session's.
    if len(found) != len(pairs) or any(name not in found for name in _FIELDS):
        return None
    issued, expiration = _epoch(found["issued"]), _epoch(found["expiration"])
    offset = _offset(found["clock_offset"])
    if issued is None or expiration is None or offset is None:
        return None
    if not 0 < expiration - issued <= LONGEST_LIFE_SECONDS + CLOCK_SLACK_SECONDS:
        return None
    parts = (found["access_key_id"], found["secret_access_key"], found["session_token"])
    if not all(part.isprintable() and part and " " not in part for part in parts):
        return None  # what no header, and no environment, can hold
    key = AccessKey(found["access_key_id"], found["secret_access_key"], found["session_token"])
    return SessionCredentials(
        key, issued=issued, expiration=expiration, arn=found["arn"], clock_offset=offset
    )


def read(directory: int, key: str) -> SessionCredentials | None:
    """Return the session cached under `key` in an open directory, if a sound and private file holds one."""
    text = read_checked_text(directory, file_name(key))
    return None if text is None else parse(text)


def remainder(data: bytes) -> int:
    """Return a 255-bit checksum of the data.

    It always detects a change within 254 neighbouring bits. It protects against damage, not against forgery:
    a cryptographic hash would cost an import.
    """
    return int.from_bytes(b"\1" + data) % _PRIME


def with_checksum(text: str) -> str:
    """Return the text with its checksum as the last line."""
    return f"{text}{_CHECKSUM}{remainder(text.encode()):064x}\n"


def read_checked_text(directory: int, name: str, *, limit_bytes: int = _LIMIT_BYTES) -> str | None:
    """Return the text of a file without its checksum; None if the checksum or the file is not sound."""
    found = read_private_text(directory, name, limit_bytes=limit_bytes)
    text = "" if found is None else found[:-_CHECKSUM_CHARACTERS]
    return text if found is not None and found == with_checksum(text) else None


def read_private_text(directory: int, name: str, *, limit_bytes: int = _LIMIT_BYTES) -> str | None:
    """Return the text of a regular file that only we can read, or `None`, also if it is too long.

    Links are not followed and a FIFO does not block.
    """
    try:
        descriptor = os.open(
            name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=directory
        )
    except (OSError, ValueError):  # no name has a NUL in it
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            return None
        data = os.read(descriptor, limit_bytes + 1)
        return data.decode("ascii") if len(data) <= limit_bytes else None
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)


def _epoch(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= _EPOCH_DIGITS):
        return None
    return int(text) or None


def _offset(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 6 else None
