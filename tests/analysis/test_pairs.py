"""Pairs taken out of a block and mixed again: equal to what the block does."""

import pytest
import torch

from crn_lib.analysis import attention_pairs, capture_pairs, relation_pairs
from crn_lib.analysis.capture import mixing_block
from crn_lib.models import ModelConfig, build_model
from crn_lib.ops import ACTIVATIONS, NORMS, relation

LENGTH = 9
SOME_ROWS = torch.tensor([0, 3, 8])


def random_rows(count, generator, width=6):
    return torch.randn(count, 3, LENGTH, width, generator=generator, dtype=torch.float64)


def loud(model):
    """Weights large enough that attention and scales differ from pair to pair."""
    for parameter in model.blocks.parameters():
        parameter.data.normal_(std=0.5, generator=torch.Generator().manual_seed(1))
    return model.double()


@pytest.mark.parametrize("heads", [1, 2, 3])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_pairs_of_a_relation_average_to_the_relation(norm, activation, heads, generator):
    a, b = random_rows(2, generator)
    whole = relation(a, b, norm=norm, activation=activation, heads=heads, backend="naive")
    pairs = relation_pairs(a, b, SOME_ROWS, norm=norm, activation=activation, heads=heads)
    mixed = pairs.mix().transpose(1, 2).flatten(-2)
    torch.testing.assert_close(mixed, whole[:, SOME_ROWS], rtol=1e-10, atol=1e-12)


def test_a_few_sequences_at_a_time_make_no_difference(generator, monkeypatch):
    a, b = random_rows(2, generator)
    pairs = relation_pairs(a, b, SOME_ROWS, norm="exact", activation="exp", heads=2)
    whole = pairs.mix()
    monkeypatch.setattr("crn_lib.analysis.pairs.TILE_ELEMENTS", 1)
    assert len(list(pairs.tiles())) == 3
    torch.testing.assert_close(pairs.mix(), whole, rtol=1e-12, atol=0)


@pytest.mark.parametrize("heads", [1, 2])
def test_scale_and_correlation_are_those_of_the_definition(heads, generator):
    a, b = random_rows(2, generator)
    pairs = relation_pairs(a, b, SOME_ROWS, norm="exact", activation="exp", heads=heads)
    width = 6 // heads
    for head in range(heads):
        for r, i in enumerate(SOME_ROWS.tolist()):
            for j in range(LENGTH):
                x, y = (z[1, k, head * width : (head + 1) * width] for z, k in ((a, i), (b, j)))
                one_over = (x + y).std(correction=0)
                torch.testing.assert_close(pairs.scale[1, head, r, j], 1 / one_over)
                correlation = torch.corrcoef(torch.stack([x, y]))[0, 1]
                torch.testing.assert_close(pairs.correlation[1, head, r, j], correlation)
    assert torch.equal(pairs.visible, torch.arange(LENGTH) <= SOME_ROWS[:, None])
    assert torch.equal(pairs.weight, pairs.visible.double().expand_as(pairs.weight))


def test_a_pair_that_cancels_but_for_a_millionth_keeps_its_scale_in_float32(generator):
    a = torch.randn(1, 2, 16, generator=generator)
    left = 1e-6 * torch.randn(16, generator=generator)
    b = torch.stack([left - a[0, 1], a[0, 0]])[None]
    pairs = relation_pairs(a, b, torch.tensor([1]), norm="exact", activation="exp", heads=1)
    # The sum of the two float32 rows themselves, exactly.
    remains = (a.double()[0, 1] + b.double()[0, 0]).std(correction=0)
    assert pairs.scale[0, 0, 0, 0].item() == pytest.approx(1 / remains.item(), rel=0.1)


@pytest.mark.parametrize("heads", [1, 2])
def test_attention_weights_are_those_that_torch_used(heads, generator):
    query, key = torch.randn(2, 3, heads, LENGTH, 4, generator=generator, dtype=torch.float64)
    # With one-hot values the output of attention is its weights.
    values = torch.eye(LENGTH, dtype=torch.float64).expand(3, heads, LENGTH, LENGTH)
    used = torch.nn.functional.scaled_dot_product_attention(query, key, values, is_causal=True)
    pairs = attention_pairs(query, key, values, SOME_ROWS)
    torch.testing.assert_close(pairs.weight, used[:, :, SOME_ROWS], rtol=1e-10, atol=1e-14)
    torch.testing.assert_close(pairs.mix(), used[:, :, SOME_ROWS], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    "shape",
    [
        {"kind": "causal_rn", "heads": 2},
        {"kind": "causal_rn", "activation": "gelu", "norm": "approx"},
        {"kind": "linear_rn"},
        {"kind": "transformer", "heads": 2},
        {"kind": "causal_rn", "short_conv": 3},
    ],
    ids=str,
)
def test_every_block_of_a_model_can_be_captured_and_mixes_to_what_it_said(shape, generator):
    model = loud(build_model(ModelConfig(width=8, blocks=3, max_length=LENGTH, **shape)))
    tokens = torch.randint(29, (4, LENGTH), generator=generator)
    said = []
    mixing = [mixing_block(model, index) for index in range(3)]
    own = [block.mix for block in mixing]
    for block, mix in zip(mixing, own, strict=True):
        vars(block)["mix"] = lambda *inputs, mix=mix: said.append(mix(*inputs)) or said[-1]
    with torch.no_grad():
        model(tokens)
    for block in mixing:
        del vars(block)["mix"]
    captured = capture_pairs(model, tokens)
    assert len(captured) == len(said) == 3
    for pairs, out in zip(captured, said, strict=True):
        if out.ndim == 3:
            out = out.unflatten(-1, (-1, pairs.senders.shape[-1])).transpose(1, 2)
        # A linear relation may hand on a row times a positive number.
        factor = out / pairs.mix()
        assert factor.amin() > 0
        torch.testing.assert_close(factor, factor[..., :1].expand_as(factor), rtol=1e-9, atol=0)
        if shape["kind"] != "linear_rn":
            torch.testing.assert_close(pairs.mix(), out, rtol=1e-9, atol=1e-12)


def test_capturing_leaves_no_trace(generator):
    model = build_model(ModelConfig(width=8, blocks=2, max_length=LENGTH))
    tokens = torch.randint(29, (2, LENGTH), generator=generator)
    before = model(tokens)
    rows = torch.tensor([4, 5])
    assert [pairs.weight.shape for pairs in capture_pairs(model, tokens, rows)] == [(2, 1, 2, LENGTH)] * 2
    assert all("mix" not in vars(block) for block in model.blocks)
    assert torch.equal(model(tokens), before)


@pytest.mark.parametrize("kind", ["causal_rn", "transformer"])
def test_a_block_that_sees_a_window_only_is_refused_and_the_others_are_not(kind):
    model = build_model(ModelConfig(kind=kind, width=8, blocks=2, max_length=LENGTH, first_window=4))
    with pytest.raises(ValueError, match=r"^block 0 sees the last 4 places only; its pairs cannot be looked at$"):
        mixing_block(model, 0)
    assert mixing_block(model, 1) is model.blocks[1]


@pytest.mark.parametrize("kind", ["lstm", "ssm", "linear_transformer", "delta_net"])
def test_a_model_without_pairs_is_refused(kind):
    model = build_model(ModelConfig(kind=kind, width=8, blocks=1, max_length=LENGTH))
    with pytest.raises(ValueError, match=f"a {kind} has no pairs to look at; use causal_rn"):
        capture_pairs(model, torch.zeros(1, 3, dtype=torch.long))
