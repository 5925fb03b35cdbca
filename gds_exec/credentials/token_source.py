"""OIDC tokens that AWS exchanges for a role's session: read, printed by a command, or minted by the CI."""

from __future__ import annotations

import errno
import os
import stat

from gds_exec.config.ci import job_name
from gds_exec.config.sources import TOKEN_COMMAND, TOKEN_FILE, TOKEN_VARIABLE
from gds_exec.credentials.request import IdentityToken
from gds_exec.environment import GITHUB_URL
from gds_exec.errors import NoAccessKey, SourceFailed
from gds_exec.redaction import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from gds_exec.config.sources import WebIdentityToken
    from gds_exec.session import SessionCredentials

_LONGEST_TOKEN = 20_000  # STS, AssumeRoleWithWebIdentity
_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
_WHO_AND_FOR_WHOM = ("iss", "sub", "aud", "azp", "amr")
# The session's tags and source identity (IAM, "Pass session tags using AssumeRoleWithWebIdentity").
_FOR_AWS = "https://aws.amazon.com/"


class TokenSource:
    """The token of a chain, read or minted anew whenever it is wanted: it lasts minutes."""

    is_temporary = False

    def __init__(
        self,
        source: WebIdentityToken,
        *,
        environ: Mapping[str, str],
        run: Callable[[str], str],
        mint: Callable[[str], str],
    ) -> None:
        self._source = source
        self._environ = environ
        self._run = run
        self._mint = mint

    @property
    def identity(self) -> str:
        """Who the token is for, as far as that is known without running or asking anybody.

        The job's name tells it from others on one machine. Raise `SourceFailed` if there is no token.
        """
        source = self._source
        if source.kind in (TOKEN_FILE, TOKEN_VARIABLE):
            claims = _claims(self.fetch())
            names = (*_WHO_AND_FOR_WHOM, *sorted(name for name in claims if name.startswith(_FOR_AWS)))
            return "web identity " + " ".join(f"{name!r}={claims.get(name)!r}" for name in names)
        job = self._environ.get(GITHUB_URL) or job_name(self._environ)  # the URL is the job's own
        return f"web identity {source.kind} {source.where} {source.audience} {job}"

    def caller(self) -> IdentityToken:
        """Return the token for the first call."""
        return IdentityToken(self.fetch())

    def session(self) -> SessionCredentials:
        """Raise `NoAccessKey`: a token has no keys."""
        raise NoAccessKey(
            f"{show(self._source.owner)} is exchanged for a role, and none is named", hint="name a role"
        )

    def fetch(self) -> str:
        """Return the token. Raise `SourceFailed`, or `HelperFailed` of a command."""
        source = self._source
        if source.kind == TOKEN_FILE:
            token = self._in_file()
        elif source.kind == TOKEN_VARIABLE:
            token = self._environ.get(source.where, "")
        elif source.kind == TOKEN_COMMAND:
            token = self._run(source.where)
        else:
            token = self._mint(source.audience)
        return _checked(token.strip(), source)

    def _in_file(self) -> str:
        path = self._source.where
        try:
            with open(path, "rb", opener=_open_at_once) as file:
                return file.read(_LONGEST_TOKEN + 1).decode("ascii", "replace")
        except OSError as error:
            raise SourceFailed(
                f"the web identity token in {show(path)} cannot be read: {error.strerror}",
                hint="the CI, or the cluster, is to write it there" if not os.path.exists(path) else None,
            ) from error


def _open_at_once(path: str, flags: int) -> int:
    """Open a file, and nothing that would have us wait for whoever writes it."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no file", path)


def _checked(token: str, source: WebIdentityToken) -> str:
    if not token:
        raise SourceFailed(f"{show(source.owner)} is empty")
    try:
        _claims(token)
    except (ValueError, RecursionError):
        hint = "a JWT is three parts of base64url with dots between them, and nothing else"
        raise SourceFailed(f"{show(source.owner)} is no JWT", hint=hint) from None
    return token


def _claims(token: str) -> dict[str, Any]:
    """Return what a JWT says, which only AWS checks. Raise `ValueError` where it is none."""
    import base64
    import json

    if len(token) > _LONGEST_TOKEN or not _CHARACTERS.issuperset(token) or token.count(".") != 2:
        raise ValueError("no JWT")
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if not isinstance(claims, dict):
        raise ValueError("no claims")  # noqa: TRY004  # as the parsers' own errors are
    return claims
