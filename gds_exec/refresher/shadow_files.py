"""Copies of the AWS files that do not hide an endpoint and hold no access keys.

Every SDK looks for credentials in `[default]` before it asks the endpoint. If it would find any, the
command reads copies of the files. In the copies, `[default]` has no credentials. Every other profile with
access keys has a `credential_process` that reads the keys from the original file. A killed gds-exec leaves
no keys behind.

Clients that use such a profile like one with keys, also as the `source_profile` of a role:

- boto3 1.17.0, 1.26.27 and 1.44.8, AWS CLI 1.46 and 2.9, the JavaScript SDK 3.1177
- Terraform 1.11 (Go SDK v2), Go SDK 1.44, C++ SDK (pyarrow 26)

Two clients cannot use it: the JavaScript SDK v2, and the `--profile` of s5cmd 2.3.

We rejected these alternatives:

- Leave out the profiles with keys. No client could then use them.
- Name a file in memory, `/proc/PID/fd/N`. macOS has no /proc, and `forbid_inspection` blocks it.
- Copy only the config file, and set AWS_PROFILE to an empty profile in it. A program that unsets AWS_PROFILE
  would get the long-lived keys of `[default]` instead of the role.

The files have been read before, so nothing is refused here.
"""

from __future__ import annotations

from gds_exec.config.aws_files import STATIC_KEYS, header_words
from gds_exec.config.aws_ini import INHERITED_BY_ALL
from gds_exec.config.ini_lines import ini_lines
from gds_exec.lean import Value
from gds_exec.refresher.stored_keys import SECRETS, arguments_for
from gds_exec.session import to_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

_PROCESS, _SOURCE = "credential_process", "source_profile"
_SOURCES = frozenset((_SOURCE, "credential_source", "web_identity_token_file"))
# With any of these settings, some client takes credentials from the profile.
_CREDENTIAL_SETTINGS = frozenset(
    (
        *SECRETS,
        _PROCESS,
        "credential_source",
        "login_session",
        "role_arn",
        _SOURCE,
        "sso_account_id",
        "sso_region",
        "sso_role_name",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
    )
)
_DEFAULT_PROFILE = "default"
_QUOTES = dict.fromkeys(map(ord, "\"'\\"))


class Original(Value):
    """One of the user's own AWS files: its absolute path and its text."""

    path: str
    text: str
    is_config: bool

    _unshown = ("text",)


def private_texts(config: Original, credentials: Original, *, program: str) -> tuple[str | None, str | None]:
    """Return the texts of the copies of both files, None for a file that needs no copy.

    `program` is the path of gds-exec, which the copies call to read access keys.
    """
    files = [_File(config), _File(credentials)]
    copied = [file for file in files if file.hides_endpoint()]
    if not copied:
        return None, None
    sections = [section for file in files for section in file.sections]
    roles = {section.name for section in sections if "role_arn" in section.settings}
    used = {section.source for section in sections if section.source}
    while True:
        # A profile with a role cannot also provide keys through its credential_process.
        moved = ({_DEFAULT_PROFILE} | (_with_keys(copied) & roles)) & used
        needed = [file for file in files if file in copied or file.uses(moved)]
        if needed == copied:
            break
        copied = needed
    with_source = {section.name for section in sections if not _SOURCES.isdisjoint(section.settings)}
    plan = _Plan(moved, _with_keys(files), with_source & roles, program)
    first, second = ("".join(file.copied(plan)) if file in copied else None for file in files)
    return first, second


class _Plan(Value):
    """The sources that move to new profiles, the profiles that have keys or a source, and our program.

    The Go SDKs refuse a credential_process in a profile `with_source`.
    """

    moved: AbstractSet[str]
    with_keys: AbstractSet[str]
    with_source: AbstractSet[str]
    program: str


class _Section:
    """A section: its header, the profile it belongs to, and the lines of each setting without comments."""

    def __init__(self, header: str, *, is_config: bool) -> None:
        self.header = header
        self.name = _profile_name(header, is_config=is_config)
        self.settings: dict[str, list[str]] = {}
        self.source = ""

    @property
    def is_default(self) -> bool:
        return self.name == _DEFAULT_PROFILE

    def has_keys(self) -> bool:
        return all(key in self.settings for key in STATIC_KEYS)

    def is_to_credentials(self) -> bool:
        return not _CREDENTIAL_SETTINGS.isdisjoint(self.settings)


