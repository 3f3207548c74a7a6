"""The close-pairs task: its count against one made pair by pair, and what it refuses."""

import math
import re

import pytest
import torch

from crn_lib.config import ConfigError
from crn_lib.tasks import ClosePairsConfig, ClosePairsTask


@pytest.mark.parametrize(("points", "radius"), [(2, 1.3), (6, 1.3), (9, 0.4), (4, 9.0)])
def test_the_count_is_that_of_a_loop_over_pairs(points, radius, generator):
    task = ClosePairsTask(ClosePairsConfig(points=points, radius=radius))
    scenes, counts = task.sample(40, generator)
    assert scenes.shape == (40, points, 2) and counts.shape == (40,)
    assert scenes.abs().max() <= 2 and scenes.min() < -1 and scenes.max() > 1
    for scene, count in zip(scenes.tolist(), counts.tolist(), strict=True):
        found = sum(math.dist(scene[i], scene[j]) < radius for j in range(points) for i in range(j))
        assert count == found
        assert 0 <= count < task.config.answers


def test_a_pair_stands_once_above_the_diagonal():
    task = ClosePairsTask(ClosePairsConfig(points=3, radius=1.0))
    close = task.close(torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.5, 0.5]]))
    assert close.nonzero().tolist() == [[0, 2]]
    assert not task.close(torch.tensor([[0.0, 0.0], [1.0, 0.0]])).any(), "closer than the radius, not as far"


def test_the_answers_reach_from_none_to_all_pairs():
    task = ClosePairsTask(ClosePairsConfig(points=5))
    assert task.config.answers == 11 and isinstance(task.config.answers, int)
    assert ClosePairsConfig() == ClosePairsConfig(points=6, radius=1.3)
    assert task.close(torch.zeros(5, 2)).sum() == 10


def test_two_generators_with_one_seed_draw_the_same_scenes():
    task = ClosePairsTask(ClosePairsConfig())
    one, other = (task.sample(3, torch.Generator().manual_seed(5))[0] for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, task.sample(3, torch.Generator().manual_seed(6))[0])


def test_accuracy_counts_whole_answers():
    task = ClosePairsTask(ClosePairsConfig())
    assert task.metrics(torch.tensor([1, 2, 3, 4]), torch.tensor([1, 2, 3, 5])) == {"accuracy": 0.75}
    for predictions, targets in [((3, 16), (3,)), ((3, 2), (3, 2))]:
        wanted = f"predictions and targets must both be (batch,); got {predictions} and {targets}"
        with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
            task.metrics(torch.zeros(predictions), torch.zeros(targets))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"points": 1}, "points must be a whole number >= 2; got 1"),
        ({"radius": 0}, "radius must be above 0; got 0"),
        ({"radius": -1}, "radius must be a number >= 0; got -1"),
        ({"radius": math.nan}, "radius must be a number >= 0; got nan"),
    ],
)
def test_a_value_out_of_range_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        ClosePairsConfig(**wrong)


def test_a_batch_must_be_a_whole_number(generator):
    with pytest.raises(ConfigError, match=r"^batch must be a whole number >= 1; got 0$"):
        ClosePairsTask(ClosePairsConfig()).sample(0, generator)
