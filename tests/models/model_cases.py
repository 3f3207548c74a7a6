"""What the tests of the models share: one small model of every kind, and tokens for it."""

from typing import Any

import torch
from torch import Tensor

from crn_lib.models import BLOCKS, ModelConfig, SequenceModel, build_model

RELATION_FORMS = [
    {"kind": "causal_rn", "heads": 2},
    {"kind": "causal_rn", "activation": "gelu", "post_norm": False},
    {"kind": "causal_rn", "norm": "none", "activation": "squared_relu"},
    {"kind": "causal_rn", "norm": "approx"},
    {"kind": "linear_rn", "norm": "none", "heads": 3},
    {"kind": "linear_rn", "post_norm": False},
    {"kind": "causal_rn", "norm": "rms", "heads": 2},
    {"kind": "causal_rn", "norm": "unit", "activation": "gelu"},
    {"kind": "causal_rn", "norm": "variance", "activation": "squared_relu", "heads": 3},
    {"kind": "linear_rn", "norm": "mean", "heads": 3},
    {"kind": "causal_rn", "expansion": 4, "heads": 8},
    {"kind": "linear_rn", "expansion": 2},
]
VARIANTS: list[dict[str, Any]] = [
    *({"kind": kind} for kind in BLOCKS),
    *RELATION_FORMS,
    {"kind": "causal_rn", "positions": "none"},
    {"kind": "causal_rn", "positions": "random"},
    {"kind": "transformer", "heads": 3},
    {"kind": "linear_transformer", "heads": 3},
    {"kind": "sigmoid_transformer", "heads": 3},
    {"kind": "additive", "heads": 3},
    {"kind": "delta_net", "heads": 3},
    *(
        {"kind": kind, "short_conv": 3}
        for kind in ("causal_rn", "linear_rn", "transformer", "lstm", "ssm", "delta_net")
    ),
    *({"kind": kind, "first_window": 4} for kind, block in BLOCKS.items() if block.windowed),
    {"kind": "causal_rn", "heads": 2, "first_window": 20, "short_conv": 1, "norm": "none", "positions": "none"},
]
"""Every kind as it comes, and what can be asked of them beside that."""

FIXED_STATE = ("linear_rn", "linear_transformer", "lstm", "ssm", "delta_net")
GROWING_STATE = ("causal_rn", "transformer", "sigmoid_transformer", "additive")
VOCAB = 11


def name_of(variant: dict[str, Any]) -> str:
    return "-".join(str(value) for value in variant.values())


def small_model(*, seed: int = 0, **fields: Any) -> SequenceModel:
    """Width 12, two blocks, in float64, with weights large enough that every position matters."""
    fields = {"vocab_size": VOCAB, "width": 12, "blocks": 2, "max_length": 90} | fields
    model = build_model(ModelConfig(**fields), generator=torch.Generator().manual_seed(seed)).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2 and "embedding" not in name and "A_log" not in name:
                parameter.mul_(10)
    return model


def tokens(batch: int, length: int, seed: int = 0) -> Tensor:
    return torch.randint(VOCAB, (batch, length), generator=torch.Generator().manual_seed(seed))