class _File:
    def __init__(self, original: Original) -> None:
        self._path = original.path
        self._is_config = original.is_config
        self.sections = list(_sections(original))
        self._gives_all = any(
            section.is_to_credentials() for section in self.sections if section.header == INHERITED_BY_ALL
        )

    def hides_endpoint(self) -> bool:
        """Return whether its default profile has credentials, perhaps from `[DEFAULT]`."""
        return any(
            self._gives_all or section.is_to_credentials() for section in self.sections if section.is_default
        )

    def uses(self, names: AbstractSet[str]) -> bool:
        return any(section.source in names for section in self.sections)

    def copied(self, plan: _Plan) -> Iterator[str]:
        """Yield the lines of the copy, with a new profile for each source that has moved."""
        sources = {}
        for section in self.sections:
            if section.name in plan.moved:
                sources[section.name] = section  # the last one wins, as in botocore
            if not (section.is_default and self._gives_all):
                yield from _lines(section.header, self._settings(section, plan))
        for name, section in sources.items():
            if settings := self._settings_of_source(section, plan):
                header = _moved_name(name)
                yield from _lines(f"profile {header}" if self._is_config else header, settings)

    def _settings(self, section: _Section, plan: _Plan) -> dict[str, list[str]]:
        if section.is_default:
            return {key: lines for key, lines in section.settings.items() if key not in _CREDENTIAL_SETTINGS}
        settings = _without_keys(section, plan)
        if section.has_keys() and section.name not in plan.with_source:
            self._add_process(settings, section, plan)
        return settings

    def _settings_of_source(self, section: _Section, plan: _Plan) -> dict[str, list[str]]:
        """Return the settings that make the profile a source: its keys, or the rest if it has none."""
        settings = _without_keys(section, plan)
        if section.name in plan.with_keys:
            settings = {key: lines for key, lines in settings.items() if key == _PROCESS}
        if section.has_keys():
            self._add_process(settings, section, plan)
        return settings

    def _add_process(self, settings: dict[str, list[str]], section: _Section, plan: _Plan) -> None:
        # botocore prefers a credential_process to keys in the config file, not to keys in the other file.
        if self._is_config and _PROCESS in settings:
            return
        import shlex  # slow to import, and rarely needed

        command = shlex.join((plan.program, *arguments_for(self._path, section.header)))
        # Put it last: an indented line below it would become part of its value.
        settings.pop(_PROCESS, None)
        settings[_PROCESS] = [f"{_PROCESS} = {command}"]


def _with_keys(files: Iterable[_File]) -> set[str]:
    return {section.name for file in files for section in file.sections if section.has_keys()}


def _sections(original: Original) -> Iterator[_Section]:
    section = _Section("", is_config=original.is_config)
    key = ""
    for line in ini_lines(original.text):
        if line.is_comment or line.key == "mfa_process" or line.key.startswith("gds_exec_"):
            continue  # a setting of ours may hold a secret, and no SDK reads it
        if line.name in SECRETS and line.key not in SECRETS:
            continue  # an indented key: some clients read it as a key, others as part of the value above
        if line.is_header:
            yield section
            section, key = _Section(line.header, is_config=original.is_config), ""
            continue
        key = line.key or key  # an empty line may be part of a value
        if key == _SOURCE and key not in section.settings:
            section.source = line.value
        if key:
            section.settings.setdefault(key, []).append(line.text.rstrip("\r\n"))
    yield section


def _without_keys(section: _Section, plan: _Plan) -> dict[str, list[str]]:
    settings = {key: lines for key, lines in section.settings.items() if key not in SECRETS}
    if section.source in plan.moved:
        first = settings[_SOURCE][0]
        indent = first[: len(first) - len(first.lstrip())]
        settings[_SOURCE] = [f"{indent}{_SOURCE} = {_moved_name(section.source)}"]
    return settings


def _lines(header: str, settings: dict[str, list[str]]) -> Iterator[str]:
    if header:
        yield f"[{header}]\n"
    for lines in settings.values():
        yield from (f"{line}\n" for line in lines)


def _moved_name(name: str) -> str:
    return f"gds-exec-{to_hex(name)}"


def _profile_name(header: str, *, is_config: bool) -> str:
    """Return the name of the profile that a section belongs to, or "" if it belongs to none."""
    if _is_default(header):
        return _DEFAULT_PROFILE
    if not is_config:
        return header
    words = header_words(header)
    return words[1] if header.startswith("profile") and len(words) == 2 else ""


def _is_default(header: str) -> bool:
    """Return whether some client reads this as the default profile: `[ default ]`, `[profile "default"]`."""
    *before, last = header.translate(_QUOTES).split() or [""]
    return last == _DEFAULT_PROFILE and (not before or (len(before) == 1 and before[0].startswith("profile")))
