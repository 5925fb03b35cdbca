"""GitHub's token endpoint, asked as its documentation tells a job to ask."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from tests.aws.faults import Fault
from tests.aws.github_oidc import token_request_url
from tests.aws.json_web_tokens import read_jwt
from tests.aws.sandbox import Aws, TokenTrust
from tests.aws.workloads import GITHUB_ISSUER

Ask = Callable[..., Any]

PATH = token_request_url("")
AUDIENCE = "sts.amazonaws.com"


def ask_for_token(ask: Ask, aws: Aws, *, audience: str | None = AUDIENCE, scheme: str = "bearer") -> Any:
    more = "" if audience is None else f"&audience={quote(audience, safe='')}"
    return ask("GET", f"{PATH}{more}", Authorization=f"{scheme} {aws.github.request_token}")


def minted(answer: Any) -> str:
    assert answer.status == 200
    document = json.loads(answer.text)
    assert sorted(document) == ["count", "value"]
    return str(document["value"])


def test_a_job_gets_a_token_that_says_who_it_is(aws: Aws, ask: Ask) -> None:
    jwt = read_jwt(minted(ask_for_token(ask, aws)))
    assert jwt.has_valid_signature()
    wanted = {
        "iss": "https://token.actions.githubusercontent.com",
        "aud": AUDIENCE,
        "sub": "repo:alphagov/app:ref:refs/heads/main",
        "repository": "alphagov/app",
        "repository_owner": "alphagov",
        "ref": "refs/heads/main",
        "iat": int(aws.now()),
        "exp": int(aws.now()) + 300,
    }
    assert {name: jwt.claims[name] for name in wanted} == wanted


def test_without_an_audience_it_is_for_the_owner_s_own_use(aws: Aws, ask: Ask) -> None:
    jwt = read_jwt(minted(ask_for_token(ask, aws, audience=None)))
    assert jwt.claims["aud"] == "https://github.com/alphagov"


def test_each_token_is_another_and_is_counted(aws: Aws, ask: Ask) -> None:
    first, second = minted(ask_for_token(ask, aws)), minted(ask_for_token(ask, aws, scheme="Bearer"))
    assert first != second
    assert aws.github.minted == 2


def test_aws_takes_it_for_as_long_as_it_lives(aws: Aws, ask: Ask, url: str) -> None:
    provider = aws.add_oidc_provider(GITHUB_ISSUER)
    trust = TokenTrust(provider.url, aws.github.subject, AUDIENCE)
    role = aws.add_role("deploy", trust=[], token_trust=[trust])
    aws.github.token_seconds = 60
    token = minted(ask_for_token(ask, aws))
    sts = botocore.session.Session().create_client(
        "sts", "eu-west-2", endpoint_url=url, config=Config(signature_version=UNSIGNED, proxies={})
    )
    wanted = {"RoleArn": role.arn, "RoleSessionName": "job", "WebIdentityToken": token}
    assert sts.assume_role_with_web_identity(**wanted)["SubjectFromWebIdentityToken"] == aws.github.subject
    aws.clock_offset = 60
    with pytest.raises(sts.exceptions.ExpiredTokenException):
        sts.assume_role_with_web_identity(**wanted)


@pytest.mark.parametrize("authorization", [None, "", "bearer", "bearer guessed", "{token}", "basic {token}"])
def test_a_wrong_request_token_gets_nothing(aws: Aws, ask: Ask, authorization: str | None) -> None:
    given = None if authorization is None else authorization.format(token=aws.github.request_token)
    answer = ask("GET", PATH, **({} if given is None else {"Authorization": given}))
    assert (answer.status, aws.github.minted) == (401, 0)


def test_the_query_that_the_url_has_must_be_kept(aws: Aws, ask: Ask) -> None:
    path = PATH.partition("?")[0] + "?audience=x"
    assert ask("GET", path, Authorization=f"bearer {aws.github.request_token}").status == 400


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault("error", status=500), 500), (Fault("error", status=429), 429), (Fault("html"), 200)],
)
def test_a_fault_happens_once_and_mints_nothing(aws: Aws, ask: Ask, fault: Fault, status: int) -> None:
    aws.fail("GetGitHubToken", fault)
    assert ask_for_token(ask, aws).status == status
    assert aws.github.minted == 0
    minted(ask_for_token(ask, aws))
    assert (aws.github.minted, aws.count("GetGitHubToken")) == (1, 2)


def test_calls_are_recorded_without_the_request_token(aws: Aws, ask: Ask) -> None:
    minted(ask_for_token(ask, aws))
    (call,) = aws.calls
    assert call.parameters == {"api-version": "2.0", "audience": AUDIENCE}
    assert aws.github.request_token not in repr(aws)
