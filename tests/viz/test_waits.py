"""Bars of waiting and learning: where each ends, and what a run that never copied is said to have done."""

from crn_lib.sweeps import Run
from crn_lib.viz import describe, draw_waits


def run(kind: str, *letters_right: float, copies: bool) -> Run:
    row = {
        "model": {"kind": kind},
        "task": {"name": "copying", "string_length": 16},
        "training": {"steps": 100 * len(letters_right)},
        "seed": 0,
        "character_accuracy": letters_right[-1],
    }
    history = [
        {"step": 100 * (k + 1), "character_accuracy": right, "string_accuracy": float(copies and right == 1)}
        for k, right in enumerate(letters_right)
    ]
    return Run(row, history)


def test_a_bar_waits_until_a_tenth_and_learns_until_the_strings_are_right() -> None:
    runs = [run("transformer", 0.04, 0.05, 0.19, copies=False), run("causal_rn", 0.05, 0.5, 1.0, copies=True)]
    figure = draw_waits(runs, title="T")
    waits, learns = figure.data
    assert list(waits.y) == ["CausalRN, 16 letters, seed 0", "Transformer, 16 letters, seed 0"]
    assert (list(waits.x), list(learns.x), list(learns.base)) == ([200, 300], [100, 0], [200, 300])
    assert "Transformer, 16 letters, seed 0: waits 300 of 300, ends at 19%" in describe(figure)
    assert figure.layout.annotations[0].text == "200 of 300 steps"
