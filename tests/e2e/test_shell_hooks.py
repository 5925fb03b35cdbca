"""Role shells renew at their prompt and are in all else the user's own: one table, run by each shell."""

import shlex
import time
from pathlib import Path

import pytest

from gds_exec.hidden_subcommands import subcommand_arguments
from gds_exec.options import SHELL_RENEW

from ..processes import strace
from .role_shells import BASH, FISH, HOUR, MARKER, ZSH, Desk, Dialect, FakeClock

PROMPT = f"({MARKER}) user> "
LATER = 4_000_000_000


@pytest.fixture(params=[BASH, ZSH, FISH], ids=str)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(tmp_path, request.param)


@pytest.fixture
def bash_desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, BASH)


@pytest.fixture
def zsh_desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, ZSH)


def test_the_role_stands_in_front_of_the_users_own_prompt_and_his_rc_is_read(desk: Desk) -> None:
    person = desk.open()

    person.sees(PROMPT)
    person.types("hello")

    assert "from an alias" in person.terminal.before
    person.sees(PROMPT)


@pytest.mark.parametrize(
    ("renew_in", "expires_in", "marker"),
    [
        pytest.param(HOUR, 2 * HOUR, MARKER, id="time enough"),
        pytest.param(-60, 230, f"{MARKER} 4m", id="little time"),
        pytest.param(-60, 20, f"{MARKER} 1m", id="hardly any"),
        pytest.param(-60, -1, f"{MARKER} expired", id="none"),
    ],
)
def test_the_marker_tells_when_a_renewal_is_overdue(
    desk: Desk, renew_in: int, expires_in: int, marker: str
) -> None:
    person = desk.open(renew_in=renew_in, expires_in=expires_in)

    person.sees(f"({marker}) user> ")


def test_the_marker_changes_while_the_shell_is_open(desk: Desk) -> None:
    person = desk.open()
    person.sees(PROMPT)

    person.types(desk.dialect.statement % ("GDS_EXEC_EXPIRES_AT", int(time.time()) - 1))

    person.sees(f"({MARKER} expired) user> ")


def test_a_session_that_does_not_expire_is_never_renewed(desk: Desk) -> None:
    person = desk.open(environ={"GDS_EXEC_RENEW_AT": "", "GDS_EXEC_EXPIRES_AT": ""})

    person.sees(PROMPT)
    person.types("")

    person.sees(PROMPT)
    assert desk.calls() == []


def test_while_there_is_time_gds_exec_is_not_called(desk: Desk) -> None:
    person = desk.open()

    for _ in range(3):
        person.types("")

    assert desk.calls() == []


def test_near_the_end_the_variables_are_renewed_once(desk: Desk) -> None:
    desk.answer_with(THING="new", GDS_EXEC_RENEW_AT=LATER, GDS_EXEC_EXPIRES_AT=LATER)

    person = desk.open(renew_in=-1, expires_in=60)

    person.sees(PROMPT)
    assert person.hears("printenv THING") == "new"
    called = " ".join(subcommand_arguments(SHELL_RENEW, desk.dialect.kind))
    assert desk.calls() == [f"{called} for /nowhere"]


def test_a_renewal_that_fails_keeps_the_variables_and_is_not_tried_at_the_next_prompt(desk: Desk) -> None:
    desk.answer("echo 'export THING=half'; echo why it fails >&2; exit 124")

    person = desk.open(renew_in=-1, expires_in=230)

    person.sees("why it fails")
    person.sees(f"({MARKER} 4m) user> ")
    assert person.reads("$THING") == "old"
    assert len(desk.calls()) == 1


