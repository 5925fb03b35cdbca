"""What is known of a CI job: that it is one, what tells it from others, and what it is tagged with."""

from __future__ import annotations

import pytest

from gds_exec.config.ci import is_ci, job_name, job_tags

GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTION": "__run",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REPOSITORY": "alphagov/app",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_SHA": "c0ffee",
    "GITHUB_WORKFLOW": "deploy",
}
CODEBUILD = {"CODEBUILD_BUILD_ID": "app:1-2", "CODEBUILD_INITIATOR": "codepipeline/app"}
JENKINS = {
    "BUILD_TAG": "jenkins-deploy-7",
    "JOB_NAME": "deploy",
    "GIT_BRANCH": "origin/main",
    "GIT_COMMIT": "c0ffee",
}
CONCOURSE = {"BUILD_PIPELINE_NAME": "deploy", "BUILD_JOB_NAME": "apply", "BUILD_NAME": "42"}
GITLAB = {
    "CI": "true",
    "CI_PROJECT_PATH": "gds/app",
    "CI_JOB_ID": "99",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_SHA": "c0ffee",
    "GITLAB_USER_LOGIN": "alice",
}
BUILDKITE = {
    "CI": "true",
    "BUILDKITE_PIPELINE_SLUG": "app",
    "BUILDKITE_BUILD_NUMBER": "8",
    "BUILDKITE_BRANCH": "main",
    "BUILDKITE_BUILD_CREATOR": "Alice",
    "BUILDKITE_COMMIT": "c0ffee",
}
CIRCLECI = {
    "CI": "true",
    "CIRCLE_PROJECT_REPONAME": "app",
    "CIRCLE_BUILD_NUM": "12",
    "CIRCLE_BRANCH": "main",
    "CIRCLE_SHA1": "c0ffee",
}
TERRAFORM_CLOUD = {"TFC_WORKSPACE_NAME": "network", "TFC_RUN_ID": "run-1"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"CI": "true"}, True, id="CI"),
        pytest.param({"CI": "1"}, True, id="CI is 1"),
        pytest.param({"CI": "woodpecker"}, True, id="CI is a name"),
        pytest.param({"CI": ""}, False, id="CI is empty"),
        pytest.param({"CI": "0"}, False, id="CI is 0"),
        pytest.param({"CI": "False"}, False, id="CI is False"),
        pytest.param({"CI": "no"}, False, id="CI is no"),
        pytest.param({"CI": "off"}, False, id="CI is off"),
        pytest.param({"CI": "n"}, False, id="CI is n"),
        pytest.param(JENKINS, True, id="Jenkins, which sets no CI"),
        pytest.param(CODEBUILD, True, id="CodeBuild, which sets no CI"),
        pytest.param(TERRAFORM_CLOUD, True, id="Terraform Cloud"),
        pytest.param({"TF_BUILD": "True"}, True, id="Azure Pipelines"),
        pytest.param({"BUILD_TAG": ""}, False, id="an empty mark"),
        pytest.param({"BUILD_TAG": "v1.2"}, False, id="a tag of a build that is none of Jenkins's"),
        pytest.param({"CI": "false", **JENKINS}, False, id="CI denies what a mark says"),
    ],
)
def test_a_ci_job_is_known_by_what_its_system_sets(environ: dict[str, str], expected: bool) -> None:
    assert is_ci(environ) is expected


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        pytest.param({}, None, id="no CI"),
        pytest.param({"CI": "true"}, None, id="a CI that says no more"),
        pytest.param(GITHUB, "alphagov/app-4711", id="GitHub"),
        pytest.param(CODEBUILD, "app:1-2", id="CodeBuild"),
        pytest.param(JENKINS, "jenkins-deploy-7", id="Jenkins"),
        pytest.param(CONCOURSE, "deploy-apply-42", id="Concourse"),
        pytest.param(GITLAB, "gds/app-99", id="GitLab"),
        pytest.param(BUILDKITE, "app-8", id="Buildkite"),
        pytest.param(CIRCLECI, "app-12", id="CircleCI"),
        pytest.param(TERRAFORM_CLOUD, "network-run-1", id="Terraform Cloud"),
        pytest.param(GITHUB | {"GITHUB_RUN_ID": ""}, None, id="half of what names it is not enough"),
        pytest.param(CODEBUILD | GITHUB, "alphagov/app-4711", id="GitHub's runner in CodeBuild"),
    ],
)
def test_a_job_is_named_in_words_of_its_system(environ: dict[str, str], name: str | None) -> None:
    assert job_name(environ) == name


@pytest.mark.parametrize(
    ("environ", "tags"),
    [
        pytest.param({"CI": "true"}, {}, id="a CI that says no more"),
        pytest.param(
            GITHUB,
            {
                "Repository": "alphagov/app",
                "Workflow": "deploy",
                "Action": "__run",
                "Actor": "octocat",
                "Branch": "refs/heads/main",
                "Commit": "c0ffee",
                "Build": "4711",
            },
            id="GitHub, with the keys of configure-aws-credentials",
        ),
        pytest.param(CODEBUILD, {"Actor": "codepipeline/app", "Build": "app:1-2"}, id="CodeBuild"),
        pytest.param(
            JENKINS,
            {
                "Workflow": "deploy",
                "Branch": "origin/main",
                "Commit": "c0ffee",
                "Build": "jenkins-deploy-7",
            },
            id="Jenkins",
        ),
        pytest.param(CONCOURSE, {"Workflow": "deploy"}, id="Concourse"),
        pytest.param(
            GITLAB,
            {
                "Repository": "gds/app",
                "Actor": "alice",
                "Branch": "main",
                "Commit": "c0ffee",
                "Build": "99",
            },
            id="GitLab",
        ),
        pytest.param(BUILDKITE, {"Actor": "Alice", "Branch": "main", "Commit": "c0ffee"}, id="Buildkite"),
        pytest.param(CIRCLECI, {"Repository": "app", "Branch": "main", "Commit": "c0ffee"}, id="CircleCI"),
        pytest.param(TERRAFORM_CLOUD, {"Workflow": "network", "Build": "run-1"}, id="Terraform Cloud"),
        pytest.param(
            {"GITHUB_ACTOR": "", "GITLAB_USER_LOGIN": "alice"}, {"Actor": "alice"}, id="an empty one"
        ),
    ],
)
def test_a_job_is_tagged_with_what_is_known_of_it(environ: dict[str, str], tags: dict[str, str]) -> None:
    assert dict(job_tags(environ)) == tags
