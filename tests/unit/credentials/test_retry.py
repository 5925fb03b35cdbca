import pytest

from gds_exec.credentials.retry import patiently


class Asked:
    """Fails with each of these, and then answers."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.waits: list[float] = []

    def __call__(self) -> str:
        if self._failures:
            raise self._failures.pop(0)
        return "an answer"

    def patiently(self) -> str:
        return patiently(
            self,
            longest_waits_seconds=(1, 2),
            is_passing=lambda error: isinstance(error, TimeoutError),
            sleep=self.waits.append,
            fraction=lambda: 0.5,
        )


@pytest.mark.parametrize(("failures", "waits"), [(0, []), (1, [0.5]), (2, [0.5, 1.0])])
def test_what_passes_is_asked_again_after_a_part_of_each_wait(failures: int, waits: list[float]) -> None:
    asked = Asked(*[TimeoutError()] * failures)

    assert (asked.patiently(), asked.waits) == ("an answer", waits)


def test_what_lasts_longer_than_all_waits_is_raised() -> None:
    asked = Asked(*[TimeoutError()] * 3)

    with pytest.raises(TimeoutError):
        asked.patiently()
    assert asked.waits == [0.5, 1.0]


def test_what_does_not_pass_is_raised_at_once() -> None:
    asked = Asked(KeyError())

    with pytest.raises(KeyError):
        asked.patiently()
    assert asked.waits == []
