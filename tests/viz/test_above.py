"""Title and legend above the panels: all of their lines have room, in a window of 620 pixels too."""

import plotly.graph_objects as go
import pytest

from crn_lib import paths, sweeps, viz
from crn_lib.analysis import ScalingCurve, fit_power
from crn_lib.viz.above import height_of_legend, put_above, wrap
from crn_lib.viz.theme import new_figure
from tests.viz.lines import legend_begins, title_ends

NAMES = ("least squares", "averaging", "averaged projections", "3 nearest", "CausalRN", "Transformer", "points")


def lines(names: tuple[str, ...], title: str) -> go.Figure:
    figure = new_figure(title, description="d")
    for name in names:
        figure.add_scatter(x=[0], y=[0], name=name)
    return figure.update_layout(showlegend=True)


def test_a_legend_of_many_rows_has_room_above_all_panels() -> None:
    panels = {name: {"title": name} for name in "abcd"}
    figure = viz.draw_multiples(lambda title: lines(NAMES, title), panels, title="Predictions<br>at every x")
    assert height_of_legend(figure) == 4 * 20 + 10, "two columns in a narrow window"
    assert title_ends(figure) <= legend_begins(figure)


@pytest.mark.parametrize("kind", ["causal_rn", "transformer"])
def test_the_legend_of_a_retrieval_course_has_two_rows_below_the_title(kind: str) -> None:
    rows = sweeps.read_rows(paths.data_file("retrieval_course.jsonl"))
    courses = [row["course"] for row in rows if row["kind"] == kind and row["string_length"] == 16]
    figure = viz.draw_retrieval_course(courses, kind)
    assert height_of_legend(figure) == 60 and title_ends(figure) <= legend_begins(figure)


def test_what_a_curve_says_is_wrapped_and_leaves_the_legend_its_place() -> None:
    lengths = (16, 64, 256)
    curves = [
        ScalingCurve(name, lengths, values, fit_power(lengths, values, upper=3))
        for name, values in (
            ("every pair of them", (1e6, 1.6e7, 2.56e8)),
            ("attention", (1e5, 4e5, 1.6e6)),
            ("no pair stored", (1e5, 4e5, 1.6e6)),
        )
    ]
    says = "Only the form that writes out every pair keeps an amount that grows with the square of the length"
    figure = viz.draw_scaling(curves, 4096, what="kept", unit="bytes", says=says)
    assert figure.layout.title.text.count("<br>") == 3
    assert title_ends(figure) <= legend_begins(figure)


def test_long_lines_are_broken_into_like_parts_and_tags_take_no_room() -> None:
    words = " ".join(["word"] * 30)
    first, second = wrap(f'<span style="font-size:12px">{words}</span>', 12).split("<br>")
    assert first.startswith('<span style="font-size:12px">word') and second.endswith("word</span>")
    assert abs(first.count("word") - second.count("word")) <= 2
    assert wrap(f"short<br><sup>{' '.join(['word'] * 20)}</sup>", 12).count("<br>") == 1
    assert "4.21 MB" in wrap(f"{'word ' * 13}longer 4.21 MB {'word ' * 12}", 12), "a number stays with its unit"
    assert wrap("a < b and b > a", 15) == "a < b and b > a" and wrap("a" * 300, 12) == "a" * 300


def test_the_margin_grows_with_lines_of_title_and_legend() -> None:
    tops = []
    for title, names in (("T", NAMES[:1]), ("T<br>T", NAMES[:1]), ("T<br>T", NAMES)):
        figure = lines(names, title)
        put_above(figure)
        tops.append(figure.layout.margin.t)
    assert tops == sorted(set(tops))
