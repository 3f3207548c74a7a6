"""MQAR: every problem against a dictionary, and the queries where the power law wants them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.tasks import NOT_SCORED, RecallConfig, RecallTask

X = NOT_SCORED


@st.composite
def configs(draw):
    pairs, passes = draw(st.integers(1, 5)), draw(st.integers(1, 2))
    return RecallConfig(
        pairs=pairs,
        passes=passes,
        length=2 * pairs * (passes + 1) + 2 * draw(st.integers(0, 4)),
        vocab=2 * (pairs + 1 + draw(st.integers(0, 5))),
        power=draw(st.sampled_from([0, 0.01, 1])),
        filler=draw(st.sampled_from(["zeros", "random"])),
    )


@given(configs(), st.integers(0, 99))
def test_every_key_is_asked_once_and_its_value_is_the_target(config, seed):
    tokens, targets = RecallTask(config).sample(5, torch.Generator().manual_seed(seed))
    half, listed = config.vocab // 2, 2 * config.pairs
    for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
        keys, values = row[0:listed:2], row[1:listed:2]
        assert row[: listed * config.passes] == row[:listed] * config.passes
        assert len(set(keys)) == len(set(values)) == config.pairs
        assert set(keys) <= set(range(1, half)) and set(values) <= set(range(half, config.vocab))
        asked = [place for place, target in enumerate(wanted) if target != X]
        assert sorted(row[place] for place in asked) == sorted(keys)
        assert all(place >= listed * config.passes and place % 2 == 0 for place in asked)
        known = dict(zip(keys, values, strict=True))
        assert all(wanted[place] == known[row[place]] for place in asked)
        if config.filler == "zeros":
            rest = row[listed * config.passes :]
            assert sorted(token for token in rest if token) == sorted(keys), "no value, and no key twice"


def test_random_filler_takes_all_tokens(generator):
    config = RecallConfig(pairs=1, length=10, vocab=6, filler="random")
    tokens, targets = RecallTask(config).sample(400, generator)
    filler = tokens[:, 2:][targets[:, 2:] == X]
    assert sorted(set(filler.tolist())) == list(range(6))


@pytest.mark.parametrize("power", [0.01, 0.5, 1])
def test_queries_follow_the_power_law(power, generator):
    config = RecallConfig(pairs=1, length=14, vocab=8, power=power)
    _, targets = RecallTask(config).sample(20_000, generator)
    found = (targets[:, 2::2] != X).double().mean(dim=0).tolist()
    weights = [power * (slot + 1) ** (power - 1) for slot in range(6)]
    assert found == pytest.approx([weight / sum(weights) for weight in weights], abs=0.015)


def test_the_order_of_queries_tells_nothing_of_their_pairs(generator):
    config = RecallConfig(pairs=4, length=64, vocab=32)
    tokens, targets = RecallTask(config).sample(8_000, generator)
    in_order = torch.where(targets != X, targets, 0).masked_select(targets != X).view(-1, 4)
    right = (in_order == tokens[:, 1:8:2]).double().mean(dim=0)
    assert right.tolist() == pytest.approx([1 / 4] * 4, abs=0.02)


def test_bits_count_what_the_values_may_be():
    assert RecallConfig(pairs=2, length=8, vocab=8).bits == pytest.approx(math.log2(4 * 3))
    assert RecallConfig(pairs=16, vocab=128).bits == pytest.approx(sum(math.log2(64 - i) for i in range(16)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pairs": 0}, "pairs must be a whole number >= 1; got 0"),
        ({"vocab": 2}, "vocab must be a whole number >= 4; got 2"),
        ({"vocab": 127}, "vocab must be even; got 127"),
        ({"length": 65}, "length must be even; got 65"),
        ({"power": 1.5}, "power must be a number from 0 to 1; got 1.5"),
        ({"filler": "ones"}, "filler must be one of zeros, random; got 'ones'"),
        ({"pairs": 64, "length": 512}, "pairs must be at most 63, the keys of vocab 128; got 64"),
        ({"length": 62}, "length must be at least 64 for 16 pairs, passes 1 and a query of each pair; got 62"),
        ({"passes": 2}, "length must be at least 96 for 16 pairs, passes 2 and a query of each pair; got 64"),
    ],
)
def test_a_task_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        RecallConfig(**fields)
