"""Exercises of lesson 00: the prompt, and the loop that writes."""

from collections.abc import Callable
from typing import Any

from crn_lib.course.checks import Exercise, expect, expect_same
from crn_lib.tasks.copying import BOS, EOS, FIRST_LETTER, SEP


def _examine_prompt(attempt: Callable[..., Any]) -> None:
    for text in ("hello", "azaz", "z", "abcdefghijklmnopqrstuvwxyz"):
        answer = list(attempt(text))
        case = f"the text {text!r}"
        expect_same(1, case, answer[:1], [BOS])
        expect_same(3, case, answer[-1:], [SEP])
        expect_same(2, case, answer[1:-1], [FIRST_LETTER + "abcdefghijklmnopqrstuvwxyz".index(c) for c in text])


def _examine_greedy(attempt: Callable[..., Any]) -> None:
    def echo(tokens: list[int]) -> int:
        """A perfect copier: looks at what was asked and how much of it has been written."""
        end = tokens.index(SEP)
        place = len(tokens) - end
        return tokens[place] if place < end else EOS

    def stubborn(tokens: list[int]) -> int:
        return FIRST_LETTER + len(tokens) % 5

    for letters in ([7, 3, 9, 9, 4], [5], [3, 28, 3, 28]):
        prompt = [BOS, *letters, SEP]
        before = list(prompt)
        answer = attempt(echo, prompt, 20)
        expect_same(1, f"a perfect copier and the letters {letters}", list(answer), [*letters, EOS])
        expect(3, prompt == before, f"the prompt was changed from {before} to {prompt}; work on a copy of it")
    wanted = [FIRST_LETTER + (3 + step) % 5 for step in range(6)]
    expect_same(2, "a model that never says EOS, and a limit of 6", list(attempt(stubborn, [0, 4, 1], 6)), wanted)


EXERCISES = (
    Exercise(
        key="00.prompt",
        title="write the prompt",
        difficulty=1,
        minutes=4,
        requirements=(
            "The list starts with BOS, which is 0.",
            "Then comes one id a letter: `a` is 3, `b` is 4, up to `z`, which is 28.",
            "It ends with SEP, which is 1.",
        ),
        examine=_examine_prompt,
    ),
    Exercise(
        key="00.greedy",
        title="write the loop that writes",
        difficulty=2,
        minutes=6,
        requirements=(
            (
                "Each token is asked for with everything so far: the prompt and what has been written. EOS (2) ends "
                "the answer and is part of it; the prompt is not."
            ),
            "At most `limit` tokens are written.",
            "The list `prompt` itself is left as it was.",
        ),
        examine=_examine_greedy,
    ),
)
