"""Quiz questions that need no kernel: each option folds open and says whether it is right."""

import html
from collections.abc import Sequence

from crn_lib.course.cards import Card


def quiz(question: str, options: Sequence[str], *, answer: str, why: str) -> None:
    """Show a question whose options open on a click, on any page, with no kernel and no script.

    Args:
        question: one or two sentences.
        options: what may be chosen, in the order shown.
        answer: the right one, computed by the lesson and not typed.
        why: shown under every option once it is open.

    Raises:
        ValueError: the computed answer is not exactly one of the options.
    """
    if list(options).count(answer) != 1:
        raise ValueError(f"the answer {answer!r} must be exactly one of the options {list(options)}")
    parts = []
    for option in options:
        verdict = "Right." if option == answer else "No."
        parts.append(
            f'<details style="margin:3px 0"><summary style="cursor:pointer">{html.escape(option)}</summary>'
            f'<div style="padding-left:18px"><b>{verdict}</b> {html.escape(why)}</div></details>'
        )
    plain = "\n".join([f"Quiz: {question}", *(f"  - {option}" for option in options)])
    Card(f"Quiz. {question}", "".join(parts), plain, "ask").show()
