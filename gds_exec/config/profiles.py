"""A role's name as a person types it → a complete Profile: roles to assume, and what to begin with.

Profiles mean what they mean to botocore (its AssumeRoleProvider and ProfileProviderBuilder), so that
the same files serve `aws --profile`. Nothing is inherited from [default].
"""

from __future__ import annotations

from gds_exec.config import profile_values
from gds_exec.config.aws_ini import Section
from gds_exec.config.ci import is_ci
from gds_exec.config.profile_chain import Chain, base_profile, follow, keys_of, no_base, roles_on_the_way
from gds_exec.config.profile_values import first
from gds_exec.config.provenance import ARGUMENT, OPTION, VARIABLE, Setting, from_variable, value_of
from gds_exec.config.role_names import role_arn_of
from gds_exec.config.sources import PROFILE, WantedSource, WebIdentityToken
from gds_exec.errors import BrokenProfile, NoAccessKey, SourceProfileMissing
from gds_exec.lean import Value
from gds_exec.options import OPTIONS, YKMAN_ACCOUNT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gds_exec.config.aws_files import AwsFiles
    from gds_exec.config.sources import Source

    Environ = Mapping[str, str]


_KEYS = {row.field: row.profile_key or "" for row in OPTIONS}
_ROLE_SETTINGS = ("role_arn", "source_profile", "credential_source", "external_id", "role_session_name")


class Role(Value):
    """One role to assume, with what its profile says about that, and where it says so."""

    role_arn: str
    profile_name: str | None = None
    external_id: str | None = None
    session_name: str | None = None
    duration_seconds: int | None = None
    settings: tuple[Setting, ...] = ()

    _notes = ("settings",)


class Profile(Value):
    """Everything that the files say about how to get one role's credentials.

    `roles` are in the order in which they are assumed, the wanted one last; a profile
    with keys and no role has none. `mfa_serial` is the one that lies nearest to the keys:
    AWS checks a code only against the user whose keys begin the chain. `source_mfa_serial`
    is set beside the keys themselves; `aws --profile ROLE` does not look at that one. `region`
    is the wanted profile's own; only a bare role takes that of the profile it starts from. `settings`
    says where these values were found; roles and the source have settings of their own.
    """

    name: str
    source: Source
    roles: tuple[Role, ...] = ()
    mfa_serial: str | None = None
    mfa_process: str | None = None
    ykman_account: str | None = None
    region: str | None = None
    sts_endpoint_url: str | None = None
    iam_endpoint_url: str | None = None
    signin_endpoint_url: str | None = None
    ca_bundle: str | None = None
    duration_seconds: int | None = None
    warnings: tuple[str, ...] = ()
    source_mfa_serial: str | None = None
    min_remaining_seconds: int | None = None
    mfa_max_age_seconds: int | None = None
    refresh: bool = False
    expected_account: str | None = None
    settings: tuple[Setting, ...] = ()

    _notes = ("settings",)


_ANY_SOURCE = WantedSource()


def find_profile(
    files: AwsFiles,
    role: str,
    *,
    environ: Environ,
    source_profile: str | None = None,
    wanted: WantedSource = _ANY_SOURCE,
) -> Profile:
    """Return what `role` means: a profile's name, else a role ARN, else ACCOUNT/ROLE.

    `source_profile` takes the place of the wanted profile's own; a bare role starts from it, or from
    what the environment has, or from what `base_profile` finds. Raise a ConfigError where nothing
    leads to credentials.
    """
    source = _asked(source_profile)
    if role in files.profiles:
        chain, is_own = _named_chain(files, role, environ=environ, source_profile=source, wanted=wanted)
        return _complete(
            files, chain, name=role, environ=environ, source_profile=source, is_own_source=is_own
        )
    role_arn = role_arn_of(files, role)
    chain = _base_chain(files, environ=environ, source_profile=source, wanted=wanted)
    settings = filter(None, (Setting("role_arn", role_arn, ARGUMENT), chain.named_by))
    bare = Role(role_arn, settings=tuple(settings))
    return _complete(files, chain, name=role, environ=environ, bare_role=bare)


