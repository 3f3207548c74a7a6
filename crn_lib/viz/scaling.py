"""Time, memory or counted operations against length, on logarithmic axes, with one length marked."""

import math
from collections.abc import Callable, Sequence

import plotly.graph_objects as go

from crn_lib.analysis.scaling import ScalingCurve
from crn_lib.config import Named
from crn_lib.units import counted, show_bytes, show_count, show_seconds, three_digits
from crn_lib.viz.above import put_above
from crn_lib.viz.theme import (
    BLUE,
    GREEN,
    GREY,
    INK,
    KIND_COLOURS,
    KIND_NAMES,
    KIND_SYMBOLS,
    PURPLE,
    VERMILION,
    need,
    new_figure,
)

CURVE_COLOURS = (VERMILION, BLUE, GREEN, PURPLE)
CURVE_SYMBOLS = ("circle", "square", "triangle-up", "diamond")


UNITS: Named[Callable[[float], str]] = Named("unit", {"seconds": show_seconds, "bytes": show_bytes, "": show_count})


def draw_scaling(
    curves: Sequence[ScalingCurve], length: int, *, what: str, unit: str = "seconds", says: str = ""
) -> go.Figure:
    """Curves against length, one length marked, with every curve's value there and their ratio.

    Measured points are filled marks; the fitted line is dashed; a counted curve is a solid line without marks. The
    ring at the chosen length is open: its value may be interpolated or on the fitted line, and the title says which.
    A curve named as a model kind has the kind's colour and mark.

    Args:
        curves: one or more; the ratio in the title is that of the first to the last.
        length: the marked length, in tokens.
        what: the axis title, as in `time of one call`.
        unit: a key of `UNITS`: `seconds`, `bytes`, or nothing for a count.
        says: the message of a figure that stays as it is; the values then follow in smaller letters.
    """
    need(curves, "curve")
    show = UNITS[unit]
    here = [curve.at(length) for curve in curves]
    ratio = here[0][0] / here[-1][0]
    values = ", ".join(f"{c.name} {show(v)} ({source})" for c, (v, source) in zip(curves, here, strict=True))
    title = f"{counted(length, 'token')}: {values}"
    slopes = [f"{curve.name} {round(curve.fit.slope, 2) + 0:.2f}" for curve in curves if curve.fit]
    second = [f"ratio {three_digits(ratio)}"] * (len(curves) > 1)
    second += [f"fitted slopes: {', '.join(slopes)}"] * bool(slopes)
    figure = new_figure(
        f"{says}<br>{_small(title)}<br>{_small('; '.join(second))}" if says else f"{title}<br>{'; '.join(second)}",
        description=f"{what.capitalize()} against length, both axes logarithmic. At {title}. {'; '.join(second)}.",
        height=500 if says else 470,
    )
    ends = min(c.lengths[0] for c in curves), max(c.lengths[-1] for c in curves)
    kinds = {name: kind for kind, name in KIND_NAMES.items()}
    for number, (curve, (value, _)) in enumerate(zip(curves, here, strict=True)):
        colour, symbol = CURVE_COLOURS[number % 4], CURVE_SYMBOLS[number % 4]
        if curve.name in kinds:
            colour, symbol = KIND_COLOURS[kinds[curve.name]], KIND_SYMBOLS[kinds[curve.name]]
        _add_curve(figure, curve, show, colour, symbol, ends[1])
        figure.add_scatter(
            x=[length],
            y=[value],
            mode="markers+text",
            marker={"symbol": "circle-open", "size": 20, "color": INK, "line": {"width": 3}},
            text=[f"<b>{show(value)}</b>"],
            textposition=f"{_free_side(value, [other for other, _ in here])} center",
            cliponaxis=False,
            textfont={"color": INK, "size": 13},
            showlegend=False,
            hovertemplate="%{x:,} tokens: %{text}<extra></extra>",
        )
    if any(curve.fit for curve in curves):
        dashed = {"color": INK, "width": 2, "dash": "dash"}
        figure.add_scatter(x=[None], y=[None], mode="lines", name="fitted lines", line=dashed, hoverinfo="skip")
    figure.add_vline(x=length, line={"color": GREY, "dash": "dot", "width": 1})
    figure.update_xaxes(title="length (tokens)", type="log", **_length_ticks(*ends))
    figure.update_yaxes(title=what, type="log", **_decades(curves, ends[1], unit))
    figure.update_layout(showlegend=True, margin={"l": 94})
    put_above(figure)  # the legend, not on the data
    return figure


