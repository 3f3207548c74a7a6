"""Points from made-up rows: the best rate, bytes, who is best at equal bytes, and when a failure counts as one."""

import math
from pathlib import Path
from typing import Any

import pytest

from crn_lib.config import to_mapping
from crn_lib.experiments import beyond
from crn_lib.experiments.beyond import Point, points_of
from crn_lib.models import ModelConfig
from crn_lib.paths import own_data_file, workbook_folder
from crn_lib.sweeps import Run, append_row, config_key, load_sweep, newest_rows
from crn_lib.tasks import HopsConfig, ImagesConfig, NgramLookupConfig, RecallConfig, RegressionConfig, TextConfig
from crn_lib.tasks.registry import input_width
from crn_lib.training import TrainConfig
from crn_lib.training.result import config_fields

RECALL = RecallConfig(pairs=4, length=16, vocab=32)


def run(kind: str, score: float, *, rate: float = 2e-3, seed: int = 0, task: Any = RECALL, **fields: Any) -> Run:
    """A run whose main metric is level at `score`, or with `before` ends there; other scores are `more`."""
    before, more, steps = fields.pop("before", score), fields.pop("more", {}), fields.pop("steps", 400)
    shape = {"width": 8, "blocks": 2, "vocab_size": task.vocab_size, "max_length": task.context} | fields
    model = ModelConfig(kind=kind, input_width=input_width(task), **shape)
    config = TrainConfig(model=model, task=task, learning_rate=rate, seed=seed, steps=steps, stop_at=0.99)
    row = {
        "steps": steps,
        "sweep": "made_up",
        "error": None,
        "stopped": "steps",
        "key": config_key(config),
        **config_fields(config),
    }
    name = Run(row, []).main_metric
    history = [{"step": step, name: value} for step, value in ((200, before), (400, score))]
    history[-1] |= more
    return Run(row | {name: score} | more, history)


def point(kind: str, scores: dict[float, float], **fields: Any) -> Point:
    """A model tried at several rates, one seed each."""
    (found,) = points_of(run(kind, score, rate=rate, **fields) for rate, score in scores.items())
    return found


RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3)


def tried(kind: str, score: float, **fields: Any) -> Point:
    """Five rates, of which the one in the middle comes to `score` and the others stay a little behind."""
    return point(kind, {rate: score - 0.05 * (rate != 2e-3) for rate in RATES}, **fields)


def test_a_point_is_a_model_at_its_best_rate_over_its_seeds() -> None:
    runs = [run("ssm", score, rate=rate, seed=seed) for rate, seed, score in ((1e-3, 0, 0.2), (2e-3, 0, 0.6))]
    runs += [run("ssm", 0.8, rate=2e-3, seed=1), run("ssm", 0.1, rate=4e-3), run("ssm", 0.9, width=16)]
    narrow, wide = points_of(runs)
    assert (narrow.rate, narrow.at_edge, len(narrow.runs)) == (2e-3, False, 2)
    assert (narrow.score.median, narrow.score.low, narrow.score.high) == (pytest.approx(0.7), 0.6, 0.8)
    assert narrow.words() == "70.0% (60.0% to 80.0%), 2 seeds, 400 steps, rate 0.002 of 3"
    assert narrow.by_rate("accuracy", ".0%") == "0.001: 20%, 0.002: 70% (60% to 80%), 0.004: 10%"
    assert wide.words() == "90.0%, 1 seed, 400 steps, rate 0.002, the only one"


def test_rates_that_solve_are_counted_by_most_of_their_seeds() -> None:
    found = [(1e-3, 0, 0.995), (1e-3, 1, 0.3), (2e-3, 0, 0.995), (2e-3, 1, 0.3), (2e-3, 2, 0.992), (4e-3, 0, 0.98)]
    (three,) = points_of(run("ssm", score, rate=rate, seed=seed) for rate, seed, score in found)
    assert three.rates_that_solve == "1 of 3", "one seed of two is not most"


def test_the_rate_of_real_data_is_chosen_by_its_validation_part() -> None:
    """And of drawn problems, where all are fresh, by the last scores; a run that ended without any is not chosen."""

    def at(rate: float, validation: float, test: float, task: Any) -> Run:
        made = run("ssm", test, rate=rate, before=0.1, task=task)
        made.history[-1][made.main_metric] = validation
        return made

    scores = [(1e-3, 0.5, 0.6), (2e-3, 0.7, 0.5), (4e-3, 0.6, 0.9)]
    (digits,) = points_of(at(*each, ImagesConfig()) for each in scores)
    assert (digits.rate, digits.score.median) == (2e-3, 0.5)
    (drawn,) = points_of(at(*each, RECALL) for each in scores)
    assert (drawn.rate, drawn.score.median) == (4e-3, 0.9)
    nothing = at(8e-3, 0.99, math.nan, ImagesConfig())
    (digits,) = points_of([*(at(*each, ImagesConfig()) for each in scores), nothing])
    assert digits.rate == 2e-3 and len(digits.tried) == 4


