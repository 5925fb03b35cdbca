"""Role shells with the real gds-exec: opened, renewed at their prompts, and left. Each shell runs them."""

import json
import shutil
from dataclasses import dataclass

import pytest

from tests.aws.faults import Fault, FaultQueue

from .expectations import assert_ours
from .observations import codes_sent, durations, session_names
from .refreshed import HOUR, records
from .role_shells import BASH, FISH, ZSH, AtPrompt, Dialect
from .test_refresh import Clock
from .world import PATH, PROMPT, PYTHON, REGION, World, finish, needs

MARKER = "prod 222222222222"
AT_EASE = f"({MARKER}) user> "
OF_THE_SHELL = {
    "GDS_EXEC_EXPIRES_AT",
    "GDS_EXEC_PROMPT",
    "GDS_EXEC_RENEW_AT",
    "GDS_EXEC_SHELL",
}
DIRECT = ("--duration", "2h")  # opened with a code, and by nothing else
SHORT_LIFE = 20 * 60
WRONG_CODE = "000000"
EXPIRED = "gds-exec: the session of this shell has expired"
NOT_RENEWED = "gds-exec: the session was not renewed: "
KEEPS = "keeps the session that it begins with"
WHO_AM_I = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])\n"


@dataclass
class Desk:
    """The home of somebody who uses one shell, in the world of the test."""

    world: World
    dialect: Dialect

    def __post_init__(self) -> None:
        path = shutil.which(self.dialect.kind, path=PATH)
        if path is None:
            pytest.skip(f"{self.dialect.kind} is not installed")
        self.world.environ |= {"SHELL": path, "TERM": "dumb"}
        self.world.add_role("prod", max_session=2 * HOUR)
        # Where this is missing, fish makes completions of all manual pages in the background.
        (self.world.home / ".local/share/fish/generated_completions").mkdir(parents=True)
        self.write_rc("")

    def write_rc(self, text: str) -> None:
        """Write the user's rc file, which always begins with the dialect's."""
        file = self.world.home / self.dialect.rc_file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.dialect.rc + text)

    def write_rc_with_hook(self) -> None:
        self.write_rc(self.dialect.init % f"gds-exec shell-init {self.dialect.kind}")

    def open(self, *argv: str) -> AtPrompt:
        """Run gds-exec, which opens a role shell."""
        return AtPrompt(self.world.terminal(*argv), self.world.home)

    def open_plainly(self) -> AtPrompt:
        """Open the shell as without gds-exec."""
        terminal = self.world.terminal_program(self.world.environ["SHELL"], "-i")
        return AtPrompt(terminal, self.world.home)


@pytest.fixture(params=[BASH, ZSH, FISH], ids=str)
def newcomer(request: pytest.FixtureRequest, world: World) -> Desk:
    """A desk at which nobody has given a code yet."""
    return Desk(world, request.param)


@pytest.fixture
def desk(newcomer: Desk) -> Desk:
    """A desk at which `prod` was opened for an hour from an MFA session, which renews it."""
    newcomer.world.sign_in("prod")
    return newcomer


@pytest.fixture
def direct(newcomer: Desk) -> Desk:
    """A desk at which `prod` was opened for two hours with a code: only another code renews it."""
    newcomer.world.sign_in("prod", *DIRECT)
    return newcomer


@pytest.fixture
def bash_desk(world: World) -> Desk:
    desk = Desk(world, BASH)
    world.sign_in("prod")
    return desk


@pytest.fixture
def clock(world: World) -> Clock:
    """The clock of everything in this world."""
    if shutil.which("faketime", path=PATH) is None:
        pytest.skip("faketime is not installed")
    clock = Clock(world)
    world.environ |= clock.environ
    return clock


def key_of(person: AtPrompt) -> str:
    """The key in the shell's environment, which is at its next prompt by then."""
    key = person.hears("printenv AWS_ACCESS_KEY_ID")
    person.sees("user> ")
    return key


def environ_of(person: AtPrompt, command: str = "env") -> dict[str, str]:
    """What a command prints that prints an environment."""
    return dict(line.split("=", 1) for line in person.hears(command).splitlines() if "=" in line)


def running(world: World) -> list[tuple[str, str, str]]:
    """What `gds-exec sessions` says that runs: its kind, its role and its program."""
    done = world.run("sessions", "--json")
    return [(found["kind"], found["role"], found["program"]) for found in json.loads(done.stdout)["running"]]


