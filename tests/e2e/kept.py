"""The sessions that are kept in the cache, and how to make them older than they are."""

import re
import time
from pathlib import Path

from gds_exec.session import SessionCredentials, parse
from tests.cached import cached_text, write_cached

from .world import World

HOUR = 3600
MFA_LIFE = 12 * HOUR


def kept(path: Path) -> SessionCredentials:
    """The session that stands in a file of the cache."""
    session = parse(cached_text(path))
    assert session is not None
    return session


def key_id(path: Path) -> str:
    """The access key id of the session in a file of the cache."""
    return kept(path).access_key.access_key_id


def role_session(world: World, role: str = "prod") -> Path:
    """The file of the one session of this role."""
    (path,) = (path for path in world.sessions() if f":assumed-role/{role}/" in kept(path).arn)
    return path


def mfa_session(world: World) -> Path:
    """The file of the one session that opens the roles."""
    (path,) = (path for path in world.sessions() if not kept(path).arn)
    return path


def make_older(path: Path, seconds: int) -> None:
    """Have the session been made, and end, that much earlier than AWS knows of."""
    text = cached_text(path)
    for moment in ("issued", "expiration"):
        text = re.sub(rf"(?m)^{moment}=(\d+)$", lambda m: f"{moment}={int(m[1]) - seconds}", text)  # noqa: B023
    write_cached(path, text)


def leave(world: World, seconds: int, *, role: str = "prod") -> str:
    """Have so much be left of this role's session; return its access key id."""
    path = role_session(world, role)
    session = kept(path)
    make_older(path, round(session.seconds_left(time.time())) - seconds)
    return session.access_key.access_key_id
