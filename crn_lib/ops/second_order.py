"""Second derivatives of what a compiled kernel, or a loop over tiles, computes.

`once_differentiable` is not enough: where the gradient that arrives needs no gradient itself (`out.sum()`), it returns
first derivatives without a graph, and a second derivative silently lacks all that should come through them.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def gradients_with_graph(
    function: Callable[..., Tensor], inputs: Sequence[Tensor], gradient: Tensor
) -> tuple[Tensor, ...]:
    """The gradients of `function(*inputs)`, in plain torch, which can be differentiated again.

    For the backward pass of an `autograd.Function` where gradients are enabled, as they are with `create_graph=True`.
    One input may have been computed from another, or be the same tensor.
    """
    # Each is a view of its own: the saved tensors hang on the caller's graph, along which a derivative by one of them
    # would also take in what reaches it through another, and autograd adds that once more by itself.
    inputs = [x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in inputs]
    return torch.autograd.grad(function(*inputs), inputs, gradient, create_graph=True)
