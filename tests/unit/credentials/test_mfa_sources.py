from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from gds_exec.credentials.mfa import Question
from gds_exec.credentials.mfa_sources import (
    SOURCE_NAMES,
    DialogCode,
    GivenCode,
    PersonCode,
    ProcessCode,
    YubiKeyCode,
    named_sources,
)
from gds_exec.errors import HelperFailed, NobodyToAsk, UsageError
from tests.fakes import Said, never

DEVICE = "arn:aws:iam::111111111111:mfa/alice"
QUESTION = Question(role="admin", device=DEVICE)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        (" , ", ()),
        ("ykman", ("ykman",)),
        ("dialog, terminal", ("dialog", "terminal")),
        ("terminal,process,terminal", ("terminal", "process")),
        (",".join(SOURCE_NAMES), SOURCE_NAMES),
    ],
)
def test_a_list_of_sources_names_them_in_their_order(text: str, names: tuple[str, ...]) -> None:
    assert named_sources(text) == names


def test_an_unknown_source_is_a_usage_error_that_names_the_four() -> None:
    with pytest.raises(UsageError, match=r"no source 'yubi\\x1bkey'") as failure:
        named_sources("terminal,yubi\x1bkey")

    assert failure.value.hint is not None
    assert all(name in failure.value.hint for name in ("process", "ykman", "terminal", "dialog"))


@pytest.mark.parametrize("code", ["98765", "abcdef", "١٢٣٤٥٦", "987654; rm"])
def test_a_given_code_that_is_none_is_a_usage_error_that_does_not_repeat_it(code: str) -> None:
    with pytest.raises(UsageError) as failure:
        GivenCode(code)

    assert code not in f"{failure.value.message}{failure.value.hint}"


@pytest.mark.parametrize("code", [None, ""])
def test_no_given_code_is_no_source(code: str | None) -> None:
    assert not GivenCode(code).is_available


def test_mfa_process_prints_the_code() -> None:
    commands = Said()

    def run(command: str) -> str:
        commands(command)
        return "123 456\n"

    assert ProcessCode("oathtool --totp", run=run).ask(QUESTION) == "123456"
    assert commands.lines == ["oathtool --totp"]


@pytest.mark.parametrize("printed", ["", "error: no such device", "1234567"])
def test_mfa_process_that_prints_no_code_is_named_and_not_quoted(printed: str) -> None:
    with pytest.raises(HelperFailed, match="mfa_process printed no code of six digits for admin") as failure:
        ProcessCode("oathtool", run=lambda _: printed).ask(QUESTION)

    assert not printed or printed not in failure.value.message


@pytest.mark.parametrize("command", [None, ""])
def test_no_mfa_process_is_no_source(command: str | None) -> None:
    assert not ProcessCode(command, run=never).is_available


class Typing:
    """A person who types these lines."""

    def __init__(self, *lines: str | None) -> None:
        self._lines = list(lines)
        self.prompts: list[str] = []

    def __call__(self, prompt: str) -> str | None:
        self.prompts.append(prompt)
        return self._lines.pop(0)


def person(typing: Typing, say: Callable[[str], None] = never) -> PersonCode:
    return PersonCode(typing, say=say, can_ask=lambda: True)


def test_a_person_is_asked_in_one_line_that_names_role_and_device() -> None:
    typing = Typing("123456")

    assert person(typing).ask(QUESTION) == "123456"
    assert typing.prompts == ["MFA code for admin (arn:aws:iam::111111111111:mfa/alice): "]


def test_names_in_the_prompt_cannot_steer_the_terminal() -> None:
    typing = Typing("123456")

    person(typing).ask(Question(role="\x1b[2Jadmin", device="\u202ed"))

    assert typing.prompts == ["MFA code for \\x1b[2Jadmin (\\u202ed): "]


def test_what_is_no_code_is_asked_for_again_without_a_call() -> None:  # matrix 76
    typing, said = Typing("yes", "12345", "123456"), Said()

    assert person(typing, said).ask(QUESTION) == "123456"
    assert said.lines == ["an MFA code is six digits"] * 2


def test_a_person_who_types_no_code_three_times_is_asked_no_more() -> None:
    with pytest.raises(NobodyToAsk):
        person(Typing("yes", "no", "what", "123456"), Said()).ask(QUESTION)


def test_ctrl_d_means_that_nobody_is_there() -> None:  # matrix 75
    with pytest.raises(NobodyToAsk, match="no MFA code was given"):
        person(Typing(None)).ask(QUESTION)


