"""The definition against a second one, written with loops and Python's own mathematics."""

import math
import statistics

import pytest
import torch
from torch import Tensor

from crn_lib.ops import relation
from tests.ops.relation_cases import FORMS, pair

LOOP_ACTIVATIONS = {
    "exp": math.exp,
    "relu": lambda x: max(x, 0.0),
    "squared_relu": lambda x: max(x, 0.0) ** 2,
    "gelu": lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))),
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "identity": lambda x: x,
}


def plain_layer_norm(row: list[float]) -> list[float]:
    mean = sum(row) / len(row)
    deviation = math.sqrt(sum((x - mean) ** 2 for x in row) / len(row))
    return [(x - mean) / deviation for x in row]


LOOP_NORMS = {
    "exact": plain_layer_norm,
    "approx": lambda row: row,
    "none": lambda row: row,
    "rms": lambda row: [x / math.sqrt(math.fsum(y * y for y in row) / len(row)) for x in row],
    "unit": lambda row: [x / math.hypot(*row) for x in row],
    "variance": lambda row: [x / statistics.pstdev(row) for x in row],
    "mean": lambda row: [x - statistics.mean(row) for x in row],
}


def loops(a: Tensor, b: Tensor, norm: str, activation: str, causal: bool, heads: int) -> Tensor:
    """The formulas at the top of relation.py, one pair and one number at a time."""
    batch, length, width = a.shape
    part = width // heads
    out = torch.zeros_like(a)
    for n in range(batch):
        for head in range(0, width, part):
            for i in range(length):
                senders = range(i + 1) if causal else range(length)
                for j in senders:
                    receiver = a[n, i, head : head + part].tolist()
                    sender = b[n, j, head : head + part].tolist()
                    if norm == "approx":
                        receiver, sender = plain_layer_norm(receiver), plain_layer_norm(sender)
                    row = LOOP_NORMS[norm]([x + y for x, y in zip(receiver, sender, strict=True)])
                    for d, value in enumerate(row):
                        out[n, i, head + d] += LOOP_ACTIVATIONS[activation](value) / len(senders)
    return out


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("norm", "activation"), FORMS)
def test_naive_is_the_formula_written_with_loops(norm, activation, causal, heads):
    a, b = pair(2, 3, 6)
    found = relation(a, b, norm=norm, activation=activation, causal=causal, heads=heads, backend="naive")
    torch.testing.assert_close(found, loops(a, b, norm, activation, causal, heads), rtol=1e-12, atol=1e-12)


def test_the_first_position_sees_itself_only():
    a, b = pair(1, 5, 4)
    first = relation(a, b, norm="none", activation="identity", backend="naive")[:, 0]
    torch.testing.assert_close(first, a[:, 0] + b[:, 0])


def test_the_mean_is_over_the_senders_seen_and_not_over_the_length():
    a, b = torch.zeros(1, 4, 2), torch.tensor([1.0, 2.0, 3.0, 4.0])[None, :, None].expand(1, 4, 2)
    out = relation(a, b, norm="none", activation="identity", backend="naive")
    torch.testing.assert_close(out[0, :, 0], torch.tensor([1.0, 1.5, 2.0, 2.5]))
