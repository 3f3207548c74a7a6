"""N-gram look-up: every problem against one that reads its string from left to right."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.tasks import BOS, NOT_SCORED, SEP, NgramLookupConfig, NgramLookupTask
from crn_lib.tasks.ngram_lookup import PLACES

X = NOT_SCORED
CASES = [
    {},
    {"where": "prefix"},
    {"string_length": 5, "n": 1, "answer_length": 1, "letters": 3},
    {"string_length": 5, "n": 1, "answer_length": 4, "letters": 8, "where": "prefix"},
    {"string_length": 9, "n": 3, "answer_length": 2, "letters": 2},
    {"string_length": 4, "n": 3, "answer_length": 1, "letters": 2, "where": "prefix"},
]


def read(config: NgramLookupConfig, row: list[int]) -> tuple[list[int], list[int]]:
    """String and key of a problem's tokens."""
    length, n = config.string_length, config.n
    assert row[0] == BOS
    if config.where == "suffix":
        assert row[length + 1] == SEP
        return row[1 : length + 1], row[length + 2 : length + 2 + n]
    assert row[n + 1] == row[n + length + 2] == SEP
    return row[n + 2 : n + length + 2], row[1 : n + 1]


@pytest.mark.parametrize("fields", CASES, ids=repr)
def test_the_key_stands_once_and_the_answer_is_what_follows(fields, generator):
    config = NgramLookupConfig(**fields)
    tokens, targets = NgramLookupTask(config).sample(300, generator)
    n, size = config.n, config.answer_length
    for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
        string, key = read(config, row)
        found = [start for start in range(len(string) - n + 1) if string[start : start + n] == key]
        assert len(found) == 1
        answer = string[found[0] + n : found[0] + n + size]
        assert wanted == [X] * (len(row) - size) + answer
        assert row[len(row) - size + 1 :] == answer[:-1], "all of the answer but its last letter is fed"
        assert set(string) <= set(range(2, config.vocab_size))


@st.composite
def configs(draw):
    n, size = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    fields = {"string_length": n + size + draw(st.integers(0, 10)), "n": n, "answer_length": size}
    try:
        return NgramLookupConfig(**fields, letters=draw(st.integers(2, 26)), where=draw(st.sampled_from(PLACES)))
    except ConfigError:  # hardly an n-gram would stand once
        assume(False)


@given(configs(), st.integers(0, 99))
@settings(max_examples=25)
def test_of_any_configuration_the_key_stands_once_and_has_one_answer(config, seed):
    tokens, targets = NgramLookupTask(config).sample(6, torch.Generator().manual_seed(seed))
    assert tokens.shape == targets.shape == (6, config.context)
    for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
        string, key = read(config, row)
        (found,) = (start for start in range(len(string)) if string[start : start + config.n] == key)
        answer = string[found + config.n :][: config.answer_length]
        assert wanted == [X] * (len(row) - config.answer_length) + answer
        before = 1 + config.string_length + config.n + (1 if config.where == "suffix" else 2)
        assert row[before:] == answer[:-1], "behind the question its answer, and no letter before it is asked"


@given(st.lists(st.integers(0, 2), min_size=7, max_size=12), st.integers(1, 4))
def test_what_stands_once_is_found_as_by_counting(string, n):
    config = NgramLookupConfig(string_length=len(string), n=n, answer_length=2, letters=26)
    grams = [tuple(string[start : start + n]) for start in range(len(string) - n + 1)]
    found = NgramLookupTask(config).single(torch.tensor([string]))[0].tolist()
    assert found == [grams.count(gram) == 1 for gram in grams[: len(string) - n - 1]]


def test_long_keys_are_told_apart_by_every_letter():
    config = NgramLookupConfig(string_length=200, n=70, answer_length=1)  # 26**70 is beyond 64 bits
    string = torch.randint(26, (1, 200), generator=torch.Generator().manual_seed(1))
    assert NgramLookupTask(config).single(string).all()
    periodic = torch.arange(200)[None] % 2
    assert not NgramLookupTask(config).single(periodic).any()
    periodic[0, 0] = 7
    assert NgramLookupTask(config).single(periodic)[0].nonzero().tolist() == [[0]]


def test_every_start_is_as_likely_as_another(generator):
    config = NgramLookupConfig(string_length=6, n=2, answer_length=2, letters=26)
    tokens, _ = NgramLookupTask(config).sample(3_000, generator)
    starts = [
        next(start for start in range(5) if string[start : start + 2] == key)
        for string, key in (read(config, row) for row in tokens.tolist())
    ]
    assert [round(starts.count(start) / 3_000, 1) for start in range(3)] == [0.3, 0.3, 0.3]


def test_the_context_is_as_long_as_its_parts():
    assert NgramLookupConfig().context == 1 + 32 + 1 + 2 + 3
    assert NgramLookupConfig(where="prefix").context == 1 + 2 + 1 + 32 + 1 + 3
    assert NgramLookupConfig(letters=4).vocab_size == 6


def test_a_key_in_front_asks_for_less_memory_than_one_behind():
    front, behind = (NgramLookupConfig(where=where) for where in ("prefix", "suffix"))
    assert front.bits == 4 * math.log2(26) and front.bits < behind.bits < 32 * math.log2(26)
    # Three letters out of eight, of which the last is asked for: its three bits, but for strings of one letter.
    assert 2.8 < NgramLookupConfig(string_length=3, n=2, answer_length=1, letters=8).bits < 3
    crowded = NgramLookupConfig(string_length=40, n=3, answer_length=1, letters=3)
    assert 0 <= crowded.bits < 40 * math.log2(3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n": 0}, "n must be a whole number >= 1; got 0"),
        ({"letters": 1}, "letters must be a whole number >= 2; got 1"),
        ({"where": "middle"}, "where must be one of prefix, suffix; got 'middle'"),
        (
            {"string_length": 5, "n": 3, "answer_length": 3},
            "n and answer_length together must be at most string_length 5; got 3 and 3",
        ),
        (
            {"string_length": 32, "n": 2, "letters": 2},
            "n must be larger, or letters more, for a string of 32 letters to hold .*; got n 2 and 2 letters",
        ),
    ],
)
def test_a_task_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        NgramLookupConfig(**fields)
