"""In-context regression (Garg et al. 2022, arXiv 2208.01066): read examples of a linear function, then predict with it.

A sequence is `x_1, y_1, ..., x_k, y_k` of vectors: `x ~ N(0, I)`, `y = w·x + noise`, with a `w ~ N(0, I)` of its own
for each sequence. A `y` stands in the first coordinate of a vector of zeros. At every `x_i` the model must give `y_i`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.config import require, require_choice, require_number, require_whole
from crn_lib.tasks.estimators import require_points
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw

QUERIES = ("normal", "orthogonal")


@dataclass(frozen=True)
class RegressionConfig:
    """Which functions and which points are drawn. The last four are also for tests beyond what a model was trained on.

    Attributes:
        dims: coordinates of an `x`; 20 in the paper, 5 in its small configuration.
        points: pairs of an `x` and a `y`; the last has `points - 1` examples before it.
        sparsity: how many coordinates of `w` are not 0; all where it is not given.
        noise: standard deviation of what is added to each `y`.
        scale: every `x` is multiplied by it.
        query: `orthogonal` turns the last `x` away from all earlier ones, which then say nothing about its `y`.

    Raises:
        ConfigError: a value out of range, or more earlier points than leave an orthogonal direction.

    Example:
        >>> config = RegressionConfig(dims=5, points=11)
        >>> config.context, config.input_width, config.vocab_size
        (22, 5, 1)
    """

    dims: int = 5
    points: int = 11
    sparsity: int | None = None
    noise: float = 0.0
    scale: float = 1.0
    query: str = "normal"

    def __post_init__(self) -> None:
        require_whole("dims", self.dims)
        require_whole("points", self.points, least=2)
        if self.sparsity is not None:
            require_whole("sparsity", self.sparsity, most=self.dims)
        require_number("noise", self.noise, 0, 1e6)
        require_number("scale", self.scale, 1e-6, 1e6)
        require_choice("query", self.query, QUERIES)
        require(
            self.query == "normal" or self.points <= self.dims,
            f"points must be at most dims {self.dims} for a query orthogonal to all others; got {self.points}",
        )

    @property
    def input_width(self) -> int:
        """Numbers in each vector of a sequence."""
        return self.dims

    @property
    def vocab_size(self) -> int:
        """One output: a number."""
        return 1

    @property
    def chance(self) -> float:
        """What predicting 0 explains: nothing."""
        return 0.0

    @property
    def context(self) -> int:
        """Vectors in a sequence, two a point."""
        return 2 * self.points

    @property
    def variance(self) -> float:
        """Of a `y`: the squared error of predicting 0."""
        return (self.sparsity or self.dims) * self.scale**2 + self.noise**2


PAPER = (RegressionConfig(dims=20, points=41), RegressionConfig(dims=20, points=41, sparsity=3))
"""The published linear functions, dense and sparse; the defaults are the small configuration of the public code."""


class RegressionTask(Task[RegressionConfig]):
    """Draws functions and points, and scores predictions.

    Example:
        >>> task = RegressionTask(RegressionConfig(dims=2, points=2))
        >>> vectors, targets = task.lay_out(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), torch.tensor([[5.0, 6.0]]))
        >>> vectors[0].tolist()
        [[1.0, 2.0], [5.0, 0.0], [3.0, 4.0], [6.0, 0.0]]
        >>> targets[0].tolist()
        [5.0, nan, 6.0, nan]
    """

    main_metric = "explained"

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh sequences, `(batch, 2 * points, dims)`, and targets, `(batch, 2 * points)`, NaN at every `y`."""
        return self.lay_out(*self.draw(batch, generator))

    def draw(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh points and their numbers.

        Returns:
            `x`, `(batch, points, dims)`, and `y`, `(batch, points)`.
        """
        check_draw(batch, generator)
        config = self.config
        x = config.scale * torch.randn(batch, config.points, config.dims, generator=generator)
        w = torch.randn(batch, config.dims, generator=generator)
        if config.sparsity is not None:
            order = torch.rand(batch, config.dims, generator=generator).argsort(dim=1)
            w = torch.where(order < config.sparsity, w, 0.0)
        if config.query == "orthogonal":
            x[:, -1] = _turned_away(x[:, -1], x[:, :-1])
        y = torch.einsum("bpd,bd->bp", x, w)
        return x, y + config.noise * torch.randn(y.shape, generator=generator) if config.noise else y

    def lay_out(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The sequence `x_1, y_1, ..., x_k, y_k` of given points, and its targets.

        Args:
            x: `(batch, points, dims)`.
            y: `(batch, points)`.

        Returns:
            Vectors, `(batch, 2 * points, dims)`, and targets, `(batch, 2 * points)`.

        Raises:
            ConfigError: other shapes.
        """
        require_points(x, y)
        vectors = torch.zeros(len(x), 2 * x.shape[1], x.shape[2])
        vectors[:, 0::2] = x
        vectors[:, 1::2, 0] = y
        targets = torch.full(vectors.shape[:2], math.nan)
        targets[:, 0::2] = y
        return vectors, targets

    def metrics(self, predictions: Tensor, targets: Tensor) -> dict[str, float]:
        """How far predictions are off, in units of the variance of `y`: predicting 0 scores 1.

        Without noise and with `scale=1` that is the paper's squared error divided by `dims`.

        Args:
            predictions, targets: `(batch, 2 * points)`; what is predicted at a `y` does not count.

        Returns:
            `explained`, 1 less the error at the last point, but not below 0; `error_per_dimension`, the mean over all
            points; and `error_after_0` to `error_after_<points - 1>`, by the number of examples before.

        Raises:
            ValueError: shapes that differ, targets of another number of points, or a point without a target.
        """
        wanted = (len(targets), self.config.context)
        if predictions.shape != targets.shape or targets.shape != wanted:
            raise ValueError(
                f"predictions and targets must both be (batch, {self.config.context}); got "
                f"{tuple(predictions.shape)} and {tuple(targets.shape)}"
            )
        asked = ~targets[:, 0::2].isnan()
        if not bool(asked.any(dim=0).all()):
            raise ValueError(f"targets must have a number at each of the {self.config.points} points; got none at one")
        squares = (predictions - targets)[:, 0::2].double().square()
        means = torch.where(asked, squares, 0.0).sum(dim=0) / asked.sum(dim=0)  # a NaN that was predicted stays
        errors: list[float] = (means / self.config.variance).tolist()
        return {
            "explained": 0.0 if errors[-1] > 1 else 1 - errors[-1],  # NaN stays
            "error_per_dimension": sum(errors) / len(errors),
            **{f"error_after_{examples}": error for examples, error in enumerate(errors)},
        }


def _turned_away(query: Tensor, others: Tensor) -> Tensor:
    """The query, `(batch, dims)`, made orthogonal to all `others`, `(batch, n, dims)`, as long as it was."""
    basis, drawn = torch.linalg.qr(others.mT.double()).Q, query.double()  # little may be left, but it is made longer
    rest = drawn - torch.einsum("bdn,bn->bd", basis, torch.einsum("bdn,bd->bn", basis, drawn))
    turned: Tensor = rest * drawn.norm(dim=1, keepdim=True) / rest.norm(dim=1, keepdim=True)
    return turned.to(query.dtype)


TASKS["regression"] = TaskKind(RegressionConfig, RegressionTask)
