"""How many parameters there are, and how they start."""

import math

import pytest
import torch

from crn_lib.models import BLOCKS, KINDS, ModelConfig, build_model
from crn_lib.models.block import kind
from tests.models.model_cases import RELATION_FORMS, VARIANTS, name_of, small_model, tokens

W, L, V, LETTERS = 192, 12, 29, 64
"""The paper's shape: width, blocks, 26 letters with BOS, SEP and EOS; strings of 64."""

CONTEXT = 2 * (LETTERS + 1)
E, N, R = 2 * W, 16, W // 16
"""The state-space block's channels, states a channel, and rank of delta."""

BLOCK = {
    "causal_rn": (W * W + W) + W * W + (W * W + W),  # W1 and c1, W2, W3 and c3
    "linear_rn": (W * W + W) + W * W + (W * W + W),
    "transformer": (3 * W * W + 3 * W) + (W * W + W) + (4 * W * W + 4 * W) + (4 * W * W + W),
    "linear_transformer": (3 * W * W + 3 * W) + (W * W + W) + (4 * W * W + 4 * W) + (4 * W * W + W),
    "lstm": 4 * (W * W + W * W + 2 * W),  # four gates, from input and from state, two biases each
    "ssm": W * 2 * E + (4 * E + E) + E * (R + 2 * N) + (R * E + E) + E * N + E + E * W,
}
BLOCK |= {
    "sigmoid_transformer": BLOCK["transformer"],
    "additive": BLOCK["transformer"] + W,
    "delta_net": BLOCK["transformer"] + W,
}


def paper_model(kind: str):
    return build_model(ModelConfig(kind=kind, vocab_size=V, width=W, blocks=L, max_length=CONTEXT))


@pytest.mark.parametrize("kind", BLOCK)
def test_the_papers_shape_has_the_parameters_of_its_arithmetic(kind):
    model = paper_model(kind)
    total = V * W + CONTEXT * W + L * BLOCK[kind] + W * V
    assert sum(parameter.numel() for parameter in model.parameters()) == total
    lines = model.summary().splitlines()
    assert lines[0] == f"{kind}: 12 blocks of width 192, up to 130 tokens"
    assert lines[-1].split() == ["parameters", f"{total:,}"]
    assert [int(line.split()[-1].replace(",", "")) for line in lines[1:-1]] == [
        V * W,
        CONTEXT * W,
        L * BLOCK[kind],
        V * W,
    ]
    assert f"{BLOCK[kind]:,} each" in model.summary()


def test_a_relation_block_is_three_matrices_and_two_biases():
    block = paper_model("causal_rn").blocks[0]
    assert {name: tuple(parameter.shape) for name, parameter in block.named_parameters()} == {
        "receiver.weight": (W, W),
        "receiver.bias": (W,),
        "sender.weight": (W, W),
        "readout.weight": (W, W),
        "readout.bias": (W,),
    }
    assert L * BLOCK["causal_rn"] == 1_331_712


def test_with_expansion_4_a_relation_block_has_a_transformers_matrices():
    """3 matrices of w x 4w against 4 of w x w and 2 of w x 4w."""
    wide, transformer = (
        build_model(ModelConfig(kind=kind, width=W, blocks=1, **more)).blocks[0]
        for kind, more in (("causal_rn", {"expansion": 4}), ("transformer", {}))
    )
    weights = [sum(p.numel() for p in block.parameters() if p.ndim == 2) for block in (wide, transformer)]
    assert weights == [12 * W * W] * 2


def std_of(tensor: torch.Tensor) -> float:
    return tensor.double().square().mean().sqrt().item()


@pytest.mark.parametrize("kind", BLOCKS)
def test_embeddings_start_at_one_and_the_head_at_a_fiftieth(kind):
    model = paper_model(kind)
    assert std_of(model.token_embedding.weight) == pytest.approx(1, rel=0.05)
    assert std_of(model.position_embedding.weight) == pytest.approx(1, rel=0.05)
    assert std_of(model.head.weight) == pytest.approx(0.02, rel=0.05)
    assert model.head.bias is None


@pytest.mark.parametrize("kind", ["causal_rn", "linear_rn"])
def test_relation_weights_start_at_a_fiftieth_and_the_readout_smaller(kind):
    for block in paper_model(kind).blocks:
        assert std_of(block.receiver.weight) == pytest.approx(0.02, rel=0.03)
        assert std_of(block.sender.weight) == pytest.approx(0.02, rel=0.03)
        assert std_of(block.readout.weight) == pytest.approx(0.02 / math.sqrt(L), rel=0.03)
        assert not block.receiver.bias.any() and not block.readout.bias.any()


@pytest.mark.parametrize("kind", ["transformer", "linear_transformer", "sigmoid_transformer", "additive", "delta_net"])
def test_transformer_projections_start_smaller_by_the_root_of_twice_the_blocks(kind):
    for block in paper_model(kind).blocks:
        for layer in (block.query_key_value, block.expand):
            assert std_of(layer.weight) == pytest.approx(0.02, rel=0.03) and not layer.bias.any()
        for layer in (block.projection, block.contract):
            assert std_of(layer.weight) == pytest.approx(0.02 / math.sqrt(2 * L), rel=0.03) and not layer.bias.any()


def test_the_state_space_block_starts_as_mamba_does():
    block = paper_model("ssm").blocks[0]
    torch.testing.assert_close(-block.A_log.exp(), -torch.arange(1.0, N + 1).expand(E, N))
    steps = torch.nn.functional.softplus(block.dt_proj.bias)
    assert steps.min() >= 0.9e-3 and steps.max() <= 1.1e-1 and steps.log().std() > 1
    assert torch.equal(block.D, torch.ones(E))


def test_recurrent_weights_start_uniform_as_torchs_own():
    for parameter in paper_model("lstm").blocks[0].parameters():
        bound = 1 / math.sqrt(W)
        assert parameter.abs().max() <= bound
        assert std_of(parameter) == pytest.approx(bound / math.sqrt(3), rel=0.1)


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
def test_the_generator_alone_decides_every_weight(variant):
    torch.manual_seed(1)
    one = small_model(**variant, seed=3).state_dict()
    torch.manual_seed(2)
    two = small_model(**variant, seed=3).state_dict()
    other = small_model(**variant, seed=4).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    random = [name for name in one if one[name].unique().numel() > 1 and "A_log" not in name]
    assert not any(torch.equal(one[name], other[name]) for name in random) and random


@pytest.mark.parametrize("kind", BLOCKS)
def test_building_draws_nothing_from_torchs_own_generator(kind):
    before = torch.get_rng_state()
    model = small_model(kind=kind)
    model.generate(tokens(1, 3), 2)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_kinds_keep_their_order_and_none_is_replaced():
    assert tuple(BLOCK)[: len(KINDS)] == KINDS and {*BLOCK} <= {*BLOCKS}
    with pytest.raises(ValueError, match=r"^there is a kind 'lstm' already: LSTMBlock$"):
        kind("lstm")(BLOCKS["ssm"])
    assert {variant["kind"] for variant in RELATION_FORMS} == {"causal_rn", "linear_rn"}
