"""The access keys of one section of an AWS file, for the copies that a refreshed command reads.

A copy calls the hidden subcommand `stored-keys` with PATH and HEADER instead of holding the keys. Both
arguments are hexadecimal, so no SDK or shell finds quotes, blanks or comments in them.
"""

from __future__ import annotations

import os
import stat
import sys
import time

from gds_exec.config.aws_files import SESSION_TOKENS, STATIC_KEYS
from gds_exec.config.aws_ini import INHERITED_BY_ALL
from gds_exec.config.ini_lines import ini_lines
from gds_exec.delivery.sdk_documents import process_document
from gds_exec.errors import BrokenFile, NoAccessKey, UsageError
from gds_exec.hidden_subcommands import subcommand_arguments
from gds_exec.options import STORED_KEYS
from gds_exec.output import printing
from gds_exec.redaction import show
from gds_exec.session import AccessKey, SessionCredentials, from_hex, to_hex

SECRETS = (*STATIC_KEYS, *SESSION_TOKENS)
_ROOT = 0


def arguments_for(path: str, header: str) -> list[str]:
    """Return the arguments that print the keys of the section `header` of the file at `path`."""
    return subcommand_arguments(STORED_KEYS, to_hex(path), to_hex(header))


def print_stored_keys(arguments: list[str]) -> int:
    """Print the keys for the process that reads a copy."""
    with printing():
        sys.stdout.write(stored_keys_document(arguments))
    return 0


def stored_keys_document(arguments: list[str], *, uid: int | None = None) -> str:
    """Return what a `credential_process` prints for the keys that the two arguments name.

    Raise `BrokenFile` if the file is another user's or cannot be read, `NoAccessKey` if the section has
    no keys, `UsageError` for other arguments. No message repeats anything from the file.
    """
    try:
        path, header = map(from_hex, arguments)
    except ValueError as error:
        raise UsageError("stored-keys is only for files that gds-exec writes") from error
    keys = _keys(_read(path, uid=os.geteuid() if uid is None else uid), header)
    if not all(keys.get(name) for name in STATIC_KEYS):
        raise NoAccessKey(f"[{show(header)}] in {show(path)} has no access keys")
    token = next((keys[name] for name in SESSION_TOKENS if name in keys), None)
    access_key = AccessKey(keys[STATIC_KEYS[0]], keys[STATIC_KEYS[1]], token or None)
    return process_document(SessionCredentials.long_lived(access_key, now=time.time())) + "\n"


def _keys(text: str, header: str) -> dict[str, str]:
    inherited: dict[str, str] = {}  # from [DEFAULT], as in botocore
    own: dict[str, str] = {}
    for line in ini_lines(text):
        if line.key in SECRETS and line.header in (INHERITED_BY_ALL, header):
            (own if line.header == header else inherited).setdefault(line.key, line.value)
    return inherited | own


def _read(path: str, *, uid: int) -> str:
    try:
        # With O_NONBLOCK, opening a FIFO does not wait for a writer.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BrokenFile(f"{show(path)} is not a regular file")
            if status.st_uid not in (uid, _ROOT):
                raise BrokenFile(f"{show(path)} belongs to another user")
            return file.read().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise BrokenFile(f"{show(path)} cannot be read: {(error.strerror or str(error)).lower()}") from error
