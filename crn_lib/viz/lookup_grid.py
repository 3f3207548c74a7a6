"""How the copiers of the ablations find their letters: what is left without their ring, and how loud it is."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from crn_lib.units import counted
from crn_lib.viz.ablations import NONE_TO_ALL, bar_above
from crn_lib.viz.contrast import ink_on, on_scale
from crn_lib.viz.theme import INK, need, new_figure


@dataclass(frozen=True)
class Lookup:
    """What the models of one form came to, one number a model in each sequence.

    Attributes:
        left: letters right without the most anti-aligned sender of each block.
        share: the source's share of what the block that looks up hands on.
    """

    left: Sequence[float]
    share: Sequence[float]


def draw_lookups(
    found: Mapping[tuple[str, str], Lookup],
    looked: Container[tuple[str, str]],
    activations: Sequence[str],
    *,
    title: str,
) -> go.Figure:
    """A row for each place of the norms, a column for each activation; a cell's colour is the share of the source.

    A cell says how many models there are, the letters that are left without their ring, and the share, or that none
    copies.

    Args:
        found: by place and activation, the forms of which some model copies.
        looked: the forms that were looked at; those that are not in `found` copy nothing.
        activations: the columns, by name.
        title: says what is seen.
    """
    need(found, "form")
    places = list(dict.fromkeys(place for place, _ in found))
    middle = {key: sum(each.share) / len(each.share) for key, each in found.items()}
    words = "; ".join(
        f"{place} · {name}: {counted(len(each.left), 'model')}, {_span(each.left)} left, share {_span(each.share)}"
        for (place, name), each in found.items()
    )
    figure = new_figure(title, description=f"A grid of norm and activation. {words}.", height=146 + 72 * len(places))
    figure.add_heatmap(
        x=[name for _, name in found],
        y=[place for place, _ in found],
        z=list(middle.values()),
        colorscale=NONE_TO_ALL,
        zmin=0,
        zmax=1,
        xgap=3,
        ygap=3,
        hoverinfo="skip",
        colorbar=bar_above("share of the source", 4),
    )
    every = [(place, name) for place in places for name in activations]
    figure.add_scatter(
        x=[name for _, name in every],
        y=[place for place, _ in every],
        mode="text",
        text=[_cell(found[key]) if key in found else "none<br>copies" if key in looked else "" for key in every],
        textfont={
            "size": 11,
            "color": [ink_on(on_scale(NONE_TO_ALL, middle[key])) if key in middle else INK for key in every],
        },
        hoverinfo="skip",
    )
    figure.update_xaxes(
        categoryorder="array", categoryarray=list(activations), range=[-0.5, len(activations) - 0.5], showgrid=False,
        ticks="", tickvals=list(activations), ticktext=[name.replace(" ", "<br>") for name in activations], tickangle=0,
    )  # fmt: skip
    figure.update_yaxes(
        categoryorder="array", categoryarray=places[::-1], range=[-0.5, len(places) - 0.5], showgrid=False, ticks="",
        tickvals=places, ticktext=[place.replace(" + ", "<br>+ ") for place in places],
    )  # fmt: skip
    figure.update_layout(margin={"l": 136, "r": 32, "t": 112, "b": 46}, showlegend=False)
    return figure


def _cell(found: Lookup) -> str:
    return f"<b>{counted(len(found.left), 'model')}</b><br>{_span(found.left)} left<br>share<br>{_span(found.share)}"


def _span(values: Sequence[float]) -> str:
    low, high = (f"{value:z.0%}" for value in (min(values), max(values)))
    return low if low == high else f"{low[:-1]}–{high}"
