"""Number formats: errors against magnitude, running sums that stop, the exponent a LayerNorm allows, training runs."""

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from crn_lib.config import Named
from crn_lib.viz.above import put_above
from crn_lib.viz.theme import BLUE, GREEN, GREY, INK, ORANGE, PANEL_AXIS, PURPLE, VERMILION, need, new_figure

FORM_STYLES = Named(
    "form",
    {
        "every pair": (VERMILION, "circle"),
        "factored": (ORANGE, "diamond"),
        "log space": (PURPLE, "triangle-up"),
        "library": (BLUE, "square"),
    },
)
"""Colour and mark of each way to compute the relation."""

FORMAT_STYLES = Named(
    "format",
    {
        "float32": (INK, "circle", "solid"),
        "bfloat16": (BLUE, "square", "solid"),
        "float16": (VERMILION, "diamond", "solid"),
        "bfloat16-weights": (GREEN, "triangle-up", "dash"),
        "float16-unscaled": (ORANGE, "triangle-down", "dash"),
        "float16-weights": (PURPLE, "x", "dash"),
    },
)
"""Colour, mark and line of each number format and of each precision of `TrainConfig`."""

LOWEST, OVERFLOW = -8.0, 2.6
"""Ends of the error axis, as powers of ten: a smaller error is drawn at the lower one, and overflows at the upper."""


def draw_form_errors(
    errors: Mapping[str, Sequence[float]],
    magnitudes: Sequence[float],
    magnitude: float,
    *,
    number_format: str,
    what: str,
) -> go.Figure:
    """Relative error of each form against the size of its input, with one size marked.

    Args:
        errors: form, a key of `FORM_STYLES`, to one error a magnitude; infinite where a result was not finite.
        magnitudes: ascending.
        magnitude: the one that is marked; one of `magnitudes`.
        number_format: named in the title.
        what: which result the errors are of, in a few words.

    Raises:
        ValueError: the marked magnitude was not measured.
    """
    need(errors, "form")
    if magnitude not in magnitudes:
        raise ValueError(f"magnitude must be one of {', '.join(f'{m:g}' for m in magnitudes)}; got {magnitude:g}")
    here = {form: values[list(magnitudes).index(magnitude)] for form, values in errors.items()}
    words = ", ".join(f"{form} {show_error(error)}" for form, error in here.items())
    figure = new_figure(
        f"{number_format}, magnitude {magnitude:g}, {what}:<br>{words}",
        description=f"Largest relative error against the magnitude of the input in {number_format}, {what}. "
        f"At {magnitude:g}: {words}.",
        height=430,
    )
    figure.add_hrect(y0=OVERFLOW - 0.55, y1=OVERFLOW + 0.55, fillcolor="rgba(213, 94, 0, 0.12)", line_width=0)
    for number, (form, values) in enumerate(errors.items()):
        colour, symbol = FORM_STYLES[form]
        heights = [_height(error, number) for error in values]
        figure.add_scatter(
            x=list(magnitudes),
            y=heights,
            mode="lines+markers",
            name=form,
            line={"color": colour, "width": 1.5},
            marker={"color": colour, "symbol": symbol, "size": 8},
            text=[show_error(error) for error in values],
            hovertemplate="magnitude %{x:g}: %{text}",
        )
    figure.add_scatter(
        x=[magnitude] * len(here),
        y=[_height(error, number) for number, error in enumerate(here.values())],
        mode="markers",
        marker={"symbol": "circle-open", "size": 18, "color": INK, "line": {"width": 2}},
        showlegend=False,
        hoverinfo="skip",
    )
    figure.add_vline(x=magnitude, line={"color": GREY, "dash": "dot", "width": 1})
    figure.update_xaxes(title="magnitude of the input", range=[-0.03 * magnitudes[-1], 1.03 * magnitudes[-1]])
    ticks = [-8, -6, -4, -2, 0]
    figure.update_yaxes(
        title="largest relative error",
        range=[LOWEST - 0.5, OVERFLOW + 0.9],
        tickvals=[*ticks, OVERFLOW],
        ticktext=["≤ 10<sup>−8</sup>", "10<sup>−6</sup>", "10<sup>−4</sup>", "1%", "100%", "overflow"],
    )
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": -0.26})
    return figure


def show_error(error: float) -> str:
    """A relative error in words: `overflow`, a percentage, or a power of ten."""
    if not math.isfinite(error):
        return "overflow"
    if error == 0:
        return "exact"
    return f"{error:.2g}" if error < 1e-3 else f"{error:.2%}" if error < 0.1 else f"{error:.0%}"


def _height(error: float, number: int) -> float:
    """Where an error is drawn; overflows a little apart, so that all marks are seen."""
    if not math.isfinite(error):
        return OVERFLOW + 0.36 - 0.24 * number
    return min(max(math.log10(error), LOWEST) if error > 0 else LOWEST, OVERFLOW - 0.75)


