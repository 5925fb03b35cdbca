"""A home with AWS files and a cache, and no AWS: what is asked of it fails."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from gds_exec.cli.runtime import Run, put_together
from gds_exec.cli.source_wiring import wired_source
from gds_exec.credentials.request import AssumeRoleRequest, Origin, cache_key
from gds_exec.invocation import Invocation
from tests.fakes import a_session, arn_of_session

ARN = "arn:aws:iam::222222222222:role/"
DEVICE = "arn:aws:iam::111111111111:mfa/alice"
KEYS = "[base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = a-secret\n"
HOUR = 3600
NOWHERE = "http://127.0.0.1:9"  # where nothing listens


class Offline:
    """`prod` wants MFA, `open` wants none, `inner` is reached through `prod`, and `base` has the keys."""

    def __init__(self, path: Path) -> None:
        self.config = path / "config"
        self._credentials = path / "credentials"
        self._credentials.write_text(KEYS)
        self._credentials.chmod(0o600)
        self.environ = {
            "HOME": str(path),
            "AWS_CONFIG_FILE": str(self.config),
            "AWS_SHARED_CREDENTIALS_FILE": str(self._credentials),
            "AWS_ENDPOINT_URL": NOWHERE,
            "GDS_EXEC_CACHE_DIR": str(path),
        }
        self.write(prod=f"mfa_serial = {DEVICE}\nregion = eu-west-2", open="", inner="source_profile = prod")

    def write(self, **settings: str) -> None:
        """Write a profile with a role for each name, and these settings in it."""
        sections = []
        for name, lines in settings.items():
            source = "" if "source_profile" in lines else "source_profile = base\n"
            sections.append(f"[profile {name}]\nrole_arn = {ARN}{name}\n{source}{lines}\n")
        self.config.write_text("\n".join(sections))

    def run(self, role: str, **asked: Any) -> Run:
        invocation = Invocation(role=role, no_input=True, **asked)
        return put_together(invocation, self.environ, open_terminal=lambda: None)

    def keep(
        self, role: str, *, steps: int | None = None, left: int = HOUR, ahead: int = 0, **asked: Any
    ) -> None:
        """Put the session of a role's chain, or of its first steps, into the cache.

        It was made for an hour, or for longer, by a clock that was `ahead` by so many seconds.
        """
        run = self.run(role, **asked)
        requests = run.provider.outlook().plan.requests[:steps]
        last = requests[-1]
        arn = arn_of_session(last) if isinstance(last, AssumeRoleRequest) else ""
        life = max(HOUR, left)
        session = a_session(issued=int(time.time()) + ahead - life + left, life=life, arn=arn)
        run.cache.keep(cache_key(Origin(wired_source(run.profile, {}).identity, NOWHERE), requests), session)
