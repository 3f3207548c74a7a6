"""How long a run waits before it learns: steps to a tenth of the letters, and from there until it copies."""

from collections.abc import Sequence

import plotly.graph_objects as go

from crn_lib.sweeps.stored_runs import Run
from crn_lib.viz.above import put_above
from crn_lib.viz.theme import GREY, INK, KIND_COLOURS, KIND_NAMES, need, new_figure


def draw_waits(runs: Sequence[Run], *, title: str) -> go.Figure:
    """A bar for each run: grey while it waits, in its kind's colour while it learns, and a line where its budget ended.

    Args:
        runs: on copying, with their histories.
        title: says what is seen.
    """
    need(runs, "run")
    rows = sorted(runs, key=lambda run: (run.string_length, run.kind, run.row["seed"], budget(run)))
    names: list[str] = []
    for run in rows:
        name = f"{KIND_NAMES[run.kind]}, {run.string_length} letters, seed {run.row['seed']}"
        names.append(f"{name}, again" if name in names else name)
    said = [f"{name}: {in_words(run)}" for name, run in zip(names, rows, strict=True)]
    figure = new_figure(title, description="; ".join(said) + ".", height=150 + 30 * len(rows))
    waits = [wait(run) for run in rows]
    learns = [(solved(run) or budget(run)) - waited for run, waited in zip(rows, waits, strict=True)]
    for name, x, base, colours, pattern in (
        ("waits: under a tenth of the letters", waits, 0, GREY, "/"),
        ("learns (in colour): until 99% of the strings", learns, waits, [KIND_COLOURS[run.kind] for run in rows], ""),
    ):
        figure.add_bar(
            y=names,
            x=x,
            base=base,
            orientation="h",
            name=name,
            marker={"color": colours, "pattern": {"shape": pattern, "fgcolor": INK, "size": 6}},
            hoverinfo="skip",
            cliponaxis=False,
        )
    for name, run in zip(names, rows, strict=True):
        figure.add_annotation(
            x=solved(run) or budget(run),
            y=name,
            text=in_words(run).removeprefix("waits "),
            font={"size": 12},
            showarrow=False,
            xanchor="left",
            xshift=6,
        )
    most = max(max(solved(run) or budget(run) for run in rows), 1)
    figure.update_xaxes(title="training steps", range=[0, 2.2 * most], tickformat=",")
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", ticklabelstandoff=5, tickfont={"size": 12})
    figure.update_layout(barmode="overlay", bargap=0.35, showlegend=True, margin={"l": 250})
    put_above(figure)
    return figure


def wait(run: Run) -> int:
    """Steps until a tenth of the letters was right; all it had, if they never were."""
    point = run.first(0.1, "character_accuracy")
    return int(point["step"]) if point else budget(run)


def solved(run: Run) -> int | None:
    """Steps until 99% of the strings were right; `None` if they never were."""
    point = run.first()
    return int(point["step"]) if point else None


def budget(run: Run) -> int:
    """The steps it was given."""
    return int(run.row["training"]["steps"])


def in_words(run: Run) -> str:
    """As in `waits 800 of 900 steps`, or if its budget ended first `waits 3,900 of 4,000, ends at 19%`."""
    end = solved(run)
    if end is not None:
        return f"waits {wait(run):,} of {end:,} steps"
    return f"waits {wait(run):,} of {budget(run):,}, ends at {run.row['character_accuracy']:.0%}"
