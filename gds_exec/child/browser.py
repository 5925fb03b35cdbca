"""The person's browser, sent to a URL that nobody else is to see."""

from __future__ import annotations

import os
import shlex
import sys

from gds_exec.child.lookup import helper_path
from gds_exec.child.redirect_page import RedirectPage
from gds_exec.execute import IGNORED_BY_PYTHON
from gds_exec.lean import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Find = Callable[[str, Mapping[str, str]], str | None]

_PATIENCE_SECONDS = 60.0
_PLACE_OF_URL = "%s"


def browser_command(
    environ: Mapping[str, str], *, platform: str = sys.platform, find: Find = helper_path
) -> tuple[str, ...] | None:
    """Return the words that open a URL, which stands in them as `%s`; None where no browser would be seen.

    That is what BROWSER says (commands, separated by colons), or else what this desktop has.
    """
    for words in (*_named(environ), *((name,) for name in _of_desktop(environ, platform))):
        if path := find(words[0], environ):
            rest = words[1:]
            has_place = any(_PLACE_OF_URL in word for word in rest)
            return (path, *rest) if has_place else (path, *rest, _PLACE_OF_URL)
    return None


def open_in_browser(
    url: str,
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> bool:
    """Send a browser to `url`, which appears in no command line; return whether it went there.

    It is given some time to start, and goes on without us. `command` is as `browser_command` returns it.
    """
    with RedirectPage(url) as page:
        argv = [word.replace(_PLACE_OF_URL, page.url) for word in command]
        try:
            pid = _start(argv, environ)
        except OSError:
            return False
        return page.lead_on(within_seconds=patience_seconds, is_hopeless=_Failure(pid))


def _start(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Start the program without our terminal, which may be closed while the browser is open."""
    return os.posix_spawn(
        argv[0],
        list(argv),
        environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)],
        setsid=True,
        setsigmask=(),
        setsigdef=IGNORED_BY_PYTHON,
    )


class _Failure:
    """Says, when called, whether the program has ended with a failure."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._has_ended = False

    def __call__(self) -> bool:
        if self._has_ended:
            return False  # well: it has told a browser that runs already
        try:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
        except ChildProcessError:  # our caller ignores SIGCHLD: how it ended is not told
            pid, status = self._pid, 0
        self._has_ended = pid != 0
        return self._has_ended and status != 0


def _named(environ: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for text in environ.get("BROWSER", "").split(":"):
        with suppress(ValueError):  # an open quote
            if words := shlex.split(text):
                yield tuple(words)


def _of_desktop(environ: Mapping[str, str], platform: str) -> tuple[str, ...]:
    if platform == "darwin":
        # From afar, it would open on a screen at which nobody need sit.
        return () if environ.get("SSH_CONNECTION") else ("open",)
    windows = ("wslview",) if environ.get("WSL_DISTRO_NAME") else ()
    has_display = environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY")
    return (*windows, "xdg-open") if has_display else windows
