"""Memorisation: one dictionary for all draws, and another for another seed."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.tasks import NOT_SCORED, MemorisationConfig, MemorisationTask

X = NOT_SCORED


@given(st.integers(3, 40), st.integers(1, 8), st.integers(0, 99), st.integers(0, 99))
@settings(max_examples=25)
def test_each_key_asks_once_behind_it_and_its_value_stands_nowhere(vocab, pairs, dictionary, seed):
    config = MemorisationConfig(vocab=vocab, length=2 * pairs, dictionary_seed=dictionary)
    task = MemorisationTask(config)
    values = task.dictionary.tolist()
    assert len(values) == len(set(values)) == config.keys, "of each key one, and no two alike"
    tokens, targets = task.sample(4, torch.Generator().manual_seed(seed))
    assert tokens.shape == targets.shape == (4, config.context)
    for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
        assert wanted == [answer for key in row[0::2] for answer in (X, values[key])]
        assert not set(row) & set(values), "a value would give itself away"


@pytest.mark.parametrize("vocab", [3, 4, 9, 256])
def test_a_key_has_the_same_value_in_every_sequence(vocab, generator):
    config = MemorisationConfig(vocab=vocab, length=8)
    known: dict[int, int] = {}
    for seed in range(3):
        batch = MemorisationTask(config).sample(500, generator.manual_seed(seed))
        for row, wanted in zip(*(each.tolist() for each in batch), strict=True):
            assert row[1::2] == [vocab - 1] * 4 and wanted[0::2] == [X] * 4
            for key, value in zip(row[0::2], wanted[1::2], strict=True):
                assert known.setdefault(key, value) == value
    assert sorted(known) == list(range(config.keys)), "every key is drawn"
    assert len(set(known.values())) == config.keys, "no two have a value in common"
    assert set(known.values()) <= set(range(config.keys, vocab - 1))


def test_the_dictionary_is_that_of_its_seed():
    one, same, other = (
        MemorisationTask(MemorisationConfig(dictionary_seed=seed)).dictionary.tolist() for seed in (0, 0, 1)
    )
    assert one == same and one != other
    assert one != sorted(one)


def test_the_state_keeps_one_key():
    config = MemorisationConfig()
    assert (config.keys, config.vocab_size, config.context) == (127, 256, 32)
    assert config.bits == pytest.approx(math.log2(127)) and config.chance == 1 / 127


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vocab": 2}, "vocab must be a whole number >= 3; got 2"),
        ({"length": 1}, "length must be a whole number >= 2; got 1"),
        ({"length": 33}, "length must be even, two tokens a key; got 33"),
        ({"dictionary_seed": -1}, "dictionary_seed must be a whole number from 0 to 1000000000000000000; got -1"),
    ],
)
def test_a_task_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        MemorisationConfig(**fields)
