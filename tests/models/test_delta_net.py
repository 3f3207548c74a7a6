"""The delta rule in chunks against the rule itself, one place after another."""

import pytest
import torch

from crn_lib.models import delta_net
from crn_lib.models.delta_net import delta_rule
from tests.models.model_cases import small_model, tokens


def one_by_one(query, key, value, rate):
    """`S <- S - beta (S k - v) k^T`, then `S q`, with vectors as the paper writes them; also `S^T` at the end."""
    memory, out = torch.zeros(*query.shape[:2], 5, 5, dtype=query.dtype), []
    for t in range(query.shape[2]):
        q, k, v = (x[:, :, t, :, None] for x in (query, key, value))
        memory = memory - rate[:, :, t, :, None] * (memory @ k - v) @ k.mT
        out.append((memory @ q)[..., 0])
    return torch.stack(out, dim=2), memory.mT


def drawn(length):
    generator = torch.Generator().manual_seed(length)
    query, key, value = (torch.randn(2, 3, length, 5, dtype=torch.float64, generator=generator) for _ in range(3))
    rate = torch.rand(2, 3, length, 1, dtype=torch.float64, generator=generator)
    key = key / key.norm(dim=-1, keepdim=True)
    return [x.requires_grad_() for x in (query, key, value, rate)]


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 129])
def test_outputs_memory_and_gradients_are_the_rules(length):
    inputs = drawn(length)
    found, truth = delta_rule(*inputs), one_by_one(*inputs)
    weights = torch.randn(truth[0].shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for one, other in zip(found, truth, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)
    gradients = [
        torch.autograd.grad((out * weights).sum() + left.square().sum(), inputs) for out, left in (found, truth)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_the_length_of_a_chunk_changes_nothing(chunk, monkeypatch):
    inputs = drawn(33)
    before = delta_rule(*inputs)
    monkeypatch.setattr(delta_net, "CHUNK", chunk)
    for one, other in zip(delta_rule(*inputs), before, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)


def test_a_key_written_anew_at_rate_1_gives_the_new_value_alone():
    _, key, value, _ = drawn(2)
    key = key[:, :, :1].expand(-1, -1, 2, -1)
    out, _ = delta_rule(key, key, value, torch.ones(2, 3, 2, 1, dtype=torch.float64))
    torch.testing.assert_close(out, value)


def test_a_block_writes_under_keys_of_length_1_and_normalises_what_it_reads(monkeypatch):
    seen = []
    monkeypatch.setattr(delta_net, "delta_rule", lambda *inputs: seen.append(inputs) or delta_rule(*inputs))
    model = small_model(kind="delta_net", heads=3)
    projections = []
    model.blocks[0].projection.register_forward_hook(lambda _, inputs, out: projections.append(inputs[0]))
    model(tokens(2, 9))
    query, key, value, rate = seen[0]
    for unit in (query, key):
        torch.testing.assert_close(unit.norm(dim=-1), torch.ones(2, 3, 9, dtype=torch.float64))
    assert (rate > 0).all() and (rate < 1).all() and not torch.allclose(value.norm(dim=-1), torch.ones(()).double())
    squares = projections[0].unflatten(-1, (3, -1)).square().mean(-1)
    torch.testing.assert_close(squares, torch.ones(2, 9, 3, dtype=torch.float64))


def test_autocast_computes_the_rule_in_float32(monkeypatch):
    seen = []
    monkeypatch.setattr(delta_net, "delta_rule", lambda *inputs: seen.append(inputs) or delta_rule(*inputs))
    model = small_model(kind="delta_net").float()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(tokens(2, 9))
    assert {x.dtype for inputs in seen for x in inputs} == {torch.float32} and logits.isfinite().all()
