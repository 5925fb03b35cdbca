"""Fixtures for tests of the sandbox itself: a clock that stands still, a user, and botocore clients.

The fixtures `aws` and `url`, which say what is tested, stand in the conftest of each directory.
"""

import http.client
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.config import Config

from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import User
from gds_exec.sandbox.state import Aws
from tests.fakes import Clock

Client = Callable[..., Any]


@pytest.fixture
def clock() -> Clock:
    # botocore signs by the real clock. In the middle of a step no code changes under a test.
    return Clock(time.time() // 30 * 30 + 15)


@pytest.fixture
def alice(aws: Aws) -> User:
    return aws.add_user("alice")


@pytest.fixture
def device(alice: User) -> MfaDevice:
    return alice.add_mfa_device()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str


@pytest.fixture
def ask(url: str) -> Iterator[Callable[..., Answer]]:
    """Return a function of (method, path, headers) that asks the sandbox in plain HTTP."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)

    def ask(method: str, path: str, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=sent)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())

    yield ask
    connection.close()


@pytest.fixture(scope="session")
def botocore_session() -> Any:
    return botocore.session.Session()


@pytest.fixture
def client(botocore_session: Any, url: str) -> Client:
    """Return a function of (service, user or STS `Credentials`) that makes a client which never retries."""

    def make(
        service: str,
        keys: Any,
        *,
        endpoint_url: str = url,
        region: str = "eu-west-2",
        read_timeout: float = 5,
        **options: Any,
    ) -> Any:
        if isinstance(keys, User):
            keys = {"AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key}
        return botocore_session.create_client(
            service,
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=Config(
                retries={"total_max_attempts": 1},
                parameter_validation=False,
                read_timeout=read_timeout,
                proxies={},
            ),
            **options,
        )

    return make


@pytest.fixture
def mfa_session(client: Client, alice: User, device: MfaDevice) -> dict[str, Any]:
    answer = client("sts", alice).get_session_token(SerialNumber=device.serial, TokenCode=device.code())
    return answer["Credentials"]


@pytest.fixture
def plain_session(client: Client, alice: User) -> dict[str, Any]:
    return client("sts", alice).get_session_token()["Credentials"]
