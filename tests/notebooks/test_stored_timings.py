"""What the prose of lessons 03 to 05 says of times holds for the times that are stored beside it.

A lesson may run on a busy machine, so no cell asserts this. Where a stored run fails here, run the lesson again alone.
"""

import re
from functools import cache
from typing import Any

import nbformat

from crn_lib.paths import workbook_folder


@cache
def cells_of(lesson: str) -> list[Any]:
    return list(nbformat.read(workbook_folder() / "notebooks" / f"{lesson}.ipynb", as_version=4).cells)


def text_of(lesson: str, cell: str) -> str:
    """The stored text of a cell's outputs."""
    (outputs,) = (found.outputs for found in cells_of(lesson) if found.id == cell)
    return "\n".join(output.get("text", output.get("data", {}).get("text/plain", "")) for output in outputs)


def numbers(pattern: str, text: str) -> list[float]:
    found = [float(number.replace(",", "")) for number in re.findall(pattern, text)]
    assert found, pattern
    return found


def test_lesson_03_both_curves_start_flatter_than_they_end_and_only_every_pair_is_above_a_slope_of_one_and_a_half() -> (
    None
):
    lines = text_of("03_exp_decomposition", "03-26")
    for form in ("naive", "linear"):
        starts = numbers(rf"{form}\s+(-?[\d.]+) from 1 to", lines)
        ends = numbers(rf"{form}.*tokens;\s+([\d.]+) from", lines)
        assert all(start < end - 0.5 for start, end in zip(starts, ends, strict=True)), form
        assert all((end > 1.5) == (form == "naive") for end in ends), form


def test_lesson_04_the_exact_form_is_slower_than_none_and_none_than_approx_and_only_exact_grows_as_the_square() -> None:
    lines = text_of("04_normalise_first", "04-59")
    unit = {"µs": 1e-6, "ms": 1e-3, "s": 1.0}
    at_longest = re.findall(r"^(\w+) .*; ([\d.,]+) (µs|ms|s) at [\d,]+ tokens$", lines, re.MULTILINE)
    seconds = {norm: float(value.replace(",", "")) * unit[name] for norm, value, name in at_longest}
    assert seconds["exact"] > 2 * seconds["none"] > 8 * seconds["approx"]
    exact, approx, none = numbers(r"slope ([\d.]+) from", lines)
    assert exact > 1.5 > max(approx, none)


def test_lesson_05_a_step_of_the_pool_grows_less_than_its_rows_and_by_more_per_token_than_one_of_the_cache() -> None:
    steps = text_of("05_growing_memory", "l05-032")
    (ratio,) = numbers(r"CausalRN: ([\d.]+) times as long after 4,096 tokens as after 64", steps)
    assert 1.5 < ratio < 64 / 4, "a constant hides the rows"
    fits = text_of("05_growing_memory", "l05-034")
    slopes = {
        kind: numbers(rf"(?m)^{re.escape(kind)}\s.*?(-?\d+\.\d) ns", fits)[0] for kind in ("CausalRN", "Transformer")
    }
    fixed = numbers(r"(?m)^(?:linear RN|linear Transformer|LSTM|SSM \(S6\))\s.*?(-?\d+\.\d) ns", fits)
    assert slopes["CausalRN"] > slopes["Transformer"] > 5 * max(map(abs, fixed))


def test_lesson_05_the_past_is_hidden_for_hundreds_of_tokens_and_a_text_takes_longer_than_its_shortest_steps() -> None:
    texts = text_of("05_growing_memory", "l05-036")
    pool, cache = numbers(r"outweighs the rest from ([\d,]+) tokens on", texts)
    assert 100 < pool < 3000 < cache, "hundreds of tokens (the CausalRN) or thousands (the Transformer)"
    for predicted, measured in zip(
        *(numbers(rf"{word} ([\d.]+) ms", texts) for word in ("predicted", "measured")), strict=True
    ):
        assert measured > predicted