def goes_on_without(text: str, person: AtPrompt) -> None:
    """Check that the person has two prompts with nothing like this text at them."""
    for _ in range(2):
        person.types("")
        assert text not in person.terminal.before


# Opened, and left


@pytest.mark.parametrize("options", [(), ("-s",)], ids=["", "-s"])
def test_it_is_the_users_own_shell_as_the_role(desk: Desk, options: tuple[str, ...]) -> None:
    script = desk.world.home / "who.py"
    script.write_text(WHO_AM_I)

    person = desk.open("prod", *options)

    person.sees(AT_EASE)
    assert person.hears("hello") == "from an alias"
    assert ":assumed-role/prod/" in person.hears(f"{PYTHON} {script}")
    assert person.leaves("exit 7") == 7


def test_a_code_is_asked_for_before_the_shell_opens(newcomer: Desk) -> None:
    person = newcomer.open("prod")
    person.sees(PROMPT)

    person.terminal.sendline(newcomer.world.code())

    person.sees(AT_EASE)


def test_a_role_that_is_given_by_its_arn_is_marked_by_its_name(bash_desk: Desk) -> None:
    [role] = bash_desk.world.aws.roles.values()

    person = bash_desk.open(role.arn, "--source-profile", "gds-users")

    person.sees(AT_EASE)


def test_the_shell_around_it_is_as_it_was(desk: Desk) -> None:
    outer = desk.open_plainly()
    before = environ_of(outer)

    outer.terminal.sendline("gds-exec prod")
    outer.sees(AT_EASE)
    outer.terminal.sendline("exit 7")

    outer.sees("user> ")
    assert outer.reads(desk.dialect.status) == "7"
    assert environ_of(outer) == before


def test_it_is_known_to_run_until_it_is_left(desk: Desk) -> None:
    person = desk.open("prod")
    person.sees(AT_EASE)

    assert running(desk.world) == [("shell", "prod", desk.dialect.kind)]
    person.leaves()

    assert running(desk.world) == []
    assert records(desk.world) == []


@pytest.mark.parametrize(
    ("dialect", "setting"),
    [
        (BASH, "set -u"),
        (BASH, "PROMPT_COMMAND='PS1=\"user> \"'"),
        (ZSH, "set -u"),
        (ZSH, "precmd() { PROMPT='user> ' }"),
        (FISH, "function builds --on-event fish_prompt; true; end"),
    ],
    ids=str,
)
def test_what_the_user_has_set_is_no_hindrance_and_the_status_is_kept(
    world: World, clock: Clock, dialect: Dialect, setting: str
) -> None:
    desk = Desk(world, dialect)
    world.sign_in("prod")
    desk.write_rc(setting)
    person = desk.open("prod")
    person.sees(AT_EASE)
    old = key_of(person)

    clock.jump(HOUR - 600)
    person.terminal.sendline(dialect.failing_pipeline)

    assert person.reads(dialect.status) == "4"
    assert key_of(person) != old


# Renewed from the MFA session


def test_near_the_end_it_is_renewed_at_the_prompt_without_a_question(desk: Desk, clock: Clock) -> None:
    person = desk.open("prod")
    person.sees(AT_EASE)
    old = key_of(person)

    clock.jump(HOUR - 1000)
    goes_on_without(PROMPT, person)
    assert key_of(person) == old
    clock.jump(HOUR - 600)
    goes_on_without(PROMPT, person)

    person.sees(AT_EASE)
    assert key_of(person) != old
    assert int(person.hears("printenv GDS_EXEC_EXPIRES_AT")) > desk.world.aws.now() + HOUR - 60
    assert desk.world.aws.count("AssumeRole") == 2
    assert codes_sent(desk.world.aws) == 1


def test_with_little_time_left_it_is_renewed_at_its_first_prompt(desk: Desk, clock: Clock) -> None:
    clock.jump(HOUR - 400)

    person = desk.open("prod")

    person.sees(AT_EASE)
    assert desk.world.aws.count("AssumeRole") == 2


def test_it_is_renewed_wherever_path_leads(desk: Desk, clock: Clock) -> None:
    person = desk.open("prod")
    person.sees(AT_EASE)
    old = key_of(person)
    person.types(desk.dialect.statement % ("PATH", "/usr/bin:/bin"))

    clock.jump(HOUR - 600)
    person.types("")

    assert key_of(person) != old


