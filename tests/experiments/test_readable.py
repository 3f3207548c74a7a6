"""What stored ablations say to the arithmetic of readable senders."""

import pytest

from crn_lib.experiments.readable import Outcome, copies_only_what_it_can_read, outcomes
from crn_lib.experiments.verdicts import Share
from crn_lib.sweeps import Run
from crn_lib.viz import describe, draw_readable

COPIED, FAILED, RISING = Share(3, 3), Share(0, 3), Share(0, 3, unfinished=3)


def outcome(activation: str, length: int, share: Share) -> Outcome:
    return Outcome(activation, 64, length, 1, share, ())


def run(activation: str, rate: float, accuracies: list[float], seed: int = 0, **model: object) -> Run:
    shape = {"kind": "causal_rn", "norm": "exact", "post_norm": True, "heads": 1, "width": 64} | model
    row = {
        "model": {**shape, "activation": activation},
        "task": {"string_length": 16},
        "training": {"learning_rate": rate},
        "seed": seed,
    }
    history = [
        {"step": 100 * (n + 1), "string_accuracy": value, "character_accuracy": value}
        for n, value in enumerate(accuracies)
    ]
    return Run(row, history)


def test_runs_are_counted_at_the_rate_that_did_best() -> None:
    runs = [
        *(run("exp", 0.001, [0.2, 0.2, 0.2], seed) for seed in (0, 1)),
        *(run("exp", 0.002, [0.5, 1.0], seed) for seed in (0, 1)),
        *(run("exp", 0.004, [0.5, 0.5, 1.0], seed) for seed in (0, 1)),
        run("relu", 0.001, [0.1, 0.1, 0.1]),
        run("exp", 0.002, [1.0], norm="approx"),
        run("exp", 0.002, [1.0], heads=2),
    ]
    first, second = outcomes(runs)
    assert (first.activation, first.rates, first.share, first.steps) == ("exp", 3, Share(2, 2), (200, 200))
    assert (second.activation, second.share, second.steps) == ("relu", Share(0, 1), ())
    assert first.predicted and first.fits and not second.predicted and second.fits
    assert second.seen == 25.5 and 22 < second.readable < 23


@pytest.mark.parametrize(
    ("activation", "length", "share", "fits"),
    [
        ("exp", 64, COPIED, True),
        ("exp", 64, FAILED, False),
        ("relu", 32, FAILED, True),
        ("relu", 16, COPIED, False),
        ("relu", 32, RISING, None),
        ("squared_relu", 253, COPIED, True),
        ("squared_relu", 254, COPIED, False),
    ],
)
def test_an_outcome_fits_where_it_copies_what_can_be_read_and_nothing_else(activation, length, share, fits) -> None:
    assert outcome(activation, length, share).fits is fits


def test_one_misfit_decides_and_without_one_what_still_rises_leaves_it_open() -> None:
    good, bad = outcome("exp", 16, COPIED), outcome("relu", 16, COPIED)
    rising = outcome("elu", 16, RISING)
    assert copies_only_what_it_can_read([good]) is True
    assert copies_only_what_it_can_read([good, rising]) is None
    assert copies_only_what_it_can_read([good, rising, bad]) is False
    assert copies_only_what_it_can_read([]) is None


def test_the_figure_has_a_line_an_activation_and_a_mark_an_outcome() -> None:
    found = [outcome("exp", 16, COPIED), outcome("relu", 16, COPIED), outcome("relu", 32, RISING)]
    figure = draw_readable(found, ["exp", "relu"])
    exp, exp_marks, relu, relu_marks = figure.data[:4]
    assert exp.name == "exp" and relu.name == "ReLU" and exp.y[0] > relu.y[0]
    assert list(exp_marks.y) == [25.5] and list(relu_marks.y) == [25.5, 49.5]
    assert exp_marks.x[0] < 64 < relu_marks.x[0] and relu_marks.x[1] == 64, "beside each other, around their width"
    assert list(relu_marks.marker.symbol) == ["circle", "circle-open"]
    assert "1 as the lines say, 1 not, 1 not finished" in figure.layout.title.text
    assert "ReLU, width 64, 32 letters: still rising at the end among 50" in describe(figure)
    assert "exp 201,751 at width 64" in describe(figure)
