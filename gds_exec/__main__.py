"""The entry: what is cached is served at once, and everything else by the command line."""

import _signal  # type: ignore[import-not-found]  # `signal` itself would import enum
import os
import sys

from gds_exec.execute import environment_as_given, open_standard_streams
from gds_exec.invocation import read_plainly
from gds_exec.warm import serve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> "NoReturn":
    """Run gds-exec as a program; the command's own exit status comes back if one is run."""
    open_standard_streams()
    _let_sigint_kill()
    try:
        _run(sys.argv[1:], environment_as_given())
    except KeyboardInterrupt:
        _die_by_sigint()


def _run(argv: list[str], environ: dict[str, str]) -> "NoReturn":
    if argv == ["roles", "--names"]:
        from gds_exec.warm_names import serve_names

        if serve_names(environ):
            os._exit(0)
    invocation = read_plainly(argv, environ)
    if invocation is not None and invocation.subcommand:
        from gds_exec.warm_document import serve_document

        if serve_document(invocation, environ):
            os._exit(0)
    elif invocation is not None:
        serve(invocation, environ)
    import gc

    gc.disable()  # a short life: collecting costs more than keeping
    from gds_exec.cli.dispatch import run
    from gds_exec.error_boundary import leave

    leave(run(argv, environ, invocation=invocation))


def _let_sigint_kill() -> None:
    # Python's own way of it is an exception, which some imports swallow. Where there is something to
    # tidy up it is handled; what our caller made us ignore stays ignored.
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def _die_by_sigint() -> "NoReturn":
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    os.kill(os.getpid(), _signal.SIGINT)
    os._exit(130)


if __name__ == "__main__":
    main()
