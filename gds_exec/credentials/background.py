"""AWS made ready beside the question for a code: imported, connected, and asked whether it knows the keys.

That takes longer than a person would wait for the question, and not as long as they need to answer.
"""

from __future__ import annotations

import os

from gds_exec.lean import suppress
from gds_exec.signals import all_blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gds_exec.credentials.sts_client import StsApi
    from gds_exec.session import AccessKey


class PreparedAws:
    """AWS as `make` gives it, made when it is first needed, or in a thread before that."""

    def __init__(self, make: Callable[[], StsApi]) -> None:
        self._make = make
        self._made: StsApi | None = None
        self._key: AccessKey | None = None
        self._check: _Check | None = None
        self._known: set[str] = set()

    @property
    def api(self) -> StsApi:
        """AWS for the main thread, once that of the check has done: one client signs for all keys."""
        if self._check is not None:
            self._check.wait()
        return self._aws()

    def expect_code_for(self, key: AccessKey) -> None:
        """Say whose keys the next code is for: those that AWS does not know are not worth a code."""
        self._key = key

    def begin_check(self) -> int | None:
        """Begin to check these keys in a thread, to connect to AWS and to rehearse what comes then.

        Return a descriptor that can be read from once the check has failed. Only for the main thread.
        """
        if self._check is None and self._key is not None and not self._is_known(self._key):
            key = self._key
            self._check = _Check(lambda: self._check_and_rehearse(key))
            if not self._check.start():
                self._check = None
        return self._check.failure if self._check else None

    def finish_check(self) -> None:
        """Wait for the check, or make it now; raise what AWS has against these keys."""
        if self._check is not None:
            check, self._check = self._check, None
            check.finish()
        if self._key is not None and not self._is_known(self._key):
            self._check_now(self._key)

    def _is_known(self, key: AccessKey) -> bool:
        return key.access_key_id in self._known

    def _check_and_rehearse(self, key: AccessKey) -> None:
        self._check_now(key)
        with suppress(Exception):  # worth two milliseconds, not the code that is being typed
            self._aws().rehearse()

    def _check_now(self, key: AccessKey) -> None:
        self._aws().caller_arn(key)
        self._known.add(key.access_key_id)

    def _aws(self) -> StsApi:
        if self._made is None:
            self._made = self._make()
        return self._made


class _Check:
    """Work in a thread; `failure` can be read from once it has failed."""

    def __init__(self, work: Callable[[], None]) -> None:
        from threading import Thread

        self.failure, self._failing = os.pipe()
        self._work = work
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> bool:
        """Start the thread; return False where this process may have no more of them."""
        try:
            with (
                all_blocked()
            ):  # a thread inherits this: signals are for the main thread, which waits for them
                self._thread.start()
        except RuntimeError:
            self._close()
            return False
        return True

    def wait(self) -> None:
        """Wait for the end, if it was begun."""
        if self._thread.ident is not None:
            self._thread.join()

    def finish(self) -> None:
        """Wait for the end, and raise what it failed with."""
        self.wait()
        self._close()
        if self._error is not None:
            raise self._error

    def _close(self) -> None:
        os.close(self.failure)
        os.close(self._failing)

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  # raised again where someone waits for it
            self._error = error
            os.write(self._failing, b"!")
