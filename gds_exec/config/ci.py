"""What a CI system says of itself and of its job, in variables."""

from __future__ import annotations

from gds_exec.environment import CI_MARKS, is_false

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Environ = Mapping[str, str]

# What names a job best, the most telling system first; all of a row must be there.
_JOBS = (
    ("GITHUB_REPOSITORY", "GITHUB_RUN_ID"),
    ("CODEBUILD_BUILD_ID",),
    ("BUILD_TAG",),  # Jenkins: jenkins-JOB-NUMBER
    ("BUILD_PIPELINE_NAME", "BUILD_JOB_NAME", "BUILD_NAME"),  # Concourse, where a task is given them
    ("TFC_WORKSPACE_NAME", "TFC_RUN_ID"),
    ("CI_PROJECT_PATH", "CI_JOB_ID"),
    ("BUILDKITE_PIPELINE_SLUG", "BUILDKITE_BUILD_NUMBER"),
    ("CIRCLE_PROJECT_REPONAME", "CIRCLE_BUILD_NUM"),
)
# The keys as configure-aws-credentials has them, for policies that ask for those.
_TAGS = (
    ("Repository", ("GITHUB_REPOSITORY", "CI_PROJECT_PATH", "CIRCLE_PROJECT_REPONAME")),
    ("Workflow", ("GITHUB_WORKFLOW", "JOB_NAME", "BUILD_PIPELINE_NAME", "TFC_WORKSPACE_NAME")),
    ("Action", ("GITHUB_ACTION",)),
    ("Actor", ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILDKITE_BUILD_CREATOR", "CODEBUILD_INITIATOR")),
    ("Branch", ("GITHUB_REF", "GIT_BRANCH", "CI_COMMIT_REF_NAME", "BUILDKITE_BRANCH", "CIRCLE_BRANCH")),
    ("Commit", ("GITHUB_SHA", "GIT_COMMIT", "CI_COMMIT_SHA", "BUILDKITE_COMMIT", "CIRCLE_SHA1")),
    ("Build", ("GITHUB_RUN_ID", "BUILD_TAG", "CODEBUILD_BUILD_ID", "CI_JOB_ID", "TFC_RUN_ID")),
)


def is_ci(environ: Environ) -> bool:
    """Say whether this is a CI job, where nobody answers."""
    said = environ.get("CI")
    if said is not None:
        return not is_false(said)
    return any(_said_by_ci(environ, mark) for mark in CI_MARKS)


def job_name(environ: Environ) -> str | None:
    """Return what tells this job from others, in words of the system's own; `None` where none is known."""
    for names in _JOBS:
        words = [_said_by_ci(environ, name) for name in names]
        if all(words):
            return "-".join(words)
    return None


def job_tags(environ: Environ) -> tuple[tuple[str, str], ...]:
    """Return what is known of the job, as tags of a session."""
    said = ((key, (_said_by_ci(environ, name) for name in names)) for key, names in _TAGS)
    found = ((key, next(filter(None, values), "")) for key, values in said)
    return tuple((key, value) for key, value in found if value)


def _said_by_ci(environ: Environ, name: str) -> str:
    """Return what the variable says, and nothing of a BUILD_TAG that is none of Jenkins's: many have one."""
    said = environ.get(name, "")
    return "" if name == "BUILD_TAG" and not said.startswith("jenkins-") else said
