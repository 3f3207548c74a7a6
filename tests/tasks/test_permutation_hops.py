"""Hops along a cycle: every answer against one that walks its edges."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.tasks import BOS, NOT_SCORED, PermutationHopsConfig, PermutationHopsTask

X = NOT_SCORED


@given(st.integers(2, 7), st.integers(0, 4), st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))
def test_every_question_is_answered_as_by_walking(nodes, spare, hops, queries, seed):
    config = PermutationHopsConfig(nodes=nodes, names=nodes + spare, hops=min(hops, nodes - 1), queries=queries)
    tokens, targets = PermutationHopsTask(config).sample(8, torch.Generator().manual_seed(seed))
    for (bos, *row), wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
        edges, questions = row[: 2 * nodes], row[2 * nodes :]
        after = dict(zip(edges[0::2], edges[1::2], strict=True))
        assert bos == BOS and len(after) == nodes
        assert set(after) == set(after.values()) <= set(range(config.hops + 1, config.vocab_size))
        walk = [edges[0]]
        while after[walk[-1]] not in walk:
            walk.append(after[walk[-1]])
        assert len(walk) == nodes, "one cycle"
        answers = []
        for asked, node in zip(questions[0::2], questions[1::2], strict=True):
            assert 1 <= asked <= config.hops
            for _ in range(asked):
                node = after[node]
            answers += [X, node]
        assert wanted == [X] * (1 + 2 * nodes) + answers


def test_edges_stand_in_any_order(generator):
    config = PermutationHopsConfig(nodes=3, names=3, hops=2, queries=1)
    tokens, _ = PermutationHopsTask(config).sample(2_400, generator)
    orders, counts = tokens[:, 1:7].unique(dim=0, return_counts=True)
    assert len(orders) == 2 * math.factorial(3), "two cycles, and six orders of the edges of each"
    assert counts.min() > 130
    neighbours = (tokens[:, 2] == tokens[:, 3]).double().mean().item()
    assert neighbours == pytest.approx(1 / 2, abs=0.05), "the next edge goes on from the last as often as not"


def test_every_node_and_number_of_hops_is_asked(generator):
    config = PermutationHopsConfig(nodes=4, names=4, hops=3, queries=1)
    tokens, targets = PermutationHopsTask(config).sample(3_000, generator)
    questions, counts = tokens[:, -2:].unique(dim=0, return_counts=True)
    assert len(questions) == 3 * 4 and counts.min() > 180
    assert len(targets[:, -1].unique()) == 4


def test_bits_count_the_cycles():
    cycles = {frozenset(zip(order, order[1:] + order[:1], strict=True)) for order in itertools.permutations(range(5))}
    assert PermutationHopsConfig(nodes=5, hops=1).bits == pytest.approx(math.log2(len(cycles)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"nodes": 1}, "nodes must be a whole number >= 2; got 1"),
        ({"hops": 0}, "hops must be a whole number >= 1; got 0"),
        ({"nodes": 17}, "nodes must be at most names 16; got 17"),
        ({"hops": 8}, "hops must be at most 7, for 8 lead back to the start; got 8"),
    ],
)
def test_a_task_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        PermutationHopsConfig(**fields)
