"""What rows made for it say to a statement: both agree, neither copies, only one does, ties, a seed missing, NaN."""

import math

import pytest

from crn_lib.experiments import verdicts
from crn_lib.experiments.verdicts import Share, all_copy, copies_as_well, ending, falls_short, wilson
from crn_lib.sweeps import Run

NAN = math.nan


def run(*letters: float, copies: bool = False) -> Run:
    """A run with these letters right at evaluations 100 steps apart; every string is right at the last if it copies."""
    history = [
        {"step": 100.0 * number, "character_accuracy": value, "string_accuracy": 0.0}
        for number, value in enumerate(letters, start=1)
    ]
    if copies:
        history[-1]["string_accuracy"] = 1.0
    return Run({"character_accuracy": letters[-1] if letters else NAN}, history)


COPIES = run(0.1, 0.5, 1.0, copies=True)
FLAT = run(*[0.04] * 20)
RISING = run(*[0.04 * number for number in range(1, 21)])


@pytest.mark.parametrize(
    ("seen", "expected"),
    [((0, 3), (0.0, 0.5615)), ((3, 3), (0.4385, 1.0)), ((1, 2), (0.0945, 0.9055)), ((15, 20), (0.5313, 0.8881))],
)
def test_the_interval_is_wilsons(seen: tuple[int, int], expected: tuple[float, float]) -> None:
    # 15 of 20 as in statsmodels' proportion_confint(15, 20, method="wilson"); 0 of n ends at z^2 / (n + z^2).
    assert wilson(*seen) == pytest.approx(expected, abs=1e-4)
    z = 1.959964
    assert wilson(0, 7)[1] == pytest.approx(z**2 / (7 + z**2), abs=1e-6)
    assert wilson(*seen, confidence=0.8)[1] - wilson(*seen, confidence=0.8)[0] < expected[1] - expected[0]


@pytest.mark.parametrize("wrong", [(0, 0), (3, 2), (-1, 2)])
def test_an_interval_of_nothing_is_refused(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="an interval needs 0 to n successes"):
        wilson(*wrong)


def test_a_run_that_stopped_while_rising_is_not_finished_and_a_level_one_has_failed() -> None:
    assert [ending(each) for each in (COPIES, FLAT, RISING)] == ["copied", "failed", "not finished"]
    assert verdicts.slope_at_end(RISING.history) == pytest.approx(0.04 / 100)
    cut = run(*[point["character_accuracy"] for point in RISING.history])
    cut.row["stopped"] = "diverged"
    assert ending(cut) == "failed", "its loss stopped being finite: no more steps would have helped"
    assert verdicts.slope_at_end([]) == 0
    # The slope is fitted to the last fifth, here the evaluations 16 to 20, and not to the last two.
    bent = run(*[0.0] * 16, 0.1, 0.2, 0.3, 0.2)
    assert verdicts.slope_at_end(bent.history) == pytest.approx((-0.1 + 0.3 + 2 * 0.2) / 10 / 100)
    # Level at 98%, after a rise long ago; falling; noise of a tenth of a percent on the plateau.
    assert ending(run(*[0.1 * n for n in range(10)], *[0.98] * 10)) == "failed"
    assert ending(run(*[0.9 - 0.01 * n for n in range(20)])) == "failed"
    assert ending(run(*[0.04 + 0.001 * (n % 2) for n in range(20)])) == "failed"
    # The edge, 20 evaluations: a gain of g each at the end would be 40 g in twice the steps, and 1 - 4 g is lacking.
    assert ending(run(*[0.0] * 15, *[0.023 * n for n in range(5)])) == "not finished"
    assert ending(run(*[0.0] * 15, *[0.022 * n for n in range(5)])) == "failed"


@pytest.mark.parametrize("odd", [run(), run(0.5), run(0.1, 0.2, NAN), run(NAN, NAN, NAN), run(NAN, NAN, 0.5)])
def test_a_run_without_a_slope_or_with_nan_has_failed(odd: Run) -> None:
    assert ending(odd) == "failed"


def test_a_run_that_copied_once_copied_whatever_came_later() -> None:
    later = run(0.5, 1.0, copies=True)
    assert (
        ending(Run(later.row, [*later.history, {**later.history[-1], "step": 300.0, "string_accuracy": NAN}]))
        == "copied"
    )


def test_a_share_counts_endings_and_shows_its_interval() -> None:
    share = Share.of([COPIES, FLAT, RISING])
    assert share == Share(1, 3, 1) and (share.least, share.most, share.works) == (1 / 3, 2 / 3, False)
    assert share.words() == "1 of 3 (6% to 79%; 1 not finished)"
    assert Share(2, 2).words() == "2 of 2 (34% to 100%)" and Share(0, 0).words() == "no run"
    assert not Share(1, 2).works, "half of the runs is not more than half"