def draw_stalled_sums(sums: Mapping[str, Sequence[float]], *, length: int) -> go.Figure:
    """A running `log(1 + 1 + ... + 1)` in several formats, beside the true logarithm.

    Args:
        sums: format, a key of `FORMAT_STYLES`, to its log-sum after 1, 2, ... terms.
        length: terms shown.
    """
    need(sums, "sum")
    ends = ", ".join(f"{name} ends at {values[length - 1]:.2f}" for name, values in sums.items())
    figure = new_figure(
        f"The logarithm of a running sum of ones; after {length:,} it should be {math.log(length):.2f}",
        description=f"Log-sum against the number of terms, on a logarithmic axis, to {length:,}. The true logarithm is "
        f"a straight line to {math.log(length):.2f}; {ends}.",
    )
    shown = sorted({min(length, round(1.12**k)) for k in range(200)})
    figure.add_scatter(
        x=shown,
        y=[math.log(n) for n in shown],
        mode="lines",
        name="true",
        line={"color": GREY, "width": 6},
        opacity=0.5,
    )
    for name, values in sums.items():
        colour, symbol, _ = FORMAT_STYLES[name]
        figure.add_scatter(
            x=shown,
            y=[values[n - 1] for n in shown],
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 1.5},
            marker={"color": colour, "symbol": symbol, "size": 6},
        )
    figure.update_xaxes(title="terms", type="log", dtick=1)
    figure.update_yaxes(title="logarithm of the sum", rangemode="tozero")
    figure.update_layout(showlegend=True)
    return figure


def draw_exponent_bound(limits: Mapping[str, float], widths: Sequence[int], marked: Mapping[str, int]) -> go.Figure:
    """The largest exponent of a normalised row, and of the sum of two, against the width; and where formats end.

    Args:
        limits: format to the logarithm of its largest number.
        widths: ascending.
        marked: a few widths with their names.
    """
    need(widths, "width")
    ends = ", ".join(f"{name} {limit:.1f}" for name, limit in limits.items())
    figure = new_figure(
        "The largest exponent a LayerNorm lets through, and where exp of it overflows",
        description=f"Largest exponent against width, both axes logarithmic: the square root of width less 1 for one "
        f"normalised row, twice that for two. Lines where formats end, as logarithms of the largest number: {ends}.",
        height=400,
    )
    for name, rows, colour, dash in (
        ("exact: one normalised row", 1, BLUE, "solid"),
        ("approx: the sum of two", 2, ORANGE, "dash"),
    ):
        figure.add_scatter(
            x=list(widths),
            y=[rows * math.sqrt(width - 1) for width in widths],
            mode="lines",
            name=name,
            line={"color": colour, "width": 3, "dash": dash},
            hovertemplate="width %{x:,}: %{y:.2f}",
        )
    for name, limit in limits.items():
        figure.add_hline(y=limit, line={"color": VERMILION, "dash": "dot", "width": 1.5})
        figure.add_annotation(
            x=math.log10(widths[0]),
            y=math.log10(limit),
            text=f"{name} ends: {limit:.2f}",
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
        )
    for name, width in marked.items():
        figure.add_vline(x=width, line={"color": GREY, "width": 1})
        figure.add_annotation(x=math.log10(width), y=0.02, yref="paper", text=name, showarrow=False, xanchor="left")
    figure.update_xaxes(title="width of a head", type="log", tickvals=[10, 100, 1000, 10000], tickformat=",")
    figure.update_yaxes(title="largest exponent", type="log", tickvals=[1, 3, 10, 30, 100])
    figure.update_layout(showlegend=True)
    put_above(figure)
    return figure


HOW_BROKEN = {
    "ordinary": ("#A9C4D9", ""),
    "zero": (GREY, "."),
    "infinite": (ORANGE, "/"),
    "NaN": (VERMILION, "x"),
}
"""Colour and pattern of each kind of number that a tensor may hold."""


