"""In-context regression: what is drawn, what is scored, and estimators against what theory says of them."""

import math
import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from crn_lib.config import ConfigError
from crn_lib.models import ModelConfig
from crn_lib.sweeps import config_key
from crn_lib.tasks import (
    ESTIMATORS,
    CopyingConfig,
    RegressionConfig,
    RegressionTask,
    averaged_projections,
    averaging,
    least_squares,
    nearest_neighbours,
    zero,
)
from crn_lib.tasks.regression import QUERIES
from crn_lib.training import TrainConfig
from tests.tiny import run

MANY = 20_000


def drawn(generator: torch.Generator, batch: int = MANY, **fields: object) -> tuple[RegressionTask, Tensor, Tensor]:
    task = RegressionTask(RegressionConfig(**fields))  # type: ignore[arg-type]
    return task, *task.draw(batch, generator)


def errors_of(estimator, task: RegressionTask, x: Tensor, y: Tensor) -> list[float]:
    """By the number of examples, as the task's own metrics count them."""
    _, targets = task.lay_out(x, y)
    predictions = torch.full_like(targets, 7.0)  # at every y, where nothing is asked
    predictions[:, 0::2] = estimator(x, y)
    scores = task.metrics(predictions, targets)
    return [scores[f"error_after_{i}"] for i in range(task.config.points)]


def test_a_sequence_holds_points_and_numbers_in_turn_and_asks_at_the_points(generator) -> None:
    task = RegressionTask(RegressionConfig(dims=4, points=3))
    vectors, targets = task.sample(5, generator)
    assert vectors.shape == (5, 6, 4) and targets.shape == (5, 6)
    assert targets[:, 1::2].isnan().all()
    assert torch.equal(vectors[:, 1::2, 0], targets[:, 0::2]) and not vectors[:, 1::2, 1:].any()
    again = task.sample(5, generator)[0]
    assert not torch.equal(vectors, again)


@st.composite
def configs(draw) -> RegressionConfig:
    dims, query = draw(st.integers(2, 6)), draw(st.sampled_from(QUERIES))
    return RegressionConfig(
        dims=dims,
        points=draw(st.integers(2, dims if query == "orthogonal" else 9)),
        sparsity=draw(st.none() | st.integers(1, dims)),
        noise=draw(st.sampled_from([0.0, 0.5])),
        scale=draw(st.sampled_from([0.5, 1.0, 3.0])),
        query=query,
    )


@given(configs(), st.integers(0, 99))
@settings(max_examples=25)
def test_of_any_configuration_a_number_is_asked_before_it_is_shown(config: RegressionConfig, seed: int) -> None:
    task = RegressionTask(config)
    vectors, targets = task.sample(4, torch.Generator().manual_seed(seed))
    assert vectors.shape == (4, config.context, config.input_width) and targets.shape == (4, config.context)
    assert torch.equal(targets.isnan(), (torch.arange(config.context) % 2 == 1).expand(4, -1))
    x, y = task.draw(4, torch.Generator().manual_seed(seed))
    assert torch.equal(vectors[:, 0::2], x) and torch.equal(targets[:, 0::2], y), "an x holds nothing of its y"
    shown = torch.cat([y[..., None], torch.zeros(4, config.points, config.dims - 1)], dim=2)
    assert torch.equal(vectors[:, 1::2], shown), "behind it stands the one right answer"


def test_one_linear_function_a_sequence_goes_through_all_its_points(generator) -> None:
    _, x, y = drawn(generator, 50, dims=3, points=8)
    w = torch.linalg.lstsq(x.double(), y.double()[..., None]).solution[..., 0]
    torch.testing.assert_close((x.double() @ w[..., None])[..., 0], y.double(), rtol=1e-4, atol=1e-4)
    assert w.std(dim=0).min() > 0.5 and not torch.isclose(w[0], w[1]).any()


@pytest.mark.parametrize("fields", [{}, {"sparsity": 2}, {"scale": 3.0}, {"noise": 2.0}, {"sparsity": 1, "scale": 0.5}])
def test_numbers_have_mean_0_and_the_variance_by_which_errors_are_counted(generator, fields) -> None:
    task, x, y = drawn(generator, dims=4, points=3, **fields)
    assert y.var().item() == pytest.approx(task.config.variance, rel=0.05)
    assert y.mean().item() == pytest.approx(0, abs=0.05 * task.config.variance)
    assert x.std().item() == pytest.approx(fields.get("scale", 1), rel=0.02)
    assert errors_of(zero, task, x, y) == pytest.approx([1, 1, 1], rel=0.07) and task.config.chance == 0


def test_a_sparse_function_looks_at_so_many_coordinates_each_as_often(generator) -> None:
    _, x, y = drawn(generator, 2000, dims=5, points=8, sparsity=2)
    w = torch.linalg.lstsq(x.double(), y.double()[..., None]).solution[..., 0]
    used = w.abs() > 1e-3
    assert used.sum(dim=1).float().mean().item() == pytest.approx(2, abs=0.02)
    assert used.double().mean(dim=0).tolist() == pytest.approx([0.4] * 5, abs=0.04)


