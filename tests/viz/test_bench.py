"""The figure of the bench: nothing invented, everything named, and a file whole or not at all."""

import plotly.graph_objects as go
import pytest

from crn_lib.bench import report
from crn_lib.viz import describe, draw_bench
from crn_lib.workbook.figure_files import store_figure

CASE, OTHER_CASE = "exact relation, batch 1, width 192", "linear relation, batch 1, width 192"
MACHINE = {"processor": "demo", "threads": 2, "versions": {"torch": "2.13.0"}}


def row(length, contender, *, case=CASE, added=5e6, not_run=()):
    return {
        "case": case,
        "length": length,
        "contender": contender,
        "seconds": length / 1e3,
        "added_bytes": added,
        "not_run": dict.fromkeys(not_run, "needs 99.0 GB"),
        **MACHINE,
    }


ROWS = [
    row(130, "fused", added=1e3),
    row(34, "fused", added=None),
    row(1026, "fused", not_run=["eager"]),
    row(4098, "fused", not_run=["eager"]),
    row(34, "eager"),
    row(130, "eager"),
    row(34, "a new one"),
    row(34, "linear", case=OTHER_CASE),
]


def traces(figure, axis):
    return {trace.legendgroup.split(": ")[1]: trace for trace in figure.data if trace.xaxis == axis}


def test_points_are_the_rows_in_order_of_length_and_no_others():
    figure = draw_bench(ROWS, [CASE])
    time, memory = traces(figure, "x"), traces(figure, "x2")
    assert list(time["fused"].x) == [34, 130, 1026, 4098] and time["fused"].y == pytest.approx((34, 130, 1026, 4098))
    assert list(time["eager"].x) == [34, 130]
    # Unknown memory, and less than a logarithmic axis can show, have no mark.
    assert list(memory["fused"].x) == [1026, 4098] and list(memory["fused"].y) == [5.0, 5.0]


def test_where_a_line_ends_and_why_is_written_in_the_figure_and_in_words():
    figure = draw_bench(ROWS, [CASE])
    sentence = "Not run from 1,026 tokens on: eager (needs 99.0 GB)."
    assert any(sentence in note.text for note in figure.layout.annotations) and sentence in describe(figure)
    assert traces(figure, "x")["eager"].name == "eager<br>(to 130 tokens)"
    assert traces(figure, "x")["fused"].name == "fused"
    assert "fused: 4.1e+03 ms and 5 MB at 4,098 tokens" in describe(figure)


def test_the_title_names_the_chip_its_vectors_and_whose_memory_it_is():
    def title(**more):
        return draw_bench([{**one, **more} for one in ROWS], [CASE]).layout.title.text.replace("<br>", " ")

    assert "demo processor, 2 threads, float32, torch 2.13.0. Memory: the process at its peak," in title()
    assert "demo processor (avx2), 2 threads" in title(vectors="avx2", device="cpu")
    assert "<sup>H200, float32, torch 2.13.0. Memory: torch's on the GPU at" in title(processor="H200", device="cuda")


def test_axes_are_logarithmic_with_units_and_lines_differ_by_colour_and_symbol():
    figure = draw_bench(ROWS, [CASE, OTHER_CASE])
    axes = [*figure.select_xaxes(), *figure.select_yaxes()]
    assert len(axes) == 8 and {axis.type for axis in axes} == {"log"}
    assert {axis.title.text for axis in figure.select_yaxes()} == {"milliseconds", "megabytes added (MB)"}
    assert {axis.title.text for axis in figure.select_xaxes()} == {"tokens in a sequence"}
    shown = [trace for trace in figure.data if trace.xaxis == "x"]
    assert len({trace.line.color for trace in shown}) == len({trace.marker.symbol for trace in shown[:2]}) + 1 == 3
    assert {trace.legend for trace in figure.data} == {"legend", "legend2"}


@pytest.mark.parametrize("cases", [[], ["warp drive"]])
def test_a_case_without_rows_is_refused(cases):
    with pytest.raises(ValueError, match=r"warp drive|any case"):
        draw_bench(ROWS, cases)


def test_where_no_picture_can_be_made_the_page_is_kept_and_the_reason_given(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no browser here\nmore lines")

    monkeypatch.setattr(go.Figure, "to_image", fail)
    words = store_figure(draw_bench(ROWS, [CASE]), tmp_path / "bench")
    assert words == f"figure in {tmp_path / 'bench.html'}; no PNG: no browser here"
    assert {path.name for path in tmp_path.iterdir()} == {"bench.html", "plotly.min.js"}


def test_a_picture_is_replaced_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(go.Figure, "to_image", lambda *_, **__: b"picture")
    (tmp_path / "bench.png").write_bytes(b"old")
    figure = draw_bench(ROWS, [CASE])
    assert "bench.png" in store_figure(figure, tmp_path / "bench")
    assert (tmp_path / "bench.png").read_bytes() == b"picture"

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(report.Path, "write_bytes", fail)
    with pytest.raises(OSError, match="disk full"):
        store_figure(figure, tmp_path / "bench")
    assert (tmp_path / "bench.png").read_bytes() == b"picture"
    assert {path.name for path in tmp_path.iterdir()} == {"bench.html", "bench.png", "plotly.min.js"}
