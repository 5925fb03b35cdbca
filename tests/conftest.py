"""What all tests start from, whoever starts them."""

import os
import shutil
import signal
import tempfile

from hypothesis import HealthCheck, settings

# The caller's variables that tests may see: pytest, pytest-xdist and coverage need theirs.
_KEPT = {"PATH", "TMPDIR", "USER", "LOGNAME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}
_KEPT_PREFIXES = ("PYTEST_", "COVERAGE_")

_home = tempfile.mkdtemp(prefix="gds-exec-tests-home-")


def _clean_environment() -> None:
    """Remove the caller's settings for AWS, Python, proxies, CI and the shell from the environment."""
    for name in list(os.environ):
        if name not in _KEPT and not name.startswith(_KEPT_PREFIXES):
            del os.environ[name]
    os.environ.update(HOME=_home, SHELL="/bin/sh", TERM="xterm", LANG="C.UTF-8")


# A busy machine is slow. Another user could not replace examples that root has stored.
settings.register_profile("here", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")

_clean_environment()  # before pytest-xdist starts its workers, and before any test is imported


def pytest_configure() -> None:
    # What `nohup` or a shell's `&` ignores stays so in every process that a test starts, and tests
    # hang up terminals and send Ctrl-C.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_unconfigure() -> None:
    shutil.rmtree(_home, ignore_errors=True)
