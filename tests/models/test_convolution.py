"""The short convolution by itself and before a block, and the window of the first block."""

import math

import pytest
import torch

from crn_lib.models import BLOCKS, ModelConfig, build_model, make_blocks
from crn_lib.models.convolution import ConvolvedBlock, convolve, last_rows
from crn_lib.ops.normalise import layer_norm
from tests.models.model_cases import small_model, tokens


def test_a_convolution_is_torchs_grouped_one(generator):
    history, taps = torch.randn(2, 9, 5, generator=generator), torch.randn(4, 5, generator=generator)
    bias = torch.randn(5, generator=generator)
    truth = torch.nn.functional.conv1d(history.mT, taps.mT[:, None], bias, groups=5).mT
    torch.testing.assert_close(convolve(history, taps, bias), truth)
    torch.testing.assert_close(convolve(history, taps), truth - bias)


def test_the_last_rows_end_where_each_sequence_does(generator):
    history = torch.randn(2, 8, 5, generator=generator)  # three rows in front, five places
    assert torch.equal(last_rows(history, 3, None), history[:, 5:])
    found = last_rows(history, 3, torch.tensor([1, 4]))
    assert torch.equal(found[0], history[0, 1:4]) and torch.equal(found[1], history[1, 4:7])


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("earlier", [1, 3])
def test_any_block_has_it_in_front_and_sees_so_many_places_before(kind, earlier):
    model = small_model(kind=kind, blocks=1, short_conv=earlier)
    convolved = model.blocks[0]
    x = torch.randn(2, 7, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mixed = x.clone()
    for i in range(7):
        for back in range(min(i, earlier) + 1):
            mixed[:, i] += convolved.taps[-1 - back] * layer_norm(x[:, i - back])
    torch.testing.assert_close(convolved(x), convolved.block(mixed))


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("ends", [[1, 4, 2], [6, 5, 6]])
def test_every_kind_goes_on_from_its_own_end_with_a_convolution(kind, ends):
    model, sequence = small_model(kind=kind, short_conv=3), tokens(3, 12)
    whole, rows = model(sequence), torch.arange(3)
    _, state = model.prefill(sequence[:, :6], torch.tensor(ends))
    for step in range(5):
        logits, state = model.step(sequence[rows, torch.tensor(ends) + step], state)
        torch.testing.assert_close(logits, whole[rows, torch.tensor(ends) + step], rtol=1e-8, atol=1e-10)


def test_taps_start_uniform_as_torchs_own_and_the_block_as_without():
    wide = build_model(ModelConfig(width=256, blocks=1, short_conv=3)).blocks[0]
    assert isinstance(wide, ConvolvedBlock) and wide.taps.shape == (4, 256)
    assert wide.taps.abs().max() <= 0.5 and wide.taps.std().item() == pytest.approx(0.5 / math.sqrt(3), rel=0.05)
    without = build_model(ModelConfig(width=256, blocks=1)).blocks[0].state_dict()
    assert all(torch.equal(wide.block.state_dict()[name], weights) for name, weights in without.items())


@pytest.mark.parametrize("kind", [kind for kind, block in BLOCKS.items() if block.windowed])
def test_the_first_block_sees_its_window_and_later_ones_all(kind):
    x = torch.randn(1, 9, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    moved = x.clone()
    moved[:, 2] += torch.randn(12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for index, last in ((0, 5), (1, 8)):
        block = small_model(kind=kind, first_window=4).blocks[index]
        changed = (block(x) - block(moved)).abs().amax(dim=(0, 2)) > 1e-9
        assert changed.nonzero().flatten().tolist() == list(range(2, last + 1))


def test_sigmoid_attention_counts_the_places_in_its_window():
    """So that a window of one is not lowered by the places before it."""
    block = small_model(kind="sigmoid_transformer", first_window=1).blocks[0]
    query, key, value = torch.randn(3, 1, 1, 5, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights = ((query * key).sum(-1, keepdim=True) / math.sqrt(12)).sigmoid()
    torch.testing.assert_close(block.mix(query, key, value), weights * value)


def test_a_window_of_all_places_changes_nothing():
    for kind in ("causal_rn", "transformer", "sigmoid_transformer", "additive"):
        model, wide = (small_model(kind=kind, first_window=window) for window in (None, 70))
        torch.testing.assert_close(model(tokens(2, 70)), wide(tokens(2, 70)), rtol=1e-9, atol=1e-11)
    assert [block.window for block in make_blocks(ModelConfig(blocks=3, first_window=4))] == [4, None, None]