def test_an_orthogonal_query_is_as_long_as_any_and_its_examples_say_nothing(generator) -> None:
    task, x, y = drawn(generator, 5000, dims=5, points=4, query="orthogonal")
    assert (x[:, :-1] @ x[:, -1, :, None]).abs().max() < 1e-5
    assert x[:, -1].square().sum(dim=1).mean().item() == pytest.approx(5, rel=0.03)
    assert least_squares(x, y)[:, -1].abs().median() < 1e-5
    assert errors_of(least_squares, task, x, y)[-1] == pytest.approx(1, rel=0.07)


def test_least_squares_errs_as_the_dimensions_left_and_not_at_all_beyond(generator) -> None:
    task, x, y = drawn(generator, dims=5, points=9)
    wanted = [1 - examples / 5 for examples in range(5)] + [0] * 4
    assert errors_of(least_squares, task, x, y) == pytest.approx(wanted, abs=0.04)


def test_averaging_errs_by_dims_plus_one_over_examples(generator) -> None:
    task, x, y = drawn(generator, dims=5, points=11)
    wanted = [1] + [6 / examples for examples in range(1, 11)]
    assert errors_of(averaging, task, x, y) == pytest.approx(wanted, rel=0.12)


def test_averaged_projections_soon_stop_improving(generator) -> None:
    task, x, y = drawn(generator, 4000, dims=5, points=11)
    wanted = [1] + [1 - 2 / 5 + 1 / (5 * i) + (i - 1) / (25 * i) for i in range(1, 11)]
    assert errors_of(averaged_projections, task, x, y) == pytest.approx(wanted, rel=0.07)
    assert errors_of(averaged_projections, task, x, y)[1] == pytest.approx(errors_of(least_squares, task, x, y)[1])


def test_averaged_projections_are_the_mean_of_fits_to_one_example_each(generator) -> None:
    _, x, y = drawn(generator, 20, dims=3, points=5)
    alone = [
        least_squares(torch.stack([x[:, j], x[:, 4]], 1), torch.stack([y[:, j], y[:, 4]], 1))[:, 1] for j in range(4)
    ]
    torch.testing.assert_close(averaged_projections(x, y)[:, 4], torch.stack(alone).mean(dim=0))


def test_the_nearest_examples_say_more_the_more_there_are_but_not_all(generator) -> None:
    task, x, y = drawn(generator, 4000, dims=2, points=60)
    errors = errors_of(nearest_neighbours, task, x, y)
    assert errors[59] < errors[20] < errors[6] and 0.05 < errors[59] < 0.3


def test_nearest_neighbours_is_a_mean_over_the_nearest_of_what_came_before(generator) -> None:
    _, x, y = drawn(generator, 20, dims=3, points=7)
    found = nearest_neighbours(x, y, k=2)
    for row in range(20):
        for i in range(2, 7):
            order = sorted(range(i), key=lambda j: float((x[row, i] - x[row, j]).norm()))
            assert found[row, i].item() == pytest.approx(float(y[row, order[:2]].mean()), rel=1e-5)


@pytest.mark.parametrize(("order", "wanted"), [((0, 1, 2, 3), 3.0), ((0, 3, 2, 1), 2.0), ((3, 2, 1, 0), 2.0)])
def test_of_two_examples_equally_near_the_later_one_counts(order: tuple[int, ...], wanted: float) -> None:
    x, y = torch.tensor([-1.0, 2.0, 1.0, -2.0])[list(order)], torch.tensor([2.0, 3.0, 1.0, 6.0])[list(order)]
    at_zero = torch.cat([x, torch.zeros(1)])[None, :, None]
    found = nearest_neighbours(at_zero, torch.cat([y, torch.zeros(1)])[None], k=3)[0, -1]
    assert found.item() == wanted


def test_the_later_of_two_equally_near_counts_among_many_points_too() -> None:
    """Beyond 25 points torch computes distances by a matrix product, where equals differ."""
    steps = torch.randint(-9, 10, (1, 41, 1), generator=torch.Generator().manual_seed(0))
    y = torch.randn(1, 41, generator=torch.Generator().manual_seed(1))
    found = nearest_neighbours(0.37 * steps.float(), y, k=3)[0]
    at = steps.flatten().tolist()
    for i in range(3, 41):
        order = sorted(range(i), key=lambda j: (abs(at[i] - at[j]), -j))
        assert found[i].item() == pytest.approx(float(y[0, order[:3]].mean()), abs=1e-5), i


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_no_estimator_looks_at_the_answer_or_beyond(generator, estimator) -> None:
    _, x, y = drawn(generator, 30, dims=3, points=6)
    found = estimator(x, y)
    x_, y_ = x.clone(), y.clone()
    x_[:, 4:], y_[:, 3:] = 5.0, -5.0
    torch.testing.assert_close(estimator(x_, y_)[:, :4], found[:, :4])
    assert found.shape == y.shape and not found[:, 0].any()


