"""Every exercise: a reference that passes, the lesson's own solution that passes, and wrong answers that do not."""

import json
import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
import torch
from torch import Tensor

from crn_lib.course import CheckFailed, NotAttempted, check
from crn_lib.course.exercises import EXERCISES
from crn_lib.paths import workbook_folder
from crn_lib.workbook.editions.guides import MISTAKES
from tests.course.exercise_answers import ALSO_RIGHT, RIGHT, WRONG

SAYS_WHAT = r"^(requirement [1-9]: |it stopped with |what it returned cannot be checked: )"
SLOW = {"01.code"}
"""Exercises whose check tries tens of thousands of codes, some seconds for a plain loop."""


def marked(key: str, *more: Any) -> Any:
    """A parameter of a test, marked slow where the exercise's check is."""
    return pytest.param(key, *more, marks=pytest.mark.slow if key in SLOW else ())


MESSAGES = json.loads(MISTAKES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("key", [marked(key) for key in sorted(EXERCISES)])
def test_the_reference_passes(key: str) -> None:
    check(key, RIGHT[key])


@pytest.mark.parametrize(("key", "answer"), [marked(*pair) for pair in ALSO_RIGHT])
def test_another_right_answer_passes_too(key: str, answer: Callable[..., Any]) -> None:
    check(key, answer)


@pytest.mark.parametrize(("key", "name"), [marked(key, name) for key in sorted(WRONG) for name in WRONG[key]])
def test_a_wrong_answer_is_rejected_by_a_requirement(key: str, name: str) -> None:
    with pytest.raises(CheckFailed, match=SAYS_WHAT) as failed:
        check(key, WRONG[key][name])
    said = str(failed.value)
    assert "\n" not in said and len(said) < 500
    # What the guides show; numbers may differ in their last digits between machines.
    shown = MESSAGES.get(key, {}).get(name, said)
    assert shown.split(":")[0] == said.split(":")[0], "stale: run scripts/write_mistakes.py"


@pytest.mark.parametrize("key", sorted(EXERCISES))
def test_there_are_at_least_five_wrong_answers_and_an_unusual_right_one(key: str) -> None:
    assert len(WRONG[key]) >= 5
    assert key in [other for other, _ in ALSO_RIGHT]


@pytest.mark.parametrize("key", sorted(EXERCISES))
def test_an_untouched_stub_is_not_attempted_and_does_not_fail(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    def stub(*_: object) -> None:
        raise NotAttempted

    check(key, stub)
    assert f"{key}: not attempted" in capsys.readouterr().out


def test_an_answer_that_torch_has_no_code_for_is_no_untouched_stub() -> None:
    def product_of_booleans(x: Tensor, g: Callable[[Tensor], Tensor]) -> Tensor:
        return g(torch.cat([x, x], dim=-1)) * ((x > 0) @ (x > 0).T)

    with pytest.raises(CheckFailed, match=r"^it stopped with NotImplementedError: .*for 'Bool'.*, given x="):
        check("02.causal", product_of_booleans)


@pytest.mark.parametrize("key", sorted(EXERCISES))
@pytest.mark.parametrize("broken", [lambda *_: None, lambda: 0, lambda *_: 1 / 0, lambda *_: "text"])
def test_an_answer_that_breaks_fails_its_check_and_nothing_else(key: str, broken: Callable[..., Any]) -> None:
    with pytest.raises(CheckFailed, match=SAYS_WHAT):
        check(key, broken)


def test_an_unknown_exercise_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"99\.none.*00\.prompt"):
        check("99.none", str)


def _markdown_and_code(lesson: str) -> tuple[str, str]:
    path = next((workbook_folder() / "notebooks").glob(f"{lesson}_*.ipynb"))
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return prose, "\n".join(cell.source for cell in cells if cell.cell_type == "code")


@pytest.mark.parametrize("key", [marked(key) for key in sorted(EXERCISES)])
def test_the_lesson_shows_the_card_the_stub_and_a_solution_that_passes(key: str) -> None:
    prose, code = _markdown_and_code(key[:2])
    card = EXERCISES[key].card()
    assert card in prose
    stub = re.search(
        rf'def (\w+)\((?:(?!def ).)*?raise course\.NotAttempted\n\n\ncourse\.check\("{re.escape(key)}", (\w+)\)',
        code,
        re.S,
    )
    assert stub and stub[1] == stub[2]
    after = prose.split(card)[1]
    assert after.index("<b>Hint</b>") < after.index("<b>Solution</b>")
    solution = re.search(r"```python\n(.*?)```", after, re.S)
    assert solution
    names: dict[str, Any] = {}
    exec(solution[1], names)
    check(key, names[stub[1]])
