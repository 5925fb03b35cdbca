from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from gds_exec.errors import AwsRefused, GdsExecError
from gds_exec.output import Messages, mask_in_job_log, printing, report, say
from gds_exec.session import AccessKey
from tests.fakes import a_session
from tests.processes import run_python

Capture = pytest.CaptureFixture[str]


def test_an_error_is_what_is_wrong_and_what_to_do(capfd: Capture) -> None:
    report(AwsRefused("AWS said no", hint="ask somebody"))

    assert capfd.readouterr().err == "gds-exec: AWS said no [aws-refused]\nhint: ask somebody\n"


def test_an_error_without_a_hint_is_one_line(capfd: Capture) -> None:
    report(GdsExecError("what is wrong"))

    assert capfd.readouterr().err == "gds-exec: what is wrong [failed]\n"


def test_standard_output_is_for_data(capfd: Capture) -> None:
    report(GdsExecError("what is wrong", hint="what to do"))
    Messages().warn("a warning")

    assert capfd.readouterr().out == ""


def test_what_must_be_known_is_said_once_and_in_spite_of_quiet(capfd: Capture) -> None:  # matrix 126
    messages = Messages(quiet=True)
    for host in ("sts.example.com", "sts.example.com", "iam.example.com"):
        messages.warn_anyway(host)

    assert capfd.readouterr().err == "gds-exec: sts.example.com\ngds-exec: iam.example.com\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b]0;title\x07", "\\x1b]0;title\\x07", id="escape"),
        pytest.param("\x9b2J", "\\x9b2J", id="C1"),
        pytest.param("a\u202eb", "a\\u202eb", id="bidi"),
        pytest.param("two\nlines", "two\\nlines", id="newline"),
        pytest.param("[bold]x[/y]", "[bold]x[/y]", id="markup is text"),
        pytest.param(os.fsdecode(b"\xff"), "\\udcff", id="no UTF-8"),
        pytest.param("key AKIAIOSFODNN7EXAMPLE", "key AKIA…MPLE", id="access key id"),
        pytest.param("żółw", "żółw", id="letters"),
    ],
)
def test_a_line_is_one_line_without_control_over_the_terminal(  # matrix 82
    capfd: Capture, text: str, shown: str
) -> None:
    say(text)

    assert capfd.readouterr().err == f"gds-exec: {shown}\n"


def test_a_terminal_that_knows_ascii_alone_gets_escapes() -> None:  # matrix 80
    script = "from gds_exec.output import say; say('\\u017c\\u2026')"
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}

    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, check=True)

    assert done.stderr == b"gds-exec: \\u017c\\u2026\n"


SAY_AND_GO_ON = """
import os
from gds_exec.output import Messages, report
from gds_exec.errors import GdsExecError
Messages().warn("a warning")
Messages().notice("a notice")
report(GdsExecError("an error", hint="a hint"))
os.write(1, b"went on")
os._exit(0)
"""


@pytest.mark.parametrize(
    "redirection",
    [
        pytest.param("2>&-", id="closed"),
        pytest.param("2>/dev/full", id="full disk"),
        pytest.param("2> >(exit); wait $!", id="closed pipe"),
    ],
)
def test_a_standard_error_that_takes_nothing_does_not_cost_the_command(redirection: str) -> None:  # matrix 81
    before, _, wait = redirection.partition("; ")
    script = f'exec {before}; {wait or ":"}; exec "$0" -c "$1"'

    done = subprocess.run(
        ["bash", "-c", script, sys.executable, SAY_AND_GO_ON], stdout=subprocess.PIPE, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "went on")


def test_quiet_says_neither_warnings_nor_notices(capfd: Capture) -> None:
    messages = Messages(quiet=True)

    messages.warn("a warning")
    messages.notice("a notice")
    messages.warn_once()("another")

    assert capfd.readouterr().err == ""


def test_a_warning_is_said_to_a_log_too_and_a_notice_is_not(capfd: Capture) -> None:
    Messages().warn("a warning")
    Messages().notice("a notice")

    assert capfd.readouterr().err == "gds-exec: a warning\n"


def test_a_notice_is_said_to_a_person_who_sees_it() -> None:
    ours, theirs = pty.openpty()
    script = "from gds_exec.output import Messages; Messages().notice('a notice')"
    try:
        subprocess.run([sys.executable, "-c", script], stderr=theirs, check=True)
        seen = os.read(ours, 100)
    finally:
        os.close(ours)
        os.close(theirs)

    assert seen == b"gds-exec: a notice\r\n"


def test_of_several_consequences_of_one_cause_the_first_is_said(capfd: Capture) -> None:
    warn = Messages().warn_once()

    warn("the disk is full")
    warn("really")

    assert capfd.readouterr().err == "gds-exec: the disk is full\n"


def test_two_causes_are_both_said(capfd: Capture) -> None:
    messages = Messages()

    messages.warn_once()("the disk is full")
    messages.warn_once()("the network is slow")

    assert capfd.readouterr().err.count("\n") == 2


DEBUG = """
import logging, os, sys
os.dup2(1, 2)
from gds_exec.output import debug, enable_debug, trace
enable_debug(is_wanted=sys.argv[1] == "yes")
debug("ours: said")
logging.getLogger("botocore").debug("a-secret")
def fail(secret):
    raise KeyError(secret)
try:
    try:
        fail("a-secret")
    except KeyError as error:
        raise ValueError("a-secret") from error
except ValueError as error:
    trace(error)
"""


def test_debug_tells_our_own_doings_and_where_an_error_came_from_and_no_secret() -> None:
    said = run_python(DEBUG, "yes")

    assert "gds-exec: debug: ours: said\n" in said
    assert "ValueError in <module>" in said
    assert "KeyError in fail" in said
    assert "a-secret" not in said


def test_without_debug_nothing_of_it_is_said() -> None:
    assert run_python(DEBUG, "no") == ""


def test_output_that_cannot_be_written_is_an_error_of_ours() -> None:
    script = """
import sys
from gds_exec.output import printing
from gds_exec.errors import OutputFailed
sys.stdout = open("/dev/full", "w")
try:
    with printing():
        print("data")
except OutputFailed as error:
    sys.__stdout__.write(error.message)
import os; sys.__stdout__.flush(); os._exit(0)
"""
    assert run_python(script) == "standard output cannot be written: No space left on device"


def test_output_is_written_when_printing_ends(capfd: Capture) -> None:
    with printing():
        print("data")

    assert capfd.readouterr().out == "data\n"


def test_each_secret_of_a_session_is_masked_by_a_line_on_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    mask_in_job_log(*a_session().access_key.parts)

    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == "::add-mask::ASIAEXAMPLE0001\n::add-mask::secret-0001\n::add-mask::token-0001\n"


def test_keys_without_a_token_have_two(capfd: pytest.CaptureFixture[str]) -> None:
    mask_in_job_log(*AccessKey("AKIA", "a-secret").parts)

    assert capfd.readouterr().err == "::add-mask::AKIA\n::add-mask::a-secret\n"


def test_what_the_runner_would_read_as_an_escape_is_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    mask_in_job_log(*AccessKey("AKIA", "100%0A%").parts)

    assert capfd.readouterr().err == "::add-mask::AKIA\n::add-mask::100%250A%25\n"
