"""What all tests start from, whoever starts them."""

import signal


def pytest_configure() -> None:
    # What `nohup` ignores stays so in every process that a test starts, and tests hang up terminals.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