def test_a_renewal_that_failed_is_tried_again_after_half_a_minute(desk: Desk) -> None:
    clock = FakeClock(desk.home / "clock")
    person = desk.open(renew_in=-1, expires_in=230, under=clock.under)
    person.sees("4m) user> ")
    desk.answer_with(THING="new", GDS_EXEC_RENEW_AT=LATER, GDS_EXEC_EXPIRES_AT=LATER)

    clock.set_forward(29)
    assert person.reads("$THING") == "old"
    clock.set_forward(2)
    person.types("")

    assert person.reads("$THING") == "new"
    assert len(desk.calls()) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(
            "echo 'gds-exec: gds-exec was upgraded [upgraded]' >&2; exit 126", "[upgraded]", id="version"
        ),
        pytest.param("echo \"gds-exec: no command '1'\" >&2; exit 127", "[upgraded]", id="no subcommand"),
        pytest.param(None, "[upgraded]", id="gone"),
    ],
)
def test_a_shell_whose_gds_exec_was_upgraded_says_so_once_and_keeps_its_variables(
    desk: Desk, answer: str | None, said: str
) -> None:
    clock = FakeClock(desk.home / "clock")
    if answer is None:
        desk.program.unlink()
    else:
        desk.answer(answer)
    person = desk.open(renew_in=-1, expires_in=230, under=clock.under)
    person.sees(said)
    person.sees(f"({MARKER} 4m) user> ")

    for seconds in (31, 31):
        clock.set_forward(seconds)
        person.types("")
        assert "gds-exec: " not in person.terminal.before
    person.sees(f"({MARKER} 3m) user> ")
    assert person.reads("$THING") == "old"
    assert len(desk.calls()) == (answer is not None)


def test_a_gds_exec_that_was_gone_for_a_moment_renews_the_shell(desk: Desk) -> None:
    clock = FakeClock(desk.home / "clock")
    away = desk.program.rename(desk.home / "away")
    person = desk.open(renew_in=-1, expires_in=230, under=clock.under)
    person.sees("[upgraded]")
    away.rename(desk.program)
    desk.answer_with(THING="new", GDS_EXEC_RENEW_AT=LATER, GDS_EXEC_EXPIRES_AT=LATER)

    clock.set_forward(31)
    person.types("")

    assert person.reads("$THING") == "new"


@pytest.mark.parametrize("option", ["", "set -a"])
def test_no_command_sees_the_path_of_gds_exec(desk: Desk, option: str) -> None:
    if option and desk.dialect is FISH:
        pytest.skip("fish has no such option")
    desk.write_rc(option)
    person = desk.open()

    environ = person.hears("env")
    nested = person.hears(f"{desk.dialect.kind} -c env")

    assert "GDS_EXEC_SHELL=" in environ
    for seen in (environ, nested):
        assert "GDS_EXEC_PROGRAM" not in seen
        assert str(desk.program) not in seen
    assert person.reads("$__gds_exec_program") == str(desk.program)


def test_a_shell_that_takes_the_place_of_a_role_shell_in_its_rc_file_knows_gds_exec(desk: Desk) -> None:
    desk.write_rc(desk.dialect.init % f"cat {desk.write_hook()}")
    start = f"exec env STARTED=1 {desk.dialect.kind} -i"
    with (desk.home / desk.dialect.rc_file).open("a") as file:
        file.write(
            f"\nset -q STARTED; or {start}\n"
            if desk.dialect is FISH
            else f'\n[ -n "${{STARTED-}}" ] || {start}\n'
        )
    desk.answer_with(THING="new", GDS_EXEC_RENEW_AT=LATER, GDS_EXEC_EXPIRES_AT=LATER)

    person = desk.open(renew_in=-1, environ={"PATH": "/usr/bin:/bin"})

    person.sees(PROMPT)
    assert person.reads("$THING") == "new"


def test_a_shell_that_takes_the_place_of_a_role_shell_finds_gds_exec_on_an_absolute_path(desk: Desk) -> None:
    desk.write_rc(desk.dialect.init % f"cat {desk.write_hook()}")
    (desk.home / "relative").mkdir()
    wrong = desk.home / "relative" / "gds-exec"
    wrong.write_text("#!/bin/sh\necho ran > wrong\n")
    wrong.chmod(0o755)
    (desk.home / "directory" / "gds-exec").mkdir(parents=True)
    path = f"relative:.:{desk.home}/directory:{desk.home}:/usr/bin:/bin"
    person = desk.open(environ={"PATH": path})
    person.sees(PROMPT)
    desk.answer_with(THING="new", GDS_EXEC_RENEW_AT=LATER, GDS_EXEC_EXPIRES_AT=LATER)

    person.terminal.sendline(f"exec env GDS_EXEC_RENEW_AT=1 {desk.dialect.kind} -i")
    person.sees(PROMPT)

    assert person.reads("$THING") == "new"
    assert not (desk.home / "wrong").exists()


