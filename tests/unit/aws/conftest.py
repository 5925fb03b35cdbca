"""The sandbox as tests have it."""

from collections.abc import Iterator

import pytest

from tests.aws.fixtures import (
    alice,
    ask,
    botocore_session,
    client,
    clock,
    device,
    mfa_session,
    plain_session,
)
from tests.aws.sandbox import Aws
from tests.aws.server import serve
from tests.fakes import Clock

__all__ = ["alice", "ask", "botocore_session", "client", "clock", "device", "mfa_session", "plain_session"]


@pytest.fixture
def aws(clock: Clock) -> Aws:
    return Aws(time=clock)


@pytest.fixture
def url(aws: Aws) -> Iterator[str]:
    with serve(aws) as url:
        yield url
