"""Fuzzy recall: every problem read from left to right, keys and values told apart by their alphabets."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.tasks import NOT_SCORED, FuzzyRecallConfig, FuzzyRecallTask

X = NOT_SCORED


@st.composite
def configs(draw):
    key, value = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return FuzzyRecallConfig(
        vocab=2 * max(key, value) + 1 + draw(st.integers(0, 5)),
        length=2 * (key + value) - 1 + draw(st.integers(0, 20)),
        key_length=key,
        value_length=value,
        shortest_key=draw(st.integers(1, key)),
    )


def read(config: FuzzyRecallConfig, row: list[int]) -> list[tuple[int, ...]]:
    """Padding off, then keys and values in turn."""
    pad = config.vocab - 1
    row = list(itertools.dropwhile(lambda token: token == pad, row))
    assert pad not in row, "padding stands on the left only"
    return [tuple(run) for _, run in itertools.groupby(row, lambda token: token < config.keys)]


@given(configs(), st.integers(0, 99))
def test_the_values_of_keys_that_were_there_are_asked_and_no_others(config, seed):
    tokens, targets = FuzzyRecallTask(config).sample(6, torch.Generator().manual_seed(seed))
    for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
        whole = [*row, wanted[-1]]  # the last token of the last value is only a target
        runs = read(config, whole)
        keys, values = runs[0::2], runs[1::2]
        assert len(keys) == len(values) >= 2
        expected: list[int] = []
        known: dict[tuple[int, ...], tuple[int, ...]] = {}
        for number, (key, value) in enumerate(zip(keys, values, strict=True)):
            assert config.shortest_key <= len(key) <= config.key_length and len(value) <= config.value_length
            assert len(set(key)) == len(key) and len(set(value)) == len(value)
            assert known.setdefault(key, value) == value, "one answer only"
            expected += [X] * len(key) + (list(value) if key in keys[:number] else [X] * len(value))
        assert keys[-1] in keys[:-1]
        assert wanted == ([X] * len(whole) + expected)[-len(wanted) :]


def test_all_lengths_are_drawn_and_the_last_pair_is_any_of_those_before(generator):
    config = FuzzyRecallConfig()
    again, sizes = set(), []
    for row, wanted in zip(*(each.tolist() for each in FuzzyRecallTask(config).sample(200, generator)), strict=True):
        runs = read(config, [*row, wanted[-1]])
        sizes += [len(key) for key in runs[0:-2:2]]
        assert 128 - 2 * 6 < len([token for token in row if token != config.vocab - 1]) <= 128
        again.add(runs[0:-2:2].index(runs[-2]))
    # MAD's three lengths, equally often; the last pairs of a row repeat those at its front, middle and end.
    assert [round(sizes.count(size) / len(sizes), 1) for size in (1, 2, 3)] == [0.3, 0.3, 0.3]
    assert min(again) == 0 and max(again) > 20


def test_keys_of_full_length_only_as_in_the_test_of_mad(generator):
    config = FuzzyRecallConfig(shortest_key=3)
    tokens, targets = FuzzyRecallTask(config).sample(20, generator)
    for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
        assert {len(run) for run in read(config, [*row, wanted[-1]])[0::2]} == {3}


@pytest.mark.parametrize("fields", [{"length": 7, "value_length": 1}, {"length": 10, "value_length": 2}])
def test_bits_count_the_tables_that_no_state_may_take_for_one_another(fields, generator):
    """Two tables may share a state if no question tells them apart: a value and a longer one that begins like it."""
    config = FuzzyRecallConfig(vocab=5, key_length=1, **fields)
    found = set()
    for row in FuzzyRecallTask(config).sample(2_000, generator)[0].tolist():
        runs = read(config, row)[:-1]  # without the last pair, of which the row lacks a token
        found.add(frozenset(zip(runs[0::2], runs[1::2], strict=False)))
    assert max(map(len, found)) == config.keys == 2

    def apart(one, other):
        return any(a != b for key in one.keys() & other.keys() for a, b in zip(one[key], other[key], strict=False))

    # As many as can be found of which each two have to be told apart: a state for each of them, at least.
    tables = sorted((dict(each) for each in found), key=lambda table: -sum(map(len, table.values())))
    needed = []
    for table in tables:
        if all(apart(table, other) for other in needed) and len(table) == config.keys:
            needed.append(table)
    assert config.bits == pytest.approx(math.log2(len(needed)))


def test_one_bit_answers_what_was_counted_as_two():
    """Values [a], [b], [a, b] and [b, a] of one key: who keeps the first token is right about all of them."""
    assert FuzzyRecallConfig(vocab=4, length=5, key_length=1, value_length=2).bits == 1


def test_bits_count_pairs_where_keys_are_many():
    config = FuzzyRecallConfig()
    assert config.bits == pytest.approx((123 // 6) * math.log2(8 * 7 * 6))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vocab": 2}, "vocab must be a whole number >= 3; got 2"),
        ({"length": 0}, "length must be a whole number >= 1; got 0"),
        ({"key_length": 8}, "key_length must be at most 7, the tokens that vocab 16 has for it; got 8"),
        ({"value_length": 9}, "value_length must be at most 8, the tokens that vocab 16 has for it; got 9"),
        ({"shortest_key": 4}, "shortest_key must be at most key_length 3; got 4"),
        ({"shortest_key": 0}, "shortest_key must be a whole number >= 1; got 0"),
        ({"length": 10}, "length must be at least 11 for a pair of 6 to stand twice; got 10"),
    ],
)
def test_a_task_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        FuzzyRecallConfig(**fields)
