"""What is said over seeds: medians and ranges by hand, runs that stopped early, runs that never got there."""

from pathlib import Path
from typing import Any

import pytest

from crn_lib.experiments.lengths import (
    behind_somewhere,
    best_learning_rates,
    discriminates,
    length_points,
    rate_points,
    shares_at,
    state_points,
    tells_apart,
)
from crn_lib.models import ModelConfig
from crn_lib.sweeps import append_row
from crn_lib.sweeps.stored_runs import Run, Spread, budget_in_words, by_kind_and_length, curve_over_seeds, read_runs


def run(kind: str = "causal_rn", length: int = 16, seed: int = 0, rate: float = 1e-3, **points: float) -> Run:
    """A run whose string accuracy after `sN` steps is given; letters are always half-way from there to 1."""
    history = [
        {
            "step": int(name[1:]),
            "string_accuracy": value,
            "character_accuracy": (1 + value) / 2,
            "cpu_seconds": int(name[1:]) / 10,
        }
        for name, value in points.items()
    ]
    model = vars(ModelConfig(kind=kind, width=8, blocks=2, max_length=2 * length + 2))
    names = [f"{way}{unit}_accuracy" for way in ("", "free_running_") for unit in ("character", "string")]
    last = history[-1]["string_accuracy"]
    row: dict[str, Any] = {
        "model": model,
        "task": {"string_length": length},
        "training": {"steps": 40, "learning_rate": rate},
        "seed": seed,
        "device": "cpu",
        "dtype": "float32",
        **dict.fromkeys(names, last),
    }
    return Run(row, history)


FAST = run(seed=0, s10=0.5, s20=1.0)
SLOW = run(seed=1, s10=0.0, s20=0.2, s30=0.9, s40=0.99)
NEVER = run(seed=2, s10=0.0, s20=0.0, s30=0.1, s40=0.2)


def test_a_run_that_stopped_counts_with_its_last_value() -> None:
    curve = curve_over_seeds([FAST, SLOW, NEVER], "string_accuracy")
    assert [point["step"] for point in curve] == [10, 20, 30, 40]
    assert [point["median"] for point in curve] == [0.0, 0.2, 0.9, 0.99]
    assert [point["high"] for point in curve] == [0.5, 1.0, 1.0, 1.0]
    assert [point["low"] for point in curve] == [0.0, 0.0, 0.1, 0.2]


def test_a_run_counts_from_its_first_evaluation_on() -> None:
    late = run(s20=0.4, s40=0.4)
    assert [p["high"] for p in curve_over_seeds([FAST, late], "string_accuracy")] == [0.5, 1.0, 1.0]
    assert [p["low"] for p in curve_over_seeds([FAST, late], "string_accuracy")] == [0.5, 0.4, 0.4]


def test_steps_and_seconds_are_of_the_seeds_that_got_there() -> None:
    (point,) = length_points([FAST, SLOW, NEVER])
    assert (point["kind"], point["string_length"], point["seeds"], point["solved"]) == ("causal_rn", 16, 3, 2)
    assert point["steps"] == Spread(30, 20, 40) and point["seconds"] == Spread(3.0, 2.0, 4.0)
    assert point["each_steps"] == [20, 40] and point["each_seconds"] == [2.0, 4.0]
    assert point["string_accuracy"] == Spread(0.99, 0.2, 1.0) and point["budget"] == 40
    (nothing,) = length_points([NEVER])
    assert nothing["steps"] is None and nothing["seconds"] is None and nothing["solved"] == 0


def test_groups_are_in_the_order_of_length_then_kind() -> None:
    runs = [run("lstm", 32, s10=0.1), run("lstm", 16, s10=0.1), run("causal_rn", 32, s10=0.1)]
    assert list(by_kind_and_length(runs)) == [("lstm", 16), ("causal_rn", 32), ("lstm", 32)]


def test_a_spread_shows_its_range_only_if_there_is_one() -> None:
    assert Spread.of([300, 1400, 350]).show() == "350 (300 to 1,400)"
    assert Spread.of([350]).show() == "350" and Spread.of([0.991, 0.994]).show(".0%") == "99%"


def test_the_state_is_measured_and_of_the_whole_prompt() -> None:
    points = {point["kind"]: point for point in state_points([run("causal_rn", s10=0.5), run("lstm", s10=0.2)])}
    assert points["lstm"]["state_bytes"] == 2 * 2 * 8 * 4 + 8
    # BOS, 16 letters and SEP: pools of 18 rows double from 16 to 32, 8 numbers a row, and a counter, in two blocks.
    assert points["causal_rn"]["state_bytes"] == 2 * (32 * 8 * 4 + 8) + 8
    assert points["causal_rn"]["accuracy"] == Spread(0.5, 0.5, 0.5)


