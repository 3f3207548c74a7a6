"""The profile of a training step: every operation in one part, forward and backward together."""

import pytest
import torch

from crn_lib.bench.profile import BACKWARD, BETWEEN, OTHER, PARTS, RELATION, _forward_parts, profile_step
from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig

TASK = CopyingConfig(string_length=12)
CONFIG = TrainConfig(model=ModelConfig(width=16, blocks=2, max_length=TASK.context), task=TASK, batch=4)


@pytest.fixture(scope="module")
def step():
    return profile_step(CONFIG, steps=5)


def test_the_parts_are_disjoint_named_and_add_up_to_the_whole(step):
    assert set(step.parts) == {RELATION, *PARTS, OTHER, BETWEEN}
    # What lies between the operations is the difference to the clock: negative if any were counted twice.
    assert all(spent > 0 for spent in step.parts.values())
    assert sum(step.parts.values()) == pytest.approx(step.whole, rel=1e-6)
    # Steps of one configuration take about the same time with the profiler and without.
    assert 0.3 * step.undisturbed < step.whole < 30 * step.undisturbed


def test_the_table_is_sorted_and_its_shares_add_up(step):
    headings, *parts, whole = step.table()
    assert len(headings) == 3 and whole[2] == "100.0%"
    times = [float(line[1]) for line in parts]
    assert times == sorted(times, reverse=True) and RELATION in [line[0] for line in parts]
    assert sum(float(line[2].rstrip("%")) for line in parts) == pytest.approx(100, abs=1)


def test_a_backward_operation_counts_for_the_forward_operation_it_differentiates():
    x = torch.randn(3, 4, requires_grad=True)
    layer = torch.nn.Linear(4, 4)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as recorded:
        torch.nn.functional.layer_norm(layer(x) + x, (4,)).sum().backward()
    events = list(recorded.events())
    parts = _forward_parts(events)
    backward = {event.name.removeprefix(BACKWARD): event for event in events if event.name.startswith(BACKWARD)}
    assert parts[backward["NativeLayerNormBackward0"].sequence_nr] == "layer norms"
    assert parts[backward["AddBackward0"].sequence_nr] == "additions of positions and residuals"
    assert parts[backward["AddmmBackward0"].sequence_nr] == "linear maps"
    assert parts[backward["SumBackward0"].sequence_nr] == OTHER