def test_scores_by_hand() -> None:
    task = RegressionTask(RegressionConfig(dims=2, points=2))
    _, targets = task.lay_out(torch.zeros(2, 2, 2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    predictions = torch.tensor([[1.0, 9.0, 1.0, 9.0], [1.0, 9.0, 4.0, 9.0]])
    wanted = {"explained": 0.75, "error_per_dimension": 0.625, "error_after_0": 1.0, "error_after_1": 0.25}
    assert task.metrics(predictions, targets) == wanted
    assert task.metrics(predictions + 9, targets)["explained"] == 0, "from 0 to 1"


def test_other_shapes_are_refused() -> None:
    task = RegressionTask(RegressionConfig(dims=2, points=2))
    with pytest.raises(
        ValueError, match=r"^predictions and targets must both be \(batch, 4\); got \(3, 4\) and \(3, 6"
    ):
        task.metrics(torch.zeros(3, 4), torch.zeros(3, 6))


def test_what_has_nothing_to_score_is_refused_and_a_point_not_asked_does_not_count() -> None:
    task, nan = RegressionTask(RegressionConfig(dims=2, points=2)), float("nan")
    for targets in (torch.zeros(0, 4), torch.full((3, 4), nan), torch.tensor([[1.0, nan, nan, nan]])):
        with pytest.raises(ValueError, match=r"^targets must have a number at each of the 2 points; got none at one$"):
            task.metrics(torch.zeros_like(targets), targets)
    targets = torch.tensor([[1.0, nan, 2.0, nan], [nan, nan, 2.0, nan]])
    assert task.metrics(torch.zeros_like(targets), targets)["error_after_0"] == 0.5
    for metric in ("error_after_1", "error_per_dimension", task.main_metric):
        assert math.isnan(task.metrics(torch.full_like(targets, nan), targets)[metric]), metric


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"dims": 0}, "dims must be a whole number >= 1; got 0"),
        ({"points": 1}, "points must be a whole number >= 2; got 1"),
        ({"sparsity": 6}, "sparsity must be a whole number from 1 to 5; got 6"),
        ({"noise": -1}, "noise must be a number from 0 to 1e+06; got -1"),
        ({"scale": 0}, "scale must be a number from 1e-06 to 1e+06; got 0"),
        ({"query": "near"}, "query must be one of normal, orthogonal; got 'near'"),
        ({"query": "orthogonal"}, "points must be at most dims 5 for a query orthogonal to all others; got 11"),
    ],
)
def test_what_cannot_be_is_one_line(fields, says) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(says)}$"):
        RegressionConfig(**fields)


def config(kind: str = "causal_rn", **fields: object) -> TrainConfig:
    task = RegressionConfig(dims=2, points=4)
    model = ModelConfig(kind=kind, vocab_size=1, input_width=2, width=16, blocks=2, max_length=8)
    plan = {"steps": 2, "batch": 4, "evaluate_every": 1, "evaluation_strings": 8} | fields
    return TrainConfig(model=model, task=task, **plan)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["causal_rn", "linear_rn", "transformer"])
def test_a_run_has_the_scores_of_every_number_of_examples(kind) -> None:
    result = run(config(kind))
    assert result.free_running == {} and set(result.teacher_forced) == {
        "explained", "error_per_dimension", *(f"error_after_{i}" for i in range(4))
    }  # fmt: skip
    assert [row["step"] for row in result.history] == [1, 2] and result.row()["task"]["name"] == "regression"


@pytest.mark.slow
def test_a_model_learns_it_where_one_example_tells_all() -> None:
    """In one dimension `y_1 / x_1` is `w`: before it nothing can be known, and with it nearly all is."""
    plan = {"steps": 300, "batch": 64, "learning_rate": 5e-3, "evaluate_every": 300, "evaluation_strings": 2000}
    easy = replace(
        config(**plan), task=RegressionConfig(dims=1, points=4), model=replace(config().model, input_width=1)
    )
    scores = run(easy).teacher_forced
    assert scores["error_after_1"] < 0.5 < 0.9 < scores["error_after_0"] and scores["explained"] > 0.5


def test_a_model_of_other_things_is_refused_in_one_line() -> None:
    fits = config()
    for model, says in [
        (
            replace(fits.model, input_width=None),
            "input_width of the model must be 2: RegressionConfig(.* is of vectors",
        ),
        (replace(fits.model, vocab_size=2), "vocab_size of the model must be 1 for the numbers of RegressionConfig("),
    ]:
        with pytest.raises(ConfigError, match="^" + says.replace("(", r"\(")) as error:
            replace(fits, model=model)
        assert "\n" not in str(error.value)
    with pytest.raises(
        ConfigError, match=r"^input_width of the model must be None: CopyingConfig\(.* is of tokens; got 2"
    ):
        replace(fits, task=CopyingConfig(string_length=2, vocab=2), model=replace(fits.model, vocab_size=5))


def test_the_width_of_vectors_counts_in_a_rows_key_where_there_is_one() -> None:
    keys = {config_key(config()), config_key(replace(config(), seed=1)), config_key(TrainConfig())}
    wider = replace(config(), task=RegressionConfig(dims=3, points=4), model=replace(config().model, input_width=3))
    assert len(keys | {config_key(wider)}) == 4