def test_what_it_was_opened_with_is_kept(desk: Desk, clock: Clock) -> None:
    person = desk.open("prod", "--duration", "20m", "--session-name", "pairing", "--region", "eu-west-1")
    person.sees(AT_EASE)

    clock.jump(SHORT_LIFE - 60)
    person.types("")

    assert session_names(desk.world.aws)[-2:] == ["pairing", "pairing"]
    assert durations(desk.world.aws)[-2:] == [("AssumeRole", SHORT_LIFE)] * 2
    assert person.hears("printenv AWS_REGION AWS_DEFAULT_REGION") == "eu-west-1\neu-west-1"


def test_a_renewal_that_fails_keeps_the_variables_and_says_why_now_and_then(desk: Desk, clock: Clock) -> None:
    [role] = desk.world.aws.roles.values()
    person = desk.open("prod")
    person.sees(AT_EASE)
    old = key_of(person)
    role.denies_everybody = True

    clock.jump(HOUR - 600)
    person.terminal.sendline("")
    person.sees(NOT_RENEWED)
    person.sees(f"({MARKER} 10m) user> ")
    goes_on_without(NOT_RENEWED, person)
    clock.jump(HOUR - 540)
    person.terminal.sendline("")
    person.sees(NOT_RENEWED)
    assert key_of(person) == old

    role.denies_everybody = False
    clock.jump(HOUR - 480)
    person.types("")
    person.sees(AT_EASE)
    assert key_of(person) != old


def test_where_aws_does_not_answer_the_variables_stay_and_the_end_is_shown(desk: Desk, clock: Clock) -> None:
    person = desk.open("prod")
    person.sees(AT_EASE)
    old = key_of(person)
    desk.world.aws.fail("AssumeRole", Fault("reset", times=100))

    clock.jump(HOUR + 60)
    person.terminal.sendline("")
    person.sees("gds-exec: ")
    person.sees(f"({MARKER} expired) user> ")
    goes_on_without("gds-exec: ", person)
    assert key_of(person) == old

    desk.world.aws.faults = FaultQueue()
    clock.jump(HOUR + 120)
    person.types("")
    person.sees(AT_EASE)
    assert key_of(person) != old


# Renewed with a code


def test_where_only_a_code_renews_it_is_asked_for_at_the_prompt_when_little_is_left(
    direct: Desk, clock: Clock
) -> None:
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)
    old = key_of(person)
    clock.jump(2 * HOUR - 14 * 60)
    goes_on_without(PROMPT, person)
    person.sees(f"({MARKER} 14m) user> ")

    clock.jump(2 * HOUR - 4 * 60)
    person.terminal.sendline("")
    person.sees(PROMPT)
    person.terminal.sendline(WRONG_CODE)
    person.sees(PROMPT)
    assert direct.world.code() != WRONG_CODE
    person.terminal.sendline(direct.world.handed_out[-1])

    person.sees(AT_EASE)
    assert key_of(person) != old
    assert durations(direct.world.aws)[-1] == ("AssumeRole", 2 * HOUR)


@pytest.mark.parametrize("answer", ["\r", "\x03", "\x04"], ids=["Enter", "Ctrl-C", "Ctrl-D"])
def test_who_declines_keeps_the_old_variables_and_is_asked_again_later(
    direct: Desk, clock: Clock, answer: str
) -> None:
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)
    old = key_of(person)
    clock.jump(2 * HOUR - 240)
    person.terminal.sendline("")
    person.sees(PROMPT)

    person.terminal.send(answer)

    person.sees(f"({MARKER} 4m) user> ")
    goes_on_without(PROMPT, person)
    clock.jump(2 * HOUR - 170)
    goes_on_without(PROMPT, person)
    person.sees(f"({MARKER} 3m) user> ")
    assert key_of(person) == old
    clock.jump(2 * HOUR - 110)
    person.terminal.sendline("")
    person.sees(PROMPT)


def test_ctrl_z_at_the_question_stops_nobody_for_whom_the_shell_would_wait_for_ever(
    direct: Desk, clock: Clock
) -> None:
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)
    old = key_of(person)
    clock.jump(2 * HOUR - 240)
    person.terminal.sendline("")
    person.sees(PROMPT)

    code = direct.world.code()
    person.terminal.sendcontrol("z")
    person.terminal.sendline(code)

    if person.terminal.expect_exact([AT_EASE, PROMPT]) == 1:  # under fish it is a key like others
        person.terminal.sendline(code)
        person.sees(AT_EASE)
    assert key_of(person) != old