def test_every_rate_and_budget_is_told_with_its_seeds_and_the_letters_right() -> None:
    longer = run(seed=3, s10=0.0, s40=0.7)
    longer.row["training"]["steps"] = 120
    slow, fast, more = rate_points([longer, FAST, NEVER, run(rate=1e-4, s10=0.0, s40=0.5)])
    assert (slow["rate"], slow["share"].copied, slow["letters"].show(".1f")) == (1e-4, 0, "0.5")
    assert (fast["rate"], fast["budget"], fast["share"].copied, fast["share"].runs) == (1e-3, 40, 1, 2)
    assert fast["letters"].show(".1f") == "0.6 (0.2 to 1.0)"
    assert (more["rate"], more["budget"], more["share"].runs) == (1e-3, 120, 1)


def test_the_best_learning_rate_is_the_fastest_to_solve_else_the_most_letters() -> None:
    runs = [
        run("causal_rn", rate=1e-3, s10=0.2, s20=1.0),
        run("causal_rn", rate=2e-3, s10=1.0),
        run("causal_rn", rate=4e-3, s10=1.0),
        run("lstm", rate=1e-3, s10=0.3),
        run("lstm", rate=2e-3, s10=0.4),
        run("ssm", rate=2e-3, s10=0.9),
        run("ssm", rate=1e-3, s10=0.2, s20=0.99),
    ]
    assert best_learning_rates(runs) == {("causal_rn", 8): 2e-3, ("lstm", 8): 2e-3, ("ssm", 8): 1e-3}


@pytest.mark.parametrize("field", ["history", "history_file"])
def test_runs_are_read_with_their_histories_without_those_that_failed(tmp_path: Path, field: str) -> None:
    path = tmp_path / "some.jsonl"
    for key, error in (("a", None), ("b", "no luck")):
        append_row(tmp_path / "some.history.jsonl", {"key": key, "history": [{"step": 1}]})
        append_row(path, {"key": key, "error": error, field: "some.history.jsonl", "model": {}, "training": {}})
    (only,) = read_runs(path)
    assert only.row["key"] == "a" and only.history == [{"step": 1}]
    assert read_runs(tmp_path / "none.jsonl") == []


def test_what_runs_share_is_said_in_words() -> None:
    assert budget_in_words([FAST]) == "2 blocks of width 8; 1 seed; cpu, float32"
    assert budget_in_words([FAST, SLOW]) == "2 blocks of width 8; 2 seeds; cpu, float32"
    other = run("lstm", s10=0.5)
    assert budget_in_words([FAST, SLOW, other]) == "2 blocks of width 8; 1 to 2 seeds; cpu, float32"


@pytest.mark.parametrize("accuracy", [0.5, 1.0])
def test_the_first_evaluation_that_reached_an_accuracy(accuracy: float) -> None:
    found = FAST.first(accuracy)
    assert found is not None and found["step"] == (10 if accuracy == 0.5 else 20)
    assert NEVER.first(accuracy) is None


FLAT: dict[str, float] = {"s10": 0.0, "s20": 0.0, "s30": 0.0, "s40": 0.0}
RISING: dict[str, float] = {"s10": 0.0, "s20": 0.2, "s30": 0.5, "s40": 0.8}
COPIES: dict[str, float] = {"s10": 1.0}


@pytest.mark.parametrize(
    ("fixed", "yardstick", "telling", "verdict"),
    [
        (FLAT, COPIES, True, True),
        (COPIES, COPIES, False, None),
        (RISING, COPIES, True, None),
        (FLAT, FLAT, False, None),
        (COPIES, FLAT, False, None),
    ],
)
def test_a_length_tells_something_where_only_the_transformer_copies(
    fixed: dict[str, float], yardstick: dict[str, float], telling: bool, verdict: bool | None
) -> None:
    runs = [run("lstm", 16, **fixed), run("ssm", 16, **FLAT), run("transformer", 16, **yardstick)]
    assert discriminates(shares_at(runs, 16)) is telling and tells_apart(runs, [16]) is verdict
    assert not discriminates(shares_at(runs, 32)) and not discriminates(shares_at(runs[:2], 16))
    assert not discriminates(shares_at(runs[2:], 16)) and tells_apart(runs, [16, 32]) is verdict


def test_being_behind_at_one_length_is_enough_and_copying_at_all_is_against_it() -> None:
    runs = [run("linear_rn", 16, **COPIES), run("transformer", 16, **COPIES)]
    assert behind_somewhere(runs, "linear_rn", [16]) is False and behind_somewhere(runs, "linear_rn", [16, 32]) is None
    assert behind_somewhere(runs, "lstm", [16]) is None, "a kind without a run has not failed"
    runs += [run("linear_rn", 32, **FLAT), run("transformer", 32, **COPIES)]
    assert behind_somewhere(runs, "linear_rn", [16, 32]) is True
    assert behind_somewhere([*runs[:3], run("transformer", 32, **FLAT)], "linear_rn", [16, 32]) is None
