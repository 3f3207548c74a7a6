"""The bounds on what a memory of so many bits can copy."""

import itertools
import math

import pytest

from crn_lib.tasks.bounds import (
    best_character_accuracy,
    best_string_accuracy,
    bits_carried,
    letters_that_fit,
    string_bits,
)


def best_by_trying_everything(states: int, length: int, vocab: int) -> float:
    """The largest share of strings that any choice of one answer a state gives back."""
    strings = list(itertools.product(range(vocab), repeat=length))
    return max(
        sum(string in answers for string in strings) / len(strings)
        for answers in itertools.combinations(strings, min(states, len(strings)))
    )


@pytest.mark.parametrize(
    ("bits", "length", "vocab"), [(0, 2, 2), (1, 2, 2), (2, 2, 2), (1, 3, 2), (3, 2, 2), (2, 2, 3)]
)
def test_the_string_bound_is_what_the_best_code_reaches(bits, length, vocab):
    best = best_by_trying_everything(2**bits, length, vocab)
    assert best_string_accuracy(bits, length, vocab) == pytest.approx(best)


@pytest.mark.parametrize("vocab", [2, 5, 26])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 0.95])
def test_bits_and_character_accuracy_are_inverse(vocab, share):
    bits = share * string_bits(16, vocab)
    accuracy = best_character_accuracy(bits, 16, vocab)
    assert 1 / vocab < accuracy < 1
    assert bits_carried(accuracy, 16, vocab) == pytest.approx(bits, rel=1e-9)


def test_guessing_needs_no_bits_and_every_letter_needs_all():
    assert bits_carried(1 / 26, 16) == 0 and bits_carried(0.0, 16) == 0
    assert bits_carried(1.0, 16) == string_bits(16) == 16 * math.log2(26)
    assert best_character_accuracy(0, 16) == pytest.approx(1 / 26)
    assert best_character_accuracy(1e9, 16) == 1 and best_string_accuracy(1e9, 16) == 1
    assert best_string_accuracy(string_bits(16) - 3, 16) == pytest.approx(1 / 8)


def test_two_letters_follow_shannons_formula():
    entropy = -0.1 * math.log2(0.1) - 0.9 * math.log2(0.9)
    assert bits_carried(0.9, 8, vocab=2) == pytest.approx(8 * (1 - entropy))


def test_a_lossless_memory_of_that_many_letters_is_exactly_enough():
    assert letters_that_fit(string_bits(16, 5), 5) == pytest.approx(16)
    assert letters_that_fit(string_bits(16)) == pytest.approx(16)