def find_base(
    files: AwsFiles,
    *,
    environ: Environ,
    source_profile: str | None = None,
    wanted: WantedSource = _ANY_SOURCE,
) -> Profile:
    """Return the keys that a bare role would start from, without any role; a token's own role has to stay."""
    chain = _base_chain(files, environ=environ, source_profile=_asked(source_profile), wanted=wanted)
    complete = _complete(files, chain, name=chain.keys_profile or "", environ=environ)
    if isinstance(complete.source, WebIdentityToken):
        return complete.but(name=complete.roles[0].role_arn, roles=complete.roles[:1], duration_seconds=None)
    mfa_serial = complete.mfa_serial or complete.source_mfa_serial
    return complete.but(roles=(), duration_seconds=None, mfa_serial=mfa_serial)


def profile_names(files: AwsFiles) -> list[str]:
    return sorted(files.profiles)


def _asked(source_profile: str | None) -> Setting | None:
    return Setting("source_profile", source_profile, OPTION, "--source-profile") if source_profile else None


def _named_chain(
    files: AwsFiles, name: str, *, environ: Environ, source_profile: Setting | None, wanted: WantedSource
) -> tuple[Chain, bool]:
    """Return the profile's chain with what begins it, and whether that is what the profile says.

    In CI, where it names keys that are not here, it is what is here instead.
    """
    if wanted.is_outside_files:
        from gds_exec.config.environment_sources import asked_for  # which a person has little use for

        return roles_on_the_way(files, name).but(source=asked_for(wanted, environ)), False
    try:
        chain = follow(files, name, environ=environ, source_profile=value_of(source_profile))
        return chain.but(source=chain.source or keys_of(files, chain)), True
    except (NoAccessKey, SourceProfileMissing) as error:
        if not is_ci(environ) or wanted.kind == PROFILE or source_profile is not None:
            raise
        from gds_exec.config.environment_sources import after_profiles, before_profiles, hint_at_permission

        lacking = type(error)(error.message, hint=hint_at_permission(error.hint, environ))
        here = before_profiles(wanted, environ) or after_profiles(environ, otherwise=lacking)
        if here is None:
            raise lacking from None
        return roles_on_the_way(files, name).but(source=here), False


def _base_chain(
    files: AwsFiles, *, environ: Environ, source_profile: Setting | None, wanted: WantedSource
) -> Chain:
    """Return what a role without a profile of its own begins with."""
    from gds_exec.config.environment_sources import after_profiles, asked_for, before_profiles

    if wanted.is_outside_files:
        return Chain((), source=asked_for(wanted, environ))
    is_any = source_profile is None and wanted.kind is None
    source = before_profiles(wanted, environ) if is_any else None
    if source is not None:
        return Chain((), source=source)
    base = base_profile(files, environ=environ, source_profile=source_profile)
    if base is not None:
        chain = follow(files, base.value, environ=environ, is_source=True)
        return chain.but(source=chain.source or keys_of(files, chain), named_by=base)
    lacking = no_base(files, environ)
    source = after_profiles(environ, otherwise=lacking) if is_any else None
    if source is None:
        raise lacking
    return Chain((), source=source)


def _complete(
    files: AwsFiles,
    chain: Chain,
    *,
    name: str,
    environ: Environ,
    bare_role: Role | None = None,
    source_profile: Setting | None = None,
    is_own_source: bool = True,
) -> Profile:
    """Put together what the chain's profiles say, and what the environment says of its source."""
    source = chain.source
    assert source is not None  # noqa: S101  # whoever made the chain has found it
    names = chain.names or tuple(filter(files.profiles.__contains__, [name]))
    sections = [files.profiles[profile] for profile in names]
    own = sections[0] if sections else Section.empty()
    roles = [
        _role(profile, files.profiles[profile], source_profile=source_profile if profile == name else None)
        for profile in reversed(chain.role_profiles)
    ]
    if bare_role:
        roles.append(bare_role)
    roles = _roles_of_token(roles, source, environ)
    own_name = profile_values.session_name_in(environ)
    duration = profile_values.duration(own) if roles and roles[-1].profile_name else None
    settings: list[Setting] = []

    def endpoint_url(service: str) -> Setting | None:
        return profile_values.endpoint_url(service, own, services=files.services, environ=environ)

    def read(setting: Setting | None) -> Any:
        """Remember where the setting was found, and return its value."""
        settings.extend(filter(None, [setting]))
        return value_of(setting)

    return Profile(
        name=name,
        source=source,
        roles=tuple(_named(role, own_name) for role in roles),
        mfa_serial=read(_mfa_serial(files, chain, is_bare=bare_role is not None) if is_own_source else None),
        mfa_process=read(first(sections, "mfa_process")),
        ykman_account=read(
            from_variable("ykman_account", YKMAN_ACCOUNT.variable, environ)
            or first(sections, YKMAN_ACCOUNT.profile_key)
        ),
        region=read(first([own], "region")),
        sts_endpoint_url=read(endpoint_url("sts")),
        iam_endpoint_url=read(endpoint_url("iam")),
        signin_endpoint_url=value_of(endpoint_url("signin")),
        ca_bundle=read(
            from_variable("ca_bundle", "AWS_CA_BUNDLE", environ)
            or first([own], "ca_bundle")
            or from_variable("ca_bundle", "REQUESTS_CA_BUNDLE", environ)  # as botocore has it
        ),
        duration_seconds=read(duration),
        warnings=_warnings(files, chain),
        source_mfa_serial=_mfa_serial_if_usable(files, chain.keys_profile),
        min_remaining_seconds=read(profile_values.seconds(own, _KEYS["min_remaining_seconds"])),
        mfa_max_age_seconds=read(profile_values.seconds(own, _KEYS["mfa_max_age_seconds"])),
        refresh=bool(read(profile_values.truth(own, _KEYS["refresh"]))),
        expected_account=read(profile_values.account(own, _KEYS["expect_account"])),
        settings=tuple(settings),
    )


