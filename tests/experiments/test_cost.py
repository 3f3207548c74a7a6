"""The cost model: work counted by hand, rates found again from made-up times, the best that workers can do."""

import math
from dataclasses import replace

import numpy as np
import pytest

from crn_lib.config import ConfigError
from crn_lib.experiments.cost import (
    ALL_TERMS,
    H100,
    PAIR_TERMS,
    STEP_TERMS,
    CostModel,
    TimedRun,
    Work,
    _least_squares,
    both_in_one,
    least_time,
    linear_time,
    paper_grid,
    predict_unseen,
    run_work,
    sequence_work,
    timed_runs,
    useful_workers,
)
from crn_lib.models import ModelConfig, build_model
from crn_lib.models.block import Block
from crn_lib.sweeps import Run, config_key
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig


def shape(kind: str, width: int = 2, blocks: int = 1, tokens: int = 4, **fields: int) -> ModelConfig:
    return ModelConfig(kind=kind, vocab_size=5, width=width, blocks=blocks, max_length=tokens, **fields)  # type: ignore[arg-type]


def config(kind: str = "causal_rn", length: int = 1, **fields: int) -> TrainConfig:
    task = CopyingConfig(string_length=length, vocab=2)
    plain = {"steps": 6, "batch": 3, "evaluate_every": 4, "evaluation_strings": 9} | fields
    return TrainConfig(model=shape(kind, tokens=task.context), task=task, **plain)  # type: ignore[arg-type]


def test_a_relation_of_four_tokens_by_hand() -> None:
    # Four receivers see 1 + 2 + 3 + 4 senders, each pair is 2 numbers. Three 2x2 matrices and a 2x5 head.
    assert sequence_work(shape("causal_rn"), 4) == Work(20, 6 * (12 + 10) * 4, 8)
    assert sequence_work(shape("causal_rn", blocks=3), 4) == Work(60, 6 * (36 + 10) * 4, 24)


def test_attention_of_four_tokens_by_hand() -> None:
    # q k and the sum over values: each 16 pairs of 2 numbers, two operations a number, three times with the backward.
    assert sequence_work(shape("transformer"), 4) == Work(0, 6 * (12 * 4 + 10) * 4 + 2 * 16 * 2 * 2 * 3, 8)


@pytest.mark.parametrize(("kind", "expansion"), [("causal_rn", 1), ("causal_rn", 4), ("transformer", 1)])
def test_the_matrices_counted_are_those_the_model_has(kind: str, expansion: int) -> None:
    made = build_model(replace(shape(kind, width=6, blocks=2), expansion=expansion))
    blocks = [block for block in made.blocks if isinstance(block, Block)]
    held = sum(p.numel() for block in blocks for p in block.parameters() if p.ndim == 2) + made.head.weight.numel()
    one = sequence_work(made.config, 1).operations
    assert one == 6 * held + (12 * 2 * 6 if kind == "transformer" else 0)


def test_what_a_model_may_charge_for_is_what_is_counted() -> None:
    assert {*ALL_TERMS, *PAIR_TERMS, *STEP_TERMS} == set(vars(Work(1, 2, 3)))


def test_a_run_is_its_steps_and_a_third_for_what_it_evaluates() -> None:
    one = sequence_work(shape("causal_rn"), 4)
    assert run_work(config()) == replace(one.times(6 * 3 + 2 * 9 / 3), steps=6), "evaluated after steps 4 and 6"
    assert run_work(config(), steps=4) == replace(one.times(4 * 3 + 9 / 3), steps=4)
    by_steps = CostModel({"steps": 0.5, "elements": 2.0})
    assert by_steps.seconds(run_work(config(), steps=4)) == 4 * 0.5 + 2.0 * 20 * 15


def test_other_models_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="lstm"):
        sequence_work(shape("lstm"), 4)
    with pytest.raises(ConfigError, match="approx"):
        sequence_work(shape("linear_rn"), 4)
    for fields, got in (({"first_window": 4}, "4 and 0"), ({"short_conv": 3}, "None and 3")):
        with pytest.raises(ConfigError, match=f"^work is counted without first_window and short_conv; got {got}$"):
            sequence_work(shape("causal_rn", **fields), 4)


TRUE = {"elements": 2e-9, "operations": 3e-11, "entries": 5e-8}


def timed(*, late: float = 1.0) -> list[TimedRun]:
    """Runs of four lengths whose seconds follow `TRUE`, the first one's times `late`."""
    runs = []
    for length in (2, 4, 9, 20):
        for kind in ("causal_rn", "transformer"):
            work = run_work(config(kind, length))
            runs.append(TimedRun("made up", config(kind, length), work, CostModel(TRUE).seconds(work)))
    first = runs[0]
    return [TimedRun(first.sweep, first.config, first.work, first.seconds * late), *runs[1:]]


