"""A fresh world for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws.sandbox import Aws
from tests.aws.server import serve

from .world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    aws = Aws()
    user = aws.add_user("alice@example.gov.uk")
    home = tmp_path / "alice"
    home.mkdir()
    with serve(aws) as url:
        yield World(aws, url, home, user, user.add_mfa_device())


@pytest.fixture
def signed_in(world: World) -> World:
    """A world in which the session of the role `prod` is cached."""
    world.add_role("prod")
    world.sign_in("prod")
    return world