@pytest.mark.parametrize("answer", ["\r", "\x03", "\x04"], ids=["Enter", "Ctrl-C", "Ctrl-D"])
def test_a_person_who_declines_after_the_end_is_asked_again_after_ten_minutes(
    direct: Desk, clock: Clock, answer: str
) -> None:
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)
    old = key_of(person)
    clock.jump(2 * HOUR + 60)
    person.terminal.sendline("echo it r''an")
    person.sees(EXPIRED)
    person.sees(PROMPT)
    clock.jump(2 * HOUR + 120)  # the question may stand for a while

    person.terminal.send(answer)

    if answer != "\x03":
        person.sees("run: gds-exec renew")
        person.sees("it ran")
    person.sees(f"({MARKER} expired) user> ")
    goes_on_without(PROMPT, person)
    clock.jump(2 * HOUR + 120 + 590)
    goes_on_without(PROMPT, person)
    assert key_of(person) == old
    clock.jump(2 * HOUR + 120 + 700)
    person.terminal.sendline("")
    person.sees(EXPIRED)
    person.sees(PROMPT)


def test_a_person_who_declines_in_one_shell_is_asked_in_another(direct: Desk, clock: Clock) -> None:
    first, second = direct.open("prod", *DIRECT), direct.open("prod", *DIRECT)
    for person in (first, second):
        person.sees(AT_EASE)
    clock.jump(2 * HOUR + 60)
    first.terminal.sendline("")
    first.sees(PROMPT)
    first.terminal.sendline("")
    first.sees("expired) user> ")

    second.terminal.sendline("printenv AWS_ACCESS_KEY_ID")

    second.sees(EXPIRED)


def test_a_question_before_the_end_says_when_that_is(direct: Desk, clock: Clock) -> None:
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)
    clock.jump(2 * HOUR - 230)

    person.terminal.sendline("")

    person.sees("gds-exec: the session of this shell ends in 4m\r\n")
    person.sees(PROMPT)


@pytest.mark.parametrize("line", ["printenv AWS_ACCESS_KEY_ID", "(printenv AWS_ACCESS_KEY_ID)"])
def test_a_command_after_hours_has_the_new_key(desk: Desk, clock: Clock, line: str) -> None:
    if desk.dialect is not ZSH and line.startswith("("):
        pytest.skip("only zsh checks before a subshell")
    person = desk.open("prod")
    person.sees(AT_EASE)
    seen = [key_of(person)]

    for hours in (2, 4, 6):
        clock.jump(hours * HOUR)
        seen.append(person.hears(line))
        person.sees(AT_EASE)

    assert len(set(seen)) == len(seen)
    assert desk.world.aws.count("AssumeRole") == len(seen)
    assert codes_sent(desk.world.aws) == 1


@pytest.mark.parametrize("line", ["printenv AWS_ACCESS_KEY_ID", "(printenv AWS_ACCESS_KEY_ID)"])
def test_a_code_given_before_a_command_gives_it_the_new_key(direct: Desk, clock: Clock, line: str) -> None:
    if direct.dialect is not ZSH and line.startswith("("):
        pytest.skip("only zsh checks before a subshell")
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)
    old = key_of(person)
    clock.jump(2 * HOUR + 60)

    person.terminal.sendline(line)
    person.sees(PROMPT)
    person.terminal.sendline(direct.world.code())

    person.terminal.expect("ASIA[A-Z0-9]+")
    assert person.terminal.after != old
    person.sees(AT_EASE)
    assert key_of(person) == person.hears("printenv AWS_ACCESS_KEY_ID") != old


# gds-exec renew


def test_renew_needs_no_role_in_the_shell(desk: Desk) -> None:
    person = desk.open("prod")
    person.sees(AT_EASE)
    old = key_of(person)

    person.types("gds-exec renew")

    assert key_of(person) != old
    assert desk.world.aws.count("AssumeRole") == 2
    goes_on_without("gds-exec: ", person)
    assert desk.world.aws.count("AssumeRole") == 2
    assert list(desk.world.cache.glob("*.renewed")) == []


def test_renew_in_the_shell_asks_although_a_person_has_just_declined(direct: Desk, clock: Clock) -> None:
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)
    old = key_of(person)
    clock.jump(2 * HOUR + 60)
    person.terminal.sendline("")
    person.sees(PROMPT)
    person.terminal.sendline("")
    person.sees("expired) user> ")

    person.terminal.sendline("gds-exec renew")
    person.sees(PROMPT)
    person.terminal.sendline(direct.world.code())

    person.sees(AT_EASE)
    assert key_of(person) != old


