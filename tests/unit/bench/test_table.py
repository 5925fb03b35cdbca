"""The benchmark's arithmetic and its table; nothing here measures anything."""

import pytest

from tests.bench.table import Row, Spread, as_record, render


def row(
    seconds: tuple[float, ...] = (0.011,), against: tuple[float, ...] = (0.010,), target: float | None = 1.10
) -> Row:
    return Row("warm", "cached", seconds, "python", against, target)


def test_the_ratio_is_that_of_the_medians() -> None:
    assert row((1.0, 2.0, 90.0), (4.0, 4.0, 1.0)).ratio == 0.5


def test_the_quartiles_of_the_ratio_are_taken_round_by_round() -> None:
    spread = row((1.0, 4.0, 9.0), (1.0, 2.0, 3.0)).ratio_spread

    assert spread == Spread(1.5, 2.0, 2.5)


def test_the_quartiles_of_one_value_are_that_value() -> None:
    assert Spread.of([3.0]) == Spread(3.0, 3.0, 3.0)


@pytest.mark.parametrize(
    ("seconds", "target", "is_met"),
    [
        pytest.param(1.10, 1.10, True, id="just"),
        pytest.param(1.11, 1.10, False, id="missed"),
        pytest.param(1.11, None, None, id="without a target"),
    ],
)
def test_a_target_is_met_up_to_and_with_itself(
    seconds: float, target: float | None, is_met: bool | None
) -> None:
    assert row((seconds,), (1.0,), target).is_met is is_met


def test_a_missed_target_does_not_break_the_run() -> None:
    missed = row((9.0,), (1.0,))

    assert " NO " in render([missed])
    assert not missed.is_broken


def test_what_failed_has_no_figures_and_its_reason_stands_below_the_table() -> None:
    failed = Row("cold", "cold, 10 profiles", (1.0, 2.0), "awsudo", (1.0,), 0.85, failure="it asked twice")
    text = render([failed])

    assert failed.ratio is None
    assert failed.ratio_spread is None
    assert failed.is_met is None
    assert failed.is_broken
    assert text.endswith("\ncold: cold, 10 profiles: failed: it asked twice")


def test_a_peer_that_fails_is_shown_and_breaks_nothing() -> None:
    peer = Row("peers-cold", "awsume, cold", failure="it is not to be had", is_ours_to_answer=False)

    assert "it is not to be had" in render([peer])
    assert not peer.is_broken


def test_the_columns_stand_below_their_headings() -> None:
    headings, rule, first, second = render([row(), row((1.5,), (0.5,), None)]).splitlines()

    assert set(rule) == {"-"}
    assert first.index("<= 1.10") + len("<= 1.10") == headings.index("target") + len("target")
    assert first[: headings.index("ratio") + len("ratio")].endswith(" 1.10")
    assert second[: headings.index("ratio") + len("ratio")].endswith(" 3.00")


def test_a_shown_row_has_its_median_in_milliseconds_and_how_often_it_was_taken() -> None:
    shown = Row("fifty", "50 at once", (0.3, 0.1, 0.2), "1 prompt")

    assert render([shown]).splitlines()[-1].split() == [
        "fifty",
        "50",
        "at",
        "once",
        "200.0",
        "1",
        "prompt",
        "3",
    ]


def test_notes_stand_below_the_table() -> None:
    noted = Row("warm", "cached", (1.0,), "python", (1.0,), notes=("not warm yet",))

    assert render([noted]).endswith("\nwarm: cached: not warm yet")


def test_the_record_has_every_measurement_and_the_verdict() -> None:
    record = as_record(row((1.0, 2.0, 3.0), (2.0, 2.0, 2.0)))

    assert record["seconds"] == [1.0, 2.0, 3.0]
    assert record["ratio"] == 1.0
    assert record["ratio_quartiles"] == [0.75, 1.25]
    assert record["met"] is True
    assert record["failure"] is None
