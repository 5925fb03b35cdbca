import os
import select
import signal
import threading

import pytest

from gds_exec.credentials.background import PreparedAws
from gds_exec.credentials.request import IdentityToken, WebIdentityRequest
from gds_exec.errors import SourceCredentialsInvalid
from gds_exec.session import AccessKey
from tests.fakes import Clock, FakeSts, never

KEY = AccessKey("AKIAEXAMPLE", "a-secret")
OTHER = AccessKey("AKIAANOTHER", "a-secret")
INVALID = SourceCredentialsInvalid("not valid")


def can_be_read(descriptor: int, *, seconds: float = 0) -> bool:
    return bool(select.select([descriptor], (), (), seconds)[0])


@pytest.fixture
def sts() -> FakeSts:
    return FakeSts(Clock())


def test_aws_is_made_once_and_only_when_it_is_needed(sts: FakeSts) -> None:
    made = []
    aws = PreparedAws(lambda: made.append(1) or sts)  # type: ignore[func-returns-value]
    aws.expect_code_for(KEY)
    assert made == []

    aws.api.caller_arn(KEY)
    aws.api.totp_device(KEY)

    assert made == [1]


def test_keys_are_checked_once_beside_the_question(sts: FakeSts) -> None:
    aws = PreparedAws(lambda: sts)
    aws.expect_code_for(KEY)
    failure = aws.begin_check()
    aws.finish_check()
    aws.finish_check()

    assert failure is not None
    assert aws.begin_check() is None, "nothing is left to check when a second code is asked for"
    assert sts.identified == [KEY]


def test_calls_are_rehearsed_only_while_somebody_is_asked(sts: FakeSts) -> None:
    aws = PreparedAws(lambda: sts)
    aws.expect_code_for(KEY)
    aws.finish_check()
    assert sts.rehearsals == 0

    aws.expect_code_for(OTHER)
    aws.begin_check()
    aws.finish_check()
    assert sts.rehearsals == 1


def test_keys_are_checked_where_nobody_was_asked(sts: FakeSts) -> None:
    aws = PreparedAws(lambda: sts)
    aws.expect_code_for(KEY)

    aws.finish_check()

    assert sts.identified == [KEY]


def test_other_keys_are_checked_anew(sts: FakeSts) -> None:
    aws = PreparedAws(lambda: sts)
    for key in (KEY, OTHER):
        aws.expect_code_for(key)
        aws.finish_check()

    assert sts.identified == [KEY, OTHER]


def test_a_failed_check_is_told_by_its_descriptor_and_raised_where_it_is_waited_for(sts: FakeSts) -> None:
    sts.identity_error = INVALID
    aws = PreparedAws(lambda: sts)
    aws.expect_code_for(KEY)
    failure = aws.begin_check()

    assert failure is not None
    assert can_be_read(failure, seconds=20)
    assert aws.begin_check() == failure, "who asks again after Ctrl-Z finds it failed at once"
    with pytest.raises(SourceCredentialsInvalid):
        aws.finish_check()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(failure)


def test_what_fails_may_succeed_when_it_is_tried_again(sts: FakeSts) -> None:
    sts.identity_error = INVALID
    aws = PreparedAws(lambda: sts)
    aws.expect_code_for(KEY)
    aws.begin_check()
    with pytest.raises(SourceCredentialsInvalid):
        aws.finish_check()
    sts.identity_error = None

    aws.finish_check()

    assert sts.identified == [KEY, KEY]


def test_the_check_takes_no_signal_from_the_main_thread() -> None:
    masks = []

    class Sts(FakeSts):
        def caller_arn(self, key: AccessKey) -> str:
            masks.append((threading.current_thread(), signal.pthread_sigmask(signal.SIG_BLOCK, ())))
            return ""

    aws = PreparedAws(lambda: Sts(Clock()))
    aws.expect_code_for(KEY)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    aws.begin_check()
    aws.finish_check()

    ((thread, mask),) = masks
    assert thread is not threading.main_thread()
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGTSTP, signal.SIGHUP} <= mask
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_without_keys_there_is_nothing_to_check() -> None:
    aws = PreparedAws(never)  # type: ignore[arg-type]

    assert aws.begin_check() is None
    aws.finish_check()


def test_the_main_thread_waits_for_the_check_before_it_uses_aws_itself() -> None:
    order = []
    go_on = threading.Event()

    class Sts(FakeSts):
        def caller_arn(self, key: AccessKey) -> str:
            go_on.wait(20)
            order.append("checked")
            return ""

        def totp_device(self, key: AccessKey) -> str | None:
            order.append("asked")
            return None

    aws = PreparedAws(lambda: Sts(Clock()))
    aws.expect_code_for(KEY)
    aws.begin_check()
    threading.Timer(0.05, go_on.set).start()
    aws.api.totp_device(KEY)

    assert order == ["checked", "asked"]
    aws.finish_check()


def test_a_token_is_exchanged_by_the_same_aws(sts: FakeSts) -> None:
    request = WebIdentityRequest("arn:aws:iam::222222222222:role/admin", 900)

    session = PreparedAws(lambda: sts).api.make_session(
        request, IdentityToken("a-token"), session_name="job-1"
    )

    assert session.arn == "arn:aws:sts::222222222222:assumed-role/admin/a-name"
    assert [(one.request, one.token, one.session_name) for one in sts.exchanges] == [
        (request, "a-token", "job-1")
    ]
