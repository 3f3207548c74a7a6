"""Selective copying: blanks taken out, the tokens in front of the mark are the answers behind it."""

import itertools
import math
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.tasks import NOT_SCORED, SelectiveCopyingConfig, SelectiveCopyingTask

X = NOT_SCORED


@st.composite
def configs(draw):
    tokens = draw(st.integers(1, 6))
    length = 2 * tokens + 1 + draw(st.integers(0, 12))
    return SelectiveCopyingConfig(vocab=draw(st.integers(4, 9)), length=length, tokens=tokens)


@given(configs(), st.integers(0, 99))
def test_what_stands_between_blanks_is_asked_behind_the_mark(config, seed):
    blank, mark, n = config.vocab - 2, config.vocab - 1, config.tokens
    tokens, targets = SelectiveCopyingTask(config).sample(4, torch.Generator().manual_seed(seed))
    for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
        place = row.index(mark)
        told = [token for token in row[:place] if token != blank]
        assert row[place:] == [mark, *[blank] * n], "no answer stands there"
        assert len(told) == n and row[place - 1] == told[-1], "no blank behind the last token"
        assert row[:place].count(blank) == config.blanks == config.length - 2 * n - 1
        assert wanted == [X] * (place + 1) + told


def test_each_blank_stands_before_any_token(generator):
    """All that may be drawn, as often as the definition says: two tokens of two, three blanks."""
    config = SelectiveCopyingConfig(vocab=4, length=8, tokens=2)
    expected: Counter[tuple[int, ...]] = Counter()
    for first, second, *before in itertools.product(*[range(2)] * 5):
        gap = before.count(0)
        expected[(*[2] * gap, first, *[2] * (3 - gap), second, 3, 2, 2)] += 1
    drawn = Counter(map(tuple, SelectiveCopyingTask(config).sample(16_000, generator)[0].tolist()))
    assert set(drawn) == set(expected) and expected.total() == 32
    for row, of_32 in expected.items():
        p = of_32 / 32
        assert abs(drawn[row] - 16_000 * p) < 4.5 * math.sqrt(16_000 * p * (1 - p))


def test_all_that_is_read_behind_the_mark_is_the_same_and_every_string_is_asked(generator):
    config = SelectiveCopyingConfig(vocab=5, length=9, tokens=3)
    tokens, targets = SelectiveCopyingTask(config).sample(1_000, generator)
    assert len({tuple(row) for row in tokens[:, -4:].tolist()}) == 1
    answers = {tuple(row) for row in targets[:, -3:].tolist()}
    assert config.bits == pytest.approx(math.log2(len(answers)))


@pytest.mark.parametrize(("vocab", "tokens"), [(4, 1), (4, 5), (5, 4), (8, 3)])
def test_chance_is_the_share_of_the_most_frequent_token(vocab, tokens):
    strings = list(itertools.product(range(vocab - 2), repeat=tokens))
    most = sum(max(Counter(string).values()) for string in strings) / len(strings) / tokens
    config = SelectiveCopyingConfig(vocab=vocab, length=2 * tokens + 1, tokens=tokens)
    assert config.chance == pytest.approx(most, abs=0.003)


def test_the_ids_and_lengths_are_those_of_mad(generator):
    config = SelectiveCopyingConfig()
    tokens, targets = SelectiveCopyingTask(config).sample(50, generator)
    assert set(targets[:, -16:].flatten().tolist()) == set(range(14))
    assert bool((tokens[:, 239] == 15).all()) and bool((tokens[:, 240:] == 14).all()) and tokens.shape == (50, 256)
    assert config.bits == 16 * math.log2(14) and config.chance == pytest.approx(0.204, abs=0.01)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vocab": 3}, "vocab must be a whole number >= 4; got 3"),
        ({"tokens": 0}, "tokens must be a whole number >= 1; got 0"),
        ({"length": 32}, "length must be at least 33 for 16 tokens, the mark and as many answers; got 32"),
        ({"length": 40.5}, "length must be a whole number >= 1; got 40.5"),
    ],
)
def test_a_task_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        SelectiveCopyingConfig(**fields)
