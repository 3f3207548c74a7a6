"""Every exercise: a reference that passes, the lesson's own solution that passes, and wrong answers that do not."""

import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
import torch
import torch.nn.functional as F

from crn_lib.course import CheckFailed, check
from crn_lib.course.exercises import EXERCISES
from crn_lib.paths import workbook_folder

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


def targets(tokens: list[int]) -> list[int]:
    start = tokens.index(SEP)
    return [-100] * start + tokens[start + 1 :] + [EOS]


def score(written: str, asked: str) -> float:
    if written[-1] != ">" or ">" in written[:-1]:
        return 0.0
    return sum(a == b for a, b in zip(written, asked, strict=False)) / len(asked)


def loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def unstable_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    kept = targets != -100
    share = logits.float().exp() / logits.float().exp().sum(-1, keepdim=True)
    chosen = share.gather(-1, targets.clamp(min=0)[..., None]).squeeze(-1)
    return -(chosen.log() * kept).sum() / kept.sum()


def loss_over_all_positions(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    logs = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum")
    return logs / targets.numel()


def first_step(history: list[dict[str, float]], goal: float) -> float | None:
    return next((row["step"] for row in history if row["string_accuracy"] >= goal), None)


def best_row(history: list[dict[str, float]], goal: float) -> float | None:
    good = [row for row in history if row["string_accuracy"] >= goal]
    return max(good, key=lambda row: row["string_accuracy"])["step"] if good else None


REFERENCES: dict[str, Callable[..., Any]] = {
    "00.prompt": prompt,
    "00.greedy": write,
    "01.targets": targets,
    "01.score": score,
    "01.bits": lambda length, vocab: (vocab**length - 1).bit_length(),
    "06.warmup": lambda step, peak, warmup: peak if step >= warmup else peak * (step + 1) / warmup,
    "06.loss": loss,
    "06.first_step": first_step,
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
    "06.warmup": {
        "starts at zero": lambda step, peak, warmup: peak if step >= warmup else peak * step / warmup,
        "goes on growing": lambda step, peak, warmup: peak * (step + 1) / warmup if warmup else peak,
        "divides by zero without warm-up": lambda step, peak, warmup: (
            peak * min(1.0, (step + 1) / warmup) if warmup else 0.0
        ),
        "no warm-up": lambda step, peak, warmup: peak,
    },
    "06.loss": {
        "divides by all positions": loss_over_all_positions,
        "a sum instead of a mean": lambda lo, t: loss(lo, t) * (t != -100).sum(),
        "counts -100 as the first letter": lambda lo, t: F.cross_entropy(lo.flatten(0, 1), t.clamp(min=0).flatten()),
        "overflows": unstable_loss,
        "gain instead of loss": lambda lo, t: -loss(lo, t),
    },
    "06.first_step": {
        "the best row": best_row,
        "an index instead of a step": lambda rows, goal: next(
            (i for i, row in enumerate(rows) if row["string_accuracy"] >= goal), None
        ),
        "strictly above the goal": lambda rows, goal: next(
            (row["step"] for row in rows if row["string_accuracy"] > goal), None
        ),
        "zero where it never is": lambda rows, goal: first_step(rows, goal) or 0,
    },
}


@pytest.mark.parametrize("key", sorted(EXERCISES))
def test_the_reference_passes(key: str) -> None:
    check(key, REFERENCES[key])


@pytest.mark.parametrize(("key", "name"), [(key, name) for key in sorted(WRONG) for name in WRONG[key]])
def test_a_wrong_answer_is_rejected_by_a_requirement(key: str, name: str) -> None:
    with pytest.raises(CheckFailed, match=r"^requirement [1-9]: "):
        check(key, WRONG[key][name])


@pytest.mark.parametrize("key", sorted(EXERCISES))
def test_there_are_at_least_three_wrong_answers(key: str) -> None:
    assert len(WRONG[key]) >= 3


@pytest.mark.parametrize("key", sorted(EXERCISES))
def test_an_untouched_stub_is_not_attempted_and_does_not_fail(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    def stub(*_: object) -> None:
        raise NotImplementedError

    check(key, stub)
    assert f"{key}: not attempted" in capsys.readouterr().out


@pytest.mark.parametrize("key", sorted(EXERCISES))
@pytest.mark.parametrize("broken", [lambda *_: None, lambda: 0, lambda *_: 1 / 0, lambda *_: "text"])
def test_an_answer_that_breaks_fails_its_check_and_nothing_else(key: str, broken: Callable[..., Any]) -> None:
    with pytest.raises(CheckFailed, match=r"^requirement [1-9]: "):
        check(key, broken)


def test_an_unknown_exercise_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"99\.none.*00\.prompt"):
        check("99.none", prompt)


def _markdown_and_code(lesson: str) -> tuple[str, str]:
    path = next((workbook_folder() / "notebooks").glob(f"{lesson}_*.ipynb"))
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return prose, "\n".join(cell.source for cell in cells if cell.cell_type == "code")


@pytest.mark.parametrize("key", sorted(EXERCISES))
def test_the_lesson_shows_the_card_the_stub_and_a_solution_that_passes(key: str) -> None:
    prose, code = _markdown_and_code(key[:2])
    card = EXERCISES[key].card()
    assert card in prose
    stub = re.search(
        rf'def (\w+)\((?:(?!def ).)*?NotImplementedError\n\n\ncourse\.check\("{re.escape(key)}", (\w+)\)', code, re.S
    )
    assert stub and stub[1] == stub[2]
    after = prose.split(card)[1]
    assert after.index("<b>Hint</b>") < after.index("<b>Solution</b>")
    solution = re.search(r"```python\n(.*?)```", after, re.S)
    assert solution
    names: dict[str, Any] = {}
    exec(solution[1], names)
    check(key, names[stub[1]])
