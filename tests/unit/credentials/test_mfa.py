from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gds_exec.credentials.mfa import Question, TokenCodes, as_token_code
from gds_exec.credentials.mfa_sources import GivenCode, PersonCode, ProcessCode
from gds_exec.errors import AnswerLost, AwsRefused, HelperFailed, NobodyToAsk, TokenCodeRefused
from tests.fakes import NOON, Clock, MemoryOfDevice, Said, ScriptedCodes, never

if TYPE_CHECKING:
    from gds_exec.credentials.mfa import CodeSource

QUESTION = Question(role="admin", device="arn:aws:iam::111111111111:mfa/alice")
STEP = NOON // 30
REFUSED = TokenCodeRefused("AWS refused the MFA code", hint="a hint", code="AccessDenied")
LOST = AnswerLost("no answer came", hint="a hint")


class Calls:
    """The call that a code is for: it raises the given errors, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.codes: list[str] = []

    def __call__(self, code: str) -> str:
        self.codes.append(code)
        if self._errors:
            raise self._errors.pop(0)
        return "a session"


def token_codes(
    *sources: CodeSource, clock: Clock | None = None, say: Callable[[str], None] = never
) -> TokenCodes:
    clock = clock or Clock()
    return TokenCodes(sources, say=say, why_nobody=_nobody, now=clock, sleep=clock.sleep)


def _nobody(question: Question) -> NobodyToAsk:
    return NobodyToAsk(f"nobody for {question.role}")


@given(st.text() | st.text("0123456789 ", max_size=9) | st.text("٣0123456789", min_size=6, max_size=6))
def test_a_code_is_six_ascii_digits_and_nothing_else(text: str) -> None:  # matrix 77
    code = as_token_code(text)

    wanted = re.sub(r"[ \t\r\n]", "", text)
    assert code == (wanted if re.fullmatch(r"[0-9]{6}", wanted) else None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"),
        ("123 456", "123456"),
        (" 1 2 3 4 5 6\r\n", "123456"),
        ("000000", "000000"),
        ("12345", None),
        ("1234567", None),
        ("١٢٣٤٥٦", None),
        ("12345²", None),
        ("+12345", None),
        ("12_345", None),
        ("123-456", None),
        ("\x1b[200~123456", None),
        ("", None),
    ],
)
def test_what_people_type_and_paste(text: str, code: str | None) -> None:  # matrix 76
    assert as_token_code(text) == code


def test_a_good_code_gets_the_answer_and_its_step_is_remembered() -> None:
    source, device, call = ScriptedCodes(["111111"]), MemoryOfDevice(), Calls()

    assert token_codes(source).spend(QUESTION, device, call) == "a session"

    assert call.codes == ["111111"]
    assert source.questions == [QUESTION]
    assert device.steps == [STEP]


def test_a_wrong_code_gets_three_tries() -> None:  # matrix 53
    source, said = ScriptedCodes(["111111", "222222", "333333", "444444"]), Said()
    call = Calls(REFUSED, REFUSED, REFUSED, REFUSED)

    with pytest.raises(TokenCodeRefused) as failure:
        token_codes(source, say=said).spend(QUESTION, MemoryOfDevice(), call)

    assert call.codes == ["111111", "222222", "333333"]
    assert said.lines == [REFUSED.message] * 2
    assert failure.value is REFUSED


def test_a_right_code_after_wrong_ones_is_good() -> None:  # matrix 53
    call = Calls(REFUSED, REFUSED)
    source = ScriptedCodes(["111111", "222222", "333333"])

    assert token_codes(source, say=Said()).spend(QUESTION, MemoryOfDevice(), call) == "a session"


def test_a_refused_code_spends_no_step() -> None:
    device = MemoryOfDevice()

    with pytest.raises(TokenCodeRefused):
        token_codes(ScriptedCodes(["111111"])).spend(QUESTION, device, Calls(REFUSED))

    assert device.steps == []


@pytest.mark.parametrize("steps_ago", [0, 1])
def test_a_refusal_soon_after_a_code_was_spent_is_explained(steps_ago: int) -> None:  # matrix 54
    device, clock = MemoryOfDevice(STEP - steps_ago), Clock(NOON + 10)

    with pytest.raises(TokenCodeRefused, match=r"used already: wait for the next one \(20 s\)") as failure:
        token_codes(ScriptedCodes(["111111"]), clock=clock).spend(QUESTION, device, Calls(REFUSED))

    assert failure.value.code == "AccessDenied"


def test_a_refusal_long_after_a_code_was_spent_is_just_that() -> None:
    with pytest.raises(TokenCodeRefused) as failure:
        token_codes(ScriptedCodes(["111111"])).spend(QUESTION, MemoryOfDevice(STEP - 2), Calls(REFUSED))

    assert failure.value is REFUSED


def test_a_code_that_was_refused_is_not_sent_again() -> None:
    source, said = ScriptedCodes(["111111", "111111", "222222"]), Said()
    call = Calls(REFUSED)

    assert token_codes(source, say=said).spend(QUESTION, MemoryOfDevice(), call) == "a session"

    assert call.codes == ["111111", "222222"]
    assert "used already" in said.lines[1]


def test_after_a_lost_answer_the_code_is_taken_for_spent_and_another_asked_for() -> None:  # matrix 46
    source, device, said = ScriptedCodes(["111111", "222222"]), MemoryOfDevice(), Said()
    call = Calls(LOST)

    assert token_codes(source, say=said).spend(QUESTION, device, call) == "a session"

    assert call.codes == ["111111", "222222"]
    assert said.lines == ["no answer came; the code may be spent: wait for the next one"]
    assert device.steps == [STEP, STEP]


def test_the_code_of_a_lost_answer_is_not_sent_again() -> None:  # matrix 46
    call = Calls(LOST)

    with pytest.raises(TokenCodeRefused, match="used already"):
        token_codes(ScriptedCodes(["111111", "111111"]), say=Said()).spend(QUESTION, MemoryOfDevice(), call)

    assert call.codes == ["111111"]


def test_a_lost_answer_without_another_code_keeps_its_hint() -> None:
    with pytest.raises(AnswerLost, match="may be spent") as failure:
        token_codes(ScriptedCodes(["111111"])).spend(QUESTION, MemoryOfDevice(), Calls(LOST))

    assert failure.value.hint == "a hint"


def test_any_other_failure_asks_nobody_again() -> None:
    source = ScriptedCodes(["111111", "222222"])

    with pytest.raises(HelperFailed):
        token_codes(source).spend(QUESTION, MemoryOfDevice(), Calls(HelperFailed("no")))

    assert source.is_available


def test_a_source_that_renews_itself_waits_for_the_next_step() -> None:
    clock = Clock(NOON + 12)
    source = ScriptedCodes(["111111"], is_renewing=True, clock=clock)
    said = Said()

    token_codes(source, clock=clock, say=said).spend(QUESTION, MemoryOfDevice(STEP), Calls())

    assert source.asked_at == [NOON + 30]
    assert said.lines == ["the current MFA code is spent: waiting 18 s for the next one"]


def test_a_source_that_renews_itself_waits_after_a_refusal() -> None:
    clock = Clock(NOON + 12)
    source = ScriptedCodes(["111111", "222222"], is_renewing=True, clock=clock)

    token_codes(source, clock=clock, say=Said()).spend(QUESTION, MemoryOfDevice(), Calls(REFUSED))

    assert source.asked_at == [NOON + 12, NOON + 30]


def test_a_source_that_renews_itself_is_asked_at_once_in_a_fresh_step() -> None:
    clock = Clock(NOON)

    token_codes(ScriptedCodes(["111111"], is_renewing=True), clock=clock).spend(
        QUESTION, MemoryOfDevice(STEP - 1), Calls()
    )

    assert clock.slept == []


def test_a_person_is_asked_at_once_for_they_see_the_device_themselves() -> None:
    clock = Clock()

    token_codes(ScriptedCodes(["111111"]), clock=clock).spend(QUESTION, MemoryOfDevice(STEP), Calls())

    assert clock.slept == []


def test_the_first_source_that_has_a_code_is_asked() -> None:
    empty, second, third = ScriptedCodes([]), ScriptedCodes(["222222"]), ScriptedCodes(["333333"])
    call = Calls()

    token_codes(empty, second, third).spend(QUESTION, MemoryOfDevice(), call)

    assert call.codes == ["222222"]
    assert third.questions == []


def test_a_given_code_that_is_refused_leads_to_the_person() -> None:
    call = Calls(REFUSED)

    token_codes(GivenCode("111111"), ScriptedCodes(["222222"]), say=Said()).spend(
        QUESTION, MemoryOfDevice(), call
    )

    assert call.codes == ["111111", "222222"]


def test_a_given_code_is_used_once() -> None:
    codes = token_codes(GivenCode("111111"))
    codes.spend(QUESTION, MemoryOfDevice(), Calls())

    assert not codes.is_available
    with pytest.raises(NobodyToAsk):
        codes.spend(QUESTION, MemoryOfDevice(), never)


def test_a_given_code_that_is_refused_with_nobody_to_ask_is_a_refusal() -> None:
    with pytest.raises(TokenCodeRefused):
        token_codes(GivenCode("111111")).spend(QUESTION, MemoryOfDevice(), Calls(REFUSED))


def test_with_no_source_at_all_nothing_is_called() -> None:
    with pytest.raises(NobodyToAsk, match="nobody for admin"):
        token_codes().spend(QUESTION, MemoryOfDevice(), never)


def test_a_helper_that_fails_gives_way_to_the_person() -> None:
    helper = ScriptedCodes([HelperFailed("no YubiKey is plugged in"), "999999"])
    said = Said()

    answer = token_codes(helper, ScriptedCodes(["111111"]), say=said).spend(QUESTION, MemoryOfDevice(), str)

    assert answer == "111111"
    assert said.lines == ["no YubiKey is plugged in"]


def test_a_helper_that_fails_where_nobody_else_has_a_code_is_the_error() -> None:
    helper = ScriptedCodes([HelperFailed("no YubiKey is plugged in"), "999999"])

    with pytest.raises(HelperFailed, match="no YubiKey"):
        token_codes(helper).spend(QUESTION, MemoryOfDevice(), never)


def test_a_code_that_aws_looked_at_before_it_refused_the_rest_is_spent() -> None:
    memory = MemoryOfDevice()
    source = ScriptedCodes(["111111", "222222"])

    with pytest.raises(AwsRefused, match="too long"):
        token_codes(source).spend(QUESTION, memory, Calls(AwsRefused("too long")))

    assert memory.spent_step() == STEP
    assert source.is_available


def test_whoever_is_asked_again_is_told_why() -> None:
    source = ScriptedCodes(["111111", "222222"])

    token_codes(source, say=Said()).spend(QUESTION, MemoryOfDevice(), Calls(REFUSED))

    assert [question.complaint for question in source.questions] == [None, REFUSED.message]


def test_without_a_person_the_programs_are_left() -> None:
    person = PersonCode(never, say=never, can_ask=lambda: True)
    codes = token_codes(person, ProcessCode("oathtool", run=lambda _: "111111"))
    call = Calls()

    codes.without_person().spend(QUESTION, MemoryOfDevice(), call)

    assert call.codes == ["111111"]


def test_without_a_person_nobody_is_there_although_one_is() -> None:
    codes = token_codes(PersonCode(never, say=never, can_ask=lambda: True))

    assert codes.is_available
    assert not codes.without_person().is_available
    with pytest.raises(NobodyToAsk, match="nobody for admin"):
        codes.without_person().spend(QUESTION, MemoryOfDevice(), never)


def test_without_a_person_a_source_that_renews_itself_waits_for_the_next_step_as_ever() -> None:
    clock = Clock(NOON + 12)
    codes = token_codes(ProcessCode("oathtool", run=lambda _: "111111"), clock=clock, say=Said())

    codes.without_person().spend(QUESTION, MemoryOfDevice(STEP), Calls())

    assert clock.slept == [18]
