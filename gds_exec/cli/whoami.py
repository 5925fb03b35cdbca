"""`gds-exec whoami`: who one is to AWS, without a code."""

import json
import sys
from collections.abc import Mapping

from gds_exec.cli.wiring import base_identity, role_identity
from gds_exec.redaction import show


def whoami(environ: Mapping[str, str], *, source_profile: str | None, as_json: bool) -> None:
    """Print the base identity and, inside a role's environment, the role's."""
    base = base_identity(environ, source_profile=source_profile)
    role_arn = role_identity(environ)
    role = environ.get("GDS_EXEC_ROLE", "")
    if as_json:
        found = {"base": {"profile": base.profile, "arn": base.arn}}
        if role_arn is not None:
            found["role"] = {"name": role, "arn": role_arn}
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    sys.stdout.write(f"base  {show(base.arn)}  ({show(base.profile)})\n")
    if role_arn is not None:
        sys.stdout.write(f"role  {show(role_arn)}  ({show(role)})\n")
