"""The programs that are measured: gds-exec and its peers, and how each is told to run a command."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.stage import MFA_ROLE, OPEN_ROLE, Home, Stage
from tests.bench.timing import RunFailed, time_program

_COMMAND = ("true",)
# Fails where there is none. A word with a dash would be awsudo's own.
_HAS_SESSION = ("printenv", "AWS_SESSION_TOKEN")
_HEAVY_MODULES = ("botocore", "typer")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program, and the words before the command that it runs.

    In the words, {bin} is the directory it is installed in, {role} the profile and {home} the home.
    `keeps` are patterns, below the home, of what it remembers between runs; `prompt` is how it asks
    for a code.
    """

    name: str
    words: tuple[str, ...]
    keeps: tuple[str, ...] = ()
    prompt: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)


GDS_EXEC = Candidate("gds-exec", ("{bin}/gds-exec", "{role}", "--"), (".cache/gds-exec",), "MFA code for ")
AWSUDO = Candidate("awsudo", ("{bin}/awsudo", "{role}"), prompt="Enter MFA code for ")
AWSUME = Candidate(
    "awsume",
    # A person's awsume is sourced by their shell, which then has the role's credentials.
    ("bash", "-c", '. awsume "$1" >/dev/null || exit; shift; exec "$@"', "awsume", "{role}"),
    keeps=(".awsume/cache",),
    environ={"PATH": "{bin}:/usr/bin:/bin"},
)
AWS_RUNAS = Candidate(
    "aws-runas",
    ("{bin}/aws-runas", "{role}"),
    keeps=(".aws/.aws_session_token_*",),
    environ={"AWS_DEFAULT_REGION": "eu-west-2"},
)
AWS_EXPORT_CREDENTIALS = Candidate(
    "aws-export-credentials",
    ("{bin}/aws-export-credentials", "--profile", "{role}", "--cache-file", "{home}/kept", "--exec"),
    keeps=("kept",),
)
OTHER_PEERS = (AWSUME, AWS_EXPORT_CREDENTIALS, AWS_RUNAS)


class Player:
    """A candidate as it is installed, in a home of its own."""

    def __init__(self, candidate: Candidate, *, programs: Path, home: Home) -> None:
        self.candidate = candidate
        self.home = home
        self._programs = programs

    def argv(self, role: str, command: tuple[str, ...]) -> tuple[str, ...]:
        return (*(self._fill(word, role) for word in self.candidate.words), *command)

    @property
    def interpreter(self) -> str:
        """The Python that runs the candidate."""
        return str(self._programs / "python")

    @property
    def environ(self) -> dict[str, str]:
        own = {name: self._fill(value) for name, value in self.candidate.environ.items()}
        return {**self.home.environ, **own}

    def run_cold(self, command: tuple[str, ...] = _COMMAND) -> float:
        """Run a command with nothing remembered, and return the seconds that it took."""
        self.home.forget(*self.candidate.keeps)
        return time_program(self.argv(OPEN_ROLE, command), environ=self.environ)

    def run_warm(self, command: tuple[str, ...] = _COMMAND) -> float:
        """Run a command as the role whose session was opened, and return the seconds that it took."""
        return time_program(self.argv(MFA_ROLE, command), environ=self.environ)

    def prove_cold(self) -> None:
        """Raise `RunFailed` unless the command gets a session."""
        self.run_cold(_HAS_SESSION)

    def open_session(self, stage: Stage) -> None:
        """Open a session with a code; raise `RunFailed` unless two runs more need none."""
        code = stage.code(self.home)
        environ = {**self.environ, "GDS_EXEC_MFA_CODE": code}
        time_program(self.argv(MFA_ROLE, _HAS_SESSION), environ=environ, typed=f"{code}\n")
        self.run_warm(_HAS_SESSION)
        self.run_warm(_HAS_SESSION)

    def _fill(self, text: str, role: str = "") -> str:
        return text.format(bin=self._programs, home=self.home.path, role=role)


def open_gds_exec_session(player: Player, stage: Stage) -> tuple[str, ...]:
    """Open the session of a gds-exec, and return what is not as it should be in a warm run."""
    player.open_session(stage)
    stage.sandbox.take_calls()
    player.run_warm()
    if stage.sandbox.take_calls().total:
        raise RunFailed("a warm run asked STS")
    found = _heavy_modules_loaded(player)
    return (f"not warm yet: it loads {' and '.join(found)}",) if found else ()


def _heavy_modules_loaded(player: Player) -> list[str]:
    argv = (player.interpreter, "-X", "importtime", *player.argv(MFA_ROLE, _COMMAND))
    report = subprocess.run(argv, env=player.environ, capture_output=True, text=True, check=True).stderr
    loaded = {line.rpartition("|")[2].strip() for line in report.splitlines()}
    return [module for module in _HEAVY_MODULES if module in loaded]