def test_a_shell_that_takes_the_place_of_a_role_shell_and_finds_no_gds_exec_says_so(desk: Desk) -> None:
    desk.write_rc(desk.dialect.init % f"cat {desk.write_hook()}")
    person = desk.open(environ={"PATH": "/usr/bin:/bin"})
    person.sees(PROMPT)

    person.terminal.sendline(f"exec env GDS_EXEC_RENEW_AT=1 {desk.dialect.kind} -i")

    person.sees("gds-exec: gds-exec was upgraded or removed while this shell was open [upgraded]")
    person.sees("hint: leave this shell and open it again")


def test_a_session_that_was_renewed_for_a_moment_only_is_renewed_again_at_once(desk: Desk) -> None:
    desk.answer_with(GDS_EXEC_RENEW_AT=1, GDS_EXEC_EXPIRES_AT=LATER)
    person = desk.open(renew_in=-1, expires_in=60)

    person.types("")

    assert len(desk.calls()) > 1


def test_word_of_a_renewal_elsewhere_is_followed_at_the_next_prompt(desk: Desk) -> None:
    record = desk.home / "record"
    desk.answer_with(THING="new")
    person = desk.open()
    person.types(desk.dialect.statement % ("GDS_EXEC_SHELL", record))
    assert desk.calls() == []

    (desk.home / "record.renewed").touch()
    person.types("")

    assert person.reads("$THING") == "new"


def test_word_of_a_renewal_that_fails_is_not_followed_at_each_prompt(desk: Desk) -> None:
    desk.answer("exit 1")
    person = desk.open()
    person.types(desk.dialect.statement % ("GDS_EXEC_SHELL", desk.home / "record"))
    (desk.home / "record.renewed").touch()

    for _ in range(3):
        person.types("")

    assert len(desk.calls()) == 1
    assert person.reads("$THING") == "old"


def test_ctrl_c_at_the_question_leads_to_the_prompt_and_no_second_question(desk: Desk) -> None:
    desk.answer("echo 'MFA code for prod: ' > /dev/tty; read answer < /dev/tty")
    person = desk.open(renew_in=-1, expires_in=230)
    person.sees("MFA code for prod: ")

    person.terminal.sendintr()

    person.sees(f"({MARKER} 4m) user> ")
    assert person.reads("$THING") == "old"
    assert len(desk.calls()) == 1


def test_ctrl_c_at_the_question_of_the_first_prompt_is_not_the_end_of_renewals(desk: Desk) -> None:
    desk.answer("echo 'MFA code for prod: ' > /dev/tty; read answer < /dev/tty")
    person = desk.open(renew_in=-1, expires_in=230)
    person.sees("MFA code for prod: ")
    person.terminal.sendintr()
    person.sees(f"({MARKER} 4m) user> ")

    person.terminal.sendline(desk.dialect.statement % ("GDS_EXEC_EXPIRES_AT", 1))

    person.sees(f"({MARKER} expired) user> ")


def test_the_question_is_answered_at_the_prompt(desk: Desk) -> None:
    statement = desk.dialect.statement % ("THING", '"$code"')
    later = desk.dialect.statement % ("GDS_EXEC_RENEW_AT", LATER)
    # As gds-exec does, for fish leaves the terminal raw.
    desk.answer(
        "kept=$(stty -g < /dev/tty); stty icanon icrnl < /dev/tty\n"
        "echo 'MFA code for prod: ' > /dev/tty; read code < /dev/tty; stty $kept < /dev/tty\n"
        f"cat <<end\n{statement}\n{later}\nend"
    )
    person = desk.open(renew_in=-1, expires_in=230)
    person.sees("MFA code for prod: ")

    person.terminal.sendline("123456")

    person.sees("user> ")
    assert person.reads("$THING") == "123456"


