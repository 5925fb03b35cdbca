"""Where each setting of a run came from: a line of a file, a variable, an option, or our own default.

Values are those of the complete Profile and of the Invocation, never read a second time by rules of
their own: only what set them is looked up. Keys and helper commands are not among the values.
"""

from __future__ import annotations

from gds_exec.config.provenance import (
    ARGUMENT,
    DEFAULT,
    FILE,
    NOT_SHOWN,
    VARIABLE,
    TracedSetting,
    from_option,
    from_variable,
    in_files,
)
from gds_exec.config.source_provenance import traced_source
from gds_exec.config.sources import WebIdentityToken
from gds_exec.options import OPTIONS, SCOPE_ROWS, duration_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.profiles import Profile
    from gds_exec.invocation import Invocation

_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
_PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")  # in botocore's order
_DURATIONS = ("duration", "min_remaining", "mfa_max_age", "timeout", "wait")
# What has a word of its own below, or is no setting.
_TOLD_APART = (
    "role",
    "scope",
    "shell",
    "mfa_code",
    "duration",
    "region",
    "source_profile",
    "session_name",
    "min_remaining",
    "mfa_max_age",
    "refresh",
    "expect_account",
    "web_identity_token_file",
    "web_identity_token_env",
    "web_identity_token_command",
)


def traced_settings(
    files: AwsFiles,
    profile: Profile,
    invocation: Invocation,
    *,
    environ: Mapping[str, str],
    default_seconds: int | None = None,
) -> list[TracedSetting]:
    """Return all that decides about this run, and where each came from.

    `default_seconds` is how long the session lasts where nothing says so.
    """
    trace = _Trace(files, profile, invocation, environ)
    found = (
        *trace.chain(),
        traced_source(files, profile.source, environ=environ),
        *trace.codes(),
        trace.region(),
        trace.duration(default_seconds),
        trace.limit("min_remaining", profile.min_remaining_seconds),
        trace.limit("mfa_max_age", profile.mfa_max_age_seconds),
        trace.expected_account(),
        trace.refresh(),
        *trace.other_options(),
        trace.endpoint_url("sts", profile.sts_endpoint_url),
        trace.endpoint_url("iam", profile.iam_endpoint_url),
        trace.ca_bundle(),
        *trace.files_read(),
    )
    return [setting for setting in found if setting is not None]