@pytest.mark.parametrize("line", ["gds-exec renew --mfa-code %s", "env GDS_EXEC_MFA_CODE=%s gds-exec renew"])
def test_renew_in_the_shell_takes_a_code(direct: Desk, line: str) -> None:
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)
    old = key_of(person)

    goes_on_without(PROMPT, person)
    person.types(line % direct.world.code())

    assert PROMPT not in person.terminal.before
    assert key_of(person) != old
    assert durations(direct.world.aws) == [("AssumeRole", 2 * HOUR)] * 2


@pytest.mark.parametrize("line", ["gds-exec renew --no-input", "env GDS_EXEC_NO_INPUT=1 gds-exec renew"])
def test_renew_in_the_shell_asks_nobody_if_it_must_not(direct: Desk, line: str) -> None:
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)

    person.types(line)

    assert "[nobody-to-ask]" in person.terminal.before
    assert PROMPT not in person.terminal.before


def test_renew_in_the_shell_waits_as_long_as_it_is_told(direct: Desk) -> None:
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)

    person.terminal.sendline("gds-exec renew --wait 1s")

    person.sees(PROMPT)
    person.sees("nobody gave an MFA code within 1 s")


def test_a_shell_takes_up_what_it_is_renewed_with(desk: Desk, clock: Clock) -> None:
    person = desk.open("prod", "--duration", "20m", "--session-name", "pairing")
    person.sees(AT_EASE)
    old = key_of(person)

    person.types("gds-exec renew --duration 30m")

    new = key_of(person)
    assert new != old
    assert int(person.hears("printenv GDS_EXEC_EXPIRES_AT")) > desk.world.aws.now() + 29 * 60
    clock.jump(40 * 60)
    assert key_of(person) not in (old, new)
    assert durations(desk.world.aws)[-2:] == [("AssumeRole", 30 * 60)] * 2
    assert session_names(desk.world.aws)[-2:] == ["pairing"] * 2


def test_a_variable_does_not_change_what_the_shell_was_opened_with(desk: Desk) -> None:
    desk.world.environ["GDS_EXEC_DURATION"] = "30m"
    person = desk.open("prod", "--duration", "20m")
    person.sees(AT_EASE)

    person.types("gds-exec renew")

    assert durations(desk.world.aws)[-2:] == [("AssumeRole", SHORT_LIFE)] * 2


def test_a_renewal_from_another_terminal_is_picked_up_at_the_next_prompt(desk: Desk) -> None:
    person = desk.open("prod", "--duration", "20m", "--session-name", "pairing")
    person.sees(AT_EASE)
    old = key_of(person)

    assert desk.world.run("renew", "prod").returncode == 0
    assert durations(desk.world.aws)[-1] == ("AssumeRole", SHORT_LIFE)
    person.types("")

    assert key_of(person) != old


def test_a_code_that_is_given_in_another_terminal_need_not_be_given_at_the_prompt(
    direct: Desk, clock: Clock
) -> None:
    person = direct.open("prod", *DIRECT)
    person.sees(AT_EASE)
    old = key_of(person)
    clock.jump(2 * HOUR - 240)

    assert direct.world.run("renew", "prod", "--mfa-code", direct.world.code()).returncode == 0
    goes_on_without(PROMPT, person)

    person.sees(AT_EASE)
    assert key_of(person) != old


# What runs in it


def test_a_gds_exec_in_it_obeys_nothing_of_it(desk: Desk) -> None:
    desk.world.add_role("other")
    person = desk.open("prod", "--duration", "20m", "--session-name", "pairing", "--region", "eu-west-1")
    person.sees(AT_EASE)
    assert set(environ_of(person)) >= OF_THE_SHELL

    nested = environ_of(person, "gds-exec other -- env")

    assert not OF_THE_SHELL & set(nested)
    assert (nested["GDS_EXEC_ROLE"], nested["AWS_REGION"]) == ("other", REGION)
    assert durations(desk.world.aws)[-1] == ("AssumeRole", HOUR)
    assert "pairing" not in session_names(desk.world.aws)[-1]


