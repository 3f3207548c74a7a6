"""The activations by name: what is applied to every pair."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from crn_lib.config import Named

ACTIVATION_FUNCTIONS: Named[Callable[[Tensor], Tensor]] = Named(
    "activation",
    {
        "exp": torch.exp,
        "relu": F.relu,
        "squared_relu": lambda x: F.relu(x).square(),
        "gelu": F.gelu,
        "elu": F.elu,
        "softplus": F.softplus,
        "identity": lambda x: x,
    },
)
