"""The activations by name: what is applied to every pair."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from crn_lib.config import require_choice

ACTIVATION_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "relu": F.relu,
    "squared_relu": lambda x: F.relu(x).square(),
    "gelu": F.gelu,
    "elu": F.elu,
    "softplus": F.softplus,
    "identity": lambda x: x,
}


def activation_function(name: str) -> Callable[[Tensor], Tensor]:
    """The activation of that name, or a `ConfigError` that lists them."""
    require_choice("activation", name, tuple(ACTIVATION_FUNCTIONS))
    return ACTIVATION_FUNCTIONS[name]