def test_the_rate_of_text_is_chosen_by_the_bits_that_are_compared() -> None:
    """A model that learns by heart goes on naming more bytes rightly while it pays ever more bits for the others."""

    def at(rate: float, validation: float, test: float, accuracy: float) -> Run:
        made = run("delta_net", accuracy, rate=rate, task=TextConfig(), more={"bits_per_byte": test})
        made.history[-1]["bits_per_byte"] = validation
        return made

    (text,) = points_of([at(1e-3, 2.6, 2.7, 0.44), at(2e-3, 2.5, 2.8, 0.47), at(4e-3, 2.9, 2.6, 0.49)])
    assert (text.rate, text.metric("bits_per_byte").median, text.score.median) == (2e-3, 2.8, 0.47)
    assert text.alike == [2e-3], "bits are not shares right, and none of them is guessing"


def test_who_names_the_most_frequent_letter_has_not_begun_a_look_up() -> None:
    """12% of answers, three times what naming any letter gives: a run that stays there may be waiting for its jump."""
    task = NgramLookupConfig(answer_length=1)
    assert tried("linear_rn", 0.118, task=task).solves is None
    assert tried("linear_rn", 0.2, task=task).solves is False


def test_ones_own_rows_are_read_in_place_of_the_workbooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRN_HOME", str(tmp_path))
    before = beyond.read_points()
    assert before["few"] and before == beyond.read_points(workbook_folder() / "figures/data/runs")
    rows = own_data_file("runs/recall.jsonl")
    key = next(iter(newest_rows(rows)))
    append_row(rows, {**newest_rows(rows)[key], "error": "taken out"})
    after = beyond.read_points()
    held = [
        sum(len(runs) for p in found["few"] + found["recall"] + found["symbols"] for runs in p.tried.values())
        for found in (before, after)
    ]
    assert held[1] == held[0] - 1 and after["suffix"] == before["suffix"]


def test_of_rates_that_are_as_good_one_away_from_the_edges_is_taken() -> None:
    assert point("ssm", {1e-3: 0.995, 2e-3: 0.991, 4e-3: 0.99}).rate == 2e-3
    edge = point("ssm", {1e-3: 0.9, 2e-3: 0.5, 4e-3: 0.4})
    assert edge.rate == 1e-3 and edge.at_edge and ", an edge of 3" in edge.words()


def test_one_lucky_seed_at_another_rate_does_not_stand_for_three() -> None:
    runs = [run("ssm", score, rate=rate) for rate, score in ((1e-3, 0.2), (2e-3, 0.46), (4e-3, 0.458))]
    runs += [run("ssm", score, rate=4e-3, seed=seed) for seed, score in ((1, 0.454), (2, 0.452))]
    (found,) = points_of(runs)
    assert (found.rate, len(found.runs), found.score.median) == (4e-3, 3, 0.454)
    assert not found.at_edge, "a rate as good lies between others"
    (clear,) = points_of([*runs[1:], run("ssm", 0.5, rate=1e-3)])
    assert (clear.rate, clear.at_edge) == (1e-3, True)


def test_of_rates_at_which_it_guesses_none_is_better() -> None:
    """Chance puts them farther apart than equals may be, and one lucky seed would stand for three."""
    chance = RECALL.chance
    runs = [run("ssm", chance + lucky, rate=rate) for rate, lucky in ((1e-3, 0.018), (2e-3, -0.01), (4e-3, 0.004))]
    runs += [run("ssm", chance - 0.03, rate=2e-3, seed=seed) for seed in (1, 2)]
    (found,) = points_of([*runs, run("ssm", math.nan, rate=8e-3)])
    assert (found.rate, len(found.runs), found.at_edge, found.solves) == (2e-3, 3, False, None)
    (begun,) = points_of([*runs, run("ssm", chance + 0.04, rate=8e-3)])
    assert (begun.rate, begun.at_edge) == (8e-3, True)


def test_a_run_without_a_score_is_a_rate_that_was_tried_and_never_the_best() -> None:
    found = point("ssm", {1e-3: 0.3, 2e-3: 0.4, 4e-3: math.nan})
    assert found.rate == 2e-3 and len(found.tried) == 3
    nothing = point("ssm", {1e-3: math.nan})
    assert math.isnan(nothing.score.median) and nothing.solves is None
    assert beyond.best_at([nothing], math.inf) == []


