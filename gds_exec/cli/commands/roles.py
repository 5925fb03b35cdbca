"""`gds-exec`, and `gds-exec roles`: what one may type for ROLE."""

from __future__ import annotations

import sys
import time

from gds_exec.cli import render
from gds_exec.cli.completion_names import write_names
from gds_exec.cli.shortcuts import remember_names
from gds_exec.cli.wiring import wired_cache, wired_files
from gds_exec.config.ci import is_ci
from gds_exec.config.profile_values import is_role_arn
from gds_exec.config.profiles import profile_names
from gds_exec.config.role_names import where_looked
from gds_exec.credentials.request import role_of
from gds_exec.environment import callers_environment
from gds_exec.errors import GdsExecError, UsageError
from gds_exec.lean import Value, suppress
from gds_exec.output import Messages, printing
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.aws_ini import Section
    from gds_exec.invocation import Invocation

_SIGN_INS = {
    "aws_access_key_id": "access keys",
    "credential_process": "credential_process",
    "web_identity_token_file": "web identity token",
    "sso_session": "IAM Identity Center",
    "sso_start_url": "IAM Identity Center",
    "login_session": "aws login",
}
_LONGEST_TABLE = 500  # rich draws about a thousand rows a second
_HEADERS = ("role", "account", "role name", "region", "source")


class Listed(Value):
    """A profile as it is listed; nothing in it is checked but the form of the ARN."""

    role: str
    arn: str
    account: str
    role_name: str
    region: str
    source: str


def roles(asked: Invocation, environ: Mapping[str, str]) -> None:
    """Print every profile of the AWS files as plain lines, a table, JSON, CSV, or names alone.

    Without a form, a terminal gets the table, if it is not too long, and everything else the lines: two
    spaces, the name padded to the longest, two spaces, and a description in plain words, which people's
    scripts take off again (`sed -E "s/ +[a-zA-Z0-9_ ]+//"`): no ARN, for that has other signs.
    """
    form = _form_asked(asked)
    environ = callers_environment(environ)
    read_at = time.time()
    files = wired_files(environ)
    form = form or _form_for(files, is_terminal=sys.stdout.isatty())
    with printing():
        sys.stdout.write(_names(files) if form == "names" else _FORMS[form](_listed(files)))
    if not files.profiles:
        Messages().notice(f"{where_looked(files)}; to try gds-exec out: gds-exec try")
    if form == "names":
        with suppress(GdsExecError, OSError):  # what was asked for has been printed
            cache = wired_cache(environ, messages=Messages(quiet=True), is_wanted=not is_ci(environ))
            names = [show(name) for name in profile_names(files)]
            remember_names(cache, environ, files, names, read_at=read_at)
            write_names(cache, files, read_at=read_at)


def _form_asked(asked: Invocation) -> str | None:
    wanted = (("names", asked.names), ("csv", asked.csv), ("json", asked.as_json))
    forms = [form for form, is_asked in wanted if is_asked]
    if len(forms) > 1:
        raise UsageError(f"--{forms[0]} and --{forms[1]} exclude each other", hint="leave one of them out")
    return forms[0] if forms else None


def _form_for(files: AwsFiles, *, is_terminal: bool) -> str:
    return "table" if is_terminal and len(files.profiles) <= _LONGEST_TABLE else "plain"


def _names(files: AwsFiles) -> str:
    return "".join(f"{show(name)}\n" for name in profile_names(files))


def _listed(files: AwsFiles) -> list[Listed]:
    return [_entry(name, files.profiles[name]) for name in profile_names(files)]


def _entry(name: str, section: Section) -> Listed:
    arn = _value(section, "role_arn")
    account, role_name = role_of(arn) if is_role_arn(arn) else ("", "")
    source = _value(section, "source_profile") or _value(section, "credential_source")
    return Listed(name, arn, account, role_name, _value(section, "region"), source or _sign_in(section))


def _sign_in(section: Section) -> str:
    return next((words for key, words in _SIGN_INS.items() if _value(section, key)), "")


def _value(section: Section, key: str) -> str:
    """Return a setting, or an empty text: one profile that is broken does not cost the list."""
    setting = section.get(key)
    return setting.value if setting and isinstance(setting.value, str) else ""


def _as_plain(listed: list[Listed]) -> str:
    return render.aligned([(entry.role, _description(entry)) for entry in listed], indent="  ")


def _description(entry: Listed) -> str:
    return f"account {entry.account}" if entry.account else entry.arn or entry.source


def _as_table(listed: list[Listed]) -> str:
    import shutil  # a table is for a terminal, whose width it knows, COLUMNS included

    rows = [(entry.role, entry.account, entry.role_name, entry.region, entry.source) for entry in listed]
    return render.table(_HEADERS, rows, stream=sys.stdout, width=shutil.get_terminal_size().columns)


def _as_json(listed: list[Listed]) -> str:
    return render.as_json([_fields(entry) for entry in listed])


def _as_csv(listed: list[Listed]) -> str:
    rows = [[text or "" for text in _fields(entry).values()] for entry in listed]
    return render.as_csv(list(_fields(Listed("", "", "", "", "", ""))), rows)


def _fields(entry: Listed) -> dict[str, str | None]:
    return {
        "role": entry.role,
        "arn": entry.arn or None,
        "account": entry.account or None,
        "role_name": entry.role_name or None,
        "region": entry.region or None,
        "source": entry.source or None,
    }


_FORMS = {"plain": _as_plain, "table": _as_table, "json": _as_json, "csv": _as_csv}
