"""Runs in which somebody is asked for a code: one program's wait around it, and fifty at once."""

import re
import shlex
import time
from dataclasses import dataclass

from tests.bench.candidates import Player
from tests.bench.sandbox import Calls
from tests.bench.stage import MFA_ROLE, Stage
from tests.bench.terminal import Terminal, on_terminal
from tests.bench.timing import RunFailed

PROCESSES = 50
_TYPING_SECONDS = 1.5
_STARTED = "the-command-has-started"
_FINISHED = "every-command-has-ended"
_SHOW_KEY = ("sh", "-c", 'echo "key=$AWS_ACCESS_KEY_ID"')


@dataclass(frozen=True, slots=True)
class Wait:
    """What a person waited for, in seconds; their own typing is no part of it."""

    for_the_prompt: float
    for_the_command: float

    @property
    def whole(self) -> float:
        return self.for_the_prompt + self.for_the_command


def wait_around_code(player: Player, stage: Stage) -> Wait:
    """Answer a candidate's question, and return the wait, less what STS itself took."""
    argv = player.argv(MFA_ROLE, ("echo", _STARTED))
    with on_terminal(argv, environ=player.environ) as terminal:
        prompted = terminal.await_prompt(player.candidate.prompt)
        _type_code(terminal, player, stage)
        worked_before = stage.sandbox.working_seconds()
        entered = _press_enter(terminal)
        started = terminal.await_text(_STARTED)
        sts_seconds = stage.sandbox.working_seconds() - worked_before
    return Wait(prompted - terminal.began, started - entered - sts_seconds)


def wait_of_fifty(player: Player, stage: Stage) -> Wait:
    """Start fifty on one terminal, answer the one question, and return the wait for the last of them.

    Raises `RunFailed` where there was more than one question, code or call.
    """
    one = shlex.join(player.argv(MFA_ROLE, _SHOW_KEY))
    script = f"{f'{one} & ' * PROCESSES} wait; echo {_FINISHED}"
    stage.sandbox.take_calls()
    with on_terminal(("sh", "-c", script), environ=player.environ) as terminal:
        prompted = terminal.await_prompt(player.candidate.prompt)
        _type_code(terminal, player, stage)
        entered = _press_enter(terminal)
        finished = terminal.await_text(_FINISHED)
        said = terminal.said.decode()
    _check_counts(said.count(player.candidate.prompt), said, stage.sandbox.take_calls())
    return Wait(prompted - terminal.began, finished - entered)


def _type_code(terminal: Terminal, player: Player, stage: Stage) -> None:
    terminal.type(stage.code(player.home))
    time.sleep(_TYPING_SECONDS)


def _press_enter(terminal: Terminal) -> float:
    entered = time.perf_counter()
    terminal.type("\n")
    return entered


def _check_counts(prompts: int, said: str, calls: Calls) -> None:
    keys = re.findall(r"key=(\w+)", said)
    counted = {
        "prompts": (prompts, 1),
        "calls with a code": (calls.with_a_code, 1),
        "calls for the role": (calls.for_a_role, 1),
        "commands run": (len(keys), PROCESSES),
        "different keys": (len(set(keys)), 1),
    }
    wrong = [f"{count} {what}, not {wanted}" for what, (count, wanted) in counted.items() if count != wanted]
    if wrong:
        raise RunFailed("; ".join(wrong))