def test_of_a_rate_that_was_given_more_steps_later_the_longer_runs_count() -> None:
    runs = [run("ssm", 0.3), run("ssm", 0.3, rate=1e-3), run("ssm", 0.995, steps=8000)]
    (found,) = points_of(runs)
    assert found.tried == {1e-3: (runs[1],), 2e-3: (runs[2],)}
    assert found.solves is True and found.words() == "99.5%, 1 seed, 8,000 steps, rate 0.002, an edge of 2"


def test_a_success_counts_at_once_and_a_failure_only_after_five_rates_without_an_edge_or_a_rise() -> None:
    assert point("ssm", {2e-3: 0.995}).solves is True
    assert tried("ssm", 0.5).solves is False
    assert point("ssm", dict.fromkeys(RATES[:4], 0.5)).solves is None, "four rates"
    assert point("ssm", {rate: 0.1 + 100 * rate for rate in RATES}).solves is None, "the best one is an edge"
    assert tried("ssm", 0.6, before=0.2).solves is None, "it is still rising"
    level = [run("ssm", 0.5 - 0.1 * (rate != 2e-3), rate=rate) for rate in RATES[1:]]
    (other,) = points_of([run("ssm", 0.4, rate=RATES[0], before=0.1), *level])
    assert other.rate == 2e-3 and other.solves is None, "at another rate it still is"
    (half,) = points_of([run("ssm", 0.4, rate=RATES[0]), *level, run("ssm", 0.995, seed=1)])
    assert half.rate == 2e-3 and half.solves is None, "one seed of two"


def test_bytes_are_what_the_blocks_hold_when_the_sequence_is_read() -> None:
    pool = point("causal_rn", {2e-3: 0.5}, width=16)
    cache = point("transformer", {2e-3: 0.5}, width=8)
    rows = 2 * 16 * 16 * 4  # two blocks, 16 tokens of 16 numbers; what is more are counters
    assert all(rows < found.state_bytes < rows + 50 for found in (pool, cache))


def test_the_best_of_every_kind_that_fits_is_found() -> None:
    small, large = point("transformer", {2e-3: 0.6}, width=8), point("transformer", {2e-3: 0.9}, width=64)
    ours = point("causal_rn", {2e-3: 0.8}, width=16)
    assert beyond.best_at([small, large, ours], ours.state_bytes) == [ours, small]
    assert beyond.best_at([small, large, ours], math.inf) == [large, ours]
    assert beyond.best_at([small, large, ours], 1) == []


def test_plain_models_of_the_panels_depth_are_compared() -> None:
    own = [point("causal_rn", {2e-3: 0.5}, **fields) for fields in ({}, {"short_conv": 3}, {"norm": "approx"})]
    own += [point("causal_rn", {2e-3: 0.5}, blocks=1), point("causal_rn", {2e-3: 0.5}, expansion=4)]
    assert beyond.comparable("few", own) == own[:1] and beyond.comparable("recall", own) == own[1:2]
    assert beyond.find(own, "causal_rn", blocks=1) is own[3] and beyond.find(own, "lstm") is None


def test_numbers_by_examples_and_by_hops() -> None:
    task = RegressionConfig(dims=2, points=3)
    more = {f"error_after_{i}": value for i, value in enumerate((1.0, 0.5, 0.1))}
    assert beyond.errors_by_examples(point("lstm", {1e-3: 0.9}, task=task, more=more)) == [1.0, 0.5, 0.1]
    hops = {"accuracy_0_hops": 1.0, "accuracy_1_hops": 0.8}
    found = point("lstm", {1e-3: 0.9}, task=HopsConfig(string_length=8, hops=2), more=hops)
    assert beyond.hops_by_number(found)[:2] == [1.0, 0.8] and math.isnan(beyond.hops_by_number(found)[2])


def test_panels_are_read_from_a_folder_also_where_rows_are_missing(tmp_path: Path) -> None:
    assert beyond.read_points(tmp_path) == {name: [] for name in beyond.PANELS}
    few = RecallConfig(pairs=4, length=20, vocab=16)
    for score, rate in ((0.4, 1e-3), (0.7, 2e-3)):
        made = run("lstm", score, rate=rate, task=few)
        append_row(tmp_path / "recall.jsonl", {**made.row, "history_file": "recall.history.jsonl"})
        append_row(tmp_path / "recall.history.jsonl", {"key": made.row["key"], "history": made.history})
    (found,) = beyond.read_points(tmp_path)["few"]
    assert found.score.median == 0.7 and found.config.task == few
    assert to_mapping(found.model)["kind"] == "lstm"


def test_the_sweeps_ask_for_every_panel() -> None:
    """So that a panel cannot stay empty because no run is of it."""
    for panel in beyond.PANELS.values():
        shape = (panel.blocks, panel.short_conv)
        configs = load_sweep(panel.sweep).configs
        tasks = [config.task for config in configs if (config.model.blocks, config.model.short_conv) == shape]
        assert any(all(getattr(task, name) == value for name, value in panel.fields.items()) for task in tasks)
