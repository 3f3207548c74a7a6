"""Every number that a lesson's prose states is computed in that lesson: it stands in its code or in a stored output.

A weak test of each number (it may stand there for another reason), but of all of them: what is measured can then not
be typed in, and what the code no longer gives is found. What no cell can give is explained below.
"""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from crn_lib.paths import workbook_folder
from crn_lib.workbook.runner import find_lessons

LESSONS = find_lessons(workbook_folder() / "notebooks")
NUMBER = re.compile(r"(?<![\w.,/^_-])\d[\d,]*(?:\.\d+)?%?(?![\w^_])")
NOT_PROSE = (
    r"(?s)```.*?```|\$\$.*?\$\$",
    r"(?s)<details>.*?</details>",  # hints and solutions
    r"\$[^$]*\$|`[^`]*`",
    r"\]\([^)]*\)|arXiv \d{4}\.\d{4,5}",
    r"(?m)^(#|\||\s*\d+\. |Difficulty|\*\*(Before|Next|Minutes|Start)).*$",  # headings, tables, requirements, headers
    r"(?i)\b(lessons?|exercise|sections?|equation|chapter|part) [\d., to and·]+|\d\d · ",
    r"\b(19|20)\d\d\b|\bb?float\d+",
)
EXPLAINED: dict[str, dict[str, str]] = {
    "04_normalise_first": {"1000": "an example of a length, of which the half million follows"},
    "05_growing_memory": {
        "50": "a length, in an investigation",
        "5000": "a length, in an investigation",
    },
    "01_copying_task": {"95": "the confidence of every interval in the workbook"},
    "07_ablations": {
        "256": "the paper's longest strings",
        "95": "the confidence of every interval in the workbook",
    },
    "08_how_it_retrieves": {"253": "letters that make 382 senders on average, by the lesson's formula"},
    "11_numbers_that_overflow": {
        "162754.8": "exp(12), to show digits",
        "8000": "the width from the formula above it",
        "99.5": "where the sweep stopped its runs",
        "0.02": "the standard deviation that weights are drawn with",
    },
    "09_copying_by_length": {
        "99.5": "where a run stops: `stop_at` of the configuration",
        "11": "read once in a model trained anew, docs/LOG.md",
        "48": "read once in a model trained anew, docs/LOG.md",
        "59": "read once in a model trained anew, docs/LOG.md",
    },
    "10_beyond_copying": {
        "2.71": "bits per character, stated by nanoGPT's README",
        "2.12": "bits per character, stated by nanoGPT's README",
        "97.9": "stated by Trinh et al. 2018",
        "93.5": "stated by Devlin et al. 2018",
        "1024": "letters that nobody tried",
    },
    "06_train_to_copy": {"99.5": "where a run stops: `stop_at` of the configuration"},
    "12_scaling_out": {
        "320": "the paper's batch",
        "67": "stated by the GPU's maker",
        "132": "stated by the GPU's maker",
        "1.98": "stated by the GPU's maker",
    },
}


def plain(number: str) -> str:
    """Without separators, sign of percent and zeros behind the point's digits that carry nothing."""
    return number.replace(",", "").replace("_", "").rstrip("%")


def prose(source: str) -> str:
    for pattern in NOT_PROSE:
        source = re.sub(pattern, " ", source)
    return source


def given(cells: list[Any]) -> set[str]:
    """Every number in code and in outputs that are text."""
    texts = []
    for cell in cells:
        if cell.cell_type == "code":
            texts.append(cell.source)
            for output in cell.outputs:
                texts += [output.get("text", ""), *(v for k, v in output.get("data", {}).items() if k == "text/plain")]
    return {plain(number) for text in texts for number in re.findall(r"\d[\d,_]*(?:\.\d+)?%?", text)}


def unexplained(cells: list[Any], explained: dict[str, str]) -> list[str]:
    known = given(cells) | explained.keys()
    found = []
    for cell in cells:
        if cell.cell_type == "markdown":
            text = prose(cell.source)
            for match in NUMBER.finditer(text):
                number = plain(match[0].rstrip(","))
                small = "." not in number and "%" not in match[0] and int(number) < 10
                if not small and number not in known:
                    found.append(
                        f"{cell.id}: {match[0]} in “{' '.join(text[match.start() - 60 : match.end() + 30].split())}”"
                    )
    return found


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_number_in_the_prose_is_given_by_code_an_output_or_an_explanation(lesson: Path) -> None:
    cells = nbformat.read(lesson, as_version=4).cells
    assert unexplained(cells, EXPLAINED.get(lesson.stem, {})) == []


def test_an_explanation_that_no_lesson_needs_is_gone() -> None:
    for lesson in LESSONS:
        cells = nbformat.read(lesson, as_version=4).cells
        for number in EXPLAINED.get(lesson.stem, {}):
            others = {key: why for key, why in EXPLAINED[lesson.stem].items() if key != number}
            assert unexplained(cells, others), f"{lesson.stem} does not need {number}"


def test_a_number_typed_in_by_hand_is_found() -> None:
    code = nbformat.v4.new_code_cell("print(0.25)", outputs=[nbformat.v4.new_output("stream", text="0.25, 1,024\n")])
    fine = nbformat.v4.new_markdown_cell("It is 0.25 after 1,024 steps in 3 seeds, see lesson 07, `0.75` and $0.5$.")
    typed = nbformat.v4.new_markdown_cell("It is 93.5% after 2,048 steps.")
    assert unexplained([code, fine], {}) == []
    assert len(unexplained([code, typed], {})) == 2
    assert len(unexplained([code, typed], {"2048": "why"})) == 1
