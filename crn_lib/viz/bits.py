"""Memory in bits against copying accuracy, under the bound that counting sets."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from crn_lib.config import require_whole
from crn_lib.tasks.bounds import best_character_accuracy, letters_that_fit
from crn_lib.units import counted
from crn_lib.viz.contrast import as_text
from crn_lib.viz.theme import GREY, INK, KIND_COLOURS, KIND_NAMES, KIND_SYMBOLS, VERMILION, new_figure

CURVE_POINTS = 160


def draw_bits_bound(
    points: Sequence[Mapping[str, Any]] = (),
    *,
    vocab: int = 26,
    here: Sequence[Mapping[str, Any]] = (),
    about: str = "",
) -> go.Figure:
    """Letters right against bits of state a letter: the bound for every model, and measured models under it.

    Args:
        points: stored measurements: `kind`, `string_length`, `bits_per_letter`, `median`, `low` and `high` (letters
            right, free-running). Widths of one kind at one length are joined; each longer length has a hollower mark.
        vocab: letters in the alphabet.
        here: measurements made just now: `kind`, `bits_per_letter`, `accuracy`; drawn as stars.
        about: the budget of the measurements, under the title.
    """
    require_whole("vocab", vocab, least=2)
    enough, whole = math.log2(vocab), sum(point["low"] > 0.9995 for point in points)
    figure = new_figure(
        "No memory can lie above the curve; trained fixed states lie far to its right"
        + (f"<br>{about}" if about else ""),
        description=(
            f"The bound of the share of right letters rises from {1 / vocab:.0%} with no memory to 100% at "
            f"{enough:.2f} bits per letter. {len(points)} measured points hold far more bits than that; {whole} of "
            f"them copy every letter, {len(points) - whole} fewer."
        ),
        height=460,
    )
    bits = [10 ** (-2 + 7 * i / (CURVE_POINTS - 1)) for i in range(CURVE_POINTS)]
    figure.add_scatter(
        x=bits,
        y=[best_character_accuracy(b, 1, vocab) for b in bits],
        mode="lines",
        name="bound for any memory",
        line={"color": INK, "width": 3},
        hovertemplate="%{x:.3g} bits per letter: at most %{y:.1%}",
    )
    figure.add_vline(x=enough, line={"color": GREY, "dash": "dot"})
    figure.add_annotation(
        x=math.log10(enough), y=1.1, text=f"log2({vocab}) = {enough:.2f} bits ", showarrow=False, xanchor="right"
    )
    lengths = sorted({point["string_length"] for point in points})
    for kind in dict.fromkeys(point["kind"] for point in points):
        for length in lengths:
            own = [p for p in points if (p["kind"], p["string_length"]) == (kind, length)]
            mark = KIND_SYMBOLS[kind] + ("" if length == lengths[0] else "-open")
            if length == lengths[0]:
                _label(figure, own[-1]["bits_per_letter"], own[-1]["median"], KIND_NAMES[kind], KIND_COLOURS[kind])
            figure.add_scatter(
                x=[p["bits_per_letter"] for p in own],
                y=[p["median"] for p in own],
                error_y={
                    "array": [p["high"] - p["median"] for p in own],
                    "arrayminus": [p["median"] - p["low"] for p in own],
                    "thickness": 1,
                },
                mode="lines+markers",
                name=f"{KIND_NAMES[kind]}, {length} letters",
                line={"color": KIND_COLOURS[kind], "width": 1},
                marker={"color": KIND_COLOURS[kind], "symbol": mark, "size": 9},
                hovertemplate="%{x:.0f} bits per letter: %{y:.1%}",
            )
    for point in here:
        figure.add_scatter(
            x=[point["bits_per_letter"]],
            y=[point["accuracy"]],
            mode="markers",
            name=f"{KIND_NAMES[point['kind']]}, trained above",
            marker={
                "color": KIND_COLOURS[point["kind"]],
                "symbol": "star",
                "size": 17,
                "line": {"width": 1, "color": INK},
            },
            hovertemplate="%{x:.0f} bits per letter: %{y:.1%}",
        )
        _label(figure, point["bits_per_letter"], point["accuracy"], "yours", KIND_COLOURS[point["kind"]], left=True)
    figure.update_xaxes(
        title="bits of state for each letter of the string", type="log", dtick=1, exponentformat="power"
    )
    figure.update_yaxes(title="letters right", range=[-0.03, 1.2], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.add_annotation(x=-0.15, y=0.5, text="bound for<br>any memory", showarrow=False, xanchor="right")
    figure.update_layout(showlegend=False)
    return figure


def _label(figure: go.Figure, bits: float, accuracy: float, text: str, colour: str, *, left: bool = False) -> None:
    """A word at the right of a point, or left of a star, in its colour."""
    side = {"xanchor": "right", "xshift": -10} if left else {"xanchor": "left", "xshift": 6}
    where = {"x": math.log10(bits), "y": accuracy, "yanchor": "bottom", "yshift": 2, **side}
    figure.add_annotation(text=f"<b>{text}</b>", showarrow=False, font={"color": as_text(colour), "size": 12}, **where)


def draw_state_against_length(
    numbers: int, bits_per_number: int, string_length: int, *, vocab: int = 26, longest: int = 512
) -> go.Figure:
    """For one state size: an upper bound of the share of right letters against the length of the string.

    Args:
        numbers: numbers in the state.
        bits_per_number: 32 for float32.
        string_length: the length marked on the curve.
        longest: where the axis ends.
    """
    require_whole("string_length", string_length)
    bits = numbers * bits_per_number
    fit = math.floor(letters_that_fit(bits, vocab))
    best = best_character_accuracy(bits, string_length, vocab)
    figure = new_figure(
        f"A state of {counted(numbers, 'number')}, {counted(bits, 'bit')}, holds at most {counted(fit, 'letter')}"
        f"<br>of a string of {counted(string_length, 'letter')} at most {best:.1%} can be right",
        description=(
            f"The bound of the share of right letters stays at 100% up to {counted(fit, 'letter')} and falls towards "
            f"{1 / vocab:.0%} after that; at {counted(string_length, 'letter')} it is {best:.1%}."
        ),
    )
    lengths = sorted({max(1, round(longest ** (i / (CURVE_POINTS - 1)))) for i in range(CURVE_POINTS)})
    figure.add_scatter(
        x=lengths,
        y=[best_character_accuracy(bits, length, vocab) for length in lengths],
        mode="lines",
        fill="tozeroy",
        fillcolor="rgba(128, 128, 128, 0.15)",
        line={"color": INK, "width": 3},
        name="not excluded",
        hovertemplate="%{x} letters: at most %{y:.1%}",
    )
    figure.add_scatter(
        x=[string_length],
        y=[best],
        mode="markers",
        marker={"color": VERMILION, "size": 14},
        name="your string",
        hovertemplate="%{x} letters: at most %{y:.1%}",
    )
    figure.add_hline(
        y=1 / vocab, line={"color": GREY, "dash": "dot"}, annotation_text="guessing", annotation_position="top left"
    )
    ticks = [4**k for k in range(6) if 4**k <= longest]  # few enough for a narrow panel
    decades = [-0.05, math.log10(longest) + 0.05]  # given, so that the axis stays still while the mark moves
    figure.update_xaxes(title="letters in the string", type="log", tickvals=ticks, tickangle=0, range=decades)
    figure.update_yaxes(title="letters right, upper bound", range=[0, 1.06], tickformat=".0%")
    figure.update_layout(showlegend=False)
    return figure
