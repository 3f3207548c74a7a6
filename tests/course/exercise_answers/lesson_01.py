"""Right and wrong answers to the exercises of lesson 01."""

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
import torch

from crn_lib.tasks import best_character_accuracy

A, BOS, SEP, EOS = 3, 0, 1, 2


def targets(tokens: list[int]) -> list[int]:
    start = tokens.index(SEP)
    return [-100] * start + tokens[start + 1 :] + [EOS]


def score(written: str, asked: str) -> float:
    if written[-1] != ">" or ">" in written[:-1]:
        return 0.0
    return sum(a == b for a, b in zip(written, asked, strict=False)) / len(asked)


def targets_of_what_is_left(tokens: list[int]) -> list[int]:
    start = tokens.index(SEP)
    tokens.pop(0)
    return [-100] * start + tokens[start:] + [EOS]


def targets_by_letter(tokens: list[int]) -> list[int]:
    after = [tokens[min(tokens.index(token, i) + 1, len(tokens) - 1)] for i, token in enumerate(dict.fromkeys(tokens))]
    table = dict(zip(dict.fromkeys(tokens), after, strict=True))
    start = tokens.index(SEP)
    return [-100] * start + [table[token] for token in tokens[start:-1]] + [EOS]


def targets_in_a_loop(tokens: list[int]) -> list[int]:
    scored, found = False, []
    for token, following in zip(tokens, [*tokens[1:], EOS], strict=True):
        scored = scored or token == SEP
        found.append(following if scored else -100)
    return found


def score_of_sets(written: str, asked: str) -> float:
    return score(written, asked) and len(set(written) & set(asked)) / len(set(asked))


def score_of_sorted(written: str, asked: str) -> float:
    return score("".join(sorted(written[:-1])) + written[-1:], "".join(sorted(asked)))


def score_before_the_first_mistake(written: str, asked: str) -> float:
    wrong = [i for i, (a, b) in enumerate(zip(written, asked, strict=False)) if a != b]
    return score(written, asked) and (wrong[0] if wrong else len(asked)) / len(asked)


def score_of_what_is_stripped(written: str, asked: str) -> float:
    letters = written.rstrip(">")
    if letters == written or ">" in letters:
        return 0.0
    return sum(a == b for a, b in zip(letters, asked, strict=False)) / len(asked)


def bits_in_a_loop(length: int, vocab: int) -> int:
    bits = 0
    while 2**bits < vocab**length:
        bits += 1
    return bits


def code_share(bits: int, length: int, vocab: int, choose: Callable[..., Any] = combinations) -> float:
    strings = list(product(range(vocab), repeat=length))
    best = 0
    for answers in choose(strings, min(2**bits, len(strings))):
        best = max(best, sum(max(sum(x == y for x, y in zip(s, a, strict=True)) for a in answers) for s in strings))
    return best / (length * len(strings))


def code_with_numpy(bits: int, length: int, vocab: int) -> float:
    if 2**bits >= vocab**length:
        return 1.0
    strings = np.array(list(product(range(vocab), repeat=length)))
    right = (strings[:, None] == strings[None]).sum(axis=2)
    return (
        max(right[:, code].max(axis=1).mean() for code in map(list, combinations(range(len(strings)), 2**bits)))
        / length
    )


def code_of_the_first_strings(bits: int, length: int, vocab: int) -> float:
    return code_share(bits, length, vocab, choose=lambda strings, count: [strings[:count]])


def code_by_greed(bits: int, length: int, vocab: int) -> float:
    """Answers taken one by one, each the one that helps most beside those there are."""
    strings = list(product(range(vocab), repeat=length))
    right = np.array([[sum(map(int.__eq__, s, a)) for a in strings] for s in strings])
    best = np.zeros(len(strings))
    for _ in range(min(2**bits, len(strings))):
        best = max((np.maximum(best, right[:, a]) for a in range(len(strings))), key=np.sum)
    return float(best.sum()) / (length * len(strings))


def code_for_whole_strings(bits: int, length: int, vocab: int) -> float:
    return min(2**bits / vocab**length, 1.0)


def code_for_the_first_letters(bits: int, length: int, vocab: int) -> float:
    kept = min(int(bits / math.log2(vocab)) if vocab > 1 else length, length)
    return (kept + (length - kept) / vocab) / length


def code_by_the_bound(bits: int, length: int, vocab: int) -> float:
    return best_character_accuracy(bits, length, vocab)


