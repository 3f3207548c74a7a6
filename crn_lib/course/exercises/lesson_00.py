"""Exercises of lesson 00: the prompt, and the loop that writes."""

import operator
import random
from collections.abc import Callable
from typing import Any

from crn_lib.course.checks import Exercise, expect, expect_same, expect_whole, fail
from crn_lib.tasks.copying import ALPHABET, BOS, EOS, FIRST_LETTER, SEP


def _examine_prompt(attempt: Callable[..., Any]) -> None:
    draw = random.Random(0)
    drawn = ("".join(draw.choices(ALPHABET[: 1 + number], k=1 + 2 * number)) for number in range(20))
    for text in ("z", "ba", "hello", "azaz", ALPHABET, *drawn):
        case = f"the text {text!r}"
        answer = expect_whole(1, case, attempt(text))
        expect(1, len(answer) >= 2, f"for {case}: got {answer}, wanted at least BOS and SEP")
        expect_same(1, f"{case}, the first number", answer[0], BOS)
        expect_same(3, f"{case}, the last number", answer[-1], SEP)
        letters = [FIRST_LETTER + ALPHABET.index(c) for c in text]
        expect_same(2, case, answer, [BOS, *letters, SEP])


def _greedy(next_token: Callable[[list[int]], int], prompt: list[int], limit: int) -> list[int]:
    answer: list[int] = []
    while len(answer) < limit and answer[-1:] != [EOS]:
        answer.append(next_token(prompt + answer))
    return answer


def _examine_greedy(attempt: Callable[..., Any]) -> None:
    def compare(requirement: int, name: str, model: Callable[[list[int]], int], prompt: list[int], limit: int) -> None:
        case = f"{name}, the prompt {prompt} and a limit of {limit}"
        wanted = _greedy(model, prompt, limit)
        asked = 0

        def counted(tokens: list[int]) -> int:
            nonlocal asked
            tokens = [operator.index(token) for token in tokens]
            asked += 1
            if asked > limit + len(prompt) + 1:
                fail(2, f"for {case}: it has asked for {asked} tokens and goes on")
            begins = tokens[: len(prompt)] == prompt
            expect(1, begins, f"for {case}: next_token was given {tokens}, which does not begin with the prompt")
            return model(tokens)

        expect_same(requirement, case, expect_whole(1, case, attempt(counted, prompt, limit)), wanted)

    def echo(tokens: list[int]) -> int:
        """A perfect copier: looks at what was asked and how much of it has been written."""
        end = tokens.index(SEP)
        place = len(tokens) - end
        return tokens[place] if place < end else EOS

    for letters in ([5], [7, 3, 9, 9, 4], [3, 28, 3, 28]):
        compare(1, "a perfect copier", echo, [BOS, *letters, SEP], 20)

    def scripted(*script: int) -> Callable[[list[int]], int]:
        return lambda tokens: script[(len(tokens) - 3) % len(script)]

    for limit in (0, 1, 6):
        compare(2, "a model that never says EOS", scripted(4, 5, 6, 7), [BOS, 4, SEP], limit)
    for limit in (2, 3, 4):
        compare(2, "a model that says EOS as its third token", scripted(4, 5, EOS), [BOS, 4, SEP], limit)
    compare(1, "a model that says EOS at once", scripted(EOS), [BOS, 4, SEP], 5)
    compare(1, "a model that says BOS, SEP and then EOS", scripted(BOS, SEP, 9, EOS), [BOS, 4, SEP], 9)
    draw = random.Random(1)
    for number in range(30):
        prompt = [BOS, *draw.choices(range(3, 29), k=1 + number % 4), SEP]
        seed = draw.randrange(1000)

        def dicey(tokens: list[int], seed: int = seed) -> int:
            """What it says depends on all it was given, and is now and then no letter."""
            says: int = random.Random(f"{seed} {tokens}").choice([BOS, SEP, EOS, EOS, *range(3, 13)])
            return says

        compare(1, "a model that says this and that", dicey, prompt, draw.randrange(12))


EXERCISES = (
    Exercise(
        key="00.prompt",
        title="write the prompt",
        difficulty=1,
        minutes=4,
        requirements=(
            "The list starts with BOS, which is 0.",
            "Then comes one id per letter: `a` is 3, `b` is 4, up to `z`, which is 28.",
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
                "For each token call `next_token` with the prompt and all that has been written so far; it returns one "
                "id. EOS (2) ends the answer and is part of it; the prompt is not."
            ),
            "At most `limit` tokens are written.",
            "The list `prompt` itself is left as it was.",
        ),
        examine=_examine_greedy,
        untouched=3,
    ),
)
