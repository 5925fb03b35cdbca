"""Completion as a person has it: a key pressed in a real shell, on a terminal, with very many roles."""

import os
import stat
import subprocess
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ..completers import COMPLETIONS
from .world import GDS_EXEC, World, needs

ROLES = 10_000
HOSTILE = "hostile $(touch pwned) `touch pwned`;touch pwned & 'x' \"y\" *"
ESCAPING = r"newline\n\x1b[2J%s"
HOUR = 3600
TAB, ENTER, LEFT = "\t", "\r", "\x1b[D"


BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"


@dataclass(frozen=True)
class Completer:
    """A shell: how it loads ours, how it shows what it would run, and how a command has a completion."""

    argv: tuple[str, ...]
    load: str
    show: str
    own: str

    def __str__(self) -> str:
        return self.argv[0]


BASH = Completer(
    ("bash", "--norc", "--noprofile", "-i"),
    f"bind 'set enable-bracketed-paste off'; source {COMPLETIONS}/gds-exec.bash; PS1='> '",
    "gds-exec() { printf '[%s]' \"$@\"; echo; }",
    # In place of bash-completion's, which is handed the command's place.
    "_command_offset() { [[ ${COMP_WORDS[$1]} == only-command ]] && COMPREPLY=(deploy-now); }",
)
ZSH = Completer(
    ("zsh", "-f", "-i"),
    f"fpath=({COMPLETIONS} $fpath); autoload -Uz compinit; compinit -D -u; "
    "unsetopt promptcr promptsp; PS1='> '",
    "gds-exec() { printf '[%s]' \"$@\"; echo }",
    "_own() { compadd deploy-now }; compdef _own only-command",
)
FISH = Completer(
    ("fish", "--no-config", "-i"),
    f"source {COMPLETIONS}/gds-exec.fish; function fish_prompt; echo -n '> '; end; set -g fish_greeting",
    "function gds-exec; printf '[%s]' $argv; echo; end",
    "complete -c only-command -f -a deploy-now",
)

# With nothing of ours loaded: each finds it by itself below the directories that it is told of.
BY_ITSELF = [
    pytest.param(
        replace(BASH, load=f"bind 'set enable-bracketed-paste off'; . {BASH_COMPLETION}; PS1='> '"),
        marks=pytest.mark.skipif(
            not os.path.exists(BASH_COMPLETION), reason="bash-completion is not installed"
        ),
        id="bash",
    ),
    pytest.param(
        replace(ZSH, load=ZSH.load.replace(str(COMPLETIONS), "$XDG_DATA_HOME/zsh/site-functions", 1)),
        marks=needs("zsh"),
        id="zsh",
    ),
    pytest.param(
        replace(FISH, argv=("fish", "-i"), load=FISH.load.split("; ", 1)[1]), marks=needs("fish"), id="fish"
    ),
]
finding_it = pytest.mark.parametrize("shell", BY_ITSELF)


@pytest.fixture(
    params=[pytest.param(shell, marks=needs(str(shell)), id=str(shell)) for shell in (BASH, ZSH, FISH)]
)
def shell(request: pytest.FixtureRequest) -> Completer:
    return request.param


class Desk:
    """A person at a shell whose gds-exec shows its arguments; what completion starts is counted."""

    def __init__(self, world: World, shell: Completer, **environ: str) -> None:
        self.world = world
        self.shell = shell
        self.started = world.home / "started"
        programs = world.home / "programs"
        programs.mkdir()
        _write_program(programs / "gds-exec", f'echo started >>"{self.started}"; exec {GDS_EXEC} "$@"')
        _write_program(programs / "only-command", ":")
        self.environ = {"PATH": f"{programs}:{world.environ['PATH']}", **environ}
        self.terminal = world.terminal_program(*shell.argv, environ=self.environ)
        for line in (shell.load, shell.show, "echo rea''dy"):
            self.terminal.send(line + ENTER)
        self.terminal.expect_exact("ready\r\n")

    def types(self, keys: str) -> None:
        self.terminal.send(keys)

    def sees(self, text: str) -> None:
        self.terminal.expect_exact(text)

    def times_started(self) -> int:
        return self.started.read_text().count("started") if self.started.exists() else 0


