"""The workbook's figures, each drawn by one function from stored rows: `crn publish` writes them."""

from collections.abc import Callable
from pathlib import Path

import plotly.graph_objects as go

from crn_lib.bench.cases import PANEL_CASES
from crn_lib.experiments import beyond
from crn_lib.experiments.lengths import LENGTH_SWEEPS, length_points, state_points
from crn_lib.sweeps.rows import read_rows
from crn_lib.sweeps.stored_runs import Run, budget_in_words, by_kind_and_length, curve_over_seeds, read_runs
from crn_lib.viz.ablations import draw_ablations
from crn_lib.viz.bench import draw_bench
from crn_lib.viz.beyond import draw_score_by_bytes
from crn_lib.viz.length_generalisation import draw_other_lengths
from crn_lib.viz.lengths import draw_accuracy_by_state, draw_copying_curves, draw_steps_to_solve
from crn_lib.viz.memory import draw_memory
from crn_lib.viz.multiples import draw_multiples
from crn_lib.workbook.speed_page import roofline


def length_runs(root: Path) -> list[Run]:
    """The runs of `LENGTH_SWEEPS`, of which some may still be missing."""
    return [run for name in LENGTH_SWEEPS for run in read_runs(root / f"figures/data/runs/{name}.jsonl")]


def copying_curves(root: Path) -> go.Figure:
    """Letters right against training steps, a panel a length, a line a model."""
    runs = length_runs(root)
    curves = {key: curve_over_seeds(own, "character_accuracy") for key, own in by_kind_and_length(runs).items()}
    return draw_copying_curves(curves, about=budget_in_words(runs))


def steps_to_solve(root: Path) -> go.Figure:
    """Steps until 99% of strings are copied against their length, a line a model."""
    runs = length_runs(root)
    return draw_steps_to_solve(length_points(runs), about=budget_in_words(runs))


def seconds_to_solve(root: Path) -> go.Figure:
    """The same in seconds of one processor."""
    runs = length_runs(root)
    return draw_steps_to_solve(length_points(runs), unit="seconds", about=budget_in_words(runs))


def accuracy_by_state(root: Path) -> go.Figure:
    """Letters right, free-running, against bytes of state."""
    runs = length_runs(root)
    return draw_accuracy_by_state(state_points(runs), about=budget_in_words(runs))


def other_lengths(root: Path) -> go.Figure:
    """Accuracy of models trained on short strings, on longer ones."""
    data = root / "figures/data"
    trained = read_runs(data / "runs/length_generalisation.jsonl")
    shortest = min(int(run.row["task"]["shortest"]) for run in trained)
    rows = read_rows(data / "length_generalisation.jsonl")
    return draw_other_lengths(rows, shortest=shortest, about=budget_in_words(trained))


def beyond_copying(root: Path) -> go.Figure:
    """Scores of four tasks against bytes of state."""
    points = beyond.read_points(root / "figures/data/runs")
    return draw_multiples(
        lambda task: draw_score_by_bytes(task, beyond.comparable(task, points[task])),
        {beyond.PANELS[name].title: {"task": name} for name in beyond.FOUR},
        title="Four tasks: scores against bytes held (open marks may rise; a number is a width)",
    )


def ablations(root: Path) -> go.Figure:
    """Seeds that learnt to copy, by norm, post-norm and activation, a panel a length."""
    return draw_ablations(read_runs(root / "figures/data/runs/ablations.jsonl", diverged=True))


def bench(root: Path) -> go.Figure:
    """Time and memory of one pass against length, as `crn bench` measured them."""
    return draw_bench(read_rows(root / "figures/data/bench.jsonl"), PANEL_CASES)


def bench_cuda(root: Path) -> go.Figure:
    """The same on a GPU, as `crn bench --device cuda` measured them."""
    return draw_bench(read_rows(root / "figures/data/bench_cuda.jsonl"), PANEL_CASES)


def memory(root: Path) -> go.Figure:
    """Bytes held while decoding against tokens."""
    return draw_memory(read_rows(root / "figures/data/memory.jsonl"))


FIGURES: dict[str, Callable[[Path], go.Figure]] = {
    function.__name__: function
    for function in (
        copying_curves,
        steps_to_solve,
        seconds_to_solve,
        accuracy_by_state,
        other_lengths,
        beyond_copying,
        ablations,
        bench,
        bench_cuda,
        roofline,
        memory,
    )
}
"""Every figure by the name of its files. A new one is a function and its name here."""
