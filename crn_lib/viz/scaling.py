"""Time, memory or counted operations against length, on logarithmic axes, with one length marked."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from crn_lib.viz.theme import BLUE, GREEN, GREY, INK, PURPLE, VERMILION, new_figure

CURVE_COLOURS = (VERMILION, BLUE, GREEN, PURPLE)
CURVE_SYMBOLS = ("circle", "square", "triangle-up", "diamond")


@dataclass(frozen=True)
class PowerLaw:
    """`factor * length**slope`: a straight line where both axes are logarithmic.

    Attributes:
        first, last: the shortest and longest length it was fitted to.
    """

    slope: float
    factor: float
    first: int
    last: int

    def at(self, length: float) -> float:
        """The line's value at this length."""
        return float(self.factor * length**self.slope)


def fit_power(lengths: Sequence[int], values: Sequence[float], *, upper: int = 4) -> PowerLaw:
    """Least squares between the logarithms of the `upper` longest lengths and of their values.

    Args:
        lengths: ascending.
        values: one a length, positive.

    Raises:
        ValueError: fewer than two points, or fewer than are to be fitted.
    """
    if upper < 2 or len(lengths) < upper or len(lengths) != len(values):
        raise ValueError(f"a fit of {upper} points needs at least 2 and has {len(lengths)} with {len(values)} values")
    x, y = np.log(lengths[-upper:]), np.log(values[-upper:])
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    return PowerLaw(slope, math.exp(y.mean() - slope * x.mean()), lengths[-upper], lengths[-1])


@dataclass(frozen=True)
class ScalingCurve:
    """What one way to compute something costs at several lengths.

    Attributes:
        name: of the way, in a few words.
        lengths: ascending.
        values: one a length, positive, in the unit that `draw_scaling` is given.
        fit: for measured values the line through the upper ones; `None` where values are counted and not measured.
    """

    name: str
    lengths: tuple[int, ...]
    values: tuple[float, ...]
    fit: PowerLaw | None = None

    def at(self, length: int) -> tuple[float, str]:
        """The value at a length, and where it comes from: `measured`, `counted`, `interpolated` or `fitted line`.

        Between two lengths it is interpolated on logarithmic axes; beyond the last it is on the fitted line.

        Raises:
            ValueError: a length before the first, or beyond the last where nothing was fitted.
        """
        if length in self.lengths:
            return self.values[self.lengths.index(length)], "counted" if self.fit is None else "measured"
        if self.lengths[0] < length < self.lengths[-1]:
            log = np.interp(math.log(length), np.log(self.lengths), np.log(self.values))
            return math.exp(log), "interpolated"
        if length > self.lengths[-1] and self.fit is not None:
            return self.fit.at(length), "fitted line"
        raise ValueError(f"{self.name} is known from {self.lengths[0]} to {self.lengths[-1]} tokens; got {length}")


def show_seconds(value: float) -> str:
    """A time in words: `1.2 ms`."""
    return _scaled(value, ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")))


def show_bytes(value: float) -> str:
    """A size in words, in powers of ten: `1.2 MB`."""
    return _scaled(value, ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")))


def show_count(value: float) -> str:
    """A number of things: as it is below a million, then `1.2 million` and so on."""
    if value < 1e6:
        return f"{value:,.0f}"
    return _scaled(value, ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")))


UNITS: dict[str, Callable[[float], str]] = {"seconds": show_seconds, "bytes": show_bytes, "": show_count}


def draw_scaling(curves: Sequence[ScalingCurve], length: int, *, what: str, unit: str = "seconds") -> go.Figure:
    """Curves against length, one length marked, with every curve's value there and their ratio.

    Measured points are filled marks; the fitted line is dashed; a counted curve is a solid line without marks. The
    ring at the chosen length is open: its value may be interpolated or on the fitted line, and the title says which.

    Args:
        curves: one or more; the ratio in the title is that of the first to the last.
        length: the marked length, in tokens.
        what: the axis title, as in `time of one call`.
        unit: a key of `UNITS`: `seconds`, `bytes`, or nothing for a count.
    """
    show = UNITS[unit]
    here = [curve.at(length) for curve in curves]
    ratio = here[0][0] / here[-1][0]
    values = ", ".join(f"{c.name} {show(v)} ({source})" for c, (v, source) in zip(curves, here, strict=True))
    title = f"{length:,} token{'s' if length > 1 else ''}: {values}"
    slopes = [f"{curve.name} {curve.fit.slope:.2f}" for curve in curves if curve.fit]
    second = [f"ratio {_three_digits(ratio)}"] * (len(curves) > 1)
    second += [f"fitted slopes: {', '.join(slopes)}"] * bool(slopes)
    figure = new_figure(
        f"{title}<br>{'; '.join(second)}",
        description=f"{what.capitalize()} against length, both axes logarithmic. At {title}. {'; '.join(second)}.",
        height=430,
    )
    ends = min(c.lengths[0] for c in curves), max(c.lengths[-1] for c in curves)
    for number, (curve, (value, _)) in enumerate(zip(curves, here, strict=True)):
        colour, symbol = CURVE_COLOURS[number % 4], CURVE_SYMBOLS[number % 4]
        _add_curve(figure, curve, show, colour, symbol, ends[1])
        figure.add_scatter(
            x=[length],
            y=[value],
            mode="markers+text",
            marker={"symbol": "circle-open", "size": 20, "color": INK, "line": {"width": 3}},
            text=[f"<b>{show(value)}</b>"],
            # Away from the curves on either side, and so also away from the neighbouring marks.
            textposition="bottom center" if number and number == len(curves) - 1 else "top center",
            cliponaxis=False,
            textfont={"color": INK, "size": 13},
            showlegend=False,
            hovertemplate="%{x:,} tokens: %{text}<extra></extra>",
        )
    figure.add_vline(x=length, line={"color": GREY, "dash": "dot", "width": 1})
    figure.update_xaxes(title="length (tokens)", type="log", **_length_ticks(*ends))
    figure.update_yaxes(title=what, type="log", **_decades(curves, ends[1], unit))
    figure.update_layout(showlegend=True, margin={"l": 84}, legend={"x": 0.02, "y": 0.99, "yanchor": "top"})
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
    )
    figure.add_scatter(
        x=curve.lengths,
        y=curve.values,
        mode="markers",
        name=f"{curve.name}, measured",
        marker={"color": colour, "symbol": symbol, "size": 8},
        **hover,
    )


def _length_ticks(first: int, last: int) -> dict[str, object]:
    """Every fourth power of two or so, with room for the marks at both ends."""
    powers = range(math.floor(math.log2(first)), math.ceil(math.log2(last)) + 1)
    ticks = [2**power for power in powers[:: max(1, round(len(powers) / 6))]]
    room = 0.04 * math.log10(last / first)
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
    return {
        "tickvals": [10.0**power for power in powers],
        "ticktext": [_short_decade(power, unit) for power in powers],
        "range": [low - room, high + room],
    }


def _short_decade(power: int, unit: str) -> str:
    """A power of ten that leaves room for the axis title: `10 ms`, `1,000`, `10⁷`."""
    if unit == "bytes" or power < 3 or (power == 3 and not unit):
        return UNITS[unit](10.0**power)
    return f"10<sup>{power}</sup>{' s' if unit else ''}"


def _three_digits(value: float) -> str:
    """Three significant digits, never in powers of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _scaled(value: float, scales: tuple[tuple[float, str], ...]) -> str:
    scale, name = next((pair for pair in scales if abs(value) >= 0.9995 * pair[0]), scales[-1])
    return f"{_three_digits(value / scale)} {name}"
