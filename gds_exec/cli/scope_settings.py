"""What scopes a session, as settings: each with the option or the variable that says so."""

from __future__ import annotations

from gds_exec.config.tracing import OPTION, VARIABLE, TracedSetting
from gds_exec.credentials.scope import READ_ONLY_ARN, read_scope
from gds_exec.invocation import variable_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gds_exec.cli.run import Run
    from gds_exec.credentials.scope import Scope


def with_scope(settings: Sequence[TracedSetting], run: Run) -> list[TracedSetting]:
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


def _said(scope: Scope) -> Iterator[tuple[str, str]]:
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


def _traced(option: str, value: str, environ: Mapping[str, str]) -> TracedSetting:
    variable = variable_of(option)
    said = environ.get(variable, "")
    is_said = option not in ("--policy", "--read-only")
    is_variable = value in said.split() if is_said else said != ""
    kind, where = (VARIABLE, variable) if is_variable else (OPTION, option)
    return TracedSetting(option[2:].replace("-", "_"), value, kind, where)
