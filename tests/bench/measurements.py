"""What is measured: each measurement makes its homes, runs its candidates in turn and returns rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from tests.bench.candidates import (
    AWSUDO,
    GDS_EXEC,
    OTHER_PEERS,
    Candidate,
    Player,
    open_gds_exec_session,
)
from tests.bench.conversations import PROCESSES, Wait, wait_around_code, wait_of_fifty
from tests.bench.installs import Installer
from tests.bench.stage import Stage
from tests.bench.table import Row
from tests.bench.timing import RunFailed, Timings, interleave, time_program

Trial = Callable[[], float]

FEW, MANY = 10, 10_000
_WARM_RUNS_FOR_ONE = 10
_ROUNDS_OF_FIFTY = 3
_OURS, _THEIRS = GDS_EXEC.name, AWSUDO.name


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that a measurement needs; `runs` scales how often it repeats."""

    stage: Stage
    installer: Installer
    runs: int
    pinned_to: int | None = None

    def player(self, candidate: Candidate, *, profiles: int = FEW) -> Player:
        """Return the candidate, installed, in a fresh home."""
        is_ours = candidate is GDS_EXEC
        installed = self.installer.product() if is_ours else self.installer.peer(candidate.name)
        return Player(candidate, programs=installed.programs, home=self.stage.home(profiles=profiles))

    def take_turns(self, trials: Mapping[str, Trial], *, times: int = 1) -> dict[str, Timings]:
        return interleave(trials, rounds=self.runs * times, pinned_to=self.pinned_to)


def measure_warm(bench: Bench) -> list[Row]:
    """Cached: against the bare interpreter, and with many profiles against few."""
    few, many = bench.player(GDS_EXEC), bench.player(GDS_EXEC, profiles=MANY)
    bench.stage.settle()
    few_notes, many_notes = (open_gds_exec_session(player, bench.stage) for player in (few, many))
    run_python = partial(time_program, (few.interpreter, "-I", "-c", "pass"), environ=few.environ)
    trials: dict[str, Trial] = {"python": run_python, "few": few.run_warm, "many": many.run_warm}
    timings = bench.take_turns(trials, times=_WARM_RUNS_FOR_ONE)
    of_few, of_many = f"cached, {FEW:,} profiles", f"cached, {MANY:,} profiles"
    return [
        _row("warm", of_few, timings["few"], "python -I -c pass", timings["python"], 1.10, few_notes),
        _row("warm", of_many, timings["many"], of_few, timings["few"], 1.10, many_notes),
    ]


def measure_cold(bench: Bench, *, name: str, profiles: int, target: float) -> list[Row]:
    """Nothing cached and one call of STS, against the peer that makes it soonest."""
    players = {c.name: bench.player(c, profiles=profiles) for c in (GDS_EXEC, AWSUDO)}
    for player in players.values():
        player.prove_cold()
    bench.stage.sandbox.take_calls()
    timings = bench.take_turns({key: player.run_cold for key, player in players.items()})
    asked, runs = bench.stage.sandbox.take_calls().total, (bench.runs + 1) * len(players)
    row = _row(name, f"cold, {profiles:,} profiles", timings[_OURS], _THEIRS, timings[_THEIRS], target)
    if asked != runs and not row.failure:
        raise RunFailed(f"STS was asked {asked} times in {runs} runs")
    return [row]