def _write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _profile(name: str) -> str:
    return f"[profile {name}]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = gds-users\n"


def _age(*paths: Path, seconds: float) -> None:
    moment = time.time() - seconds
    for path in paths:
        os.utime(path, (moment, moment))


@pytest.fixture
def many(world: World) -> World:
    """Files that have not been changed for an hour, with 10,000 roles."""
    world.write_config("".join(_profile(f"team-{number:05}") for number in range(ROLES)))
    _age(world.config, world.credentials, seconds=HOUR)
    return world


@pytest.fixture
def desk(many: World, shell: Completer) -> Iterator[Desk]:
    desk = Desk(many, shell)
    yield desk
    desk.terminal.close(force=True)


@pytest.fixture
def names(many: World) -> Path:
    """The list of all roles, as gds-exec leaves it."""
    assert many.run("roles", "--names").returncode == 0
    return many.cache / "names"


def test_a_role_of_very_many_is_completed_and_nothing_is_started(names: Path, desk: Desk) -> None:
    desk.types(f"gds-exec team-0777{TAB}7{ENTER}")
    desk.sees("[team-07777]")

    desk.types(f"gds-exec team-09999{TAB}--refr{TAB}{ENTER}")
    desk.sees("[team-09999][--refresh]")
    assert desk.times_started() == 0


def test_an_old_list_is_renewed_once(names: Path, desk: Desk) -> None:
    _age(names, seconds=2 * HOUR)

    desk.types(f"gds-exec team-07777{TAB}{ENTER}")
    desk.sees("[team-07777]")
    assert desk.times_started() == 1
    desk.types(f"gds-exec team-08888{TAB}{ENTER}")
    desk.sees("[team-08888]")
    assert desk.times_started() == 1


def test_the_list_of_other_files_is_not_used(names: Path, world: World, desk: Desk) -> None:
    other = world.home / "other"
    other.write_text(_profile("elsewhere"))
    _age(other, seconds=HOUR)
    assignment = "set -gx AWS_CONFIG_FILE" if desk.shell is FISH else "export AWS_CONFIG_FILE="
    desk.types(f"{assignment}{' ' * (desk.shell is FISH)}{other}{ENTER}")

    desk.types(f"gds-exec elsew{TAB}{ENTER}")

    desk.sees("[elsewhere]")
    assert desk.times_started() == 1


def test_a_hostile_name_is_completed_as_the_text_that_it_is(world: World, shell: Completer) -> None:
    world.cache.mkdir(parents=True, mode=0o700)
    header = f"# gds-exec names 1\t{world.config}\t{world.credentials}"
    (world.cache / "names").write_text(f"{header}\n{HOSTILE}\t$(touch pwned)\n{ESCAPING}\t%F{{red}}\n")
    _age(world.config, world.credentials, seconds=HOUR)
    desk = Desk(world, shell)

    desk.types(f"gds-exec hosti{TAB}{ENTER}")
    desk.sees(f"[{HOSTILE}]")
    desk.types(f"gds-exec newl{TAB}{ENTER}")
    desk.sees(f"[{ESCAPING}]")

    assert desk.times_started() == 0
    assert not (world.home / "pwned").exists()


def test_a_word_is_completed_where_the_cursor_is(names: Path, desk: Desk) -> None:
    desk.types(f"gds-exec --refr team-00001{LEFT * len(' team-00001')}{TAB}{ENTER}")

    desk.sees("[--refresh][team-00001]")


def test_the_command_and_its_files_are_completed_as_if_alone(names: Path, desk: Desk) -> None:
    (desk.world.home / "only-file").touch()

    desk.types(f"gds-exec team-00000 only-com{TAB}{ENTER}")
    desk.sees("[team-00000][only-command]")
    desk.types(f"gds-exec team-00000 -q -- cat only-fi{TAB}{ENTER}")
    desk.sees("[team-00000][-q][--][cat][only-file]")


def test_the_command_has_its_own_completion(names: Path, desk: Desk) -> None:
    desk.types(desk.shell.own + ENTER)

    desk.types(f"gds-exec --duration=8h team-00000 only-command depl{TAB}{ENTER}")

    desk.sees("[--duration=8h][team-00000][only-command][deploy-now]")


