"""Where gds-exec runs without a person: jobs of a CI, containers, instances, as the sandbox plays them.

Each function but the tokens' returns the variables that such a place sets.
"""

from pathlib import Path

from gds_exec.sandbox.principals import Role
from tests.aws.github_oidc import token_request_url
from tests.aws.json_web_tokens import write_jwt
from tests.aws.sandbox import TokenTrust
from tests.aws.workloads import EC2, ECS_TASKS, GITHUB_ISSUER, Machine, OidcProvider

from .world import World

ISSUER = "https://ci.example.gov.uk"
SUBJECT = "pipeline:deploy"
AUDIENCE = "sts.amazonaws.com"


def deployer(world: World, role: Role) -> dict[str, str]:
    """Be a job that has the keys of a user of its own, whom `role` trusts from now on."""
    user = world.aws.add_user("deployer")
    role.trust += (user.arn,)
    return {"AWS_ACCESS_KEY_ID": user.access_key_id, "AWS_SECRET_ACCESS_KEY": user.secret_access_key}


def web_identity_token(
    world: World,
    *,
    role: Role | None = None,
    subject: str = SUBJECT,
    audience: str = AUDIENCE,
    lifetime_seconds: int = 3600,
    **more_claims: object,
) -> str:
    """Return a new token of a CI's; `role` trusts it from now on, if one is given."""
    if role is not None:
        trust_tokens(world, role, issuer=ISSUER, subject=subject, audience=audience)
    now = int(world.aws.now())
    times = {"iat": now, "exp": now + lifetime_seconds}
    return write_jwt({"iss": ISSUER, "sub": subject, "aud": audience, **times, **more_claims})


def token_file(world: World, token: str, *, name: str = "web-identity-token") -> Path:
    """Write a token to a file in the home directory, in the place of what was there."""
    path = world.home / name
    path.write_text(token)
    return path


def trust_tokens(
    world: World, role: Role, *, issuer: str = ISSUER, subject: str = SUBJECT, audience: str = AUDIENCE
) -> OidcProvider:
    """Let tokens of this issuer open `role`, and return the provider in the role's account."""
    provider = world.aws.oidc_provider(issuer, account=role.account)
    if provider is None:
        provider = world.aws.add_oidc_provider(issuer, account=role.account, audiences=())
    if audience not in provider.audiences:
        provider.audiences += (audience,)
    role.token_trust += (TokenTrust(provider.url, subject, audience),)
    return provider


def github(
    world: World,
    role: Role | None = None,
    *,
    audience: str = AUDIENCE,
    token_seconds: int = 300,
    has_permission: bool = True,
) -> dict[str, str]:
    """Be a job of GitHub Actions, which `role` trusts; without the permission it can ask for no token.

    `world.aws.github.minted` counts its tokens.
    """
    job = world.aws.github
    job.token_seconds = token_seconds
    if role is not None:
        trust_tokens(world, role, issuer=GITHUB_ISSUER, subject=job.subject, audience=audience)
    permission = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": token_request_url(world.url),
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": job.request_token,
    }
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION": "__run",
        "GITHUB_ACTOR": "octocat",
        "GITHUB_REF": job.ref,
        "GITHUB_REPOSITORY": job.repository,
        "GITHUB_RUN_ID": job.run_id,
        "GITHUB_SHA": "c0ffee" * 6 + "c0ff",
        "GITHUB_WORKFLOW": "deploy",
        **(permission if has_permission else {}),
    }


def instance(world: World, role: Role | None, *, session_seconds: int = 6 * 3600) -> dict[str, str]:
    """Be an instance with this role, or with none."""
    if role is not None:
        role.trust += (EC2,)
    world.aws.instance = Machine("i-0123456789abcdef0", role, session_seconds)
    return {
        "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": world.url,
    }


def container(world: World, role: Role, *, session_seconds: int = 6 * 3600) -> dict[str, str]:
    """Be a container with this role."""
    role.trust += (ECS_TASKS,)
    machine = world.aws.add_container(role, session_seconds=session_seconds)
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{world.url}/v2/credentials/{machine.name}",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": machine.authorization_token,
    }


def plain_role(world: World, name: str, *, max_session: int = 3600) -> Role:
    """Make a role that nobody is trusted by yet, and that no profile names: a machine's, or a token's."""
    return world.aws.add_role(name, trust=(), max_session=max_session)


def role_beyond(world: World, first: Role, name: str, *, account: str = "333333333333") -> Role:
    """Make a role in another account that only sessions of `first` may assume, and that no profile names."""
    return world.aws.add_role(name, trust=[first.arn], account=account)
