"""A time limit for work that cannot be interrupted, such as a DNS lookup."""

from __future__ import annotations

from threading import Thread

from gds_exec.signals import all_blocked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Answer = TypeVar("Answer")

LONGEST_CALL_SECONDS = 60  # for all attempts of one call


def run_within(seconds: float, act: Callable[[], Answer]) -> Answer:
    """Return what `act` returns. Raise `TimeoutError` if it takes longer than `seconds`.

    `act` runs in a thread. After a timeout the thread continues, and ends with this process.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(act())
        except BaseException as error:  # noqa: BLE001  # raised again in the waiting thread
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    try:
        with all_blocked():  # signals are for the main thread
            thread.start()
    except RuntimeError:  # the system allows no more threads
        return act()
    thread.join(max(0, seconds))
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError
    return answers[0]
