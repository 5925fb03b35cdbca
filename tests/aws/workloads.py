"""Who acts in the sandbox without a person: instances, containers, jobs of a CI, and who vouches for them."""

import secrets
from dataclasses import dataclass, field

from gds_exec.sandbox.principals import Credentials, Role

EC2, ECS_TASKS = "ec2.amazonaws.com", "ecs-tasks.amazonaws.com"
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"


@dataclass(slots=True, eq=False)
class OidcProvider:
    """An account's trust in whoever issues tokens under `url`, to those `audiences`.

    AWS fetches its keys whenever a token comes; `has_reachable_keys` says whether it can.
    """

    url: str
    account: str
    audiences: tuple[str, ...]
    has_reachable_keys: bool = True

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:oidc-provider/{self.url}"


@dataclass(slots=True, eq=False)
class Machine:
    """An instance or a container: whoever is on it and asks has the session of its role, if it has one.

    `session_seconds` is the life of each session. `metadata_tokens` are those that the instance's
    metadata service has given out, with their ends.
    """

    name: str
    role: Role | None
    session_seconds: int = 6 * 3600
    account: str = "222222222222"
    region: str = "eu-west-2"
    authorization_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    metadata_tokens: dict[str, float] = field(default_factory=dict, repr=False)
    session: Credentials | None = field(default=None, repr=False)
    renew_at: float = 0


@dataclass(slots=True, eq=False)
class GitHubJob:
    """A job of GitHub Actions that may ask for tokens, which live `token_seconds`.

    `minted` counts those that it was given.
    """

    repository: str = "alphagov/app"
    ref: str = "refs/heads/main"
    run_id: str = "4711"
    token_seconds: int = 300
    minted: int = 0
    request_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def owner(self) -> str:
        return self.repository.partition("/")[0]

    @property
    def subject(self) -> str:
        return f"repo:{self.repository}:ref:{self.ref}"
