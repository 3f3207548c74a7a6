"""Right and wrong answers to the exercises of lesson 01."""

from collections.abc import Callable
from typing import Any

A, BOS, SEP, EOS = 3, 0, 1, 2


def targets(tokens: list[int]) -> list[int]:
    start = tokens.index(SEP)
    return [-100] * start + tokens[start + 1 :] + [EOS]


def score(written: str, asked: str) -> float:
    if written[-1] != ">" or ">" in written[:-1]:
        return 0.0
    return sum(a == b for a, b in zip(written, asked, strict=False)) / len(asked)


RIGHT: dict[str, Callable[..., Any]] = {
    "01.targets": targets,
    "01.score": score,
    "01.bits": lambda length, vocab: (vocab**length - 1).bit_length(),
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
    },
    "01.bits": {
        "bits of a letter rounded up first": lambda length, vocab: length * (vocab - 1).bit_length(),
        "rounded down": lambda length, vocab: (vocab**length).bit_length() - 1,
        "bits of the number of strings": lambda length, vocab: (vocab**length).bit_length(),
        "letters instead of bits": lambda length, vocab: length,
    },
}