def _named(role: Role, by_variable: Setting | None) -> Role:
    """Return the role with a name for its sessions, if its profile or the variable has one."""
    if role.session_name or by_variable is None:
        return role
    return role.but(session_name=by_variable.value, settings=(*role.settings, by_variable))


def _roles_of_token(roles: list[Role], source: Source, environ: Environ) -> list[Role]:
    """Return the roles as a token leads to them: its own first, if AWS_ROLE_ARN says that it has one.

    The way is joined where that role stands on it. A profile's own token is for that profile's role.
    """
    if not isinstance(source, WebIdentityToken) or source.profile_name is not None:
        return roles
    own = environ.get("AWS_ROLE_ARN")
    if not own and not roles:
        hint = "set AWS_ROLE_ARN, or name a role"
        raise NoAccessKey(f"{source.owner} is exchanged for a role, and none is named", hint=hint)
    if not own:
        return roles
    if not profile_values.is_role_arn(own):
        raise BrokenProfile("AWS_ROLE_ARN is not the ARN of an IAM role", hint=profile_values.ROLE_ARN_HINT)
    setting = Setting("role_arn", own, VARIABLE, "AWS_ROLE_ARN")
    for place in reversed(range(len(roles))):
        if roles[place].role_arn == own:
            first, *others = roles[place:]
            return [first.but(settings=(setting, *first.settings)), *others] if others else [first]
    return [Role(own, settings=(setting,)), *roles]


def _mfa_serial(files: AwsFiles, chain: Chain, *, is_bare: bool) -> Setting | None:
    """Return the serial that stands nearest to the keys.

    Of a wanted profile the AWS CLI reads only serials that stand beside a role_arn.
    """
    names = list(chain.role_profiles[::-1])
    if chain.keys_profile and (is_bare or not names):
        names.append(chain.keys_profile)
    return next(filter(None, (profile_values.mfa_serial(files.profiles[name]) for name in names)), None)


def _role(name: str, section: Section, *, source_profile: Setting | None) -> Role:
    """Return the role of a profile; `source_profile` is used in place of what the profile says about that."""
    settings = {key: section.get(key) for key in _ROLE_SETTINGS}
    if source_profile is not None:
        settings |= {"source_profile": source_profile, "credential_source": None}
    return Role(
        role_arn=profile_values.role_arn(section),
        profile_name=name,
        external_id=profile_values.external_id(section),
        session_name=profile_values.session_name(section),
        duration_seconds=value_of(profile_values.duration(section)),
        settings=tuple(one for one in settings.values() if one and one.value and isinstance(one.value, str)),
    )


def _mfa_serial_if_usable(files: AwsFiles, name: str | None) -> str | None:
    try:
        return value_of(profile_values.mfa_serial(files.profiles[name])) if name else None
    except BrokenProfile:
        return None


def _warnings(files: AwsFiles, chain: Chain) -> tuple[str, ...]:
    sections = [files.profiles[profile] for profile in chain.role_profiles]
    warnings = [profile_values.ignored_duration(section) for section in sections]
    if chain.keys_profile in files.credentials_profiles:
        warnings.append(files.exposure)
    return tuple(filter(None, warnings))
