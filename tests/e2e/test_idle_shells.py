"""A role shell that was idle when its session ended gives the next command a fresh key."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .role_shells import BASH, FISH, HOUR, MARKER, ZSH, AtPrompt, Desk, Dialect, FakeClock

# ./show records its argument, or THING from the environment if it has none.
SHOW = """#!/bin/sh
echo "${1-$THING}" >> "${0%/*}/shown"
"""
IN_EVERY_SHELL = [
    "./show",
    "./show $THING",
    "./show | cat",
    "true | ./show",
    "sh -c ./show",
    "eval ./show",
    "an_alias",
    "a_function",
    "time ./show",
    "env OTHER=1 ./show",
]
IN_BASH_AND_ZSH = [
    "./show $(printenv THING)",
    "{ ./show; }",
    "./show & wait",
    "for i in 1; do ./show; done",
    "while ./show; do break; done",
    "if ./show; then :; fi",
    "case x in x) ./show;; esac",
    "! ./show",
    "[ -n $THING ] && ./show",
    "x=$(printenv THING); ./show $x",
    "THAT=$THING sh -c './show $THAT'",
    "cat <(./show)",
    "sh <<< './show'",
    "sh <<end\n./show $THING\nend",
    "sh <<'end'\n./show\nend",
]
# Their first command runs in a subshell, which does not inherit bash's DEBUG trap.
BEGIN_WITH_A_SUBSHELL = [
    "(./show)",
    "( (./show) )",
    "(./show) | cat",
    "(./show) & wait",
    "{ ./show; } | cat",
    "{ ./show; } & wait",
    "for i in 1; do ./show; done | cat",
]
IN_FISH = [
    "begin; ./show; end",
    "begin; ./show; end | cat",
    "for i in 1; ./show; end",
    "if ./show; true; end",
    "not ./show",
    "./show &; wait",
    "set x (printenv THING); ./show $x",
    "./show (printenv THING)",
]
RC = {
    BASH: "alias an_alias=./show; a_function() { ./show; }\n",
    ZSH: "alias an_alias=./show; a_function() { ./show }\n",
    FISH: "alias an_alias=./show; function a_function; ./show; end\n",
}
LINES = {
    BASH: [*IN_EVERY_SHELL, *IN_BASH_AND_ZSH],
    ZSH: [*IN_EVERY_SHELL, *IN_BASH_AND_ZSH, *BEGIN_WITH_A_SUBSHELL],
    FISH: [*IN_EVERY_SHELL, *IN_FISH],
}


@dataclass
class Sitting:
    """A person who leaves a role shell idle for hours, again and again."""

    desk: Desk
    clock: FakeClock
    person: AtPrompt
    number: int = 0
    seen: list[str] = field(default_factory=list)

    def goes_away(self) -> str:
        """Let the session end while the shell waits; return the value that a renewal gives THING."""
        self.number += 1
        thing = f"fresh-{self.number}"
        now = self.clock.now + 3 * HOUR
        self.desk.answer_with(THING=thing, GDS_EXEC_RENEW_AT=now + HOUR, GDS_EXEC_EXPIRES_AT=now + 2 * HOUR)
        self.clock.set_forward(3 * HOUR)
        return thing

    def shows(self, line: str) -> list[str]:
        """Type a line, and return what ./show recorded."""
        shown = self.desk.home / "shown"
        shown.write_text("")
        self.person.terminal.sendline(f"{line}\n echo fin''ished")
        self.person.sees("finished\r\n")
        self.person.sees("user> ")
        return shown.read_text().split()

    def is_served(self, line: str) -> bool:
        """Say whether a line typed hours later finds the fresh value."""
        fresh = self.goes_away()
        return set(self.shows(line)) == {fresh}


def nothing() -> None:
    """Do nothing."""


def sit_down(desk: Desk, rc: str = "") -> Sitting:
    """Open a role shell whose clock stands still until told."""
    clock = FakeClock(desk.home / "clock")
    desk.write_rc(RC[desk.dialect] + rc)
    show = desk.home / "show"
    show.write_text(SHOW)
    show.chmod(0o755)
    person = desk.open(under=clock.under)
    person.types("")
    person.sees("user> ")  # so that the clock moves while the shell waits
    return Sitting(desk, clock, person)


@pytest.fixture(params=[BASH, ZSH, FISH], ids=str)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(tmp_path, request.param)


@pytest.fixture
def bash_desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, BASH)


def test_whatever_line_comes_after_the_end_gets_the_fresh_key(desk: Desk) -> None:
    sitting = sit_down(desk)

    stale = [line for line in LINES[desk.dialect] if not sitting.is_served(line)]

    assert stale == []


def test_a_subshell_at_the_start_of_a_line_of_bash_is_not_checked(bash_desk: Desk) -> None:
    sitting = sit_down(bash_desk)

    fresh = [line for line in BEGIN_WITH_A_SUBSHELL if sitting.is_served(line)]

    assert fresh == []
    assert sitting.is_served("true; (./show)")


def test_the_users_own_preexec_gets_the_fresh_key_too(tmp_path: Path) -> None:
    sitting = sit_down(Desk(tmp_path, ZSH), "looks() { ./show }; preexec_functions=(looks)")

    assert sitting.is_served("true")


def test_in_a_long_line_of_bash_each_command_is_checked(bash_desk: Desk) -> None:
    sitting = sit_down(bash_desk)
    now = sitting.clock.now
    later = bash_desk.home / "later"
    bash_desk.answer_with(THING="fresh", GDS_EXEC_RENEW_AT=now + 9 * HOUR, GDS_EXEC_EXPIRES_AT=now + 9 * HOUR)
    later.write_text(sitting.clock.text_after(3 * HOUR))

    assert sitting.shows("for i in 1 2; do ./show; cp later clock; done") == ["old", "fresh"]


def test_a_user_who_declines_runs_the_command_with_the_old_key(desk: Desk) -> None:
    sitting = sit_down(desk)
    desk.answer("exit 124")
    sitting.clock.set_forward(3 * HOUR)

    assert sitting.shows("./show") == ["old"]

    assert len(desk.calls()) == 1
    assert f"({MARKER} expired) " in sitting.person.terminal.before


@pytest.mark.parametrize(
    ("dialect", "runs"), [(BASH, False), (ZSH, False), (FISH, True)], ids=["bash", "zsh", "fish"]
)
def test_ctrl_c_at_the_question_discards_the_line_where_the_shell_can(
    tmp_path: Path, dialect: Dialect, runs: bool
) -> None:
    desk = Desk(tmp_path, dialect)
    sitting = sit_down(desk)
    desk.answer("stty icanon isig < /dev/tty; echo 'MFA code for prod: ' > /dev/tty; read code < /dev/tty")
    sitting.clock.set_forward(3 * HOUR)
    sitting.person.terminal.sendline("echo it r''an")
    sitting.person.sees("MFA code for prod: ")

    sitting.person.terminal.sendintr()
    sitting.person.sees(f"({MARKER} expired) user> ")

    assert ("it ran" in sitting.person.terminal.before) == runs
    assert sitting.person.reads("$THING") == "old"
    assert len(desk.calls()) == 1


def test_a_renewal_elsewhere_is_taken_up_after_a_refusal_here(desk: Desk) -> None:
    sitting = sit_down(desk)
    desk.answer("exit 124")
    sitting.person.types(desk.dialect.statement % ("GDS_EXEC_SHELL", desk.home / "record"))
    sitting.person.types(desk.dialect.statement % ("GDS_EXEC_RENEW_AT", 1))
    desk.answer_with(THING="fresh", GDS_EXEC_RENEW_AT=sitting.clock.now + HOUR)
    assert sitting.shows("./show") == ["old"]

    (desk.home / "record.renewed").touch()

    assert sitting.shows("./show") == ["fresh"]


# Settings of bash users

TRAP = "trap 'echo \"$? $_ $BASH_COMMAND\" >> seen' DEBUG"
BASH_SETTINGS = [
    "set -T",
    "set -e",
    "set -u",
    "set -aeuT",
    "set -o posix",
    "shopt -s extdebug",
    "shopt -s extdebug; set -e",
    "shopt -s nullglob failglob",
    "shopt -u promptvars",
    "set -T; shopt -u promptvars",
    "PS0='about to run\\n'",
    "PROMPT_COMMAND='true; false'",
    "PROMPT_COMMAND=(true 'true; ')",
    "alias trap=false case=false set=false :=false",
    "trap 'true' RETURN",
    TRAP,
    f"shopt -s extdebug; {TRAP}",
    f"set -eu; {TRAP}",
    "trap '' DEBUG",
    "trap 'true # with a reason' DEBUG",
    "PROMPT_COMMAND=\"trap 'true' DEBUG\"",
]
LEFT_BY_A_LINE = [
    ("sh -c 'exit 3' | true | sh -c 'exit 4'", '"$? ${PIPESTATUS[*]}"'),
    ("sh -c 'exit 3' | true | sh -c 'exit 4'", '"$?"; echo "$-"'),
    ("echo some words", '"$_"'),
    ("true", '"$-" "$(echo "$-")"'),
]
ENDS_AT_A_FAILURE = re.compile("set -[a-z]*e").search


@pytest.mark.parametrize("setting", BASH_SETTINGS)
def test_whatever_is_set_in_bash_the_next_command_gets_the_fresh_key(bash_desk: Desk, setting: str) -> None:
    sitting = sit_down(bash_desk, setting)
    lines = ["./show", "./show | cat", "./show $(printenv THING)"]

    stale = [line for line in lines if not sitting.is_served(line)]

    assert stale == []


@pytest.mark.parametrize("setting", [setting for setting in BASH_SETTINGS if not ENDS_AT_A_FAILURE(setting)])
@pytest.mark.parametrize("is_renewed", [False, True], ids=["in time", "renewed"])
def test_whatever_is_set_in_bash_a_command_finds_what_the_last_one_left(
    bash_desk: Desk, setting: str, is_renewed: bool
) -> None:
    bash_desk.write_rc(setting)
    plain = bash_desk.open(is_plain=True)
    expected = [finds(plain, *lines) for lines in LEFT_BY_A_LINE]
    sitting = sit_down(bash_desk, setting)

    found = []
    for lines in LEFT_BY_A_LINE:
        found.append(finds(sitting.person, *lines, meanwhile=sitting.goes_away if is_renewed else nothing))

    assert found == expected
    assert len(bash_desk.calls()) == (len(LEFT_BY_A_LINE) if is_renewed else 0)


def finds(person: AtPrompt, line: str, expression: str, *, meanwhile: Callable[[], object] = nothing) -> str:
    """Return the value of an expression after a line, and do something while the shell waits in between."""
    person.types("")
    person.sees("user> ")
    person.terminal.sendline(line)
    person.sees("user> ")
    meanwhile()
    return person.reads(expression)


def test_a_trap_that_is_set_later_is_kept_and_sees_the_users_commands(bash_desk: Desk) -> None:
    sitting = sit_down(bash_desk)
    sitting.person.types(TRAP)
    sitting.person.types("sh -c 'exit 3'")

    assert sitting.is_served("./show")

    seen = (bash_desk.home / "seen").read_text().splitlines()
    assert "0 exit 3 sh -c 'exit 3'" not in seen  # `$_` is that of the command before
    assert any(line.endswith(" sh -c 'exit 3'") for line in seen)
    assert any(line.endswith(" ./show") for line in seen)


def test_a_trap_skips_commands_with_extdebug_as_it_did(bash_desk: Desk) -> None:
    sitting = sit_down(bash_desk, "shopt -s extdebug; trap '[[ $BASH_COMMAND != *forbidden* ]]' DEBUG")
    fresh = sitting.goes_away()

    assert sitting.shows("./show forbidden; ./show allowed; ./show") == ["allowed", fresh]


def test_a_trap_that_is_taken_away_stays_away(bash_desk: Desk) -> None:
    sitting = sit_down(bash_desk, TRAP)
    sitting.person.types("trap - DEBUG")
    (bash_desk.home / "seen").write_text("")

    assert sitting.is_served("./show")

    assert (bash_desk.home / "seen").read_text() == ""


def test_a_trace_of_bash_shows_nothing_before_a_command(bash_desk: Desk) -> None:
    sitting = sit_down(bash_desk)
    sitting.person.types("set -x")
    sitting.person.sees("user> ")
    fresh = sitting.goes_away()

    sitting.person.terminal.sendline("printenv THING")
    sitting.person.sees(f"{fresh}\r\n")

    assert "gds" not in sitting.person.terminal.before


def test_completion_in_bash_renews_nothing(bash_desk: Desk) -> None:
    sitting = sit_down(
        bash_desk, "completes() { printenv THING > completed; COMPREPLY=(); }; complete -F completes thing"
    )
    sitting.goes_away()

    sitting.person.terminal.send("thing \t\t\x15")
    assert sitting.person.hears("cat completed") == "old"

    assert sitting.is_served("./show")


def test_the_users_prompt_commands_in_bash_renew_nothing(bash_desk: Desk) -> None:
    sitting = sit_down(bash_desk, "PROMPT_COMMAND='printenv THING > prompted; true'")
    (bash_desk.home / "later").write_text(sitting.clock.text_after(3 * HOUR))
    bash_desk.answer_with(THING="fresh", GDS_EXEC_RENEW_AT=4_000_000_000)

    sitting.person.terminal.sendline("cp later clock")
    sitting.person.sees("user> ")

    assert (bash_desk.home / "prompted").read_text() == "old\n"
    assert sitting.person.reads("$THING") == "fresh"


# A short version of bash-preexec: it owns the DEBUG trap.
PREEXEC = """
__bp_preexec_invoke_exec() {
    local name
    [ -n "$__bp_preexec_interactive_mode" ] || return 0
    __bp_preexec_interactive_mode=
    for name in "${preexec_functions[@]}"; do "$name" "$BASH_COMMAND"; done
}
__bp_precmd_invoke_cmd() { :; }
__bp_interactive_mode() { __bp_preexec_interactive_mode=on; }
__bp_install() {
    trap - DEBUG
    PROMPT_COMMAND=$'__bp_precmd_invoke_cmd\\n'${PROMPT_COMMAND#__bp_install}$'\\n__bp_interactive_mode'
    trap '__bp_preexec_invoke_exec "$_"' DEBUG
    __bp_interactive_mode
}
declare -ft __bp_install
looks() { ./show; }
preexec_functions=(looks)
PROMPT_COMMAND=$'__bp_install'
"""


def test_bash_preexec_is_used_and_keeps_its_trap(bash_desk: Desk) -> None:
    sitting = sit_down(bash_desk, PREEXEC)

    assert sitting.is_served("true")
    sitting.person.types("preexec_functions=(${preexec_functions[@]/looks/true})")
    assert sitting.is_served("./show")
    assert sitting.is_served("true | ./show")

    assert sitting.person.reads('"$(trap -p DEBUG)"') == "trap -- '__bp_preexec_invoke_exec \"$_\"' DEBUG"
    assert sitting.person.reads("${preexec_functions[0]}") == "__gds_exec_before_line"
