"""Additive and sigmoid attention against their formulas, written out."""

import math

import pytest
import torch

from crn_lib.models import additive
from tests.models.model_cases import small_model


def drawn(generator: torch.Generator) -> list[torch.Tensor]:
    return [torch.randn(2, 3, 7, 4, dtype=torch.float64, generator=generator) for _ in range(3)]


def test_sigmoid_attention_is_its_formula(generator):
    query, key, value = drawn(generator)
    found = small_model(kind="sigmoid_transformer", heads=3).blocks[0].mix(query, key, value)
    for i in range(7):
        scores = (query[:, :, i, None] * key[:, :, : i + 1]).sum(-1) / math.sqrt(4) - math.log(i + 1)
        truth = (scores.sigmoid()[..., None] * value[:, :, : i + 1]).sum(2)
        torch.testing.assert_close(found[:, :, i], truth)


@pytest.mark.parametrize("tile", [1, 2 * 2 * 3 * 7 * 4, 2**22])
def test_additive_attention_is_its_formula_whatever_the_tiles(tile, generator, monkeypatch):
    monkeypatch.setattr(additive, "TILE", tile)
    query, key, value = drawn(generator)
    block = small_model(kind="additive", heads=3).blocks[0]
    found = block.mix(query, key, value)
    for i in range(7):
        pairs = (query[:, :, i, None] + key[:, :, : i + 1]).tanh()
        weights = (pairs * block.score[:, None]).sum(-1).softmax(-1)
        torch.testing.assert_close(found[:, :, i], (weights[..., None] * value[:, :, : i + 1]).sum(2))