def code_of_bits_answers(bits: int, length: int, vocab: int) -> float:
    return code_share(0, length, vocab, choose=lambda strings, _: combinations(strings, min(bits + 1, len(strings))))


def code_without_a_limit(bits: int, length: int, vocab: int) -> float:
    strings = list(product(range(vocab), repeat=length))
    codes = combinations(strings, 2**bits)
    return max((code_share(9, length, vocab, lambda *_, code=code: [code]) for code in codes), default=0.0)


RIGHT: dict[str, Callable[..., Any]] = {
    "01.targets": targets,
    "01.score": score,
    "01.bits": lambda length, vocab: (vocab**length - 1).bit_length(),
    "01.code": code_share,
}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "01.targets": [targets_in_a_loop, lambda tokens: torch.tensor(targets(tokens))],
    "01.score": [
        lambda w, a: Fraction(score(w, a)),
        lambda w, a: float(w.find(">") == len(a)) * float(np.mean([x == y for x, y in zip(w, a, strict=False)])),
    ],
    "01.bits": [bits_in_a_loop],
    "01.code": [code_with_numpy, lambda *case: Fraction(code_share(*case))],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "01.targets": {
        "not shifted": lambda tokens: [-100] * tokens.index(SEP) + tokens[tokens.index(SEP) :],
        "everything scored": lambda tokens: [*tokens[1:], EOS],
        "no EOS": lambda tokens: [*targets(tokens)[:-1], -100],
        "scored one too late": lambda tokens: [-100, *targets(tokens)[:-1]],
        "SEP not scored": lambda tokens: [
            -100 if t == SEP else w for t, w in zip(tokens, targets(tokens), strict=True)
        ],
        "takes from the tokens": targets_of_what_is_left,
        "what came after the letter first": targets_by_letter,
        "always 3 letters": lambda tokens: [-100] * 4 + tokens[5:] + [EOS],
        "floats": lambda tokens: [float(target) for target in targets(tokens)],
        "EOS where nothing is scored": lambda tokens: [EOS if t == -100 else t for t in targets(tokens)],
    },
    "01.score": {
        "no rule for EOS": lambda written, asked: (
            sum(a == b for a, b in zip(written, asked, strict=False)) / len(asked)
        ),
        "EOS counts as a letter": lambda w, a: (
            score(w, a) and sum(x == y for x, y in zip(w, a + ">", strict=True)) / len(w)
        ),
        "string accuracy": lambda written, asked: float(written == asked + ">"),
        "early EOS allowed": lambda w, a: (
            sum(x == y for x, y in zip(w, a, strict=False)) / len(a) if w[-1] == ">" else 0.0
        ),
        "right letters in any place": score_of_sorted,
        "sets of letters": score_of_sets,
        "rounded to two places": lambda written, asked: round(score(written, asked), 2),
        "up to the first mistake": score_before_the_first_mistake,
        "any number of EOS at the end": score_of_what_is_stripped,
        "in percent": lambda written, asked: 100 * score(written, asked),
    },
    "01.bits": {
        "bits of a letter rounded up first": lambda length, vocab: length * (vocab - 1).bit_length(),
        "rounded down": lambda length, vocab: (vocab**length).bit_length() - 1,
        "bits of the number of strings": lambda length, vocab: (vocab**length).bit_length(),
        "letters instead of bits": lambda length, vocab: length,
        "a logarithm divided by another": lambda length, v: math.ceil(length * math.log(v) / math.log(2)),
        "a logarithm to base 2": lambda length, v: math.ceil(length * math.log2(v)),
        "the logarithm of a large number": lambda length, v: math.ceil(math.log2(v**length)),
        "digits of the largest number": lambda length, v: len(f"{v**length - 1:b}"),
        "a half too much": lambda length, v: round(length * math.log2(v) + 0.5),
    },
    "01.code": {
        "the first strings keep a state of their own": code_of_the_first_strings,
        "whole strings": code_for_whole_strings,
        "one answer after the other, each the best then": code_by_greed,
        "the first letters are kept": code_for_the_first_letters,
        "the rate-distortion bound": code_by_the_bound,
        "as many answers as bits": code_of_bits_answers,
        "more states than strings": code_without_a_limit,
        "in letters, not as a share": lambda bits, length, vocab: length * code_share(bits, length, vocab),
    },
}