def test_statuses_are_those_of_the_users_last_command(desk: Desk) -> None:
    person = desk.open(renew_in=-1, expires_in=230)
    person.sees("user> ")

    for expression, expected in [(desk.dialect.status, "4"), (desk.dialect.pipe_status, "3 4")]:
        person.terminal.sendline(desk.dialect.failing_pipeline)
        assert person.reads(expression) == expected


def test_the_prompt_itself_can_show_the_status(desk: Desk) -> None:
    person = desk.open()
    person.types(desk.dialect.prompt_with_status)

    person.terminal.sendline(desk.dialect.failing_pipeline)

    person.sees(f"({MARKER}) <4> ")


def test_a_prompt_built_before_each_prompt_is_marked(desk: Desk) -> None:
    desk.write_rc(desk.dialect.prompt_built_each_time)
    person = desk.open()

    for _ in range(2):
        person.sees(PROMPT)
        person.types("")


def test_a_prompt_that_is_built_from_now_on_is_marked_too(desk: Desk) -> None:
    person = desk.open()
    person.sees(PROMPT)

    person.types(desk.dialect.prompt_built_later)
    person.types("")

    person.sees(f"({MARKER}) built> ")


def test_a_new_prompt_has_the_marker_once(desk: Desk) -> None:
    person = desk.open()
    person.sees(PROMPT)

    person.types(desk.dialect.set_prompt % "other> ")
    person.types("")

    person.sees(f"({MARKER}) other> ")
    assert f"({MARKER}) (" not in person.terminal.before + person.terminal.after


def test_what_is_put_in_front_of_the_prompt_stands_behind_the_marker(desk: Desk) -> None:
    person = desk.open()
    person.sees(PROMPT)

    person.types(desk.dialect.prefix_prompt)
    person.types("")

    person.sees(f"({MARKER}) (venv) user> ")


@pytest.mark.parametrize(
    ("dialect", "setting"),
    [
        (BASH, ""),
        (BASH, "shopt -u promptvars"),
        (BASH, "set -o posix"),
        (ZSH, ""),
        (ZSH, "setopt prompt_subst prompt_bang"),
        (ZSH, "unsetopt prompt_percent"),
        (FISH, ""),
    ],
    ids=str,
)
def test_the_markers_text_is_never_expanded(tmp_path: Path, dialect: Dialect, setting: str) -> None:
    desk = Desk(tmp_path, dialect)
    desk.write_rc(setting)
    text = r"$(touch x) `touch x` %n %% \u \\ ! $HOME ${THING} 'q'"

    person = desk.open(environ={"GDS_EXEC_PROMPT": text})

    person.sees(f"({text}) user> ")
    person.types("")
    person.sees(f"({text}) user> ")
    assert not (desk.home / "x").exists()


@pytest.mark.parametrize(
    ("environ", "is_coloured"),
    [
        pytest.param({"TERM": "xterm"}, True, id="colour"),
        pytest.param({"TERM": "xterm", "NO_COLOR": "1"}, False, id="NO_COLOR"),
        pytest.param({"TERM": "dumb"}, False, id="dumb"),
    ],
)
def test_colour_is_for_those_who_can_and_want_to_see_it(
    desk: Desk, environ: dict[str, str], is_coloured: bool
) -> None:
    person = desk.open(environ=environ)

    person.sees(f"({MARKER}) ")

    assert person.terminal.before.endswith("\x1b[32m") == is_coloured


def test_a_shell_inside_the_role_shell_does_not_renew(desk: Desk) -> None:
    desk.write_rc(desk.dialect.init % f"cat {desk.write_hook()}")
    person = desk.open()
    person.sees(PROMPT)
    person.types(desk.dialect.statement % ("GDS_EXEC_RENEW_AT", LATER))

    person.terminal.sendline(f"GDS_EXEC_RENEW_AT=1 {desk.dialect.kind} -i")

    assert person.reads(desk.dialect.own_id) != str(person.terminal.pid)
    assert desk.calls() == []


