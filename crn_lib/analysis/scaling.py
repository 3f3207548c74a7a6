"""Power laws: what a way to compute something costs at several lengths, and the line through the longest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


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
    slope, intercept = np.polyfit(np.log(lengths[-upper:]), np.log(values[-upper:]), deg=1)
    return PowerLaw(float(slope), math.exp(intercept), lengths[-upper], lengths[-1])


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