@pytest.mark.parametrize("can_ask", [True, False])
def test_a_person_is_available_where_one_can_be_asked(can_ask: bool) -> None:
    assert PersonCode(never, say=never, can_ask=lambda: can_ask).is_available is can_ask


class Ykman:
    """A `ykman` that is installed, and what it was run with."""

    def __init__(self, directory: Path, *, prints: str = "123456\n") -> None:
        self.path = directory / "ykman"
        self.path.touch(0o755)
        self.environ = {"PATH": str(directory)}
        self._prints = prints
        self.runs: list[list[str]] = []

    def run(self, command: str) -> str:
        self.runs.append(shlex.split(command))
        return self._prints

    def code(self, account: str | None = None) -> YubiKeyCode:
        return YubiKeyCode(account, is_named=True, environ=self.environ, run=self.run)


@pytest.mark.parametrize(
    ("account", "asked_for"),
    [
        pytest.param("gds-users", "gds-users", id="configured"),
        pytest.param(None, DEVICE, id="else the device's"),
        pytest.param("a b'; touch x $(y)", "a b'; touch x $(y)", id="metacharacters"),
        pytest.param("--clear", "--clear", id="like an option"),
    ],
)
def test_a_yubikey_is_asked_for_the_account_s_code_alone(
    account: str | None, asked_for: str, tmp_path: Path
) -> None:
    ykman = Ykman(tmp_path)

    assert ykman.code(account).ask(QUESTION) == "123456"

    assert ykman.runs == [[str(ykman.path), "oath", "accounts", "code", "--single", "--", asked_for]]


@pytest.mark.parametrize("printed", ["", "gds-users  123456", "12345678"])
def test_a_yubikey_without_a_code_is_told_by_its_account_and_not_quoted(printed: str, tmp_path: Path) -> None:
    with pytest.raises(HelperFailed, match="no code of six digits for the account gds-users") as failure:
        Ykman(tmp_path, prints=printed).code("gds-users").ask(QUESTION)

    assert not printed or printed not in failure.value.message


def test_a_yubikey_without_ykman_is_a_helper_that_failed(tmp_path: Path) -> None:
    with pytest.raises(HelperFailed, match="ykman, which is to give the MFA code, is not installed"):
        YubiKeyCode("gds-users", is_named=True, environ={"PATH": str(tmp_path)}, run=never).ask(QUESTION)


@pytest.mark.parametrize(
    ("account", "is_named", "is_available"),
    [(None, False, False), ("", False, False), ("gds-users", False, True), (None, True, True)],
)
def test_a_yubikey_is_looked_for_only_where_that_was_wanted(
    account: str | None, is_named: bool, is_available: bool
) -> None:
    source = YubiKeyCode(account, is_named=is_named, environ={}, run=never)

    assert source.is_available is is_available


def dialog(typing: Typing) -> DialogCode:
    return DialogCode(typing, can_ask=lambda: True)


PROMPT = f"MFA code for admin ({DEVICE}): "


def test_a_dialog_names_role_and_device() -> None:
    typing = Typing("123 456\n")

    assert dialog(typing).ask(QUESTION) == "123456"
    assert typing.prompts == [PROMPT]


def test_a_dialog_says_what_was_wrong_with_the_code_before() -> None:
    typing = Typing("123456")

    dialog(typing).ask(QUESTION.but(complaint="AWS refused \x1b it"))

    assert typing.prompts == [f"AWS refused \\x1b it\n{PROMPT}"]


def test_a_dialog_asks_again_for_what_is_no_code_and_says_so_each_time() -> None:
    typing = Typing("yes", "12345", "123456")

    assert dialog(typing).ask(QUESTION.but(complaint="refused")) == "123456"

    again = f"an MFA code is six digits\n{PROMPT}"
    assert typing.prompts == [f"refused\n{PROMPT}", again, again]


def test_a_person_who_gives_no_code_in_three_dialogs_is_asked_no_more() -> None:
    with pytest.raises(NobodyToAsk, match="no MFA code of six digits in 3 tries"):
        dialog(Typing("yes", "no", "what", "123456")).ask(QUESTION)


@pytest.mark.parametrize("can_ask", [True, False])
def test_a_dialog_is_available_where_one_can_be_shown(can_ask: bool) -> None:
    assert DialogCode(never, can_ask=lambda: can_ask).is_available is can_ask


def test_only_what_a_person_must_type_needs_one() -> None:
    needs_person = {
        source
        for source in (GivenCode, ProcessCode, YubiKeyCode, PersonCode, DialogCode)
        if source.needs_person
    }
    assert needs_person == {PersonCode, DialogCode}
