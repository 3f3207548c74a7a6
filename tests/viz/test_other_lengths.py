"""Models at lengths they were not trained on: every point is a row's, trained lengths are shaded."""

import pytest

from crn_lib.viz import describe
from crn_lib.viz.length_generalisation import draw_other_lengths


def row(kind, length, letters, strings):
    return {
        "kind": kind, "trained_up_to": 8, "tested_at": length,
        "letters_right": letters, "free_running_string_accuracy": strings,
    }  # fmt: skip


ROWS = [
    row("causal_rn", 16, 0.3, 0.0),
    row("causal_rn", 4, 1.0, 0.99),
    row("causal_rn", 8, 0.9, 0.8),
    row("lstm", 8, 0.1, 0.0),
]


def test_letters_and_strings_stand_side_by_side_by_length():
    figure = draw_other_lengths(ROWS, shortest=4)
    drawn = {(trace.name, trace.xaxis): (list(trace.x), list(trace.y)) for trace in figure.data}
    assert drawn == {
        ("CausalRN", "x"): ([4, 8, 16], [1.0, 0.9, 0.3]),
        ("LSTM", "x"): ([8], [0.1]),
        ("CausalRN", "x2"): ([4, 8, 16], [0.99, 0.8, 0.0]),
        ("LSTM", "x2"): ([8], [0.0]),
    }
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(4, 8), (4, 8)]
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    assert "CausalRN: 90% of letters and 80% of strings at 8, 30% of letters and 0% of strings at 16." in describe(
        figure
    )


def test_nothing_tested_is_said():
    with pytest.raises(ValueError, match="no model was tested"):
        draw_other_lengths([], shortest=4)
