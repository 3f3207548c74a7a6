"""What is measured without a model, on data of which the answer is known, and on those that are here."""

import math

import numpy as np
import pytest

from crn_lib.data import (
    Images,
    Sentences,
    bz2_bits_per_byte,
    digits,
    majority_accuracy,
    nearest_neighbour_accuracy,
    ngram_bayes_accuracy,
    perplexity_per_word,
    ridge_accuracy,
    sonnets,
    unigram_bits_per_byte,
)

RANDOM = np.random.default_rng(0).integers(0, 256, 50_000).astype(np.uint8)


def test_bytes_at_random_cannot_be_packed_and_a_text_that_is_known_need_not_be() -> None:
    assert bz2_bits_per_byte(RANDOM) == pytest.approx(8, rel=0.02)
    assert bz2_bits_per_byte(RANDOM, after=RANDOM) < 6, "its blocks sort what is alike together"


def test_counting_needs_the_entropy_and_with_other_counts_more() -> None:
    text = np.array([0] * 6 + [1] * 2, dtype=np.uint8)
    entropy = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    assert unigram_bits_per_byte(text) == pytest.approx(entropy)
    assert unigram_bits_per_byte(RANDOM) == pytest.approx(8, abs=0.01)
    counted = np.array([0] * 100, dtype=np.uint8)
    by_hand = -(0.75 * math.log2(101 / 356) + 0.25 * math.log2(1 / 356))
    assert unigram_bits_per_byte(text, counted) == pytest.approx(by_hand)


def test_shakespeare_is_packed_better_than_counted() -> None:
    text = sonnets()
    packed, counted = bz2_bits_per_byte(text.test, text.train), unigram_bits_per_byte(text.test, text.train)
    assert 2.2 < packed < 3 < 4 < counted < 5


def test_a_bit_a_byte_doubles_the_perplexity_with_every_byte_of_a_word() -> None:
    assert perplexity_per_word(2.0, np.frombuffer(b"abc abc", dtype=np.uint8)) == pytest.approx(2**7)


def test_the_majority_is_that_of_training() -> None:
    assert majority_accuracy(np.array([2, 2, 0]), np.array([2, 0, 0, 2, 2])) == 0.6


def images(seed: int) -> Images:
    """Three classes; which one is bright says the class, whatever the noise."""
    draw = np.random.default_rng(seed)
    classes = draw.integers(0, 3, 60)
    pixels = draw.integers(0, 40, (60, 2, 2, 1)).astype(np.uint8)
    pixels.reshape(60, 4)[np.arange(60), classes] = 200
    return Images(pixels, classes)


def test_what_pixels_tell_is_told_and_what_they_do_not_is_guessed() -> None:
    train, test = images(0), images(1)
    shuffled = train._replace(classes=np.random.default_rng(2).permutation(train.classes))
    for accuracy in (nearest_neighbour_accuracy, ridge_accuracy):
        assert accuracy(train, test) == 1.0
        assert accuracy(shuffled, test) < 0.6


def test_neighbours_and_a_line_know_most_digits() -> None:
    train, validation, _ = digits()
    nearest, line = nearest_neighbour_accuracy(train, validation), ridge_accuracy(train, validation)
    assert majority_accuracy(train.classes, validation.classes) < 0.2 < 0.9 < line < nearest


def test_a_penalty_that_is_all_leaves_the_majority() -> None:
    train = images(0)
    train = train._replace(classes=np.minimum(train.classes, 1))
    assert ridge_accuracy(train, train, penalty=1e15) == np.mean(train.classes)


def test_counted_ngrams_are_naive_bayes() -> None:
    """Against the definition, for single bytes of three sentences."""
    train, asked = Sentences([("aab",), ("ab",), ("bbb",)], [0, 0, 1]), Sentences([("ab",), ("bb",), ("a",)], [0, 1, 0])
    for text, kind in (("ab", 0), ("bb", 1), ("a", 0)):
        first = 2 / 3 * math.prod({"a": (3 + 1) / (5 + 2), "b": (2 + 1) / (5 + 2)}[letter] for letter in text)
        second = 1 / 3 * math.prod({"a": (0 + 1) / (3 + 2), "b": (3 + 1) / (3 + 2)}[letter] for letter in text)
        assert (second > first) == kind
    assert ngram_bayes_accuracy(train, asked, (1,)) == 1.0
    assert ngram_bayes_accuracy(train, asked._replace(classes=[0, 0, 0]), (1,)) == pytest.approx(2 / 3)
    assert 2 / 3 * 4 / 7 * (3 / 7) ** 3 < 1 / 3 * 1 / 5 * (4 / 5) ** 3, (
        "a letter that a class never had is not impossible"
    )
    assert ngram_bayes_accuracy(train, Sentences([("abbb",)], [1]), (1,)) == 1.0


def test_what_is_behind_the_last_byte_that_is_read_tells_nothing() -> None:
    train = Sentences([("same good",), ("same evil",), ("same evil",)], [1, 0, 0])
    asked = Sentences([("same good",)], [1])
    assert ngram_bayes_accuracy(train, asked, (3,), longest=9) == 1.0
    assert ngram_bayes_accuracy(train, asked, (3,), longest=4) == 0.0, "the more frequent class"


def test_sentences_shorter_than_every_ngram_leave_the_more_frequent_class() -> None:
    train = Sentences([("ok",), ("no",), ("no",)], [1, 0, 0])
    assert ngram_bayes_accuracy(train, Sentences([("good",), ("a",)], [0, 1])) == 0.5