def _add_curve(
    figure: go.Figure, curve: ScalingCurve, show: Callable[[float], str], colour: str, symbol: str, end: int
) -> None:
    """The fitted line and measured marks, or the line of a count."""
    hover = {"text": [show(value) for value in curve.values], "hovertemplate": "%{x:,} tokens: %{text}<extra></extra>"}
    if curve.fit is None:
        figure.add_scatter(
            x=curve.lengths,
            y=curve.values,
            mode="lines",
            name=curve.name,
            line={"color": colour, "width": 3},
            **hover,
        )
        return
    line = (curve.fit.first, end)
    figure.add_scatter(
        x=line,
        y=[curve.fit.at(x) for x in line],
        mode="lines",
        name=f"{curve.name}, fitted line",
        line={"color": colour, "width": 2, "dash": "dash"},
        hoverinfo="skip",
        showlegend=False,  # one entry for all of them
    )
    figure.add_scatter(
        x=curve.lengths,
        y=curve.values,
        mode="markers",
        name=f"{curve.name}, measured",
        marker={"color": colour, "symbol": symbol, "size": 8},
        **hover,
    )


def _small(words: str) -> str:
    return f'<span style="font-size:12px">{words}</span>'


def _free_side(value: float, values: Sequence[float]) -> str:
    """Above or below a ring, where its number is farther from the next ring."""
    over = min((other / value for other in values if other > value), default=math.inf)
    under = min((value / other for other in values if other < value), default=math.inf)
    return "bottom" if under > over else "top"


def _length_ticks(first: int, last: int) -> dict[str, object]:
    """Every fourth power of two or so, with room for the marks at both ends."""
    powers = range(math.floor(math.log2(first)), math.ceil(math.log2(last)) + 1)
    ticks = [2**power for power in powers[:: max(1, round(len(powers) / 6))]]
    room = 0.07 * math.log10(last / first)  # half of a ring's number, as long as "4.19 million"
    return {
        "tickvals": ticks,
        "ticktext": [f"{tick:,}" for tick in ticks],
        "range": [math.log10(first) - room, math.log10(last) + room],
    }


def _decades(curves: Sequence[ScalingCurve], end: int, unit: str) -> dict[str, object]:
    """Ticks at powers of ten, and a range that stays still when another length is marked."""
    values = [value for curve in curves for value in curve.values]
    values += [curve.fit.at(end) for curve in curves if curve.fit]
    low, high = math.log10(min(values)), math.log10(max(values))
    every = max(1, round((high - low) / 6))
    powers = range(math.floor(low), math.ceil(high) + 1, every)
    room = 0.13 * (high - low)  # a ring's number stays within the axes
    if high - low < 2:  # hardly a power of ten in sight
        ticks = [step * 10.0**power for power in powers for step in (1, 2, 5)]
        words = [UNITS[unit](tick) for tick in ticks]
    else:
        ticks, words = [10.0**power for power in powers], _short_decades(powers, unit)
    return {"tickvals": ticks, "ticktext": words, "range": [low - room, high + room]}


def _short_decades(powers: Sequence[int], unit: str) -> list[str]:
    """Powers of ten that leave room for the axis title, all in one way: `10 ms` and `100 s`, or `10⁻²` and `10⁵`."""
    if unit == "bytes" or powers[-1] <= 4:
        return [UNITS[unit](10.0**power) for power in powers]
    return [f"10<sup>{power}</sup>{' s' if unit else ''}".replace("-", "−") for power in powers]