@pytest.mark.parametrize(
    ("ours", "yardstick", "verdict"),
    [
        (Share(3, 3), Share(3, 3), True),  # both copy
        (Share(0, 3), Share(0, 3), None),  # neither: there is nothing to copy as well as
        (Share(0, 1), Share(0, 1), None),
        (Share(0, 3), Share(3, 3), False),  # only the yardstick
        (Share(1, 3), Share(3, 3), False),
        (Share(1, 2), Share(3, 3), False),  # half of the runs is not more than half
        (Share(3, 3), Share(0, 3), None),  # only ours: ahead, but the yardstick does not work
        (Share(3, 3), Share(1, 2), None),
        (Share(2, 3), Share(2, 3), True),  # ties
        (Share(1, 1), Share(1, 1), True),
        (Share(2, 3), Share(3, 3), None),  # a seed less is not told apart
        (Share(2, 2), Share(3, 3), True),  # one seed missing
        (Share(3, 3), Share(2, 2), True),
        (Share(0, 3, unfinished=3), Share(3, 3), None),  # ours stopped while rising
        (Share(1, 3, unfinished=0), Share(2, 3), False),
        (Share(1, 3, unfinished=1), Share(2, 3), None),
        (Share(2, 3), Share(2, 3, unfinished=1), None),  # the yardstick might still have reached more
        (Share(3, 3), Share(2, 3, unfinished=1), True),
        (Share(0, 0), Share(3, 3), None),  # no row
        (Share(3, 3), Share(0, 0), None),
    ],
)
def test_copying_as_well_needs_a_yardstick_that_works(ours: Share, yardstick: Share, verdict: bool | None) -> None:
    assert copies_as_well(ours, yardstick) is verdict


@pytest.mark.parametrize(
    ("other", "yardstick", "verdict"),
    [
        (Share(0, 3), Share(3, 3), True),
        (Share(3, 3), Share(3, 3), False),
        (Share(1, 3), Share(3, 3), None),
        (Share(0, 3, unfinished=1), Share(3, 3), None),
        (Share(0, 3), Share(1, 3), None),
        (Share(0, 0), Share(3, 3), None),
    ],
)
def test_falling_short_needs_one_that_works_and_runs_that_ended(
    other: Share, yardstick: Share, verdict: bool | None
) -> None:
    assert falls_short(other, yardstick) is verdict


def test_three_values_are_joined_as_all_and_as_any() -> None:
    assert verdicts.all_of([True, True]) is True and verdicts.all_of([True, None, False]) is False
    assert verdicts.all_of([True, None]) is None and verdicts.all_of([]) is None
    assert verdicts.any_of([False, None, True]) is True and verdicts.any_of([False, False]) is False
    assert verdicts.any_of([False, None]) is None and verdicts.any_of([]) is None


def test_all_copy_is_open_for_a_run_that_was_still_rising() -> None:
    assert [all_copy(share) for share in (Share(3, 3), Share(2, 3), Share(2, 3, 1), Share(1, 3, 1), Share(0, 0))] == [
        True,
        False,
        None,
        False,
        None,
    ]


def test_accuracies_of_one_run_each_need_a_working_yardstick_too() -> None:
    assert verdicts.accuracy_as_well(1.0, 1.0) is True and verdicts.accuracy_as_well(0.98, 1.0) is True
    assert verdicts.accuracy_as_well(0.6, 1.0) is False and verdicts.accuracy_as_well(0.6, 0.6) is None
    assert verdicts.accuracy_as_well(0.979, 1.0) is False and verdicts.accuracy_as_well(0.9, 0.9) is True
    assert verdicts.accuracy_as_well(0.89, 0.89) is None, "the yardstick must reach 90%"
    assert verdicts.accuracy_as_well(NAN, 1.0) is None and verdicts.accuracy_as_well(1.0, NAN) is None
    assert verdicts.reaches(0.95, 0.95) is True and verdicts.reaches(0.9, 0.95) is False
    assert verdicts.reaches(NAN, 0.95) is None
    assert verdicts.accuracy_as_well(0.5, 0.5, works_at=NAN) is None


def test_measured_rules_are_open_without_numbers() -> None:
    assert verdicts.clearly_above([0.9, 0.91], [0.3]) is True and verdicts.clearly_above([0.6, 0.9], [0.3]) is False
    assert verdicts.clearly_above([0.61], [0.1, 0.3]) is True and verdicts.clearly_above([0.9], []) is None
    assert verdicts.clearly_above([], [0.3]) is None and verdicts.clearly_above([0.9], [NAN]) is None
    assert verdicts.unchanged([1e-16, 0.0]) is True and verdicts.unchanged([1e-16, 0.4]) is False
    assert verdicts.unchanged([9e-10]) is True and verdicts.unchanged([0.0, 1e-9]) is False
    assert verdicts.unchanged([]) is None and verdicts.unchanged([NAN]) is None
    assert verdicts.looks_back_only(0, 10, 4) is True and verdicts.looks_back_only(1, 10, 4) is False
    assert verdicts.looks_back_only(0, 9, 4) is False and verdicts.looks_back_only(0, 1, 1) is None
    assert verdicts.looks_back_only(0, 3, 2) is True
