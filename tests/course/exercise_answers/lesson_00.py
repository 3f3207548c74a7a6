"""Right and wrong answers to the exercises of lesson 00."""

from collections.abc import Callable
from typing import Any

import numpy as np

A, BOS, SEP, EOS = 3, 0, 1, 2


def prompt(text: str) -> list[int]:
    return [BOS, *(A + ord(c) - ord("a") for c in text), SEP]


def write(next_token: Callable[[list[int]], int], prompt: list[int], limit: int) -> list[int]:
    answer: list[int] = []
    while len(answer) < limit and answer[-1:] != [EOS]:
        answer.append(next_token(prompt + answer))
    return answer


def write_into_prompt(next_token: Callable[[list[int]], int], prompt: list[int], limit: int) -> list[int]:
    start = len(prompt)
    while len(prompt) < start + limit and prompt[-1] != EOS:
        prompt.append(next_token(prompt))
    return prompt[start:]


def write_past_the_end(next_token: Callable[[list[int]], int], prompt: list[int], limit: int) -> list[int]:
    answer: list[int] = []
    for _ in range(limit):
        answer.append(next_token(prompt + answer))
    return answer


def write_without_reading_itself(next_token: Callable[[list[int]], int], prompt: list[int], limit: int) -> list[int]:
    return [next_token(prompt) for _ in range(limit)]


def write_one_too_many(next_token: Callable[[list[int]], int], prompt: list[int], limit: int) -> list[int]:
    return write(next_token, prompt, limit + 1)


def prompt_kept_between_calls(text: str, ids: list[int] = [BOS]) -> list[int]:  # noqa: B006
    ids.extend(prompt(text)[1:])
    return ids


def write_after_asking(next_token: Callable[[list[int]], int], prompt: list[int], limit: int) -> list[int]:
    answer: list[int] = []
    while True:
        answer.append(next_token(prompt + answer))
        if answer[-1] == EOS or len(answer) >= limit:
            return answer


def write_until(stop: Callable[[list[int]], bool]) -> Callable[..., list[int]]:
    def attempt(next_token: Callable[[list[int]], int], prompt: list[int], limit: int) -> list[int]:
        answer: list[int] = []
        while len(answer) < limit and not (answer and stop(answer)):
            answer.append(next_token(prompt + answer))
        return answer

    return attempt


def write_on(
    next_token: Callable[[list[int]], int],
    prompt: list[int],
    limit: int,
    answer: list[int] = [],  # noqa: B006
) -> list[int]:
    while len(answer) < limit and answer[-1:] != [EOS]:
        answer.append(next_token(prompt + answer))
    return answer


def write_with_the_last_token(next_token: Callable[[list[int]], int], prompt: list[int], limit: int) -> list[int]:
    answer: list[int] = []
    while len(answer) < limit and answer[-1:] != [EOS]:
        answer.append(next_token(prompt + answer[-1:]))
    return answer


def write_by_calling_itself(next_token: Callable[[list[int]], int], prompt: list[int], limit: int) -> list[int]:
    if limit == 0:
        return []
    token = next_token(prompt)
    return [token] if token == EOS else [token, *write_by_calling_itself(next_token, [*prompt, token], limit - 1)]


RIGHT: dict[str, Callable[..., Any]] = {
    "00.prompt": prompt,
    "00.greedy": write,
}

ALSO_RIGHT: dict[str, list[Callable[..., Any]]] = {
    "00.prompt": [lambda text: (BOS, *(code - 94 for code in text.encode()), SEP), lambda text: np.array(prompt(text))],
    "00.greedy": [write_by_calling_itself],
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "00.prompt": {
        "letters counted from 0": lambda text: [BOS, *(ord(c) - ord("a") for c in text), SEP],
        "no SEP": lambda text: prompt(text)[:-1],
        "EOS in place of SEP": lambda text: [*prompt(text)[:-1], EOS],
        "no BOS": lambda text: prompt(text)[1:],
        "letters sorted": lambda text: prompt("".join(sorted(text))),
        "a letter that comes again left out": lambda text: prompt("".join(dict.fromkeys(text))),
        "floats": lambda text: [float(number) for number in prompt(text)],
        "the place in the text": lambda text: [BOS, *(A + text.index(c) for c in text), SEP],
        "16 letters at most": lambda text: prompt(text[:16]),
        "one list for all": prompt_kept_between_calls,
    },
    "00.greedy": {
        "does not read what it wrote": write_without_reading_itself,
        "does not stop at EOS": write_past_the_end,
        "changes the prompt": write_into_prompt,
        "one token too many": write_one_too_many,
        "leaves EOS out": lambda n, p, limit: [t for t in write(n, p, limit) if t != EOS],
        "gives back the prompt too": lambda n, p, limit: p + write(n, p, limit),
        "the limit looked at after asking": write_after_asking,
        "BOS and SEP end it, too": write_until(lambda answer: answer[-1] < A),
        "stops at a letter that comes again": write_until(lambda answer: answer[-1] in [EOS, *answer[-2:-1]]),
        "one answer for all": write_on,
        "asks with the last token only": write_with_the_last_token,
        "the prompt counts": lambda n, p, limit: write(n, p, max(0, limit - len(p))),
        "EOS put at the limit": lambda n, p, limit: write(n, p, limit)[: max(0, limit - 1)] + [EOS] * (limit > 0),
    },
}