def draw_broken_tensors(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> go.Figure:
    """What the tensors of a training step hold, in the order in which they are made; one panel a format.

    Args:
        found: format to tensors by name, each with its fractions of the kinds of `HOW_BROKEN`.
    """
    need(found, "format")
    first = {name: _first_broken(tensors) for name, tensors in found.items()}
    says = "; ".join(f"{name}: {tensor.split(':')[0]} breaks first" for name, tensor in first.items() if tensor)
    words = [
        f"{name}, {tensor}: " + ", ".join(f"{fraction:.1%} {kind}" for kind, fraction in kinds.items() if fraction)
        for name, tensors in found.items()
        for tensor, kinds in tensors.items()
    ]
    figure = make_subplots(
        rows=1,
        cols=len(found),
        subplot_titles=list(found),
        shared_yaxes=True,
        horizontal_spacing=0.12,
        figure=new_figure(
            f"{says or 'No tensor breaks'}<br><sup>the tensors of one training step, in the order they are made</sup>",
            description="Bars of what the tensors of one training step hold, from the first to the last made. "
            f"{'; '.join(words)}.",
            height=430,
        ),
    )
    for column, tensors in enumerate(found.values(), start=1):
        for kind, (colour, pattern) in HOW_BROKEN.items():
            figure.add_bar(
                y=list(tensors),
                x=[kinds[kind] for kinds in tensors.values()],
                orientation="h",
                name=kind,
                legendgroup=kind,
                showlegend=column == 1,
                marker={
                    "color": colour,
                    "line": {"width": 0},
                    "pattern": {"shape": pattern, "size": 7, "fgcolor": INK, "fillmode": "overlay"},
                },
                hovertemplate=f"%{{y}}: %{{x:.1%}} {kind}<extra></extra>",
                row=1,
                col=column,
            )
    figure.update_xaxes(
        title={"text": "fraction of its numbers", "standoff": 4, "font": {"size": 13}},
        tickformat=".0%",
        range=[0, 1],
        tickvals=[0, 0.5, 1],
        **PANEL_AXIS,
    )
    figure.update_yaxes(autorange="reversed", **PANEL_AXIS)
    legend = {"orientation": "h", "x": 0, "y": -0.24, "yanchor": "top"}
    figure.update_layout(
        barmode="stack", bargap=0.3, showlegend=True, margin={"l": 210, "r": 32, "t": 96, "b": 100}, legend=legend
    )
    return figure


def _first_broken(tensors: Mapping[str, Mapping[str, float]]) -> str:
    return next((name for name, kinds in tensors.items() if kinds["ordinary"] < 0.5), "")


OVERFLOWN = 1.0
"""Where the colour scale of errors, powers of ten from `LOWEST` to 0, holds an overflow."""

SMALL_TO_LARGE = [[0.0, "#f3e3c3"], [0.45, "#e6a15a"], [0.85, "#a3371c"], [1.0, "#1f2933"]]


def draw_error_map(
    errors: Mapping[str, Sequence[float]], magnitudes: Sequence[float], *, with_scale: bool = False
) -> go.Figure:
    """Relative error of each form at each magnitude as a colour, the darker the larger; a cross where it overflows.

    Args:
        errors: form to one error a magnitude; infinite where a result was not finite.
        magnitudes: ascending; one column each.
        with_scale: whether the colours are explained beside it.
    """
    need(errors, "form")
    forms = list(errors)
    z = [[OVERFLOWN if not math.isfinite(e) else math.log10(max(e, 10**LOWEST)) for e in errors[f]] for f in forms]
    words = "; ".join(_form_in_words(form, errors[form], magnitudes) for form in forms)
    figure = new_figure("", description=f"{words}.", height=250)
    figure.add_heatmap(
        x=list(range(len(magnitudes))),
        y=list(range(len(forms))),
        z=z,
        zmin=LOWEST,
        zmax=OVERFLOWN,
        colorscale=SMALL_TO_LARGE,
        xgap=1,
        ygap=3,
        showscale=with_scale,
        colorbar={
            "title": {"text": "largest relative error", "side": "right"},
            "tickvals": [LOWEST, -6, -4, -2, 0, OVERFLOWN],
            "ticktext": ["10<sup>−8</sup>", "10<sup>−6</sup>", "10<sup>−4</sup>", "1%", "100%", "overflow"],
            "thickness": 12,
        },
        customdata=[[show_error(e) for e in errors[f]] for f in forms],
        hovertemplate="%{customdata}<extra></extra>",
    )
    crosses = [(x, y) for y, f in enumerate(forms) for x, e in enumerate(errors[f]) if not math.isfinite(e)]
    figure.add_scatter(
        x=[x for x, _ in crosses],
        y=[y for _, y in crosses],
        mode="markers",
        marker={"symbol": "x-thin", "size": 7, "line": {"color": "#ffffff", "width": 1.5}},
        hoverinfo="skip",
        showlegend=False,
    )
    marked = [x for x, m in enumerate(magnitudes) if m in (0, 8, 20, 50, 80, 100)]
    figure.update_xaxes(
        title="magnitude", tickvals=marked, ticktext=[f"{magnitudes[x]:g}" for x in marked], showgrid=False, tickangle=0
    )
    figure.update_yaxes(
        tickvals=list(range(len(forms))), ticktext=forms, showgrid=False, range=[len(forms) - 0.5, -0.5]
    )
    figure.update_layout(showlegend=False)
    return figure


def _form_in_words(form: str, errors: Sequence[float], magnitudes: Sequence[float]) -> str:
    fine = [error for error in errors if math.isfinite(error)]
    over = [m for m, error in zip(magnitudes, errors, strict=True) if not math.isfinite(error)]
    ends = f"overflows from {over[0]:g} on" if over else "never overflows"
    return f"{form} {ends}, error before it at most {show_error(max(fine, default=0.0))}"