def test_the_hook_in_ones_own_rc_acts_in_the_shell_that_is_named(desk: Desk) -> None:
    desk.write_rc(desk.dialect.init % f"cat {desk.write_hook()}")
    desk.answer_with(THING="new", GDS_EXEC_RENEW_AT=LATER, GDS_EXEC_EXPIRES_AT=LATER)

    person = desk.open(renew_in=-1, is_plain=True)

    person.sees(PROMPT)
    assert person.reads("$THING") == "new"
    assert len(desk.calls()) == 1


def test_the_hook_twice_is_the_hook_once(desk: Desk) -> None:
    desk.write_rc(desk.dialect.init % f"cat {desk.write_hook()}")

    person = desk.open(renew_in=-1, expires_in=230)

    person.sees(f"({MARKER} 4m) user> ")
    person.types("")
    person.sees(f"({MARKER} 4m) user> ")
    assert len(desk.calls()) == 1


def test_the_history_holds_what_the_user_typed_and_is_kept_where_it_was(desk: Desk) -> None:
    desk.write_rc(desk.dialect.keep_history)
    desk.answer_with(THING="new", GDS_EXEC_RENEW_AT=LATER)
    person = desk.open(renew_in=-1)
    person.sees(PROMPT)

    person.terminal.sendline("true memorable")
    person.leaves()

    history = (desk.home / desk.dialect.history_file).read_text()
    assert "memorable" in history
    assert "gds" not in history


def test_leaving_the_shell_gives_its_status(desk: Desk) -> None:
    person = desk.open(renew_in=-1)
    person.sees("user> ")

    assert person.leaves("exit 7") == 7


def test_no_process_is_started_at_a_prompt_while_there_is_time(desk: Desk) -> None:
    log = desk.home / "trace"
    calls = ("-e", "trace=execve,execveat,fork,vfork,clone,clone3", "-e", "signal=none")
    person = desk.open(under=strace("-f", "-qq", "-o", str(log), *calls))
    person.types("")
    person.sees(PROMPT)
    before = len(started(log))

    for _ in range(3):
        person.types("")

    assert started(log)[before:] == []
    person.types("env true")
    assert any("execve" in call for call in started(log)[before:])


BASH_SETTINGS = [
    "set -u",
    "set -e",
    "set -aeuT",
    "set -o posix",
    "shopt -s nullglob failglob",
    "alias local=false printf=false eval=false case=false",
    "PROMPT_COMMAND=true",
    "PROMPT_COMMAND='true;'",
    "PROMPT_COMMAND='true # with a reason'",
    "PROMPT_COMMAND=(true 'true; ')",
    "export PROMPT_COMMAND=",
]
ZSH_SETTINGS = [
    "set -u",
    "setopt err_exit",
    "setopt err_return ksh_arrays sh_word_split glob_subst",
    "setopt rc_quotes ignore_braces warn_create_global no_function_argzero",
    "alias local=false eval=false; alias -g L=false",
    "precmd_functions=(true); preexec_functions=(true)",
    "precmd() { true }",
    "typeset -U precmd_functions",
]
FISH_SETTINGS = [
    "function path; false; end; function math; false; end; function printf; false; end",
    "function source; false; end; function functions; false; end; function set_color; false; end",
    "set -g fish_trace ''",
]


@pytest.mark.parametrize(
    ("dialect", "setting"),
    [
        *((BASH, setting) for setting in BASH_SETTINGS),
        *((ZSH, setting) for setting in ZSH_SETTINGS),
        *((FISH, setting) for setting in FISH_SETTINGS),
    ],
    ids=str,
)
def test_whatever_the_user_has_set_the_hook_works_and_leaves_it_so(
    tmp_path: Path, dialect: Dialect, setting: str
) -> None:
    desk = Desk(tmp_path, dialect)
    desk.write_rc(setting)
    desk.answer_with(THING="new", GDS_EXEC_RENEW_AT=LATER, GDS_EXEC_EXPIRES_AT=LATER)
    options = desk.open(is_plain=True).reads(dialect.options)

    person = desk.open(renew_in=-1)

    person.sees(PROMPT)
    assert person.reads(dialect.options) == options
    assert person.reads("$THING") == "new"
    person.sees(PROMPT)
    assert len(desk.calls()) == 1


