"""Colours as the eye compares them: the contrast of WCAG 2.1, and inks that reach its 4.5 to 1."""

import itertools
import re
from collections.abc import Sequence
from typing import Any

PAPER = "#ffffff"
"""Under every figure, on light and dark pages alike: no one ink reaches 4.5 to 1 against both white and black."""

ENOUGH = 4.5
"""The least contrast of text."""

Colour = tuple[float, float, float]


def rgb(colour: str, *, on: str = PAPER) -> Colour:
    """Red, green and blue from 0 to 1 of `#rrggbb` or `rgb(a)(...)`; what is translucent lies on another colour."""
    if colour.startswith("#"):
        return tuple(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))  # type: ignore[return-value]
    *channels, alpha = [*map(float, re.findall(r"[\d.]+", colour)), 1.0][:4]
    behind = rgb(on) if alpha < 1 else (0.0, 0.0, 0.0)
    return tuple(alpha * c / 255 + (1 - alpha) * b for c, b in zip(channels, behind, strict=True))  # type: ignore[return-value]


def contrast(one: str, other: str) -> float:
    """From 1, where two colours are as bright, to 21, black on white."""
    bright, dark = sorted((_luminance(rgb(one)), _luminance(rgb(other))), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def as_text(colour: str) -> str:
    """The colour, darker where text in it could not be read on the paper."""
    for percent in range(100, 0, -2):
        darker = _hex(tuple(percent / 100 * channel for channel in rgb(colour)))  # type: ignore[arg-type]
        if contrast(darker, PAPER) >= ENOUGH:
            return darker
    return "#000000"


def ink_on(filled: str) -> str:
    """Black or white, whichever can be read on this colour: one of them always reaches 4.5 to 1."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, filled))


def on_scale(scale: Sequence[Sequence[Any]], share: float) -> str:
    """The colour at a place from 0 to 1 of a plotly colour scale."""
    for (low, first), (high, second) in itertools.pairwise(scale):
        if low <= share <= high:
            part = (share - low) / (high - low)
            mixed = [(1 - part) * a + part * b for a, b in zip(rgb(first), rgb(second), strict=True)]
            return _hex(mixed)  # type: ignore[arg-type]
    raise ValueError(f"a place on a colour scale is from 0 to 1; got {share}")


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{int(255 * channel):02x}" for channel in colour)
