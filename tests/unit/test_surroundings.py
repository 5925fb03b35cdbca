"""Tests see none of the settings of the person who starts them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SHOW_ENVIRONMENT = """
import os
def test_it():
    with open("environment", "w") as file:
        file.write("\\n".join(f"{name}={value}" for name, value in os.environ.items()))
"""
OF_THE_CALLER = {
    "AWS_PROFILE": "mine",
    "BASH_ENV": "/dev/null",
    "CI": "true",
    "COLUMNS": "20",
    "CURL_CA_BUNDLE": "/nowhere",
    "GDS_EXEC_MFA_CODE": "123456",
    "GITHUB_ACTIONS": "true",
    "HOME": "/root",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "JENKINS_URL": "http://127.0.0.1",
    "LC_ALL": "C",
    "NO_COLOR": "1",
    "PYTHONUNBUFFERED": "1",
    "REQUESTS_CA_BUNDLE": "/nowhere",
    "SSL_CERT_FILE": "/nowhere",
    "XDG_CACHE_HOME": "/nowhere",
    "ZDOTDIR": "/nowhere",
    "https_proxy": "http://127.0.0.1:9",
}


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_test_sees_nothing_of_its_callers_settings(workers: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(SHOW_ENVIRONMENT)
    environ = {**os.environ, **OF_THE_CALLER, "COVERAGE_MARK": "stays"}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", workers],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    seen = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines())
    assert seen.keys() & OF_THE_CALLER.keys() == {"HOME"}
    assert seen["HOME"] != OF_THE_CALLER["HOME"]
    assert not os.path.exists(seen["HOME"]), "it is removed at the end"
    assert seen["COVERAGE_MARK"] == "stays"
    assert seen["PATH"] == os.environ["PATH"]
