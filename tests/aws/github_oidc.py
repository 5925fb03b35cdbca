"""GitHub's endpoint that gives OpenID Connect tokens to jobs of GitHub Actions."""

import hmac
import uuid

from gds_exec.sandbox.refusals import AwsError
from gds_exec.sandbox.wire import Request, Response, json_response

from .endpoint import Endpoint, at_path
from .json_web_tokens import write_jwt
from .sandbox import Aws
from .workloads import GITHUB_ISSUER, GitHubJob

PATH = "/actions/idtoken"
_API_VERSION = "2.0"


def token_request_url(url: str) -> str:
    """Return what a runner has in `ACTIONS_ID_TOKEN_REQUEST_URL`; its query is to be kept."""
    return f"{url}{PATH}?api-version={_API_VERSION}"


class _Refused(AwsError):
    def response(self) -> Response:
        return json_response(self.status, {"typeKey": self.code, "message": self.message})


def _respond(aws: Aws, request: Request) -> Response:
    job = aws.github
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    is_ours = hmac.compare_digest(job.request_token.encode(), given.encode())
    if scheme.lower() != "bearer" or not is_ours:
        raise _Refused(401, "Unauthorized", "The request token is missing or wrong")
    if request.parameters.get("api-version") != _API_VERSION:
        raise _Refused(400, "VssVersionNotSpecifiedException", "No api-version was supplied")
    audience = request.parameters.get("audience") or f"https://github.com/{job.owner}"
    job.minted += 1
    return json_response(200, {"count": 1, "value": write_jwt(_claims(job, audience, now=int(aws.now())))})


def _claims(job: GitHubJob, audience: str, *, now: int) -> dict[str, object]:
    """Return what GitHub says of a job (its documentation, "OpenID Connect reference")."""
    workflow = f"{job.repository}/.github/workflows/deploy.yml@{job.ref}"
    return {
        "iss": GITHUB_ISSUER,
        "aud": audience,
        "sub": job.subject,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now - 600,
        "exp": now + job.token_seconds,
        "actor": "octocat",
        "event_name": "push",
        "job_workflow_ref": workflow,
        "ref": job.ref,
        "ref_type": "branch",
        "repository": job.repository,
        "repository_owner": job.owner,
        "run_attempt": "1",
        "run_id": job.run_id,
        "runner_environment": "github-hosted",
        "workflow": "deploy",
        "workflow_ref": workflow,
    }


ENDPOINT = Endpoint(is_for=at_path(PATH, "GET"), action=lambda _request: "GetGitHubToken", respond=_respond)
