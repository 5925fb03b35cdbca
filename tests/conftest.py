"""What all tests start from, whoever starts them."""

import signal


def pytest_configure() -> None:
    # What `nohup` or a shell's `&` ignores stays so in every process that a test starts, and tests
    # hang up terminals and send Ctrl-C.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
