"""A question about pairs that one can see: points in a square, and how many pairs of them are close together."""

from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.config import require, require_number, require_whole
from crn_lib.tasks.registry import check_draw

EDGE = 2.0
"""Coordinates run from -EDGE to EDGE."""


@dataclass(frozen=True)
class ClosePairsConfig:
    """Which scenes are drawn.

    Attributes:
        points: points in a scene.
        radius: two points closer than this count as a close pair; the square's side is `2 * EDGE`.

    Raises:
        ConfigError: a value out of range.

    Example:
        >>> ClosePairsConfig(points=4).answers  # from 0 to 6 close pairs
        7
    """

    points: int = 6
    radius: float = 1.3

    def __post_init__(self) -> None:
        require_whole("points", self.points, least=2)
        require_number("radius", self.radius, 0.0)
        require(self.radius > 0, f"radius must be above 0; got {self.radius!r}")

    @property
    def answers(self) -> int:
        """How many answers there are: 0 to all `points * (points - 1) / 2` pairs."""
        return self.points * (self.points - 1) // 2 + 1


class ClosePairsTask:
    """Draws scenes, counts their close pairs, and scores answers.

    Example:
        >>> task = ClosePairsTask(ClosePairsConfig(points=3, radius=1.0))
        >>> task.close(torch.tensor([[0.0, 0.0], [0.5, 0.0], [2.0, 2.0]])).nonzero().tolist()
        [[0, 1]]
    """

    def __init__(self, config: ClosePairsConfig) -> None:
        self.config = config

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh random scenes.

        Returns:
            Points `(batch, points, 2)`, uniform in the square, and counts `(batch,)`.
        """
        check_draw(batch, generator)
        points = (2 * torch.rand(batch, self.config.points, 2, generator=generator) - 1) * EDGE
        return points, self.close(points).sum(dim=(1, 2))

    def close(self, points: Tensor) -> Tensor:
        """Which pairs are close, each pair once: true at `(i, j)` for `i < j` only.

        Shape: `(..., n, 2)` in, `(..., n, n)` out.
        """
        distances = (points[..., :, None, :] - points[..., None, :, :]).norm(dim=-1)
        close: Tensor = distances < self.config.radius
        return close.triu(1)

    def metrics(self, predictions: Tensor, targets: Tensor) -> dict[str, float]:
        """The share of scenes counted correctly.

        Args:
            predictions, targets: counts, `(batch,)`.

        Raises:
            ValueError: shapes that differ, or nothing to score.
        """
        if predictions.shape != targets.shape or targets.ndim != 1:
            raise ValueError(
                f"predictions and targets must both be (batch,); got {tuple(predictions.shape)} and "
                f"{tuple(targets.shape)}"
            )
        if not len(targets):
            raise ValueError("targets must have a scene; got none")
        return {"accuracy": (predictions == targets).double().mean().item()}