def test_what_is_added_to_a_list_of_prompt_commands_comes_before_the_marker(bash_desk: Desk) -> None:
    bash_desk.write_rc("PROMPT_COMMAND=(true true)")
    person = bash_desk.open()
    if int(person.reads("${BASH_VERSINFO[0]}${BASH_VERSINFO[1]}")) < 51:
        pytest.skip("this bash knows no list of prompt commands")

    person.types("""PROMPT_COMMAND+=("PS1='built> '")""")
    person.types("")

    person.sees(f"({MARKER}) built> ")


def test_bash_preexec_keeps_the_last_word(bash_desk: Desk) -> None:
    bash_desk.write_rc("__bp_interactive_mode() { true; }; PROMPT_COMMAND='true; __bp_interactive_mode'")
    person = bash_desk.open()

    for _ in range(2):
        person.sees(PROMPT)
        assert person.reads("\"${PROMPT_COMMAND##*$'\\n'}\"") == "__bp_interactive_mode"


def test_options_of_bash_survive_ctrl_c_at_the_question(bash_desk: Desk) -> None:
    bash_desk.write_rc("set -u")
    bash_desk.answer("echo 'MFA code for prod: ' > /dev/tty; read answer < /dev/tty")
    person = bash_desk.open(renew_in=-1)
    person.sees("MFA code for prod: ")
    person.terminal.sendintr()
    person.sees("user> ")

    assert "u" in person.reads("$-")


def test_traps_of_bash_see_only_the_prompt_command_of_the_hook_and_no_failure_twice(bash_desk: Desk) -> None:
    person = bash_desk.open()
    person.types("trap 'echo $BASH_COMMAND >> debug' DEBUG; trap 'echo $? >> failures' ERR")
    person.types("GDS_EXEC_RENEW_AT=1")

    person.types("sh -c 'exit 3'")

    seen = (bash_desk.home / "debug").read_text().splitlines()
    assert {line.split()[0] for line in seen if "gds" in line} == {
        "__gds_exec_status=$?",
        "__gds_exec_tick",
        "return",  # once, when the hook has put the trap back
    }
    assert len(bash_desk.calls()) == 1
    assert (bash_desk.home / "failures").read_text() == "3\n"


@pytest.mark.parametrize("is_set_first", [True, False], ids=["in the rc file", "at the prompt"])
@pytest.mark.parametrize("option", ["set -T", "shopt -s extdebug"])
@pytest.mark.parametrize(
    "trap",
    [r"""trap 'printf "\033]0;%s\007" "$PWD"' DEBUG""", "trap 'echo \"D:$BASH_COMMAND\"' DEBUG"],
    ids=["sets the title", "shows the command"],
)
def test_what_a_trap_of_bash_prints_is_never_run_and_the_trap_stays(
    bash_desk: Desk, trap: str, option: str, is_set_first: bool
) -> None:
    (bash_desk.home / "$(touch pwned)").mkdir()
    settings = f"{option}; cd '$(touch pwned)'; {trap}"
    if is_set_first:
        bash_desk.write_rc(settings)
    person = bash_desk.open()
    if not is_set_first:
        person.types(settings)

    assert person.reads("ran") == "ran"
    own_text = trap.removeprefix("trap '").removesuffix("' DEBUG")
    assert own_text in person.hears("trap -p DEBUG")
    person.types("trap - DEBUG")
    assert own_text not in person.hears("trap -p DEBUG")
    assert list(bash_desk.home.rglob("pwned")) == []


@pytest.mark.parametrize(
    "trap",
    ['it\'s "quoted"', "''", r"\'", "a\nb", "$(touch pwned)", "; touch pwned; trap -- '"],
)
def test_a_trap_of_bash_is_kept_character_for_character(bash_desk: Desk, trap: str) -> None:
    person = bash_desk.open()
    comment = f": # {trap}".replace("\n", "\n: # ")
    person.types(f"trap {shlex.quote(comment)} DEBUG")

    kept = person.hears("trap -p DEBUG")

    assert shlex.split(kept)[2].endswith(f"\n{comment}")
    assert list(bash_desk.home.rglob("pwned")) == []


