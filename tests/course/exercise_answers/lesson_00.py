"""Right and wrong answers to the exercises of lesson 00."""

from collections.abc import Callable
from typing import Any

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


RIGHT: dict[str, Callable[..., Any]] = {
    "00.prompt": prompt,
    "00.greedy": write,
}

WRONG: dict[str, dict[str, Callable[..., Any]]] = {
    "00.prompt": {
        "letters counted from 0": lambda text: [BOS, *(ord(c) - ord("a") for c in text), SEP],
        "no SEP": lambda text: prompt(text)[:-1],
        "EOS in place of SEP": lambda text: [*prompt(text)[:-1], EOS],
        "no BOS": lambda text: prompt(text)[1:],
        "letters sorted": lambda text: prompt("".join(sorted(text))),
    },
    "00.greedy": {
        "does not read what it wrote": write_without_reading_itself,
        "does not stop at EOS": write_past_the_end,
        "changes the prompt": write_into_prompt,
        "one token too many": write_one_too_many,
        "leaves EOS out": lambda n, p, limit: [t for t in write(n, p, limit) if t != EOS],
        "gives back the prompt too": lambda n, p, limit: p + write(n, p, limit),
    },
}
