"""How well any memory of so many bits can copy: counting and rate-distortion bounds.

A string of `S` letters, drawn uniformly from `K`, holds `S * log2(K)` bits. Whatever a model remembers of it has to
pass through the state it holds when the string has ended, so these bounds hold for every state of that size.
"""

import math

from crn_lib.config import require_number, require_whole


def string_bits(string_length: int, vocab: int = 26) -> float:
    """Information in a random string, in bits: `string_length * log2(vocab)`.

    Example:
        >>> string_bits(4, vocab=2)
        4.0
    """
    require_whole("string_length", string_length, least=0)
    require_whole("vocab", vocab)
    return string_length * math.log2(vocab)


def letters_that_fit(bits: float, vocab: int = 26) -> float:
    """How many letters a memory of so many bits can hold without loss: `bits / log2(vocab)`.

    Example:
        >>> letters_that_fit(256, vocab=16)
        64.0
    """
    require_number("bits", bits, 0)
    require_whole("vocab", vocab, least=2)  # of one letter any memory holds as many as there are
    return bits / math.log2(vocab)


def best_string_accuracy(bits: float, string_length: int, vocab: int = 26) -> float:
    """The largest share of random strings any memory of so many bits can give back whole.

    There are `2**bits` states and each leads to one answer, so at most that many of the `vocab**string_length`
    strings can be answered rightly.

    Example:
        >>> best_string_accuracy(bits=3, string_length=4, vocab=2)  # 8 states for 16 strings
        0.5
    """
    require_number("bits", bits, 0)
    share: float = 2.0 ** min(0.0, bits - string_bits(string_length, vocab))
    return share


def bits_carried(character_accuracy: float, string_length: int, vocab: int = 26) -> float:
    """The least information about the string, in bits, that allows this share of right letters.

    The rate-distortion function of a uniform source under letter errors (Cover and Thomas, Elements of Information
    Theory, section 10.3 for two letters and exercise 10.5 for more): with error rate `e`, each letter needs
    `log2 K - h(e) - e log2(K - 1)` bits, and none where `e >= 1 - 1/K`, which guessing reaches.

    Example:
        >>> bits_carried(1.0, 4, vocab=2), bits_carried(0.5, 4, vocab=2)  # all letters right, and no more than guessing
        (4.0, 0.0)
    """
    require_number("character_accuracy", character_accuracy, 0, 1)
    require_whole("string_length", string_length, least=0)
    require_whole("vocab", vocab)
    error = 1.0 - character_accuracy
    if error >= 1.0 - 1.0 / vocab:
        return 0.0
    if error <= 0.0:
        return string_bits(string_length, vocab)
    entropy = -error * math.log2(error) - (1 - error) * math.log2(1 - error)
    return string_length * (math.log2(vocab) - entropy - error * math.log2(vocab - 1))


def best_character_accuracy(bits: float, string_length: int, vocab: int = 26) -> float:
    """The largest share of right letters any memory of so many bits allows: the inverse of `bits_carried`.

    Example:
        >>> round(best_character_accuracy(bits=0, string_length=4, vocab=2), 6)  # guessing one of two letters
        0.5
        >>> best_character_accuracy(bits=4, string_length=4, vocab=2)
        1.0
    """
    require_number("bits", bits, 0)
    require_whole("vocab", vocab)
    low, high = 1.0 / vocab, 1.0
    if bits >= string_bits(string_length, vocab):
        return 1.0
    for _ in range(60):  # bisection: bits_carried grows with the accuracy
        middle = (low + high) / 2
        if bits_carried(middle, string_length, vocab) <= bits:
            low = middle
        else:
            high = middle
    return low