@pytest.mark.parametrize("setting", ["", "set -T"])
def test_a_return_trap_of_bash_does_not_run_for_the_hook(bash_desk: Desk, setting: str) -> None:
    bash_desk.write_rc(f"{setting}\ntrap 'echo RETURNED' RETURN")
    person = bash_desk.open(renew_in=-1)
    person.sees("user> ")

    for line in ["", "(echo b)", "f() { :; }", "echo b"]:
        person.types(line)
        assert "RETURNED" not in person.terminal.before


def test_a_completion_of_bash_runs_without_the_traps_of_the_hook(bash_desk: Desk) -> None:
    function = "completes() { echo $- > completed; trap -p >> completed; COMPREPLY=(); }"
    bash_desk.write_rc(f"{function}; complete -F completes thing")
    completed = []

    for is_plain in (True, False):
        person = bash_desk.open(is_plain=is_plain)
        person.types("")
        person.sees("user> ")
        person.terminal.send("thing \t\t\x15")
        completed.append(person.hears("cat completed"))

    assert completed[1] == completed[0]


def test_traps_of_zsh_see_two_lines_of_the_hook_and_no_failure_twice(zsh_desk: Desk) -> None:
    person = zsh_desk.open()
    person.types("trap 'echo $ZSH_DEBUG_CMD >> debug' DEBUG; TRAPZERR() { echo $? >> failures }")
    person.types("(exit 3); GDS_EXEC_RENEW_AT=1")
    person.sees("user> ")
    first = (zsh_desk.home / "debug").read_text()

    person.types("(exit 4)")

    second = (zsh_desk.home / "debug").read_text().removeprefix(first).splitlines()
    ours = ["setopt local_options local_traps no_verbose no_xtrace", "trap - DEBUG ZERR"]
    assert second[: second.index("(")] == ours
    after = second[second.index("exit 4") + 1 :]
    assert after[: after.index("echo do''ne")] == ours + ours  # before the prompt, and before the next line
    assert (zsh_desk.home / "failures").read_text() == "3\n4\n"
    assert len(zsh_desk.calls()) == 1


@pytest.mark.parametrize("option", ["x", "v"])
def test_a_trace_of_the_shell_shows_no_secret(desk: Desk, option: str) -> None:
    desk.write_rc("set -g fish_trace 1" if desk.dialect is FISH else f"set -{option}")
    desk.answer_with(THING="canary", GDS_EXEC_RENEW_AT=LATER)

    person = desk.open(renew_in=-1)
    person.sees("user> ")
    person.types("")
    shown = person.terminal.before

    assert "canary" not in shown
    person.types("")
    assert "canary" not in person.terminal.before
    assert person.reads("(string length $THING)" if desk.dialect is FISH else "${#THING}") == "6"


def test_zsh_reads_and_writes_where_the_users_own_zshenv_says(zsh_desk: Desk) -> None:
    home = zsh_desk.home
    (home / "dots").mkdir()
    (home / ".zshrc").rename(home / "dots" / ".zshrc")
    (home / ".zshenv").write_text("ZDOTDIR=$HOME/dots\n")
    for name in (".zprofile", ".zlogin"):
        (home / "dots" / name).write_text("THING=login\n")

    person = zsh_desk.open()

    person.sees(PROMPT)
    assert person.reads("$ZDOTDIR $THING") == f"{home}/dots old"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, "unset"), ({"ZDOTDIR": "dots"}, "dots")],
    ids=["unset", "set"],
)
def test_zsh_finds_zdotdir_as_it_was(zsh_desk: Desk, environ: dict[str, str], expected: str) -> None:
    home = zsh_desk.home
    (home / "dots").mkdir()
    (home / "dots" / ".zshrc").write_text((home / ".zshrc").read_text())

    person = zsh_desk.open(environ={name: str(home / value) for name, value in environ.items()})

    person.sees(PROMPT)
    assert person.reads("${${ZDOTDIR-unset}:t} ${+GDS_EXEC_ZDOTDIR}") == f"{expected} 0"


def started(log: Path) -> list[str]:
    """The system calls of a trace that start a process: a thread is none."""
    return [
        call for call in log.read_text().splitlines() if "CLONE_THREAD" not in call and "= -1" not in call
    ]
