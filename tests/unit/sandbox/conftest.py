"""The sandbox of `gds-exec try`."""

from collections.abc import Iterator

import pytest

from gds_exec.sandbox.server import Server, serve
from gds_exec.sandbox.state import Aws
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
from tests.fakes import Clock

__all__ = ["alice", "ask", "botocore_session", "client", "clock", "device", "mfa_session", "plain_session"]


@pytest.fixture
def aws(clock: Clock) -> Aws:
    return Aws(time=clock)


@pytest.fixture
def url(aws: Aws) -> Iterator[str]:
    with serve(Server(aws)) as url:
        yield url
