"""What in-context regression is measured against: each predicts `y_i` from `x_i` and the points before it.

All take `x`, `(batch, points, dims)`, and `y`, `(batch, points)`, and return predictions, `(batch, points)`. Before any
example they predict 0. Other shapes are a `ConfigError`.
"""

import torch
from torch import Tensor

from crn_lib.config import require, require_whole


def require_points(x: Tensor, y: Tensor) -> None:
    """Raise `ConfigError` unless these are points and their numbers, at least one of each sequence."""
    fits = x.ndim == 3 and x.shape[1] > 0 and y.shape == x.shape[:2]
    wanted = "x must be (batch, points, dims), with a point, and y (batch, points)"
    require(fits, f"{wanted}; got {tuple(x.shape)} and {tuple(y.shape)}")


def zero(x: Tensor, y: Tensor) -> Tensor:
    """Always 0: its error is the variance of `y`.

    Example:
        >>> zero(torch.ones(1, 2, 3), torch.ones(1, 2)).tolist()
        [[0.0, 0.0]]
    """
    require_points(x, y)
    return torch.zeros_like(y)


def least_squares(x: Tensor, y: Tensor) -> Tensor:
    """The linear function through all examples; of many the one of smallest norm, the most probable `w`.

    Without noise its error over the variance is `1 - i / dims` after `i < dims` examples, and no predictor's is
    smaller; then it is 0.

    Example:
        >>> x = torch.tensor([[[1.0, 0.0], [1.0, 1.0], [2.0, 3.0]]])
        >>> least_squares(x, torch.tensor([[2.0, 3.0, 7.0]])).round(decimals=4).tolist()  # y = 2 x_1 + x_2
        [[0.0, 2.0, 7.0]]
    """
    require_points(x, y)
    found = torch.zeros_like(y)
    for i in range(1, x.shape[1]):
        before = x[:, :i].double()
        w = torch.linalg.pinv(before) @ y[:, :i, None].double()
        found[:, i] = (x[:, i, None].double() @ w)[:, 0, 0].to(y.dtype)
    return found


def averaging(x: Tensor, y: Tensor) -> Tensor:
    """`x` times the mean of `y x` over the examples: right on average, with error `(dims + 1) / i` over the variance.

    Example:
        >>> averaging(torch.tensor([[[1.0], [2.0], [1.0]]]), torch.tensor([[3.0, 6.0, 3.0]])).tolist()
        [[0.0, 6.0, 7.5]]
    """
    require_points(x, y)
    return _times_mean_before(x, y)


def averaged_projections(x: Tensor, y: Tensor) -> Tensor:
    """`x` times the mean of what each example says of the weights when it alone is fitted: `y_j x_j / |x_j|^2`.

    An average like `averaging`, in which a long `x_j` has no more to say than a short one. After one example no
    predictor does better; then it hardly improves. Its error over the variance is
    `1 - 2 / dims + 1 / (i dims) + (i - 1) / (i dims^2)`, since the mean of the projections has the mean `I / dims`.

    Example:
        >>> x = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [2.0, 3.0]]])
        >>> averaged_projections(x, torch.tensor([[2.0, 6.0, 13.0]])).tolist()  # y = 2 x_1 + 3 x_2
        [[0.0, 0.0, 6.5]]
    """
    require_points(x, y)
    return _times_mean_before(x, y / x.square().sum(dim=-1))


def _times_mean_before(x: Tensor, weights: Tensor) -> Tensor:
    """Each `x_i` times the mean of `weights_j x_j` over the examples before it."""
    found = torch.zeros_like(weights)
    sums = (weights[..., None] * x).cumsum(dim=1)
    counts = torch.arange(1, x.shape[1], dtype=weights.dtype, device=weights.device)
    found[:, 1:] = (x[:, 1:] * sums[:, :-1]).sum(dim=-1) / counts
    return found


def nearest_neighbours(x: Tensor, y: Tensor, k: int = 3) -> Tensor:
    """The mean `y` of the `k` nearest examples, of all where there are fewer: what retrieving the closest gives.

    Of two equally near the later one counts.

    Example:
        >>> x = torch.tensor([[[0.0], [5.0], [6.0], [5.6]]])
        >>> nearest_neighbours(x, torch.tensor([[9.0, 1.0, 2.0, 0.0]]), k=2).tolist()
        [[0.0, 9.0, 5.0, 1.5]]
    """
    require_whole("k", k)
    require_points(x, y)
    found = torch.zeros_like(y)
    # By matrix products, as `cdist` does it for many points, small distances are not exact: equals would differ.
    distances = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    for i in range(1, x.shape[1]):
        latest_first = distances[:, i, :i].flip(1)
        nearest = latest_first.sort(dim=1, stable=True).indices[:, :k]  # `topk` leaves open which of two alike it takes
        found[:, i] = y[:, :i].flip(1).gather(1, nearest).mean(dim=1)
    return found


ESTIMATORS = {
    "least squares": least_squares,
    "averaging": averaging,
    "averaged projections": averaged_projections,
    "3 nearest neighbours": nearest_neighbours,
    "zero": zero,
}
"""By the names that figures give them."""
