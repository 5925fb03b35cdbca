"""An engineer's machine in small: AWS files, an MFA device, a terminal, and the sandbox for AWS."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pexpect
import pytest

from gds_exec.sandbox.mfa_device import MfaDevice
from gds_exec.sandbox.principals import Role, User
from tests.aws.sandbox import Aws

SCRIPTS = sysconfig.get_path("scripts")
GDS_EXEC = os.path.join(SCRIPTS, "gds-exec")
PYTHON = sys.executable
PROMPT = "MFA code for "
PATIENCE_SECONDS = 120
REGION = "eu-west-2"

PATH = os.pathsep.join((SCRIPTS, os.environ.get("PATH", os.defpath)))

# Prints what a command sees of its credentials, one value a line.
SHOW_KEY = ("sh", "-c", 'echo "$AWS_ACCESS_KEY_ID"')

# For a process that coverage would change: its size, or the files that it writes.
UNMEASURED = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}

_KEPT = ("COVERAGE_", "TMPDIR")


def needs(name: str) -> pytest.MarkDecorator:
    """Skip a test, saying why, where a program that it needs is not installed."""
    return pytest.mark.skipif(shutil.which(name, path=PATH) is None, reason=f"{name} is not installed")


@dataclass
class World:
    """Everything that a test needs in order to do what a user does."""

    aws: Aws
    url: str
    home: Path
    user: User
    device: MfaDevice
    environ: dict[str, str] = field(default_factory=dict)
    handed_out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.environ = {
            **{name: value for name, value in os.environ.items() if name.startswith(_KEPT)},
            "PATH": PATH,
            "HOME": str(self.home),
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/sh",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",  # this machine may be an instance itself
            **self.environ,
        }
        (self.home / ".aws").mkdir(exist_ok=True)
        self.write_credentials(self.keys_section("gds-users", self.user))
        self.write_config("")

    @property
    def config(self) -> Path:
        return self.home / ".aws" / "config"

    @property
    def credentials(self) -> Path:
        return self.home / ".aws" / "credentials"

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "gds-exec"

    def sessions(self) -> list[Path]:
        """The cached sessions' files."""
        return sorted(self.cache.glob("*.session2"))

    def write_config(self, text: str | bytes) -> None:
        self.config.write_bytes(text if isinstance(text, bytes) else text.encode())

    def write_credentials(self, text: str | bytes) -> None:
        self.credentials.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.credentials.chmod(0o600)

    def keys_section(self, name: str, user: User) -> str:
        return (
            f"[{name}]\n"
            f"aws_access_key_id = {user.access_key_id}\n"
            f"aws_secret_access_key = {user.secret_access_key}\n"
        )

    def add_role(
        self,
        profile: str,
        *,
        mfa: bool = True,
        trust: Sequence[str] = (),
        settings: str = "",
        source_profile: str = "gds-users",
        serial: str | None = None,
        role_name: str | None = None,
        max_session: int = 3600,
        external_id: str | None = None,
    ) -> Role:
        """Make a role that wants MFA (or not), and the profile that reaches it."""
        role = self.aws.add_role(
            role_name or profile,
            trust=trust or [self.user.arn],
            require_mfa=mfa,
            max_session=max_session,
            external_id=external_id,
        )
        lines = [f"[profile {profile}]", f"role_arn = {role.arn}", f"source_profile = {source_profile}"]
        if mfa:
            lines.append(f"mfa_serial = {serial or self.device.serial}")
        with self.config.open("a", encoding="utf-8") as file:
            file.write("\n".join([*lines, f"region = {REGION}", settings, ""]) + "\n")
        return role

    def code(self) -> str:
        """A code of the device that was not handed out before and that AWS would take now."""
        unused = (c for c in map(self.device.code, (0, 1, -1)) if c not in self.handed_out)
        code = next(unused, None)
        assert code is not None, "this step's codes are used up: move aws.clock_offset by 30"
        self.handed_out.append(code)
        return code

    def run(
        self,
        *argv: str,
        environ: dict[str, str] | None = None,
        timeout: float = PATIENCE_SECONDS,
        **more: object,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run gds-exec where nobody can be asked: a session of its own, without a terminal."""
        return self.run_program(GDS_EXEC, *argv, environ=environ, timeout=timeout, **more)

    def run_program(
        self,
        *argv: str,
        environ: dict[str, str] | None = None,
        timeout: float = PATIENCE_SECONDS,
        **more: object,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run any program in this world, without a terminal."""
        options: dict[str, object] = {"stdin": subprocess.DEVNULL, **more}
        if "input" in options:
            del options["stdin"]
        return subprocess.run(
            argv,
            env={**self.environ, **(environ or {})},
            cwd=options.pop("cwd", self.home),
            capture_output=True,
            timeout=timeout,
            start_new_session=True,
            check=False,
            **options,
        )

    def terminal(
        self, *argv: str, environ: dict[str, str] | None = None, dimensions: tuple[int, int] = (24, 200)
    ) -> pexpect.spawn:
        """Run gds-exec on a terminal of its own, with a person at it: the test."""
        return self.terminal_program(GDS_EXEC, *argv, environ=environ, dimensions=dimensions)

    def terminal_program(
        self, *argv: str, environ: dict[str, str] | None = None, dimensions: tuple[int, int] = (24, 200)
    ) -> pexpect.spawn:
        """Run any program on a terminal of its own."""
        child = pexpect.spawn(
            argv[0],
            list(argv[1:]),
            env={**self.environ, **(environ or {})},
            cwd=str(self.home),
            timeout=PATIENCE_SECONDS,
            dimensions=dimensions,
            encoding="utf-8",
            codec_errors="replace",
        )
        child.delaybeforesend = None
        return child

    def sign_in(self, role: str, *options: str) -> None:
        """Open the role's session once, with a code, so that it is cached."""
        done = self.run(role, *options, "--mfa-code", self.code(), "--", "true")
        assert done.returncode == 0, done.stderr.decode()


def finish(child: pexpect.spawn) -> str:
    """Read a terminal to its end and return what stood on it since the last match."""
    child.expect(pexpect.EOF)
    child.close()
    return child.before.replace("\r\n", "\n")
