"""What a job's log must not show is told to GitHub's runner, a line for each secret."""

from __future__ import annotations

import pytest

from gds_exec.cli.job_log import mask_in_job_log
from gds_exec.session import AccessKey, SessionCredentials
from tests.fakes import NOON, a_session


def test_each_secret_of_a_session_is_masked_by_a_line_on_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    mask_in_job_log(a_session())

    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == "::add-mask::ASIAEXAMPLE0001\n::add-mask::secret-0001\n::add-mask::token-0001\n"


def test_keys_without_a_token_have_two(capfd: pytest.CaptureFixture[str]) -> None:
    mask_in_job_log(SessionCredentials.long_lived(AccessKey("AKIA", "a-secret"), now=NOON))

    assert capfd.readouterr().err == "::add-mask::AKIA\n::add-mask::a-secret\n"


def test_what_the_runner_would_read_as_an_escape_is_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    mask_in_job_log(SessionCredentials.long_lived(AccessKey("AKIA", "100%0A%"), now=NOON))

    assert capfd.readouterr().err == "::add-mask::AKIA\n::add-mask::100%250A%25\n"
