"""Edits of pairs, against the definition written out pair by pair, and against a model that is left alone."""

import math

import pytest
import torch
from torch import nn

from crn_lib.analysis import (
    attention_pairs,
    drop,
    freeze_scale,
    level,
    relation_pairs,
    rescale,
    run_edited,
    swap_scales,
)
from crn_lib.analysis.interventions import with_scale
from crn_lib.models import ModelConfig, build_model
from crn_lib.ops.activations import ACTIVATION_FUNCTIONS

BATCH, LENGTH, HEADS, WIDTH = 3, 7, 2, 8
ROWS = torch.tensor([0, 2, 5, 6])
SENDER = torch.tensor([[0, -1, 3, 6], [-1, 2, 5, 0]]).expand(BATCH, HEADS, 4)
OTHER = torch.tensor([[-1, 1, 5, 6], [0, 0, 4, 2]]).expand(BATCH, HEADS, 4)


def mean_by_hand(a, b, activation, scale_of, seen):
    """The relation of lists of rows, one pair after the other; `scale_of(scales, i)` may change the scales of a row."""
    out = torch.zeros(BATCH, HEADS, len(ROWS), WIDTH // HEADS, dtype=torch.float64)
    for n in range(BATCH):
        for h in range(HEADS):
            part = slice(h * WIDTH // HEADS, (h + 1) * WIDTH // HEADS)
            for r, i in enumerate(ROWS.tolist()):
                sums = [a[n, i, part] + b[n, j, part] for j in range(i + 1)]
                sums = [z - z.mean() for z in sums]
                scales = scale_of([1 / z.std(correction=0).item() for z in sums], n, h, r)
                kept = [j for j in range(i + 1) if seen(h, r, j)]
                for j in kept:
                    out[n, h, r] += ACTIVATION_FUNCTIONS[activation](scales[j] * sums[j]) / len(kept)
    return out


def as_they_are(scales, n, h, r):
    return scales


def everyone(h, r, j):
    return True


@pytest.fixture
def rows_ab(generator):
    return torch.randn(2, BATCH, LENGTH, WIDTH, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("activation", ["exp", "gelu", "elu"])
def test_dropping_is_the_mean_over_the_others(rows_ab, activation):
    a, b = rows_ab
    pairs = relation_pairs(a, b, ROWS, norm="exact", activation=activation, heads=HEADS)
    by_hand = mean_by_hand(a, b, activation, as_they_are, lambda h, r, j: j != SENDER[0, h, r])
    torch.testing.assert_close(drop(SENDER)(pairs).mix(), by_hand, rtol=1e-10, atol=1e-12)
    assert (by_hand[:, 0, 0] == 0).all()  # position 0 sees one sender; without it, none


def test_rescaling_and_levelling_change_one_scale_a_row(rows_ab):
    a, b = rows_ab
    pairs = relation_pairs(a, b, ROWS, norm="exact", activation="exp", heads=HEADS)

    def changed(new):
        def scales(old, n, h, r):
            j = SENDER[0, h, r]
            return [new(old, n, h, r) if k == j else s for k, s in enumerate(old)]

        return mean_by_hand(a, b, "exp", scales, everyone)

    halved = changed(lambda old, n, h, r: old[SENDER[0, h, r]] / 2)
    torch.testing.assert_close(rescale(SENDER, 0.5)(pairs).mix(), halved, rtol=1e-10, atol=1e-12)
    factors = torch.linspace(0.5, 2, BATCH * HEADS * 4, dtype=torch.float64).reshape(BATCH, HEADS, 4)
    each = changed(lambda old, n, h, r: old[SENDER[0, h, r]] * factors[n, h, r].item())
    torch.testing.assert_close(rescale(SENDER, factors)(pairs).mix(), each, rtol=1e-10, atol=1e-12)
    mean = changed(lambda old, n, h, r: sum(old) / len(old))
    torch.testing.assert_close(level(SENDER)(pairs).mix(), mean, rtol=1e-10, atol=1e-12)


def test_swapping_exchanges_two_scales_of_a_row(rows_ab):
    a, b = rows_ab
    pairs = relation_pairs(a, b, ROWS, norm="exact", activation="exp", heads=HEADS)

    def swapped(old, n, h, r):
        j, k = SENDER[0, h, r].item(), OTHER[0, h, r].item()
        new = list(old)
        if j >= 0 and k >= 0:
            new[j], new[k] = old[k], old[j]
        return new

    by_hand = mean_by_hand(a, b, "exp", swapped, everyone)
    torch.testing.assert_close(swap_scales(SENDER, OTHER)(pairs).mix(), by_hand, rtol=1e-10, atol=1e-12)
    twice = swap_scales(SENDER, OTHER)(swap_scales(SENDER, OTHER)(pairs))
    assert torch.equal(twice.scale, pairs.scale)


def test_a_frozen_scale_factorises(rows_ab):
    a, b = rows_ab
    pairs = relation_pairs(a, b, ROWS, norm="exact", activation="exp", heads=HEADS)
    frozen = freeze_scale(pairs)
    for n in range(BATCH):
        for h in range(HEADS):
            seen = torch.cat([pairs.scale[n, h, r, : i + 1] for r, i in enumerate(ROWS.tolist())])
            assert (frozen.scale[n, h] == frozen.scale[n, h, 0, 0]).all()
            torch.testing.assert_close(frozen.scale[n, h, 0, 0], seen.mean())
    scale = frozen.scale[:, :, :1, :1]
    running = (scale * pairs.senders).exp().cumsum(2)[:, :, ROWS] / (ROWS + 1)[:, None]
    torch.testing.assert_close(frozen.mix(), (scale * pairs.receivers).exp() * running, rtol=1e-10, atol=1e-12)


def test_dropping_from_attention_is_the_softmax_over_the_others(generator):
    query, key, value = torch.randn(3, BATCH, HEADS, LENGTH, 4, generator=generator, dtype=torch.float64)
    pairs = drop(SENDER)(attention_pairs(query, key, value, ROWS))
    for h in range(HEADS):
        for r, i in enumerate(ROWS.tolist()):
            kept = [j for j in range(i + 1) if j != SENDER[0, h, r]]
            scores = query[:, h, i, None] @ key[:, h, kept].mT / math.sqrt(4)
            expected = (scores.softmax(-1) @ value[:, h, kept])[:, 0] if kept else torch.zeros(BATCH, 4).double()
            torch.testing.assert_close(pairs.mix()[:, h, r], expected, rtol=1e-10, atol=1e-12)


def lively_model(kind, **shape):
    """A model in which every pair makes a difference."""
    model = build_model(ModelConfig(kind=kind, width=WIDTH, heads=HEADS, blocks=3, max_length=LENGTH, **shape))
    for parameter in model.blocks.parameters():
        nn.init.normal_(parameter, std=0.5, generator=torch.Generator().manual_seed(1))
    return model


@pytest.mark.parametrize("kind", ["causal_rn", "linear_rn", "transformer"])
def test_a_model_whose_pairs_are_left_alone_is_the_untouched_model_bit_for_bit(kind, generator):
    model = lively_model(kind)
    tokens = torch.randint(29, (BATCH, LENGTH), generator=generator)
    with torch.no_grad():
        untouched = model(tokens)
    nobody = torch.full((BATCH, HEADS, 4), -1)
    everywhere = dict.fromkeys(range(3), drop(nobody))
    assert torch.equal(run_edited(model, tokens, everywhere, ROWS), untouched)
    assert torch.equal(run_edited(model, tokens, {}, ROWS), untouched)
    if kind != "transformer":
        for edit in (rescale(SENDER, 1.0), swap_scales(SENDER, SENDER), level(nobody)):
            assert torch.equal(run_edited(model, tokens, dict.fromkeys(range(3), edit), ROWS), untouched)


@pytest.mark.parametrize("kind", ["causal_rn", "transformer"])
def test_an_edit_changes_its_own_rows_in_its_own_sequences_and_what_comes_after(kind, generator):
    model = lively_model(kind)
    tokens = torch.randint(29, (BATCH, LENGTH), generator=generator)
    with torch.no_grad():
        untouched = model(tokens)
    sender = torch.full((BATCH, HEADS, 4), -1)
    sender[1, 0, 2] = 3  # sequence 1, position 5
    moved = (run_edited(model, tokens, {1: drop(sender)}, ROWS) != untouched).any(-1)
    expected = torch.zeros(BATCH, LENGTH, dtype=torch.bool)
    expected[1, 5:] = True
    assert torch.equal(moved, expected)
    last = (run_edited(model, tokens, {2: drop(sender)}, ROWS) != untouched).any(-1)
    expected[1, 6] = False  # nothing comes after the last block
    assert torch.equal(last, expected)


def test_a_model_edited_in_one_block_is_the_model_with_that_block_by_hand(generator):
    model = lively_model("causal_rn").double()
    tokens = torch.randint(29, (BATCH, LENGTH), generator=generator)
    every_row = torch.arange(LENGTH)
    sender = torch.randint(LENGTH, (BATCH, HEADS, LENGTH), generator=generator)
    edited = run_edited(model, tokens, {1: drop(sender)}, every_row)

    def norm(x):
        return (x - x.mean(-1, keepdim=True)) / x.std(-1, correction=0, keepdim=True).clamp(min=1e-30)

    with torch.no_grad():
        x = model.token_embedding(tokens) + model.position_embedding.weight
        x = model.blocks[0](x)
        block = model.blocks[1]
        a, b = block.receiver(norm(x)), block.sender(norm(x))
        out = torch.zeros_like(a)
        for h in range(HEADS):
            part = slice(h * WIDTH // HEADS, (h + 1) * WIDTH // HEADS)
            for n in range(BATCH):
                for i in range(LENGTH):
                    kept = [j for j in range(i + 1) if j != sender[n, h, i]]
                    if kept:
                        out[n, i, part] = torch.stack([norm(a[n, i, part] + b[n, j, part]).exp() for j in kept]).mean(0)
        x = x + block.readout(norm(out))
        expected = model.head(norm(model.blocks[2](x)))
    torch.testing.assert_close(edited, expected, rtol=1e-8, atol=1e-10)


def test_an_edit_that_fails_leaves_the_model_as_it_was(generator):
    model = lively_model("transformer")
    tokens = torch.randint(29, (BATCH, LENGTH), generator=generator)
    with pytest.raises(ValueError, match="the pairs of attention have no scale; drop one instead"):
        run_edited(model, tokens, {0: freeze_scale}, ROWS)
    assert all("mix" not in vars(block) for block in model.blocks)
    with pytest.raises(ValueError, match="the model has blocks 0 to 2; got 3"):
        run_edited(model, tokens, {3: drop(SENDER)}, ROWS)


def test_only_pairs_of_a_relation_have_a_scale(rows_ab):
    a, b = rows_ab
    pairs = relation_pairs(a, b, ROWS, norm="exact", activation="exp", heads=HEADS)
    assert with_scale(pairs) is pairs