def measure_code(bench: Bench) -> list[Row]:
    """The wait that is left around a person's typing, and its two parts."""
    waits: dict[str, list[Wait]] = {_OURS: [], _THEIRS: []}

    def ask(candidate: Candidate) -> float:
        wait = wait_around_code(bench.player(candidate), bench.stage)
        waits[candidate.name].append(wait)
        return wait.whole

    timings = interleave({c.name: partial(ask, c) for c in (GDS_EXEC, AWSUDO)}, rounds=bench.runs)
    whole = _row("code", "wait around a code", timings[_OURS], _THEIRS, timings[_THEIRS], 0.15)
    if whole.failure:
        return [whole]
    ours, theirs = waits[_OURS][1:], waits[_THEIRS][1:]
    prompts = [[wait.for_the_prompt for wait in side] for side in (ours, theirs)]
    commands = [[wait.for_the_command for wait in side] for side in (ours, theirs)]
    return [
        whole,
        Row("code", "  start to prompt", prompts[0], _THEIRS, prompts[1]),
        Row("code", "  Enter to command", commands[0], _THEIRS, commands[1]),
    ]


def measure_fifty(bench: Bench) -> list[Row]:
    """Fifty at once with nothing cached: one prompt, one code, one call, or the run has failed."""
    waits = [wait_of_fifty(bench.player(GDS_EXEC), bench.stage) for _ in range(_ROUNDS_OF_FIFTY)]
    counts = "1 prompt, 1 code, 1 call"
    return [
        Row("fifty", f"{PROCESSES} at once, start to last", [wait.whole for wait in waits], counts),
        Row("fifty", "  Enter to last command", [wait.for_the_command for wait in waits], counts),
    ]


def measure_peers_cold(bench: Bench) -> list[Row]:
    """Shown only: the other peers with nothing kept."""
    ours = bench.player(GDS_EXEC)

    def proved(player: Player) -> Trial:
        player.prove_cold()
        return player.run_cold

    return _peers(bench, "peers-cold", "cold", ours.run_cold, proved)


def measure_peers_warm(bench: Bench) -> list[Row]:
    """Shown only: the other peers once they have kept what they keep, which is less than a role's session."""
    ours = bench.player(GDS_EXEC)
    bench.stage.settle()
    open_gds_exec_session(ours, bench.stage)

    def warmed(player: Player) -> Trial:
        player.open_session(bench.stage)
        return player.run_warm

    return _peers(bench, "peers-warm", "warm", ours.run_warm, warmed)


MEASUREMENTS: Mapping[str, Callable[[Bench], list[Row]]] = {
    "warm": measure_warm,
    "cold": partial(measure_cold, name="cold", profiles=FEW, target=0.85),
    "cold-many": partial(measure_cold, name="cold-many", profiles=MANY, target=0.30),
    "code": measure_code,
    "fifty": measure_fifty,
    "peers-warm": measure_peers_warm,
    "peers-cold": measure_peers_cold,
}


def measure(name: str, bench: Bench) -> list[Row]:
    """Return the rows of one measurement: a single failed one where it could not be made."""
    try:
        return MEASUREMENTS[name](bench)
    except RunFailed as failure:
        return [Row(name, "", failure=str(failure))]


def _peers(
    bench: Bench,
    name: str,
    how: str,
    ours: Trial,
    make_trial: Callable[[Player], Trial],
) -> list[Row]:
    trials: dict[str, Trial] = {_OURS: ours}
    failures: dict[str, Timings] = {}
    for candidate in OTHER_PEERS:
        try:
            trials[candidate.name] = make_trial(bench.player(candidate))
        except RunFailed as failure:
            failures[candidate.name] = Timings(failure=str(failure))
    timings = {**bench.take_turns(trials), **failures}
    return [
        _row(name, f"{key}, {how}", timings[key], _OURS, timings[_OURS], is_ours=False)
        for key in (candidate.name for candidate in OTHER_PEERS)
    ]


def _row(
    name: str,
    measured: str,
    timings: Timings,
    against: str,
    against_timings: Timings,
    target: float | None = None,
    notes: tuple[str, ...] = (),
    *,
    is_ours: bool = True,
) -> Row:
    return Row(
        name,
        measured,
        timings.seconds,
        against,
        against_timings.seconds,
        target=target,
        failure=timings.failure or against_timings.failure,
        is_ours_to_answer=is_ours,
        notes=notes,
    )
