"""What the options that scope a session say together."""

from collections.abc import Sequence

from gds_exec.cli import options
from gds_exec.config.provenance import OPTION, VARIABLE, TracedSetting
from gds_exec.credentials.session_scope import READ_ONLY_ARN, Scope, check_scope, not_for_people, read_scope
from gds_exec.errors import UsageError
from gds_exec.invocation import variable_of
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gds_exec.cli.runtime import Run
    from gds_exec.credentials.session_scope import Scope


_LONGEST_FILE_BYTES = 1 << 20


def asked_scope(
    *,
    scope: options.Scope = None,
    policy: options.Policy = None,
    policy_arn: options.PolicyArn = None,
    read_only: options.ReadOnly = False,
    tag: options.Tag = None,
    transitive_tag: options.TransitiveTag = None,
    source_identity: options.SourceIdentity = None,
    external_id: options.ExternalId = None,
) -> str | None:
    """Return the text of the scope that is asked for, None where none is.

    Raise `UsageError` for one that AWS would refuse, or a policy that cannot be read.
    """
    asked = Scope(
        policy=None if policy is None else _policy(policy),
        policy_arns=_in_order([*(policy_arn or ()), *([READ_ONLY_ARN] if read_only else [])]),
        tags=tuple(sorted(map(_tag, tag or ()))),
        transitive_tags=_in_order(transitive_tag or ()),
        source_identity=source_identity,
        external_id=external_id,
    )
    if asked == Scope():
        return scope
    if scope is not None:
        raise not_for_people()
    check_scope(asked)
    return asked.text


def _in_order(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--tag '{show(text)}' has no value", hint="--tag KEY=VALUE")
    return key, value


def _policy(said: str) -> str:
    """Return the policy in one line of ASCII: what was said, or what stands in the file of that name."""
    is_here = said.lstrip().startswith("{")
    path = said.removeprefix("file://")  # as the AWS CLI wants it
    name = "--policy" if is_here else f"--policy '{show(path)}'"
    try:
        return _in_one_line(said if is_here else _content(path))
    except OSError as error:
        hint = "it takes a file, or JSON that begins with {"
        raise UsageError(f"{name} cannot be read: {error.strerror}", hint=hint) from None
    except (ValueError, RecursionError) as error:
        hint = 'a policy is JSON such as {"Version": "2012-10-17", "Statement": [...]}'
        raise UsageError(f"{name} is no policy: {show(str(error))}", hint=hint) from None


def _content(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(_LONGEST_FILE_BYTES).decode("utf-8-sig")


def _in_one_line(text: str) -> str:
    """Return the JSON object without blanks, which AWS counts. Raise `ValueError` for anything else."""
    import json  # only those wait for it who have a policy

    policy = json.loads(text, object_pairs_hook=_object)
    if not isinstance(policy, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004  # as the parser's own errors are
    return json.dumps(policy, separators=(",", ":"), allow_nan=False)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object in which nothing is lost: of two values of a name one would be, a Deny perhaps."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("it has a name twice in one object")
    return found


def with_scope(settings: "Sequence[TracedSetting]", run: "Run") -> "list[TracedSetting]":
    """Return the settings of a run, and what scopes its session; an external id stands for the profile's."""
    if run.invocation.scope is None:
        return list(settings)
    scope = read_scope(run.invocation.scope)
    overruled = None
    if scope.external_id and run.profile.roles[-1].external_id:
        overruled = next(
            setting for setting in settings if setting.name == "external_id"
        )  # the wanted role's
    kept = [setting for setting in settings if setting is not overruled]
    return [*kept, *(_traced(*said, run.environ) for said in _said(scope))]


def _said(scope: "Scope") -> "Iterator[tuple[str, str]]":
    """Each option, and one value of it."""
    if scope.policy is not None:
        yield "--policy", scope.policy
    for arn in scope.policy_arns:
        yield ("--read-only" if arn == READ_ONLY_ARN else "--policy-arn"), arn
    for key, value in scope.tags:
        yield "--tag", f"{key}={value}"
    for key in scope.transitive_tags:
        yield "--transitive-tag", key
    if scope.source_identity is not None:
        yield "--source-identity", scope.source_identity
    if scope.external_id is not None:
        yield "--external-id", scope.external_id


def _traced(option: str, value: str, environ: "Mapping[str, str]") -> "TracedSetting":
    variable = variable_of(option)
    said = environ.get(variable, "")
    is_said = option not in ("--policy", "--read-only")
    is_variable = value in said.split() if is_said else said != ""
    kind, where = (VARIABLE, variable) if is_variable else (OPTION, option)
    return TracedSetting(option[2:].replace("-", "_"), value, kind, where)
