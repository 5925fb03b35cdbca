"""Where the runs take place: homes with AWS files, each with a user of its own in the sandbox."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.sandbox import Account, Sandbox, sandbox_elsewhere

OPEN_ROLE, MFA_ROLE = "production", "production-mfa"
_BASE = "base"
_REGION = "eu-west-2"
# gds-exec remembers nothing about a file that may yet change within the same tick of the clock.
_SETTLED_SECONDS = 2.5


@dataclass(frozen=True, slots=True)
class Home:
    """A person's home directory: AWS files with a role that needs MFA and one that does not."""

    path: Path
    account: Account
    endpoint: str

    @property
    def environ(self) -> dict[str, str]:
        """A clean environment: what every candidate gets, and nothing else."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.path),
            "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_STS": self.endpoint,
        }

    def forget(self, *patterns: str) -> None:
        """Remove what a program has kept here."""
        for found in (found for pattern in patterns for found in self.path.glob(pattern)):
            if found.is_dir():
                shutil.rmtree(found)
            else:
                found.unlink()


class Stage:
    """Makes homes, next to the sandbox that they reach."""

    def __init__(self, directory: Path, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._directory = directory
        self._endpoint = sandbox.url()
        self._homes = 0
        self._written_at = 0.0

    def home(self, *, profiles: int = 10) -> Home:
        """Make a home whose config has so many profiles, the two that are used being the last."""
        self._homes += 1
        path = self._directory / f"home-{self._homes}"
        account = self.sandbox.add_account()
        (path / ".aws").mkdir(parents=True)
        (path / ".aws" / "config").write_text(_config(account, profiles=profiles))
        (path / ".aws" / "credentials").write_text(_credentials(account))
        (path / ".aws" / "credentials").chmod(0o600)
        self._written_at = time.monotonic()
        return Home(path, account, self._endpoint)

    def settle(self) -> None:
        """Wait until the files of every home are old enough to be relied on."""
        time.sleep(max(0.0, self._written_at + _SETTLED_SECONDS - time.monotonic()))

    def code(self, home: Home) -> str:
        return self.sandbox.code(home.account.mfa_serial)


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Start a sandbox, and make room for homes; remove both."""
    with tempfile.TemporaryDirectory(prefix="gds-exec-bench-") as directory, sandbox_elsewhere() as sandbox:
        yield Stage(Path(directory), sandbox)


def _config(account: Account, *, profiles: int) -> str:
    others = (
        _profile(f"team-{number}", f"arn:aws:iam::{number:012}:role/readonly", account.mfa_serial)
        for number in range(profiles - 2)
    )
    ours = (
        _profile(OPEN_ROLE, account.open_role_arn),
        _profile(MFA_ROLE, account.mfa_role_arn, account.mfa_serial),
    )
    return "\n".join((*others, *ours))


def _profile(name: str, role_arn: str, mfa_serial: str | None = None) -> str:
    lines = [
        f"[profile {name}]",
        f"role_arn = {role_arn}",
        f"source_profile = {_BASE}",
        f"region = {_REGION}",
    ]
    if mfa_serial is not None:
        lines.append(f"mfa_serial = {mfa_serial}")
    return "\n".join((*lines, ""))


def _credentials(account: Account) -> str:
    return (
        f"[{_BASE}]\n"
        f"aws_access_key_id = {account.access_key_id}\n"
        f"aws_secret_access_key = {account.secret_access_key}\n"
    )
