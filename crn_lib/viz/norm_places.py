"""What a place of the norm gives and costs: the letters read, the sums needed, the time, and the pairs' scales."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

import plotly.graph_objects as go

from crn_lib.analysis.scaling import ScalingCurve
from crn_lib.config import require_choice
from crn_lib.units import counted, show_seconds
from crn_lib.viz.multiples import draw_multiples
from crn_lib.viz.norm_circuit import PAIR_FORMULAS, draw_norm_circuit
from crn_lib.viz.theme import BLUE, GREEN, GREY, INK, ORANGE, VERMILION, describe, need, new_figure

NORM_COLOURS = {"exact": VERMILION, "approx": BLUE, "none": GREEN}
NORM_SYMBOLS = {"exact": "circle", "approx": "square", "none": "diamond"}


@dataclass(frozen=True)
class Answers:
    """What a relation gives to questions that ask for one letter each.

    Attributes:
        rows: for each question the output in every letter's channel.
        asked: for each question the letter's channel.
        after: whether the rows are as a LayerNorm left them.
    """

    rows: Sequence[Sequence[float]]
    asked: Sequence[int]
    after: bool = False

    def read(self, question: int) -> int:
        """The channel with the largest output."""
        row = self.rows[question]
        return max(range(len(row)), key=row.__getitem__)

    @property
    def right(self) -> int:
        """Questions whose largest output is in the channel of the letter asked for."""
        return sum(self.read(number) == letter for number, letter in enumerate(self.asked))


def draw_answer(answers: Answers, question: int, letters: str) -> go.Figure:
    """The output of one question, a bar for each letter's channel; the letter asked for is hatched.

    Args:
        answers: of all questions, which also set the range of the axis.
        question: its number.
        letters: one for each channel.
    """
    asked, read = answers.asked[question], answers.read(question)
    verdict = f"read {letters[read]}, {'right' if read == asked else 'wrong'}"
    total = f"{answers.right} of {len(answers.asked)} questions right"
    row = answers.rows[question]
    figure = new_figure(
        f"asked {letters[asked]}: {verdict}; {answers.right} of {len(answers.asked)} right",
        description=(
            f"A bar for each letter. Asked for {letters[asked]}, whose channel holds {row[asked]:.2f}; the largest is "
            f"{letters[read]} with {row[read]:.2f}: {verdict}. {total.capitalize()}."
        ),
        height=300,
    )
    figure.add_bar(
        x=list(letters),
        y=list(row),
        marker={
            "color": [ORANGE if channel == asked else BLUE for channel in range(len(letters))],
            "pattern": {"shape": ["/" if channel == asked else "" for channel in range(len(letters))]},
        },
        hovertemplate="%{x}: %{y:.3g}<extra></extra>",
    )
    figure.add_scatter(
        x=[letters[read]],
        y=[row[read]],
        mode="markers+text",
        marker={"symbol": "triangle-down", "size": 12, "color": INK},
        text=[f"<b>{letters[read]}</b>"],
        textposition="top center",
        textfont={"color": INK, "size": 14},
        cliponaxis=False,
        hoverinfo="skip",
    )
    every = [value for one in answers.rows for value in one]
    low, high = min(0.0, *every), max(every)
    figure.update_xaxes(title=_small("letter's channel (asked for: hatched)"))
    figure.update_yaxes(
        title=_small("output (in s.d.)" if answers.after else "output (mean of exp)"),
        range=[low - 0.04 * (high - low), high + 0.22 * (high - low)],
    )
    figure.update_layout(showlegend=False)
    return figure


def draw_rank_growth(
    ranks: Mapping[str, Sequence[int]], counts: Sequence[int], *, chosen: str, senders: int
) -> go.Figure:
    """Sums that a receiver needs against senders read, one line a norm; the chosen one is strong, and marked.

    Args:
        ranks: for each norm one number a count.
        counts: of senders, ascending; `senders` is one of them.
    """
    require_choice("chosen", chosen, tuple(ranks))
    require_choice("senders", senders, tuple(counts))
    needed = ranks[chosen][list(counts).index(senders)]
    sums = counted(needed, "sum")
    lines = "; ".join(f"{name} {ranks[name][0]} to {ranks[name][-1]}" for name in ranks)
    figure = new_figure(
        f"{counted(senders, 'sender')}: {sums} a channel",
        description=(
            f"Sums a channel needs against senders read. {chosen}: {sums} for {counted(senders, 'sender')}. "
            f"From {counts[0]} to {counts[-1]} senders: {lines}."
        ),
        height=300,
    )
    for name in sorted(ranks, key=lambda name: name == chosen):
        strong = name == chosen
        figure.add_scatter(
            x=list(counts),
            y=list(ranks[name]),
            mode="lines+markers",
            name=name,
            **_strength(name, strong),
            hovertemplate=f"{name}: %{{x}} senders, rank %{{y}}<extra></extra>",
        )
    _name_ends(figure, {name: (counts[-1], ranks[name][-1]) for name in ranks})
    _mark(figure, senders, needed, sums, "bottom right" if needed > 1 else "top center")
    figure.update_xaxes(title=_small("senders read"), range=[0, counts[-1] * 1.04])
    figure.update_yaxes(title=_small("sums needed (rank)"), range=[-0.04 * counts[-1], counts[-1] * 1.15])
    figure.update_layout(showlegend=False)
    return figure


def draw_norm_costs(costs: Mapping[str, ScalingCurve], *, chosen: str, length: int) -> go.Figure:
    """Measured time against length, one curve a norm; the chosen one is strong, with its fitted line.

    Args:
        costs: measured curves, in seconds, with a fit.
        length: marked, in tokens; within the lengths measured.
    """
    require_choice("chosen", chosen, tuple(costs))
    curve = costs[chosen]
    value, _ = curve.at(length)
    slope = f", slope {curve.fit.slope:.2f}" if curve.fit else ""
    figure = new_figure(
        f"{length:,} tokens: {show_seconds(value)}{slope}",
        description=(
            f"Time against length, both axes logarithmic. {chosen}: {show_seconds(value)} at {length:,} tokens{slope}."
        ),
        height=300,
    )
    for name in sorted(costs, key=lambda name: name == chosen):
        strong, one = name == chosen, costs[name]
        figure.add_scatter(
            x=one.lengths,
            y=one.values,
            mode="lines+markers",
            name=name,
            **_strength(name, strong),
            text=[show_seconds(seconds) for seconds in one.values],
            hovertemplate=f"{name}: %{{x:,}} tokens, %{{text}}<extra></extra>",
        )
    _name_ends(figure, {name: (one.lengths[-1], one.values[-1]) for name, one in costs.items()}, beside=True)
    # Left of a rising line there is room where no other lies above it.
    highest = all(one.at(length)[0] <= value for one in costs.values())
    _mark(figure, length, value, show_seconds(value), "top left" if highest else "bottom right")
    powers = range(-6, 3)
    first, last = (log10(pick(n for one in costs.values() for n in one.lengths)) for pick in (min, max))
    ticks = [4 * 16**k for k in range(6) if log10(4 * 16**k) <= last]  # few: they have no room to stand side by side
    figure.update_xaxes(
        title=_small("length (tokens)"),
        type="log",
        tickvals=ticks,
        ticktext=[f"{tick:,}" for tick in ticks],
        tickangle=0,
        range=[first - 0.05 * (last - first), last + 0.28 * (last - first)],  # room for the names
    )
    figure.update_yaxes(
        title=_small("forward + backward"),
        type="log",
        tickvals=[10.0**k for k in powers],
        ticktext=[show_seconds(10.0**k) for k in powers],
    )
    figure.update_layout(showlegend=False)
    return figure


def draw_pair_scale(
    correlations: Sequence[float], scales: Sequence[float], asked: Sequence[bool], *, curve: Mapping[float, float]
) -> go.Figure:
    """The scale of every pair against the correlation of its two rows; pairs that were asked for stand out.

    Args:
        correlations, scales, asked: one of each for every pair.
        curve: correlation to scale, for rows that are equally spread.
    """
    need(correlations, "pair")
    groups = {
        "the sender asked for": (VERMILION, "diamond", 10, True),
        "every other sender": (BLUE, "circle-open", 6, False),
    }
    found = {
        name: [(c, s) for c, s, wanted in zip(correlations, scales, asked, strict=True) if wanted == which]
        for name, (_, _, _, which) in groups.items()
    }
    ends = {
        name: sorted({f"{pick(s for _, s in pairs):.2f}" for pick in (min, max)}, key=float)
        for name, pairs in found.items()
    }
    spans = {name: " to ".join(both) for name, both in ends.items()}
    words = "; ".join(f"{name} {span}" for name, span in spans.items())
    figure = new_figure(
        f"scale of a pair: {words}",
        description=f"Scale 1/s.d. of a + b against the correlation of the two rows, for {len(scales)} pairs. {words}.",
    )
    figure.add_scatter(
        x=list(curve),
        y=list(curve.values()),
        mode="lines",
        name="rows equally spread",
        line={"color": GREY, "width": 2, "dash": "dash"},
        hoverinfo="skip",
    )
    for name, (colour, symbol, size, _) in groups.items():
        figure.add_scatter(
            x=[c for c, _ in found[name]],
            y=[s for _, s in found[name]],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": size},
            hovertemplate="correlation %{x:.2f}: scale %{y:.2f}<extra></extra>",
        )
    figure.update_xaxes(title="correlation of receiver and sender (−1: opposite, 1: alike)", range=[-1.05, 1.05])
    figure.update_yaxes(title="scale of the pair, s", range=[0, 1.12 * max(scales)])
    figure.update_layout(showlegend=True, legend={"x": 0.98, "xanchor": "right", "y": 0.98, "yanchor": "top"})
    return figure


@dataclass(frozen=True)
class NormPlace:
    """Everything that `draw_norm_place` shows of one place of the norm.

    Attributes:
        norm, post_norm: the place.
        answers, question, letters: as `draw_answer` takes them.
        ranks, counts: as `draw_rank_growth` takes them.
        costs, length: as `draw_norm_costs` takes them.
    """

    norm: str
    post_norm: bool
    answers: Answers
    question: int
    letters: str
    ranks: Mapping[str, Sequence[int]]
    counts: Sequence[int]
    costs: Mapping[str, ScalingCurve]
    length: int


def draw_norm_place(place: NormPlace) -> go.Figure:
    """Four panels: the cheapest circuit for this place of the norm, what it answers, the sums and the time it needs."""
    factored = place.norm != "exact"
    panels = [
        draw_norm_circuit(place.norm, post_norm=place.post_norm, factored=factored),
        draw_answer(place.answers, place.question, place.letters),
        draw_rank_growth(place.ranks, place.counts, chosen=place.norm, senders=len(place.letters)),
        draw_norm_costs(place.costs, chosen=place.norm, length=place.length),
    ]
    titles = [panel.layout.title.text for panel in panels]
    titles[0] = "the circuit" + (", factorised" if factored else ": nothing factorises")
    figure = draw_multiples(
        lambda panel: panel,
        {title: {"panel": panel} for title, panel in zip(titles, panels, strict=True)},
        title=f"<b>{place.norm}</b>: {PAIR_FORMULAS[place.norm]}{', then post-norm' if place.post_norm else ''}",
    )
    # Room for the second column's axis titles, which the narrow page of a widget does not leave by itself.
    columns = ((0.0, 0.43), (0.57, 1.0))
    for number, (left, right) in enumerate(columns * 2):
        figure.layout[f"xaxis{number + 1 if number else ''}"].domain = (left, right)
        figure.layout.annotations[number].update(x=(left + right) / 2, font={"size": 13})
    figure.layout.meta = {"description": " ".join(describe(panel) for panel in panels)}
    return figure


def _small(text: str) -> dict[str, Any]:
    """An axis title for a panel among others."""
    return {"text": text, "standoff": 4, "font": {"size": 12}}


def _strength(name: str, strong: bool) -> dict[str, Any]:
    """A norm's line and marks: in its colour and strong, or thin and grey."""
    return {
        "line": {"color": NORM_COLOURS[name] if strong else GREY, "width": 3 if strong else 1},
        "marker": {"symbol": NORM_SYMBOLS[name], "size": 8 if strong else 5},
    }


def _name_ends(figure: go.Figure, ends: Mapping[str, tuple[float, float]], *, beside: bool = False) -> None:
    """The norms' names at the ends of their lines; lines that end in one place share their names.

    Args:
        ends: of the lines.
        beside: at the right of them, where no line is, in place of above them: a steep line would go through a name.
    """
    places: dict[tuple[float, float], list[str]] = {}
    for name, end in ends.items():
        places.setdefault(end, []).append(name)
    figure.add_scatter(
        x=[x for x, _ in places],
        y=[y for _, y in places],
        mode="text",
        text=["\u2002" * beside + " and ".join(names) for names in places.values()],  # a space off the last mark
        textposition="middle right" if beside else "top left",
        textfont={"color": INK, "size": 12},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _mark(figure: go.Figure, x: float, y: float, text: str, where: str) -> None:
    """An open ring around a point, with its value beside it."""
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers+text",
        marker={"symbol": "circle-open", "size": 18, "color": INK, "line": {"width": 2.5}},
        text=[f"<b>{text}</b>"],
        textposition=where,
        textfont={"color": INK, "size": 13},
        showlegend=False,
        cliponaxis=False,
        hoverinfo="skip",
    )