# As AWS's and Terraform's are: told of the command line by variables, and of its words by arguments.
COMPLETER = """
asked="$COMP_LINE|$COMP_POINT|$*"
[ "$asked" = "only-command --in x depl|24|it's only-command depl x" ] && echo deploy-now
"""


@needs("bash")
@pytest.mark.parametrize("loaded", [":", f". {BASH_COMPLETION}"], ids=["bash alone", "bash-completion"])
def test_a_program_that_completes_its_command_is_asked_of_the_command_alone(
    loaded: str, world: World
) -> None:
    if loaded != ":" and not os.path.exists(BASH_COMPLETION):
        pytest.skip("bash-completion is not installed")
    desk = Desk(world, replace(BASH, load=f"{loaded}; {BASH.load}"))
    _write_program(world.home / "programs" / "own", COMPLETER)
    desk.types(f"""complete -o nospace -C "own 'it'\\''s'" only-command{ENTER}""")

    desk.types(f"gds-exec -r eu-west-1 team-00000 --  only-command --in x depl{TAB}, it{ENTER}")

    desk.sees("[-r][eu-west-1][team-00000][--][only-command][--in][x][deploy-now,][it]")


def install_as_the_wheel_does(prefix: Path) -> None:
    project = tomllib.loads((COMPLETIONS.parent / "pyproject.toml").read_text())
    files = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    for source, target in files.items():
        path = prefix / target
        path.parent.mkdir(parents=True)
        path.write_text((COMPLETIONS.parent / source).read_text())


@finding_it
def test_each_shell_finds_what_the_wheel_installs(shell: Completer, world: World, tmp_path: Path) -> None:
    install_as_the_wheel_does(tmp_path)
    share = str(tmp_path / "share")
    desk = Desk(world, shell, XDG_DATA_DIRS=share, XDG_DATA_HOME=share)

    desk.types(f"gds-exec completi{TAB}inst{TAB}fi{TAB}{ENTER}")

    desk.sees("[completions][install][fish]")


@needs("zsh")
def test_zsh_searches_a_directory_of_the_name_that_the_wheel_has_for_it(tmp_path: Path) -> None:
    install_as_the_wheel_does(tmp_path)
    [ours] = (path.parent.relative_to(tmp_path) for path in tmp_path.rglob("_gds-exec"))

    searched = subprocess.run(["zsh", "-fc", "print -rl $fpath"], capture_output=True, text=True, check=True)

    assert any(directory.endswith(f"/{ours}") for directory in searched.stdout.splitlines())


@finding_it
def test_each_shell_finds_what_completions_install_writes(shell: Completer, world: World) -> None:
    home = {"XDG_DATA_HOME": str(world.home / "data"), "XDG_CONFIG_HOME": str(world.home / "config")}
    done = world.run("completions", "install", str(shell), environ=home)
    assert (done.returncode, done.stderr) == (0, b"")
    desk = Desk(world, shell, **home)

    desk.types(f"gds-exec completi{TAB}inst{TAB}fi{TAB}{ENTER}")

    desk.sees("[completions][install][fish]")


@pytest.mark.parametrize("shell", BY_ITSELF[:1])
def test_bash_completion_itself_is_handed_the_command(shell: Completer, world: World) -> None:
    world.run("completions", "install", "bash")
    desk = Desk(world, shell)
    desk.types(f"complete -W deploy-now only-command{ENTER}")

    desk.types(f"gds-exec -r eu-west-1 team-00000 -- only-command depl{TAB}{ENTER}")

    desk.sees("[-r][eu-west-1][team-00000][--][only-command][deploy-now]")


def test_a_role_is_listed_with_what_it_is(world: World) -> None:
    role = world.add_role("readonly")
    _age(world.config, world.credentials, seconds=HOUR)

    world.sign_in("readonly")

    names = world.cache / "names"
    assert names.read_text().splitlines()[1:] == ["gds-users\t", f"readonly\t{role.arn}"]
    assert stat.S_IMODE(names.stat().st_mode) == 0o600


def test_files_that_were_changed_just_now_leave_no_list_that_could_miss_the_next_change(world: World) -> None:
    world.add_role("readonly")
    world.sign_in("readonly")

    assert not (world.cache / "names").exists()