def test_a_shell_in_it_renews_nothing(desk: Desk, clock: Clock) -> None:
    desk.write_rc_with_hook()
    person = desk.open("prod")
    person.sees(AT_EASE)
    person.terminal.sendline(f"{desk.dialect.kind} -i")
    person.terminal.sendline('echo in"ner"')
    person.terminal.expect("inner\r")

    clock.jump(HOUR - 600)
    goes_on_without("gds-exec: ", person)
    assert desk.world.aws.count("AssumeRole") == 1
    person.terminal.sendline("exit")

    person.sees(AT_EASE)
    assert desk.world.aws.count("AssumeRole") == 2


def test_a_role_that_wants_its_commands_refreshed_has_a_role_shell_like_any_other(
    desk: Desk, clock: Clock
) -> None:
    desk.world.add_role("fresh", settings="gds_exec_refresh = true")
    person = desk.open("fresh")
    person.sees("(fresh 222222222222) user> ")
    old = key_of(person)

    clock.jump(HOUR - 600)
    person.types("")

    assert key_of(person) != old
    nested = environ_of(person, "gds-exec fresh -- env")
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in nested
    assert "AWS_ACCESS_KEY_ID" not in nested


# The hook in the user's own rc


def test_the_hook_in_ones_own_rc_is_the_hook_once(desk: Desk, clock: Clock) -> None:
    desk.write_rc_with_hook()
    person = desk.open("prod")
    person.sees(AT_EASE)

    clock.jump(HOUR - 600)
    person.types("")

    person.sees(AT_EASE)
    assert MARKER not in person.terminal.before
    assert desk.world.aws.count("AssumeRole") == 2


def test_the_hook_in_ones_own_rc_serves_the_shell_that_takes_its_place(desk: Desk, clock: Clock) -> None:
    desk.write_rc_with_hook()
    person = desk.open("prod")
    person.sees(AT_EASE)
    old = key_of(person)

    person.terminal.sendline(f"exec {desk.dialect.kind} -i")
    person.sees(AT_EASE)
    clock.jump(HOUR - 600)
    person.types("")

    assert key_of(person) != old


def test_the_hook_does_nothing_outside_role_shells(desk: Desk) -> None:
    desk.write_rc_with_hook()
    person = desk.open_plainly()

    person.types("")

    person.sees("user> ")
    assert "(" not in person.terminal.before
    assert not OF_THE_SHELL & set(environ_of(person))


@pytest.mark.parametrize("argv", [("shell-init", "tcsh"), ("shell-init",), ("shell-init", "bash", "zsh")])
def test_a_hook_that_there_is_not_is_a_usage_error(world: World, argv: tuple[str, ...]) -> None:
    assert_ours(world.run(*argv), 2, "[usage]")


# Shells that keep what they begin with


@needs("dash")
def test_another_shell_has_the_variables_alone_and_that_is_said_once(bash_desk: Desk) -> None:
    bash_desk.world.environ["SHELL"] = "dash"
    terminal = bash_desk.world.terminal("prod")

    terminal.sendline("env; exit 5")
    said = finish(terminal)

    assert said.count(KEEPS) == 1
    assert "AWS_ACCESS_KEY_ID=ASIA" in said
    assert not [name for name in OF_THE_SHELL if name in said]
    assert terminal.exitstatus == 5
    assert running(bash_desk.world) == []


def test_where_no_record_can_be_kept_the_shell_has_the_variables_alone(bash_desk: Desk) -> None:
    bash_desk.world.add_role("plain", mfa=False)
    bash_desk.world.environ["GDS_EXEC_CACHE_DIR"] = "/dev/null"
    person = bash_desk.open("plain")

    person.sees(KEEPS)
    person.sees("user> ")
    assert not OF_THE_SHELL & set(environ_of(person))
    assert key_of(person).startswith("ASIA")


def test_keys_that_do_not_expire_are_kept_without_a_word(bash_desk: Desk) -> None:
    person = bash_desk.open("gds-users")

    person.sees("user> ")

    assert KEEPS not in person.terminal.before
    assert key_of(person) == bash_desk.world.user.access_key_id


def test_a_script_on_standard_input_meets_no_hook(desk: Desk) -> None:
    done = desk.world.run("prod", "-s", input=b"env\nexit 5\n")

    assert done.returncode == 5, done.stderr.decode()
    assert b"AWS_ACCESS_KEY_ID=ASIA" in done.stdout
    assert not [name for name in OF_THE_SHELL if name in done.stdout.decode()]
    assert done.stderr == b""