class _Trace:
    def __init__(
        self, files: AwsFiles, profile: Profile, invocation: Invocation, environ: Mapping[str, str]
    ) -> None:
        self._files = files
        self._profile = profile
        self._invocation = invocation
        self._environ = environ
        self._role_profiles = [role.profile_name for role in reversed(profile.roles) if role.profile_name]
        names = dict.fromkeys((*self._role_profiles, profile.source.profile_name))
        self._sections = [files.profiles[name] for name in names if name is not None]
        self._base = profile.source.profile_name

    def chain(self) -> Iterator[TracedSetting | None]:
        """From the wanted role to the profile with the keys."""
        roles = self._profile.roles
        is_bare = bool(roles) and self._profile.name not in self._files.profiles
        if is_bare:
            yield TracedSetting("role_arn", roles[-1].role_arn, ARGUMENT)
            yield self._source_of_bare()
        if self._begins_with_a_role_of_the_token():
            yield self._variable("role_arn", "AWS_ROLE_ARN")
        if self._invocation.session_name:
            yield self._option("session_name", self._invocation.session_name)
        for position, section in enumerate(self._sections[: len(self._role_profiles)]):
            is_wanted = position == 0 and not is_bare
            yield in_files("role_arn", [section])
            if is_wanted and self._invocation.source_profile:
                yield self._option("source_profile", self._invocation.source_profile)
            else:
                yield in_files("source_profile", [section])
                yield in_files("credential_source", [section])
            yield in_files("external_id", [section])
            if not (is_wanted and self._invocation.session_name):
                yield in_files("role_session_name", [section])
        if self._names_a_session():
            yield self._variable("role_session_name", "AWS_ROLE_SESSION_NAME")

    def codes(self) -> Iterator[TracedSetting | None]:
        """What says which device a code is of, and where codes come from."""
        nearest_first = [*self._sections[-2::-1], *self._sections[-1:]]
        if self._profile.mfa_serial:
            yield in_files("mfa_serial", nearest_first, value=self._profile.mfa_serial)
        yield in_files("mfa_process", self._sections, shown=NOT_SHOWN)
        yield self._variable("ykman_account", "GDS_EXEC_YKMAN_ACCOUNT") or in_files(
            "gds_exec_ykman_account", self._sections
        )
        yield self._variable("mfa_source", "GDS_EXEC_MFA_SOURCE")
        if self._invocation.mfa_code:
            yield self._option("mfa_code", self._invocation.mfa_code, shown=NOT_SHOWN)

    def region(self) -> TracedSetting:
        if self._invocation.region:
            return self._option("region", self._invocation.region)
        of_caller = (self._variable("region", variable) for variable in _REGION_VARIABLES)
        of_profile = in_files("region", self._sections[:1])
        return next(filter(None, of_caller), of_profile) or TracedSetting("region", "none", DEFAULT)

    def duration(self, default_seconds: int | None) -> TracedSetting | None:
        if self._invocation.duration_seconds:
            return self._option("duration", self._invocation.duration_seconds)
        if self._profile.duration_seconds:
            shown = duration_text(self._profile.duration_seconds)
            return in_files("duration_seconds", self._sections[:1], name="duration", shown=shown)
        if default_seconds is None:
            return None
        return TracedSetting("duration", duration_text(default_seconds), DEFAULT)

    def limit(self, name: str, of_profile: int | None) -> TracedSetting | None:
        """Return a number of seconds that is set, if it is."""
        asked: int | None = getattr(self._invocation, f"{name}_seconds")
        if asked is not None:
            return self._option(name, asked)
        if of_profile is None:
            return None
        shown = duration_text(of_profile)
        return in_files(f"gds_exec_{name}", self._sections[:1], name=name, shown=shown)

    def expected_account(self) -> TracedSetting | None:
        if self._invocation.expect_account is not None:
            return self._option("expect_account", self._invocation.expect_account)
        return in_files("gds_exec_expect_account", self._sections[:1], name="expect_account")

    def refresh(self) -> TracedSetting | None:
        if self._invocation.refresh:
            return self._option("refresh", value=True)
        if not self._profile.refresh:
            return None
        return in_files("gds_exec_refresh", self._sections[:1], name="refresh", shown="yes")

    def other_options(self) -> Iterator[TracedSetting]:
        """Every other option that was given, those that this module has never heard of included."""
        for row in OPTIONS:
            name = row.name[2:].replace("-", "_")
            value = getattr(self._invocation, row.field) if row.variable and row.field else row.default
            if value != row.default and row not in SCOPE_ROWS and name not in _TOLD_APART:
                yield self._option(name, value)

    def endpoint_url(self, service: str, url: str | None) -> TracedSetting | None:
        if url is None:
            return None
        name = f"{service}_endpoint_url"
        for variable in (f"AWS_ENDPOINT_URL_{service.upper()}", "AWS_ENDPOINT_URL"):
            if self._environ.get(variable) == url:
                return TracedSetting(name, url, VARIABLE, variable)
        return self._service_endpoint_url(name, service, url) or in_files(
            "endpoint_url", self._sections[:1], name=name
        )

    def ca_bundle(self) -> TracedSetting | None:
        return self._variable("ca_bundle", "AWS_CA_BUNDLE") or in_files("ca_bundle", self._sections[:1])

    def files_read(self) -> Iterator[TracedSetting]:
        files, environ = self._files, self._environ
        for name, file, variable in (
            ("config_file", files.config_file, "AWS_CONFIG_FILE"),
            ("credentials_file", files.credentials_file, "AWS_SHARED_CREDENTIALS_FILE"),
        ):
            if file.path:
                kind, where = (VARIABLE, variable) if variable in environ else (DEFAULT, "")
                yield TracedSetting(name, file.path, kind, where)

    def _begins_with_a_role_of_the_token(self) -> bool:
        source, roles = self._profile.source, self._profile.roles
        is_of_place = isinstance(source, WebIdentityToken) and source.profile_name is None
        return is_of_place and len(roles) > 1 and roles[0].role_arn == self._environ.get("AWS_ROLE_ARN")

    def _names_a_session(self) -> bool:
        """Say whether AWS_ROLE_SESSION_NAME does, of a role that neither an option nor a profile names."""
        roles = self._profile.roles[:-1] if self._invocation.session_name else self._profile.roles
        profiles = (self._files.profiles[role.profile_name] if role.profile_name else None for role in roles)
        return any(profile is None or "role_session_name" not in profile for profile in profiles)

    def _source_of_bare(self) -> TracedSetting | None:
        """Return what says which profile's keys a role without a profile begins with, if it does so."""
        if self._base is None:
            return None
        if self._invocation.source_profile:
            return self._option("source_profile", self._invocation.source_profile)
        named = (self._variable("source_profile", variable) for variable in _PROFILE_VARIABLES)
        return next(filter(None, named), TracedSetting("source_profile", self._base, DEFAULT))

    def _service_endpoint_url(self, name: str, service: str, url: str) -> TracedSetting | None:
        services = self._sections[0].get("services") if self._sections else None
        section = self._files.services.get(str(services.value)) if services else None
        setting = section.get(service) if section else None
        if setting is None or isinstance(setting.value, str) or setting.value.get("endpoint_url") != url:
            return None
        return TracedSetting(name, url, FILE, setting.path, setting.line)

    def _variable(self, name: str, variable: str) -> TracedSetting | None:
        return from_variable(name, variable, self._environ)

    def _option(self, name: str, value: object, *, shown: str | None = None) -> TracedSetting:
        return from_option(name, value, self._environ, shown=shown)
