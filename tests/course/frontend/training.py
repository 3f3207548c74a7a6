"""What training in JavaScript is compared with: torch's gradients in float64, and the weights that `train` leaves."""

import itertools
from typing import Any

import torch

from crn_lib.models import ModelConfig, SequenceModel, build_model
from crn_lib.tasks import NOT_SCORED, CopyingConfig, CopyingTask, mean_loss
from crn_lib.training import TrainConfig, train

NORMS, ACTIVATIONS = ("exact", "approx", "none"), ("exp", "squared_relu", "relu", "identity")
LENGTHS = (1, 7, 9)


def training() -> dict[str, Any]:
    """Both, for node's tests."""
    kinds = itertools.product(NORMS, ACTIVATIONS, LENGTHS)
    return {"gradients": [gradients(*kind) for kind in kinds], "steps": steps()}


def gradients(norm: str, activation: str, length: int) -> dict[str, Any]:
    """The loss of a batch of random tokens, some of which are scored, and every parameter's gradient."""
    generator = torch.Generator().manual_seed(length)
    shape = ModelConfig(vocab_size=11, width=7, blocks=2, max_length=length, norm=norm, activation=activation)
    model = build_model(shape).double()
    for parameter in model.parameters():  # a new model's blocks add nearly nothing
        parameter.data = 0.6 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    tokens, targets = torch.randint(11, (2, 3, length), generator=generator)
    targets[:2, 0] = NOT_SCORED
    for block in model.blocks:
        block.backend = "naive"
    loss = mean_loss(model(tokens), targets)
    loss.backward()
    found = {name: parameter.grad.flatten().tolist() for name, parameter in model.named_parameters()}
    return {
        "shape": {"norm": norm, "activation": activation, "length": length, "width": 7, "blocks": 2, "vocab": 11},
        "tokens": tokens.tolist(),
        "targets": targets.tolist(),
        "weights": weights(model),
        "loss": loss.item(),
        "gradients": found,
    }


def steps() -> dict[str, Any]:
    """A dozen of the library's steps: the weights before and after them, and the strings that they saw."""
    task = CopyingConfig(string_length=3)
    model = ModelConfig(width=12, blocks=2, max_length=task.context)
    config = TrainConfig(model=model, task=task, steps=12, batch=5, learning_rate=0.1, warmup=5, evaluation_strings=1)
    first = build_model(model, generator=torch.Generator().manual_seed(3 * config.seed))
    strings = torch.Generator().manual_seed(3 * config.seed + 1)
    drawn = [CopyingTask(task).sample(config.batch, strings) for _ in range(config.steps)]
    result = train(config, device="cpu", progress=False)
    return {
        "rate": config.learning_rate,
        "warmup": config.warmup,
        "batches": [[tokens.tolist(), targets.tolist()] for tokens, targets in drawn],
        "before": weights(first),
        "after": weights(result.model),
    }


def weights(model: SequenceModel) -> dict[str, list[float]]:
    return {name: parameter.detach().flatten().tolist() for name, parameter in model.named_parameters()}
