"""The log of a CI job, which others read: what must not stand in it is told to its runner."""

from __future__ import annotations

from gds_exec.cli.messages import emit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gds_exec.session import SessionCredentials


def mask_in_job_log(session: SessionCredentials) -> None:
    """Have GitHub's runner mask this session in the job's log, before anything can print it.

    It obeys what it reads on standard error too (GitHub docs, "Workflow commands": add-mask).
    """
    key = session.access_key
    mask_secrets_in_job_log(key.access_key_id, key.secret_access_key, key.session_token or "")


def mask_secrets_in_job_log(*secrets: str) -> None:
    """Have it mask these."""
    emit("".join(f"::add-mask::{secret.replace('%', '%25')}\n" for secret in secrets if secret))