def test_the_fit_finds_the_rates_again_and_one_late_run_does_not_move_it() -> None:
    for late in (1.0, 3.0):
        runs = timed(late=late)
        found = CostModel.fit([run.work for run in runs], [run.seconds for run in runs])
        assert found.seconds_for == pytest.approx(TRUE, rel=1e-3)
        assert predict_unseen(runs)[1:] == pytest.approx([run.seconds for run in runs[1:]], rel=1e-3)


def test_a_length_is_predicted_without_its_own_runs() -> None:
    runs = timed()
    slow = [TimedRun(r.sweep, r.config, r.work, r.seconds * (10 if r.shape[0] == 20 else 1)) for r in runs]
    assert predict_unseen(slow)[-1] == pytest.approx(runs[-1].seconds, rel=1e-3)


def test_no_rate_is_negative_and_too_few_runs_are_refused() -> None:
    runs = timed()
    fewer = CostModel.fit([run.work for run in runs], [1.0 + run.work.elements * 0 for run in runs])
    assert min(fewer.seconds_for.values()) >= 0 and set(fewer.seconds_for) == set(ALL_TERMS)
    with pytest.raises(ValueError, match="3 rates need at least as many runs; got 2"):
        CostModel.fit([run.work for run in runs[:2]], [1.0, 2.0])


def test_a_rate_that_would_be_negative_is_left_out_and_the_others_fitted_without_it() -> None:
    both = np.array([[1.0, 1.0], [1.0, 2.0]])  # solved exactly by 1.5 and -0.5
    assert _least_squares(both, np.array([1.0, 0.5])).tolist() == pytest.approx([0.75, 0.0])


def test_only_comparable_runs_are_timed() -> None:
    one = config()
    model = vars(one.model)
    training = {"steps": 6, "batch": 3, "evaluate_every": 4, "evaluation_strings": 9}
    row = {
        "key": config_key(one), "sweep": "x", "model": model, "task": vars(one.task), "training": training, "steps": 4,
        "device": "cpu", "dtype": "float32", "threads": 1, "cpu_seconds": 2.5,
    }  # fmt: skip
    (found,) = timed_runs([Run(row, [])])
    assert (found.work, found.seconds, found.shape) == (run_work(one, 4), 2.5, (1, 2, 1))
    others = [{"threads": 2}, {"device": "cuda"}, {"dtype": "bfloat16"}, {"model": model | {"activation": "relu"}}]
    others.append({"task": {"name": "recall", "pairs": 4}})
    assert timed_runs([Run(row | other, []) for other in others]) == []


def test_the_papers_grid_and_its_workers() -> None:
    grid = paper_grid((16, 32), seeds=2)
    assert [(c.model.kind, c.task.string_length, c.seed) for c in grid[:3]] == [
        ("causal_rn", 16, 0), ("transformer", 16, 0), ("causal_rn", 32, 0),
    ]  # fmt: skip
    assert [c.task.string_length for c in paper_grid()] == [16, 16, 32, 32, 64, 64, 128, 128, 256, 256]
    assert len(grid) == 8 and paper_grid((16,)) == [c for c in grid if (c.task.string_length, c.seed) == (16, 0)]
    assert {(c.learning_rate, c.evaluate_every, c.model.max_length - 2 * c.task.string_length) for c in grid} == {
        (5e-4, 100, 2)
    }
    assert {(c.model.blocks, c.model.width, c.batch, c.steps) for c in grid} == {(12, 192, 320, 2000)}
    assert [least_time([6, 3, 3], workers) for workers in (1, 2, 3)] == [12, 6, 6]
    assert useful_workers([6, 3, 3]) == 2 and useful_workers([6, 3, 3, 1]) == 3 and useful_workers([5]) == 1


def test_the_peak_of_a_gpu_by_hand() -> None:
    work = Work(elements=H100.exponentials, operations=3 * H100.operations, entries=1e30)
    assert H100.seconds(work) == pytest.approx(2 + 3)


def test_a_clock_that_does_not_see_pairs_says_nothing_of_linear_time() -> None:
    assert linear_time([0.9, 1.1], [1.9]) is True and linear_time([0.9, 1.6], [1.9]) is False
    assert linear_time([0.9], [1.4]) is None and linear_time([1.6], [1.4]) is None
    assert linear_time([], [1.9]) is None and linear_time([0.9], []) is None and linear_time([math.nan], [1.9]) is None


def test_no_form_has_both_unless_one_is_linear_and_grows() -> None:
    slopes = {"exact": 1.9, "approx": 1.0}
    assert both_in_one(slopes, {"exact": True, "approx": False}) is False
    assert both_in_one(slopes, {"exact": True, "approx": True}) is True
    assert both_in_one({"exact": 1.2, "approx": 1.0}, {"exact": True, "approx": False}) is None
    assert both_in_one({}, {}) is None and both_in_one({"exact": math.nan}, {"exact": True}) is None
