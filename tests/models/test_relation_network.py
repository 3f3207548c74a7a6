"""Santoro's network against its definition; that order means nothing to it; that pairs are what it learns by."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from crn_lib.models import ObjectNetwork, RelationNetwork
from crn_lib.tasks import ClosePairsConfig, ClosePairsTask

BOTH = pytest.mark.parametrize("kind", [RelationNetwork, ObjectNetwork])


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("layers", [1, 3])
def test_the_relation_network_is_its_definition(n, layers, generator):
    network = RelationNetwork(3, 7, 4, layers=layers, generator=generator).double()
    x = torch.randn(2, n, 3, generator=generator, dtype=torch.float64)
    for scene, answer in zip(x, network(x), strict=True):
        total = sum(network.g(torch.cat([scene[i], scene[j]])) for i in range(n) for j in range(n))
        torch.testing.assert_close(answer, network.f(total))


def test_the_object_network_is_its_definition(generator):
    network = ObjectNetwork(3, 7, 4, generator=generator).double()
    x = torch.randn(2, 5, 3, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(network(x)[1], network.f(sum(network.g(x[1, i]) for i in range(5))))


@BOTH
def test_the_order_of_the_objects_means_nothing(kind, generator):
    network = kind(2, 6, 3, generator=generator).double()
    x = torch.randn(1, 4, 2, generator=generator, dtype=torch.float64)
    for order in itertools.permutations(range(4)):
        torch.testing.assert_close(network(x[:, list(order)]), network(x))


@BOTH
def test_it_is_drawn_from_its_generator_alone(kind):
    global_state = torch.get_rng_state()
    one, other = (kind(2, 6, 3, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), global_state)
    for here, there in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(here, there) and here.isfinite().all() and here.abs().max() > 0
    for layer in (m for m in one.modules() if isinstance(m, torch.nn.Linear)):
        assert layer.weight.abs().max() <= layer.in_features**-0.5


def test_with_pairs_it_learns_to_count_close_pairs_and_without_it_does_not():
    task = ClosePairsTask(ClosePairsConfig(points=3))
    scenes, counts = task.sample(1000, torch.Generator().manual_seed(1))
    accuracies = []
    for kind in (RelationNetwork, ObjectNetwork):
        draw = torch.Generator().manual_seed(0)
        network = kind(2, 32, task.config.answers, generator=draw)
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
        for _ in range(250):
            x, wanted = task.sample(64, draw)
            optimizer.zero_grad()
            F.cross_entropy(network(x), wanted).backward()
            optimizer.step()
        with torch.no_grad():
            accuracies.append(task.metrics(network(scenes).argmax(-1), counts)["accuracy"])
    assert accuracies[0] > 0.8 and accuracies[0] > accuracies[1] + 0.1
